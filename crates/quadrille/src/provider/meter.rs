//! Measurements, for the recorder that the application installs for the crate `metrics` (feature
//! `metrics`). Without the feature the functions do nothing.
//!
//! Labels are names from this code, so their number is bounded: no label has a text that a request
//! or an application brings. Counters, gauges and units are named as Prometheus recommends; times
//! are in seconds, and an age or a remaining time is a point in time to compare with `time()`.

use std::time::Duration;

use http::Response;

use crate::{Env, Timestamp, oauth2::ErrorCode};

#[cfg(feature = "metrics")]
use super::store::StoreError;
use sink::{Counter, ON};

/// A duration that is being measured.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Option<Duration>);

impl Stopwatch {
    pub(crate) fn start(env: &Env) -> Self {
        Self(ON.then(|| env.elapsed()))
    }

    fn seconds(self, env: &Env) -> f64 {
        self.0.map_or(0.0, |began| env.elapsed().saturating_sub(began).as_secs_f64())
    }
}

/// The outcome of a request, among the extensions of its response: the code of the error.
#[derive(Clone, Copy)]
struct Outcome(&'static str);

/// Notes on a response that it is an error with this code.
pub(crate) fn note<B>(response: &mut Response<B>, code: &'static str) {
    if ON {
        response.extensions_mut().insert(Outcome(code));
    }
}

/// The label for an error code.
pub(crate) fn label(code: &ErrorCode) -> &'static str {
    code.registered().unwrap_or("other")
}

/// An endpoint answered a request.
pub(crate) fn answered<B>(
    env: &Env,
    endpoint: &'static str,
    began: Stopwatch,
    response: &Response<B>,
) {
    let outcome = response.extensions().get().map_or("ok", |Outcome(code)| code);
    sink::count(REQUESTS, &[("endpoint", endpoint), ("outcome", outcome)]);
    sink::observe(REQUEST_DURATION, &[("endpoint", endpoint)], began.seconds(env));
}

/// A page for users answered a request, with this outcome. Its duration depends on the application.
pub(crate) fn page(page: &'static str, outcome: &'static str) {
    sink::count(REQUESTS, &[("endpoint", page), ("outcome", outcome)]);
}

/// A request was refused because of a limit.
pub(crate) fn limited(limit: &'static str) {
    sink::count(LIMITED, &[("limit", limit)]);
}

/// A verb of the store ended, in an error of this kind if it failed.
#[cfg(feature = "metrics")]
pub(crate) fn verb(env: &Env, verb: &'static str, began: Stopwatch, failed: Option<&'static str>) {
    sink::observe(STORE_DURATION, &[("verb", verb)], began.seconds(env));
    if let Some(kind) = failed {
        sink::count(STORE_ERRORS, &[("kind", kind)]);
    }
}

/// The writer of SQLite commits this number of writes together.
#[cfg(feature = "sqlite")]
#[expect(clippy::cast_precision_loss, reason = "at most a thousand")]
pub(crate) fn batch(writes: usize) {
    sink::observe(SQLITE_BATCH, &[], writes as f64);
}

/// The worker number, and the end of its lease.
pub(crate) fn lease(number: u16, expires: Timestamp) {
    sink::set(WORKER, f64::from(number));
    sink::set(LEASE_EXPIRY, seconds(expires));
}

/// The changes of the store were read.
pub(crate) fn changes_read(at: Timestamp) {
    sink::set(CHANGES_READ, seconds(at));
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit into the mantissa")]
fn seconds(time: Timestamp) -> f64 {
    time.millis() as f64 / 1000.0
}

/// The look-ups of one kind in a cache.
pub(crate) struct Lookups {
    hits: Counter,
    misses: Counter,
}

impl Lookups {
    pub(crate) fn of(kind: &'static str) -> Self {
        let counter = |result| sink::counter(LOOKUPS, &[("kind", kind), ("result", result)]);
        Self { hits: counter("hit"), misses: counter("miss") }
    }

    pub(crate) fn one(&self, is_hit: bool) {
        let counter = if is_hit { &self.hits } else { &self.misses };
        counter.increment(1);
    }
}

/// Describes the measurements of this crate to the recorder of the crate `metrics` that the
/// application has installed, and reports zero errors of each kind, so that the first one is a
/// change of the counter. Call it once, after the recorder is installed and before
/// [`AuthorizationServer::new`](super::AuthorizationServer::new). The guide lists them.
///
/// ```
/// quadrille::provider::describe_metrics();
/// ```
#[cfg(feature = "metrics")]
pub fn describe_metrics() {
    use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
    describe_counter!(REQUESTS, "requests by endpoint and outcome: ok, or the error code");
    describe_histogram!(REQUEST_DURATION, Unit::Seconds, "duration of a request, by endpoint");
    describe_counter!(LIMITED, "requests that were refused because of a limit");
    describe_histogram!(STORE_DURATION, Unit::Seconds, "duration of a verb of the store");
    describe_counter!(STORE_ERRORS, "failures of the store, by kind");
    #[cfg(feature = "sqlite")]
    describe_histogram!(SQLITE_BATCH, Unit::Count, "writes that SQLite committed together");
    describe_counter!(LOOKUPS, "look-ups in the cache, by kind and result");
    describe_gauge!(WORKER, "worker number of this process");
    describe_gauge!(LEASE_EXPIRY, Unit::Seconds, "end of the lease of the worker number");
    describe_gauge!(CHANGES_READ, Unit::Seconds, "last read of the changes of other processes");
    for kind in StoreError::KINDS {
        sink::counter(STORE_ERRORS, &[("kind", kind)]).increment(0);
    }
    for limit in LIMITS {
        sink::counter(LIMITED, &[("limit", limit)]).increment(0);
    }
}

/// The limits of the library.
#[cfg(feature = "metrics")]
const LIMITS: [&str; 7] = [
    "client_authentication",
    "device_codes",
    "hashing",
    "passwords",
    "registration",
    "signed_requests",
    "user_codes",
];

const REQUESTS: &str = "quadrille_requests_total";
const REQUEST_DURATION: &str = "quadrille_request_duration_seconds";
const LIMITED: &str = "quadrille_limited_total";
#[cfg(feature = "metrics")]
const STORE_DURATION: &str = "quadrille_store_duration_seconds";
#[cfg(feature = "metrics")]
const STORE_ERRORS: &str = "quadrille_store_errors_total";
#[cfg(feature = "sqlite")]
const SQLITE_BATCH: &str = "quadrille_sqlite_batch_writes";
const LOOKUPS: &str = "quadrille_cache_lookups_total";
const WORKER: &str = "quadrille_worker_number";
const LEASE_EXPIRY: &str = "quadrille_worker_lease_expiry_timestamp_seconds";
const CHANGES_READ: &str = "quadrille_changes_read_timestamp_seconds";

/// The recorder.
#[cfg(feature = "metrics")]
mod sink {
    pub(super) use metrics::Counter;

    pub(super) const ON: bool = true;

    type Labels<'a> = &'a [(&'static str, &'static str)];

    pub(super) fn counter(name: &'static str, labels: Labels<'_>) -> Counter {
        metrics::counter!(name, labels)
    }

    pub(super) fn count(name: &'static str, labels: Labels<'_>) {
        counter(name, labels).increment(1);
    }

    pub(super) fn observe(name: &'static str, labels: Labels<'_>, value: f64) {
        metrics::histogram!(name, labels).record(value);
    }

    pub(super) fn set(name: &'static str, value: f64) {
        metrics::gauge!(name).set(value);
    }
}

/// Nothing.
#[cfg(not(feature = "metrics"))]
mod sink {
    pub(super) const ON: bool = false;

    type Labels<'a> = &'a [(&'static str, &'static str)];

    pub(super) struct Counter;

    impl Counter {
        pub(super) const fn increment(&self, _by: u64) {}
    }

    pub(super) const fn counter(_name: &'static str, _labels: Labels<'_>) -> Counter {
        Counter
    }

    pub(super) const fn count(_name: &'static str, _labels: Labels<'_>) {}

    pub(super) const fn observe(_name: &'static str, _labels: Labels<'_>, _value: f64) {}

    pub(super) const fn set(_name: &'static str, _value: f64) {}
}
