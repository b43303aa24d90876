//! What is remembered is true, also when another process made it untrue.

use std::{sync::Arc, time::Duration};

use quadrille::{
    provider::store::{
        Clients as _, FamilyRecord, Grants as _, Issue, IssuerId, Redeemed, RevokeAll, Rotated,
        RowId, SqliteStore, Store, StoreError,
    },
    testing::{ManualClock, cached},
};
use tempfile::TempDir;

use crate::world::{
    CLIENT, access, client, code, family, grant, is_good, issue, issuer, open, put_client,
    rotation, sqlite,
};

/// Two processes on one file: one that serves and remembers, and the command line.
struct Two<S> {
    serving: S,
    command: SqliteStore,
    issuer: IssuerId,
    clock: ManualClock,
    _folder: TempDir,
}

/// Tokens 100 to 109 and a client, all of them remembered.
async fn two() -> Two<impl Store> {
    let clock = ManualClock::new();
    let (store, folder) = sqlite(clock.env());
    let command = open(folder.path(), clock.env());
    let serving = cached(store, clock.env());
    let issuer = issuer(&serving).await;
    for row in 100..110 {
        serving.issue(issuer, issue(row, row, clock.now())).await.unwrap();
    }
    let two = Two { serving, command, issuer, clock, _folder: folder };
    two.remember().await;
    two
}

impl<S: Store> Two<S> {
    async fn remember(&self) {
        for _ in 0..2 {
            for row in 100..110 {
                assert!(is_good(&self.serving, self.issuer, row).await);
            }
            assert!(self.serving.client(self.issuer, CLIENT).await.unwrap().is_some());
        }
    }

    fn half_a_second_later(&self) {
        self.clock.advance(Duration::from_millis(500));
    }
}

#[tokio::test]
async fn a_grant_revoked_by_another_process_is_refused_half_a_second_later() {
    let two = two().await;
    two.command.revoke_grant(two.issuer, RowId(100), two.clock.now()).await.unwrap();
    assert!(is_good(&two.serving, two.issuer, 100).await, "this is what makes it fast");
    two.half_a_second_later();
    assert!(!is_good(&two.serving, two.issuer, 100).await);
    assert!(is_good(&two.serving, two.issuer, 101).await);
}

#[tokio::test]
async fn a_client_removed_by_another_process_is_refused_half_a_second_later() {
    let two = two().await;
    two.command.remove_client(two.issuer, CLIENT).await.unwrap();
    two.half_a_second_later();
    assert_eq!(two.serving.client(two.issuer, CLIENT).await.unwrap(), None);
    assert!(!is_good(&two.serving, two.issuer, 100).await);
}

#[tokio::test]
async fn a_client_changed_by_another_process_is_seen_half_a_second_later() {
    let two = two().await;
    let mut changed = client(CLIENT, 1);
    changed.name = "Renamed".to_owned();
    put_client(&two.command, two.issuer, changed).await;
    two.half_a_second_later();
    let seen = two.serving.client(two.issuer, CLIENT).await.unwrap().unwrap();
    assert_eq!(seen.name, "Renamed");
    assert!(is_good(&two.serving, two.issuer, 100).await);
}

#[tokio::test]
async fn a_person_cut_off_by_another_process_is_out_half_a_second_later() {
    let two = two().await;
    let subject = RevokeAll::Subject("alice".into());
    two.command.revoke_all(two.issuer, subject, RowId(104)).await.unwrap();
    two.half_a_second_later();
    assert!(!is_good(&two.serving, two.issuer, 104).await);
    assert!(is_good(&two.serving, two.issuer, 105).await, "granted later");
}

#[tokio::test]
async fn what_this_process_revokes_is_refused_at_once() {
    let two = two().await;
    two.serving.revoke_grant(two.issuer, RowId(100), two.clock.now()).await.unwrap();
    assert!(!is_good(&two.serving, two.issuer, 100).await);
    two.serving.remove_client(two.issuer, CLIENT).await.unwrap();
    assert!(!is_good(&two.serving, two.issuer, 101).await);
}

#[tokio::test]
async fn nothing_absent_is_remembered() {
    let two = two().await;
    assert!(!is_good(&two.serving, two.issuer, 200).await);
    assert_eq!(two.serving.client(two.issuer, "new").await.unwrap(), None);
    let access = access(200, grant(200, "bob"), two.clock.now());
    let issue = Issue { access, family: None };
    two.command.issue(two.issuer, issue).await.unwrap();
    put_client(&two.command, two.issuer, client("new", 2)).await;
    assert!(is_good(&two.serving, two.issuer, 200).await);
    assert!(two.serving.client(two.issuer, "new").await.unwrap().is_some());
}

#[tokio::test]
async fn when_changes_were_missed_all_is_asked_for_again() {
    let two = two().await;
    let without_a_trace = "INSERT INTO quadrille_revoked (grant_id, issuer, expires)
        SELECT 100, number, 9000000000 FROM quadrille_issuers;
        DELETE FROM quadrille_changes; INSERT INTO quadrille_changes (position, issuer, change)
        VALUES (90000, 0, '')";
    two.command.write(|tx| Ok::<_, StoreError>(tx.execute_batch(without_a_trace)?)).await.unwrap();
    assert!(is_good(&two.serving, two.issuer, 100).await);
    two.half_a_second_later();
    assert!(!is_good(&two.serving, two.issuer, 100).await);
    two.remember_without(100).await;
}

#[tokio::test]
async fn when_changes_cannot_be_read_the_store_is_asked() {
    let two = two().await;
    two.command.revoke_grant(two.issuer, RowId(100), two.clock.now()).await.unwrap();
    let broken = "ALTER TABLE quadrille_changes RENAME TO lost";
    two.command.write(move |tx| Ok::<_, StoreError>(tx.execute_batch(broken)?)).await.unwrap();
    two.half_a_second_later();
    assert!(!is_good(&two.serving, two.issuer, 100).await);
    two.remember_without(100).await;
    let mended = "ALTER TABLE lost RENAME TO quadrille_changes";
    two.command.write(move |tx| Ok::<_, StoreError>(tx.execute_batch(mended)?)).await.unwrap();
    two.remember_without(100).await;
}

#[tokio::test]
async fn after_a_step_back_of_the_clock_changes_are_asked_for() {
    let two = two().await;
    two.command.revoke_grant(two.issuer, RowId(100), two.clock.now()).await.unwrap();
    two.clock.set(two.clock.now() - Duration::from_secs(3600));
    assert!(!is_good(&two.serving, two.issuer, 100).await);
}

#[tokio::test]
async fn thousands_of_revocations_are_all_heeded() {
    let clock = ManualClock::new();
    let store = cached(quadrille::provider::store::MemoryStore::new(clock.env()), clock.env());
    let issuer = issuer(&store).await;
    for row in 1000..5000 {
        store.issue(issuer, issue(row, row, clock.now())).await.unwrap();
        assert!(is_good(&store, issuer, row).await);
    }
    for row in (1000..5000).step_by(2) {
        store.revoke_grant(issuer, RowId(row), clock.now()).await.unwrap();
    }
    for row in 1000..5000 {
        assert_eq!(is_good(&store, issuer, row).await, row % 2 == 1, "{row}");
    }
}

impl<S: Store> Two<S> {
    /// That everything but this token is still good.
    async fn remember_without(&self, revoked: i64) {
        for row in 100..110 {
            assert_eq!(is_good(&self.serving, self.issuer, row).await, row != revoked);
        }
    }
}

#[tokio::test]
async fn a_code_that_another_process_redeemed_is_redeemed_by_no_other() {
    let two = two().await;
    let code = code(200, two.clock.now());
    two.serving.put_code(two.issuer, code.clone()).await.unwrap();
    let bought = |row| issue(row, 200, two.clock.now());
    let redeemed = two.command.redeem(two.issuer, code.row, bought(201)).await;
    assert_eq!(redeemed.unwrap(), Redeemed::Issued);
    let here = two.serving.redeem(two.issuer, code.row, bought(202)).await;
    assert_eq!(here.unwrap(), Redeemed::Replayed(RowId(200)));
    assert!(!is_good(&two.serving, two.issuer, 202).await);
    let found = two.serving.code(two.issuer, code.row).await.unwrap().unwrap();
    assert!(found.redeemed, "the store is asked about a code that was not redeemed here");
}

#[tokio::test]
async fn a_refresh_token_that_another_process_turned_is_as_it_left_it() {
    let two = two().await;
    let now = two.clock.now();
    let first = family(302, grant(300, "alice"), now);
    let issue =
        Issue { access: access(301, grant(300, "alice"), now), family: Some(first.clone()) };
    two.serving.issue(two.issuer, issue).await.unwrap();
    let there = rotation(&first, 303, now);
    assert_eq!(two.command.rotate(two.issuer, there.clone()).await.unwrap(), Rotated::Issued);

    let presented =
        |family: &FamilyRecord| two.serving.family_of(two.issuer, family.row, family.current);
    let mut second = first.clone();
    assert!(there.apply(&mut second));
    let lost = two.serving.rotate(two.issuer, rotation(&first, 304, now)).await;
    assert_eq!(lost.unwrap(), Rotated::Lost(Arc::new(second.clone())));
    assert!(!is_good(&two.serving, two.issuer, 304).await);
    assert_eq!(presented(&first).await.unwrap().as_deref(), Some(&second), "the store is asked");

    let here = rotation(&second, 305, now);
    assert_eq!(two.serving.rotate(two.issuer, here.clone()).await.unwrap(), Rotated::Issued);
    let mut third = second.clone();
    assert!(here.apply(&mut third));
    assert_eq!(presented(&third).await.unwrap().as_deref(), Some(&third));
    let stored = two.command.family(two.issuer, first.row).await.unwrap();
    assert_eq!(stored.as_deref(), Some(&third), "what is remembered is what is stored");
}

#[tokio::test]
async fn a_revoked_grant_ends_what_is_remembered_of_it() {
    let two = two().await;
    let now = two.clock.now();
    let (code, family) = (code(400, now), family(402, grant(401, "alice"), now));
    two.serving.put_code(two.issuer, code.clone()).await.unwrap();
    let access = access(403, grant(401, "alice"), now);
    let issue = Issue { access, family: Some(family.clone()) };
    two.serving.issue(two.issuer, issue).await.unwrap();
    for grant in [400, 401] {
        two.command.revoke_grant(two.issuer, RowId(grant), now).await.unwrap();
    }
    let bought = crate::world::issue(404, 400, now);
    let redeemed = two.serving.redeem(two.issuer, code.row, bought).await;
    assert_eq!(redeemed.unwrap(), Redeemed::Revoked);
    let rotated = two.serving.rotate(two.issuer, rotation(&family, 405, now)).await;
    assert_eq!(rotated.unwrap(), Rotated::Gone);
}
