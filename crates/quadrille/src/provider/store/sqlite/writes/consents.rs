//! Answers to a consent page, with code and consent.

use std::sync::Arc;

use rusqlite::params;

use crate::{
    Scopes,
    provider::store::{
        Answer, Answered, CodeRecord, Consent, IssuerId, Outcome, StoreError, TicketUse,
    },
};

use super::super::rows::{self, alive, code_columns, consent_columns, grant_columns};
use super::Writes;

impl Writes<'_> {
    pub(crate) fn answer(
        &mut self,
        issuer: IssuerId,
        answer: &Answer,
    ) -> Result<Answered, StoreError> {
        let (answered, lives) = match &answer.outcome {
            Outcome::Ticket(used, code) => {
                let answered = self.answer_page(issuer, *used, code.as_ref())?;
                let lives = match code {
                    Some(code) => self.would_live(issuer, code)?,
                    None => true,
                };
                (answered, lives)
            }
            Outcome::Pending(row, approval) => {
                let answered = self.answer_pending(issuer, *row, approval.as_ref())?;
                let lives = match approval {
                    Some(_) => self.find_pending(issuer, *row)?.is_some_and(|(_, lives)| lives),
                    None => true,
                };
                (answered, lives)
            }
        };
        if let (Answered::First, true, Some(consent)) = (&answered, lives, &answer.consent) {
            self.remember_consent(issuer, consent, &answer.asked)?;
        }
        Ok(answered)
    }

    /// Stores an answer to a page with a ticket.
    fn answer_page(
        &mut self,
        issuer: IssuerId,
        TicketUse { ticket, until }: TicketUse,
        code: Option<&CodeRecord>,
    ) -> Result<Answered, StoreError> {
        let key = rows::key(issuer, "", &ticket);
        let before =
            self.one("SELECT code FROM quadrille_tickets WHERE key = ?1", [&key], |row| {
                row.get::<_, Option<i64>>("code")
            })?;
        match before {
            Some(None) => return Ok(Answered::Denied),
            Some(Some(code)) => {
                let unspent = self.read(
                    concat!(
                        "SELECT ",
                        code_columns!(),
                        " FROM quadrille_codes t WHERE row = ?1 AND issuer = ?2
                        AND NOT redeemed AND ",
                        alive!()
                    ),
                    params![code, issuer.0],
                    rows::code,
                )?;
                return Ok(unspent.map_or(Answered::Spent, |code| Answered::Code(Arc::new(code))));
            }
            None => {}
        }
        self.run(
            "INSERT INTO quadrille_tickets (key, code, expires) VALUES (?1, ?2, ?3)",
            params![key, code.map(|code| code.row.0), until.seconds()],
        )?;
        if let Some(code) = code {
            self.put_code(issuer, code)?;
        }
        Ok(Answered::First)
    }

    fn remember_consent(
        &self,
        issuer: IssuerId,
        consent: &Consent,
        asked: &Scopes,
    ) -> Result<(), StoreError> {
        let before = self.read(
            concat!(
                "SELECT ",
                consent_columns!(),
                " FROM quadrille_consents WHERE issuer = ?1 AND subject = ?2
                AND client = ?3 AND resources = ?4"
            ),
            params![issuer.0, consent.subject, consent.client, consent.resources.as_str()],
            |row| rows::consent(row, &consent.subject),
        )?;
        let consent = consent.clone().following(before.as_ref(), asked);
        let data = rows::data_text(&consent.data)?;
        self.run(
            "INSERT INTO quadrille_consents (issuer, subject, client, resources, scopes, given, data)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
            ON CONFLICT DO UPDATE SET scopes = ?5, given = ?6, data = ?7",
            params![
                issuer.0,
                consent.subject,
                consent.client,
                consent.resources.as_str(),
                consent.scopes.as_str(),
                consent.given.seconds(),
                data,
            ],
        )?;
        Ok(())
    }

    /// `true` if the grant of an approved code is not revoked already.
    fn would_live(&self, issuer: IssuerId, code: &CodeRecord) -> Result<bool, StoreError> {
        let lives = self.one(
            concat!(
                "SELECT 1 FROM quadrille_codes t WHERE row = ?1
                AND issuer = ?2 AND ",
                alive!()
            ),
            params![code.row.0, issuer.0],
            |_| Ok(()),
        )?;
        Ok(lives.is_some())
    }
}
