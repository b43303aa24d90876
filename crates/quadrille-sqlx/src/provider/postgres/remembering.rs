//! The consent that goes with an answer.

use super::super::columns::{epoch_now, number_now};

/// Remembers the consent in `$2` to `$10`, if there is one, `done` has a row and `lives` has one. An
/// ended consent counts as none; one that ended meanwhile changes nothing. `$10` are the scopes that
/// were asked about: others stay as remembered (`Consent::following`).
pub(super) const REMEMBER: &str = concat!(
    "era AS (SELECT ",
    number_now!("$5"),
    " AS number, ",
    epoch_now!("$5", "$3"),
    "::bigint AS epoch), remembered AS (INSERT INTO quadrille_consents AS held
        (issuer, subject, target, client, resources, scopes, given, data, number, epoch)
        SELECT $1, $2, $4, $5, $6, $7, $8, $9, era.number, era.epoch
        FROM done, lives, era WHERE $2 IS NOT NULL
        ON CONFLICT (issuer, subject, target) DO UPDATE SET
        scopes = CASE WHEN held.number = excluded.number AND held.epoch = excluded.epoch
            THEN concat_ws(' ', (SELECT string_agg(kept.name, ' ' ORDER BY kept.n)
                FROM unnest(string_to_array(held.scopes, ' ')) WITH ORDINALITY AS kept(name, n)
                WHERE kept.name <> ALL(string_to_array($10, ' '))
                AND kept.name <> ALL(string_to_array(excluded.scopes, ' '))),
                nullif(excluded.scopes, ''))
            ELSE excluded.scopes END,
        data = CASE WHEN held.number = excluded.number AND held.epoch = excluded.epoch
            THEN coalesce(excluded.data, held.data) ELSE excluded.data END,
        given = excluded.given, number = excluded.number, epoch = excluded.epoch
        WHERE held.number <= excluded.number AND held.epoch <= excluded.epoch)"
);
