//! Rows as records.

use std::{borrow::Cow, sync::Arc};

use quadrille::{
    Timestamp,
    provider::{
        Client,
        store::{
            AccessRecord, CodeRecord, Consent, FamilyRecord, Grant, GrantColumns,
            InitialTokenRecord, LiveGrant, RowId, StoreError, UnusedClient, read_binding,
            read_exchange, read_resources, read_scopes,
        },
    },
};
use sqlx::{Decode, Postgres, Row as _, Type, ValueRef as _, postgres::PgRow};

use super::super::{fault::reason, keys::Keys};

/// The columns of a grant.
macro_rules! grant_columns {
    () => {
        "grant_id, client, actor, scopes, resources, auth"
    };
}
pub(super) use grant_columns;

macro_rules! code_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, hash, expires, redirect_uri, \
         challenge, redeemed"
    };
}
pub(super) use code_columns;

macro_rules! access_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, hash, expires, binding, exchange"
    };
}
pub(super) use access_columns;

macro_rules! family_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, generation, current, previous, \
         rotated, rotated_scopes, rotated_resources, expires, ends"
    };
}
pub(super) use family_columns;

/// The condition that the grant of row `t` is alive: its client exists and is not younger, and the
/// grant is not revoked.
macro_rules! alive {
    () => {
        "EXISTS (SELECT 1 FROM quadrille_clients c
            WHERE c.issuer = t.issuer AND c.id = t.client AND c.number <= t.grant_id)
        AND NOT EXISTS (SELECT 1 FROM quadrille_revoked r
            WHERE r.\"row\" = mix(t.grant_id) AND r.issuer = t.issuer)
        AND (t.actor IS NULL OR NOT EXISTS (SELECT 1 FROM quadrille_cut cut
            WHERE cut.issuer = t.issuer AND cut.actor = t.actor
            AND cut.client IN ('', t.client) AND cut.last >= t.grant_id))"
    };
}
pub(super) use alive;

/// The columns of a row, read one after the other.
pub(super) struct Reader<'r> {
    row: &'r PgRow,
    next: usize,
    keys: Keys,
}

impl<'r> Reader<'r> {
    pub(super) fn of(row: &'r PgRow, keys: Keys) -> Self {
        Self { row, next: 0, keys }
    }

    pub(super) fn next<T: Decode<'r, Postgres> + Type<Postgres>>(
        &mut self,
    ) -> Result<T, StoreError> {
        let value = self.row.try_get(self.next).map_err(reason)?;
        self.next += 1;
        Ok(value)
    }

    /// A name in a column of bytes.
    pub(super) fn name(&mut self) -> Result<&'r str, StoreError> {
        std::str::from_utf8(self.next()?).map_err(|_| StoreError::Corrupt("a name"))
    }

    pub(super) fn optional_name(&mut self) -> Result<Option<&'r str>, StoreError> {
        let bytes: Option<&[u8]> = self.next()?;
        bytes.map(std::str::from_utf8).transpose().map_err(|_| StoreError::Corrupt("a name"))
    }

    pub(super) fn hash<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let bytes: &[u8] = self.next()?;
        bytes.try_into().map_err(|_| StoreError::Corrupt("a hash"))
    }

    pub(super) fn optional_hash<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        let bytes: Option<&[u8]> = self.next()?;
        bytes.map(TryInto::try_into).transpose().map_err(|_| StoreError::Corrupt("a hash"))
    }

    /// The number of a row, whose column has its key.
    pub(super) fn row(&mut self) -> Result<RowId, StoreError> {
        Ok(RowId(self.keys.unmix(self.next()?)))
    }

    pub(super) fn seconds(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_seconds(self.next()?))
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        what: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_str(self.next()?).map_err(|_| StoreError::Corrupt(what))
    }

    /// The columns of [`grant_columns`].
    pub(super) fn grant(&mut self) -> Result<Grant, StoreError> {
        let columns = GrantColumns {
            id: self.next()?,
            client: self.name()?.into(),
            actor: self.optional_name()?.map(Into::into),
            scopes: self.next::<&str>()?.into(),
            resources: self.next::<&str>()?.into(),
            auth: self.next::<Option<&str>>()?.map(Cow::Borrowed),
        };
        columns.read()
    }

    /// `true` if the next column is null; it stays the next one.
    pub(super) fn is_null(&self) -> Result<bool, StoreError> {
        self.row.try_get_raw(self.next).map(|value| value.is_null()).map_err(reason)
    }

    /// The columns of [`code_columns`].
    pub(super) fn code(&mut self) -> Result<CodeRecord, StoreError> {
        Ok(CodeRecord {
            row: self.row()?,
            grant: self.grant()?,
            hash: self.hash()?,
            expires: self.seconds()?,
            redirect_uri: self.optional_name()?.map(Into::into),
            challenge: self.optional_name()?.map(Into::into),
            redeemed: self.next()?,
        })
    }

    /// The columns of [`access_columns`].
    pub(super) fn access(&mut self) -> Result<AccessRecord, StoreError> {
        Ok(AccessRecord {
            row: self.row()?,
            grant: self.grant()?,
            hash: self.hash()?,
            expires: self.seconds()?,
            binding: read_binding(self.next()?)?,
            exchange: read_exchange(self.next()?)?,
        })
    }

    /// The columns of [`family_columns`].
    pub(super) fn family(&mut self) -> Result<FamilyRecord, StoreError> {
        Ok(FamilyRecord {
            row: self.row()?,
            grant: self.grant()?,
            generation: small(self.next()?, "a generation")?,
            current: self.hash()?,
            previous: self.optional_hash()?,
            rotated: self.seconds()?,
            rotated_scopes: read_scopes(self.next()?)?,
            rotated_resources: read_resources(self.next()?)?,
            expires: self.seconds()?,
            ends: self.seconds()?,
        })
    }

    /// The columns of a grant, its expiry, the key of its refresh tokens and the time of their last
    /// rotation.
    pub(super) fn listed(&mut self) -> Result<LiveGrant, StoreError> {
        let (grant, expires) = (self.grant()?, self.seconds()?);
        let family: Option<i64> = self.next()?;
        let rotated: Option<i64> = self.next()?;
        let refreshed = family.zip(rotated).and_then(|(family, rotated)| {
            let rotated = Timestamp::from_seconds(rotated);
            LiveGrant::refreshed(RowId(self.keys.unmix(family)), rotated)
        });
        Ok(LiveGrant { grant, refreshed, expires })
    }

    /// A client in JSON.
    pub(super) fn client(&mut self) -> Result<Arc<Client>, StoreError> {
        self.json("a client").map(Arc::new)
    }

    /// The columns client, resources, scopes, given, data of a consent.
    pub(super) fn consent(&mut self, subject: &str) -> Result<Consent, StoreError> {
        let (client, resources) = (self.name()?.into(), read_resources(self.next()?)?);
        let (scopes, given) = (read_scopes(self.next()?)?, self.seconds()?);
        let data: Option<&str> = self.next()?;
        let data = data.map(serde_json::from_str).transpose();
        let data = data.map_err(|_| StoreError::Corrupt("a consent"))?.unwrap_or_default();
        Ok(Consent { subject: subject.into(), client, resources, scopes, given, data })
    }

    /// The columns id, number, address, expires of a client that must be used.
    pub(super) fn unused_client(&mut self) -> Result<UnusedClient, StoreError> {
        let (id, number) = (self.name()?.into(), RowId(self.next()?));
        let from: Option<&str> = self.next()?;
        let from = from.map(str::parse).transpose().map_err(|_| StoreError::Corrupt("an address"));
        Ok(UnusedClient { id, number, from: from?, until: self.seconds()? })
    }

    /// The columns row, hash, name, uses, expires of an initial access token.
    pub(super) fn initial_token(&mut self) -> Result<InitialTokenRecord, StoreError> {
        Ok(InitialTokenRecord {
            row: self.row()?,
            hash: self.hash()?,
            name: self.name()?.into(),
            uses: small(self.next()?, "a number of uses")?,
            expires: self.seconds()?,
        })
    }
}

fn small(number: i64, what: &'static str) -> Result<u32, StoreError> {
    number.try_into().map_err(|_| StoreError::Corrupt(what))
}
