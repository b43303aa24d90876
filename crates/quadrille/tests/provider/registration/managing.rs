//! Clients that read, change and delete their registration (RFC 7592).

use super::*;

/// OpenID Connect Dynamic Client Registration, section 4, by RFC 7592.
#[tokio::test]
async fn a_client_reads_replaces_and_deletes_its_registration() {
    let mut world = world(open()).await;
    let client = information(
        &register(
            &world,
            &json!({
                "redirect_uris": [CALLBACK, "https://app.example/other"],
                "client_name": "Photo app",
                "logo_uri": "https://app.example/logo.png",
                "grant_types": ["authorization_code", "refresh_token"],
            }),
        )
        .await,
    );
    let configuration = client.configuration.clone().unwrap();
    assert!(
        configuration.registration_client_uri.starts_with("https://id.example/oauth/register/")
    );
    become_client(&mut world, &client);
    let tokens = world.tokens("ada").await;

    let read =
        information(&manage(&world, &configuration, &ClientConfigurationRequest::Read).await);
    assert_eq!(read.metadata, client.metadata);
    assert_eq!(read.client_secret, None, "it is stored as a hash");
    assert_eq!(read.client_secret_expires_at, Some(SecretExpiry::Never));
    assert_eq!(read.configuration, Some(configuration.clone()));

    let asked = update(&client, |client| {
        client.metadata.redirect_uris.pop();
        client.metadata.logo_uri = None;
        client.metadata.client_uri = Some("https://app.example/".to_owned());
    });
    let updated = information(&manage(&world, &configuration, &asked).await);
    assert_eq!(updated.client_id, client.client_id);
    assert_eq!(updated.metadata.redirect_uris, [CALLBACK]);
    assert_eq!(updated.metadata.logo_uri, None, "what is left out is deleted");
    assert!(updated.metadata.client_uri.is_some());
    assert_eq!(updated.client_secret, None, "the secret remains");
    assert!(world.is_good(&tokens.access).await, "tokens remain");
    let tokens = world.refresh(&tokens.refresh.unwrap()).await.tokens();

    // The token is another one; that before reads it until then, since an answer may be lost.
    let newer = updated.configuration.unwrap();
    assert_ne!(newer, configuration);
    let read = ClientConfigurationRequest::Read;
    let again = manage(&world, &configuration, &asked).await;
    assert_refused(&again, 409, "temporarily_unavailable");
    let found = information(&manage(&world, &configuration, &read).await);
    assert_eq!(found.configuration.as_ref(), Some(&newer));
    assert_eq!(manage(&world, &newer, &read).await.status(), 200);
    assert_refused(&manage(&world, &configuration, &read).await, 401, "invalid_token");

    let deleted = manage(&world, &newer, &ClientConfigurationRequest::Delete).await;
    assert_eq!((deleted.status(), deleted.text()), (204, ""));
    assert!(!world.is_good(&tokens.access).await, "its tokens end with it");
    assert_eq!(world.refresh(&tokens.refresh.unwrap()).await.error(), "invalid_client");
    for asked in [&read, &ClientConfigurationRequest::Delete, &asked] {
        assert_refused(&manage(&world, &newer, asked).await, 401, "invalid_token");
    }
}

#[tokio::test]
async fn an_update_changes_neither_the_identity_of_the_client_nor_the_operator_s_settings() {
    let world = world(open()).await;
    let client = information(&register(&world, &json!({"redirect_uris": [CALLBACK]})).await);
    let configuration = client.configuration.clone().unwrap();
    let other = update(&client, |client| client.client_id = "other".to_owned());
    assert_refused(&manage(&world, &configuration, &other).await, 400, "invalid_client_metadata");
    let chosen = update(&client, |client| client.client_secret = Some("chosen".into()));
    assert_refused(&manage(&world, &configuration, &chosen).await, 400, "invalid_client_metadata");
    let hostile = update(&client, |client| {
        client.metadata.redirect_uris = vec!["javascript:alert(1)".to_owned()];
    });
    assert_refused(&manage(&world, &configuration, &hostile).await, 400, "invalid_redirect_uri");
    let path = configuration.registration_client_uri.strip_prefix(ISSUER).unwrap();
    let put = |body: Value, token: &Secret| {
        Request::put(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {}", token.expose()))
            .body(Body::from(body.to_string()))
            .unwrap()
    };
    let token = &configuration.registration_access_token;
    for body in [
        json!({"redirect_uris": [CALLBACK]}),
        json!({"client_id": client.client_id, "redirect_uris": [CALLBACK],
            "client_secret_expires_at": 0}),
        json!({"client_id": client.client_id, "redirect_uris": [CALLBACK],
            "registration_access_token": "x"}),
    ] {
        assert_refused(&world.send(put(body, token)).await, 400, "invalid_client_metadata");
    }
    let same = update(&client, |_| {});
    assert_eq!(manage(&world, &configuration, &same).await.status(), 200);

    // The token is for this client alone, and needed.
    let second = information(&register(&world, &json!({"redirect_uris": [CALLBACK]})).await);
    let mixed = ClientConfiguration {
        registration_access_token: second.configuration.unwrap().registration_access_token,
        ..configuration.clone()
    };
    let read = ClientConfigurationRequest::Read;
    assert_refused(&manage(&world, &mixed, &read).await, 401, "invalid_token");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        assert_eq!(world.send(request).await.status(), 401);
    }
    let of_operator = format!("/oauth/register/client?client_id={}", world.client.id);
    let request = Request::get(of_operator).header("authorization", "Bearer x");
    assert_eq!(world.send(request.body(Body::empty()).unwrap()).await.status(), 401);
}

#[tokio::test]
async fn users_are_asked_again_after_a_client_changed_its_name_or_where_it_leads() {
    let mut world = world(open()).await;
    let client = information(&register(&world, &public(&json!({}))).await);
    become_client(&mut world, &client);
    world.tokens("ada").await;
    let silent = |answer: Answer| answer.status() == 303;
    assert!(silent(world.ask(&mut Browser::default(), &world.asking()).await));
    world.clock.advance(Duration::from_secs(5));
    let same = update(&client, |client| client.metadata.software_version = Some("2".to_owned()));
    let configuration = client.configuration.clone().unwrap();
    let client = information(&manage(&world, &configuration, &same).await);
    assert!(silent(world.ask(&mut Browser::default(), &world.asking()).await));
    let moved = update(&client, |client| {
        client.metadata.redirect_uris.push("https://elsewhere.example/cb".to_owned());
    });
    let configuration = client.configuration.clone().unwrap();
    information(&manage(&world, &configuration, &moved).await);
    assert!(!silent(world.ask(&mut Browser::default(), &world.asking()).await));
    world.clock.advance(Duration::from_secs(5));
    world.tokens("ada").await;
    assert!(silent(world.ask(&mut Browser::default(), &world.asking()).await));
}

#[tokio::test]
async fn a_change_by_the_operator_leaves_a_client_one_that_registered_itself() {
    let mut world = world(open()).await;
    let client = information(&register(&world, &public(&json!({}))).await);
    become_client(&mut world, &client);
    let before = world.server.client(&client.client_id).await.unwrap().unwrap();
    world.server.edit_client(&client.client_id, |_, new| new.require_pkce()).await.unwrap();
    let again = NewClient::public("Photo app").id(&client.client_id).redirect_uri(CALLBACK);
    world.server.ensure_client(again.scopes(before.scopes.clone())).await.unwrap();
    let after = world.server.client(&client.client_id).await.unwrap().unwrap();
    assert!(before.registration.is_some());
    assert_eq!(after.registration, before.registration);
    world.sign_in("ada");
    let page = world.ask(&mut Browser::default(), &world.asking()).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    let configuration = client.configuration.unwrap();
    let read = manage(&world, &configuration, &ClientConfigurationRequest::Read).await;
    assert_eq!(read.status(), 200, "{}", read.text());
}

#[tokio::test]
async fn an_update_by_the_client_resets_no_setting_of_the_operator() {
    let world = world(open()).await;
    let metadata = json!({"redirect_uris": [CALLBACK], "scope": "photos:read photos:write",
        "grant_types": ["authorization_code", "refresh_token"]});
    let client = information(&register(&world, &metadata).await);
    let read = || Scopes::parse("photos:read").unwrap();
    let lifetimes =
        Lifetimes { access_token: Some(Duration::from_secs(60)), ..Lifetimes::default() };
    let edited = world.server.edit_client(&client.client_id, |_, new| {
        let narrow = new.scopes(read()).default_scopes(read()).lifetimes(lifetimes);
        narrow.require_pkce().first_party().grant_types([GrantType::AuthorizationCode])
    });
    let edited = edited.await.unwrap().client;
    let configuration = client.configuration.clone().unwrap();
    // A grant that the operator has taken away is left out.
    let less = information(&manage(&world, &configuration, &update(&client, |_| {})).await);
    assert_eq!(less.metadata.grant_types, Some(vec!["authorization_code".to_owned()]));
    let configuration = less.configuration.unwrap();
    let same = update(&client, |client| {
        client.metadata.grant_types = Some(vec!["authorization_code".to_owned()]);
    });
    let same = information(&manage(&world, &configuration, &same).await);
    let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
    let mut expected = edited.clone();
    expected.registration.clone_from(&stored.registration);
    // The update names the authentication method, which the registration left to the server.
    expected.auth.clone_from(&stored.auth);
    assert_eq!(*stored, expected, "the registration access token alone is new");
    // The operator has trusted this name, not any other one.
    let renamed = update(&same, |client| client.metadata.client_name = Some("Bank".to_owned()));
    information(&manage(&world, &same.configuration.clone().unwrap(), &renamed).await);
    let stored = world.server.client(&client.client_id).await.unwrap().unwrap();
    expected.name = "Bank".to_owned();
    expected.first_party = false;
    expected.registration.clone_from(&stored.registration);
    assert_eq!(*stored, expected);
}

#[tokio::test]
async fn a_secret_expires_and_an_update_brings_the_next_in_time() {
    let mut world = world(open().secret_lifetime(HOUR * 10)).await;
    let client = information(&register(&world, &json!({"redirect_uris": [CALLBACK]})).await);
    let expires = Timestamp::from_seconds((world.clock.now() + HOUR * 10).seconds());
    assert_eq!(client.client_secret_expires_at, Some(SecretExpiry::At(expires)));
    become_client(&mut world, &client);
    world.tokens("ada").await;
    let configuration = client.configuration.clone().unwrap();
    let same = update(&client, |_| {});
    let early = information(&manage(&world, &configuration, &same).await);
    assert_eq!(early.client_secret, None, "it is in the first half of its life");
    world.clock.advance(HOUR * 6);
    let rotated = information(&manage(&world, &early.configuration.unwrap(), &same).await);
    assert!(rotated.client_secret.is_some());
    let code = world.code("ada").await;
    world.redeem(&code).await.tokens();
    world.clock.advance(HOUR * 4);
    let code = world.code("ada").await;
    assert_eq!(world.redeem(&code).await.error(), "invalid_client", "the first one has expired");
    become_client(&mut world, &rotated);
    world.redeem(&code).await.tokens();
}
