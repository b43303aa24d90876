//! The claims of a service about an account, and the profile read from them.

use std::{fmt::Write as _, time::Duration};

use serde_json::Value;

use crate::{Timestamp, oauth2::member::MemberPath};

use super::account::ProviderSession;

/// The claims of a service about an account.
///
/// ```
/// use quadrille::{Authorized, Result};
///
/// async fn name(new: &Authorized) -> Result<Option<String>> {
///     Ok(new.claims().await?.and_then(|claims| claims.text("name")).map(str::to_owned))
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims {
    pub(crate) subject: String,
    pub(crate) all: Value,
}

impl Claims {
    /// The account's identifier at the service, never reused for another account.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// All claims. A number beyond 64 bits loses digits here, which [`subject`](Claims::subject)
    /// keeps.
    pub fn all(&self) -> &Value {
        &self.all
    }

    /// The session that the claims of an ID token name. It began when the token was requested, or was
    /// issued if that was before, within the leeway by which two clocks may differ: a logout that comes while the
    /// response is under way, or its keys are fetched, ends it.
    pub(crate) fn session(
        &self,
        requested: Timestamp,
        leeway: Duration,
    ) -> Option<ProviderSession> {
        let issued = self.all.get("iat").and_then(Value::as_f64).map(|iat| iat as i64);
        let latest = issued.map(|iat| Timestamp::from_seconds(iat) + leeway);
        let since = latest.map_or(requested, |latest| latest.min(requested));
        let session = ProviderSession::new(self.text("sub")?, since);
        Some(ProviderSession { sid: self.text("sid").map(Into::into), ..session })
    }

    /// One claim that is text: `claims.text("login")`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.as_str()
    }
}

/// The profile of an account, from [`Api::profile`](crate::consumer::Api::profile). A member that
/// the service does not say, or for which the token's scopes do not suffice, is `None`.
///
/// ```
/// use quadrille::{GitHub, Linked, Result};
///
/// async fn greeting(github: Linked<GitHub>) -> Result<String> {
///     let me = github.profile().await?;
///     Ok(format!("Welcome, {}", me.name.as_deref().unwrap_or(&me.subject)))
/// }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// The account's identifier at the service, never reused for another account.
    pub subject: String,
    /// The name that the user has at the service, which they may change.
    pub user_name: Option<String>,
    /// The name to display.
    pub name: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the service has verified the address; `None` if it does not say. An address that is
    /// not verified may be another person's.
    pub email_verified: Option<bool>,
    /// The URL of a picture.
    pub picture: Option<String>,
    /// All claims of the service.
    pub raw: Value,
}

/// The claim that an account must have.
#[derive(Clone, Debug)]
pub(crate) struct RequiredClaim {
    path: MemberPath,
    /// `None` for any text that is not empty.
    value: Option<Box<str>>,
}

impl RequiredClaim {
    /// The claim at this path with this value, `*` for any.
    pub(crate) fn new(path: MemberPath, value: &str) -> Self {
        Self { path, value: (value != "*").then(|| value.into()) }
    }

    /// Whether an account has the claim.
    pub(crate) fn is_among(&self, claims: &Claims) -> bool {
        let is = self.path.value(&claims.all).and_then(Value::as_str).unwrap_or_default();
        match &self.value {
            Some(value) => !is.is_empty() && *is == **value,
            None => !is.is_empty(),
        }
    }
}

/// The places of a profile's members in a service's claims.
#[derive(Clone, Debug, Default)]
pub(crate) struct ProfilePaths {
    user_name: Option<Place>,
    name: Option<Place>,
    email: Option<Place>,
    email_verified: Option<Place>,
    picture: Option<Place>,
}

/// The place of a text: fixed texts and paths in turn.
#[derive(Clone, Debug)]
struct Place(Vec<Piece>);

#[derive(Clone, Debug)]
enum Piece {
    Fixed(Box<str>),
    Path(MemberPath),
}

impl ProfilePaths {
    /// Reads the pairs of [`Spec::profile`](crate::Spec::profile); `None` if one is malformed.
    pub(crate) fn parse<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> Option<Self> {
        let mut paths = Self::default();
        for (claim, place) in pairs {
            let member = match claim {
                "preferred_username" => &mut paths.user_name,
                "name" => &mut paths.name,
                "email" => &mut paths.email,
                "email_verified" => &mut paths.email_verified,
                "picture" => &mut paths.picture,
                _ => return None,
            };
            *member = Some(Place::parse(place)?);
        }
        Some(paths)
    }

    /// The profile of the account `subject` with these claims.
    pub(crate) fn read(&self, subject: String, all: Value) -> Profile {
        let text = |place: &Option<Place>| place.as_ref()?.text(&all);
        let verified = self.email_verified.as_ref().and_then(|place| place.flag(&all));
        let email = text(&self.email);
        Profile {
            subject,
            user_name: text(&self.user_name),
            name: text(&self.name),
            email_verified: verified.filter(|_| email.is_some()),
            email,
            picture: text(&self.picture),
            raw: all,
        }
    }
}

impl Profile {
    /// A profile with nothing but the subject: for tests, and for services without a preset.
    pub fn new(subject: impl Into<String>) -> Self {
        ProfilePaths::default().read(subject.into(), Value::Null)
    }

    /// Takes the primary address of a list of objects with `email`, `primary` and `verified`.
    pub(crate) fn take_email(&mut self, list: &Value) {
        let primary = list
            .as_array()
            .into_iter()
            .flatten()
            .find(|entry| entry.get("primary") == Some(&Value::Bool(true)));
        let Some(email) = primary.and_then(|entry| entry.get("email")?.as_str()) else { return };
        self.email = Some(email.to_owned());
        self.email_verified = primary.and_then(|entry| entry.get("verified")?.as_bool());
    }
}

impl Place {
    fn parse(text: &str) -> Option<Self> {
        if !text.contains('{') {
            return Some(Self(vec![Piece::Path(MemberPath::parse(text)?)]));
        }
        let (mut pieces, mut rest) = (Vec::new(), text);
        while let Some((fixed, after)) = rest.split_once('{') {
            let (path, after) = after.split_once('}')?;
            pieces.push(Piece::Fixed(fixed.into()));
            pieces.push(Piece::Path(MemberPath::parse(path)?));
            rest = after;
        }
        pieces.push(Piece::Fixed(rest.into()));
        Some(Self(pieces))
    }

    /// The text, without surrounding spaces. `None` if a member is missing or all are empty.
    fn text(&self, all: &Value) -> Option<String> {
        let (mut text, mut is_said) = (String::new(), false);
        for piece in &self.0 {
            match piece {
                Piece::Fixed(fixed) => text.push_str(fixed),
                Piece::Path(path) => match path.value(all)? {
                    Value::String(value) => {
                        is_said |= !value.trim().is_empty();
                        text.push_str(value);
                    }
                    Value::Number(value) => {
                        is_said = true;
                        let _ = write!(text, "{value}");
                    }
                    _ => return None,
                },
            }
        }
        is_said.then(|| text.trim().to_owned())
    }

    /// The value of a flag: a boolean, or its name as text.
    fn flag(&self, all: &Value) -> Option<bool> {
        let [Piece::Path(path)] = &*self.0 else { return None };
        match path.value(all)? {
            Value::Bool(flag) => Some(*flag),
            Value::String(flag) => flag.parse().ok(),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn profile(pairs: &[(&str, &str)], all: Value) -> Profile {
        ProfilePaths::parse(pairs.iter().copied()).unwrap().read("7".to_owned(), all)
    }

    #[test]
    fn an_address_is_verified_only_if_the_service_says_so() {
        let pairs = [("email", "mail"), ("email_verified", "ok")];
        for (all, expected) in [
            (json!({ "mail": "a@b.example", "ok": true }), Some(true)),
            (json!({ "mail": "a@b.example", "ok": "true" }), Some(true)),
            (json!({ "mail": "a@b.example", "ok": false }), Some(false)),
            (json!({ "mail": "a@b.example", "ok": 1 }), None),
            (json!({ "mail": "a@b.example", "ok": "yes" }), None),
            (json!({ "mail": "a@b.example" }), None),
            (json!({ "ok": true }), None),
            (json!({ "mail": null, "ok": true }), None),
        ] {
            assert_eq!(profile(&pairs, all.clone()).email_verified, expected, "{all}");
        }
    }

    #[test]
    fn a_text_of_several_members_needs_all_of_them() {
        let pairs = [("name", "{first} {last}"), ("picture", "https://p.example/{id}/{hash}.png")];
        let both = profile(&pairs, json!({ "first": "Ada", "last": "", "id": 7, "hash": "x" }));
        assert_eq!(both.name.as_deref(), Some("Ada"));
        assert_eq!(both.picture.as_deref(), Some("https://p.example/7/x.png"));
        let none = profile(&pairs, json!({ "first": "", "last": "", "id": 7, "hash": null }));
        assert_eq!((none.name, none.picture), (None, None));
        let malformed = [("name", "{first"), ("name", ""), ("name", "a{}"), ("nick", "name")];
        for pair in malformed {
            assert!(ProfilePaths::parse([pair].into_iter()).is_none(), "{pair:?}");
        }
    }

    #[test]
    fn a_required_claim_is_a_text_with_that_value() {
        for (value, all, is_there) in [
            ("acme.example", json!({ "hd": "acme.example" }), true),
            ("*", json!({ "hd": "acme.example" }), true),
            ("acme.example", json!({ "hd": "acme.example.evil.example" }), false),
            ("acme.example", json!({ "hd": ["acme.example"] }), false),
            ("acme.example", json!({}), false),
            ("", json!({ "hd": "" }), false),
            ("*", json!({ "hd": "" }), false),
            ("*", json!({ "hd": null }), false),
            ("*", json!([]), false),
        ] {
            let required = RequiredClaim::new(MemberPath::parse("hd").unwrap(), value);
            let claims = Claims { subject: "7".to_owned(), all };
            assert_eq!(required.is_among(&claims), is_there, "{value}: {claims:?}");
        }
    }

    #[test]
    fn the_primary_address_of_a_list_is_taken_and_no_other() {
        let pairs = [("email", "email")];
        let mut me = profile(&pairs, json!({ "email": "public@b.example" }));
        for list in [json!({}), json!([]), json!([{ "email": "x@b.example", "primary": false }])] {
            me.take_email(&list);
            assert_eq!(me.email.as_deref(), Some("public@b.example"));
        }
        me.take_email(&json!([
            { "email": "x@b.example", "verified": true },
            { "email": "a@b.example", "primary": true, "verified": false },
        ]));
        assert_eq!(me.email.as_deref(), Some("a@b.example"));
        assert_eq!(me.email_verified, Some(false));
        me.take_email(&json!([{ "email": "a@b.example", "primary": true }]));
        assert_eq!(me.email_verified, None);
    }

    #[test]
    fn a_session_begins_when_its_token_was_requested_or_issued_before() {
        let begun = |iat: Value| {
            let claims = Claims { subject: "7".to_owned(), all: json!({ "sub": "7", "iat": iat }) };
            let (requested, leeway) = (Timestamp::from_seconds(10_000), Duration::from_secs(30));
            claims.session(requested, leeway).unwrap().since.seconds()
        };
        // The clock of the provider may be behind by the leeway.
        for (iat, since) in [(10_000, 10_000), (10_020, 10_000), (9_970, 10_000), (6_400, 6_430)] {
            assert_eq!(begun(iat.into()), since, "{iat}");
        }
        assert_eq!(begun(Value::Null), 10_000);
        assert_eq!(begun(json!(6_400.5)), 6_430);
    }
}
