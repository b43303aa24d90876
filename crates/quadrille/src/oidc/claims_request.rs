//! The parameter `claims` of an authorization request (OpenID Connect Core, section 5.5).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::json::read_object;

/// The claims that a client requests one by one, beside those of its scopes (OpenID Connect Core,
/// section 5.5). The names may have a language: `name#ja` (section 5.2).
///
/// ```
/// use quadrille::oidc::{ClaimRequest, ClaimsRequest};
///
/// let json = r#"{"userinfo":{"email":{"essential":true},"nickname":null},
///     "id_token":{"acr":{"values":["urn:mace:incommon:iap:silver"]}}}"#;
/// let claims = ClaimsRequest::parse(json)?;
/// assert!(claims.userinfo["email"].essential);
/// assert_eq!(claims.userinfo["nickname"], ClaimRequest::default());
/// assert!(claims.id_token["acr"].accepts(&"urn:mace:incommon:iap:silver".into()));
/// assert_eq!(ClaimsRequest::parse(&claims.to_json())?, claims);
/// # Ok::<(), quadrille::oidc::ClaimsRequestError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClaimsRequest {
    /// The claims for the response of the userinfo endpoint.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub userinfo: BTreeMap<String, ClaimRequest>,
    /// The claims for the ID token.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub id_token: BTreeMap<String, ClaimRequest>,
}

/// The request of one claim (OpenID Connect Core, section 5.5.1). The default is a voluntary claim
/// with any value, `null` on the wire.
///
/// ```
/// use quadrille::oidc::ClaimRequest;
///
/// let mut subject = ClaimRequest::default();
/// subject.values = vec!["248289761001".into()];
/// assert!(subject.accepts(&"248289761001".into()));
/// assert!(!subject.accepts(&"somebody else".into()));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClaimRequest {
    /// `true` if the client cannot do without the claim (`essential`).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub essential: bool,
    /// The values that the client accepts, the best one first (`value`, `values`); empty for any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<Value>,
}

/// The reason why the parameter `claims` is invalid.
///
/// ```
/// use quadrille::oidc::{ClaimsRequest, ClaimsRequestError};
///
/// let error = ClaimsRequest::parse(r#"{"userinfo":{"email":true}}"#);
/// assert_eq!(error, Err(ClaimsRequestError::Claim));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum ClaimsRequestError {
    /// The parameter is no JSON object, or a member is repeated.
    #[error("claims is no JSON object")]
    NotJson,
    /// `userinfo` or `id_token` is no object.
    #[error("userinfo and id_token in claims are objects")]
    Target,
    /// The request of a claim is neither null nor an object with `essential`, `value` and `values`
    /// of the right types.
    #[error("the request of a claim is null or an object")]
    Claim,
    /// There are more than [`ClaimsRequest::MOST_CLAIMS`] claims, or as many values of a claim.
    #[error("claims has too many members")]
    TooMany,
}

impl ClaimsRequest {
    /// The greatest number of claims for each of the two, and of values for a claim.
    pub const MOST_CLAIMS: usize = 64;

    /// Reads the parameter. Unknown members are ignored; no member may be repeated.
    ///
    /// # Errors
    /// [`ClaimsRequestError`].
    pub fn parse(json: &str) -> Result<Self, ClaimsRequestError> {
        let members = read_object(json.as_bytes()).map_err(|_| ClaimsRequestError::NotJson)?;
        Self::from_members(members)
    }

    /// Reads the members of the parameter, which are those of the claim in a request object.
    ///
    /// # Errors
    /// [`ClaimsRequestError`].
    pub fn from_members(mut members: Map<String, Value>) -> Result<Self, ClaimsRequestError> {
        let mut target = |name| match members.remove(name) {
            None | Some(Value::Null) => Ok(BTreeMap::new()),
            Some(Value::Object(claims)) if claims.len() > Self::MOST_CLAIMS => {
                Err(ClaimsRequestError::TooMany)
            }
            Some(Value::Object(claims)) => {
                claims.into_iter().map(|(name, it)| Ok((name, ClaimRequest::read(it)?))).collect()
            }
            Some(_) => Err(ClaimsRequestError::Target),
        };
        Ok(Self { userinfo: target("userinfo")?, id_token: target("id_token")? })
    }

    /// `true` if no claim is requested.
    pub fn is_empty(&self) -> bool {
        self.userinfo.is_empty() && self.id_token.is_empty()
    }

    /// The value of the parameter.
    pub fn to_json(&self) -> String {
        let mut members = Map::new();
        for (name, claims) in [("userinfo", &self.userinfo), ("id_token", &self.id_token)] {
            if !claims.is_empty() {
                let claims = claims.iter().map(|(name, it)| (name.clone(), it.to_json()));
                members.insert(name.to_owned(), Value::Object(claims.collect()));
            }
        }
        Value::Object(members).to_string()
    }
}

impl ClaimRequest {
    /// A claim that the client cannot do without.
    pub const fn essential() -> Self {
        Self { essential: true, values: Vec::new() }
    }

    /// Whether a value is one that the client accepts.
    pub fn accepts(&self, value: &Value) -> bool {
        self.values.is_empty() || self.values.contains(value)
    }

    fn read(value: Value) -> Result<Self, ClaimsRequestError> {
        let mut members = match value {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            _ => return Err(ClaimsRequestError::Claim),
        };
        let essential = match members.remove("essential") {
            None => false,
            Some(Value::Bool(essential)) => essential,
            Some(_) => return Err(ClaimsRequestError::Claim),
        };
        let mut values: Vec<_> = members.remove("value").into_iter().collect();
        match members.remove("values") {
            None => {}
            // None of no values could be returned.
            Some(Value::Array(several)) if !several.is_empty() => values.extend(several),
            Some(_) => return Err(ClaimsRequestError::Claim),
        }
        match values.len() > ClaimsRequest::MOST_CLAIMS {
            true => Err(ClaimsRequestError::TooMany),
            false => Ok(Self { essential, values }),
        }
    }

    fn to_json(&self) -> Value {
        let mut members = Map::new();
        if self.essential {
            members.insert("essential".to_owned(), true.into());
        }
        match &*self.values {
            [] => {}
            [one] => drop(members.insert("value".to_owned(), one.clone())),
            several => drop(members.insert("values".to_owned(), several.into())),
        }
        match members.is_empty() {
            true => Value::Null,
            false => Value::Object(members),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_specification_is_read() {
        // OpenID Connect Core, section 5.5.
        let json = r#"{
            "userinfo": {
                "given_name": {"essential": true},
                "nickname": null,
                "email": {"essential": true},
                "email_verified": {"essential": true},
                "picture": null,
                "http://example.info/claims/groups": null
            },
            "id_token": {
                "auth_time": {"essential": true},
                "acr": {"values": ["urn:mace:incommon:iap:silver"]}
            }
        }"#;
        let claims = ClaimsRequest::parse(json).unwrap();
        assert_eq!(claims.userinfo.len(), 6);
        assert!(claims.userinfo["given_name"].essential);
        assert!(!claims.userinfo["http://example.info/claims/groups"].essential);
        assert_eq!(claims.id_token["auth_time"], ClaimRequest::essential());
        assert_eq!(claims.id_token["acr"].values, ["urn:mace:incommon:iap:silver"]);
        assert_eq!(ClaimsRequest::parse(&claims.to_json()), Ok(claims));
    }

    #[test]
    fn members_that_are_not_understood_are_ignored() {
        // Section 5.5: "Other members MAY be present. Any members used that are not understood MUST
        // be ignored"; the same in section 5.5.1.
        let json = r#"{"somewhere":7,"userinfo":{"name#ja":{"essential":false,"purpose":"x"}}}"#;
        let claims = ClaimsRequest::parse(json).unwrap();
        assert_eq!(claims.userinfo["name#ja"], ClaimRequest::default());
        assert!(claims.id_token.is_empty() && !claims.is_empty());
        assert!(ClaimsRequest::parse("{}").unwrap().is_empty());
        assert_eq!(ClaimsRequest::default().to_json(), "{}");
    }

    #[test]
    fn a_malformed_request_is_rejected() {
        use ClaimsRequestError as E;
        let many = |count: usize| (0..count).map(|n| format!("\"c{n}\":null")).collect::<Vec<_>>();
        let crowd = format!("{{\"userinfo\":{{{}}}}}", many(65).join(","));
        for (json, error) in [
            ("", E::NotJson),
            ("[]", E::NotJson),
            ("null", E::NotJson),
            (r#"{"userinfo":{}} x"#, E::NotJson),
            (r#"{"userinfo":{},"userinfo":{}}"#, E::NotJson),
            (r#"{"userinfo":{"a":{"essential":true,"essential":false}}}"#, E::NotJson),
            (r#"{"userinfo":[]}"#, E::Target),
            (r#"{"id_token":"acr"}"#, E::Target),
            (r#"{"id_token":{"acr":"1"}}"#, E::Claim),
            (r#"{"id_token":{"acr":{"essential":"yes"}}}"#, E::Claim),
            (r#"{"id_token":{"acr":{"values":"1"}}}"#, E::Claim),
            (r#"{"id_token":{"acr":{"values":[]}}}"#, E::Claim),
            (&crowd, E::TooMany),
        ] {
            assert_eq!(ClaimsRequest::parse(json), Err(error), "{json}");
        }
    }

    #[test]
    fn one_value_and_several_are_read_alike() {
        let json = r#"{"id_token":{"sub":{"value":"a"},"acr":{"values":["1",2]}}}"#;
        let claims = ClaimsRequest::parse(json).unwrap();
        assert_eq!(claims.id_token["sub"].values, ["a"]);
        assert!(claims.id_token["acr"].accepts(&2.into()));
        assert!(!claims.id_token["acr"].accepts(&"2".into()));
        let read: Value = serde_json::from_str(&claims.to_json()).unwrap();
        assert_eq!(read, serde_json::from_str::<Value>(json).unwrap());
    }
}
