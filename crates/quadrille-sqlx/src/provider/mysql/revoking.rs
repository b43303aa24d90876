//! Revocation of a grant, and of all grants of a user.

use std::sync::Arc;

use quadrille::{
    Timestamp,
    provider::store::{Change, IssuerId, RevokeAll, RowId, StoreError, user_column},
};
use sqlx::mysql::MySqlArguments;

use super::{
    super::fault::run,
    database::{Database, Steps, key, values},
};

const REVOKE: &str = "INSERT INTO quadrille_revoked (`row`, issuer, expires) VALUES (?, ?, ?)";
const CREDENTIALS: &str = "DELETE FROM quadrille_token_credentials WHERE `row` = ? AND issuer = ?";
const CUT: &str = "INSERT INTO quadrille_cut (issuer, actor, client, last, epoch)
    VALUES (?, ?, ?, ?, 1) ON DUPLICATE KEY UPDATE
    last = greatest(last, VALUES(last)), epoch = epoch + 1";
const CONSENTS: &str = "DELETE FROM quadrille_consents
    WHERE issuer = ? AND subject = ? AND ? IN ('', client)";
const CREDENTIALS_OF: &str = "DELETE FROM quadrille_token_credentials
    WHERE issuer = ? AND actor = ? AND ? IN ('', client) AND grant_id <= ?";
const NEWEST: &str = "UPDATE quadrille_newest SET number = ? WHERE id = 1 AND number < ?";

const COUNT: &str = "UPDATE quadrille_positions SET last = last + 1 WHERE id = 1";
const TELL: &str = "INSERT INTO quadrille_changes (position, issuer, told)
    SELECT last, ?, ? FROM quadrille_positions WHERE id = 1";
const FORGET: &str = "DELETE FROM quadrille_changes
    WHERE position = (SELECT last - 10000 FROM quadrille_positions WHERE id = 1)";

pub(super) async fn revoke_grant(
    database: &Database,
    issuer: IssuerId,
    grant: RowId,
    until: Timestamp,
) -> Result<bool, StoreError> {
    run(|| async {
        let mut steps = database.begin().await?;
        if !steps.insert(REVOKE, values![grant.0, issuer.0, until.seconds()]).await? {
            return Ok(false);
        }
        steps.run(CREDENTIALS, values![grant.0, issuer.0]).await?;
        tell(&mut steps, issuer, &Change::Grant(grant)).await?;
        steps.commit().await?;
        Ok(true)
    })
    .await
}

pub(super) async fn revoke_all(
    database: &Database,
    issuer: IssuerId,
    what: &RevokeAll,
    last: RowId,
) -> Result<(), StoreError> {
    let (subject, client) = match what {
        RevokeAll::Subject(subject) => (subject, ""),
        RevokeAll::Consent { subject, client } => (subject, &**client),
    };
    let (client, actor) = (key(client)?, user_column(subject));
    run(|| async {
        let mut steps = database.begin().await?;
        let actor = actor.as_bytes();
        steps.run(CUT, values![issuer.0, actor, client, last.0]).await?;
        steps.run(CONSENTS, values![issuer.0, key(subject)?, client]).await?;
        steps.run(CREDENTIALS_OF, values![issuer.0, actor, client, last.0]).await?;
        if last != RowId::MAX {
            remember_newest(&mut steps, last).await?;
        }
        tell(&mut steps, issuer, &Change::Subject(Arc::clone(subject))).await?;
        steps.commit().await
    })
    .await
}

pub(super) async fn remember_newest(
    steps: &mut Steps<'_>,
    number: RowId,
) -> Result<(), StoreError> {
    steps.run(NEWEST, values![number.0, number.0]).await.map(drop)
}

/// Tells a change. The row of the last position stays locked until the commit.
pub(super) async fn tell(
    steps: &mut Steps<'_>,
    issuer: IssuerId,
    change: &Change,
) -> Result<(), StoreError> {
    let change = serde_json::to_vec(change).map_err(|_| StoreError::Corrupt("a change"))?;
    steps.run(COUNT, MySqlArguments::default()).await?;
    steps.run(TELL, values![issuer.0, change]).await?;
    steps.run(FORGET, MySqlArguments::default()).await.map(drop)
}
