//! Answers to a consent page, with code and consent.

use std::sync::Arc;

use quadrille::{
    oauth2::Resources,
    provider::store::{
        Answer, Answered, CodeRecord, Consent, IssuerId, Outcome, StoreError, TicketUse,
        user_column,
    },
};

use super::{
    batches::{Entry, Turn},
    columns::{add_code, alive, code_columns, epoch_now, number_now},
    database::Database,
    dialect::Dialect,
    engine::{Engine, Write},
    pending,
    reader::target,
    values::{Value, Values, values},
};

/// The ticket is `$11`, its end `$12`; the code, if there is one, `$13` to `$24`.
static ANSWER: Write = Write {
    first: "INSERT INTO quadrille_tickets (issuer, ticket, code, expires)
        VALUES ($1, $11, $13, $12) ON CONFLICT DO NOTHING",
    in_turn: &[],
    then: &[concat!(
        "INSERT INTO quadrille_codes (issuer, ",
        code_columns!(),
        ") SELECT $1, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24 FROM done
            WHERE $13 IS NOT NULL"
    )],
    tells: None,
    lives: Some(concat!(
        "SELECT 1 FROM (SELECT $1::bigint AS issuer, $14::bigint AS grant_id,
            $15::bytea AS client, $16::bytea AS actor) t WHERE t.grant_id IS NULL OR (",
        alive!(),
        ")"
    )),
};

/// The result of an earlier answer to the page: its code, and whether it is unspent.
const ANSWERED: &str = concat!(
    "SELECT ticket.used IS NOT NULL, live.grant_id IS NOT NULL, ",
    code_columns!(),
    " FROM (SELECT code AS used FROM quadrille_tickets
        WHERE issuer = $1 AND ticket = $2) ticket
    LEFT JOIN (SELECT * FROM quadrille_codes t WHERE NOT t.redeemed AND t.issuer = $1
        AND t.\"row\" = (SELECT code FROM quadrille_tickets WHERE issuer = $1 AND ticket = $2)
        AND ",
    alive!(),
    ") live ON live.\"row\" = ticket.used"
);

macro_rules! find {
    ($where:literal) => {
        concat!(
            "SELECT client, resources, scopes, given, data FROM quadrille_consents c
            WHERE c.issuer = $1 AND c.subject = $2",
            $where,
            " AND c.number = ",
            number_now!("c.client"),
            " AND c.epoch = ",
            epoch_now!("c.client", "$3")
        )
    };
}

const FIND: &str = find!(" AND c.target = $4");
const LIST: &str = find!("");

pub(super) async fn answer<E: Dialect>(
    database: &Database<E>,
    issuer: IssuerId,
    answer: &Answer,
) -> Result<Answered, StoreError> {
    let values = consent_values(issuer, answer)?;
    match &answer.outcome {
        Outcome::Ticket(used, code) => {
            answer_page(database, (issuer, answer), *used, code.as_ref(), values).await
        }
        Outcome::Pending(row, approval) => {
            pending::answer(database, (issuer, answer), *row, approval.as_ref(), values).await
        }
    }
}

async fn answer_page<E: Dialect>(
    database: &Database<E>,
    (issuer, answer): (IssuerId, &Answer),
    TicketUse { ticket, until }: TicketUse,
    code: Option<&CodeRecord>,
    mut values: Values,
) -> Result<Answered, StoreError> {
    values.push(&ticket);
    values.push(until.seconds());
    add_code(&mut values, database, code)?;
    loop {
        if E::answer(database, &ANSWER, values.clone(), issuer, answer).await? {
            return Ok(Answered::First);
        }
        let before = database.one(ANSWERED, values![issuer.0, &ticket], |row| {
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

/// A code granted without a page.
pub(super) struct PuttingCode {
    pub(super) issuer: IssuerId,
    pub(super) code: CodeRecord,
}

impl<E: Dialect> Entry<E> for PuttingCode {
    type Answer = ();

    async fn run(database: &Database<E>, entries: &[&Self]) -> Result<Vec<Turn<()>>, StoreError> {
        let values = entries.iter().map(|entry| {
            let mut values = values![entry.issuer.0];
            add_code(&mut values, database, Some(&entry.code))?;
            Ok(values)
        });
        let values = values.collect::<Result<_, StoreError>>()?;
        E::put_codes(database, values).await?;
        Ok(entries.iter().map(|_| Turn::Done(())).collect())
    }
}

pub(super) async fn consents<E: Engine>(
    database: &Database<E>,
    issuer: IssuerId,
    subject: &str,
    at: Option<(&str, &Resources)>,
) -> Result<Vec<Consent>, StoreError> {
    let mut key = values![issuer.0, subject.as_bytes(), user_column(subject).into_bytes()];
    let sql = match at {
        Some((client, resources)) => {
            key.push(target(client, resources.as_str()));
            FIND
        }
        None => LIST,
    };
    let mut found = database.all(sql, key, |row| row.consent(subject)).await?;
    let order = |consent: &Consent| (consent.client.clone(), consent.resources.as_str().to_owned());
    found.sort_by_cached_key(order);
    Ok(found)
}

/// The issuer, and the consent in `$2` to `$10`: subject, actor, target, client, resources, scopes,
/// the time, data, and the scopes that were asked about.
fn consent_values(issuer: IssuerId, answer: &Answer) -> Result<Values, StoreError> {
    let consent = answer.consent.as_ref();
    let data = consent.filter(|consent| !consent.data.is_empty());
    let data = data.map(|consent| serde_json::to_string(&consent.data)).transpose();
    let data = data.map_err(|_| StoreError::Corrupt("a consent"))?;
    Ok(values![
        issuer.0,
        Value::Key(consent.map(|consent| consent.subject.as_bytes().to_vec())),
        Value::Actor(consent.map(|consent| user_column(&consent.subject).into_bytes())),
        consent.map(|consent| target(&consent.client, consent.resources.as_str())),
        Value::Key(consent.map(|consent| consent.client.as_bytes().to_vec())),
        consent.map(|consent| consent.resources.as_str()),
        consent.map(|consent| consent.scopes.as_str()),
        consent.map(|consent| consent.given.seconds()),
        data,
        answer.asked.as_str()
    ])
}
