//! A login and a log-out over each storage.

use std::path::Path;

use axum::{Router, response::Html, routing::get};
use quadrille::{
    Login,
    consumer::{FileStorage, MemoryStorage},
    transport::Purpose,
};
use quadrille_redis::RedisStorage;
use quadrille_sqlx::{PgStorage, SqliteStorage};
use sqlx::{PgPool, SqlitePool, sqlite::SqliteConnectOptions};

use super::{Emulator, album, allow};
use crate::support::{Folder, Site, databases, heading, in_a_browser, press};

const STORAGES: [&str; 6] = ["cookie", "memory", "file", "SQLite", "PostgreSQL", "Redis"];

async fn with_storage(login: Login, storage: &str, folder: &Path) -> Login {
    match storage {
        "memory" => login.storage(MemoryStorage::new()),
        "file" => login.storage(FileStorage::open(folder.join("accounts")).unwrap()),
        "SQLite" => {
            let options = SqliteConnectOptions::new().filename(folder.join("app.db"));
            let pool = SqlitePool::connect_with(options.create_if_missing(true)).await.unwrap();
            let storage = SqliteStorage::new(pool);
            storage.migrate().await.unwrap();
            login.storage(storage)
        }
        "PostgreSQL" => {
            let port = databases::postgres().port;
            let url = format!("postgres://postgres@127.0.0.1:{port}/postgres");
            let storage = PgStorage::new(PgPool::connect(&url).await.unwrap());
            storage.migrate().await.unwrap();
            login.storage(storage)
        }
        "Redis" => login.storage(RedisStorage::new(databases::redis().connect().await)),
        _ => login,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_logs_in_and_out_over_each_storage() {
    in_a_browser("storages", async |browser| {
        let (emulator, folder) = (Emulator::start().await, Folder::new());
        for (index, storage) in STORAGES.into_iter().enumerate() {
            let login =
                async |port| with_storage(emulator.login(port), storage, folder.path()).await;
            let site = album(login).await;
            browser.goto(site.near("/")).await.unwrap();
            if index == 0 {
                browser.keep("1-asked").await;
            }
            allow(browser).await;
            heading(browser, "The album of Ada Lovelace").await;
            browser.goto(site.near("/")).await.unwrap();
            heading(browser, "The album of Ada Lovelace").await;

            press(browser, "Log out").await;
            heading(browser, "You are logged out of GitHub").await;
            if index == 0 {
                browser.looks_good("2-logged-out").await;
            }
            let revoked = emulator.fake.times_asked(Purpose::Revoke);
            assert_eq!(revoked, index + 1, "{storage}: GitHub has ended the access");
            browser.goto(site.near("/")).await.unwrap();
            heading(browser, "Log in with GitHub").await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_site_logs_nobody_out() {
    in_a_browser("logout", async |browser| {
        let emulator = Emulator::start().await;
        let site = album(async |port| emulator.login(port)).await;
        let route = site.near("/login/github/logout");
        let form = format!(
            "<!doctype html><title>Win</title><a href={route}>By link</a>
             <form method=post action={route}><button>By form</button></form>"
        );
        let routes = Router::new().route("/", get(async || Html(form)));
        let elsewhere = Site::start(async |_| routes).await;

        browser.goto(site.near("/")).await.unwrap();
        allow(browser).await;
        heading(browser, "The album of Ada Lovelace").await;
        browser.goto(elsewhere.far("/")).await.unwrap();
        press(browser, "By form").await;
        heading(browser, "This request is not of this site").await;
        browser.goto(site.near("/")).await.unwrap();
        heading(browser, "The album of Ada Lovelace").await;

        // A link changes nothing: it shows the form.
        browser.goto(elsewhere.far("/")).await.unwrap();
        press(browser, "By link").await;
        heading(browser, "Log out of GitHub?").await;
        browser.looks_good("asked").await;
        assert_eq!(emulator.fake.times_asked(Purpose::Revoke), 0);
        press(browser, "Log out").await;
        heading(browser, "You are logged out of GitHub").await;
        assert_eq!(emulator.fake.times_asked(Purpose::Revoke), 1);
    })
    .await;
}
