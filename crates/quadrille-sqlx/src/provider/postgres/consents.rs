//! Answers to a consent page, with code and consent.

use std::sync::Arc;

use quadrille::{
    oauth2::Resources,
    provider::store::{
        Answer, Answered, CodeRecord, Consent, GrantColumns, IssuerId, Outcome, StoreError,
        TicketUse, user_column,
    },
};
use sqlx::{Arguments as _, postgres::PgArguments};

use super::{
    super::reader::target,
    database::{Database, values},
    pending,
    remembering::{add_consent, add_grant, era, remember},
    rows::{alive, code_columns},
};

/// The ticket is `$11`, its end `$12`; the code, if there is one, `$13` to `$24`.
const ANSWER: &str = concat!(
    "WITH done AS (INSERT INTO quadrille_tickets (issuer, ticket, code, expires)
        VALUES ($1, $11, $13, $12) ON CONFLICT DO NOTHING RETURNING 1),
    put AS (INSERT INTO quadrille_codes (issuer, ",
    code_columns!(),
    ") SELECT $1, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24 FROM done
        WHERE $13 IS NOT NULL),
    lives AS (SELECT 1 FROM (SELECT $1::bigint AS issuer, $14::bigint AS grant_id,
        $15::bytea AS client, $16::bytea AS actor) t WHERE $13 IS NULL OR (",
    alive!(),
    ")), ",
    remember!(),
    " SELECT 1 FROM done"
);

/// What an earlier answer to the page left: its code, and whether it is unspent.
const ANSWERED: &str = concat!(
    "SELECT ticket.code IS NOT NULL, live.grant_id IS NOT NULL, live.* FROM quadrille_tickets ticket LEFT JOIN LATERAL
    (SELECT ",
    code_columns!(),
    " FROM quadrille_codes t WHERE t.\"row\" = ticket.code AND t.issuer = ticket.issuer
        AND NOT t.redeemed AND ",
    alive!(),
    ") live ON true WHERE ticket.issuer = $1 AND ticket.ticket = $2"
);

const PUT_CODE: &str = concat!(
    "INSERT INTO quadrille_codes (issuer, ",
    code_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
);

const FIND: &str = concat!(
    "SELECT client, resources, scopes, given, data FROM quadrille_consents c, LATERAL (SELECT ",
    era!("c.client", "$3"),
    ") era WHERE c.issuer = $1 AND c.subject = $2 AND c.number = era.number
    AND c.epoch = era.epoch AND ($4::bytea IS NULL OR c.target = $4)"
);

pub(super) async fn answer(
    database: &Database,
    issuer: IssuerId,
    answer: &Answer,
) -> Result<Answered, StoreError> {
    let mut values = values![issuer.0];
    add_consent(&mut values, answer.consent.as_ref(), &answer.asked)?;
    match &answer.outcome {
        Outcome::Ticket(used, code) => {
            answer_page(database, issuer, *used, code.as_ref(), values).await
        }
        Outcome::Pending(row, approval) => {
            pending::answer(database, issuer, *row, approval.as_ref(), values).await
        }
    }
}

async fn answer_page(
    database: &Database,
    issuer: IssuerId,
    TicketUse { ticket, until }: TicketUse,
    code: Option<&CodeRecord>,
    mut values: PgArguments,
) -> Result<Answered, StoreError> {
    values.add(&ticket[..]).map_err(StoreError::failed)?;
    values.add(until.seconds()).map_err(StoreError::failed)?;
    add_code(&mut values, database, code)?;
    loop {
        if database.did(ANSWER, values.clone()).await? {
            return Ok(Answered::First);
        }
        let key = values![issuer.0, &ticket[..]];
        let before = database.one(ANSWERED, key, |row| {
            Ok(match (row.flag()?, row.flag()?) {
                (false, _) => Answered::Denied,
                (true, false) => Answered::Spent,
                (true, true) => Answered::Code(Arc::new(row.code()?)),
            })
        });
        // The ticket may have expired and been removed meanwhile.
        if let Some(answered) = before.await? {
            return Ok(answered);
        }
    }
}

pub(super) async fn put_code(
    database: &Database,
    issuer: IssuerId,
    code: &CodeRecord,
) -> Result<(), StoreError> {
    let mut values = values![issuer.0];
    add_code(&mut values, database, Some(code))?;
    database.rows(PUT_CODE, values).await?;
    Ok(())
}

pub(super) async fn consents(
    database: &Database,
    issuer: IssuerId,
    subject: &str,
    at: Option<(&str, &Resources)>,
) -> Result<Vec<Consent>, StoreError> {
    let target = at.map(|(client, resources)| target(client, resources.as_str()));
    let actor = user_column(subject).into_bytes();
    let key = values![issuer.0, subject.as_bytes(), actor, target];
    let mut found = database.all(FIND, key, |row| row.consent(subject)).await?;
    let order = |consent: &Consent| (consent.client.clone(), consent.resources.as_str().to_owned());
    found.sort_by_cached_key(order);
    Ok(found)
}

/// The values of [`code_columns`].
fn add_code(
    values: &mut PgArguments,
    database: &Database,
    code: Option<&CodeRecord>,
) -> Result<(), StoreError> {
    let grant = code.map(|code| GrantColumns::of(&code.grant)).transpose()?;
    let add = |values: &mut PgArguments| {
        values.add(code.map(|code| database.key(code.row)))?;
        add_grant(values, grant.as_ref())?;
        values.add(code.map(|code| &code.hash[..]))?;
        values.add(code.map(|code| code.expires.seconds()))?;
        let redirect_uri = code.and_then(|code| code.redirect_uri.as_deref());
        values.add(redirect_uri.map(str::as_bytes))?;
        values.add(code.and_then(|code| code.challenge.as_deref()).map(str::as_bytes))?;
        values.add(code.map(|code| code.redeemed))
    };
    add(values).map_err(StoreError::failed)
}
