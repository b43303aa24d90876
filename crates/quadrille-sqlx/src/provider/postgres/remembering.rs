//! The consent that goes with an answer.

use quadrille::{
    Scopes,
    provider::store::{Consent, GrantColumns, StoreError, user_column},
};
use sqlx::{Arguments as _, postgres::PgArguments};

use super::super::reader::target;

/// The sum of the epochs of a user (`$user`) and a client, and the number of the client.
macro_rules! era {
    ($client:literal, $user:literal) => {
        concat!(
            "coalesce((SELECT number FROM quadrille_clients WHERE issuer = $1 AND id = ",
            $client,
            "), -1) AS number, coalesce((SELECT sum(epoch) FROM quadrille_cut WHERE issuer = $1
            AND actor = ",
            $user,
            " AND client IN ('', ",
            $client,
            ")), 0)::bigint AS epoch"
        )
    };
}

/// Remembers the consent in `$2` to `$10`, if there is one, `done` has a row and `lives` has one. An
/// ended consent counts as none; one that ended meanwhile changes nothing. `$10` are the scopes that
/// were asked about: others stay as remembered (`Consent::following`).
macro_rules! remember {
    () => {
        concat!(
            "era AS (SELECT ",
            era!("$5", "$3"),
            "), remembered AS (INSERT INTO quadrille_consents AS held
                (issuer, subject, target, client, resources, scopes, given, data, number, epoch)
                SELECT $1, $2, $4, $5, $6, $7, $8, $9, era.number, era.epoch
                FROM done, lives, era WHERE $2 IS NOT NULL
                ON CONFLICT (issuer, subject, target) DO UPDATE SET
                scopes = CASE WHEN held.number = excluded.number AND held.epoch = excluded.epoch
                    THEN concat_ws(' ', (SELECT string_agg(kept.name, ' ' ORDER BY kept.n)
                        FROM unnest(string_to_array(held.scopes, ' ')) WITH ORDINALITY
                            AS kept(name, n)
                        WHERE kept.name <> ALL(string_to_array($10, ' '))
                        AND kept.name <> ALL(string_to_array(excluded.scopes, ' '))),
                        nullif(excluded.scopes, ''))
                    ELSE excluded.scopes END,
                data = CASE WHEN held.number = excluded.number AND held.epoch = excluded.epoch
                    THEN coalesce(excluded.data, held.data) ELSE excluded.data END,
                given = excluded.given, number = excluded.number, epoch = excluded.epoch
                WHERE held.number <= excluded.number AND held.epoch <= excluded.epoch)"
        )
    };
}
pub(super) use {era, remember};

/// The values `$2` to `$10` of [`remember`].
pub(super) fn add_consent(
    values: &mut PgArguments,
    consent: Option<&Consent>,
    asked: &Scopes,
) -> Result<(), StoreError> {
    let data = consent.filter(|consent| !consent.data.is_empty());
    let data = data.map(|consent| serde_json::to_string(&consent.data)).transpose();
    let data = data.map_err(|_| StoreError::Corrupt("a consent"))?;
    let add = |values: &mut PgArguments| {
        values.add(consent.map(|consent| consent.subject.as_bytes()))?;
        values.add(consent.map(|consent| user_column(&consent.subject).into_bytes()))?;
        let target = consent.map(|consent| target(&consent.client, consent.resources.as_str()));
        values.add(target)?;
        values.add(consent.map(|consent| consent.client.as_bytes()))?;
        values.add(consent.map(|consent| consent.resources.as_str()))?;
        values.add(consent.map(|consent| consent.scopes.as_str()))?;
        values.add(consent.map(|consent| consent.given.seconds()))?;
        values.add(data)?;
        values.add(asked.as_str())
    };
    add(values).map_err(StoreError::failed)
}

/// The values of the columns of a grant.
pub(super) fn add_grant(
    values: &mut PgArguments,
    grant: Option<&GrantColumns<'_>>,
) -> Result<(), sqlx::error::BoxDynError> {
    values.add(grant.map(|grant| grant.id))?;
    values.add(grant.map(|grant| grant.client.as_bytes()))?;
    add_approved(values, grant)
}

/// The values of the columns of a grant from `actor` on.
pub(super) fn add_approved(
    values: &mut PgArguments,
    grant: Option<&GrantColumns<'_>>,
) -> Result<(), sqlx::error::BoxDynError> {
    values.add(grant.and_then(|grant| grant.actor.as_deref()).map(str::as_bytes))?;
    values.add(grant.map(|grant| &*grant.scopes))?;
    values.add(grant.map(|grant| &*grant.resources))?;
    values.add(grant.and_then(|grant| grant.auth.as_deref()))
}
