//! The claims about a user (OpenID Connect Core, section 5.1): which there are, what their values look
//! like, and what a change of one does to the others. Pure decisions.

use std::collections::BTreeMap;

use quadrille::{Timestamp, page::is_unseen, provider::UserClaims};
use serde_json::{Map, Value};

use crate::words::{Plain, did_you_mean, nearest};

/// A claim that every provider may have.
#[derive(Clone, Copy, Debug)]
pub struct Standard {
    /// The name.
    pub name: &'static str,
    /// The claim in words, for its user.
    pub words: &'static str,
    form: Form,
}

/// The form of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Text,
    Url,
    Email,
    Birthdate,
    /// Whether the claim of this name was checked by the operator.
    Checked(&'static str),
    Address,
}

const fn claim(name: &'static str, words: &'static str, form: Form) -> Standard {
    Standard { name, words, form }
}

/// The standard claims that a user may have. `sub`, `preferred_username` and `updated_at` follow from
/// the user.
pub const STANDARD: [Standard; 17] = [
    claim("name", "Name", Form::Text),
    claim("given_name", "Given name", Form::Text),
    claim("family_name", "Family name", Form::Text),
    claim("middle_name", "Middle name", Form::Text),
    claim("nickname", "Nickname", Form::Text),
    claim("profile", "Profile page", Form::Url),
    claim("picture", "Picture", Form::Url),
    claim("website", "Website", Form::Url),
    claim("gender", "Gender", Form::Text),
    claim("birthdate", "Date of birth", Form::Birthdate),
    claim("zoneinfo", "Time zone", Form::Text),
    claim("locale", "Language", Form::Text),
    claim("email", "E-mail address", Form::Email),
    claim("email_verified", "E-mail address was checked", Form::Checked("email")),
    claim("phone_number", "Phone number", Form::Text),
    claim("phone_number_verified", "Phone number was checked", Form::Checked("phone_number")),
    claim("address", "Postal address", Form::Address),
];

/// The time of the last change.
pub const UPDATED_AT: &str = "updated_at";

/// The members of an address (OpenID Connect Core, section 5.1.1), with their words.
pub const ADDRESS: [(&str, &str); 6] = [
    ("formatted", "Whole address"),
    ("street_address", "Street"),
    ("postal_code", "Postal code"),
    ("locality", "City"),
    ("region", "Region"),
    ("country", "Country"),
];

/// The greatest length of a value, in bytes.
const LONGEST: usize = 1000;

/// The reason for rejecting a claim.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimError {
    /// The program gives the claim its value.
    #[error("{name} is {what}, and cannot be set")]
    OfTheProgram {
        /// The name.
        name: String,
        /// The value in words.
        what: &'static str,
    },
    /// There is no such claim.
    #[error(
        "there is no claim {}: the setting claims has the operator's own; give it to this command as \
         to `quadrille serve`{}",
        Plain(name),
        did_you_mean(nearest.as_deref())
    )]
    Unknown {
        /// The name as given.
        name: String,
        /// The known claim that is closest.
        nearest: Option<String>,
    },
    /// The value does not fit.
    #[error("{name}: {expected}")]
    Value {
        /// The name of the claim.
        name: String,
        /// A value that fits.
        expected: Fit,
    },
}

/// A value that fits, in place of one that does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fit {
    /// Characters that people see.
    #[error("text without control characters and invisible ones")]
    Seen,
    /// A length.
    #[error("1 to 1000 characters")]
    Length,
    /// Whether something is so.
    #[error("true or false")]
    Boolean,
    /// A postal address.
    #[error(
        "an address, or JSON with formatted, street_address, locality, region, postal_code and country"
    )]
    Address,
    /// A text.
    #[error("a text")]
    Text,
    /// One line.
    #[error("one line, without spaces at either end")]
    Line,
    /// A URL.
    #[error("a URL, such as https://ada.example")]
    Url,
    /// An e-mail address.
    #[error("an address, such as ada@example.com")]
    Email,
    /// A date of birth.
    #[error("a date such as 1815-12-10, 0000-12-10 without the year, or a year alone")]
    Birthdate,
}

/// A standard claim by its name.
pub fn standard(name: &str) -> Option<&'static Standard> {
    STANDARD.iter().find(|known| known.name == name)
}

/// `true` for a claim that says that another one was checked: its owner never sets it.
pub fn is_for_the_operator(name: &str) -> bool {
    standard(name).is_some_and(|known| matches!(known.form, Form::Checked(_)))
}

/// The value of a claim, as it was typed. `own` are the operator's claims.
///
/// # Errors
/// [`ClaimError`].
pub fn parse(name: &str, text: &str, own: &BTreeMap<String, String>) -> Result<Value, ClaimError> {
    check_name(name, own)?;
    let value = match standard(name).map(|known| known.form) {
        // A list, a number or the like, if it is one.
        None => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        Some(Form::Checked(_)) if ["true", "false"].contains(&text) => (text == "true").into(),
        Some(Form::Address) => address(text),
        Some(_) => text.into(),
    };
    check(name, &value)?;
    Ok(value)
}

/// Checks that a claim with this name can be set: a standard one, or one of the operator's `own`.
///
/// # Errors
/// [`ClaimError::OfTheProgram`] and [`ClaimError::Unknown`].
pub fn check_name(name: &str, own: &BTreeMap<String, String>) -> Result<(), ClaimError> {
    let of_the_program = match name {
        "sub" => Some("the subject of the user"),
        "preferred_username" => Some("the user name"),
        "updated_at" => Some("the time of the last change"),
        _ => None,
    };
    if let Some(what) = of_the_program {
        return Err(ClaimError::OfTheProgram { name: name.to_owned(), what });
    }
    if standard(name).is_some() || own.contains_key(name) {
        return Ok(());
    }
    let known = STANDARD.iter().map(|known| known.name).chain(own.keys().map(String::as_str));
    let nearest = nearest(name, known).map(str::to_owned);
    Err(ClaimError::Unknown { name: name.to_owned(), nearest })
}

/// Checks the value of a claim: a standard one, or one of the operator's own.
///
/// # Errors
/// [`ClaimError::Value`].
pub fn check(name: &str, value: &Value) -> Result<(), ClaimError> {
    let length = value.as_str().map_or_else(|| value.to_string().len(), str::len);
    let expected = match standard(name).map(|known| known.form) {
        _ if has_unseen(value) => Some(Fit::Seen),
        _ if !(1..=LONGEST).contains(&length) => Some(Fit::Length),
        None => None,
        Some(Form::Checked(_)) => (!value.is_boolean()).then_some(Fit::Boolean),
        Some(Form::Address) => (!is_address(value)).then_some(Fit::Address),
        Some(form) => value.as_str().map_or(Some(Fit::Text), |text| unfit(form, text)),
    };
    match expected {
        Some(expected) => Err(ClaimError::Value { name: name.to_owned(), expected }),
        None => Ok(()),
    }
}

/// `true` if a text in a value has a character that nobody sees. Lines may break, and joiners are
/// parts of names and signs.
fn has_unseen(value: &Value) -> bool {
    let is_unseen = |c: char| match c {
        '\n' | '\r' | '\u{200c}' | '\u{200d}' => false,
        c => is_unseen(c),
    };
    match value {
        Value::String(text) => text.contains(is_unseen),
        Value::Array(list) => list.iter().any(has_unseen),
        Value::Object(members) => {
            members.iter().any(|(name, value)| name.contains(is_unseen) || has_unseen(value))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// A text that fits, in place of one that does not.
fn unfit(form: Form, text: &str) -> Option<Fit> {
    if text.chars().any(char::is_control) || text.trim() != text {
        return Some(Fit::Line);
    }
    let (fits, expected) = match form {
        Form::Text | Form::Checked(_) | Form::Address => return None,
        Form::Url => {
            let is_web =
                url::Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
            (is_web, Fit::Url)
        }
        Form::Email => {
            let is_address = text.rsplit_once('@').is_some_and(|(local, host)| {
                !local.is_empty() && !host.is_empty() && !text.contains(char::is_whitespace)
            });
            (is_address && text.len() <= 254, Fit::Email)
        }
        Form::Birthdate => (is_birthdate(text), Fit::Birthdate),
    };
    (!fits).then_some(expected)
}

/// An address as JSON, or a whole one as text.
fn address(text: &str) -> Value {
    match text.starts_with('{') {
        true => serde_json::from_str(text).unwrap_or_default(),
        false => Map::from_iter([("formatted".to_owned(), text.into())]).into(),
    }
}

fn is_address(value: &Value) -> bool {
    let is_known = |(name, value): (&String, &Value)| {
        value.is_string() && ADDRESS.iter().any(|(known, _)| known == name)
    };
    value.as_object().is_some_and(|members| !members.is_empty() && members.iter().all(is_known))
}

/// ISO 8601: `YYYY-MM-DD`, with the year 0000 if it is left out, or `YYYY`.
fn is_birthdate(text: &str) -> bool {
    let number = |part: &str, length| {
        let is_number = part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| part.parse::<u16>().ok()).flatten()
    };
    match text.split('-').collect::<Vec<_>>()[..] {
        [year] => number(year, 4).is_some_and(|year| year > 0),
        [year, month, day] => {
            number(year, 4).is_some()
                && number(month, 2).is_some_and(|month| (1..=12).contains(&month))
                && number(day, 2).is_some_and(|day| (1..=31).contains(&day))
        }
        _ => false,
    }
}

/// Changes of claims by their names; `None` removes one.
pub type Changes = BTreeMap<String, Option<Value>>;

/// The claims after changes. Whether an address or a number was checked is unknown for another one.
pub fn changed(before: &UserClaims, changes: &Changes, now: Timestamp) -> UserClaims {
    let mut after = before.clone();
    for (name, value) in changes {
        match value {
            Some(value) => after.insert(name.clone(), value.clone()),
            None => after.remove(name),
        };
    }
    for known in STANDARD {
        let Form::Checked(of) = known.form else { continue };
        let is_other = before.get(of) != after.get(of) && !changes.contains_key(known.name);
        if is_other || !after.contains_key(of) {
            after.remove(known.name);
        }
    }
    if after != *before {
        after.insert(UPDATED_AT.to_owned(), now.seconds().into());
    }
    after
}

/// The value of a claim for people.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Object(address) => {
            let members = ADDRESS.iter().filter_map(|(name, _)| address.get(*name)?.as_str());
            let lines: Vec<_> = members.flat_map(str::lines).map(str::trim).collect();
            if lines.is_empty() { value.to_string() } else { lines.join(", ") }
        }
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(7);

    fn claims(value: Value) -> UserClaims {
        let Value::Object(claims) = value else { panic!("an object") };
        claims
    }

    #[test]
    fn another_address_has_not_been_checked() {
        let before = claims(json!({ "email": "ada@old.example", "email_verified": true }));
        let change = |name: &str, value: Value| Changes::from([(name.to_owned(), Some(value))]);
        let after = changed(&before, &change("email", json!("ada@new.example")), NOW);
        assert_eq!(Value::from(after), json!({ "email": "ada@new.example", "updated_at": 7 }));
        // Nothing else takes the mark away, nor does the same address.
        let after = changed(&before, &change("email", json!("ada@old.example")), NOW);
        assert_eq!(after, before);
        let after = changed(&before, &change("name", json!("Ada")), NOW);
        assert_eq!(after["email_verified"], true);
        // The operator says both at once.
        let mut both = change("email", json!("ada@new.example"));
        both.insert("email_verified".to_owned(), Some(json!(true)));
        assert_eq!(changed(&before, &both, NOW)["email_verified"], true);
        let gone = Changes::from([("email".to_owned(), None)]);
        assert_eq!(Value::from(changed(&before, &gone, NOW)), json!({ "updated_at": 7 }));
    }

    #[test]
    fn values_have_the_forms_of_their_claims() {
        let own = BTreeMap::from([("groups".to_owned(), "Groups".to_owned())]);
        for (name, text, value) in [
            ("name", "Ada Lovelace", json!("Ada Lovelace")),
            ("website", "https://ada.example", json!("https://ada.example")),
            ("email", "ada@example.com", json!("ada@example.com")),
            ("email_verified", "true", json!(true)),
            ("birthdate", "1815-12-10", json!("1815-12-10")),
            ("birthdate", "0000-12-10", json!("0000-12-10")),
            ("birthdate", "1815", json!("1815")),
            ("address", "1 Square\nLondon", json!({ "formatted": "1 Square\nLondon" })),
            ("address", r#"{"country":"UK"}"#, json!({ "country": "UK" })),
            ("groups", r#"["a","b"]"#, json!(["a", "b"])),
            ("groups", "staff", json!("staff")),
        ] {
            assert_eq!(parse(name, text, &own), Ok(value), "{name}={text}");
        }
        for (name, text) in [
            ("name", ""),
            ("name", " Ada"),
            ("name", "A\u{7}da"),
            ("website", "javascript:alert(1)"),
            ("email", "ada"),
            ("email", "ada @example.com"),
            ("email_verified", "yes"),
            ("birthdate", "10.12.1815"),
            ("birthdate", "1815-13-10"),
            ("address", r#"{"planet":"Earth"}"#),
        ] {
            assert!(matches!(parse(name, text, &own), Err(ClaimError::Value { .. })), "{text}");
        }
        for name in ["iss", "department"] {
            assert!(matches!(parse(name, "x", &own), Err(ClaimError::Unknown { .. })), "{name}");
        }
        let mistyped = parse("group", "x", &own).unwrap_err().to_string();
        assert!(mistyped.ends_with("did you mean \"groups\"?"), "{mistyped}");
        for name in ["sub", "updated_at", "preferred_username"] {
            let refused = parse(name, "x", &own);
            assert!(matches!(refused, Err(ClaimError::OfTheProgram { .. })), "{name}");
        }
        assert!(is_for_the_operator("email_verified") && !is_for_the_operator("email"));
    }

    #[test]
    fn values_of_other_types_do_not_fit() {
        for (name, value) in [
            ("groups", json!(["a", "b"])),
            ("name", json!("\u{1f469}\u{200d}\u{1f52c}")),
            ("email_verified", json!(false)),
            ("address", json!({ "country": "UK", "street_address": "1 Square\r\nFlat 2" })),
        ] {
            assert_eq!(check(name, &value), Ok(()), "{name}");
        }
        for (name, value) in [
            ("groups", json!(vec!["x"; 500])),
            ("name", json!(["Ada"])),
            ("name", json!(null)),
            ("name", json!("Ada\u{202e}")),
            ("groups", json!(["\u{1b}[2J"])),
            ("groups", json!({ "\u{1b}": 1 })),
            ("address", json!({ "locality": "\u{1b}]0;x\u{7}" })),
            ("email", json!({ "address": "ada@example.com" })),
            ("email_verified", json!("true")),
            ("address", json!("1 Square")),
            ("address", json!({ "country": 7 })),
        ] {
            assert!(check(name, &value).is_err(), "{name}: {value}");
        }
    }

    #[test]
    fn values_are_shown_in_words() {
        assert_eq!(
            shown(&json!({ "country": "UK", "street_address": "1 Square\nFlat 2" })),
            "1 Square, Flat 2, UK"
        );
        assert_eq!(shown(&json!(["a", true, 7])), "a, yes, 7");
    }
}
