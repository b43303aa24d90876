//! The words of a token that nobody needs to have signed, for the log.

use serde_json::{Map, Value};

use crate::jose::base64url;

/// A part of a token in the compact serialization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The header.
    Header,
    /// The payload of a JWT that is not encrypted.
    Claims,
}

/// A member of a part as text, also if the rest of the token is malformed. A list of texts is one of
/// words.
pub(crate) fn text_of_anybody(token: &str, part: Part, name: &str) -> Option<String> {
    let mut parts = token.trim().split('.');
    let part = match part {
        Part::Header => parts.next()?,
        Part::Claims => parts.nth(1)?,
    };
    let members: Map<String, Value> = serde_json::from_slice(&base64url::decode(part)?).ok()?;
    match members.get(name)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(list) if list.iter().all(Value::is_string) => {
            Some(list.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" "))
        }
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_token_still_says_what_it_says() {
        let part = |json: &str| base64url::encode(json);
        let (header, claims) = (
            part(r#"{"alg":"XS256","alg":"XS256"}"#),
            part(r#"{"sub":"web","aud":["a","b"],"exp":"soon","iat":7,"jti":null}"#),
        );
        for token in [
            format!("{header}.{claims}.!"),
            format!("{header}.{claims}"),
            format!(" {header}.{claims}.a\n"),
        ] {
            let claim = |name| text_of_anybody(&token, Part::Claims, name);
            assert_eq!(text_of_anybody(&token, Part::Header, "alg").as_deref(), Some("XS256"));
            assert_eq!(claim("sub").as_deref(), Some("web"));
            assert_eq!(claim("aud").as_deref(), Some("a b"));
            assert_eq!(claim("exp").as_deref(), Some("soon"));
            assert_eq!(claim("iat").as_deref(), Some("7"));
            assert_eq!((claim("jti"), claim("iss")), (None, None));
        }
        for token in ["", ".", "a.b.c", "...", &header] {
            assert_eq!(text_of_anybody(token, Part::Claims, "sub"), None, "{token}");
        }
    }
}
