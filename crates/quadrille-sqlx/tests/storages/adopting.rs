//! Accounts that move from a browser to its user, and an account of the whole site.

use quadrille::{
    GitHub, Login, Owner,
    consumer::{Account, Begin, CookieStorage, Jar, TokenStorage},
};

use crate::{
    databases::Database,
    on_each_database,
    world::{OLD, World, find},
};

on_each_database! {
    what_lies_in_a_cookie_moves_to_the_database_of_its_user_alone
    accounts_of_a_browser_move_to_its_user
    one_account_serves_the_whole_site
}

/// A login of this owner at the service.
async fn log_in(world: &World, login: &Login, jar: &Jar, owner: &Owner) -> Account {
    let url = login.begin(jar, &Begin::new("github").owner(owner)).await.unwrap();
    let query = world.service.consent(&url, 7).unwrap();
    login.finish(jar, "github", &query, owner).await.unwrap().account
}

async fn what_lies_in_a_cookie_moves_to_the_database_of_its_user_alone<D: Database>() {
    let (_database, storage) = D::migrated().await;
    let world = World::new();
    let (alice, bob) = (Owner::user("alice"), Owner::user("bob"));
    let before = world.login(&[OLD], &CookieStorage);
    let login = world.login(&[OLD], &storage);
    for sealed_for in [&Owner::NOBODY, &alice] {
        let jar = Jar::new(&http::HeaderMap::new());
        log_in(&world, &before, &jar, sealed_for).await;
        if *sealed_for == alice {
            assert_eq!(login.adopt(&jar, "github", &bob).await.unwrap(), None);
        }
        assert_eq!(login.adopt(&jar, "github", &Owner::NOBODY).await.unwrap(), None);
        let account = login.adopt(&jar, "github", &alice).await.unwrap().unwrap();
        assert_eq!(account.owner, alice);
        let github = login.linked::<GitHub>(&account).await.unwrap();
        assert_eq!(github.get::<serde_json::Value>("user").await.unwrap()["login"], "user-7");
        assert_eq!(login.adopt(&jar, "github", &alice).await.unwrap(), None, "the cookie is gone");
        login.unlink(&account).await.unwrap();
    }
    let cx = login.storage_context().unwrap();
    assert_eq!(storage.accounts(&cx, "github", None, 10).await.unwrap().len(), 0);
}

async fn accounts_of_a_browser_move_to_its_user<D: Database>() {
    let (database, storage) = D::migrated().await;
    let world = World::new();
    let login = world.login(&[OLD], &storage);
    let jar = Jar::new(&http::HeaderMap::new());
    let browsers = log_in(&world, &login, &jar, &Owner::NOBODY).await;
    assert!(!browsers.owner.is_user());
    let alice = Owner::user("alice");
    let account = login.adopt(&jar, "github", &alice).await.unwrap().unwrap();
    assert_eq!(account, Account { owner: alice, ..browsers.clone() });
    assert_eq!(find(&login, &storage, &browsers).await.unwrap(), None);
    assert!(find(&login, &storage, &account).await.unwrap().is_some());
    assert_eq!(database.numbers("SELECT COUNT(*) FROM quadrille_leases").await, [0]);
}

async fn one_account_serves_the_whole_site<D: Database>() {
    let (database, storage) = D::migrated().await;
    let world = World::new();
    let site = Owner::user("site");
    let login = world.login(&[OLD], &storage);
    assert!(login.linked_of_owner::<GitHub>(&site).await.is_err());
    log_in(&world, &login, &Jar::new(&http::HeaderMap::new()), &site).await;
    // In another process, without a browser.
    let other = world.login(&[OLD], &database.open().await);
    let github = other.linked_of_owner::<GitHub>(&site).await.unwrap();
    assert_eq!(github.get::<serde_json::Value>("user").await.unwrap()["login"], "user-7");
    assert!(other.linked_of_owner::<GitHub>(&Owner::user("Site")).await.is_err());
}
