//! The claims of an ID token (OpenID Connect Core, sections 2, 3.1.3.6 and 3.3.2.11; OpenID
//! Connect Front-Channel Logout, section 3).

use std::{borrow::Cow, fmt};

use serde_json::{Map, Value};

use crate::{
    Timestamp,
    jose::{Claims, ClaimsError, REGISTERED, timestamp},
    json::{JsonObject, insert},
};

/// The claims of an ID token: who signed in at which issuer, when and how, for which client.
///
/// The provider signs [`to_json`](Self::to_json) with
/// [`Protected::plain`](crate::jose::Protected::plain); the client reads verified claims with
/// [`from_claims`](Self::from_claims). A value says nothing about its validity.
///
/// ```
/// use std::time::Duration;
/// use quadrille::{Timestamp, jose::Claims, oidc::IdToken};
///
/// let now = Timestamp::from_seconds(1_311_280_970);
/// let expires = now + Duration::from_secs(1000);
/// let mut token = IdToken::new("https://server.example.com", "24400320", "s6BhdRkqt3", now, expires);
/// token.nonce = Some("n-0S6_WzA2Mj".into());
/// token.auth_time = Some(Timestamp::from_seconds(1_311_280_969));
/// let json = token.to_json();
/// assert_eq!(
///     String::from_utf8(json.clone())?,
///     r#"{"iss":"https://server.example.com","sub":"24400320","aud":"s6BhdRkqt3","exp":1311281970,"iat":1311280970,"auth_time":1311280969,"nonce":"n-0S6_WzA2Mj"}"#,
/// );
/// assert_eq!(IdToken::from_claims(Claims::parse(&json)?)?, token);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct IdToken {
    /// The issuer (`iss`), compared exactly.
    pub issuer: String,
    /// The user at this issuer (`sub`), of at most 255 ASCII characters.
    pub subject: String,
    /// The audience (`aud`): the `client_id` of the client, perhaps with others.
    pub audience: Vec<String>,
    /// The expiry (`exp`).
    pub expires: Timestamp,
    /// The time of issue (`iat`).
    pub issued: Timestamp,
    /// The time of the user's authentication.
    pub auth_time: Option<Timestamp>,
    /// The `nonce` of the authorization request.
    pub nonce: Option<String>,
    /// The authentication context class.
    pub acr: Option<String>,
    /// The authentication methods (RFC 8176).
    pub amr: Vec<String>,
    /// The authorized party: the `client_id` of the client to which the token was issued.
    pub azp: Option<String>,
    /// The hash of the access token issued beside this token.
    pub at_hash: Option<String>,
    /// The hash of the code issued beside this token.
    pub c_hash: Option<String>,
    /// The hash of the `state` of the request (FAPI 1.0 Advanced, section 5.1).
    pub s_hash: Option<String>,
    /// The session of the user at the issuer (Front-Channel Logout, section 3).
    pub sid: Option<String>,
    /// All other claims, those about the user (section 5.1) among them. Those above are not written
    /// from here.
    pub extra: Map<String, Value>,
}

/// The reason why claims are none of an ID token.
///
/// ```
/// use quadrille::{jose::Claims, oidc::{IdToken, IdTokenError}};
///
/// let error = IdToken::from_claims(Claims::parse(b"{}")?);
/// assert_eq!(error, Err(IdTokenError::Missing("iss")));
/// # Ok::<(), quadrille::jose::ClaimsError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum IdTokenError {
    /// A required claim is missing or empty.
    #[error("the ID token has no {0}")]
    Missing(&'static str),
    /// A claim has another type than the specification gives it, or is too long.
    #[error("the claim {0} of the ID token is malformed")]
    Malformed(&'static str),
}

/// The claims with a field, beside those of every JWT.
const NAMED: [&str; 9] =
    ["auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "sid"];

impl IdToken {
    /// The length of the longest subject, in ASCII characters (section 2).
    pub const LONGEST_SUBJECT: usize = 255;

    /// The required claims.
    pub fn new(
        issuer: impl Into<String>,
        subject: impl Into<String>,
        client_id: impl Into<String>,
        issued: Timestamp,
        expires: Timestamp,
    ) -> Self {
        Self {
            issuer: issuer.into(),
            subject: subject.into(),
            audience: vec![client_id.into()],
            expires,
            issued,
            auth_time: None,
            nonce: None,
            acr: None,
            amr: Vec::new(),
            azp: None,
            at_hash: None,
            c_hash: None,
            s_hash: None,
            sid: None,
            extra: Map::new(),
        }
    }

    /// Whether a text can be a subject: not empty, at most 255 characters, all of them printable ASCII
    /// or spaces.
    pub fn is_subject(text: &str) -> bool {
        let is_shown = |byte| matches!(byte, b' '..=b'~');
        !text.is_empty() && text.len() <= Self::LONGEST_SUBJECT && text.bytes().all(is_shown)
    }

    /// The claims as JSON, the payload of the token.
    pub fn to_json(&self) -> Vec<u8> {
        let mut object = JsonObject::with_capacity(512);
        object.string("iss", &self.issuer);
        object.string("sub", &self.subject);
        object.strings("aud", &self.audience);
        object.number("exp", self.expires.seconds());
        object.number("iat", self.issued.seconds());
        if let Some(auth_time) = self.auth_time {
            object.number("auth_time", auth_time.seconds());
        }
        if !self.amr.is_empty() {
            object.list("amr", &self.amr);
        }
        for (name, text) in [
            ("nonce", &self.nonce),
            ("acr", &self.acr),
            ("azp", &self.azp),
            ("at_hash", &self.at_hash),
            ("c_hash", &self.c_hash),
            ("s_hash", &self.s_hash),
            ("sid", &self.sid),
        ] {
            if let Some(text) = text {
                object.string(name, text);
            }
        }
        for (name, value) in &self.extra {
            if !REGISTERED.contains(&name.as_str()) && !NAMED.contains(&name.as_str()) {
                object.value(name, value);
            }
        }
        object.finish()
    }

    /// Reads the claims of a JWT. A claim that is `null` counts as omitted, and one method in `amr`
    /// may stand without its list. Claims of JWTs that ID tokens have no use for, `nbf` and `jti`,
    /// are dropped: a [`ClaimsPolicy`](crate::jose::ClaimsPolicy) has looked at them before.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub fn from_claims(mut claims: Claims) -> Result<Self, IdTokenError> {
        let mut own = OwnClaims::default();
        for (name, value) in std::mem::take(&mut claims.extra) {
            own.take(name.into(), value);
        }
        Self::of(claims, own)
    }

    /// The ID token of these claims: those of every JWT, and its own.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub(super) fn of(claims: Claims, own: OwnClaims) -> Result<Self, IdTokenError> {
        let [auth_time, nonce, acr, amr, azp, at_hash, c_hash, s_hash, sid] = own.named;
        let auth_time = auth_time.filter(|time| !time.is_null());
        let auth_time = auth_time.map(|time| timestamp("auth_time", &time)).transpose();
        let auth_time = auth_time.map_err(|_| IdTokenError::Malformed("auth_time"))?;
        let issuer = required("iss", claims.iss)?;
        let subject = required("sub", claims.sub)?;
        if !Self::is_subject(&subject) {
            return Err(IdTokenError::Malformed("sub"));
        }
        if claims.aud.is_empty() {
            return Err(IdTokenError::Missing("aud"));
        }
        let mut extra = own.others;
        extra.retain(|_, value| !value.is_null());
        Ok(Self {
            issuer,
            subject,
            audience: claims.aud,
            issued: claims.iat.ok_or(IdTokenError::Missing("iat"))?,
            expires: claims.exp.ok_or(IdTokenError::Missing("exp"))?,
            auth_time,
            nonce: text("nonce", nonce)?,
            acr: text("acr", acr)?,
            amr: methods(amr)?,
            azp: text("azp", azp)?,
            at_hash: text("at_hash", at_hash)?,
            c_hash: text("c_hash", c_hash)?,
            s_hash: text("s_hash", s_hash)?,
            sid: text("sid", sid)?,
            extra,
        })
    }
}

/// The claims beside those of every JWT, of any type.
#[derive(Default)]
pub(super) struct OwnClaims {
    /// In the order of [`NAMED`].
    named: [Option<Value>; NAMED.len()],
    others: Map<String, Value>,
}

impl OwnClaims {
    /// Reads the payload of a JWT, for a verifier that looks at the claims of every JWT first. The others
    /// come here without a map between.
    ///
    /// # Errors
    /// Those of [`Claims::parse`].
    pub(super) fn read(&mut self, payload: &[u8]) -> Result<Claims, ClaimsError> {
        Claims::read(payload, |name, value| self.take(name, value))
    }

    /// Adds a claim, and returns whether it is new.
    fn take(&mut self, name: Cow<'_, str>, value: Value) -> bool {
        match NAMED.iter().zip(&mut self.named).find(|(known, _)| **known == name) {
            Some((_, place)) => place.replace(value).is_none(),
            None => insert(&mut self.others, name, value),
        }
    }

    /// A claim, if it is a text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        let value = match NAMED.iter().zip(&self.named).find(|(known, _)| **known == name) {
            Some((_, place)) => place.as_ref(),
            None => self.others.get(name),
        };
        value.and_then(Value::as_str)
    }
}

/// Omits the user's identity and further claims.
impl fmt::Debug for IdToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdToken")
            .field("issuer", &self.issuer)
            .field("audience", &self.audience)
            .field("issued", &self.issued)
            .field("expires", &self.expires)
            .field("acr", &self.acr)
            .field("amr", &self.amr)
            .finish_non_exhaustive()
    }
}

fn required(name: &'static str, value: Option<String>) -> Result<String, IdTokenError> {
    value.filter(|text| !text.is_empty()).ok_or(IdTokenError::Missing(name))
}

/// The methods of `amr`.
fn methods(value: Option<Value>) -> Result<Vec<String>, IdTokenError> {
    let one = |value| match value {
        Value::String(text) => Ok(text),
        _ => Err(IdTokenError::Malformed("amr")),
    };
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(several)) => several.into_iter().map(one).collect(),
        Some(value) => one(value).map(|one| vec![one]),
    }
}

fn text(name: &'static str, value: Option<Value>) -> Result<Option<String>, IdTokenError> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(IdTokenError::Malformed(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(json: &str) -> Result<IdToken, IdTokenError> {
        IdToken::from_claims(Claims::parse(json.as_bytes()).unwrap())
    }

    #[test]
    fn every_claim_is_read_as_it_was_written() {
        // OpenID Connect Core, section 2, and the hashes of section 3.3.2.11.
        let (now, later) =
            (Timestamp::from_seconds(1_311_280_970), Timestamp::from_seconds(1_311_281_970));
        let mut token =
            IdToken::new("https://server.example.com", "24400320", "s6BhdRkqt3", now, later);
        token.audience.push("another".into());
        token.auth_time = Some(now);
        token.nonce = Some("n-0S6_WzA2Mj".into());
        token.acr = Some("urn:mace:incommon:iap:silver".into());
        token.amr = vec!["pwd".into(), "otp".into()];
        token.azp = Some("s6BhdRkqt3".into());
        token.at_hash = Some("77QmUPtjPfzWtF2AnpK9RQ".into());
        token.c_hash = Some("LDktKdoQak3Pk0cnXxCltA".into());
        token.s_hash = Some("x".into());
        token.sid = Some("08a5019c".into());
        token.extra.insert("email".into(), "ada@example.com".into());
        let json = token.to_json();
        assert_eq!(read(std::str::from_utf8(&json).unwrap()), Ok(token));
    }

    #[test]
    fn a_claim_of_the_issuer_is_never_written_from_the_claims_of_a_user() {
        let now = Timestamp::from_seconds(1_311_280_970);
        let mut token = IdToken::new("https://server.example.com", "24400320", "web", now, now);
        for name in NAMED.iter().chain(&["iss", "sub", "aud", "exp", "iat"]) {
            token.extra.insert((*name).to_owned(), "forged".into());
        }
        let json = String::from_utf8(token.to_json()).unwrap();
        assert!(!json.contains("forged"), "{json}");
    }

    #[test]
    fn required_claims_are_required_and_types_are_checked() {
        use IdTokenError::{Malformed, Missing};
        let all = r#""iss":"https://a","sub":"1","aud":"web","exp":2,"iat":1"#;
        assert!(read(&format!("{{{all}}}")).is_ok());
        for missing in ["iss", "sub", "aud", "exp", "iat"] {
            let others = all.split(',').filter(|claim| !claim.contains(&format!("\"{missing}\"")));
            let json = format!("{{{}}}", others.collect::<Vec<_>>().join(","));
            assert_eq!(read(&json), Err(Missing(missing)), "{json}");
        }
        for (claim, error) in [
            (r#""nonce":7"#, Malformed("nonce")),
            (r#""auth_time":"soon""#, Malformed("auth_time")),
            (r#""amr":[1]"#, Malformed("amr")),
            (r#""amr":true"#, Malformed("amr")),
            (r#""azp":["web"]"#, Malformed("azp")),
            (r#""at_hash":{}"#, Malformed("at_hash")),
        ] {
            assert_eq!(read(&format!("{{{all},{claim}}}")), Err(error), "{claim}");
        }
        let long = "1".repeat(256);
        for subject in [long.as_str(), "\u{e9}"] {
            let json = all.replace("\"1\"", &format!("\"{subject}\""));
            assert_eq!(read(&format!("{{{json}}}")), Err(Malformed("sub")));
        }
        assert!(IdToken::is_subject(&"1".repeat(255)) && !IdToken::is_subject(""));
        assert!(IdToken::is_subject("a b~") && !IdToken::is_subject("a\0"));
    }

    #[test]
    fn a_claim_that_is_null_counts_as_omitted() {
        let json = r#"{"iss":"https://a","sub":"1","aud":["web"],"exp":2,"iat":1,"nonce":null,"auth_time":null,"amr":"pwd","name":null}"#;
        let token = read(json).unwrap();
        assert_eq!((token.nonce, token.auth_time), (None, None));
        assert_eq!(token.amr, ["pwd"]);
        assert!(token.extra.is_empty());
    }

    #[test]
    fn the_user_does_not_show_in_debug_output() {
        let now = Timestamp::from_seconds(1);
        let mut token = IdToken::new("https://a", "canary", "web", now, now);
        token.nonce = Some("canary".into());
        token.extra.insert("email".into(), "canary".into());
        assert!(!format!("{token:?}").contains("canary"));
    }
}
