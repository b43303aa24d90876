//! `quadrille migrate --from ... --to ...`: a provider moves into another database.

use std::{collections::BTreeMap, path::Path, process::Command};

use reqwest::{Method, StatusCode};
use rusqlite::types::Value as Field;

use crate::{
    browser::Browser,
    flow::{PASSWORD, SCOPES, Stage},
    me::me,
    process::{Folder, Program, failure, json, quadrille, run, text},
    servers,
};

/// The tables that move, with rows of every kind for the issuer 1.
const ROWS: [(&str, &str); 16] = [
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

fn fill(database: &Path) {
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
fn rows(database: &Path) -> BTreeMap<&'static str, Vec<String>> {
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

pub(crate) fn sqlite(folder: &Path) -> String {
    format!("sqlite:{}", folder.display())
}

/// Runs statements; returns the values of the last one.
pub(crate) fn psql(url: &str, sql: &str) -> String {
    let mut psql = Command::new(servers::program("psql"));
    let done = psql.args(["-v", "ON_ERROR_STOP=1", "-At", "-c", sql, url]).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    text(&done.stdout).trim().to_owned()
}

#[tokio::test]
async fn nobody_consents_again_when_a_provider_moves_and_moves_back() {
    let stage = Stage::with(&["--set", "access_token_format=jwt"]);
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
    let url = servers::postgres_database();
    let (data, from) = (stage.program.data.clone(), sqlite(&stage.program.data));
    let (code, said) = failure(&data, &["migrate", "--from", &from, "--to", &url]);
    assert!(code == 2 && said.contains("a process serves"), "{said}");

    let Stage { program, client, folder } = stage;
    let listening = program.listening.clone();
    program.stop();
    let moved = json(&data, &["migrate", "--from", &from, "--to", &url], "");
    assert_eq!((&moved["moved"]["clients"], &moved["moved"]["users"]), (&1.into(), &1.into()));
    assert_eq!(moved["moved"]["families"], 1);

    let jwt = ["--set", "access_token_format=jwt", "--listen", &listening];
    let at = [&SCOPES[..], &jwt, &["--database", &url]].concat();
    let stage = Stage { program: Program::start_with(&folder, &at), client, folder };
    let access = tokens["access_token"].as_str().unwrap();
    assert_eq!(me(&stage.program, Method::GET, access).await.0, StatusCode::OK);
    let refresh = async |stage: &Stage, token: &str| {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let (status, renewed) = stage.token(&fields).await;
        assert_eq!(status, StatusCode::OK, "{renewed}");
        renewed["refresh_token"].as_str().unwrap().to_owned()
    };
    let newest = refresh(&stage, tokens["refresh_token"].as_str().unwrap()).await;
    let page = browser.get(&stage.authorize_url()).await;
    assert_eq!(page.url.path(), "/sign-in", "sessions have ended");
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let code = page.parameter("code");
    assert!(code.is_some(), "the user is not asked again: {}", page.html);

    let back = stage.folder.path().join("back");
    let to = sqlite(&back);
    let return_to = ["migrate", "--from", &url, "--to", &to];
    let (code, said) = failure(&data, &return_to);
    assert!(code == 2 && said.contains("a process serves"), "{said}");
    let Stage { program, client, folder } = stage;
    program.stop();
    json(&data, &return_to, "");
    std::fs::rename(&data, folder.path().join("old")).unwrap();
    std::fs::rename(&back, &data).unwrap();
    let program = Program::start_with(&folder, &[&SCOPES[..], &jwt].concat());
    let stage = Stage { program, client, folder };
    assert_eq!(me(&stage.program, Method::GET, access).await.0, StatusCode::OK);
    refresh(&stage, &newest).await;
    stage.program.stop();
}

#[test]
fn every_row_is_the_same_after_a_move_there_and_back_and_an_interrupted_one_goes_on() {
    let folder = Folder::new();
    let data = folder.data();
    let user = ["user", "add", "Zoë", "--password-stdin"];
    json(&data, &user, &format!("{PASSWORD}\n"));
    json(&data, &["client", "add", "Machine", "--grant", "client_credentials"], "");
    fill(&data.join("quadrille.db"));
    let before = rows(&data.join("quadrille.db"));
    let (from, url) = (sqlite(&data), servers::postgres_database());
    let there = ["migrate", "--from", &from, "--to", &url];
    let interrupted = |from: &str, url: &str| {
        // It fails in the middle, as if it had been killed.
        json(&data, &["migrate", "--database", url], "");
        psql(url, FAILS);
        let (_, said) = failure(&data, &["migrate", "--from", from, "--to", url]);
        assert!(said.contains("stopped here"), "{said}");
        psql(url, "DROP TRIGGER fails ON quadrille_access_tokens");
        let (code, said) = failure(&data, &["user", "list", "--database", url]);
        assert!(code == 2 && said.contains("not all of it is there"), "{said}");
    };
    interrupted(&from, &url);
    let moved = json(&data, &there, "");
    for (table, rows) in ROWS.map(|(table, _)| (table, before[table].len())) {
        assert_eq!(moved["moved"][table], rows, "{table}");
    }
    let (code, said) = failure(&data, &there);
    assert!(code == 2 && said.contains("was moved to postgres://"), "{said}");

    let back = folder.path().join("back");
    let to = sqlite(&back.join("quadrille.db"));
    json(&data, &["migrate", "--database", &url, "--to", &to], "");
    assert_eq!(rows(&back.join("quadrille.db")), before);
    assert_eq!(
        std::fs::read(back.join("keys")).unwrap(),
        std::fs::read(data.join("keys")).unwrap()
    );
    let (code, said) = failure(&data, &["migrate", "--from", &url, "--to", &sqlite(&back)]);
    assert!(code == 2 && said.contains("was moved to"), "{said}");
    let other = folder.path().join("other");
    json(&other, &["migrate"], "");
    let (code, said) = failure(&data, &["migrate", "--from", &to, "--to", &url]);
    assert!(code == 7 && said.contains("has data already"), "{said}");
    let empty = servers::postgres_database();
    json(&data, &["migrate", "--database", &empty], "");
    let (code, said) = failure(&data, &["migrate", "--from", &empty, "--to", &sqlite(&other)]);
    assert!(code == 7 && said.contains("exists already"), "{said}");

    // What was used or withdrawn since would come back.
    let (from, other) = (to, servers::postgres_database());
    interrupted(&from, &other);
    json(&back, &["client", "add", "Later", "--grant", "client_credentials"], "");
    let (code, said) = failure(&data, &["migrate", "--from", &from, "--to", &other]);
    assert!(code == 2 && said.contains("was used since the move began"), "{said}");
    let (code, said) = failure(&data, &["user", "list", "--database", &other]);
    assert!(code == 2 && said.contains("not all of it is there"), "{said}");
}

/// The old password would open the account again, and the new one would not.
#[test]
fn a_password_that_was_changed_since_an_interrupted_move_is_not_undone() {
    let folder = Folder::new();
    let data = folder.data();
    json(&data, &["user", "add", "ada", "--password-stdin"], &format!("{PASSWORD}\n"));
    json(&data, &["client", "add", "Machine", "--grant", "client_credentials"], "");
    fill(&data.join("quadrille.db"));
    let (from, url) = (sqlite(&data), servers::postgres_database());
    json(&data, &["migrate", "--database", &url], "");
    psql(&url, FAILS);
    let there = ["migrate", "--from", &from, "--to", &url];
    let (_, said) = failure(&data, &there);
    assert!(said.contains("stopped here"), "{said}");
    psql(&url, "DROP TRIGGER fails ON quadrille_access_tokens");
    json(&data, &["user", "set-password", "ada", "--password-stdin"], "another horse battery\n");
    let (code, said) = failure(&data, &there);
    assert!(code == 2 && said.contains("was used since the move began"), "{said}");
}

/// Lets no access token be stored.
const FAILS: &str = "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'stopped here'; END $$;
    CREATE TRIGGER fails BEFORE INSERT ON quadrille_access_tokens
        FOR EACH ROW EXECUTE FUNCTION fails()";

/// Lets the tables of the store not be made.
const MAKES_NO_TABLES: &str = "CREATE FUNCTION fails() RETURNS event_trigger LANGUAGE plpgsql
        AS $$ BEGIN
            IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                WHERE object_identity = 'public.quadrille_access_tokens')
            THEN RAISE EXCEPTION 'stopped here'; END IF;
        END $$;
    CREATE EVENT TRIGGER fails ON ddl_command_end EXECUTE FUNCTION fails()";

/// A process that served it would have made an empty provider of it.
#[test]
fn a_move_that_ends_while_it_makes_the_tables_is_served_by_nobody_and_goes_on() {
    let folder = Folder::new();
    let (data, url) = (folder.data(), servers::postgres_database());
    json(&data, &["client", "add", "Worker", "--grant", "client_credentials"], "");
    let there = ["migrate", "--from", &sqlite(&data), "--to", &url];
    psql(&url, MAKES_NO_TABLES);
    let (_, said) = failure(&data, &there);
    assert!(said.contains("stopped here"), "{said}");
    psql(&url, "DROP EVENT TRIGGER fails");
    // The first one makes the tables that are missing.
    for _ in 0..2 {
        let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
        let (code, said) = failure(&data, &serve);
        assert!(code == 2 && said.contains("not all of it is there"), "{code} {said}");
    }
    json(&data, &there, "");
    let clients = json(&data, &["client", "list", "--database", &url], "");
    assert_eq!(clients[0]["client_name"], "Worker", "{clients}");
}

#[test]
fn a_move_that_makes_no_sense_is_refused() {
    let folder = Folder::new();
    let data = folder.data();
    json(&data, &["migrate"], "");
    let from = sqlite(&data);
    for (to, code, why) in [
        ("sqlite:elsewhere", 2, "quadrille backup"),
        ("mysql://db/id", 2, "sqlite:DIR"),
        ("postgres://id:hunter2@127.0.0.1/id", 2, "QUADRILLE_DATABASE"),
    ] {
        let output = run(&data, &["migrate", "--from", &from, "--to", to], "");
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(code) && said.contains(why), "{to}: {said}");
        assert!(!said.contains("hunter2"));
    }
    let sql = json(&data, &["migrate", "--sql"], "");
    let sql = sql["sql"].as_str().unwrap();
    psql(&servers::postgres_database(), sql);
    assert!(sql.contains("CREATE TABLE quadrille_access_tokens"));
    assert!(sql.contains("CREATE TABLE quadrille_program_users"));
}

/// Under another key ring every token would be invalid.
#[test]
fn a_move_under_another_key_ring_is_refused() {
    let folder = Folder::new();
    let data = folder.data();
    json(&data, &["client", "add", "Worker", "--grant", "client_credentials"], "");
    let ring = std::fs::read_to_string(data.join("keys")).unwrap();
    let other = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=";
    let moved = |keys: &str| {
        let (from, to) = (sqlite(&data), servers::postgres_database());
        let mut command = quadrille(&["migrate", "--from", &from, "--to", &to]);
        command.arg("--data-dir").arg(folder.path().join("new")).env("QUADRILLE_KEYS", keys);
        command.output().unwrap()
    };
    let output = moved(other);
    let said = text(&output.stderr);
    assert!(output.status.code() == Some(3) && said.contains("under which the tokens"), "{said}");
    let keys: Vec<_> = ring.lines().filter(|line| !line.starts_with('#')).collect();
    let output = moved(&format!("{other},{}", keys.join(",")));
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// What was used or revoked since the move would be valid again.
#[test]
fn data_that_was_moved_away_is_served_only_if_that_is_forced() {
    let folder = Folder::new();
    let (data, url) = (folder.data(), servers::postgres_database());
    json(&data, &["client", "add", "Worker", "--grant", "client_credentials"], "");
    json(&data, &["migrate", "--from", &sqlite(&data), "--to", &url], "");
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let (code, said) = failure(&data, &serve);
    assert!(code == 2 && said.contains("was moved to postgres://"), "{code} {said}");
    let forced = "--serve-data-that-was-moved-away-so-that-revoked-tokens-are-valid-again";
    assert!(said.contains(forced), "{said}");

    let back = folder.path().join("back");
    json(&data, &["migrate", "--from", &url, "--to", &sqlite(&back)], "");
    let (code, said) = failure(&data, &[&serve[..], &["--database", &url]].concat());
    assert!(code == 2 && said.contains("was moved to"), "{code} {said}");

    let program = Program::start_with(&folder, &[forced]);
    assert!(program.log().contains("is served again here"), "{}", program.log());
    program.stop();
    Program::start(&folder).stop();
}

/// What was used or revoked at the second place would be valid at the third one.
#[test]
fn data_that_was_moved_away_moves_to_no_third_place() {
    let folder = Folder::new();
    let (data, url) = (folder.data(), servers::postgres_database());
    json(&data, &["client", "add", "Worker", "--grant", "client_credentials"], "");
    json(&data, &["migrate", "--from", &sqlite(&data), "--to", &url], "");
    let third = servers::postgres_database();
    let (code, said) = failure(&data, &["migrate", "--from", &sqlite(&data), "--to", &third]);
    assert!(code == 2 && said.contains("was moved to postgres://"), "{code} {said}");
    let (code, said) = failure(&data, &["serve", "--listen", "127.0.0.1:0"]);
    assert!(code == 2 && said.contains(url.rsplit('/').next().unwrap()), "{code} {said}");
}

/// Lets no move end.
const DOES_NOT_END: &str = "CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'stopped here'; END $$;
    CREATE TRIGGER fails BEFORE DELETE ON quadrille_program_sealed
        FOR EACH ROW EXECUTE FUNCTION fails()";

/// A token that is used or revoked at one of the places would be valid at the other.
#[test]
fn a_move_that_ends_right_before_its_end_leaves_no_two_places_to_serve() {
    let folder = Folder::new();
    let (data, url) = (folder.data(), servers::postgres_database());
    json(&data, &["client", "add", "Worker", "--grant", "client_credentials"], "");
    json(&data, &["migrate", "--database", &url], "");
    psql(&url, DOES_NOT_END);
    let there = ["migrate", "--from", &sqlite(&data), "--to", &url];
    let (_, said) = failure(&data, &there);
    assert!(said.contains("stopped here"), "{said}");
    let serve = ["serve", "--listen", "127.0.0.1:0"];
    let (code, said) = failure(&data, &serve);
    assert!(code == 2 && said.contains("has not come to its end"), "{code} {said}");
    let at = [&serve[..], &["--database", &url]].concat();
    let (code, said) = failure(&data, &at);
    assert!(code == 2 && said.contains("not all of it is there"), "{code} {said}");
    psql(&url, "DROP TRIGGER fails ON quadrille_program_sealed");
    json(&data, &there, "");
    let clients = json(&data, &["client", "list", "--database", &url], "");
    assert_eq!(clients[0]["client_name"], "Worker", "{clients}");
}

/// All that was moved would be invalid under that ring.
#[test]
fn a_folder_with_another_key_ring_gets_nothing() {
    let folder = Folder::new();
    let (data, url) = (folder.data(), servers::postgres_database());
    json(
        &data,
        &["client", "add", "Worker", "--grant", "client_credentials", "--database", &url],
        "",
    );
    let ring = std::fs::read_to_string(data.join("keys")).unwrap();
    let key = ring.lines().find(|line| !line.starts_with('#')).unwrap();
    let other = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=";
    let new = folder.path().join("new");
    std::fs::create_dir(&new).unwrap();
    let moved = |keys: Option<&str>, ring: &str| {
        std::fs::write(new.join("keys"), ring).unwrap();
        let mut command = quadrille(&["migrate", "--from", &url, "--to", &sqlite(&new)]);
        command.arg("--data-dir").arg(&data);
        if let Some(keys) = keys {
            command.env("QUADRILLE_KEYS", keys);
        }
        command.output().unwrap()
    };
    for keys in [None, Some(key)] {
        let output = moved(keys, other);
        let said = text(&output.stderr);
        assert!(output.status.code() == Some(3), "{said}");
        assert!(said.contains("is another key ring than that of the data"), "{said}");
        assert!(!new.join("quadrille.db").exists() && !new.join("unfinished.db").exists());
    }
    let output = moved(None, &ring);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

/// A ring that is kept out of folders stays out of a new one, which says how it is served.
#[test]
fn a_folder_that_a_provider_moves_to_is_served_with_the_ring_of_the_environment() {
    let folder = Folder::new();
    let (data, url) = (folder.data(), servers::postgres_database());
    let ring = "bm90IGEgc2VjcmV0LCBidXQgb2YgMzIgYnl0ZXMhISE=";
    let of_ring = |arguments: &[&str]| {
        let mut command = quadrille(arguments);
        let output = command.arg("--data-dir").arg(&data).env("QUADRILLE_KEYS", ring).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout)
    };
    of_ring(&["client", "add", "Worker", "--grant", "client_credentials", "--database", &url]);
    let said = of_ring(&["migrate", "--from", &url, "--to", &sqlite(&data)]);
    assert!(!data.join("keys").exists());
    of_ring(&["client", "add", "Another", "--grant", "client_credentials"]);
    let (code, why) =
        failure(&data, &["client", "add", "Without", "--grant", "client_credentials"]);
    assert!(code == 3 && why.contains("is missing"), "{why}");

    let (_, command) = said.split_once("put the ring there:\n").unwrap();
    let mut shell = Command::new("sh");
    let done = shell.args(["-c", command]).env("QUADRILLE_KEYS", ring).output().unwrap();
    assert!(done.status.success(), "{}", text(&done.stderr));
    json(&data, &["client", "add", "With", "--grant", "client_credentials"], "");
}
