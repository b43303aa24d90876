//! Rows of an embedded database that moves.

use std::{collections::BTreeMap, path::Path};

use rusqlite::types::Value as Field;

/// The tables that move, with rows of every kind for the issuer 1.
pub(crate) const ROWS: [(&str, &str); 16] = [
    ("clients", "(issuer, id, number, record) VALUES (1, 'other ''é''', 5, '')"),
    (
        "unused_clients",
        "(issuer, id, number, address, expires) VALUES (1, 'a', 7, NULL, 9000000000),
        (1, 'b', 8, '192.0.2.1', 9000000000)",
    ),
    (
        "initial_tokens",
        "(row, issuer, hash, name, uses, expires) VALUES (11, 1, randomblob(32), 'ß',
        3, 9000000000)",
    ),
    (
        "cut",
        "(issuer, actor, client, last) VALUES (1, 'ubob', '', 9223372036854775807),
        (1, 'uada', 'app', 12)",
    ),
    ("removed", "(issuer, subject, last) VALUES (1, 'zoë', 16), (1, 'bob', 12)"),
    ("revoked", "(grant_id, issuer, expires) VALUES (13, 1, 9000000000)"),
    (
        "consents",
        "(issuer, subject, client, resources, scopes, given, data) VALUES (1, 'eve',
        'other ''é''', 'https://a.example', 'x y', 5, '{\"album\":1}'), (1, 'eve',
        'other ''é''', '', 'x', 6, NULL)",
    ),
    (
        "codes",
        "(row, issuer, grant_id, client, actor, scopes, resources, auth, hash,
        expires, redirect_uri, challenge, redeemed) VALUES (17, 1, 14, 'a', NULL, '',
        '', NULL, randomblob(32), 9000000000, NULL, NULL, 1)",
    ),
    (
        "access_tokens",
        "(row, issuer, grant_id, client, actor, scopes, resources, auth, hash,
        expires, binding, exchange) VALUES (18, 1, 14, 'a', 'cb', 'x', '', '{}',
        randomblob(32), 9000000000, 'jkt:x', '{}')",
    ),
    (
        "families",
        "(row, issuer, grant_id, client, actor, scopes, resources, auth, generation,
        current, previous, rotated, expires,
        ends) VALUES (19, 1, 14, 'a', 'uada', 'x', '', NULL, 7, randomblob(32), NULL,
        3, 9000000000, 9000000010)",
    ),
    (
        "grants",
        "(grant_id, issuer, client, actor, scopes, resources, auth, family,
        expires) VALUES (14, 1, 'a', 'uada', 'x', '', NULL, NULL, 9000000000), (15,
        1, 'a', 'uada', 'x', '', NULL, 19, 9000000000)",
    ),
    (
        "foreign_tokens",
        "(key, row, expires) VALUES (unhex('0000000000000001' || hex(randomblob(32))),
        18, 9000000000)",
    ),
    (
        "tickets",
        "(key, code,
        expires) VALUES (unhex('0000000000000001' || hex(randomblob(16))), NULL,
        9000000000), (unhex('0000000000000001' || hex(randomblob(16))), 17,
        9000000000)",
    ),
    (
        "once",
        "(key,
        expires) VALUES (unhex('0000000000000001' || hex('an assertion') || hex(randomblob(32))),
        9000000000)",
    ),
    (
        "pending",
        "(row, issuer, identifier, is_foreign, user_code, asked, asked_resources,
        expires, state, kind, proof, grant_id, client, actor, scopes, resources,
        auth) VALUES (20, 1, randomblob(32), 1, NULL, 'x', '', 9000000000, 0,
        '{\"device\":{}}', NULL, NULL, 'a', NULL, NULL, NULL, NULL), (21, 1,
        randomblob(32), 0, randomblob(32), 'x', '', 9000000000, 1, '{}',
        randomblob(32), 14, 'a', 'uada', 'x', '', '{}')",
    ),
    (
        "token_credentials",
        "(grant_id, issuer, client, actor, scopes, resources, auth, hash, is_foreign,
        secret, expires, binding) VALUES (22, 1, 'a', 'uada', 'x', '', NULL,
        randomblob(32), 1, X'00ff', 9000000000, NULL)",
    ),
];

/// Fills a database with them.
pub(crate) fn fill(database: &Path) {
    let database = rusqlite::Connection::open(database).unwrap();
    for (table, rows) in ROWS {
        database.execute(&format!("INSERT INTO quadrille_{table} {rows}"), []).unwrap();
    }
    // More than a page.
    for rows in [
        "quadrille_access_tokens (row, issuer, grant_id, client, scopes, resources, hash, expires)
            SELECT i, 1, 14, 'a', 'x', '', randomblob(32), 9000000000",
        "quadrille_once (key, expires)
            SELECT unhex('0000000000000001' || hex('a' || i % 3) || hex(randomblob(32))), 9000000000",
        "quadrille_consents (issuer, subject, client, resources, scopes, given)
            SELECT 1, 'u' || i % 7, 'other ''é''', 'https://' || i, 'x', 5",
    ] {
        let numbers =
            "WITH RECURSIVE n(i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 4500)";
        database.execute(&format!("{numbers} INSERT INTO {rows} FROM n"), []).unwrap();
    }
}

/// All rows that move, in an order of their own.
pub(crate) fn rows(database: &Path) -> BTreeMap<&'static str, Vec<String>> {
    let database = rusqlite::Connection::open(database).unwrap();
    let read = |table: &str| {
        let mut found = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let count = found.column_count();
        let row = |row: &rusqlite::Row<'_>| {
            let fields = (0..count).map(|place| row.get::<_, Field>(place).unwrap());
            Ok(format!("{:?}", fields.collect::<Vec<_>>()))
        };
        let mut rows: Vec<_> = found.query_map([], row).unwrap().map(Result::unwrap).collect();
        rows.sort();
        rows
    };
    let further = ["program_users", "program_issuer", "program_served_with", "newest"];
    let names = ROWS.iter().map(|(table, _)| *table).chain(further);
    names.map(|table| (table, read(&format!("quadrille_{table}")))).collect()
}
