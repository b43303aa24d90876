//! The responses of the two endpoints that issue credentials (RFC 5849, sections 2.1 and 2.3).

use std::fmt;

use bytes::Bytes;
use http::{
    HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, PRAGMA},
};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, value::RawValue};

use crate::{
    Secret,
    form::{FORM, FormWriter, Params},
    oauth2::answer,
};

use super::{Problem, header::parameter_of_challenges};

/// Temporary or token credentials, as issued by a server.
///
/// ```
/// use quadrille::{Secret, oauth1::Credentials};
///
/// let given = Credentials::temporary("hdk48Djdsa", Secret::from("xyz4992k83j47x0b"));
/// let read = Credentials::parse(&given.to_response())?;
/// assert!(read.callback_confirmed);
/// assert_eq!(read, given);
/// # Ok::<(), quadrille::oauth1::CredentialsError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// `oauth_token`.
    pub token: String,
    /// `oauth_token_secret`.
    pub secret: Secret,
    /// `oauth_callback_confirmed`, by which a server confirms with temporary credentials that it
    /// supports revision A (RFC 5849, section 2.1).
    pub callback_confirmed: bool,
    /// All other members, such as `user_id`.
    pub extra: Vec<(String, String)>,
}

/// The reason why a response contains no credentials.
///
/// ```
/// use bytes::Bytes;
/// use http::Response;
/// use quadrille::oauth1::{Credentials, CredentialsError, Problem};
///
/// let response = Response::new(Bytes::from("oauth_problem=token_expired"));
/// let error = Credentials::parse(&response).unwrap_err();
/// assert_eq!(error, CredentialsError::Problem(Problem::TokenExpired));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CredentialsError {
    /// The server reports a problem of the OAuth Problem Reporting extension.
    #[error("the server refuses: {}", .0.as_str())]
    Problem(Problem),
    /// The server refuses with this status.
    #[error("the server answers {0}")]
    Status(StatusCode),
    /// The response contains no credentials.
    #[error("the answer has no credentials")]
    Malformed,
}

impl Credentials {
    /// Temporary credentials, with `oauth_callback_confirmed`.
    pub fn temporary(token: impl Into<String>, secret: Secret) -> Self {
        Self { callback_confirmed: true, ..Self::token(token, secret) }
    }

    /// Token credentials.
    pub fn token(token: impl Into<String>, secret: Secret) -> Self {
        Self { token: token.into(), secret, callback_confirmed: false, extra: Vec::new() }
    }

    /// Adds a member.
    #[must_use]
    pub fn with(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }

    /// The response: a form with `Cache-Control: no-store`.
    pub fn to_response(&self) -> Response<Bytes> {
        let mut body = FormWriter::new();
        body.append("oauth_token", &self.token);
        body.append("oauth_token_secret", self.secret.expose());
        if self.callback_confirmed {
            body.append("oauth_callback_confirmed", "true");
        }
        for (name, value) in &self.extra {
            body.append(name, value);
        }
        let mut response = Response::new(Bytes::from(body.finish()));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(FORM));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
        response
    }

    /// Reads a response: a form, whatever its `Content-Type`, or JSON, which some servers send.
    ///
    /// # Errors
    /// [`CredentialsError`].
    pub fn parse(response: &Response<Bytes>) -> Result<Self, CredentialsError> {
        let members = members(response.body());
        if !response.status().is_success() {
            let problem = problem(response, members.as_deref());
            return Err(problem.map_or(CredentialsError::Status(response.status()), |problem| {
                CredentialsError::Problem(problem)
            }));
        }
        let mut members = members.ok_or(CredentialsError::Malformed)?;
        if is_repeated(&members) {
            return Err(CredentialsError::Malformed);
        }
        let mut take = |name: &str| {
            let at = members.iter().position(|(known, _)| known == name)?;
            Some(members.remove(at).1)
        };
        let token = take("oauth_token").filter(|token| !token.is_empty());
        // Servers that accept only RSA may leave the secret empty.
        let secret = take("oauth_token_secret");
        // A repeated confirmation does not count; token credentials need none.
        let confirmed = take("oauth_callback_confirmed");
        let confirmed = confirmed.filter(|_| take("oauth_callback_confirmed").is_none());
        match (token, secret) {
            (Some(token), Some(secret)) => Ok(Self {
                token,
                secret: secret.into(),
                callback_confirmed: confirmed.is_some_and(|it| it.eq_ignore_ascii_case("true")),
                extra: members,
            }),
            _ => Err(problem(response, Some(&members))
                .map_or(CredentialsError::Malformed, CredentialsError::Problem)),
        }
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("callback_confirmed", &self.callback_confirmed)
            .finish_non_exhaustive()
    }
}

/// Whether a member of the credentials is repeated, so that two readers may read two values.
fn is_repeated(members: &[(String, String)]) -> bool {
    let ours = ["oauth_token", "oauth_token_secret"];
    ours.iter().any(|name| members.iter().filter(|(known, _)| known == name).count() > 1)
}

fn members(body: &[u8]) -> Option<Vec<(String, String)>> {
    // Some servers end the form with a line break.
    let body = answer::text(body);
    let body = body.trim();
    if body.starts_with('{') {
        let Members(json) = serde_json::from_str(body).ok()?;
        return Some(json);
    }
    let params = Params::of_answer(body)?;
    let broken = params.broken_names().map(|name| (name, UNREADABLE));
    let all = params.iter().chain(broken);
    Some(all.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

/// Replaces a value that could not be read.
const UNREADABLE: &str = "\u{fffd}";

/// The members of a JSON object, including repeated ones.
struct Members(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Members;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<String, &RawValue>()? {
                    let text = match serde_json::from_str(value.get()) {
                        Ok(Value::String(text)) => text,
                        // The raw text, so that a number keeps its digits.
                        Ok(_) => value.get().to_owned(),
                        Err(_) => UNREADABLE.to_owned(),
                    };
                    members.push((name, text));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Each)
    }
}

/// `oauth_problem`, from the body or the challenge.
fn problem(response: &Response<Bytes>, members: Option<&[(String, String)]>) -> Option<Problem> {
    let mut in_body = members.into_iter().flatten().filter(|(name, _)| name == "oauth_problem");
    if let Some((_, word)) = in_body.next() {
        // Two values contradict each other.
        return if in_body.next().is_none() { Problem::parse(word) } else { None };
    }
    let challenges = response.headers().get_all(http::header::WWW_AUTHENTICATE).iter();
    challenges
        .filter_map(|value| parameter_of_challenges(value.as_bytes(), "oauth_problem"))
        .find_map(|word| Problem::parse(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_twice_is_no_answer_as_a_form_and_as_json() {
        let parse = |body: &str| Credentials::parse(&Response::new(Bytes::from(body.to_owned())));
        for body in [
            "oauth_token=a&oauth_token=b&oauth_token_secret=s",
            "oauth_token=a&oauth_token=a&oauth_token_secret=s",
            "oauth_token=&oauth_token=a&oauth_token_secret=s",
            "oauth_token=a&oauth_token_secret=s&oauth%5Ftoken_secret=t",
            "oauth_problem=token_used&oauth_problem=token_used",
            "oauth_token=a&oauth_token=%FF&oauth_token_secret=s",
            "oauth_token=a&oauth_token_secret=s&oauth_token_secret=100%",
            r#"{"oauth_token":"a","oauth_token":"b","oauth_token_secret":"s"}"#,
            r#"{"oauth_token":"a","oauth_token_secret":"s","oauth\u005ftoken_secret":"s"}"#,
        ] {
            assert_eq!(parse(body).unwrap_err(), CredentialsError::Malformed, "{body}");
        }
        for body in [
            "oauth_token=a&oauth_token_secret=s&x=1&x=2",
            r#"{"oauth_token":"a","oauth_token_secret":"s","x":1,"x":2}"#,
            "oauth_token=a&oauth_token_secret=s&oauth_problem=x&oauth_problem=%",
        ] {
            assert_eq!(parse(body).unwrap().extra.len(), 2, "{body}");
        }
        for confirmed in ["true&oauth_callback_confirmed=true", "%&oauth_callback_confirmed=true"] {
            let body =
                format!("oauth_token=a&oauth_token_secret=s&oauth_callback_confirmed={confirmed}");
            let read = parse(&body).unwrap();
            assert!(!read.callback_confirmed && read.extra.is_empty(), "{body}: {read:?}");
        }
    }

    #[test]
    fn a_problem_stands_beside_a_realm_and_not_in_it() {
        let parse = |challenge: &[u8]| {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::UNAUTHORIZED;
            let value = HeaderValue::from_bytes(challenge).unwrap();
            response.headers_mut().insert(http::header::WWW_AUTHENTICATE, value);
            Credentials::parse(&response).unwrap_err()
        };
        let rejected = CredentialsError::Problem(Problem::TokenRejected);
        for challenge in [
            &br#"OAuth realm="oauth_problem=token_used", oauth_problem="token_rejected""#[..],
            br#"OAuth realm="a, oauth_problem=\"token_used\"",oauth_problem=token_rejected"#,
            b"OAuth realm=\"\xfcber\", oauth_problem=token_rejected",
            br#"Basic realm="x", OAuth oauth_problem="token_rejected""#,
        ] {
            assert_eq!(parse(challenge), rejected, "{}", challenge.escape_ascii());
        }
        let none = CredentialsError::Status(StatusCode::UNAUTHORIZED);
        assert_eq!(parse(br#"OAuth realm="oauth_problem=token_used""#), none);
    }
}
