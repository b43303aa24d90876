//! Answers to a consent page, with code and consent.

use std::sync::Arc;

use quadrille::{
    Scopes,
    oauth2::Resources,
    provider::store::{
        Answer, Answered, CodeRecord, Consent, IssuerId, Outcome, StoreError, TicketUse,
        user_column,
    },
};

use super::{
    super::{fault::run, reader::target},
    database::{Database, Steps, key, values},
    pending,
    rows::{alive, code_columns},
    tokens,
};

/// The number of the client of `c`, or -1, and the sum of the epochs of the user and that client.
macro_rules! era {
    () => {
        "coalesce((SELECT k.number FROM quadrille_clients k
            WHERE k.issuer = c.issuer AND k.id = c.client), -1) AS now_number,
        CAST(coalesce((SELECT sum(cut.epoch) FROM quadrille_cut cut WHERE cut.issuer = c.issuer
            AND cut.actor = c.actor AND cut.client IN ('', c.client)), 0) AS SIGNED) AS now_epoch"
    };
}

const ERA: &str = concat!(
    "SELECT ",
    era!(),
    " FROM (SELECT ? AS issuer, CAST(? AS BINARY) AS client, CAST(? AS BINARY) AS actor) c"
);

macro_rules! find {
    ($rest:literal) => {
        concat!(
            "SELECT client, resources, scopes, given, data FROM (SELECT c.*, ",
            era!(),
            " FROM (SELECT h.*, CAST(concat('u', h.subject) AS BINARY) AS actor
                FROM quadrille_consents h WHERE h.issuer = ? AND h.subject = ?",
            $rest,
            ") c) held WHERE number = now_number AND epoch = now_epoch"
        )
    };
}

const FIND: &str = find!(" AND h.target = ?");
const LIST: &str = find!("");

const LOCK: &str = "SELECT number, epoch, client, resources, scopes, given, data
    FROM quadrille_consents WHERE issuer = ? AND subject = ? AND target = ? FOR UPDATE";
const REMEMBER: &str = "INSERT INTO quadrille_consents
    (issuer, subject, target, client, resources, scopes, given, data, number, epoch)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
const FORGET: &str =
    "DELETE FROM quadrille_consents WHERE issuer = ? AND subject = ? AND target = ?";

const USE_TICKET: &str =
    "INSERT INTO quadrille_tickets (issuer, ticket, code, expires) VALUES (?, ?, ?, ?)";
const ANSWERED: &str = "SELECT code FROM quadrille_tickets WHERE issuer = ? AND ticket = ?";
const UNSPENT: &str = concat!(
    "SELECT ",
    code_columns!(),
    " FROM quadrille_codes t WHERE t.`row` = ? AND t.issuer = ? AND NOT t.redeemed AND ",
    alive!()
);
const LIVES: &str =
    concat!("SELECT 1 FROM quadrille_codes t WHERE t.`row` = ? AND t.issuer = ? AND ", alive!());

pub(super) async fn answer(
    database: &Database,
    issuer: IssuerId,
    answer: &Answer,
) -> Result<Answered, StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        let (answered, lives) = match &answer.outcome {
            Outcome::Ticket(used, code) => {
                answer_page(&mut steps, issuer, *used, code.as_ref()).await?
            }
            Outcome::Pending(row, approval) => {
                pending::answer(&mut steps, issuer, *row, approval.as_ref()).await?
            }
        };
        if let (Answered::First, true, Some(consent)) = (&answered, lives, &answer.consent) {
            remember(&mut steps, issuer, consent, &answer.asked).await?;
        }
        steps.commit().await?;
        Ok(answered)
    })
    .await
}

/// Stores an answer to a page with a ticket, and says whether its grant is alive.
async fn answer_page(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    TicketUse { ticket, until }: TicketUse,
    code: Option<&CodeRecord>,
) -> Result<(Answered, bool), StoreError> {
    let row = code.map(|code| code.row.0);
    if steps.insert(USE_TICKET, values![issuer.0, &ticket[..], row, until.seconds()]).await? {
        let Some(code) = code else { return Ok((Answered::First, true)) };
        tokens::put_code(steps, issuer, code).await?;
        let lives = steps.one(LIVES, values![code.row.0, issuer.0], |_| Ok(())).await?;
        return Ok((Answered::First, lives.is_some()));
    }
    let key = values![issuer.0, &ticket[..]];
    let before = steps.one(ANSWERED, key, |row| row.optional_number()).await?;
    // The ticket may have expired and been removed meanwhile.
    let Some(before) = before else { return Err(StoreError::Busy) };
    let Some(code) = before else { return Ok((Answered::Denied, false)) };
    let unspent = steps.one(UNSPENT, values![code, issuer.0], |row| row.code()).await?;
    Ok((unspent.map_or(Answered::Spent, |code| Answered::Code(Arc::new(code))), false))
}

/// Remembers a consent; an ended one counts as none.
async fn remember(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    consent: &Consent,
    asked: &Scopes,
) -> Result<(), StoreError> {
    let (subject, client) = (key(&consent.subject)?, key(&consent.client)?);
    let target = target(&consent.client, consent.resources.as_str());
    let actor = user_column(&consent.subject).into_bytes();
    let era =
        steps.one(ERA, values![issuer.0, client, actor], |row| Ok((row.number()?, row.number()?)));
    let era: (i64, i64) = era.await?.ok_or(StoreError::Corrupt("a consent"))?;
    let place = || Ok::<_, StoreError>(values![issuer.0, subject, &target[..]]);
    let held = steps.one(LOCK, place()?, |row| {
        Ok(((row.number()?, row.number()?), row.consent(&consent.subject)?))
    });
    let held = held.await?;
    if let Some((then, _)) = &held {
        if then.0 > era.0 || then.1 > era.1 {
            // This one has ended meanwhile.
            return Ok(());
        }
        steps.run(FORGET, place()?).await?;
    }
    let held = held.filter(|(then, _)| *then == era).map(|(_, held)| held);
    let consent = consent.clone().following(held.as_ref(), asked);
    let data = match consent.data.is_empty() {
        true => None,
        false => Some(serde_json::to_vec(&consent.data)),
    };
    let data = data.transpose().map_err(|_| StoreError::Corrupt("a consent"))?;
    let values = values![
        issuer.0,
        subject,
        &target[..],
        client,
        consent.resources.as_str().as_bytes(),
        consent.scopes.as_str().as_bytes(),
        consent.given.seconds(),
        data,
        era.0,
        era.1
    ];
    // Otherwise another process has stored a consent meanwhile, with which this one is merged.
    steps.insert(REMEMBER, values).await?.then_some(()).ok_or(StoreError::Busy)
}

pub(super) async fn consents(
    database: &Database,
    issuer: IssuerId,
    subject: &str,
    at: Option<(&str, &Resources)>,
) -> Result<Vec<Consent>, StoreError> {
    let (sql, key) = match at {
        Some((client, resources)) => {
            let target = target(client, resources.as_str());
            (FIND, values![issuer.0, subject.as_bytes(), target])
        }
        None => (LIST, values![issuer.0, subject.as_bytes()]),
    };
    let mut found = database.all(sql, key, |row| row.consent(subject)).await?;
    let order = |consent: &Consent| (consent.client.clone(), consent.resources.as_str().to_owned());
    found.sort_by_cached_key(order);
    Ok(found)
}

/// Stores a code granted without a page.
pub(super) async fn put_code(
    database: &Database,
    issuer: IssuerId,
    code: &CodeRecord,
) -> Result<(), StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        tokens::put_code(&mut steps, issuer, code).await?;
        steps.commit().await
    })
    .await
}
