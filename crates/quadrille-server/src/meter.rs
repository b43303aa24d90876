//! Measurements of the program, beside those of the library, and the recorder of both.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};

/// The limits of the histograms of durations, in seconds: from a look-up to a timeout.
const DURATIONS: [f64; 17] = [
    0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5,
    1.0, 2.5, 5.0, 10.0,
];

/// The limits of the histograms of numbers of things.
const NUMBERS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];

const CACHE_VERBS: &str = "quadrille_cache_verbs_total";
const CONNECTIONS: &str = "quadrille_connections";
const DATABASE: &str = "quadrille_database_connections";
const REPLICA_LAG: &str = "quadrille_replica_lag_seconds";
const REPLICA_USED: &str = "quadrille_replica_used";
const RESPONSES: &str = "quadrille_http_responses_total";
const SIGN_INS: &str = "quadrille_sign_ins_total";
/// As in the library, which counts its own limits.
const LIMITED: &str = "quadrille_limited_total";

/// Installs the recorder of this process.
///
/// # Errors
/// [`BuildError`] if there is one already.
pub(crate) fn install() -> Result<PrometheusHandle, BuildError> {
    let seconds = Matcher::Suffix("_seconds".to_owned());
    let recorder = PrometheusBuilder::new()
        .set_buckets_for_metric(seconds, &DURATIONS)?
        .set_buckets(&NUMBERS)?
        .build_recorder();
    let handle = recorder.handle();
    metrics::set_global_recorder(recorder)?;
    quadrille::provider::describe_metrics();
    describe_gauge!(CONNECTIONS, "open connections");
    describe_gauge!(DATABASE, "connections to a server of databases by state");
    describe_gauge!(REPLICA_LAG, "time by which a replica of the database lags");
    describe_gauge!(REPLICA_USED, "1 if a replica of the database gets look-ups");
    describe_counter!(RESPONSES, "responses by status");
    describe_counter!(SIGN_INS, "sign-ins by outcome");
    describe_counter!(CACHE_VERBS, "verbs of the cache of short-lived records, by result");
    gauge!(CONNECTIONS).set(0.0);
    database([0; 3]);
    for outcome in ["ok", "failed", "refused"] {
        counter!(SIGN_INS, "outcome" => outcome).increment(0);
    }
    for limit in ["connections_of_address", "connections", "sign_ins"] {
        counter!(LIMITED, "limit" => limit).increment(0);
    }
    Ok(handle)
}

/// An open connection, until this is dropped.
#[derive(Debug)]
pub(crate) struct Connection(());

impl Connection {
    pub(crate) fn opened() -> Self {
        gauge!(CONNECTIONS).increment(1.0);
        Self(())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        gauge!(CONNECTIONS).decrement(1.0);
    }
}

/// The connections to the server of databases: in use, idle, and at most.
pub(crate) fn database([in_use, idle, max]: [u32; 3]) {
    for (state, number) in [("in_use", in_use), ("idle", idle), ("max", max)] {
        gauge!(DATABASE, "state" => state).set(f64::from(number));
    }
}

/// A verb of the cache of short-lived records ended so.
pub(crate) fn cache_verb(verb: &'static str, result: &'static str) {
    counter!(CACHE_VERBS, "verb" => verb, "result" => result).increment(1);
}

/// A request was answered with this status.
pub(crate) fn responded(status: u16) {
    counter!(RESPONSES, "status" => status.to_string()).increment(1);
}

/// A replica of the database, by its place in the settings. One that does not answer has no lag.
pub(crate) fn replica(number: u32, lag: Option<Duration>, is_used: bool) {
    let replica = number.to_string();
    let lag = lag.map_or(f64::INFINITY, |lag| lag.as_secs_f64());
    gauge!(REPLICA_LAG, "replica" => replica.clone()).set(lag);
    gauge!(REPLICA_USED, "replica" => replica).set(f64::from(u8::from(is_used)));
}

/// A connection or a request was refused because of a limit.
pub(crate) fn limited(limit: &'static str) {
    counter!(LIMITED, "limit" => limit).increment(1);
}

/// A sign-in ended so: `ok`, `failed`, or `refused` without a look at the password.
pub(crate) fn sign_in(outcome: &'static str) {
    counter!(SIGN_INS, "outcome" => outcome).increment(1);
}
