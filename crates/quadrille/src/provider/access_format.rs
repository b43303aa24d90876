//! The format of access tokens: for a server, an API or a client.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::oauth2::Resources;

/// The format of an access token (RFC 6749, section 1.4). Stores keep tokens of either format, so
/// revocation and introspection are the same for both.
///
/// ```
/// use quadrille::provider::AccessTokenFormat;
///
/// assert_eq!(AccessTokenFormat::default(), AccessTokenFormat::Opaque);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum AccessTokenFormat {
    /// A random text of 60 characters. An API asks this server what the token permits, so that a
    /// revoked token is invalid at once.
    #[default]
    Opaque,
    /// A JWT (RFC 9068), signed with one of the server's keys. An API can verify it by itself. It
    /// does not learn then that the token was revoked, so give such tokens a short lifetime.
    Jwt,
}

/// The formats that a server was set to.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessFormats {
    pub(crate) default: AccessTokenFormat,
    pub(crate) of_resources: BTreeMap<Arc<str>, AccessTokenFormat>,
}

impl AccessFormats {
    /// The format of a token: the client's own, if it has one. Otherwise that of an API in the
    /// audience; a JWT if they differ, because an API that verifies by itself reads nothing else.
    pub(crate) fn of(
        &self,
        client: Option<AccessTokenFormat>,
        audience: &Resources,
    ) -> AccessTokenFormat {
        let of_apis = audience.iter().filter_map(|uri| self.of_resources.get(uri).copied());
        let of_apis = of_apis.reduce(|one, other| match one {
            AccessTokenFormat::Jwt => one,
            AccessTokenFormat::Opaque => other,
        });
        client.or(of_apis).unwrap_or(self.default)
    }

    /// `true` if a token can be a JWT, whatever its client.
    pub(crate) fn has_jwt(&self) -> bool {
        let of_apis = self.of_resources.values();
        of_apis.chain([&self.default]).any(|format| *format == AccessTokenFormat::Jwt)
    }
}

#[cfg(test)]
mod tests {
    use super::{AccessTokenFormat::*, *};

    #[test]
    fn the_client_decides_before_the_api_and_the_api_before_the_server() {
        let formats = AccessFormats {
            default: Jwt,
            of_resources: [("urn:a".into(), Opaque), ("urn:b".into(), Jwt)].into(),
        };
        for (client, audience, expected) in [
            (None, "", Jwt),
            (None, "urn:c", Jwt),
            (None, "urn:a", Opaque),
            (None, "urn:a urn:b", Jwt),
            (None, "urn:b urn:a", Jwt),
            (None, "urn:a urn:c", Opaque),
            (Some(Opaque), "urn:b", Opaque),
            (Some(Jwt), "urn:a", Jwt),
        ] {
            let audience = Resources::parse(audience).unwrap();
            assert_eq!(formats.of(client, &audience), expected, "{client:?} {audience:?}");
        }
        assert_eq!(AccessFormats::default().of(None, &Resources::EMPTY), Opaque);
    }
}
