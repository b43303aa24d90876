//! Data that is moved, or was: it is served at one place alone, whatever ends the move, and commands on the
//! old one do not pretend to have an effect.

use std::{
    path::Path,
    process::{Child, Command, Stdio},
};

use crate::{
    moving::{psql, sqlite},
    outage::{Locked, SECONDS},
    process::{Folder, Program, eventually, failure, json, preloaded, quadrille, run, text},
    servers,
};

/// Tables that are locked make a move wait, however long.
const PATIENT: [&str; 4] =
    ["--set", "database_lock_timeout=5m", "--set", "database_statement_timeout=5m"];

const SERVE: [&str; 3] = ["serve", "--listen", "127.0.0.1:0"];

/// A provider on a server, with a client, and another server to which it moves.
struct Move {
    folder: Folder,
    from: String,
    to: String,
}

impl Move {
    fn new() -> Self {
        let [from, to] = [(); 2].map(|()| servers::postgres_database());
        let folder = Folder::new();
        let client = ["client", "add", "Worker", "--grant", "client_credentials", "--id", "worker"];
        json(&folder.data(), &[&client[..], &["--database", &from]].concat(), "");
        json(&folder.data(), &["migrate", "--database", &to], "");
        Self { folder, from, to }
    }

    fn arguments(&self) -> Vec<&str> {
        [&["migrate", "--from", &self.from, "--to", &self.to][..], &PATIENT].concat()
    }

    /// Begins the move, which waits for a table of the new database that is locked.
    async fn begun(&self) -> (Child, Locked) {
        let locked = Locked::with(&self.to, "LOCK TABLE quadrille_clients");
        let child = self.begin(&self.arguments());
        waits(&self.to).await;
        (child, locked)
    }

    /// Begins a command.
    fn begin(&self, arguments: &[&str]) -> Child {
        let mut command = quadrille(arguments);
        command.arg("--data-dir").arg(self.folder.data());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    fn serve<'a>(&self, at: &'a str) -> Vec<&'a str> {
        [&SERVE[..], &["--database", at]].concat()
    }

    fn is_refused(&self, at: &str, why: &str) {
        let (code, said) = failure(&self.folder.data(), &self.serve(at));
        assert!(code == 2 && said.contains(why), "{code} {said}");
    }

    fn is_served(&self, at: &str) {
        Program::start_with(&self.folder, &["--database", at]).stop();
    }

    /// The move is run to its end.
    fn completes(&self) {
        json(&self.folder.data(), &self.arguments(), "");
        self.is_refused(&self.from, "was moved to postgres://");
        let clients = json(&self.folder.data(), &["client", "list", "--database", &self.to], "");
        assert_eq!(clients[0]["client_id"], "worker", "{clients}");
        self.is_served(&self.to);
    }
}

/// Waits until a statement in this database waits for a lock.
async fn waits(url: &str) {
    let waiting = "SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert!(eventually(SECONDS, || async { psql(url, waiting) != "0" }).await);
}

/// Kills a move, with the statement that waits in this database: it would be carried out later.
fn kill(mut child: Child, url: &str) {
    child.kill().unwrap();
    child.wait().unwrap();
    psql(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'",
    );
}

fn ended(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), text(&output.stdout) + &text(&output.stderr))
}

/// Whether a text is in the note of a database.
fn is_noted(url: &str, what: &str) -> bool {
    let note = "SELECT convert_from(sealed, 'UTF8') FROM quadrille_program_sealed
        WHERE name = 'moved'";
    psql(url, note).contains(what)
}

/// The note of the source, which no other session changes.
const NOTE: &str = "SELECT FROM quadrille_program_sealed WHERE name = 'moved' FOR UPDATE";

#[tokio::test(flavor = "multi_thread")]
async fn commands_and_processes_that_come_while_a_server_is_moved_wait_and_are_refused() {
    let moved = Move::new();
    let (migrate, locked) = moved.begun().await;
    let third = sqlite(&moved.folder.path().join("third"));
    let elsewhere = ["migrate", "--from", &moved.from, "--to", &third];
    let (code, said) = failure(&moved.folder.data(), &elsewhere);
    assert!(code == 2 && said.contains("is being moved to postgres://"), "{code} {said}");
    let list = ["client", "list", "--database", &moved.from];
    let listed = run(&moved.folder.data(), &list, "");
    assert!(listed.status.success() && listed.stderr.is_empty(), "{}", text(&listed.stderr));

    let serve = moved.begin(&moved.serve(&moved.from));
    let remove = ["client", "remove", "worker", "--yes", "--database", &moved.from];
    let remove = moved.begin(&remove);
    let connected = "SELECT count(DISTINCT client_port) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'quadrille'";
    // The move, and both of them.
    let are_there = || async { psql(&moved.from, connected).parse::<u32>().unwrap() >= 3 };
    assert!(eventually(SECONDS, are_there).await);
    drop(locked);
    let (code, said) = ended(migrate);
    assert_eq!(code, Some(0), "{said}");
    for child in [serve, remove] {
        let (code, said) = ended(child);
        assert!(code == Some(2) && said.contains("was moved to postgres://"), "{code:?} {said}");
    }
    let clients = json(&moved.folder.data(), &["client", "list", "--database", &moved.to], "");
    assert_eq!(clients[0]["client_id"], "worker", "{clients}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_while_it_copies_leaves_the_old_database_as_it_was() {
    let moved = Move::new();
    let (migrate, locked) = moved.begun().await;
    kill(migrate, &moved.to);
    drop(locked);
    assert!(is_noted(&moved.from, "moving"));
    moved.is_refused(&moved.to, "not all of it is there");
    moved.is_served(&moved.from);
    moved.completes();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_before_its_end_is_served_nowhere_and_goes_on_into_the_same_database()
{
    let moved = Move::new();
    let (migrate, copying) = moved.begun().await;
    let ending = Locked::with(&moved.to, "LOCK TABLE quadrille_program_sealed IN SHARE MODE");
    drop(copying);
    assert!(eventually(SECONDS, || async { is_noted(&moved.from, "copied") }).await);
    waits(&moved.to).await;
    kill(migrate, &moved.to);
    drop(ending);
    moved.is_refused(&moved.from, "has not come to its end");
    moved.is_refused(&moved.to, "not all of it is there");
    let data = moved.folder.data();
    let (code, said) =
        failure(&data, &["client", "remove", "worker", "--yes", "--database", &moved.from]);
    assert!(code == 2 && said.contains("has not come to its end"), "{code} {said}");
    let new = sqlite(&moved.folder.path().join("new"));
    let other = servers::postgres_database();
    for elsewhere in [&new, &other] {
        let (code, said) = failure(&data, &["migrate", "--from", &moved.from, "--to", elsewhere]);
        assert!(code == 2 && said.contains("has not come to its end"), "{code} {said}");
    }
    moved.completes();
}

/// It may have been served, and what was revoked in it be valid again.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_database_that_was_emptied_gets_nothing_once_more() {
    const EMPTY: &str = "DROP SCHEMA public CASCADE; CREATE SCHEMA public";
    let moved = Move::new();
    let (migrate, copying) = moved.begun().await;
    let ending = Locked::with(&moved.to, "LOCK TABLE quadrille_program_sealed IN SHARE MODE");
    drop(copying);
    assert!(eventually(SECONDS, || async { is_noted(&moved.from, "copied") }).await);
    waits(&moved.to).await;
    kill(migrate, &moved.to);
    drop(ending);
    psql(&moved.to, EMPTY);
    let data = moved.folder.data();
    let (code, said) = failure(&data, &moved.arguments());
    assert!(code == 2 && said.contains("lost or emptied"), "{code} {said}");
    let forced = "--serve-data-that-was-moved-away-so-that-revoked-tokens-are-valid-again";
    assert!(said.contains(forced), "{said}");
    Program::start_with(&moved.folder, &["--database", &moved.from, forced]).stop();
    moved.completes();

    psql(&moved.to, EMPTY);
    let (code, said) = failure(&data, &moved.arguments());
    assert!(
        code == 2 && said.contains("was moved to postgres://") && said.contains(forced),
        "{said}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_is_killed_right_after_its_end_is_complete() {
    let moved = Move::new();
    let (migrate, copying) = moved.begun().await;
    let ending = Locked::with(&moved.to, "LOCK TABLE quadrille_program_sealed IN SHARE MODE");
    drop(copying);
    assert!(eventually(SECONDS, || async { is_noted(&moved.from, "copied") }).await);
    let ended = Locked::with(&moved.from, NOTE);
    drop(ending);
    waits(&moved.from).await;
    kill(migrate, &moved.from);
    moved.is_refused(&moved.from, "has not come to its end");
    moved.is_served(&moved.to);
    drop(ended);
    moved.completes();
}

/// A removed user would sign in again.
#[tokio::test(flavor = "multi_thread")]
async fn a_move_that_was_paused_writes_nothing_into_what_another_one_has_completed() {
    let moved = Move::new();
    let data = moved.folder.data();
    let at = |url| ["--database", url];
    let add = ["user", "add", "ada", "--password-stdin"];
    json(&data, &[&add[..], &at(&moved.from)].concat(), "correct horse battery\n");
    let (migrate, locked) = moved.begun().await;
    let signal = |name: &str| {
        let pid = migrate.id().to_string();
        assert!(Command::new("kill").arg(name).arg(&pid).status().unwrap().success());
    };
    signal("-STOP");
    drop(locked);
    moved.completes();
    json(&data, &[&["user", "remove", "ada", "--yes"], &at(&moved.to)[..]].concat(), "");
    signal("-CONT");
    let (code, said) = ended(migrate);
    assert!(code == Some(2) && said.contains("was used since the move began"), "{code:?} {said}");
    let users = json(&data, &[&["user", "list"], &at(&moved.to)[..]].concat(), "");
    assert_eq!(users, serde_json::json!([]));
}

#[test]
fn a_process_of_a_folder_whose_lock_is_gone_ends_after_a_move() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    std::fs::remove_file(program.data.join("lock")).unwrap();
    let (from, to) = (sqlite(&program.data), servers::postgres_database());
    json(&program.data, &["migrate", "--from", &from, "--to", &to], "");
    let (status, log) = program.ended();
    assert!(status.code() == Some(2) && log.contains("was moved to postgres://"), "{status} {log}");
}

/// A machine that was paused for longer than its lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_missed_a_move_stops() {
    let moved = Move::new();
    let program = Program::start_with(&moved.folder, &["--database", &moved.from]);
    let (code, said) = failure(&moved.folder.data(), &moved.arguments());
    assert!(code == 2 && said.contains("a process serves"), "{code} {said}");
    program.signal("-STOP");
    psql(&moved.from, "UPDATE quadrille_workers SET expires = 0");
    json(&moved.folder.data(), &moved.arguments(), "");
    program.signal("-CONT");
    let (status, log) = program.ended();
    assert!(status.code() == Some(2) && log.contains("was moved to postgres://"), "{log}");
}

/// Nobody requests anything of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_without_work_keeps_the_lease_that_a_move_sees() {
    let (folder, url) = (Folder::new(), servers::postgres_database());
    let (library, clock) = (preloaded(&folder, "set_clock.c"), folder.path().join("clock"));
    std::fs::write(&clock, "0").unwrap();
    let program = Program::start_by(&folder, &["--database", &url], |command| {
        command.env("LD_PRELOAD", &library).env("SET_CLOCK", &clock);
    });
    let end = || psql(&url, "SELECT max(expires) FROM quadrille_workers").parse::<i64>().unwrap();
    let before = end();
    std::fs::write(&clock, "600").unwrap();
    assert!(eventually(SECONDS, || async { end() >= before + 600_000 }).await);
    program.stop();
}

#[test]
fn a_folder_is_another_one_where_the_same_path_leads_elsewhere() {
    let (folder, from) = (Folder::new(), servers::postgres_database());
    json(&folder.data(), &["migrate", "--database", &from], "");
    let at = |name: &str| {
        let place = folder.path().join(name);
        std::fs::create_dir_all(&place).unwrap();
        let mut command = quadrille(&["migrate", "--from", &from, "--to", "sqlite:new"]);
        command.arg("--data-dir").arg(folder.data()).current_dir(place).output().unwrap()
    };
    let (first, second) = (at("one"), at("two"));
    assert!(first.status.success(), "{}", text(&first.stderr));
    let said = text(&second.stderr);
    let place = folder.path().join("one/new");
    let place = place.canonicalize().unwrap().display().to_string();
    assert!(second.status.code() == Some(2) && said.contains(&format!("to {place},")), "{said}");
    assert!(!folder.path().join("two/new/quadrille.db").exists());
}

/// Commands with their input.
const THAT_CHANGE: [(&[&str], &str); 22] = [
    (&["user", "add", "Bob", "--password-stdin"], "a long password of Bob\n"),
    (&["user", "set-password", "Ada", "--password-stdin"], "a long password of Ada\n"),
    (&["user", "edit", "Ada", "--claim", "name=Ada"], ""),
    (&["user", "withdraw", "Ada", "worker"], ""),
    (&["user", "sign-out", "Ada"], ""),
    (&["user", "sign-out", "Ada", "--session", "9f86d081884c7d65"], ""),
    (&["user", "import", "-"], ""),
    (&["user", "token", "add", "Ada", "A script"], ""),
    (&["user", "token", "revoke", "Ada", "1"], ""),
    (&["user", "remove", "Ada", "--yes"], ""),
    (&["client", "add", "Other", "--grant", "client_credentials"], ""),
    (&["client", "edit", "worker", "--name", "Miner"], ""),
    (&["client", "rotate-secret", "worker"], ""),
    (&["client", "secret", "add", "worker"], ""),
    (&["client", "import", "-"], ""),
    (&["client", "remove", "worker", "--yes"], ""),
    (&["registration", "add-token", "Printers"], ""),
    (&["registration", "revoke-token", "1"], ""),
    (&["token", "revoke", "--token-stdin"], "a-token"),
    (&["keys", "rotate"], ""),
    (&["keys", "reseal"], ""),
    (&["keys", "replace-ring-and-end-all-tokens", "--yes"], ""),
];

const THAT_READ: [&[&str]; 12] = [
    &["user", "list"],
    &["user", "show", "Ada"],
    &["user", "export"],
    &["user", "access", "Ada"],
    &["user", "token", "list", "Ada"],
    &["client", "list"],
    &["client", "show", "worker"],
    &["client", "export", "worker"],
    &["client", "secret", "list", "worker"],
    &["registration", "list"],
    &["keys", "list"],
    &["migrate"],
];

fn all_commands_know(data: &Path, at: &[&str], place: &str) {
    for (command, input) in THAT_CHANGE {
        let output = run(data, &[command, at].concat(), input);
        let said = text(&output.stderr);
        assert!(output.stdout.is_empty(), "{command:?}");
        let is_told = said.contains(&format!("was moved to {place}"));
        assert!(output.status.code() == Some(2) && is_told, "{command:?} {said}");
    }
    for command in THAT_READ {
        let output = run(data, &[command, at].concat(), "");
        let said = text(&output.stderr);
        assert!(output.status.success(), "{command:?} {said}");
        assert!(said.contains(&format!("was moved to {place}")), "{command:?} {said}");
    }
}

/// The operator who locks out a thief would believe that it was done.
#[test]
fn commands_on_data_that_was_moved_say_where_it_is_and_change_nothing() {
    let (folder, url) = (Folder::new(), servers::postgres_database());
    let data = folder.data();
    let user = ["user", "add", "Ada", "--password-stdin"];
    json(&data, &user, "a long password of Ada\n");
    let client = ["client", "add", "Worker", "--grant", "client_credentials", "--id", "worker"];
    json(&data, &client, "");
    json(&data, &["migrate", "--from", &sqlite(&data), "--to", &url], "");
    all_commands_know(&data, &[], "postgres://");
    let copied = run(&data, &["backup", folder.path().join("copy").to_str().unwrap()], "");
    assert!(text(&copied.stderr).contains("was moved to postgres://"), "{copied:?}");
    let back = folder.path().join("back");
    json(&data, &["migrate", "--from", &url, "--to", &sqlite(&back)], "");
    let place = back.canonicalize().unwrap().display().to_string();
    all_commands_know(&data, &["--database", &url], &place);
    let clients = json(&back, &["client", "list"], "");
    assert_eq!(
        (clients.as_array().unwrap().len(), &clients[0]["client_name"]),
        (1, &"Worker".into())
    );
}
