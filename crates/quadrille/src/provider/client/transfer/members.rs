//! The members of a line.

use serde_json::{Map, Value};

use super::error::LineError;

/// The members whose names on a line are those of RFC 7591, with their names in the record.
pub(super) const NAMES: [(&str, &str); 5] = [
    ("client_id", "id"),
    ("client_name", "name"),
    ("scope", "scopes"),
    ("default_scope", "default_scopes"),
    ("redirect_uri_patterns", "redirect_patterns"),
];

/// The members that an object in a line may have.
pub(super) struct Members {
    pub(super) names: &'static [&'static str],
    /// Those whose values are objects, or arrays of objects.
    objects: &'static [(&'static str, &'static Members)],
}

impl Members {
    const fn plain(names: &'static [&'static str]) -> Self {
        Self { names, objects: &[] }
    }
}

/// The members of a line. A test compares them with what an export writes.
pub(super) const LINE: Members = Members {
    names: &[
        "about",
        "access_token_format",
        "auth",
        "client_id",
        "client_name",
        "client_secret",
        "client_type",
        "created",
        "default_scope",
        "first_party",
        "grant_types",
        "lifetimes",
        "longest_use_before",
        "oauth1",
        "oauth1_secret",
        "openid",
        "redirect_uri_patterns",
        "redirect_uris",
        "registration",
        "requires_pkce",
        "resource_server",
        "scope",
        "secrets",
        "without_pkce",
        "without_rotation",
    ],
    objects: &[
        ("about", &ABOUT),
        ("auth", &AUTH),
        ("lifetimes", &LIFETIMES),
        ("oauth1", &OAUTH1),
        ("openid", &OPENID),
        ("registration", &REGISTRATION),
        ("secrets", &SECRET),
    ],
};

const ABOUT: Members =
    Members::plain(&["client_uri", "contacts", "logo_uri", "owner", "policy_uri", "tos_uri"]);

const AUTH: Members = Members {
    names: &["client_secret_basic", "client_secret_jwt", "client_secret_post", "private_key_jwt"],
    objects: &[
        ("client_secret_jwt", &Members::plain(&["alg"])),
        ("private_key_jwt", &Members { names: &["alg", "keys"], objects: &[("keys", &KEYS)] }),
    ],
};

const KEYS: Members = Members::plain(&["jwks", "jwks_uri"]);

const LIFETIMES: Members =
    Members::plain(&["access_token", "code", "refresh_token_idle", "refresh_token_total"]);

const OAUTH1: Members =
    Members { names: &["keys", "methods", "out_of_band"], objects: &[("keys", &OAUTH1_KEY)] };

const OAUTH1_KEY: Members =
    Members { names: &["credential", "expires"], objects: &[("credential", &CREDENTIAL)] };

const CREDENTIAL: Members =
    Members::plain(&["plain", "rsa_public_key", "shared_secret", "short_rsa_public_key"]);

const OPENID: Members = Members {
    names: &[
        "application_type",
        "backchannel_logout_session_required",
        "backchannel_logout_uri",
        "default_acr_values",
        "default_max_age",
        "frontchannel_logout_session_required",
        "frontchannel_logout_uri",
        "id_token_encrypted_response",
        "id_token_signed_response_alg",
        "initiate_login_uri",
        "keys",
        "post_logout_redirect_uris",
        "request_object_encryption",
        "request_object_signing_alg",
        "request_uris",
        "require_auth_time",
        "require_signed_request_object",
        "response_types",
        "sector_identifier_uri",
        "subject_type",
        "userinfo_encrypted_response",
        "userinfo_signed_response_alg",
    ],
    objects: &[
        ("id_token_encrypted_response", &ENCRYPTION),
        ("keys", &KEYS),
        ("request_object_encryption", &ENCRYPTION),
        ("userinfo_encrypted_response", &ENCRYPTION),
    ],
};

const ENCRYPTION: Members = Members::plain(&["alg", "enc"]);

const REGISTRATION: Members = Members::plain(&[
    "changed",
    "client_uri",
    "contacts",
    "from",
    "grant_type_ceiling",
    "initial_access_token",
    "logo_uri",
    "policy_uri",
    "previous_token",
    "scope_ceiling",
    "software_id",
    "software_statement",
    "software_version",
    "token",
    "tos_uri",
    "unused_until",
]);

const SECRET: Members = Members {
    names: &["created", "expires", "id", "verifier"],
    objects: &[(
        "verifier",
        &Members::plain(&["argon2id", "imported", "plain", "sealed", "sha256"]),
    )],
};

/// Lists that would say "all" if they are empty, in their objects.
const NEVER_EMPTY: [(&str, &str); 2] = [("oauth1", "methods"), ("openid", "response_types")];

/// Refuses members that nothing reads, at any depth, and lists that would be read as their contrary.
pub(super) fn check(line: &Map<String, Value>) -> Result<(), LineError> {
    known(line, &LINE, "")?;
    for (object, list) in NEVER_EMPTY {
        let found = line.get(object).and_then(|object| object.get(list)?.as_array());
        if found.is_some_and(Vec::is_empty) {
            return Err(LineError::Empty(list));
        }
    }
    Ok(())
}

fn known(object: &Map<String, Value>, members: &Members, place: &str) -> Result<(), LineError> {
    for (name, value) in object {
        if !members.names.contains(&name.as_str()) {
            let (name, place) = (name.clone(), place.to_owned());
            return Err(LineError::UnknownMember { name, place, known: members.names });
        }
        let inner = members.objects.iter().find(|(object, _)| *object == name.as_str());
        let Some((_, inner)) = inner else { continue };
        let place = if place.is_empty() { name.clone() } else { format!("{place}.{name}") };
        let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for object in all.iter().filter_map(Value::as_object) {
            known(object, inner, &place)?;
        }
    }
    Ok(())
}

/// The elements of an array; none of another value.
pub(super) fn array(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde::{
        Deserialize, Deserializer,
        de::{Error as _, Visitor, value::Error},
        forward_to_deserialize_any,
    };

    use super::*;
    use crate::provider::{
        client::{
            about::ClientAbout,
            dynamic::record::ClientRegistration,
            lifetimes::Lifetimes,
            oauth1::record::{Credential, Key, Registration},
            record::{Client, ClientSecret, SecretVerifier},
            registered_auth::{ClientKeys, RegisteredAuth},
        },
        openid::{client::ClientOpenId, messages::MessageEncryption},
    };

    /// Notes the names that a type asks for, and has none of them.
    struct Asked<'a>(&'a mut BTreeSet<&'static str>);

    impl<'de> Deserializer<'de> for Asked<'_> {
        type Error = Error;

        fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Error> {
            Err(Error::custom("no names"))
        }

        fn deserialize_struct<V: Visitor<'de>>(
            self,
            _: &'static str,
            fields: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Error> {
            self.0.extend(fields);
            self.deserialize_any(visitor)
        }

        fn deserialize_enum<V: Visitor<'de>>(
            self,
            _: &'static str,
            variants: &'static [&'static str],
            visitor: V,
        ) -> Result<V::Value, Error> {
            self.0.extend(variants);
            self.deserialize_any(visitor)
        }

        forward_to_deserialize_any! {
            bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf option unit
            unit_struct newtype_struct seq tuple tuple_struct map identifier ignored_any
        }
    }

    /// The names of a record, and those of lines alone.
    fn names<T: for<'de> Deserialize<'de>>(further: &[&'static str]) -> BTreeSet<&'static str> {
        let mut names = further.iter().copied().collect();
        assert!(T::deserialize(Asked(&mut names)).is_err());
        names
    }

    #[test]
    fn a_line_may_have_what_the_record_of_a_client_has() {
        let mut line = names::<Client>(&["client_secret", "oauth1_secret"]);
        // Each server has its own numbers, and a document is no line.
        assert!(line.remove("number") && line.remove("from_document"));
        for (member, field) in NAMES {
            assert!(line.remove(field) && line.insert(member), "{member}");
        }
        for (members, record) in [
            (&LINE, line),
            (&ABOUT, names::<ClientAbout>(&[])),
            (&AUTH, names::<RegisteredAuth>(&[])),
            (&KEYS, names::<ClientKeys>(&[])),
            (&LIFETIMES, names::<Lifetimes>(&[])),
            (&OAUTH1, names::<Registration>(&[])),
            (&OAUTH1_KEY, names::<Key>(&[])),
            (&CREDENTIAL, names::<Credential>(&["plain"])),
            (&OPENID, names::<ClientOpenId>(&[])),
            (&ENCRYPTION, names::<MessageEncryption>(&[])),
            (&REGISTRATION, names::<ClientRegistration>(&[])),
            (&SECRET, names::<ClientSecret>(&[])),
            (SECRET.objects[0].1, names::<SecretVerifier>(&["plain"])),
        ] {
            let known: BTreeSet<_> = members.names.iter().copied().collect();
            assert_eq!(known, record);
        }
    }

    #[test]
    fn a_mistyped_member_is_found_at_any_depth() {
        for (line, name, place) in [
            (r#"{"client_nam": "x"}"#, "client_nam", ""),
            (r#"{"lifetimes": {"acces_token": 3}}"#, "acces_token", "lifetimes"),
            (
                r#"{"auth": {"private_key_jwt": {"keys": {"jwk": ""}}}}"#,
                "jwk",
                "auth.private_key_jwt.keys",
            ),
            (r#"{"oauth1": {"keys": [], "metods": []}}"#, "metods", "oauth1"),
            (r#"{"oauth1": {"keys": [{"expired": 7}]}}"#, "expired", "oauth1.keys"),
            (r#"{"openid": {"keys": {"jwks_url": ""}}}"#, "jwks_url", "openid.keys"),
            (r#"{"secrets": [{}, {"verifier": {"bcrypt": ""}}]}"#, "bcrypt", "secrets.verifier"),
        ] {
            let object = serde_json::from_str(line).unwrap();
            let Err(LineError::UnknownMember { name: found, place: at, .. }) = check(&object)
            else {
                panic!("{line}");
            };
            assert_eq!((&*found, &*at), (name, place));
        }
        for (line, is_wrong) in [
            (r#"{"oauth1": {"keys": [], "methods": []}}"#, true),
            (r#"{"openid": {"response_types": []}}"#, true),
            (r#"{"oauth1": {"methods": ["HMAC-SHA256"]}, "openid": {"request_uris": []}}"#, false),
            (r#"{"auth": "client_secret_post", "registration": {"contacts": []}}"#, false),
        ] {
            assert_eq!(check(&serde_json::from_str(line).unwrap()).is_err(), is_wrong, "{line}");
        }
    }
}
