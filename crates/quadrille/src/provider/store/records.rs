//! The records of a store.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::{
    Binding, Scopes, Timestamp,
    actor::{Act, Actor, Authentication},
    oauth2::Resources,
    provider::openid::details::OpenIdDetails,
};

use super::ids::{RowId, SecretHash};

/// A grant of a user to a client, or of a client to itself. Its number is drawn at the approval and
/// travels in the code, so it can be revoked before any token exists.
///
/// ```
/// use quadrille::{Actor, Scopes, oauth2::Resources, provider::store::{Grant, RowId}};
///
/// let grant = Grant {
///     id: RowId(42),
///     client: "app".into(),
///     actor: Actor::User("4711".into()),
///     scopes: Scopes::parse("photos")?,
///     resources: Resources::EMPTY,
///     authentication: None,
///     details: None,
/// };
/// assert!(grant.scopes.contains("photos"));
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The number of the grant.
    pub id: RowId,
    /// The `client_id`.
    pub client: Arc<str>,
    /// The actor: a user through the client, or the client itself.
    pub actor: Actor,
    /// The granted scopes.
    pub scopes: Scopes,
    /// The granted APIs (RFC 8707); empty for the server's own.
    pub resources: Resources,
    /// The user's authentication; `None` for client credentials.
    pub authentication: Option<Arc<Authentication>>,
    /// The name and the data that the application gave the grant.
    pub details: Option<Arc<GrantDetails>>,
}

/// The name and the data that the application gave a grant, which the protocol does not know, and
/// the part of the grant that OpenID Connect adds.
///
/// ```
/// use quadrille::provider::store::Grant;
///
/// fn album(grant: &Grant) -> Option<&str> {
///     grant.details.as_ref()?.data.get("album")?.as_str()
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GrantDetails {
    /// The name by which the user knows the grant: that of a personal access token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Arc<str>>,
    /// The application's own data, such as the album that the user chose: members of introspection
    /// responses.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
    /// The part of OpenID Connect; `None` if the grant has no tokens that need one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub openid: Option<Box<OpenIdDetails>>,
}

impl Grant {
    /// The application's own data, if there is any.
    pub fn data(&self) -> Option<&Map<String, Value>> {
        self.details.as_ref().map(|details| &details.data).filter(|data| !data.is_empty())
    }

    /// The part that OpenID Connect adds, if there is one.
    pub(crate) fn openid(&self) -> Option<&OpenIdDetails> {
        self.details.as_ref()?.openid.as_deref()
    }

    /// The grant of the tokens that a code with this grant buys: a nonce is for one ID token alone.
    pub(crate) fn of_tokens(mut self) -> Self {
        if let Some(details) = &self.details
            && details.openid.as_ref().is_some_and(|openid| openid.nonce.is_some())
        {
            let GrantDetails { name, data, openid } = (**details).clone();
            let openid = openid.map(|openid| openid.without_nonce());
            self.details = GrantDetails { name, data, openid: None }.and_openid(openid);
        }
        self
    }
}

impl GrantDetails {
    /// The details of a grant with this data; `None` if there is none.
    pub(crate) fn with(data: Map<String, Value>) -> Option<Arc<Self>> {
        Self::of(data).if_any()
    }

    /// Details with this data.
    pub(crate) fn of(data: Map<String, Value>) -> Self {
        Self { data, ..Self::default() }
    }

    /// These details with the part of OpenID Connect; `None` if there are none.
    pub(crate) fn and_openid(mut self, openid: Option<OpenIdDetails>) -> Option<Arc<Self>> {
        self.openid = openid.filter(|openid| !openid.is_empty()).map(Box::new);
        self.if_any()
    }

    fn if_any(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }
}

/// A grant of a user that has tokens, as [`Grants::grants`](super::Grants::grants) lists it.
///
/// ```
/// use quadrille::{Timestamp, provider::store::LiveGrant};
///
/// fn is_unused_since(listed: &LiveGrant, since: Timestamp) -> bool {
///     listed.refreshed.unwrap_or(listed.grant.id.time()) < since
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveGrant {
    /// The grant, whose number has the time of the approval ([`RowId::time`]).
    pub grant: Grant,
    /// The time of the last refresh; `None` if there was none.
    pub refreshed: Option<Timestamp>,
    /// The expiry of the last of its tokens.
    pub expires: Timestamp,
}

/// An authorization code (RFC 6749, section 4.1.2).
///
/// ```
/// use quadrille::{Timestamp, provider::store::CodeRecord};
///
/// fn is_valid(code: &CodeRecord, now: Timestamp) -> bool {
///     !code.redeemed && now < code.expires
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRecord {
    /// The number of the row.
    pub row: RowId,
    /// The hash of the code's secret.
    pub hash: SecretHash,
    /// The grant that the code buys.
    pub grant: Grant,
    /// The `redirect_uri` of the authorization request; `None` if it had none.
    pub redirect_uri: Option<Arc<str>>,
    /// The `code_challenge` (S256); `None` without PKCE.
    pub challenge: Option<Arc<str>>,
    /// The expiry of the code.
    pub expires: Timestamp,
    /// `true` if the code was redeemed.
    pub redeemed: bool,
}

/// An access token (RFC 6749, section 1.4).
///
/// ```
/// use quadrille::{Timestamp, provider::store::AccessRecord};
///
/// fn is_valid(token: &AccessRecord, now: Timestamp) -> bool {
///     now < token.expires
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessRecord {
    /// The number of the row.
    pub row: RowId,
    /// The hash of the token's secret.
    pub hash: SecretHash,
    /// The grant. Scopes and resources are the token's own, perhaps fewer than the grant's; the
    /// resources are its audience.
    pub grant: Grant,
    /// The expiry of the token.
    pub expires: Timestamp,
    /// The key to which the token is bound (RFC 9449, RFC 8705); `None` for a bearer token.
    pub binding: Option<Binding>,
    /// The exchange that the token comes from (RFC 8693); `None` for all others.
    pub exchange: Option<Arc<Exchange>>,
}

/// The exchange that an access token comes from (RFC 8693). Stores keep it as JSON.
///
/// ```
/// use quadrille::{Act, provider::store::Exchange};
///
/// let exchange = Exchange { subject: None, act: Some(Act::new("mailer")) };
/// assert_eq!(exchange.depth(), 1);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Exchange {
    /// The subject token, if it is one of this server: the access token is valid while it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<SubjectToken>,
    /// The current actor, with those before it (section 4.1); `None` after an impersonation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Act>,
}

impl Exchange {
    /// The number of actors in `act`.
    pub fn depth(&self) -> usize {
        self.act.as_ref().map_or(0, Act::depth)
    }
}

/// A token of this server that was exchanged.
///
/// ```
/// use quadrille::provider::store::{RowId, SubjectToken};
///
/// let token = SubjectToken::Access { row: RowId(42), hash: [7; 32] };
/// assert_ne!(token, SubjectToken::Refresh { family: RowId(42) });
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubjectToken {
    /// An access token.
    Access {
        /// The number of its row.
        row: RowId,
        /// The hash that the row must hold.
        #[serde(with = "hash")]
        hash: SecretHash,
    },
    /// An imported access token, found by its hash.
    Foreign {
        /// The hash of the whole token.
        #[serde(with = "hash")]
        hash: SecretHash,
    },
    /// A refresh token of this family.
    Refresh {
        /// The number of the family's row.
        family: RowId,
    },
}

/// Hashes in base64url.
pub(super) mod hash {
    use std::borrow::Cow;

    use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    use super::SecretHash;

    pub(in super::super) fn serialize<S: Serializer>(
        hash: &SecretHash,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&BASE64_URL_SAFE_NO_PAD.encode(hash))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<SecretHash, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text.as_bytes()).ok();
        let hash = bytes.and_then(|bytes| SecretHash::try_from(bytes).ok());
        hash.ok_or_else(|| D::Error::custom("a hash of 32 bytes"))
    }
}

/// A refresh token and its successors (RFC 6749, section 6): one row, however often it rotates.
///
/// ```
/// use quadrille::{Timestamp, provider::store::FamilyRecord};
///
/// fn is_valid(family: &FamilyRecord, now: Timestamp) -> bool {
///     now < family.expires.min(family.ends)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyRecord {
    /// The number of the row.
    pub row: RowId,
    /// The grant behind the family.
    pub grant: Grant,
    /// The number of rotations so far.
    pub generation: u32,
    /// The hash of the secret of this generation.
    pub current: SecretHash,
    /// The hash of the secret of the previous generation.
    pub previous: Option<SecretHash>,
    /// The time of the last rotation.
    pub rotated: Timestamp,
    /// The expiry if the token lies unused; moves at each rotation.
    pub expires: Timestamp,
    /// The expiry in any case.
    pub ends: Timestamp,
}

impl LiveGrant {
    /// The time of the last refresh, of refresh tokens in this row: `None` if they were not rotated
    /// since.
    ///
    /// ```
    /// use quadrille::{Timestamp, provider::store::{LiveGrant, RowId}};
    ///
    /// let rotated = Timestamp::from_seconds(1_800_000_000);
    /// assert_eq!(LiveGrant::refreshed(RowId::last_at(rotated), rotated), None);
    /// ```
    pub fn refreshed(family: RowId, rotated: Timestamp) -> Option<Timestamp> {
        (rotated > family.time()).then_some(rotated)
    }
}

/// The tokens of a token response, to be stored.
///
/// ```
/// use quadrille::provider::store::{AccessRecord, Issue};
///
/// fn without_refresh_token(access: AccessRecord) -> Issue {
///     Issue { access, family: None }
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Issue {
    /// The access token.
    pub access: AccessRecord,
    /// The first refresh token of a new family, if one is issued.
    pub family: Option<FamilyRecord>,
}

/// The consent of a user to a client at certain APIs, remembered so as not to ask again. Another
/// set of APIs has another consent: a scope may mean something else there.
///
/// ```
/// use quadrille::{Scopes, Timestamp, oauth2::Resources, provider::store::Consent};
///
/// let consent = Consent {
///     subject: "4711".into(),
///     client: "app".into(),
///     resources: Resources::EMPTY,
///     scopes: Scopes::parse("photos")?,
///     given: Timestamp::from_seconds(1_800_000_000),
///     data: serde_json::Map::new(),
/// };
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Consent {
    /// The user's subject.
    pub subject: Arc<str>,
    /// The `client_id`.
    pub client: Arc<str>,
    /// The APIs (RFC 8707); empty for the server's own.
    pub resources: Resources,
    /// All scopes consented to so far; in an [`Answer`](super::Answer), those of this answer.
    pub scopes: Scopes,
    /// The time of the latest consent.
    pub given: Timestamp,
    /// The application's own data of the latest consent that had any: that of later grants.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub data: Map<String, Value>,
}

impl Consent {
    /// Merges this consent with the one remembered `before`, given the scopes `asked` on the page:
    /// an unticked scope is forgotten, and asked for again; the data remains unless this consent
    /// has its own. A store reads `before` and writes the result at once, so of two pages answered
    /// together neither is lost.
    ///
    /// ```
    /// use quadrille::{Scopes, Timestamp, oauth2::Resources, provider::store::Consent};
    ///
    /// let (subject, client, given) = ("ada".into(), "app".into(), Timestamp::default());
    /// let (scopes, resources) = (Scopes::parse("b")?, Resources::EMPTY);
    /// let data = serde_json::Map::new();
    /// let consent = Consent { subject, client, resources, scopes, given, data };
    /// let before = Consent { scopes: Scopes::parse("a c")?, ..consent.clone() };
    /// let consent = consent.following(Some(&before), &Scopes::parse("b c")?);
    /// assert_eq!(consent.scopes.as_str(), "a b");
    /// # Ok::<(), quadrille::scope::InvalidScope>(())
    /// ```
    #[must_use]
    pub fn following(mut self, before: Option<&Self>, asked: &Scopes) -> Self {
        let Some(before) = before else { return self };
        let kept = before.scopes.iter().filter(|name| !asked.contains(name));
        self.scopes = kept.chain(self.scopes.iter()).collect();
        if self.data.is_empty() {
            self.data.clone_from(&before.data);
        }
        self
    }
}
