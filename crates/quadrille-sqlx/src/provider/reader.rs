//! Columns as records, for each kind of database.

use std::{borrow::Cow, sync::Arc};

use aws_lc_rs::digest::{SHA256, digest};
use quadrille::{
    Timestamp,
    provider::{
        Client,
        store::{
            AccessRecord, Approval, Change, Changes, CodeRecord, Consent, CredentialRecord,
            FamilyRecord, Grant, GrantColumns, Identifier, InitialTokenRecord, IssuerId, LiveGrant,
            PendingRecord, PendingState, RowId, StoreError, UnusedClient, read_binding,
            read_exchange, read_resources, read_scopes,
        },
    },
};

use super::keys::Keys;

pub(super) const PENDING: i64 = 0;
pub(super) const APPROVED: i64 = 1;
pub(super) const REDEEMED: i64 = 2;
pub(super) const DENIED: i64 = 3;

const MISSING: StoreError = StoreError::Corrupt("a column that is null");

/// A row of a database.
pub trait Fields {
    fn number(&self, place: usize) -> Result<Option<i64>, StoreError>;
    fn flag(&self, place: usize) -> Result<Option<bool>, StoreError>;
    fn bytes(&self, place: usize) -> Result<Option<&[u8]>, StoreError>;
}

/// The columns of a row, read one after the other.
pub(super) struct Reader<'r, R> {
    row: &'r R,
    next: usize,
    keys: Keys,
}

impl<R> Clone for Reader<'_, R> {
    fn clone(&self) -> Self {
        Self { ..*self }
    }
}

impl<'r, R: Fields> Reader<'r, R> {
    pub(super) fn of(row: &'r R, keys: Keys) -> Self {
        Self { row, next: 0, keys }
    }

    pub(super) fn optional_number(&mut self) -> Result<Option<i64>, StoreError> {
        self.row.number(self.place())
    }

    pub(super) fn number(&mut self) -> Result<i64, StoreError> {
        self.optional_number()?.ok_or(MISSING)
    }

    pub(super) fn flag(&mut self) -> Result<bool, StoreError> {
        self.row.flag(self.place())?.ok_or(MISSING)
    }

    /// A flag, which is `false` if it is not known.
    pub(super) fn known_flag(&mut self) -> Result<bool, StoreError> {
        Ok(self.row.flag(self.place())?.unwrap_or(false))
    }

    pub(super) fn optional_bytes(&mut self) -> Result<Option<&'r [u8]>, StoreError> {
        self.row.bytes(self.place())
    }

    pub(super) fn bytes(&mut self) -> Result<&'r [u8], StoreError> {
        self.optional_bytes()?.ok_or(MISSING)
    }

    pub(super) fn optional_text(&mut self) -> Result<Option<&'r str>, StoreError> {
        let text = self.optional_bytes()?.map(std::str::from_utf8).transpose();
        text.map_err(|_| StoreError::Corrupt("a text"))
    }

    pub(super) fn text(&mut self) -> Result<&'r str, StoreError> {
        self.optional_text()?.ok_or(MISSING)
    }

    fn place(&mut self) -> usize {
        self.next += 1;
        self.next - 1
    }

    pub(super) fn hash<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let bytes = self.bytes()?;
        bytes.try_into().map_err(|_| StoreError::Corrupt("a hash"))
    }

    pub(super) fn optional_hash<const N: usize>(&mut self) -> Result<Option<[u8; N]>, StoreError> {
        let bytes = self.optional_bytes()?;
        bytes.map(TryInto::try_into).transpose().map_err(|_| StoreError::Corrupt("a hash"))
    }

    /// The number of a row, whose column has its key.
    pub(super) fn row(&mut self) -> Result<RowId, StoreError> {
        Ok(RowId(self.keys.unmix(self.number()?)))
    }

    /// [`row`](Self::row), or null.
    pub(super) fn optional_row(&mut self) -> Result<Option<i64>, StoreError> {
        Ok(self.optional_number()?.map(|key| self.keys.unmix(key)))
    }

    pub(super) fn seconds(&mut self) -> Result<Timestamp, StoreError> {
        Ok(Timestamp::from_seconds(self.number()?))
    }

    pub(super) fn json<T: serde::de::DeserializeOwned>(
        &mut self,
        what: &'static str,
    ) -> Result<T, StoreError> {
        serde_json::from_slice(self.bytes()?).map_err(|_| StoreError::Corrupt(what))
    }

    /// The columns of `grant_columns`.
    pub(super) fn grant(&mut self) -> Result<Grant, StoreError> {
        let columns = GrantColumns {
            id: self.number()?,
            client: self.text()?.into(),
            actor: self.optional_text()?.map(Into::into),
            scopes: self.text()?.into(),
            resources: self.text()?.into(),
            auth: self.optional_text()?.map(Cow::Borrowed),
        };
        columns.read()
    }

    /// The columns of `code_columns`.
    pub(super) fn code(&mut self) -> Result<CodeRecord, StoreError> {
        Ok(CodeRecord {
            row: self.row()?,
            grant: self.grant()?,
            hash: self.hash()?,
            expires: self.seconds()?,
            redirect_uri: self.optional_text()?.map(Into::into),
            challenge: self.optional_text()?.map(Into::into),
            redeemed: self.flag()?,
        })
    }

    /// The columns of `access_columns`.
    pub(super) fn access(&mut self) -> Result<AccessRecord, StoreError> {
        Ok(AccessRecord {
            row: self.row()?,
            grant: self.grant()?,
            hash: self.hash()?,
            expires: self.seconds()?,
            binding: read_binding(self.optional_text()?)?,
            exchange: read_exchange(self.optional_text()?)?,
        })
    }

    /// The columns of `family_columns`.
    pub(super) fn family(&mut self) -> Result<FamilyRecord, StoreError> {
        Ok(FamilyRecord {
            row: self.row()?,
            grant: self.grant()?,
            generation: small(self.number()?, "a generation")?,
            current: self.hash()?,
            previous: self.optional_hash()?,
            rotated: self.seconds()?,
            expires: self.seconds()?,
            ends: self.seconds()?,
        })
    }

    /// The columns of a grant, its expiry, the key of its refresh tokens and the time of their last
    /// rotation.
    pub(super) fn listed(&mut self) -> Result<LiveGrant, StoreError> {
        let (grant, expires) = (self.grant()?, self.seconds()?);
        let family = self.optional_number()?;
        let rotated = self.optional_number()?;
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
        let (client, resources) = (self.text()?.into(), read_resources(self.text()?)?);
        let (scopes, given) = (read_scopes(self.text()?)?, self.seconds()?);
        let data = self.optional_text()?;
        let data = data.map(serde_json::from_str).transpose();
        let data = data.map_err(|_| StoreError::Corrupt("a consent"))?.unwrap_or_default();
        Ok(Consent { subject: subject.into(), client, resources, scopes, given, data })
    }

    /// The columns id, number, address, expires of a client that must be used.
    pub(super) fn unused_client(&mut self) -> Result<UnusedClient, StoreError> {
        let (id, number) = (self.text()?.into(), RowId(self.number()?));
        let from = self.optional_text()?;
        let from = from.map(str::parse).transpose().map_err(|_| StoreError::Corrupt("an address"));
        Ok(UnusedClient { id, number, from: from?, until: self.seconds()? })
    }

    /// The columns row, hash, name, uses, expires of an initial access token.
    pub(super) fn initial_token(&mut self) -> Result<InitialTokenRecord, StoreError> {
        Ok(InitialTokenRecord {
            row: self.row()?,
            hash: self.hash()?,
            name: self.text()?.into(),
            uses: small(self.number()?, "a number of uses")?,
            expires: self.seconds()?,
        })
    }

    /// The columns `pending_columns`.
    pub(super) fn pending(&mut self) -> Result<PendingRecord, StoreError> {
        let (row, hash, is_foreign) = (self.row()?, self.hash()?, self.flag()?);
        let user_code = self.optional_hash()?;
        let (scopes, resources) = (read_scopes(self.text()?)?, read_resources(self.text()?)?);
        let (expires, state) = (self.seconds()?, self.number()?);
        let kind = self.json("the kind of a pending request")?;
        let client: Arc<str> = self.text()?.into();
        let state = match state {
            PENDING => PendingState::Pending,
            APPROVED => PendingState::Approved(self.approval(&client)?),
            REDEEMED => PendingState::Redeemed(self.approval(&client)?),
            DENIED => PendingState::Denied,
            _ => return Err(StoreError::Corrupt("the state of a pending request")),
        };
        let identifier = if is_foreign { Identifier::Foreign(hash) } else { Identifier::Row(hash) };
        Ok(PendingRecord {
            row,
            identifier,
            user_code,
            client,
            scopes,
            resources,
            expires,
            state,
            kind,
        })
    }

    fn approval(&mut self, client: &str) -> Result<Approval, StoreError> {
        let proof = self.optional_hash()?;
        let columns = GrantColumns {
            id: self.number()?,
            client: client.into(),
            actor: self.optional_text()?.map(Into::into),
            scopes: self.text()?.into(),
            resources: self.text()?.into(),
            auth: self.optional_text()?.map(Cow::Borrowed),
        };
        Ok(Approval { proof, grant: columns.read()? })
    }

    /// The columns `credential_columns`.
    pub(super) fn credential(&mut self) -> Result<CredentialRecord, StoreError> {
        let grant = self.grant()?;
        let (hash, is_foreign, secret) = (self.hash()?, self.flag()?, self.bytes()?.into());
        let (expires, binding) = (self.seconds()?, read_binding(self.optional_text()?)?);
        let access = AccessRecord { row: grant.id, hash, grant, expires, binding, exchange: None };
        Ok(CredentialRecord { access: Arc::new(access), is_foreign, secret })
    }

    /// The last position and the first one that is kept; the position of a change, its issuer and
    /// the change, if there is one.
    pub(super) fn change(&mut self, issuer: IssuerId) -> Result<Told, StoreError> {
        let (last, first) = (self.number()?, self.number()?);
        let (at, of) = (self.optional_number()?, self.optional_number()?);
        let is_of_issuer = at.is_some() && of == Some(issuer.0);
        let change = if is_of_issuer { Some(self.json("a change")?) } else { None };
        Ok(Told { last, first, at, change })
    }
}

/// A row of the table of changes, or its absence.
pub(super) struct Told {
    last: i64,
    first: i64,
    at: Option<i64>,
    change: Option<Change>,
}

/// The changes after a position.
pub(super) fn changes_of(rows: Vec<Told>, position: i64) -> Changes {
    let (last, first) = rows.first().map_or((0, 1), |told| (told.last, told.first));
    if position < first - 1 || position > last {
        return Changes { position: last, changes: Vec::new(), gap: true };
    }
    let reached = rows.iter().filter_map(|told| told.at).max().unwrap_or(position);
    let changes = rows.into_iter().filter_map(|told| told.change).collect();
    Changes { position: reached, changes, gap: false }
}

/// The columns of a state, and its approval.
pub(super) fn state_of(state: &PendingState) -> (i64, Option<&Approval>) {
    match state {
        PendingState::Pending => (PENDING, None),
        PendingState::Approved(approval) => (APPROVED, Some(approval)),
        PendingState::Redeemed(approval) => (REDEEMED, Some(approval)),
        PendingState::Denied => (DENIED, None),
    }
}

/// The hash of client and resources: their list may be too long for an index.
pub(super) fn target(client: &str, resources: &str) -> Vec<u8> {
    let length = (client.len() as u64).to_be_bytes();
    digest(&SHA256, &[&length, client.as_bytes(), resources.as_bytes()].concat()).as_ref().to_vec()
}

fn small(number: i64, what: &'static str) -> Result<u32, StoreError> {
    number.try_into().map_err(|_| StoreError::Corrupt(what))
}
