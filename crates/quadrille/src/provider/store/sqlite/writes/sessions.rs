//! Sessions, and what is remembered once.

use rusqlite::{named_params, params};

use crate::{
    Timestamp,
    provider::store::{Change, IssuerId, SecretHash, Session, StoreError},
};

use super::super::rows;
use super::Writes;

impl Writes<'_> {
    pub(crate) fn remember_once(
        &self,
        issuer: IssuerId,
        space: &str,
        key: &SecretHash,
        expires: Timestamp,
    ) -> Result<bool, StoreError> {
        let remembered = self.run(
            "INSERT INTO quadrille_once (key, expires) VALUES (?1, ?2)
            ON CONFLICT DO UPDATE SET expires = ?2 WHERE expires < ?3",
            params![rows::key(issuer, space, key), expires.seconds(), self.env.now().seconds()],
        )?;
        Ok(remembered > 0)
    }

    pub(crate) fn put_session(
        &self,
        issuer: IssuerId,
        session: &Session,
        replaces: Option<&SecretHash>,
    ) -> Result<(), StoreError> {
        let who = &session.authentication;
        self.run(
            "INSERT INTO quadrille_sessions (key, issuer, subject, auth, expires)
            VALUES (:key, :issuer, :subject, :auth, :expires)
            ON CONFLICT DO UPDATE SET subject = :subject, auth = :auth, expires = :expires",
            named_params! {
                ":key": rows::key(issuer, "", &session.id),
                ":issuer": issuer.0,
                ":subject": who.subject,
                ":auth": rows::auth(who, Some(&who.subject))?,
                ":expires": session.expires.seconds(),
            },
        )?;
        if let Some(before) = replaces {
            self.end_session(issuer, before)?;
        }
        Ok(())
    }

    pub(crate) fn end_session(
        &self,
        issuer: IssuerId,
        id: &SecretHash,
    ) -> Result<bool, StoreError> {
        let ended = self.run(
            "DELETE FROM quadrille_sessions
            WHERE key = ?1",
            [rows::key(issuer, "", id)],
        )?;
        if ended == 0 {
            return Ok(false);
        }
        self.tell(issuer, &Change::Session(*id))?;
        Ok(true)
    }
}
