//! Request objects at URLs of the site: the room and the work that a stranger can cause.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{Router, body::Body};
use http::{Request, StatusCode};
use quadrille::{
    KeyRing, Login, Owner, Result, SpecBuf,
    consumer::{
        Account, Begin, Change, Context, MemoryStorage, Replaced, RequestObjects, Stored, Token,
        TokenStorage,
    },
    testing::{Browser, FakeService, ManualClock},
    transport::Purpose,
};
use serde_json::json;

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

/// The objects of one process that wait for their providers.
const MOST: usize = 4096;

/// A storage on a server, which counts look-ups.
#[derive(Clone, Default)]
struct Counting {
    memory: Arc<MemoryStorage>,
    loads: Arc<AtomicUsize>,
}

impl Counting {
    fn loads(&self) -> usize {
        self.loads.swap(0, Ordering::SeqCst)
    }
}

impl TokenStorage for Counting {
    fn is_durable(&self) -> bool {
        false
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        self.memory.link(cx, account, token).await
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        self.loads.fetch_add(1, Ordering::SeqCst);
        self.memory.load(cx, owner, service, subject).await
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        self.memory.replace(cx, seen, change).await
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        self.memory.unlink(cx, account).await
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        self.memory.accounts(cx, service, after, limit).await
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        self.memory.lease(cx, account, holder, lease).await
    }
}

/// A site that publishes its requests unsigned, in this storage.
fn world(storage: &Counting) -> World {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let metadata = json!({
        "issuer": ISSUER,
        "authorization_endpoint": format!("{ISSUER}/authorize"),
        "token_endpoint": format!("{ISSUER}/token"),
        "jwks_uri": format!("{ISSUER}/keys"),
        "request_object_signing_alg_values_supported": ["none"],
    });
    service.answers_next(Purpose::Document, StatusCode::OK, metadata.to_string());
    let clock = ManualClock::new();
    let unsigned = RequestObjects::UnsignedByReferenceSoThatOnlyTlsProvesWhoseItIs;
    let spec = SpecBuf::oidc("acme", ISSUER).request_objects(unsigned);
    let login = Login::new(KeyRing::ephemeral(), SITE)
        .with(spec.client("our-id", SECRET))
        .storage(storage.clone())
        .http(service.clone())
        .env(clock.env());
    World { service, login, clock }
}

/// The reference of a login that begins.
async fn published(world: &World) -> String {
    let (url, _) = world.leave(&Begin::new("acme").owner(&Owner::user("ada"))).await.unwrap();
    let url = url::Url::parse(&url).unwrap();
    let (_, reference) = url.query_pairs().find(|(name, _)| name == "request_uri").unwrap();
    reference.strip_prefix(SITE).unwrap().to_owned()
}

/// The keys of the requests that are stored.
async fn stored(world: &World, storage: &Counting) -> usize {
    let cx = world.login.storage_context().unwrap();
    storage.accounts(&cx, "quadrille.requests", None, usize::MAX).await.unwrap().len()
}

#[tokio::test]
async fn a_reference_that_the_site_has_not_made_costs_no_look_at_the_storage() {
    let storage = Counting::default();
    let world = world(&storage);
    let mut provider = Browser::new(world.login.attach(Router::new()));
    let genuine = published(&world).await;
    storage.loads();
    let (start, last) = genuine.split_at(genuine.len() - 1);
    let forged = format!("{start}{}", if last == "A" { "B" } else { "A" });
    let later = format!("{:014x}.AAAAAAAAAAAAAAAAAAAAAA", world.clock.now().millis() + 60_000);
    let made_up = format!("/login/acme/request?object={later}");
    for path in [&*forged, "/login/acme/request?object=x", start, &made_up] {
        assert_eq!(provider.visit(path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    let head = Request::head(&*genuine).body(Body::empty()).unwrap();
    assert_eq!(provider.send(head).await.status, StatusCode::NO_CONTENT);
    assert_eq!(storage.loads(), 0);
    assert_eq!(provider.visit(&genuine).await.status, StatusCode::OK);
    assert_eq!(storage.loads(), 1);

    let genuine = published(&world).await;
    world.clock.advance(Duration::from_secs(120));
    assert_eq!(provider.visit(&genuine).await.status, StatusCode::NOT_FOUND, "too late");
    assert_eq!(storage.loads(), 0);
}

#[tokio::test]
async fn logins_that_a_stranger_begins_take_limited_room_for_two_minutes() {
    let storage = Counting::default();
    let world = world(&storage);
    let mut provider = Browser::new(world.login.attach(Router::new()));
    // It leaves its room as the provider gets it.
    let got = published(&world).await;
    assert_eq!(provider.visit(&got).await.status, StatusCode::OK);

    let oldest = published(&world).await;
    world.clock.advance(Duration::from_secs(1));
    let second = published(&world).await;
    world.clock.advance(Duration::from_secs(1));
    for _ in 0..MOST - 1 {
        published(&world).await;
    }
    assert_eq!(stored(&world, &storage).await, MOST);
    assert_eq!(provider.visit(&oldest).await.status, StatusCode::NOT_FOUND, "it gave way");
    assert_eq!(provider.visit(&second).await.status, StatusCode::OK);

    // With their time they go, some with each login.
    world.clock.advance(Duration::from_secs(121));
    for _ in 0..MOST / 32 {
        published(&world).await;
    }
    assert!(stored(&world, &storage).await <= MOST / 32 + 1);
}
