//! The authentication that a login requires of an OpenID Provider.

use std::time::Duration;

use serde_json::Value;

use crate::{
    consumer::wire::{Reader, Writer},
    oidc::{ClaimsRequest, Expected},
};

/// The authentication that a login requires (OpenID Connect Core, sections 3.1.2.1 and 5.5.1.1). Its ID
/// token must agree.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Required {
    /// The `max_age` of the request, in seconds.
    max_age: Option<u64>,
    /// The authentication context classes of which one is required: the values of `acr` as an essential
    /// claim. Those in `acr_values` are a wish.
    classes: Vec<String>,
}

impl Required {
    /// The authentication that these parameters of a request require. A `max_age` that is no number of
    /// seconds is refused at the provider; should it not be, it is the strictest.
    pub(crate) fn by<'p>(parameters: impl Iterator<Item = (&'p str, &'p str)>) -> Self {
        let mut required = Self::default();
        for (name, value) in parameters {
            match name {
                "max_age" => required.max_age = Some(value.parse().unwrap_or(0)),
                "claims" => required.classes = classes(value),
                _ => {}
            }
        }
        required
    }

    /// The required classes.
    pub(crate) fn classes(&self) -> Vec<&str> {
        self.classes.iter().map(String::as_str).collect()
    }

    /// What an ID token must agree with beside. `classes` are [those](Self::classes) of this.
    pub(crate) fn of<'a>(&self, expected: Expected<'a>, classes: &'a [&'a str]) -> Expected<'a> {
        let expected = expected.acr(classes);
        match self.max_age {
            Some(seconds) => expected.max_age(Duration::from_secs(seconds)),
            None => expected,
        }
    }

    /// One more than the seconds, and zero for none: an age of so many seconds is none, either.
    pub(super) fn write(&self, out: &mut Writer) {
        out.number(self.max_age.map_or(0, |seconds| seconds.saturating_add(1)));
        out.number(self.classes.len() as u64);
        for class in &self.classes {
            out.text(class);
        }
    }

    /// `None` if it cannot be read.
    pub(super) fn read(from: &mut Reader<'_>) -> Option<Self> {
        let max_age = from.number()?.checked_sub(1);
        let count = from.number()?;
        let classes = (0..count).map(|_| from.text().map(ToOwned::to_owned));
        Some(Self { max_age, classes: classes.collect::<Option<_>>()? })
    }
}

/// The classes in a `claims` parameter of which the ID token must have one.
fn classes(claims: &str) -> Vec<String> {
    let Ok(claims) = ClaimsRequest::parse(claims) else { return Vec::new() };
    let acr = claims.id_token.get("acr").filter(|acr| acr.essential);
    let values = acr.into_iter().flat_map(|acr| &acr.values);
    values.filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_essential_class_and_an_age_are_required_and_a_wish_is_not() {
        let by = |claims: &str| Required::by([("scope", "openid"), ("claims", claims)].into_iter());
        let silver = by(r#"{"id_token":{"acr":{"essential":true,"values":["silver","gold"]}}}"#);
        assert_eq!(silver.classes(), ["silver", "gold"]);
        assert_eq!(
            by(r#"{"id_token":{"acr":{"essential":true,"value":"gold"}}}"#).classes(),
            ["gold"]
        );
        for wish in [
            "{}",
            "no JSON",
            r#"{"id_token":{"acr":null}}"#,
            r#"{"id_token":{"acr":{"values":["gold"]}}}"#,
            r#"{"id_token":{"acr":{"essential":true}}}"#,
            r#"{"userinfo":{"acr":{"essential":true,"value":"gold"}}}"#,
        ] {
            assert_eq!(by(wish), Required::default(), "{wish}");
        }
        let of =
            |parameters: &[(&'static str, &'static str)]| Required::by(parameters.iter().copied());
        assert_eq!(of(&[("acr_values", "gold")]), Required::default());
        assert_eq!(of(&[("max_age", "60")]).max_age, Some(60));
        assert_eq!(of(&[("max_age", "soon")]).max_age, Some(0));
    }

    #[test]
    fn it_reads_as_it_was_written() {
        for required in [
            Required::default(),
            Required { max_age: Some(0), classes: Vec::new() },
            Required { max_age: Some(60), classes: vec!["a b".to_owned(), String::new()] },
        ] {
            let mut out = Writer::with_capacity(64);
            required.write(&mut out);
            let bytes = out.finish();
            assert_eq!(Required::read(&mut Reader(&bytes)), Some(required));
        }
    }
}
