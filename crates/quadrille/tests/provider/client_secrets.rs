//! Several secrets of one client, and secrets and ids that clients bring along.

use std::time::Duration;

use quadrille::{
    Policy,
    oauth2::{ClientAuth, Resources, TokenRequest},
    provider::{
        AdminError, Client, GrantType, NewClient, NewSecret, RegistrationError, SecretVerifier,
        guessing::{Cost, Kdf, VerifierError},
    },
};

use crate::support::World;

const ITSELF: TokenRequest<'static> =
    TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };

async fn machine() -> World {
    let mut world =
        World::with(Policy::safe(), |new| new.grant_types([GrantType::ClientCredentials])).await;
    world.server = world.server.clone().kdf(Kdf::new(Cost::TRIVIAL_FOR_TESTS_ONLY));
    world
}

async fn is_good(world: &World, id: &str, secret: &str) -> bool {
    let auth = ClientAuth::Basic { client_id: id.into(), client_secret: secret.into() };
    let request = ITSELF.to_request("https://id.example/oauth/token", &auth, &[]).unwrap();
    world.server.token(request).await.status() == 200
}

async fn client(world: &World, id: &str) -> Client {
    Client::clone(&*world.server.client(id).await.unwrap().unwrap())
}

#[tokio::test]
async fn a_secret_is_replaced_without_a_moment_in_which_none_is_valid() {
    let world = machine().await;
    let (server, id) = (&world.server, &*world.client.id);
    let old = world.client.secrets[0].clone();
    world.clock.advance(Duration::from_secs(5));
    let added = server.add_secret(id, NewSecret::generated()).await.unwrap();
    let new = added.secret.unwrap();
    assert!(is_good(&world, id, &world.secret).await && is_good(&world, id, new.expose()).await);
    let now = client(&world, id).await;
    let listed: Vec<_> = now.secrets.iter().map(|secret| (&secret.id, secret.created)).collect();
    assert_eq!(listed.len(), 2);
    assert_ne!(listed[0].0, listed[1].0);
    assert!(listed[0].1 < listed[1].1, "they are told apart by their time, too");

    let end = world.env.now() + Duration::from_secs(60);
    server.expire_secret(id, &old.id, Some(end)).await.unwrap();
    world.clock.advance(Duration::from_secs(59));
    assert!(is_good(&world, id, &world.secret).await);
    world.clock.advance(Duration::from_secs(1));
    assert!(!is_good(&world, id, &world.secret).await);
    server.remove_secret(id, &old.id).await.unwrap();
    assert!(is_good(&world, id, new.expose()).await);
    let last = server.remove_secret(id, &added.id).await.unwrap_err();
    assert!(matches!(last, AdminError::LastSecret));
    assert!(is_good(&world, id, new.expose()).await);
}

#[tokio::test]
async fn a_compromised_secret_ends_at_once() {
    let world = machine().await;
    let (server, id) = (&world.server, &*world.client.id);
    server.expire_secret(id, &world.client.secrets[0].id, Some(world.env.now())).await.unwrap();
    assert!(!is_good(&world, id, &world.secret).await);
    let secret = server.rotate_secret(id, Duration::ZERO).await.unwrap();
    assert_eq!(client(&world, id).await.secrets.len(), 1, "expired ones are forgotten");
    assert!(is_good(&world, id, secret.expose()).await);
}

#[tokio::test]
async fn a_refused_change_of_secrets_changes_nothing() {
    let world = machine().await;
    let (server, id) = (&world.server, &*world.client.id);
    for _ in 1..5 {
        server.add_secret(id, NewSecret::generated()).await.unwrap();
    }
    let before = client(&world, id).await;
    let add = |id: &'static str, new| async move { world_add(server, id, new).await };
    let past = NewSecret::generated().expires(world.env.now());
    for (refused, expected) in [
        (server.add_secret(id, NewSecret::generated()).await.unwrap_err(), "TooManySecrets"),
        (server.rotate_secret(id, Duration::from_secs(1)).await.unwrap_err(), "TooManySecrets"),
        (server.add_secret(id, past).await.unwrap_err(), "SecretExpired"),
        (
            server.add_secret(id, NewSecret::chosen("short".into())).await.unwrap_err(),
            "ShortSecret",
        ),
        (server.remove_secret(id, "nothing").await.unwrap_err(), "UnknownSecret"),
        (server.expire_secret(id, "nothing", None).await.unwrap_err(), "UnknownSecret"),
        (add("nobody", NewSecret::generated()).await, "UnknownClient"),
    ] {
        assert_eq!(format!("{refused:?}"), expected);
    }
    assert_eq!(client(&world, id).await, before);
    let only = server.rotate_secret(id, Duration::ZERO).await.unwrap();
    assert!(is_good(&world, id, only.expose()).await && !is_good(&world, id, &world.secret).await);
    let app = NewClient::public("App").id("app").redirect_uri("https://app.example/cb");
    server.register(app).await.unwrap();
    assert!(matches!(add("app", NewSecret::generated()).await, AdminError::PublicClient));
}

async fn world_add(
    server: &quadrille::provider::AuthorizationServer,
    id: &str,
    new: NewSecret,
) -> AdminError {
    server.add_secret(id, new).await.unwrap_err()
}

#[tokio::test]
async fn many_secrets_added_at_once_are_all_valid_or_refused() {
    let world = machine().await;
    let id = world.client.id.clone();
    let mut adding = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (server, id) = (world.server.clone(), id.clone());
        adding.spawn(async move { server.add_secret(&id, NewSecret::generated()).await });
    }
    let mut added = 0;
    for one in adding.join_all().await {
        match one {
            Ok(new) => {
                added += 1;
                assert!(is_good(&world, &id, new.secret.unwrap().expose()).await);
            }
            Err(error) => assert!(matches!(error, AdminError::TooManySecrets)),
        }
    }
    assert_eq!(added, 4);
}

#[tokio::test]
async fn a_client_brings_its_id_and_its_secret_along() {
    let world = machine().await;
    let verifiers = [
        "$2b$04$QNjc5L22fkMHVWRmmImJ3O44sS9ao6Jbe5qfgE1HFnsb53M.AhTA2",
        "pbkdf2_sha256$1000$NaClNaClNaCl$uXisDtkZ3O8GJUTqimErIL5F7hM1q1d5W8GLpdBWUDw=",
        "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631",
        "argon2$argon2id$v=19$m=64,t=1,p=1$TmFDbE5hQ2xOYUNs$OrZOu81uOqcifggpYbxMJG7T2zGWgb1jfKj+ax9QJKU",
    ];
    for (number, verifier) in verifiers.into_iter().enumerate() {
        let id = format!("old {number}: \"50% & more\" <x>");
        let new = NewClient::confidential("Old")
            .id(&*id)
            .grant_types([GrantType::ClientCredentials])
            .imported_secret(SecretVerifier::parse(verifier).unwrap());
        let registered = world.server.register(new).await.unwrap();
        assert!(registered.secret.is_none(), "the client has its secret already");
        assert!(!is_good(&world, &id, "Correct horse").await, "{verifier}");
        assert!(!is_good(&world, &id, verifier).await, "the verifier is no secret");
        assert!(is_good(&world, &id, "correct horse").await, "{verifier}");
        let stored = client(&world, &id).await.secrets[0].verifier.clone();
        assert!(matches!(stored, SecretVerifier::Argon2id(_)), "{stored:?}");
        assert!(is_good(&world, &id, "correct horse").await, "after the upgrade, too");
    }
}

#[tokio::test(start_paused = true)]
async fn guesses_at_an_imported_secret_are_limited() {
    let world = machine().await;
    let digest = "4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631";
    let new = NewClient::confidential("Old")
        .id("old")
        .grant_types([GrantType::ClientCredentials])
        .imported_secret(SecretVerifier::parse(digest).unwrap());
    world.server.register(new).await.unwrap();
    let mut statuses = std::collections::BTreeSet::new();
    for number in 0..40 {
        let auth = ClientAuth::Basic {
            client_id: "old".into(),
            client_secret: format!("guess {number}").into(),
        };
        let request = ITSELF.to_request("https://id.example/oauth/token", &auth, &[]).unwrap();
        statuses.insert(world.server.token(request).await.status().as_u16());
    }
    assert_eq!(Vec::from_iter(statuses), [401, 429]);
}

#[tokio::test]
async fn verifiers_that_cost_too_much_or_are_unknown_are_not_imported() {
    let costly = format!("$pbkdf2-sha512$100000000$AAAA${}", "A".repeat(86));
    assert_eq!(SecretVerifier::parse(&costly), Err(VerifierError::Cost));
    let costly = "$argon2id$v=19$m=4194304,t=4,p=1$TmFDbE5hQ2xOYUNs$OrZOu81uOqcifggpYbxMJG7T2zGWgb1jfKj+ax9QJKU";
    assert_eq!(SecretVerifier::parse(costly), Err(VerifierError::Cost));
    assert_eq!(SecretVerifier::parse("plain text"), Err(VerifierError::Unknown));
    assert_eq!(SecretVerifier::parse("$argon2i$v=19$x"), Err(VerifierError::Malformed));
    let world = machine().await;
    let verifier = SecretVerifier::parse(&"0".repeat(64)).unwrap();
    let app = NewClient::public("App").redirect_uri("https://app.example/cb");
    let refused = world.server.register(app.imported_secret(verifier)).await.unwrap_err();
    assert!(matches!(refused, RegistrationError::SecretOfPublicClient));
}
