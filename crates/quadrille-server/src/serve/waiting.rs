//! A database that is not there yet when the program starts.

use std::time::Duration;

use quadrille::Env;

use crate::{
    config::Settings,
    data::{Data, DataError},
};

const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Opens the data. Waits for a server that does not answer, as long as the settings say; whatever
/// waiting cannot mend is an error at once.
pub(super) async fn open(settings: &Settings) -> Result<Data, DataError> {
    let (env, mut pause) = (Env::system(), FIRST_PAUSE);
    let began = env.steady();
    loop {
        let error = match Data::open_or_make(settings).await {
            Err(error) if error.may_pass() => error,
            opened => return opened,
        };
        let left = settings.connection.wait.saturating_sub(env.steady().since(began));
        if left.is_zero() {
            return Err(error);
        }
        tracing::warn!(reason = %error, "waiting for the database, {} s at most", left.as_secs());
        tokio::time::sleep(pause.min(left)).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}
