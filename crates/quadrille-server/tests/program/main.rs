//! The program as a process: its command line and its pages.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

mod account;
mod audit;
mod backup;
mod browser;
mod cache;
#[cfg(feature = "opentelemetry")]
mod canaries;
mod check;
mod choice;
mod claims;
mod client_documents;
mod client_edit;
mod client_lines;
mod clients;
mod clock;
mod cluster;
#[cfg(feature = "opentelemetry")]
mod collector;
mod command_line;
mod connections;
mod consent_about;
mod database;
mod device;
mod exchange;
mod fakes;
mod flow;
mod grants;
mod guessing;
mod hardening;
mod implicit;
mod incremental;
mod issuers;
mod killed;
mod kills;
mod languages;
mod limits;
mod load;
mod log_lines;
mod login;
mod logouts;
mod manual;
mod mariadb;
mod me;
mod migrations;
mod moved;
mod moving;
mod moving_rows;
mod named_files;
mod oauth1;
mod oauth2_crate;
mod observing;
mod openid;
mod openidconnect_crate;
mod outage;
mod own_account;
mod pairwise;
mod passwords;
#[path = "../../../quadrille/tests/shared/ports.rs"]
mod ports;
mod postgres;
mod process;
mod proxy;
mod read_only;
#[path = "../../../quadrille-redis/tests/storage/server.rs"]
#[allow(dead_code, reason = "the tests of storages need more of it")]
mod redis_server;
mod refusals;
mod refused_claims;
mod registration;
mod rules;
mod seals;
#[path = "../../../quadrille-sqlx/tests/storages/servers.rs"]
#[allow(dead_code, reason = "the tests of storages need further servers")]
mod servers;
#[cfg(target_os = "linux")]
mod service_manager;
mod serving;
mod session_management;
mod shared_limits;
mod sign_in;
mod signing_keys;
mod slow;
mod startup;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(feature = "opentelemetry")]
mod traces;
mod two_legged;

/// The program under test, for `process`.
const PROGRAM: &str = env!("CARGO_BIN_EXE_quadrille");
