//! The part of the account page on which users see and edit what is known about them.

use std::collections::BTreeMap;

use axum::{body::Body, extract::State, http::Response};
use quadrille::provider::UserClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    config::ClaimSettings,
    users::{
        User,
        claims::{ADDRESS, Changes, ClaimError, Fit, STANDARD, changed, parse},
    },
};

use super::super::{
    account_form::{AccountForm, Sealed},
    app::App,
    audit,
    claim_lines::ClaimLine,
    forms::Purpose,
};

/// The claim with members of its own.
const POSTAL: &str = "address";

/// The values of the page.
#[derive(Serialize)]
pub(super) struct Profile {
    /// The claims that the user cannot edit.
    fixed: Vec<ClaimLine>,
    /// The fields with a value, or with one that is wrong.
    fields: Vec<Field>,
    /// The empty fields, which the page folds away.
    empty: Vec<Field>,
    /// The reason why nothing was changed.
    problem: Option<Problem>,
}

/// Why nothing was changed.
#[derive(Serialize)]
struct Problem {
    /// The key of the text.
    key: &'static str,
    /// The words for the claim that is wrong.
    claim: String,
}

/// A form that changed nothing, for the page on which its user corrects it.
pub(super) struct NotChanged<'a> {
    typed: &'a BTreeMap<String, String>,
    error: ClaimError,
}

/// A field of the form.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Field {
    name: String,
    words: String,
    value: String,
    /// Whether it is the reason why nothing was changed: the page opens there.
    is_wrong: bool,
}

impl Field {
    /// Whether there is nothing to see in the field.
    fn is_folded(&self) -> bool {
        self.value.trim().is_empty() && !self.is_wrong
    }
}

/// The form.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Edited {
    #[serde(default)]
    form: String,
    #[serde(flatten)]
    fields: BTreeMap<String, String>,
}

impl Sealed for Edited {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// `POST /profile`
pub(in crate::web) async fn edit(
    State(app): State<App>,
    asked: AccountForm<Edited>,
) -> Response<Body> {
    let AccountForm { form, visitor, address, headers } = asked;
    let Some(settings) = &app.claims else { return app.foreign_form() };
    let changes = match changes(settings, &form.fields, &visitor.user.claims) {
        Ok(changes) => changes,
        Err(error) => {
            let typed = &form.fields;
            let answer = Some(NotChanged { typed, error });
            return app.account_page(&headers, &visitor, 0, Default::default(), answer).await;
        }
    };
    let now = app.env.now();
    let change = Box::new(move |before: &_| changed(before, &changes, now));
    match app.backend.change_claims(&visitor.user.subject, change).await {
        Ok(_) => {
            audit::profile_changed(&visitor.user, address);
            app.home_with_note(&headers, Purpose::ProfileChanged)
        }
        Err(error) => app.store_failed(&error),
    }
}

impl App {
    /// What is known about a user, with OpenID Connect, and the answer to a form that changed nothing of
    /// it.
    pub(super) fn profile(&self, user: &User, answer: Option<&NotChanged<'_>>) -> Option<Profile> {
        let settings = self.claims.as_ref()?;
        let fixed = settings.names().filter(|name| !is_edited(settings, &user.claims, name));
        let fixed = fixed.filter_map(|name| self.claim_line(user, name));
        let fixed: Vec<_> = fixed.filter(|line| line.value.is_some()).collect();
        let mut fields = self.fields(settings, user);
        if let Some(NotChanged { typed, error }) = answer {
            for field in &mut fields {
                if let Some(typed) = typed.get(&field.name) {
                    field.value.clone_from(typed);
                }
            }
            // An address is wrong as a whole, in several fields.
            let is_of = |field: &&mut Field| match error {
                ClaimError::Value { name, .. } => {
                    field.name.split_once('.').map_or(&*field.name, |(claim, _)| claim) == name
                }
                ClaimError::Unknown { .. } | ClaimError::OfTheProgram { .. } => false,
            };
            if let Some(field) = fields.iter_mut().find(is_of) {
                field.is_wrong = true;
            }
        }
        let problem = answer.map(|answer| match &answer.error {
            ClaimError::Value { name, expected } => Problem {
                key: wrong(*expected),
                claim: self.claim_in_words(name).unwrap_or_default(),
            },
            ClaimError::Unknown { .. } | ClaimError::OfTheProgram { .. } => {
                Problem { key: "account-profile-unknown", claim: String::new() }
            }
        });
        let has_some = !fixed.is_empty() || !fields.is_empty();
        let (empty, fields) = fields.into_iter().partition(Field::is_folded);
        has_some.then_some(Profile { fixed, fields, empty, problem })
    }

    /// The fields of the claims that users edit, in the order of the standard.
    fn fields(&self, settings: &ClaimSettings, user: &User) -> Vec<Field> {
        let (mut fields, texts) = (Vec::new(), self.pages.texts());
        for name in settings.names().filter(|name| is_edited(settings, &user.claims, name)) {
            let value = user.claims.get(name);
            if name == POSTAL {
                // A whole address is for those that an operator wrote.
                fields.extend(ADDRESS.iter().filter(|(member, _)| *member != "formatted").map(
                    |(member, words)| Field {
                        name: format!("{POSTAL}.{member}"),
                        words: texts.words_for(POSTAL, member, words),
                        value: shown(value.and_then(|address| address.get(member))),
                        is_wrong: false,
                    },
                ));
                continue;
            }
            let words = self.claim_in_words(name).unwrap_or_default();
            fields.push(Field {
                name: name.to_owned(),
                words,
                value: shown(value),
                is_wrong: false,
            });
        }
        fields
    }
}

/// The key of the text about a value that does not fit.
fn wrong(expected: Fit) -> &'static str {
    match expected {
        Fit::Seen => "account-profile-unseen",
        Fit::Length => "account-profile-length",
        Fit::Line => "account-profile-line",
        Fit::Url => "account-profile-url",
        Fit::Email => "account-profile-email",
        Fit::Birthdate => "account-profile-birthdate",
        Fit::Boolean | Fit::Address | Fit::Text => "account-profile-wrong",
    }
}

/// `true` if users edit the claim, and this user's is one that a field can have: a list, a number or the
/// like is the operator's, and would come back as a text.
fn is_edited(settings: &ClaimSettings, known: &UserClaims, name: &str) -> bool {
    let is_text = || name == POSTAL || known.get(name).is_none_or(Value::is_string);
    settings.edited_by_users.iter().any(|edited| edited == name) && is_text()
}

/// A value in a field.
fn shown(value: Option<&Value>) -> String {
    value.and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Whether a field came back as it was shown. Browsers write line breaks in their own way.
fn is_same(sent: &str, shown: &str) -> bool {
    sent.trim().lines().eq(shown.trim().lines())
}

/// The changes that a form asks for, of claims that users edit alone. A field that is not there, or as
/// it was shown, changes nothing.
fn changes(
    settings: &ClaimSettings,
    fields: &BTreeMap<String, String>,
    known: &UserClaims,
) -> Result<Changes, ClaimError> {
    let mut changes = Changes::new();
    let edited = settings.edited_by_users.iter();
    for name in edited.filter(|name| is_edited(settings, known, name)) {
        if name == POSTAL {
            let shown =
                |member: &str| shown(known.get(POSTAL).and_then(|address| address.get(member)));
            let is_shown = |(member, _): &(&str, &str)| {
                let sent = fields.get(&format!("{POSTAL}.{member}"));
                sent.is_none_or(|sent| is_same(sent, &shown(member)))
            };
            if ADDRESS.iter().all(is_shown) {
                continue;
            }
            changes.extend(address(fields)?.map(|address| (name.clone(), address)));
            continue;
        }
        let Some(text) = fields.get(name).map(|text| text.trim()) else { continue };
        if is_same(text, &shown(known.get(name))) {
            continue;
        }
        let value = if text.is_empty() { None } else { Some(value(settings, name, text)?) };
        changes.insert(name.clone(), value);
    }
    Ok(changes)
}

/// What a user typed. Of the operator's own claims users write texts alone: a list may decide about
/// access elsewhere.
fn value(settings: &ClaimSettings, name: &str, text: &str) -> Result<Value, ClaimError> {
    let parsed = parse(name, text, &settings.own)?;
    let is_standard = STANDARD.iter().any(|known| known.name == name);
    Ok(if is_standard { parsed } else { text.into() })
}

/// The address, if the form has fields of it: `Some(None)` if all are empty.
fn address(fields: &BTreeMap<String, String>) -> Result<Option<Option<Value>>, ClaimError> {
    let mut is_sent = false;
    let mut members = Map::new();
    for (member, _) in ADDRESS {
        let Some(text) = fields.get(&format!("{POSTAL}.{member}")) else { continue };
        is_sent = true;
        if !text.trim().is_empty() {
            members.insert(member.to_owned(), text.trim().into());
        }
    }
    if members.is_empty() {
        return Ok(is_sent.then_some(None));
    }
    let text = Value::from(members).to_string();
    Ok(Some(Some(parse(POSTAL, &text, &BTreeMap::new())?)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sent(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
        fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn users_change_what_they_may_edit_and_nothing_else() {
        let settings = ClaimSettings {
            own: BTreeMap::from([("groups".to_owned(), "Groups".to_owned())]),
            edited_by_users: ["name", "address", "groups"].map(str::to_owned).into(),
        };
        let form = sent(&[
            ("name", " Ada "),
            ("email", "boss@example.com"),
            ("email_verified", "true"),
            ("address.country", "UK"),
            ("address.region", " "),
            ("groups", r#"["admins"]"#),
        ]);
        let expected = Changes::from([
            ("name".to_owned(), Some(json!("Ada"))),
            ("address".to_owned(), Some(json!({ "country": "UK" }))),
            ("groups".to_owned(), Some(json!(r#"["admins"]"#))),
        ]);
        let nothing = UserClaims::new();
        assert_eq!(changes(&settings, &form, &nothing), Ok(expected));
        let known = json!({
            "name": "Ada", "groups": ["staff"], "address": { "formatted": "1 Square", "country": "UK" },
        });
        let Value::Object(known) = known else { panic!("an object") };
        let gone = Changes::from([("name".to_owned(), None), ("address".to_owned(), None)]);
        let empty = sent(&[("name", ""), ("address.country", "")]);
        assert_eq!(changes(&settings, &empty, &known), Ok(gone));
        // As it was shown, and a list, which has no field.
        let same = sent(&[
            ("name", "Ada"),
            ("groups", r#"["staff", "admins"]"#),
            ("address.country", "UK"),
            ("address.region", ""),
        ]);
        for same in [same, sent(&[])] {
            assert_eq!(changes(&settings, &same, &known), Ok(Changes::new()));
        }
        let long = "x".repeat(1001);
        assert!(changes(&settings, &sent(&[("name", &long)]), &nothing).is_err());
        assert!(changes(&settings, &sent(&[("address.country", &long)]), &nothing).is_err());
    }
}
