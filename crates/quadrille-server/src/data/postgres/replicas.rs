//! Read-only replicas of the database.

use std::{sync::Arc, time::Duration};

use quadrille::provider::store::StoreError;
use quadrille_sqlx::PgStore;

use crate::{
    config::{ConnectionSettings, ReadFrom},
    meter,
};

use super::connect::connect_lazily;

/// The time between two measurements of the lag.
const MEASURE: Duration = Duration::from_secs(1);

/// Lets a store look access tokens up in replicas, and measures how far they lag.
pub(super) fn read_from(
    store: &Arc<PgStore>,
    replicas: &ReadFrom,
    settings: &ConnectionSettings,
) -> Result<(), StoreError> {
    if replicas.urls.is_empty() {
        return Ok(());
    }
    let pools = replicas.urls.iter().map(|url| connect_lazily(url, settings));
    store.read_from(pools.collect::<Result<Vec<_>, _>>()?, replicas.max_lag);
    let store = Arc::clone(store);
    tokio::spawn(async move {
        loop {
            for (number, replica) in (1..).zip(store.replicas().await) {
                meter::replica(number, replica.lag, replica.is_used);
            }
            tokio::time::sleep(MEASURE).await;
        }
    });
    Ok(())
}
