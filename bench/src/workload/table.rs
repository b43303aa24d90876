//! The table of workloads.

use super::{Play, Storage, Store, Target, Workload};

/// `/hello` comes first, as the measure for the others.
pub(crate) const WORKLOADS: [Workload; 29] = [
    Workload { title: "hello", connections: 16, target: Target::None, play: Play::Hello },
    Workload {
        title: "client credentials, memory",
        connections: 16,
        target: Target::OfHello(0.72),
        play: Play::ClientCredentials(Store::Memory),
    },
    Workload {
        title: "client credentials, a million tokens",
        connections: 16,
        target: Target::OfOwn("client credentials, memory", 0.97),
        play: Play::ClientCredentials(Store::MemoryOfMany),
    },
    Workload {
        title: "client credentials, ES256 JWT",
        connections: 16,
        target: Target::OfHello(0.23),
        play: Play::ClientCredentialsForJwts,
    },
    Workload {
        title: "client credentials, SQLite FULL, 16",
        connections: 16,
        target: Target::OfHello(0.28),
        play: Play::ClientCredentials(Store::Sqlite),
    },
    Workload {
        title: "client credentials, SQLite FULL, 128",
        connections: 128,
        target: Target::OfHello(0.50),
        play: Play::ClientCredentials(Store::Sqlite),
    },
    Workload {
        title: "refresh, memory",
        connections: 16,
        target: Target::OfHello(0.62),
        play: Play::Refresh(Store::Memory),
    },
    Workload {
        title: "refresh, SQLite FULL, 16",
        connections: 16,
        target: Target::OfHello(0.20),
        play: Play::Refresh(Store::Sqlite),
    },
    Workload {
        title: "refresh, SQLite FULL, 128",
        connections: 128,
        target: Target::OfHello(0.28),
        play: Play::Refresh(Store::Sqlite),
    },
    Workload {
        title: "bearer route, memory",
        connections: 16,
        target: Target::OfHello(0.94),
        play: Play::Bearer(Store::Memory),
    },
    Workload {
        title: "bearer route, beside the same protections",
        connections: 16,
        target: Target::None,
        play: Play::BearerAlike,
    },
    Workload {
        title: "bearer route, a million tokens",
        connections: 16,
        target: Target::OfOwn("bearer route, memory", 0.97),
        play: Play::Bearer(Store::MemoryOfMany),
    },
    Workload {
        title: "introspection, memory",
        connections: 16,
        target: Target::OfHello(0.80),
        play: Play::Introspection,
    },
    Workload {
        title: "introspection, beside the same protections",
        connections: 16,
        target: Target::None,
        play: Play::IntrospectionAlike,
    },
    Workload {
        title: "token exchange, memory",
        connections: 16,
        target: Target::None,
        play: Play::TokenExchange,
    },
    Workload {
        title: "device poll, pending, memory",
        connections: 16,
        target: Target::None,
        play: Play::DevicePolls,
    },
    Workload {
        title: "signed route (OAuth 1.0a), memory",
        connections: 16,
        target: Target::OfHello(0.70),
        play: Play::Signed,
    },
    Workload {
        title: "signed route (OAuth 1.0a), beside the same protections",
        connections: 16,
        target: Target::None,
        play: Play::SignedAlike,
    },
    Workload {
        title: "code dance, memory",
        connections: 16,
        target: Target::OfHello(0.235),
        play: Play::Dance,
    },
    Workload {
        title: "login redirect",
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::LoginRedirect,
    },
    Workload {
        title: "whole login",
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::Login,
    },
    Workload {
        title: "whole login, beside the same protections",
        connections: 16,
        target: Target::OfBare(1.0),
        play: Play::LoginAlike,
    },
    Workload {
        title: "whole login, own sessions by a hook",
        connections: 16,
        target: Target::None,
        play: Play::LoginWithSessions,
    },
    Workload {
        title: "linked account, cookie",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Cookie),
    },
    Workload {
        title: "linked account, cookie, beside the same protections",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::CookieAlike),
    },
    Workload {
        title: "linked account, SQLite",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Sqlite),
    },
    Workload {
        title: "linked account, SQLite, cached",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::SqliteCached),
    },
    Workload {
        title: "linked account, PostgreSQL",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::Postgres),
    },
    Workload {
        title: "linked account, PostgreSQL, cached",
        connections: 16,
        target: Target::OfBare(0.90),
        play: Play::Linked(Storage::PostgresCached),
    },
];
