//! The verbs of the store: reads on the caller's thread, writes on the writer's.

use std::sync::Arc;

use rusqlite::{Row, params};

use crate::{
    Timestamp,
    oauth2::Resources,
    provider::{
        client::record::Client,
        store::{
            AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, Clients,
            CodeRecord, Consent, CredentialRecord, FamilyRecord, Grants, InitialTokenRecord, Issue,
            IssuerId, Issuers, KnownSince, LiveGrant, OnceKeys, Part, PendingRecord, PendingRef,
            Redeemed, Registrations, RevokeAll, Rotated, Rotation, RowId, SecretHash, StoreError,
            TokenRef, UnusedClient, Worker, is_same, user_column,
        },
    },
};

use super::{
    SqliteStore, oauth1, pending,
    rows::{
        self, access_columns, alive, client, code_columns, consent_columns, family_columns,
        grant_columns, kept_here, listed_columns, newest, read_one,
    },
};

/// The greatest number: each part is the end of a table's own order.
const NEWEST: &str = concat!("SELECT ", newest!());

/// The number of changes returned at a time.
const CHANGES: i64 = 4096;

impl Part for SqliteStore {
    async fn newest(&self) -> Result<RowId, StoreError> {
        let newest = self.look(|db| read_one(db, NEWEST, [], |row| Ok(row.get(0)?))).await?;
        newest.map(RowId).ok_or(StoreError::Corrupt("the newest number"))
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        // The row at `position` comes first: if it is missing, later ones may be missing too.
        let known = self.look(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT position, issuer, change FROM quadrille_changes
                WHERE position >= ?1 ORDER BY position LIMIT ?2",
            )?;
            let mut rows = statement.query([position, CHANGES])?;
            let mut known = Changes { position, changes: Vec::new(), gap: position != 0 };
            while let Some(row) = rows.next()? {
                known.position = row.get("position")?;
                if known.position == position {
                    known.gap = false;
                } else if position == 0 && known.changes.is_empty() && known.position != 1 {
                    known.gap = true;
                }
                if known.gap {
                    break;
                }
                if known.position != position && row.get::<_, i64>("issuer")? == issuer.0 {
                    let change =
                        row.get_ref("change")?.as_str().map_err(|_| rows::bad("a change"))?;
                    let change = serde_json::from_str(change).map_err(|_| rows::bad("a change"))?;
                    known.changes.push(change);
                }
            }
            Ok(known)
        });
        let known = known.await?;
        if !known.gap {
            return Ok(known);
        }
        let newest = "SELECT coalesce(max(position), 0) FROM quadrille_changes";
        let newest = self.look(|db| read_one(db, newest, [], |row| Ok(row.get(0)?))).await?;
        Ok(Changes { position: newest.unwrap_or(0), changes: Vec::new(), gap: true })
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writer.write(move |writes| writes.sweep_all(now)).await
    }
}

impl Issuers for SqliteStore {
    async fn issuer(&self, issuer: &str) -> Result<IssuerId, StoreError> {
        let issuer = issuer.to_owned();
        self.writer.write(move |writes| writes.issuer(&issuer)).await
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<Worker, StoreError> {
        self.writer.write(move |writes| writes.lease(renew, holder, now, expires)).await
    }
}

impl Clients for SqliteStore {
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        let sql = concat!(
            "SELECT record FROM quadrille_clients WHERE issuer = ?1 AND id = ?2 AND ",
            kept_here!()
        );
        self.look(|db| {
            read_one(db, sql, params![issuer.0, id], |row| client(&row.get::<_, String>("record")?))
        })
        .await
    }

    async fn clients(&self, issuer: IssuerId) -> Result<Vec<Arc<Client>>, StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(concat!(
                "SELECT record FROM quadrille_clients WHERE issuer = ?1 AND ",
                kept_here!(),
                " ORDER BY id"
            ))?;
            let mut rows = statement.query([issuer.0])?;
            let mut clients = Vec::new();
            while let Some(row) = rows.next()? {
                clients.push(client(&row.get::<_, String>("record")?)?);
            }
            Ok(clients)
        })
        .await
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        let record = serde_json::to_string(&client).map_err(|_| rows::bad("a client"))?;
        self.writer
            .write(move |writes| writes.put_client(issuer, &client, &record, before.as_deref()))
            .await
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        let with_record = |client: Client| match serde_json::to_string(&client) {
            Ok(record) => Ok((client, record)),
            Err(_) => Err(rows::bad("a client")),
        };
        let clients: Vec<_> = clients.into_iter().map(with_record).collect::<Result<_, _>>()?;
        self.writer.write(move |writes| writes.add_clients(issuer, &clients)).await
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        let id = id.into();
        self.writer.write(move |writes| writes.remove_client(issuer, &id)).await
    }
}

impl Registrations for SqliteStore {
    async fn unused_clients(&self, issuer: IssuerId) -> Result<Vec<UnusedClient>, StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT id, number, address, expires FROM quadrille_unused_clients
                WHERE issuer = ?1 ORDER BY number",
            )?;
            let mut rows = statement.query([issuer.0])?;
            let mut clients = Vec::new();
            while let Some(row) = rows.next()? {
                clients.push(rows::unused_client(row)?);
            }
            Ok(clients)
        })
        .await
    }

    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        let record = serde_json::to_string(&admission.client).map_err(|_| rows::bad("a client"))?;
        self.writer.write(move |writes| writes.admit(issuer, &admission, &record)).await
    }

    async fn put_initial_token(
        &self,
        issuer: IssuerId,
        token: InitialTokenRecord,
    ) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.put_initial_token(issuer, &token)).await
    }

    async fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> Result<Option<InitialTokenRecord>, StoreError> {
        let sql = "SELECT row, hash, name, uses, expires FROM quadrille_initial_tokens
            WHERE issuer = ?1 AND hash = ?2";
        self.look(|db| read_one(db, sql, params![issuer.0, hash], rows::initial_token)).await
    }

    async fn initial_tokens(
        &self,
        issuer: IssuerId,
    ) -> Result<Vec<InitialTokenRecord>, StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(
                "SELECT row, hash, name, uses, expires FROM quadrille_initial_tokens
                WHERE issuer = ?1 ORDER BY row",
            )?;
            let mut found = statement.query([issuer.0])?;
            let mut tokens = Vec::new();
            while let Some(row) = found.next()? {
                tokens.push(rows::initial_token(row)?);
            }
            Ok(tokens)
        })
        .await
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.remove_initial_token(issuer, row)).await
    }
}

impl Grants for SqliteStore {
    async fn known_client(&self, issuer: IssuerId, id: &str) -> Result<Option<RowId>, StoreError> {
        let sql = "SELECT number FROM quadrille_clients WHERE issuer = ?1 AND id = ?2";
        let number = |row: &Row<'_>| Ok(RowId(row.get("number")?));
        self.look(|db| read_one(db, sql, params![issuer.0, id], number)).await
    }

    async fn know_client(
        &self,
        issuer: IssuerId,
        number: Option<RowId>,
        id: &str,
    ) -> Result<bool, StoreError> {
        let id = id.into();
        self.writer.write(move |writes| writes.know_client(issuer, &id, number)).await
    }

    async fn answer(&self, issuer: IssuerId, answer: Answer) -> Result<Answered, StoreError> {
        self.writer.write(move |writes| writes.answer(issuer, &answer)).await
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.put_code(issuer, &code)).await
    }

    async fn code(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<CodeRecord>>, StoreError> {
        let sql = concat!(
            "SELECT ",
            code_columns!(),
            " FROM quadrille_codes WHERE row = ?1
            AND issuer = ?2"
        );
        self.look(|db| read_one(db, sql, [row.0, issuer.0], |row| rows::code(row).map(Arc::new)))
            .await
    }

    async fn redeem(
        &self,
        issuer: IssuerId,
        code: RowId,
        issue: Issue,
    ) -> Result<Redeemed, StoreError> {
        self.writer.write(move |writes| writes.redeem(issuer, code, &issue)).await
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.issue(issuer, &issue)).await
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.import(issuer, &access)).await
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<AccessRecord>>, StoreError> {
        let (sql, key, hash) = match token {
            TokenRef::Row { row, hash } => (
                concat!(
                    "SELECT ",
                    access_columns!(),
                    " FROM quadrille_access_tokens t
                    WHERE row = ?1 AND issuer = ?2 AND ",
                    alive!()
                ),
                row.0.into(),
                hash,
            ),
            TokenRef::Foreign { hash } => (
                concat!(
                    "SELECT ",
                    access_columns!(),
                    " FROM quadrille_access_tokens t
                    WHERE row = (SELECT row FROM quadrille_foreign_tokens WHERE key = ?1)
                    AND issuer = ?2 AND ",
                    alive!()
                ),
                rusqlite::types::Value::Blob(rows::key(issuer, "", hash)),
                hash,
            ),
        };
        let found = self.look(|db| read_one(db, sql, params![key, issuer.0], rows::access)).await?;
        Ok(found.filter(|found| is_same(&found.hash, hash)).map(Arc::new))
    }

    async fn family(
        &self,
        issuer: IssuerId,
        row: RowId,
    ) -> Result<Option<Arc<FamilyRecord>>, StoreError> {
        let sql = concat!(
            "SELECT ",
            family_columns!(),
            " FROM quadrille_families t WHERE row = ?1 AND issuer = ?2 AND ",
            alive!()
        );
        self.look(|db| read_one(db, sql, [row.0, issuer.0], |row| rows::family(row).map(Arc::new)))
            .await
    }

    async fn rotate(&self, issuer: IssuerId, rotation: Rotation) -> Result<Rotated, StoreError> {
        self.writer.write(move |writes| writes.rotate(issuer, &rotation)).await
    }

    async fn put_pending(
        &self,
        issuer: IssuerId,
        pending: PendingRecord,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.put_pending(issuer, &pending)).await
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Result<Option<Arc<PendingRecord>>, StoreError> {
        self.look(|db| pending::find(db, issuer, reference)).await
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Result<Redeemed, StoreError> {
        self.writer.write(move |writes| writes.redeem_pending(issuer, pending, &bought)).await
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Result<Option<Arc<CredentialRecord>>, StoreError> {
        self.look(|db| oauth1::find(db, issuer, token)).await
    }

    async fn revoke_grant(
        &self,
        issuer: IssuerId,
        grant: RowId,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.revoke_grant(issuer, grant, until)).await
    }

    async fn revoke_all(
        &self,
        issuer: IssuerId,
        what: RevokeAll,
        last: RowId,
    ) -> Result<(), StoreError> {
        self.writer.write(move |writes| writes.revoke_all(issuer, &what, last)).await
    }

    async fn subject_since(
        &self,
        issuer: IssuerId,
        subject: &str,
    ) -> Result<Option<RowId>, StoreError> {
        let sql = "SELECT last FROM quadrille_removed WHERE issuer = ?1 AND subject = ?2";
        let last = |row: &Row<'_>| Ok(RowId(row.get(0)?));
        let removed = self.look(|db| read_one(db, sql, params![issuer.0, subject], last)).await?;
        Ok(Some(removed.unwrap_or(RowId(0))))
    }

    async fn uses_known_since(&self) -> Result<KnownSince, StoreError> {
        self.look(rows::known_since).await
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Result<Option<Consent>, StoreError> {
        let sql = concat!(
            "SELECT ",
            consent_columns!(),
            " FROM quadrille_consents
            WHERE issuer = ?1 AND subject = ?2 AND client = ?3 AND resources = ?4"
        );
        self.look(|db| {
            let key = params![issuer.0, subject, client, resources.as_str()];
            read_one(db, sql, key, |row| rows::consent(row, subject))
        })
        .await
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Result<Vec<Consent>, StoreError> {
        self.look(|connection| {
            let mut statement = connection.prepare_cached(concat!(
                "SELECT ",
                consent_columns!(),
                " FROM quadrille_consents
                 WHERE issuer = ?1 AND subject = ?2 ORDER BY client, resources"
            ))?;
            let mut rows = statement.query(params![issuer.0, subject])?;
            let mut consents = Vec::new();
            while let Some(row) = rows.next()? {
                consents.push(rows::consent(row, subject)?);
            }
            Ok(consents)
        })
        .await
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Result<Vec<LiveGrant>, StoreError> {
        const ISSUED: &str = concat!(
            "SELECT ",
            listed_columns!(),
            ", family, (SELECT rotated FROM quadrille_families f WHERE f.row = t.family)
            FROM quadrille_grants t WHERE issuer = ?1 AND actor = ?2 AND ",
            alive!(),
        );
        const CREDENTIALS: &str = concat!(
            "SELECT ",
            listed_columns!(),
            ", NULL, NULL FROM quadrille_token_credentials t
            WHERE issuer = ?1 AND actor = ?2 AND ",
            alive!(),
        );
        self.look(|connection| {
            let mut grants = Vec::new();
            for sql in [ISSUED, CREDENTIALS] {
                let mut statement = connection.prepare_cached(sql)?;
                let mut found = statement.query(params![issuer.0, user_column(subject)])?;
                while let Some(row) = found.next()? {
                    grants.push(rows::listed(row)?);
                }
            }
            grants.sort_unstable_by_key(|listed| listed.grant.id);
            Ok(grants)
        })
        .await
    }
}

impl OnceKeys for SqliteStore {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        self.writer.write(move |writes| writes.remember_once(issuer, space, &key, expires)).await
    }

    async fn keys_known_since(&self) -> Result<KnownSince, StoreError> {
        let now = self.env.now();
        self.look(|db| rows::keys_known_since(db, now)).await
    }
}
