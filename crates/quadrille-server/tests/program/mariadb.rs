//! The program on a database of MariaDB. What is the same on each server is in `postgres` and `moving`.

use std::{fs::File, path::Path, process::Command};

use crate::{
    migrations::printed,
    moving::{Kind, every_row_is_the_same, sqlite, there_and_back},
    postgres::{dumped_and_restored, one_finishes_what_another_began},
    process::{Folder, failure, json, text},
    servers,
};

/// A program of MariaDB for the database of a URL.
fn client(name: &str, url: &str) -> Command {
    let mut client = servers::mariadb_client(name, servers::mariadb().port);
    client.arg(url.rsplit('/').next().unwrap());
    client
}

fn finish(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).trim().to_owned()
}

/// Runs statements; returns the values of the last one.
fn execute(url: &str, sql: &str) -> String {
    finish(client("mariadb", url).args(["--batch", "--skip-column-names", "--execute", sql]))
}

#[tokio::test]
async fn one_process_finishes_what_another_began_and_notices_what_it_ended() {
    one_finishes_what_another_began(&servers::mariadb_database()).await;
}

#[tokio::test]
async fn nobody_consents_again_when_a_provider_moves_and_moves_back() {
    there_and_back(servers::mariadb_database()).await;
}

#[test]
fn every_row_is_the_same_after_a_move_there_and_back_and_an_interrupted_one_goes_on() {
    every_row_is_the_same(&Kind {
        database: servers::mariadb_database,
        run: execute,
        lets_no_token_be_stored: "CREATE TRIGGER fails BEFORE INSERT ON quadrille_access_tokens
            FOR EACH ROW SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'stopped here'",
        lets_it_again: "DROP TRIGGER fails",
    });
}

/// A process that served it would have made an empty provider of it.
#[test]
fn a_move_that_ends_while_it_makes_the_tables_is_served_by_nobody_and_goes_on() {
    let (folder, url) = (Folder::new(), servers::mariadb_database());
    let data = folder.data();
    json(&data, &["client", "add", "Worker", "--grant", "client_credentials"], "");
    let there = ["migrate", "--from", &sqlite(&data), "--to", &url];
    execute(&url, "CREATE TABLE quadrille_program_mark (in_the_way INT)");
    let (_, said) = failure(&data, &there);
    assert!(said.contains("Unknown column"), "{said}");
    execute(&url, "DROP TABLE quadrille_program_mark");
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
fn a_database_made_by_the_printed_sql_is_that_of_the_program() {
    let (folder, url) = (Folder::new(), servers::mariadb_database());
    execute(&url, &printed(&["mysql"]));
    let add = ["client", "add", "Worker", "--grant=client_credentials", "--id", "worker"];
    json(&folder.data(), &[&add[..], &["--database", &url]].concat(), "");
    let clients = json(&folder.data(), &["client", "list", "--database", &url], "");
    assert_eq!(clients[0]["client_id"], "worker");
    let tables = |url: &str| {
        let sql = "SELECT table_name, column_name, column_type FROM information_schema.columns
            WHERE table_schema = database() ORDER BY table_name, ordinal_position";
        execute(url, sql)
    };
    let by_program = servers::mariadb_database();
    json(&folder.data(), &["migrate", "--database", &by_program], "");
    assert_eq!(tables(&url), tables(&by_program));
}

#[tokio::test]
async fn a_dump_is_restored_as_the_guide_says_it() {
    const GUIDE: &str = include_str!("../../../../docs/src/program/mariadb.md");
    assert!(GUIDE.contains("\nmariadb-dump --single-transaction --result-file="));
    let (url, restored) = (servers::mariadb_database(), servers::mariadb_database());
    dumped_and_restored(&url, &restored, |dump: &Path| {
        finish(
            client("mariadb-dump", &url).arg("--single-transaction").arg("--result-file").arg(dump),
        );
        finish(client("mariadb", &restored).stdin(File::open(dump).unwrap()));
    })
    .await;
}
