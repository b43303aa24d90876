//! The table of workloads.

use std::borrow::Cow;

use super::{Play, Storage, Store, Target, Workload};

/// `/hello` comes first, as the measure for the others.
pub(crate) const WORKLOADS: [Workload; 32] = [
    Workload {
        title: Cow::Borrowed("hello"),
        connections: 16,
        target: Target::None,
        play: Play::Hello,
    },
    Workload {
        title: Cow::Borrowed("client credentials, memory"),
        connections: 16,
        target: Target::OfHello(0.72),
        play: Play::ClientCredentials(Store::Memory),
    },
    Workload {
        title: Cow::Borrowed("client credentials, a million tokens"),
        connections: 16,
        target: Target::OfOwn(Cow::Borrowed("client credentials, memory"), 0.97),
        play: Play::ClientCredentials(Store::MemoryOfMany),
    },
    Workload {
        title: Cow::Borrowed("client credentials, ES256 JWT"),
        connections: 16,
        target: Target::OfHello(0.23),
        play: Play::ClientCredentialsForJwts,
    },
    Workload {
        title: Cow::Borrowed("client credentials, SQLite FULL, 16"),
        connections: 16,
        target: Target::OfHello(0.28),
        play: Play::ClientCredentials(Store::Sqlite),
    },
    Workload {
        title: Cow::Borrowed("client credentials, SQLite FULL, 128"),
        connections: 128,
        target: Target::OfHello(0.50),
        play: Play::ClientCredentials(Store::Sqlite),
    },
    Workload {
        title: Cow::Borrowed("refresh, memory"),
        connections: 16,
        target: Target::OfHello(0.62),
        play: Play::Refresh(Store::Memory),
    },
    Workload {
        title: Cow::Borrowed("refresh, SQLite FULL, 16"),
        connections: 16,
        target: Target::OfHello(0.20),
        play: Play::Refresh(Store::Sqlite),
    },
    Workload {
        title: Cow::Borrowed("refresh, SQLite FULL, 128"),
        connections: 128,
        target: Target::OfHello(0.28),
        play: Play::Refresh(Store::Sqlite),
    },
    Workload {
        title: Cow::Borrowed("bearer route, memory"),
        connections: 16,
        target: Target::OfHello(0.94),
        play: Play::Bearer(Store::Memory),
    },
    Workload {
        title: Cow::Borrowed("bearer route, beside the same protections"),
        connections: 16,
        target: Target::None,
        play: Play::BearerAlike,
    },
    Workload {
        title: Cow::Borrowed("bearer route, a million tokens"),
        connections: 16,
        target: Target::OfOwn(Cow::Borrowed("bearer route, memory"), 0.97),
        play: Play::Bearer(Store::MemoryOfMany),
    },
    Workload {
        title: Cow::Borrowed("introspection, memory"),
        connections: 16,
        target: Target::OfHello(0.80),
        play: Play::Introspection,
    },
    Workload {
        title: Cow::Borrowed("introspection, beside the same protections"),
        connections: 16,
        target: Target::None,
        play: Play::IntrospectionAlike,
    },
    Workload {
        title: Cow::Borrowed("token exchange, memory"),
        connections: 16,
        target: Target::None,
        play: Play::TokenExchange,
    },
    Workload {
        title: Cow::Borrowed("device poll, pending, memory"),
        connections: 16,
        target: Target::None,
        play: Play::DevicePolls,
    },
    Workload {
        title: Cow::Borrowed("signed route (OAuth 1.0a), memory"),
        connections: 16,
        target: Target::OfHello(0.70),
        play: Play::Signed,
    },
    Workload {
        title: Cow::Borrowed("signed route (OAuth 1.0a), beside the same protections"),
        connections: 16,
        target: Target::None,
        play: Play::SignedAlike,
    },
    Workload {
        title: Cow::Borrowed("code dance, memory"),
        connections: 16,
        target: Target::OfHello(0.235),
        play: Play::Dance,
    },
    Workload {
        title: Cow::Borrowed("code dance with an ID token (ES256)"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::OpenIdDance,
    },
    Workload {
        title: Cow::Borrowed("discovery"),
        connections: 16,
        target: Target::OfHello(0.95),
        play: Play::Discovery,
    },
    Workload {
        title: Cow::Borrowed("login redirect"),
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::LoginRedirect,
    },
    Workload {
        title: Cow::Borrowed("whole login"),
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::Login,
    },
    Workload {
        title: Cow::Borrowed("whole login, beside the same protections"),
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::LoginAlike,
    },
    Workload {
        title: Cow::Borrowed("whole login, own sessions by a hook"),
        connections: 16,
        target: Target::None,
        play: Play::LoginWithSessions,
    },
    Workload {
        title: Cow::Borrowed("whole login by OpenID Connect (ES256)"),
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::OpenIdLogin,
    },
    Workload {
        title: Cow::Borrowed("linked account, cookie"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Cookie),
    },
    Workload {
        title: Cow::Borrowed("linked account, cookie, beside the same protections"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::CookieAlike),
    },
    Workload {
        title: Cow::Borrowed("linked account, SQLite"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Sqlite),
    },
    Workload {
        title: Cow::Borrowed("linked account, SQLite, cached"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::SqliteCached),
    },
    Workload {
        title: Cow::Borrowed("linked account, PostgreSQL"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Postgres),
    },
    Workload {
        title: Cow::Borrowed("linked account, PostgreSQL, cached"),
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::PostgresCached),
    },
];
