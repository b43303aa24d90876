//! The provider as applications and clients see it: in one process, over its real endpoints.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

mod access;
mod assertion_audiences;
mod audience;
mod authorize;
mod bound;
mod cache_away;
mod canaries;
mod client_assertions;
mod client_documents;
mod client_guessing;
mod client_limits;
mod client_redirects;
mod client_rules;
mod client_secrets;
mod clients;
mod clocks;
mod consent;
mod decided_grants;
mod device;
#[cfg(feature = "http-client")]
mod elsewhere;
#[cfg(feature = "http-client")]
mod fetch;
mod gone;
mod granted;
mod guide;
mod header_keys;
mod implicit;
mod introspect;
mod issuing;
mod jwt;
#[cfg(feature = "http-client")]
mod jwt_elsewhere;
#[path = "../memory/lent.rs"]
mod lent;
mod logged;
mod matrix;
mod metadata;
mod mounting;
mod oauth1_api;
mod oauth1_bad_input;
mod oauth1_bodies;
mod oauth1_copied;
mod oauth1_dance;
#[cfg(feature = "http-client")]
mod oauth1_elsewhere;
mod oauth1_laws;
mod oauth1_races;
mod oauth1_replays;
mod oauth1_support;
mod openid;
mod own_tables;
mod passwords;
mod protected_resource;
mod races;
mod registration;
mod reseal;
mod response_types;
mod restored;
mod revoke;
mod scope_tree;
mod scopes;
mod shared_limits;
mod step_up;
mod support;
mod token;
mod token_exchange;
mod token_texts;
mod two_processes;
mod unanswered;
mod verifier_faults;
mod ways;
