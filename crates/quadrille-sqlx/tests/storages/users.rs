//! Users on real databases: the contract, and many first logins at once.

use std::collections::HashSet;

use quadrille::{
    Profile,
    consumer::{
        StorageError,
        users::{Arrival, ExternalId, SignedIn, UserId, UserStorage, Users},
    },
    testing::users_contract,
};
use tokio::{runtime::Runtime, task::JoinSet};

use crate::{
    databases::{Database, MariaDb, Postgres, SqliteFile, SqliteMemory},
    on_each_database,
};

users_contract!(contract_sqlite_file, fresh::<SqliteFile>);
users_contract!(contract_sqlite_memory, fresh::<SqliteMemory>);
users_contract!(contract_postgres, fresh::<Postgres>);
users_contract!(contract_mariadb, fresh::<MariaDb>);

fn fresh<D: Database>() -> (D::Users, (D, Runtime)) {
    let runtime = Runtime::new().unwrap();
    let (database, users) = runtime.block_on(async {
        let (database, _) = D::migrated().await;
        let users = database.open_users().await;
        (database, users)
    });
    (users, (database, runtime))
}

on_each_database! {
    a_hundred_first_logins_of_one_account_make_one_user
    two_hundred_accounts_make_as_many_users
    a_key_that_is_too_long_is_refused
}

fn arrival(subject: usize) -> Arrival {
    Arrival::new("github", Profile::new(subject.to_string())).unwrap()
}

/// Signs in at once, in two processes.
async fn sign_in<D: Database>(
    database: &D,
    arrivals: impl Iterator<Item = Arrival>,
) -> Vec<(Arrival, SignedIn)> {
    let processes =
        [Users::new(database.open_users().await), Users::new(database.open_users().await)];
    let mut all = JoinSet::new();
    for (at, arrival) in arrivals.enumerate() {
        let users = processes[at % 2].clone();
        all.spawn(async move {
            let signed_in = users.sign_in(&arrival, None).await.unwrap();
            (arrival, signed_in)
        });
    }
    all.join_all().await
}

async fn a_hundred_first_logins_of_one_account_make_one_user<D: Database>() {
    let (database, _) = D::migrated().await;
    let all = sign_in(&database, (0..100).map(|_| arrival(41))).await;
    let users: HashSet<UserId> = all.iter().map(|(_, signed_in)| signed_in.user()).collect();
    assert_eq!(users.len(), 1);
    let created = all.iter().filter(|(_, signed_in)| matches!(signed_in, SignedIn::Created(_)));
    assert_eq!(created.count(), 1);
    assert_eq!(database.numbers("SELECT ways FROM quadrille_users").await, [1]);
}

async fn two_hundred_accounts_make_as_many_users<D: Database>() {
    let (database, _) = D::migrated().await;
    let all = sign_in(&database, (0..200).map(arrival)).await;
    let users: HashSet<UserId> = all.iter().map(|(_, signed_in)| signed_in.user()).collect();
    assert_eq!((all.len(), users.len()), (200, 200));
    let storage = database.open_users().await;
    for (arrival, signed_in) in all {
        assert!(matches!(signed_in, SignedIn::Created(_)));
        assert_eq!(storage.user_of(arrival.id()).await, Ok(Some(signed_in.user())));
    }
    assert_eq!(database.numbers("SELECT COUNT(*) FROM quadrille_users").await, [200]);
}

async fn a_key_that_is_too_long_is_refused<D: Database>() {
    let (database, _) = D::migrated().await;
    let (users, user) = (database.open_users().await, UserId::from_number(1));
    let longest = ExternalId::new("s".repeat(128), "7".repeat(512)).unwrap();
    users.create(user, &longest, Some(&"e".repeat(320))).await.unwrap();
    assert_eq!(users.user_of(&longest).await, Ok(Some(user)));
    let too_long = [
        ExternalId::new("s".repeat(129), "7").unwrap(),
        ExternalId::new("s", "7".repeat(513)).unwrap(),
    ];
    for id in too_long {
        assert_eq!(users.link(user, &id, None).await, Err(StorageError::KeyTooLong));
        assert_eq!(users.user_of(&id).await, Ok(None));
    }
}
