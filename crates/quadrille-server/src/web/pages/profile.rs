//! The part of the account page on which users see and edit what is known about them.

use std::collections::BTreeMap;

use axum::{
    body::Body,
    extract::State,
    http::{Response, StatusCode},
};
use quadrille::provider::UserClaims;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    config::ClaimSettings,
    users::{
        User,
        claims::{ADDRESS, Changes, ClaimError, STANDARD, changed, parse},
    },
};

use super::{
    super::{
        account_form::{AccountForm, Sealed},
        app::App,
        audit,
        claims::{ClaimLine, line},
        forms::Purpose,
    },
    templates::{Link, Message},
};

/// The claim with members of its own.
const POSTAL: &str = "address";

/// What the page shows.
#[derive(Serialize)]
pub(super) struct Profile {
    /// The claims that the user cannot edit.
    fixed: Vec<ClaimLine>,
    fields: Vec<Field>,
}

/// A field of the form.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Field {
    name: String,
    words: String,
    value: String,
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
        Err(error) => return app.not_changed(&error),
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
    /// What is known about a user, with OpenID Connect.
    pub(super) fn profile(&self, user: &User) -> Option<Profile> {
        let settings = self.claims.as_ref()?;
        let is_edited = |name: &str| settings.edited_by_users.iter().any(|edited| edited == name);
        let fixed = settings.names().filter(|name| !is_edited(name));
        let fixed = fixed.map(|name| line(settings, user, name));
        let fixed: Vec<_> = fixed.filter(|line| line.value.is_some()).collect();
        let fields = fields(settings, user);
        (!fixed.is_empty() || !fields.is_empty()).then_some(Profile { fixed, fields })
    }

    fn not_changed(&self, error: &ClaimError) -> Response<Body> {
        let settings = self.claims.as_ref();
        let words = |name: &str| {
            settings.and_then(|settings| settings.words(name)).unwrap_or_default().to_owned()
        };
        let text = match error {
            ClaimError::Value { name, expected } => {
                format!("{}: this must be {expected}.", words(name))
            }
            ClaimError::Unknown { .. } | ClaimError::OfTheProgram { .. } => {
                "This site keeps no such thing.".to_owned()
            }
        };
        self.pages.message(
            StatusCode::BAD_REQUEST,
            &Message {
                title: "Nothing was changed",
                text: &text,
                code: None,
                link: Some(Link::to(&self.pages.site().home, "Your account")),
                alert: true,
            },
        )
    }
}

/// The fields of the claims that users edit, in the order of the standard.
fn fields(settings: &ClaimSettings, user: &User) -> Vec<Field> {
    let mut fields = Vec::new();
    for name in settings.names().filter(|name| settings.edited_by_users.iter().any(|it| it == name))
    {
        let value = user.claims.get(name);
        if name == POSTAL {
            // A whole address is for those that an operator wrote.
            fields.extend(ADDRESS.iter().filter(|(member, _)| *member != "formatted").map(
                |(member, words)| Field {
                    name: format!("{POSTAL}.{member}"),
                    words: (*words).to_owned(),
                    value: shown(value.and_then(|address| address.get(member))),
                },
            ));
            continue;
        }
        let words = settings.words(name).unwrap_or(name).to_owned();
        fields.push(Field { name: name.to_owned(), words, value: shown(value) });
    }
    fields
}

/// A value in a field.
fn shown(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
        None => String::new(),
    }
}

/// Whether a field came back as it was shown. Browsers write line breaks in their own way.
fn is_same(sent: &str, shown: &str) -> bool {
    sent.trim().lines().eq(shown.trim().lines())
}

/// The changes that a form asks for, of claims that users edit alone. A field that is not there, or as
/// it was shown, changes nothing: the value may be the operator's, and of a type that a form has not.
fn changes(
    settings: &ClaimSettings,
    fields: &BTreeMap<String, String>,
    known: &UserClaims,
) -> Result<Changes, ClaimError> {
    let mut changes = Changes::new();
    for name in &settings.edited_by_users {
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

/// What a user typed. Of the operator's own claims users edit texts alone: a list may decide about
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
        // As it was shown.
        let same = sent(&[
            ("name", "Ada"),
            ("groups", r#"["staff"]"#),
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
