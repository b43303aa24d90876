//! Records as the rows of tables, and back.

use std::{borrow::Cow, sync::Arc};

use serde::de::DeserializeOwned;

use crate::{
    Timestamp,
    provider::{
        client::record::Client,
        store::{
            AccessRecord, Approval, CodeRecord, Consent, CredentialRecord, FamilyRecord, Grant,
            GrantColumns, Identifier, InitialTokenRecord, PendingRecord, PendingState, RowId,
            StoreError, StoredRow, StoredValue, UnusedClient, binding_column, exchange_column,
            read_binding, read_exchange, read_resources, read_scopes,
        },
    },
};

use super::grants::Listed;

pub(super) const BAD: StoreError = StoreError::Corrupt("a row of another store");

const PENDING: i64 = 0;
const APPROVED: i64 = 1;
const REDEEMED: i64 = 2;
const DENIED: i64 = 3;

type Read<T> = Result<T, StoreError>;

pub(super) fn client(client: &Client) -> Read<StoredRow> {
    let record = serde_json::to_string(client).map_err(|_| StoreError::Corrupt("a client"))?;
    Ok(Row::new().text(&client.id).number(client.number.0).text(&record).end())
}

pub(super) fn read_client(record: &str) -> Read<Client> {
    serde_json::from_str(record).map_err(|_| StoreError::Corrupt("a client"))
}

pub(super) fn unused_client(client: &UnusedClient) -> StoredRow {
    let from = client.from.map(|from| from.to_string());
    let row = Row::new().text(&client.id).number(client.number.0);
    row.optional_text(from.as_deref()).seconds(client.until).end()
}

pub(super) fn initial_token(token: &InitialTokenRecord) -> StoredRow {
    let row = Row::new().number(token.row.0).bytes(&token.hash).text(&token.name);
    row.number(token.uses.into()).seconds(token.expires).end()
}

pub(super) fn consent(consent: &Consent) -> Read<StoredRow> {
    let data = (!consent.data.is_empty()).then(|| serde_json::to_string(&consent.data));
    let data = data.transpose().map_err(|_| StoreError::Corrupt("a consent"))?;
    let row = Row::new().text(&consent.subject).text(&consent.client);
    let row = row.text(consent.resources.as_str()).text(consent.scopes.as_str());
    Ok(row.seconds(consent.given).optional_text(data.as_deref()).end())
}

pub(super) fn code(code: &Arc<CodeRecord>) -> Read<StoredRow> {
    let row = Row::new().number(code.row.0).grant(&code.grant)?.bytes(&code.hash);
    let row = row.seconds(code.expires).optional_text(code.redirect_uri.as_deref());
    Ok(row.optional_text(code.challenge.as_deref()).number(code.redeemed.into()).end())
}

pub(super) fn access(access: &AccessRecord) -> Read<StoredRow> {
    let row = Row::new().number(access.row.0).grant(&access.grant)?.bytes(&access.hash);
    let exchange = exchange_column(access.exchange.as_deref())?;
    let row = row.seconds(access.expires).optional_text(binding_column(access.binding).as_deref());
    Ok(row.optional_text(exchange.as_deref()).end())
}

pub(super) fn family(family: &Arc<FamilyRecord>) -> Read<StoredRow> {
    let row = Row::new().number(family.row.0).grant(&family.grant)?;
    let row = row.number(family.generation.into()).bytes(&family.current);
    let row = row.optional_bytes(family.previous.as_ref().map(|hash| &hash[..]));
    let row = row.seconds(family.rotated).seconds(family.expires);
    Ok(row.seconds(family.ends).end())
}

pub(super) fn listed(listed: &Listed) -> Read<StoredRow> {
    let family = listed.family.map(|family| family.0);
    let row = Row::new().grant(&listed.grant)?;
    Ok(row.optional_number(family).seconds(listed.ends()).end())
}

pub(super) fn pending(pending: &PendingRecord) -> Read<StoredRow> {
    let (hash, is_foreign) = match &pending.identifier {
        Identifier::Row(hash) => (hash, 0),
        Identifier::Foreign(hash) => (hash, 1),
    };
    let (state, approval) = match &pending.state {
        PendingState::Pending => (PENDING, None),
        PendingState::Approved(approval) => (APPROVED, Some(approval)),
        PendingState::Redeemed(approval) => (REDEEMED, Some(approval)),
        PendingState::Denied => (DENIED, None),
    };
    let kind = serde_json::to_string(&pending.kind)
        .map_err(|_| StoreError::Corrupt("the kind of a pending request"))?;
    let user_code = pending.user_code.as_ref().map(|hash| &hash[..]);
    let row = Row::new().number(pending.row.0).bytes(hash).number(is_foreign);
    let row = row.optional_bytes(user_code).text(pending.scopes.as_str());
    let row = row.text(pending.resources.as_str()).seconds(pending.expires);
    let row = row.number(state).text(&kind);
    let Some(Approval { proof, grant }) = approval else {
        let row = row.optional_bytes(None).optional_number(None).text(&pending.client);
        let row = row.optional_text(None).optional_text(None).optional_text(None);
        return Ok(row.optional_text(None).end());
    };
    Ok(row.optional_bytes(proof.as_ref().map(|hash| &hash[..])).grant(grant)?.end())
}

pub(super) fn credential(credential: &CredentialRecord) -> Read<StoredRow> {
    let access = &credential.access;
    let row = Row::new().grant(&access.grant)?.bytes(&access.hash);
    let row = row.number(credential.is_foreign.into()).bytes(&credential.secret);
    let row = row.seconds(access.expires);
    Ok(row.optional_text(binding_column(access.binding).as_deref()).end())
}

/// A row that is being written, value by value.
pub(super) struct Row(Vec<StoredValue>);

impl Row {
    pub(super) const fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, value: Option<StoredValue>) -> Self {
        self.0.push(value.unwrap_or(StoredValue::Null));
        self
    }

    pub(super) fn number(self, number: i64) -> Self {
        self.optional_number(Some(number))
    }

    pub(super) fn optional_number(self, number: Option<i64>) -> Self {
        self.with(number.map(StoredValue::Number))
    }

    fn seconds(self, time: Timestamp) -> Self {
        self.number(time.seconds())
    }

    pub(super) fn text(self, text: &str) -> Self {
        self.optional_text(Some(text))
    }

    fn optional_text(self, text: Option<&str>) -> Self {
        self.with(text.map(|text| StoredValue::Text(text.to_owned())))
    }

    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        self.optional_bytes(Some(bytes))
    }

    fn optional_bytes(self, bytes: Option<&[u8]>) -> Self {
        self.with(bytes.map(|bytes| StoredValue::Bytes(bytes.to_vec())))
    }

    fn grant(self, grant: &Grant) -> Read<Self> {
        let GrantColumns { id, client, actor, scopes, resources, auth } = GrantColumns::of(grant)?;
        let row = self.number(id).text(&client).optional_text(actor.as_deref());
        Ok(row.text(&scopes).text(&resources).optional_text(auth.as_deref()))
    }

    pub(super) fn end(self) -> StoredRow {
        StoredRow(self.0)
    }
}

/// The values of a row, read one after the other.
pub(super) struct Fields(std::vec::IntoIter<StoredValue>);

impl Fields {
    pub(super) fn of(row: StoredRow) -> Self {
        Self(row.0.into_iter())
    }

    fn optional_number(&mut self) -> Read<Option<i64>> {
        match self.0.next() {
            Some(StoredValue::Number(number)) => Ok(Some(number)),
            Some(StoredValue::Null) => Ok(None),
            _ => Err(BAD),
        }
    }

    pub(super) fn number(&mut self) -> Read<i64> {
        self.optional_number()?.ok_or(BAD)
    }

    pub(super) fn optional_row(&mut self) -> Read<Option<RowId>> {
        Ok(self.optional_number()?.map(RowId))
    }

    pub(super) fn row(&mut self) -> Read<RowId> {
        self.number().map(RowId)
    }

    pub(super) fn seconds(&mut self) -> Read<Timestamp> {
        self.number().map(Timestamp::from_seconds)
    }

    fn small(&mut self) -> Read<u32> {
        self.number()?.try_into().map_err(|_| BAD)
    }

    fn flag(&mut self) -> Read<bool> {
        self.number().map(|number| number != 0)
    }

    fn optional_text(&mut self) -> Read<Option<String>> {
        match self.0.next() {
            Some(StoredValue::Text(text)) => Ok(Some(text)),
            Some(StoredValue::Null) => Ok(None),
            _ => Err(BAD),
        }
    }

    pub(super) fn text(&mut self) -> Read<String> {
        self.optional_text()?.ok_or(BAD)
    }

    fn json<T: DeserializeOwned>(&mut self) -> Read<T> {
        serde_json::from_str(&self.text()?).map_err(|_| BAD)
    }

    fn optional_bytes(&mut self) -> Read<Option<Vec<u8>>> {
        match self.0.next() {
            Some(StoredValue::Bytes(bytes)) => Ok(Some(bytes)),
            Some(StoredValue::Null) => Ok(None),
            _ => Err(BAD),
        }
    }

    fn bytes(&mut self) -> Read<Vec<u8>> {
        self.optional_bytes()?.ok_or(BAD)
    }

    pub(super) fn hash<const N: usize>(&mut self) -> Read<[u8; N]> {
        self.bytes()?.try_into().map_err(|_| BAD)
    }

    fn optional_hash(&mut self) -> Read<Option<[u8; 32]>> {
        self.optional_bytes()?.map(|bytes| bytes.try_into().map_err(|_| BAD)).transpose()
    }

    pub(super) fn grant(&mut self) -> Read<Grant> {
        let columns = GrantColumns {
            id: self.number()?,
            client: self.text()?.into(),
            actor: self.optional_text()?.map(Into::into),
            scopes: self.text()?.into(),
            resources: self.text()?.into(),
            auth: self.optional_text()?.map(Cow::Owned),
        };
        columns.read()
    }

    pub(super) fn initial_token(&mut self) -> Read<InitialTokenRecord> {
        Ok(InitialTokenRecord {
            row: self.row()?,
            hash: self.hash()?,
            name: self.text()?.into(),
            uses: self.small()?,
            expires: self.seconds()?,
        })
    }

    pub(super) fn consent(&mut self) -> Read<Consent> {
        let (subject, client) = (self.text()?.into(), self.text()?.into());
        let resources = read_resources(&self.text()?)?;
        let (scopes, given) = (read_scopes(&self.text()?)?, self.seconds()?);
        let data = self.optional_text()?;
        let data = data.as_deref().map(serde_json::from_str).transpose().map_err(|_| BAD)?;
        Ok(Consent { subject, client, resources, scopes, given, data: data.unwrap_or_default() })
    }

    pub(super) fn code(&mut self) -> Read<CodeRecord> {
        let (row, grant, hash) = (self.row()?, self.grant()?, self.hash()?);
        Ok(CodeRecord {
            row,
            hash,
            grant,
            expires: self.seconds()?,
            redirect_uri: self.optional_text()?.map(Into::into),
            challenge: self.optional_text()?.map(Into::into),
            redeemed: self.flag()?,
        })
    }

    pub(super) fn access(&mut self) -> Read<AccessRecord> {
        let (row, grant, hash) = (self.row()?, self.grant()?, self.hash()?);
        Ok(AccessRecord {
            row,
            hash,
            grant,
            expires: self.seconds()?,
            binding: read_binding(self.optional_text()?.as_deref())?,
            exchange: read_exchange(self.optional_text()?.as_deref())?,
        })
    }

    pub(super) fn family(&mut self) -> Read<FamilyRecord> {
        Ok(FamilyRecord {
            row: self.row()?,
            grant: self.grant()?,
            generation: self.small()?,
            current: self.hash()?,
            previous: self.optional_hash()?,
            rotated: self.seconds()?,
            expires: self.seconds()?,
            ends: self.seconds()?,
        })
    }

    pub(super) fn pending(&mut self) -> Read<PendingRecord> {
        let (row, hash, is_foreign) = (self.row()?, self.hash()?, self.flag()?);
        let user_code = self.optional_hash()?;
        let (scopes, resources) = (read_scopes(&self.text()?)?, read_resources(&self.text()?)?);
        let (expires, state, kind) = (self.seconds()?, self.number()?, self.json()?);
        let proof = self.optional_hash()?;
        let is_approved = matches!(state, APPROVED | REDEEMED);
        let (client, grant): (Arc<str>, _) = if is_approved {
            let grant = self.grant()?;
            (Arc::clone(&grant.client), Some(grant))
        } else {
            let _number = self.optional_number()?;
            (self.text()?.into(), None)
        };
        let approval = grant.map(|grant| Approval { proof, grant });
        let state = match (state, approval) {
            (PENDING, None) => PendingState::Pending,
            (APPROVED, Some(approval)) => PendingState::Approved(approval),
            (REDEEMED, Some(approval)) => PendingState::Redeemed(approval),
            (DENIED, None) => PendingState::Denied,
            _ => return Err(BAD),
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

    pub(super) fn credential(&mut self) -> Read<CredentialRecord> {
        let (grant, hash, is_foreign) = (self.grant()?, self.hash()?, self.flag()?);
        let secret = self.bytes()?.into();
        let (expires, row) = (self.seconds()?, grant.id);
        let binding = read_binding(self.optional_text()?.as_deref())?;
        let access = AccessRecord { row, hash, grant, expires, binding, exchange: None };
        Ok(CredentialRecord { access: Arc::new(access), is_foreign, secret })
    }
}
