//! The consent that goes with an answer.

use quadrille::{
    Scopes,
    provider::store::{Consent, IssuerId, StoreError, user_column},
};
use sqlx::MySqlPool;

use super::super::{
    columns::{epoch_now, number_now},
    database::Steps,
    reader::target,
    values::{Value, Values, values},
};

const ERA: &str =
    concat!("SELECT ", number_now!("$2"), ", CAST(", epoch_now!("$2", "$3"), " AS SIGNED)");
const LOCK: &str = "SELECT number, epoch, client, resources, scopes, given, data
    FROM quadrille_consents WHERE issuer = $1 AND subject = $2 AND target = $3 FOR UPDATE";
const REMEMBER: &str = "INSERT INTO quadrille_consents
    (issuer, subject, target, client, resources, scopes, given, data, number, epoch)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT DO NOTHING";
const FORGET: &str =
    "DELETE FROM quadrille_consents WHERE issuer = $1 AND subject = $2 AND target = $3";

/// Remembers a consent; an ended one counts as none.
pub(super) async fn remember(
    steps: &mut Steps<MySqlPool>,
    issuer: IssuerId,
    consent: &Consent,
    asked: &Scopes,
) -> Result<(), StoreError> {
    let subject = &consent.subject;
    let target = target(&consent.client, consent.resources.as_str());
    let of_user = values![issuer.0, consent.client.as_bytes(), user_column(subject).into_bytes()];
    let era = steps.one(ERA, of_user, |row| Ok((row.number()?, row.number()?)));
    let era: (i64, i64) = era.await?.ok_or(StoreError::Corrupt("a consent"))?;
    let place = values![issuer.0, Value::key(subject), &target[..]];
    let held = steps.one(LOCK, place.clone(), |row| {
        Ok(((row.number()?, row.number()?), row.consent(subject)?))
    });
    let held = held.await?;
    if let Some((then, _)) = &held {
        if then.0 > era.0 || then.1 > era.1 {
            // This one has ended meanwhile.
            return Ok(());
        }
        steps.run(FORGET, place.clone()).await?;
    }
    let held = held.filter(|(then, _)| *then == era).map(|(_, held)| held);
    let consent = consent.clone().following(held.as_ref(), asked);
    let data = (!consent.data.is_empty()).then(|| serde_json::to_string(&consent.data));
    let data = data.transpose().map_err(|_| StoreError::Corrupt("a consent"))?;
    let mut values: Values = place;
    values.extend(values![
        Value::key(&consent.client),
        consent.resources.as_str(),
        consent.scopes.as_str(),
        consent.given.seconds(),
        data,
        era.0,
        era.1
    ]);
    // Otherwise another process has stored a consent meanwhile, with which this one is merged.
    (steps.run(REMEMBER, values).await? > 0).then_some(()).ok_or(StoreError::Busy)
}
