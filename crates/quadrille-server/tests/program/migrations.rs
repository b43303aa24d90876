//! `quadrille migrate --sql`: what operators run on their own.

use std::path::Path;

use rusqlite::Connection;

use crate::{
    moving::psql,
    process::{Folder, failure, json, run, text},
    servers,
};

pub(crate) fn printed(arguments: &[&str]) -> String {
    let output = run(Folder::new().path(), &[&["migrate", "--sql"], arguments].concat(), "");
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

/// The tables of a file, and the versions in it.
fn schema(data: &Path) -> (Vec<String>, Vec<(String, i64)>) {
    let database = Connection::open(data.join("quadrille.db")).unwrap();
    let mut tables =
        database.prepare("SELECT sql FROM sqlite_master WHERE sql <> '' ORDER BY name").unwrap();
    let tables = tables.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let mut versions = database
        .prepare(
            "SELECT namespace, max(version) FROM quadrille_migrations
            GROUP BY namespace ORDER BY namespace",
        )
        .unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let versions = versions.query_map([], read).unwrap().map(Result::unwrap).collect();
    (tables, versions)
}

#[test]
fn a_file_made_by_the_printed_sql_is_that_of_the_program_and_goes_back_and_forth() {
    let (folder, by_program) = (Folder::new(), Folder::new());
    json(&by_program.data(), &["migrate"], "");
    let data = folder.data();
    std::fs::create_dir(&data).unwrap();
    let database = || Connection::open(data.join("quadrille.db")).unwrap();
    database().execute_batch(&printed(&["sqlite"])).unwrap();
    assert_eq!(schema(&data), schema(&by_program.data()));
    assert!(database().execute_batch(&printed(&["sqlite"])).is_err(), "there is something already");

    json(&data, &["client", "add", "Worker", "--grant=client_credentials", "--id", "worker"], "");
    let (_, now) = schema(&data);
    database().execute_batch(&printed(&["sqlite", "--back"])).unwrap();
    let (tables, before) = schema(&data);
    let one_less = |(name, version): &(String, i64)| (name.clone(), version - 1);
    assert_eq!(before, now.iter().map(one_less).collect::<Vec<_>>());
    assert!(!tables.iter().any(|table| table.contains("_program_logos")), "{tables:?}");
    assert!(tables.iter().any(|table| table.contains("rotated_scopes")), "{tables:?}");

    json(&data, &["migrate"], "");
    assert_eq!(schema(&data).1, now);
    assert_eq!(json(&data, &["client", "list"], "")[0]["client_id"], "worker");
}

#[test]
fn a_database_made_by_the_printed_sql_goes_back_and_forth() {
    let (folder, url) = (Folder::new(), servers::postgres_database());
    let data = folder.data();
    psql(&url, &printed(&[]));
    json(
        &data,
        &[
            "client",
            "add",
            "Worker",
            "--grant=client_credentials",
            "--id",
            "worker",
            "--database",
            &url,
        ],
        "",
    );
    psql(&url, &printed(&["postgres", "--back"]));
    let version = || {
        let of = |namespace, is_new: &str| {
            let sql =
                format!("SELECT max(version), {is_new} FROM quadrille_{namespace}_migrations");
            psql(&url, &sql)
        };
        let columns = "SELECT FROM information_schema.columns WHERE column_name = 'rotated_scopes'";
        [
            of("store", &format!("NOT EXISTS ({columns})")),
            of("program", "to_regclass('quadrille_program_logos') IS NOT NULL"),
        ]
    };
    assert_eq!(version(), ["2|f", "2|f"]);
    json(&data, &["migrate", "--database", &url], "");
    assert_eq!(version(), ["3|t", "3|t"]);
    let clients = json(&data, &["client", "list", "--database", &url], "");
    assert_eq!(clients[0]["client_id"], "worker");
}

#[test]
fn the_way_back_is_printed_and_never_taken_by_itself() {
    let folder = Folder::new();
    let (code, said) = failure(&folder.data(), &["migrate", "--back"]);
    assert!(code == 2 && said.contains("--sql"), "{said}");
    let (code, said) = failure(&folder.data(), &["migrate", "--sql", "mssql"]);
    assert!(code == 2 && said.contains("sqlite"), "{said}");
    let (code, said) = failure(&folder.data(), &["migrate", "--sql", "mysql", "--back"]);
    assert!(code == 2 && said.contains("the version before"), "{said}");
}

#[test]
fn tables_have_hashed_keys_if_they_are_made_so_and_keep_them() {
    let (folder, url) = (Folder::new(), servers::postgres_database());
    let data = folder.data();
    let hashed = |url: &str| psql(url, "SELECT hashed_keys FROM quadrille_store_settings");
    let set = |value: &str| ["--set".to_owned(), format!("database_hashed_keys={value}")];
    let with = |arguments: &[&str], value: &str| {
        let set = set(value);
        let set = set.each_ref().map(String::as_str);
        run(&data, &[arguments, &set].concat(), "")
    };
    let succeeds = |arguments: &[&str], value: &str| {
        let output = with(arguments, value);
        assert!(output.status.success(), "{}", text(&output.stderr));
    };
    succeeds(&["migrate", "--database", &url], "true");
    assert_eq!(hashed(&url), "t");
    json(
        &data,
        &[
            "client",
            "add",
            "Worker",
            "--grant=client_credentials",
            "--id",
            "worker",
            "--database",
            &url,
        ],
        "",
    );
    succeeds(&["client", "list", "--database", &url], "true");
    let serve = ["serve", "--listen", "127.0.0.1:0", "--database", &url];
    for arguments in [&["migrate", "--database", &url][..], &serve] {
        let output = with(arguments, "false");
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(3), "{said}");
        assert!(said.contains("were made with database_hashed_keys = true"), "{said}");
    }

    // A move makes tables, so the setting is about those.
    for (value, expected) in [("false", "f"), ("true", "t")] {
        let other = servers::postgres_database();
        let from = match value {
            "false" => url.clone(),
            _ => format!("sqlite:{}", data.join("back").display()),
        };
        succeeds(&["migrate", "--from", &from, "--to", &other], value);
        assert_eq!(hashed(&other), expected);
        let clients = json(&data, &["client", "list", "--database", &other], "");
        assert_eq!(clients[0]["client_id"], "worker");
        if value == "false" {
            let back = format!("sqlite:{}", data.join("back").display());
            json(&data, &["migrate", "--from", &other, "--to", &back], "");
        }
    }
    let made_by_hand = servers::postgres_database();
    psql(&made_by_hand, &printed(&["postgres", "--set", "database_hashed_keys=true"]));
    assert_eq!(hashed(&made_by_hand), "t");
    succeeds(&["client", "list", "--database", &made_by_hand], "true");
}
