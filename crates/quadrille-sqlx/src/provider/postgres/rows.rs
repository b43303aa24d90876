//! Rows, and the columns that the statements have in common.

use quadrille::provider::store::StoreError;
use sqlx::{Row as _, postgres::PgRow};

use super::super::{
    fault::reason,
    reader::{self, Fields},
};

pub(super) type Reader<'r> = reader::Reader<'r, PgRow>;

impl Fields for PgRow {
    fn number(&self, place: usize) -> Result<Option<i64>, StoreError> {
        self.try_get(place).map_err(reason)
    }

    fn flag(&self, place: usize) -> Result<Option<bool>, StoreError> {
        self.try_get(place).map_err(reason)
    }

    fn bytes(&self, place: usize) -> Result<Option<&[u8]>, StoreError> {
        // Columns of texts, too.
        self.try_get_unchecked(place).map_err(reason)
    }
}

/// The columns of a grant.
macro_rules! grant_columns {
    () => {
        "grant_id, client, actor, scopes, resources, auth"
    };
}
pub(super) use grant_columns;

macro_rules! code_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, hash, expires, redirect_uri, \
         challenge, redeemed"
    };
}
pub(super) use code_columns;

macro_rules! access_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, hash, expires, binding, exchange"
    };
}
pub(super) use access_columns;

macro_rules! family_columns {
    () => {
        "\"row\", grant_id, client, actor, scopes, resources, auth, generation, current, previous, \
         rotated, rotated_scopes, rotated_resources, expires, ends"
    };
}
pub(super) use family_columns;

/// The condition that the grant of row `t` is alive: its client exists and is not younger, and the
/// grant is not revoked.
macro_rules! alive {
    () => {
        "EXISTS (SELECT 1 FROM quadrille_clients c
            WHERE c.issuer = t.issuer AND c.id = t.client AND c.number <= t.grant_id)
        AND NOT EXISTS (SELECT 1 FROM quadrille_revoked r
            WHERE r.\"row\" = mix(t.grant_id) AND r.issuer = t.issuer)
        AND (t.actor IS NULL OR NOT EXISTS (SELECT 1 FROM quadrille_cut cut
            WHERE cut.issuer = t.issuer AND cut.actor = t.actor
            AND cut.client IN ('', t.client) AND cut.last >= t.grant_id))"
    };
}
pub(super) use alive;
