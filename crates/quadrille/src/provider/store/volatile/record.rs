//! Records as values of a cache: JSON, sealed for their key.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::{Env, KeyRing, Timestamp};

use super::{VolatileFound, VolatileKey};
use crate::provider::store::{
    CodeRecord, GrantColumns, Identifier, PendingKind, PendingRecord, PendingState, RowId,
    SecretHash, StoreError, read_resources, read_scopes, records::hash,
};

const PURPOSE: &str = "volatile record";

/// The seal of values: who can write to the cache alone makes no code and approves nothing.
pub(super) struct Seal {
    pub(super) env: Env,
    pub(super) ring: KeyRing,
}

impl Seal {
    pub(super) fn close(
        &self,
        key: &VolatileKey,
        record: &impl Serialize,
    ) -> Result<Vec<u8>, StoreError> {
        let plain = serde_json::to_vec(record);
        let plain = plain.map_err(|_| StoreError::Corrupt("a record for the cache"))?;
        Ok(self.ring.seal_bytes(&self.env, PURPOSE, key.as_str(), &plain))
    }

    /// A value that does not open counts as lost: an earlier key ring sealed it, or a stranger wrote
    /// it.
    pub(super) fn open<T: DeserializeOwned>(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
    ) -> Option<T> {
        let plain = self.ring.open_bytes(PURPOSE, key.as_str(), &found.value).ok();
        let record = plain.and_then(|plain| serde_json::from_slice(&plain).ok());
        if record.is_none() {
            tracing::warn!(key = key.as_str(), "a record of the cache does not open");
        }
        record
    }
}

/// A code.
#[derive(Serialize, Deserialize)]
pub(super) struct Code {
    row: i64,
    #[serde(with = "hash")]
    hash: SecretHash,
    grant: Grant,
    redirect_uri: Option<Arc<str>>,
    challenge: Option<Arc<str>>,
    expires: i64,
    redeemed: bool,
}

impl Code {
    pub(super) fn of(code: &CodeRecord) -> Result<Self, StoreError> {
        Ok(Self {
            row: code.row.0,
            hash: code.hash,
            grant: Grant::of(&code.grant)?,
            redirect_uri: code.redirect_uri.clone(),
            challenge: code.challenge.clone(),
            expires: code.expires.seconds(),
            redeemed: code.redeemed,
        })
    }

    pub(super) fn read(self) -> Result<CodeRecord, StoreError> {
        Ok(CodeRecord {
            row: RowId(self.row),
            hash: self.hash,
            grant: self.grant.read()?,
            redirect_uri: self.redirect_uri,
            challenge: self.challenge,
            expires: Timestamp::from_seconds(self.expires),
            redeemed: self.redeemed,
        })
    }
}

/// The columns of a grant.
#[derive(Serialize, Deserialize)]
struct Grant {
    id: i64,
    client: String,
    actor: Option<String>,
    scopes: String,
    resources: String,
    auth: Option<String>,
}

impl Grant {
    fn of(grant: &crate::provider::store::Grant) -> Result<Self, StoreError> {
        let GrantColumns { id, client, actor, scopes, resources, auth } = GrantColumns::of(grant)?;
        Ok(Self {
            id,
            client: client.into_owned(),
            actor: actor.map(Cow::into_owned),
            scopes: scopes.into_owned(),
            resources: resources.into_owned(),
            auth: auth.map(Cow::into_owned),
        })
    }

    fn read(self) -> Result<crate::provider::store::Grant, StoreError> {
        let columns = GrantColumns {
            id: self.id,
            client: self.client.into(),
            actor: self.actor.map(Cow::Owned),
            scopes: self.scopes.into(),
            resources: self.resources.into(),
            auth: self.auth.map(Cow::Owned),
        };
        columns.read()
    }
}

/// A request that waits for a user.
#[derive(Serialize, Deserialize)]
pub(super) struct Waiting {
    row: i64,
    #[serde(with = "hash")]
    identifier: SecretHash,
    is_foreign: bool,
    user_code: Option<HashText>,
    client: Arc<str>,
    scopes: String,
    resources: String,
    expires: i64,
    kind: PendingKind,
    /// `true` if an answer has moved it into the store, or is about to.
    pub(super) is_moved: bool,
}

#[derive(Serialize, Deserialize)]
struct HashText(#[serde(with = "hash")] SecretHash);

impl Waiting {
    pub(super) fn of(pending: &PendingRecord) -> Self {
        Self {
            row: pending.row.0,
            identifier: *pending.identifier.hash(),
            is_foreign: matches!(pending.identifier, Identifier::Foreign(_)),
            user_code: pending.user_code.map(HashText),
            client: Arc::clone(&pending.client),
            scopes: pending.scopes.as_str().to_owned(),
            resources: pending.resources.as_str().to_owned(),
            expires: pending.expires.seconds(),
            kind: pending.kind.clone(),
            is_moved: false,
        }
    }

    pub(super) fn moved(self) -> Self {
        Self { is_moved: true, ..self }
    }

    pub(super) fn read(self) -> Result<PendingRecord, StoreError> {
        Ok(PendingRecord {
            row: RowId(self.row),
            identifier: match self.is_foreign {
                true => Identifier::Foreign(self.identifier),
                false => Identifier::Row(self.identifier),
            },
            user_code: self.user_code.map(|HashText(hash)| hash),
            client: self.client,
            scopes: read_scopes(&self.scopes)?,
            resources: read_resources(&self.resources)?,
            expires: Timestamp::from_seconds(self.expires),
            state: PendingState::Pending,
            kind: self.kind,
        })
    }
}
