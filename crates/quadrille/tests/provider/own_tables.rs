//! Clients and users in the application's own tables: the example, run as it is, and what becomes of
//! tokens when their rows go.

#[allow(dead_code, unreachable_pub, missing_docs, reason = "a program of its own")]
#[path = "../../examples/own_tables.rs"]
mod example;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
};
use http::{Request, StatusCode};
use quadrille::{
    Env, KeyRing, Scopes, Timestamp,
    provider::{
        AuthorizationServer, Client, Error, MintError, NewClient, NewToken, OperatorError,
        RegistrationError, SecretVerifier,
        guessing::Kdf,
        store::{ClientTable, MemoryStore, Parts, SqliteStore, StoreError, UserTable},
    },
    testing::{
        ManualClock, client_table_contract, password_verifier_contract, user_table_contract,
    },
};
use serde_json::Value;
use tempfile::TempDir;
use tower::ServiceExt as _;

const ISSUER: &str = "https://id.example";
const USERS: [(&str, &str); 3] =
    [("ada", "a dance for four"), ("bob", "a dance for four"), ("carol", "a waltz for two")];

struct World {
    clock: ManualClock,
    database: example::Database,
    server: AuthorizationServer,
    app: Router,
    _folder: TempDir,
}

impl World {
    async fn new() -> Self {
        let clock = ManualClock::new();
        let (database, folder) = database(clock.env()).await;
        let server = example::server(ISSUER, &database, clock.env()).unwrap();
        let app = example::app(&server, database.clone());
        Self { clock, database, server, app, _folder: folder }
    }

    async fn send(&self, request: Request<String>) -> (StatusCode, Value) {
        let response = self.app.clone().oneshot(request.map(Body::from)).await.unwrap();
        let status = response.status();
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    async fn token(&self, body: &str) -> (StatusCode, Value) {
        let request = Request::post("/oauth/token")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(format!("client_id=old-app&{body}"));
        self.send(request.unwrap()).await
    }

    /// The tokens of a user who gives the old client the password.
    async fn log_in(&self, name: &str) -> (String, String) {
        let body = format!("grant_type=password&username={name}&password=a+dance+for+four");
        let (status, answer) = self.token(&body).await;
        assert_eq!(status, 200, "{answer}");
        let text = |name: &str| answer[name].as_str().unwrap().to_owned();
        (text("access_token"), text("refresh_token"))
    }

    async fn call(&self, method: &str, path: &str, token: &str) -> StatusCode {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("authorization", format!("Bearer {token}"));
        self.send(request.body(String::new()).unwrap()).await.0
    }

    async fn photos(&self, token: &str) -> StatusCode {
        self.call("GET", "/api/photos", token).await
    }

    async fn sql(&self, sql: &'static str) {
        let written = self.database.write(move |tx| Ok::<_, StoreError>(tx.execute(sql, [])?));
        assert_eq!(written.await.unwrap(), 1);
    }

    fn half_a_second_later(&self) {
        self.clock.advance(Duration::from_millis(500));
    }
}

async fn database(env: Env) -> (example::Database, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("application.db");
    let database = example::open(path.to_str().unwrap(), env.clone()).await.unwrap();
    for (name, password) in USERS {
        example::sign_up(&database, name, password, env.clone()).await.unwrap();
    }
    (database, folder)
}

fn filled() -> (example::Database, TempDir) {
    tokio::runtime::Runtime::new().unwrap().block_on(database(Env::system()))
}

client_table_contract!(apps, || {
    let (database, folder) = filled();
    (example::Apps(database), ["old-app", "old-printer"], folder)
});

fn people() -> (example::People, TempDir) {
    let (database, folder) = filled();
    (example::People { database, kdf: Kdf::default(), env: Env::system() }, folder)
}

user_table_contract!(users, || {
    let (people, folder) = people();
    (people, ["1", "2"], folder)
});

password_verifier_contract!(passwords, || {
    let (people, folder) = people();
    (people, USERS, folder)
});

#[tokio::test]
async fn the_user_getter_serves_the_password_grant() {
    let world = World::new().await;
    let (access, refresh) = world.log_in("ada").await;
    assert_eq!(world.photos(&access).await, 200);
    let (status, answer) =
        world.token(&format!("grant_type=refresh_token&refresh_token={refresh}")).await;
    assert_eq!(status, 200, "{answer}");
    for wrong in ["username=ada&password=a+dance+for+five", "username=eve&password=a+dance"] {
        let (status, answer) = world.token(&format!("grant_type=password&{wrong}")).await;
        assert_eq!((status.as_u16(), &answer["error"]), (400, &"invalid_grant".into()));
    }
}

#[tokio::test]
async fn an_account_is_deleted_with_all_its_tokens() {
    let world = World::new().await;
    let (ada, adas_refresh) = world.log_in("ada").await;
    let (bob, _) = world.log_in("bob").await;
    assert_eq!(world.call("DELETE", "/api/me", &ada).await, 204);
    world.half_a_second_later();
    assert_eq!(world.photos(&ada).await, 401);
    let body = format!("grant_type=refresh_token&refresh_token={adas_refresh}");
    let (status, answer) = world.token(&body).await;
    assert_eq!((status.as_u16(), &answer["error"]), (400, &"invalid_grant".into()));
    assert_eq!(world.photos(&bob).await, 200);
    assert!(world.server.consents("1").await.unwrap().is_empty());
}

#[tokio::test]
async fn a_row_that_goes_by_another_program_takes_the_tokens_with_it() {
    let world = World::new().await;
    let (access, refresh) = world.log_in("ada").await;
    let personal = NewToken::personal("1", "backup").scopes(Scopes::of(["photos:read"]));
    let personal = world.server.mint(personal).await.unwrap().token;
    for token in [&*access, personal.expose()] {
        assert_eq!(world.photos(token).await, 200);
    }
    world.sql("DELETE FROM people WHERE name = 'ada'").await;
    world.half_a_second_later();
    for token in [&*access, personal.expose()] {
        assert_eq!(world.photos(token).await, 401);
    }
    let body = format!("grant_type=refresh_token&refresh_token={refresh}");
    assert_eq!(world.token(&body).await.0, 400);
    // Another user, who gets the number of the first one later.
    world.clock.advance(Duration::from_secs(1));
    world
        .sql(
            "INSERT INTO people (id, name, password, created)
        SELECT 1, 'eve', password, created + 100000000 FROM people WHERE name = 'bob'",
        )
        .await;
    world.half_a_second_later();
    assert_eq!(world.photos(&access).await, 401);
}

#[tokio::test]
async fn a_client_that_is_blocked_in_the_table_is_blocked_here_until_it_is_not() {
    let world = World::new().await;
    let (access, refresh) = world.log_in("ada").await;
    assert_eq!(world.photos(&access).await, 200);
    world.sql("UPDATE apps SET is_blocked = 1 WHERE id = 'old-app'").await;
    world.half_a_second_later();
    assert_eq!(world.photos(&access).await, 401);
    let refreshing = format!("grant_type=refresh_token&refresh_token={refresh}");
    let (status, answer) = world.token(&refreshing).await;
    assert_eq!((status.as_u16(), &answer["error"]), (401, &"invalid_client".into()));
    world.sql("UPDATE apps SET is_blocked = 0 WHERE id = 'old-app'").await;
    world.half_a_second_later();
    assert_eq!(world.photos(&access).await, 200);
    assert_eq!(world.token(&refreshing).await.0, 200, "nothing was used up");
}

#[tokio::test]
async fn a_client_that_comes_later_under_the_same_id_inherits_nothing() {
    let world = World::new().await;
    let (access, _) = world.log_in("ada").await;
    assert_eq!(world.photos(&access).await, 200);
    world.clock.advance(Duration::from_secs(10));
    world.sql("DELETE FROM apps WHERE id = 'old-app'").await;
    let now = world.clock.now().seconds();
    let insert = world.database.write(move |tx| {
        let sql = "INSERT INTO apps (id, name, created) VALUES ('old-app', 'Another', ?1)";
        Ok::<_, StoreError>(tx.execute(sql, [now])?)
    });
    insert.await.unwrap();
    world.half_a_second_later();
    assert_eq!(world.photos(&access).await, 401);
    let (access, _) = world.log_in("ada").await;
    assert_eq!(world.photos(&access).await, 200);
}

#[tokio::test]
async fn the_table_is_changed_by_the_application_only_and_others_are_registered_beside_it() {
    let world = World::new().await;
    let server = &world.server;
    let removed = server.remove_client("old-app").await.unwrap_err();
    assert!(removed.to_string().contains("managed by the application"), "{removed}");
    let edited = server.edit_client("old-app", |_, new| new.scopes(Scopes::EMPTY)).await;
    assert!(matches!(
        edited.unwrap_err(),
        RegistrationError::Server(Error::Operator(OperatorError::Store(
            StoreError::ManagedByApplication("clients")
        )))
    ));

    let web = || NewClient::confidential("Web").redirect_uri("https://app.example/cb");
    let taken = server.register(web().id("old-app")).await.unwrap_err();
    assert!(matches!(taken, RegistrationError::IdTaken), "{taken}");
    let client = server.register(web().id("web")).await.unwrap().client;
    assert_eq!(server.client("web").await.unwrap().as_deref(), Some(&client));
    assert!(server.remove_client("web").await.unwrap());
    assert_eq!(server.client("web").await.unwrap(), None);
}

#[tokio::test]
async fn a_client_is_deleted_with_its_tokens_and_inherits_nothing_when_it_comes_back() {
    let world = World::new().await;
    let (access, refresh) = world.log_in("ada").await;
    let delete = |commits: bool| {
        world.database.write(move |tx| {
            tx.execute("DELETE FROM apps WHERE id = 'old-app'", [])?;
            SqliteStore::forget_client(tx, ISSUER, "old-app")?;
            if commits { Ok(()) } else { Err(StoreError::failed("another thought")) }
        })
    };
    delete(false).await.unwrap_err();
    world.half_a_second_later();
    assert_eq!(world.photos(&access).await, 200);
    delete(true).await.unwrap();
    world.half_a_second_later();
    assert_eq!(world.photos(&access).await, 401);

    world.clock.advance(Duration::from_secs(10));
    let now = world.clock.now().seconds();
    let insert = world.database.write(move |tx| {
        let sql = "INSERT INTO apps (id, name, created) VALUES ('old-app', 'Another', ?1)";
        Ok::<_, StoreError>(tx.execute(sql, [now])?)
    });
    insert.await.unwrap();
    world.half_a_second_later();
    let (anew, _) = world.log_in("ada").await;
    assert_eq!(world.photos(&anew).await, 200);
    let (status, _) =
        world.token(&format!("grant_type=refresh_token&refresh_token={refresh}")).await;
    assert_eq!(
        (world.photos(&access).await, status),
        (StatusCode::UNAUTHORIZED, StatusCode::BAD_REQUEST)
    );
}

/// One client and one user, whatever the store has.
struct One;

impl ClientTable for One {
    async fn find(&self, id: &str) -> Result<Option<Client>, StoreError> {
        let client = NewClient::confidential("Machine")
            .id(id)
            .imported_secret(SecretVerifier::Sha256([7; 32]))
            .in_table(Timestamp::from_seconds(1_700_000_000));
        Ok(client.ok().filter(|_| id == "broken"))
    }
}

impl UserTable for One {
    async fn since(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        match subject {
            "broken" => Err(StoreError::failed("the database is away")),
            _ => Ok(None),
        }
    }
}

#[tokio::test]
async fn a_table_that_fails_is_a_fault_of_the_operator_and_ends_no_token() {
    let clock = ManualClock::new();
    let (store, ring) = (Arc::new(MemoryStore::new(clock.env())), KeyRing::ephemeral());
    let set_up = |server: AuthorizationServer| server.env(clock.env()).keys(ring.clone());
    let without = set_up(AuthorizationServer::new(ISSUER, store.clone()).unwrap());
    let parts = Parts::of(store).user_table(One);
    let server = set_up(AuthorizationServer::new(ISSUER, parts).unwrap());
    for subject in ["broken", "nobody"] {
        let new = NewToken::personal(subject, "x");
        let token = without.mint(new.clone()).await.unwrap().token;
        let revoked = server.revoke_token(&token).await;
        let minted = server.mint(new).await;
        match subject {
            "broken" => {
                assert!(matches!(revoked, Err(Error::Operator(OperatorError::Store(_)))));
                assert!(matches!(
                    minted,
                    Err(MintError::Server(Error::Operator(OperatorError::Store(_))))
                ));
            }
            _ => {
                assert!(!revoked.unwrap(), "a token of nobody is not valid");
                assert!(matches!(minted, Err(MintError::Gone)));
            }
        }
    }
}

#[tokio::test]
async fn two_clients_with_one_id_in_table_and_store_are_told_apart_by_nobody() {
    let clock = ManualClock::new();
    let store = Arc::new(MemoryStore::new(clock.env()));
    let alone = AuthorizationServer::new(ISSUER, store.clone()).unwrap().env(clock.env());
    alone.register(NewClient::confidential("Web").id("broken")).await.unwrap();
    let parts = Parts::of(store).client_table(One);
    let both = AuthorizationServer::new(ISSUER, parts).unwrap().env(clock.env());
    let error = both.client("broken").await.unwrap_err();
    assert!(matches!(
        error,
        Error::Operator(OperatorError::Store(StoreError::ClientTwice(id))) if &*id == "broken"
    ));
}
