//! `quadrille migrate --from ... --to ...`: a provider moves into another database.

use std::{path::Path, process::Command};

use reqwest::{Method, StatusCode};

use crate::{
    browser::Browser,
    flow::{PASSWORD, SCOPES, Stage},
    me::me,
    moving_rows::{ROWS, fill, rows},
    process::{Folder, Program, failure, json, quadrille, run, text},
    servers,
};

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
    there_and_back(servers::postgres_database()).await;
}

pub(crate) async fn there_and_back(url: String) {
    let stage = Stage::with(&["--set", "access_token_format=jwt"]);
    let browser = Browser::new();
    let tokens = stage.dance(&browser).await;
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
    every_row_is_the_same(&Kind {
        database: servers::postgres_database,
        run: psql,
        lets_no_token_be_stored: FAILS,
        lets_it_again: "DROP TRIGGER fails ON quadrille_access_tokens",
    });
}

/// A kind of database on a server.
pub(crate) struct Kind {
    /// Makes a database.
    pub(crate) database: fn() -> String,
    /// Runs statements.
    pub(crate) run: fn(&str, &str) -> String,
    /// A trigger.
    pub(crate) lets_no_token_be_stored: &'static str,
    /// Removes the trigger.
    pub(crate) lets_it_again: &'static str,
}

pub(crate) fn every_row_is_the_same(kind: &Kind) {
    let folder = Folder::new();
    let data = folder.data();
    let user = ["user", "add", "Zoë", "--password-stdin"];
    json(&data, &user, &format!("{PASSWORD}\n"));
    json(&data, &["client", "add", "Machine", "--grant", "client_credentials"], "");
    fill(&data.join("quadrille.db"));
    let before = rows(&data.join("quadrille.db"));
    let (from, url) = (sqlite(&data), (kind.database)());
    let there = ["migrate", "--from", &from, "--to", &url];
    let interrupted = |from: &str, url: &str| {
        // It fails in the middle, as if it had been killed.
        json(&data, &["migrate", "--database", url], "");
        (kind.run)(url, kind.lets_no_token_be_stored);
        let (_, said) = failure(&data, &["migrate", "--from", from, "--to", url]);
        assert!(said.contains("stopped here"), "{said}");
        (kind.run)(url, kind.lets_it_again);
        let (code, said) = failure(&data, &["user", "list", "--database", url]);
        assert!(code == 2 && said.contains("not all of it is there"), "{said}");
    };
    interrupted(&from, &url);
    let moved = json(&data, &there, "");
    for (table, rows) in ROWS.map(|(table, _)| (table, before[table].len())) {
        assert_eq!(moved["moved"][table], rows, "{table}");
    }
    let (code, said) = failure(&data, &there);
    assert!(
        code == 2
            && said.contains("was moved to ")
            && said.contains(url.rsplit('/').next().unwrap()),
        "{said}"
    );

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
    let empty = (kind.database)();
    json(&data, &["migrate", "--database", &empty], "");
    let (code, said) = failure(&data, &["migrate", "--from", &empty, "--to", &sqlite(&other)]);
    assert!(code == 7 && said.contains("exists already"), "{said}");

    // What was used or withdrawn since would come back.
    let (from, other) = (to, (kind.database)());
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
        ("mongodb://db/id", 2, "sqlite:DIR"),
        ("postgres://id:hunter2@127.0.0.1/id", 2, "QUADRILLE_DATABASE"),
        ("mysql://id:hunter2@127.0.0.1/id", 2, "QUADRILLE_DATABASE"),
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
