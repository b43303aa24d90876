//! Answers to a page that asked, with the code and the consent.

use std::sync::Arc;

use rusqlite::params;

use crate::{
    Scopes,
    provider::store::{Answer, Answered, CodeRecord, IssuerId, StoreError},
};

use super::super::rows::{self, alive, code_columns, grant_columns};
use super::Writes;

impl Writes<'_> {
    pub(crate) fn answer(
        &mut self,
        issuer: IssuerId,
        answer: &Answer,
    ) -> Result<Answered, StoreError> {
        let key = rows::key(issuer, "", &answer.ticket);
        let before = self.one("SELECT code FROM tickets WHERE key = ?1", [&key], |row| {
            row.get::<_, Option<i64>>(0)
        })?;
        match before {
            Some(None) => return Ok(Answered::Denied),
            Some(Some(code)) => {
                let unspent = self.read(
                    concat!(
                        "SELECT ",
                        code_columns!(),
                        " FROM codes t WHERE row = ?1 AND issuer = ?2 AND NOT redeemed AND ",
                        alive!()
                    ),
                    params![code, issuer.0],
                    rows::code,
                )?;
                return Ok(
                    unspent.map_or(Answered::Spent, |code| Answered::Approved(Arc::new(code)))
                );
            }
            None => {}
        }
        self.run(
            "INSERT INTO tickets (key, code, expires) VALUES (?1, ?2, ?3)",
            params![key, answer.approved.as_ref().map(|code| code.row.0), answer.expires.seconds()],
        )?;
        if let Some(code) = &answer.approved {
            self.put_code(issuer, code)?;
        }
        if let Some(consent) = &answer.consent
            && self.would_live(issuer, answer.approved.as_ref())?
        {
            let before = self.one(
                "SELECT scopes FROM consents WHERE issuer = ?1 AND subject = ?2 AND client = ?3",
                params![issuer.0, consent.subject, consent.client],
                |row| row.get::<_, String>(0),
            )?;
            let before = before.map(|text| Scopes::parse(&text)).transpose();
            let before = before.map_err(|_| StoreError::Corrupt("a consent"))?;
            let consent = consent.clone().following(&before.unwrap_or_default(), &answer.asked);
            self.run(
                "INSERT INTO consents (issuer, subject, client, scopes, given)
                VALUES (?1, ?2, ?3, ?4, ?5)
                ON CONFLICT DO UPDATE SET scopes = ?4, given = ?5",
                params![
                    issuer.0,
                    consent.subject,
                    consent.client,
                    consent.scopes.as_str(),
                    consent.given.seconds()
                ],
            )?;
        }
        Ok(Answered::First)
    }

    /// Whether what was approved, if anything was, is not revoked already.
    fn would_live(
        &self,
        issuer: IssuerId,
        approved: Option<&CodeRecord>,
    ) -> Result<bool, StoreError> {
        let Some(code) = approved else { return Ok(true) };
        let lives = self.one(
            concat!("SELECT 1 FROM codes t WHERE row = ?1 AND issuer = ?2 AND ", alive!()),
            params![code.row.0, issuer.0],
            |_| Ok(()),
        )?;
        Ok(lives.is_some())
    }
}
