//! Limits of clients that hold for every way of registering, and ids that no client can choose.

use std::sync::Arc;

use quadrille::{
    Env, KeyRing, Secret,
    jose::Algorithm,
    provider::{
        AuthorizationServer, ClientMetadataError, ExportedSecrets, GrantType, ImportError,
        LineError, MintError, NewClient, NewToken, RegisteredAuth, RegistrationError,
        store::{Clients as _, Issuers as _, MemoryStore},
    },
};
use serde_json::{Value, json};

use crate::support::{CALLBACK, ISSUER};

fn server() -> AuthorizationServer {
    let ring = KeyRing::new([&[7; 32]]).unwrap();
    AuthorizationServer::new(ISSUER, MemoryStore::new(Env::system())).unwrap().keys(ring)
}

async fn refused(server: &AuthorizationServer, line: &Value) -> Option<RegistrationError> {
    match server.import_clients(&line.to_string()).await {
        Ok(_) => None,
        Err(ImportError::Lines(mut lines)) => match lines.remove(0).1 {
            LineError::Registration(error) => Some(error),
            other => panic!("{other}"),
        },
        Err(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn an_import_has_the_limits_of_a_registration() {
    let server = server();
    let verifier = || json!({ "verifier": { "plain": "correct horse battery" } });
    for (id, secrets, more, fits) in
        [("a", 5, false, true), ("b", 6, false, false), ("c", 4, true, true), ("d", 5, true, false)]
    {
        let mut line = json!({
            "client_id": id, "client_name": "Job", "grant_types": ["client_credentials"],
        });
        line["secrets"] = (0..secrets).map(|_| verifier()).collect();
        if more {
            line["client_secret"] = "correct horse battery".into();
        }
        let error = refused(&server, &line).await;
        match fits {
            true => assert!(error.is_none(), "{id}: {error:?}"),
            false => assert!(matches!(error, Some(RegistrationError::TooManySecrets)), "{id}"),
        }
    }
    let uris = |count: usize| (0..count).map(|number| format!("{CALLBACK}/{number}"));
    for (id, count, fits) in [("e", 1000, true), ("f", 1001, false)] {
        let uris: Vec<_> = uris(count).collect();
        let line = json!({
            "client_id": id, "client_name": "App", "client_type": "public", "redirect_uris": uris,
        });
        let error = refused(&server, &line).await;
        let new = NewClient::public("App").redirect_uris(uris);
        let registered = server.register(new).await.err();
        for error in [error, registered] {
            let is_many = matches!(
                error,
                Some(RegistrationError::Metadata(ClientMetadataError::TooManyRedirectUris))
            );
            assert_eq!((error.is_none(), is_many), (fits, !fits), "{id}: {error:?}");
        }
    }
}

#[tokio::test]
async fn every_id_can_be_chosen_but_that_of_personal_tokens() {
    let server = server();
    for id in ["https://app.example/client.json", "urn:app", "https:app", "a b/c"] {
        let new = NewClient::public("App").redirect_uri(CALLBACK).id(id);
        assert!(server.register(new).await.is_ok(), "{id}");
    }
    let personal = "personal-access-tokens";
    let new = NewClient::confidential("Mine").redirect_uri(CALLBACK).id(personal);
    let error = server.register(new).await.unwrap_err();
    assert!(matches!(error, RegistrationError::IdOfPersonalTokens));
    let line = json!({
        "client_id": personal, "client_name": "A", "client_secret": "long enough 12",
        "grant_types": ["client_credentials"],
    });
    let error = refused(&server, &line).await;
    assert!(matches!(error, Some(RegistrationError::IdOfPersonalTokens)));

    // The server's own client is there after the first token, is exported, and stays as it is.
    server.mint(NewToken::personal("ada", "backup")).await.unwrap();
    let error = server
        .edit_client(personal, |_, new| {
            new.redirect_uri(CALLBACK).grant_types([GrantType::AuthorizationCode])
        })
        .await;
    assert!(matches!(error.unwrap_err(), RegistrationError::IdOfPersonalTokens));
    let client = server.client(personal).await.unwrap().unwrap();
    let line = server.export_client(&client, ExportedSecrets::Sealed).unwrap();
    let elsewhere = self::server();
    assert_eq!(elsewhere.import_clients(&line).await.unwrap().added.len(), 1);
    elsewhere.mint(NewToken::personal("ada", "backup")).await.unwrap();
}

#[tokio::test]
async fn a_client_that_has_the_id_of_personal_tokens_from_elsewhere_does_not_pass_as_theirs() {
    let store = Arc::new(MemoryStore::new(Env::system()));
    let ring = KeyRing::new([&[7; 32]]).unwrap();
    let server = AuthorizationServer::new(ISSUER, store.clone()).unwrap().keys(ring);
    let new = NewClient::confidential("Web").id("web").redirect_uri(CALLBACK);
    let mut other = server.register(new).await.unwrap().client;
    let id = "personal-access-tokens";
    other.id = id.into();
    let issuer = store.issuer(ISSUER).await.unwrap();
    assert!(store.put_client(issuer, other, None).await.unwrap());

    let personal = server.mint(NewToken::personal("ada", "backup")).await;
    assert!(matches!(personal, Err(MintError::OtherClient)), "{personal:?}");
    server.mint(NewToken::for_client("ada", id)).await.unwrap();
    assert!(server.personal_tokens("ada").await.unwrap().is_empty());
    let consents = server.consents("ada").await.unwrap();
    assert_eq!(&*consents[0].client.id, id, "the user can see and end it");
}

#[tokio::test]
async fn the_client_of_personal_tokens_gets_none_without_a_name() {
    let server = server();
    server.mint(NewToken::personal("ada", "backup")).await.unwrap();
    let unnamed = server.mint(NewToken::for_client("ada", "personal-access-tokens")).await;
    assert!(matches!(unnamed, Err(MintError::UnknownClient)), "{unnamed:?}");
}

#[tokio::test]
async fn a_public_client_is_not_registered_for_token_exchange() {
    let new = NewClient::public("App").redirect_uri(CALLBACK);
    let new = new.grant_types([GrantType::AuthorizationCode, GrantType::TokenExchange]);
    let error = server().register(new).await.unwrap_err();
    assert_eq!(error.to_string(), "a public client cannot exchange tokens");
}

#[tokio::test]
async fn a_sealed_secret_opens_for_its_own_client_alone() {
    let server = server();
    let new = |id: &str| {
        NewClient::confidential("Job")
            .id(id)
            .grant_types([GrantType::ClientCredentials])
            .auth(RegisteredAuth::ClientSecretJwt { alg: Some(Algorithm::Hs256) })
            .chosen_secret(Secret::from("a secret of 32 bytes, or of more".to_owned()))
    };
    let client = server.register(new("job")).await.unwrap().client;
    let line = server.export_client(&client, ExportedSecrets::Sealed).unwrap();
    let again = self::server();
    assert_eq!(again.import_clients(&line).await.unwrap().added.len(), 1, "with the same id");
    let mut moved: Value = serde_json::from_str(&line).unwrap();
    moved["client_id"] = "mallory".into();
    let error = again.import_clients(&moved.to_string()).await.unwrap_err();
    let ImportError::Lines(lines) = error else { panic!("{error}") };
    assert!(matches!(lines[0].1, LineError::Sealed), "{}", lines[0].1);
    // In plain text, it is sealed anew.
    let plain = server.export_client(&client, ExportedSecrets::InPlainText).unwrap();
    let mut moved: Value = serde_json::from_str(&plain).unwrap();
    moved["client_id"] = "other".into();
    assert_eq!(again.import_clients(&moved.to_string()).await.unwrap().added.len(), 1);
}
