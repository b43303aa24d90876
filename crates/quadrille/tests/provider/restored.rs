//! A store that was restored from a backup: whatever was made before, and may have been used since the
//! backup, is refused.

use std::{sync::Arc, time::Duration};

use axum::body::Body;
use http::Request;
use quadrille::{
    Policy,
    form::FormWriter,
    jose::{Algorithm, KeySet, Protected, SigningKey},
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{
        AuthorizationServer, ClientKeys,
        GrantType::{AuthorizationCode, ClientCredentials, JwtBearer},
        Granted, NewClient, RegisteredAuth, TrustedIssuer,
        oauth1::OAuth1,
        store::{KnownSince, SqliteStore, StoreError, Transfer as _},
    },
    testing::ManualClock,
};
use serde_json::json;
use tempfile::TempDir;

use crate::{
    oauth1_support::{self, Signing, offered, problem},
    support::{Answer, Browser, CALLBACK, ISSUER, World},
};

const PARTNER: &str = "https://partner.example";
const MINUTE: Duration = Duration::from_secs(60);

struct Disk {
    store: Arc<SqliteStore>,
    clock: ManualClock,
    _folder: TempDir,
}

impl Disk {
    fn new() -> Self {
        let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let store = SqliteStore::open(folder.path().join("provider.db"), clock.env()).unwrap();
        Self { store: Arc::new(store), clock, _folder: folder }
    }

    async fn world(
        &self,
        client: impl FnOnce(NewClient) -> NewClient,
        server: impl FnOnce(AuthorizationServer) -> AuthorizationServer,
    ) -> World {
        let new = client(NewClient::confidential("Photo printer").redirect_uri(CALLBACK));
        let (store, clock) = (Arc::clone(&self.store), self.clock.clone());
        World::build(store, clock, Policy::safe(), new, server).await
    }

    /// Restores the state of a backup that was made before anything was used.
    async fn restore(&self) {
        let now = self.clock.now();
        let restore = self.store.write(move |transaction| {
            transaction
                .execute_batch("DELETE FROM quadrille_tickets; DELETE FROM quadrille_once")?;
            SqliteStore::end_unfinished(transaction, now)
        });
        restore.await.unwrap();
    }
}

#[tokio::test]
async fn a_consent_page_from_before_is_not_answered_once_more() {
    let disk = Disk::new();
    let world = disk.world(|new| new, |server| server).await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let [used, open] = [
        world.ask(&mut browser, &world.asking()).await,
        world.ask(&mut browser, &world.asking()).await,
    ];
    let code = browser.answer(&world, &used, "decision=all").await.query("code");
    assert_eq!(world.redeem(&code).await.status(), 200);
    disk.restore().await;
    for page in [&used, &open] {
        for decision in ["decision=all", "decision=deny"] {
            let answer = browser.answer(&world, page, decision).await;
            assert_eq!((answer.status(), answer.reason()), (400, "ticket_before_restore"));
        }
    }
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");

    disk.clock.advance(Duration::from_millis(1));
    let mut asked = world.asking();
    asked.extra.push(("prompt".into(), "consent".into()));
    let page = world.ask(&mut browser, &asked).await;
    let code = browser.answer(&world, &page, "decision=all").await.query("code");
    assert_eq!(world.redeem(&code).await.status(), 200, "a page from after it");
}

/// The successors of refresh tokens are derived, so that a lost answer can be repeated.
#[tokio::test]
async fn a_refresh_token_from_after_the_backup_is_not_issued_once_more() {
    let disk = Disk::new();
    let world = disk.world(|new| new, |server| server).await;
    let in_backup = world.tokens("ada").await.refresh.unwrap();
    let run = |sql: &'static str| {
        disk.store.write(move |transaction| Ok::<_, StoreError>(transaction.execute_batch(sql)?))
    };
    run("CREATE TABLE backup AS SELECT * FROM quadrille_families").await.unwrap();
    let since = world.refresh(&in_backup).await.tokens().refresh.unwrap();
    let last = world.refresh(&since).await.tokens().refresh.unwrap();
    run("DELETE FROM quadrille_families; INSERT INTO quadrille_families SELECT * FROM backup")
        .await
        .unwrap();
    disk.restore().await;
    disk.clock.advance(MINUTE);
    assert_eq!(world.refresh(&since).await.error(), "invalid_grant");
    let answer = world.refresh(&in_backup).await.tokens();
    let successor = answer.refresh.unwrap();
    assert_ne!(successor, since);
    for lost in [&since, &last] {
        assert_eq!(world.refresh(lost).await.error(), "invalid_grant");
    }
    let again = world.refresh(&in_backup).await.tokens();
    assert_eq!(again.refresh.unwrap(), successor, "the answer was lost");
    assert_eq!(world.refresh(&successor).await.status(), 200, "it ends nothing");
}

/// As it happens to a client whose answer is lost when an operator ends what is unfinished.
#[tokio::test]
async fn a_refresh_is_repeated_with_the_same_successor_also_after_a_restore() {
    let disk = Disk::new();
    let world = disk.world(|new| new, |server| server).await;
    let first = world.tokens("ada").await.refresh.unwrap();
    let next = world.refresh(&first).await.tokens().refresh.unwrap();
    disk.restore().await;
    assert_eq!(world.refresh(&first).await.tokens().refresh.unwrap(), next);
    assert_eq!(world.refresh(&next).await.status(), 200);
}

fn key() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap()
}

fn keys(key: &SigningKey) -> KeySet {
    [key.verifying_key().clone()].into_iter().collect()
}

/// An assertion of this issuer that is valid for ten minutes, with these claims besides.
fn signed(world: &World, key: &SigningKey, iss: &str, times: &[&str]) -> String {
    let now = world.env.now().seconds();
    let mut claims = json!({
        "iss": iss, "sub": iss, "aud": ISSUER, "exp": now + 600,
        "jti": format!("{:x?}", world.env.random::<16>()),
    });
    for name in times {
        claims[name] = now.into();
    }
    key.sign(&Protected::plain(), claims.to_string().as_bytes()).unwrap()
}

/// Uses assertions before a restore and after it. `uses` says whether the assertion was accepted.
async fn assertions_are_used(
    disk: &Disk,
    sign: impl Fn(&[&str]) -> String,
    uses: impl AsyncFn(&str) -> bool,
) {
    let all = || [vec!["iat"], vec!["nbf"], vec!["iat", "nbf"], vec![]].map(|times| sign(&times));
    let before = all();
    for assertion in &before {
        assert!(uses(assertion).await && !uses(assertion).await);
    }
    let unused = all();
    disk.restore().await;
    for assertion in before.iter().chain(&unused) {
        assert!(!uses(assertion).await, "it may have been used");
    }
    disk.clock.advance(Duration::from_secs(31));
    for assertion in &before {
        assert!(!uses(assertion).await);
    }
    for (times, is_known) in [(&["iat"][..], true), (&["nbf"], true), (&[], false)] {
        assert_eq!(uses(&sign(times)).await, is_known, "{times:?}");
    }
    disk.clock.advance(51 * MINUTE);
    assert!(uses(&sign(&[])).await, "none from before the restore is valid as long");
}

#[tokio::test]
async fn client_assertions_from_before_do_not_authenticate_once_more() {
    let (disk, key) = (Disk::new(), key());
    let jwks = ClientKeys::Jwks(keys(&key).to_json().into());
    let auth = RegisteredAuth::PrivateKeyJwt { alg: None, keys: jwks };
    let robot = |new: NewClient| new.grant_types([ClientCredentials]).auth(auth);
    let world = disk.world(robot, |server| server).await;
    let uses = async |assertion: &str| {
        let client_id = (*world.client.id).into();
        let auth = ClientAuth::Assertion { client_id, assertion: assertion.to_owned().into() };
        let request = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
        world.token(&auth, &request).await.status() == 200
    };
    assertions_are_used(&disk, |times| signed(&world, &key, &world.client.id, times), uses).await;
}

#[tokio::test]
async fn assertions_of_other_issuers_from_before_are_no_grants_once_more() {
    let (disk, key) = (Disk::new(), key());
    let partner = TrustedIssuer::new(PARTNER, keys(&key)).unwrap();
    let world = disk
        .world(
            |new| new.grant_types([AuthorizationCode, JwtBearer]),
            |server| {
                let server = server.trusted_issuer(partner);
                server.jwt_bearer(async |_| Ok(Granted::to_user("ada")))
            },
        )
        .await;
    let uses = async |assertion: &str| {
        let mut form = FormWriter::new();
        form.append("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
        form.append("assertion", assertion);
        form.append("client_id", &world.client.id);
        form.append("client_secret", &world.secret);
        let content = "application/x-www-form-urlencoded";
        world.request("POST", "/oauth/token", content, &form.finish()).await.status() == 200
    };
    assertions_are_used(&disk, |times| signed(&world, &key, PARTNER, times), uses).await;
}

async fn send(world: &World, request: &Request<()>) -> Answer {
    world.send(request.clone().map(|()| Body::empty())).await
}

/// A client whose clock is ahead signs for a second after the restore.
async fn signed_requests_are_used(oauth1: OAuth1) {
    let disk = Disk::new();
    let server = |server: AuthorizationServer| server.oauth1(oauth1.clone());
    let world = disk.world(oauth1_support::client, server).await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    let photos = |world: &World| signing.request(world, "GET", "/api/photos", None, &[]).map(drop);
    disk.clock.advance(2 * MINUTE);
    let ahead = photos(&world);
    disk.clock.set(disk.clock.now() - 2 * MINUTE);
    assert_eq!(send(&world, &ahead).await.status(), 200);
    assert_eq!(problem(&send(&world, &ahead).await), "nonce_used");
    disk.restore().await;
    disk.clock.advance(MINUTE);
    let again = disk.world(|new| new, server).await;
    for _ in 0..2 {
        disk.clock.advance(MINUTE);
        let answer = send(&again, &ahead).await;
        let word = problem(&answer);
        assert_eq!(answer.status(), 401);
        assert!(["timestamp_refused", "nonce_used"].contains(&&*word), "{word}");
    }
    disk.clock.advance(3 * MINUTE);
    let request = photos(&again);
    assert_eq!(send(&again, &request).await.status(), 200, "no request from before has its time");
    assert_eq!(problem(&send(&again, &request).await), "nonce_used");
}

#[tokio::test]
async fn signed_requests_from_before_are_not_accepted_once_more() {
    signed_requests_are_used(offered()).await;
    signed_requests_are_used(offered().remember_nonces_in_the_store()).await;
}

#[tokio::test]
async fn a_database_that_is_moved_knows_no_more_than_the_one_before() {
    let (from, to) = (Disk::new(), Disk::new());
    from.restore().await;
    let lost = KnownSince::moment(from.clock.now());
    use quadrille::provider::store::{Grants as _, OnceKeys as _};
    assert_eq!(from.store.uses_known_since().await.unwrap(), lost);
    to.store.raise_known_since(lost).await.unwrap();
    to.store.raise_known_since(KnownSince::ALWAYS).await.unwrap();
    to.store.raise_known_since(KnownSince::moment(from.clock.now() - MINUTE)).await.unwrap();
    assert_eq!(to.store.keys_known_since().await.unwrap(), lost);
    let uses: Result<_, StoreError> = to.store.uses_known_since().await;
    assert_eq!(uses.unwrap(), lost);
}
