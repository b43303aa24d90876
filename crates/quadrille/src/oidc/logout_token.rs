//! The claims of a logout token (OpenID Connect Back-Channel Logout, section 2.4).

use std::fmt;

use serde_json::{Map, Value};

use crate::{Timestamp, jose::Claims};

/// The claims of a logout token: which user, or which session, ended at which issuer.
///
/// The provider signs [`to_claims`](Self::to_claims) with [`TYPE`](Self::TYPE) as the type of the
/// JWT; the client reads verified claims with [`from_claims`](Self::from_claims).
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Timestamp, jose::Claims, oidc::LogoutToken};
///
/// let now = Timestamp::from_seconds(1_471_566_154);
/// let mut token = LogoutToken::new("https://server.example.com", "s6BhdRkqt3", "bWJq", now);
/// token.expires = Some(now + Duration::from_secs(120));
/// token.sid = Some("08a5019c-17e1-4977-8f42-65a12843ea02".into());
/// let claims = token.to_claims();
/// assert_eq!(LogoutToken::from_claims(Claims::parse(&claims.to_json())?)?, token);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct LogoutToken {
    /// The issuer (`iss`), compared exactly.
    pub issuer: String,
    /// The user at this issuer (`sub`); `None` if the token is about the session alone.
    pub subject: Option<String>,
    /// The audience (`aud`): the `client_id` of the client.
    pub audience: Vec<String>,
    /// The time of issue (`iat`).
    pub issued: Timestamp,
    /// The expiry (`exp`).
    pub expires: Option<Timestamp>,
    /// The identifier of the token (`jti`), by which a client detects a replay.
    pub id: String,
    /// The session that ended; `None` for all sessions of the user.
    pub sid: Option<String>,
}

/// The reason why claims are none of a logout token.
///
/// ```
/// use quadrille::{jose::Claims, oidc::{LogoutToken, LogoutTokenError}};
///
/// let error = LogoutToken::from_claims(Claims::parse(b"{}")?);
/// assert_eq!(error, Err(LogoutTokenError::Missing("iss")));
/// # Ok::<(), quadrille::jose::ClaimsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutTokenError {
    /// A required claim is missing or empty.
    #[error("the logout token has no {0}")]
    Missing(&'static str),
    /// A claim has another type than the specification gives it.
    #[error("the claim {0} of the logout token is malformed")]
    Malformed(&'static str),
    /// The token names neither a user nor a session.
    #[error("the logout token has neither sub nor sid")]
    Nobody,
    /// The token has no event of a logout: it is another token.
    #[error("the token is about no logout")]
    Event,
    /// The token has a `nonce`, so it is an ID token.
    #[error("the logout token has a nonce")]
    Nonce,
}

/// The event of a logout (section 2.4).
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

impl LogoutToken {
    /// The type of the JWT (section 2.4), which tells a logout token from an ID token.
    pub const TYPE: &'static str = "logout+jwt";

    /// The required claims. A token also needs [`subject`](Self::subject) or [`sid`](Self::sid).
    pub fn new(
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        id: impl Into<String>,
        issued: Timestamp,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            subject: None,
            audience: vec![client_id.into()],
            issued,
            expires: None,
            id: id.into(),
            sid: None,
        }
    }

    /// The claims of a JWT.
    pub fn to_claims(&self) -> Claims {
        let event = Map::from_iter([(EVENT.to_owned(), Value::Object(Map::new()))]);
        let mut extra = Map::from_iter([("events".to_owned(), Value::Object(event))]);
        extra.extend(self.sid.as_ref().map(|sid| ("sid".to_owned(), sid.as_str().into())));
        Claims {
            iss: Some(self.issuer.clone()),
            sub: self.subject.clone(),
            aud: self.audience.clone(),
            exp: self.expires,
            iat: Some(self.issued),
            jti: Some(self.id.clone()),
            extra,
            ..Claims::default()
        }
    }

    /// Reads the claims of a JWT (section 2.6, steps 4 to 6).
    ///
    /// # Errors
    /// [`LogoutTokenError`].
    pub fn from_claims(claims: Claims) -> Result<Self, LogoutTokenError> {
        let text = |text: Option<String>| text.filter(|text| !text.is_empty());
        let issuer = text(claims.iss).ok_or(LogoutTokenError::Missing("iss"))?;
        if claims.aud.is_empty() {
            return Err(LogoutTokenError::Missing("aud"));
        }
        let issued = claims.iat.ok_or(LogoutTokenError::Missing("iat"))?;
        let id = text(claims.jti).ok_or(LogoutTokenError::Missing("jti"))?;
        let sid = match claims.extra.get("sid") {
            None | Some(Value::Null) => None,
            Some(Value::String(sid)) if !sid.is_empty() => Some(sid.clone()),
            Some(_) => return Err(LogoutTokenError::Malformed("sid")),
        };
        let subject = text(claims.sub);
        if subject.is_none() && sid.is_none() {
            return Err(LogoutTokenError::Nobody);
        }
        let events = claims.extra.get("events").and_then(Value::as_object);
        if !events.and_then(|events| events.get(EVENT)).is_some_and(Value::is_object) {
            return Err(LogoutTokenError::Event);
        }
        if claims.extra.contains_key("nonce") {
            return Err(LogoutTokenError::Nonce);
        }
        let (audience, expires) = (claims.aud, claims.exp);
        Ok(Self { issuer, subject, audience, issued, expires, id, sid })
    }
}

/// Omits the user and the session.
impl fmt::Debug for LogoutToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogoutToken")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("issued", &self.issued)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_logout_token_says_why() {
        use LogoutTokenError::{Event, Malformed, Missing, Nobody, Nonce};
        let event = r#""events":{"http://schemas.openid.net/event/backchannel-logout":{}}"#;
        let all = format!(r#""iss":"https://a","aud":"web","iat":1,"jti":"b","sub":"1",{event}"#);
        let read = |json: &str| {
            LogoutToken::from_claims(Claims::parse(format!("{{{json}}}").as_bytes()).unwrap())
        };
        assert!(read(&all).is_ok());
        let without = |claim: &str| all.replace(&format!("{claim},"), "");
        for (json, error) in [
            (without(r#""iss":"https://a""#), Missing("iss")),
            (without(r#""aud":"web""#), Missing("aud")),
            (without(r#""iat":1"#), Missing("iat")),
            (without(r#""jti":"b""#), Missing("jti")),
            (without(r#""sub":"1""#), Nobody),
            (all.replace(&format!(",{event}"), ""), Event),
            (all.replace("backchannel-logout", "other"), Event),
            (all.replace(":{}", ":true"), Event),
            (format!(r#"{all},"nonce":"n""#), Nonce),
            (format!(r#"{all},"sid":7"#), Malformed("sid")),
        ] {
            assert_eq!(read(&json), Err(error), "{json}");
        }
        assert!(read(&format!(r#"{},"sid":"s""#, without(r#""sub":"1""#))).is_ok());
    }
}
