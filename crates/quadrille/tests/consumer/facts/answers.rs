//! Facts about what a service answers.

use super::*;

service!(Json, acme().identity("me", "id").secret_in_json_body().scopes("read"), {
    refresh: Refresh::Rotating,
    lifetime: Some(HOUR),
});

#[tokio::test]
async fn the_token_request_may_be_json() {
    let world = World::of::<Json>();
    let linked = world.linked::<Json>().await;
    world.clock.advance(HOUR);
    call(&linked).await.unwrap();
    for purpose in [Purpose::RedeemCode, Purpose::Refresh] {
        let asked = world.fake.asked();
        let asked = asked.iter().find(|asked| asked.purpose == purpose).unwrap();
        assert_eq!(header(asked, "content-type"), "application/json");
        assert!(!asked.request.headers().contains_key("authorization"));
        let body: serde_json::Value = serde_json::from_slice(asked.request.body()).unwrap();
        assert_eq!(
            (&body["client_id"], &body["client_secret"]),
            (&"our-id".into(), &SECRET.into())
        );
    }
}

service!(Posting, acme().identity("me", "id").identity_by_post(""), {});
service!(Querying, acme().identity("me", "id").identity_by_post("{\"query\":\"x\"}"), {});

#[tokio::test]
async fn claims_may_be_requested_by_post() {
    let world = World::of::<Posting>();
    let account = world.account().await.unwrap();
    assert_eq!(&*account.subject, "7");
    assert_eq!(*world.last().request.method(), Method::POST);
    assert!(world.last().request.body().is_empty());
    let world = World::of::<Querying>();
    let account = world.account().await.unwrap();
    assert_eq!(&*account.subject, "7");
    assert_eq!(&world.last().request.body()[..], br#"{"query":"x"}"#);
    assert_eq!(header(&world.last(), "content-type"), "application/json");
    // A token that the service refuses is confirmed by the same request.
    let linked = world.login.linked::<Querying>(&account).await.unwrap();
    world.clock.advance(HOUR);
    world.fake.answers_next(Purpose::Api, StatusCode::UNAUTHORIZED, "");
    assert!(matches!(call(&linked).await, Err(Error::Api { .. })), "the token is alive");
    assert_eq!(&world.last().request.body()[..], br#"{"query":"x"}"#);
}

service!(
    Telling,
    acme()
        .identity("users/{subject}", "id")
        .identity_in_token("who.id")
        .profile(&[("name", "login")]),
    {}
);

#[tokio::test]
async fn a_token_response_may_say_who_it_is() {
    let world = World::of::<Telling>();
    let linked = world.linked::<Telling>().await;
    assert_eq!(&*linked.subject(), "7");
    assert_eq!(world.fake.times_asked(Purpose::Identity), 0, "nothing is asked for it");
    let profile = linked.profile().await.unwrap();
    assert_eq!((&*profile.subject, profile.name.as_deref()), ("7", Some("user-7")));
    assert_eq!(url(&world.last()), "https://api.acme.example/v1/users/7");

    let answer = r#"{"access_token":"a","who":{"id":7.5}}"#;
    world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, answer);
    let error = world.account().await.unwrap_err();
    let expected = Error::Service { service: "acme".into(), error: ServiceError::SubjectMissing };
    assert_eq!(error, expected);
}

service!(Silent, acme().identity_in_token("uid"), {});

#[tokio::test]
async fn a_service_without_claims_has_a_profile_only_if_it_identifies() {
    let world = World::of::<Silent>();
    let profile = world.linked::<Silent>().await.profile().await.unwrap();
    assert_eq!((&*profile.subject, profile.name), ("7", None));
    let world = World::of::<Nameless>();
    let error = world.linked::<Nameless>().await.profile().await.unwrap_err();
    assert_eq!(error, OperatorError::ServiceMismatch { service: "acme".into() }.into());
}

service!(Listing, acme().scopes("a b"), { scope_as_array: true });
service!(
    Redirecting,
    acme()
        .scopes("a b")
        .scopes_in_callback()
        .scope_separators(ScopeSeparator::Comma, ScopeSeparator::Comma),
    { scope_in_callback: true, scope_separator: ScopeSeparator::Comma, scopes: Some("a") }
);

#[tokio::test]
async fn granted_scopes_are_an_array_or_in_the_callback() {
    let world = World::of::<Listing>();
    world.fake.change(|its| its.scopes = Some("a c"));
    assert_eq!(world.linked::<Listing>().await.scopes(), Scopes::of(["a", "c"]));
    let world = World::of::<Redirecting>();
    assert_eq!(world.linked::<Redirecting>().await.scopes(), Scopes::of(["a"]));
}

service!(Flagging, acme().identity("me", "id").failure_flag("ok"), {});

#[tokio::test]
async fn a_failure_under_200_is_an_error() {
    let world = World::of::<Flagging>();
    let linked = world.linked::<Flagging>().await;
    call(&linked).await.unwrap();
    let no = r#"{"ok":false,"error":"channel_not_found"}"#;
    world.fake.answers_next(Purpose::Api, StatusCode::OK, no);
    let error = call(&linked).await.unwrap_err();
    let Error::Api { status, body, .. } = error else { panic!("{error:?}") };
    assert_eq!((status, &*body), (StatusCode::OK, no.as_bytes()));
    world.fake.answers_next(Purpose::Identity, StatusCode::OK, no);
    assert!(matches!(linked.profile().await, Err(Error::Api { .. })));
    world.fake.answers_next(Purpose::RedeemCode, StatusCode::OK, r#"{"ok":false,"error":"x"}"#);
    let refused = ServiceError::TokenRefused { error: "x".into() };
    let expected = Error::Service { service: "acme".into(), error: refused };
    assert_eq!(world.account().await.unwrap_err(), expected);
}

service!(
    Saying,
    acme().identity("me", "id").failure_flag("ok").dead_token("error.code", "190 invalid_auth"),
    {}
);

#[tokio::test]
async fn a_service_may_say_in_its_own_way_that_a_token_is_invalid() {
    for (status, body, is_dead) in [
        (400, r#"{"error":{"code":190}}"#, true),
        (200, r#"{"ok":false,"error":{"code":"invalid_auth"}}"#, true),
        (400, r#"{"error":{"code":4}}"#, false),
        (200, r#"{"ok":false,"error":{"code":"no_channel"}}"#, false),
        (200, r#"{"ok":true,"error":{"code":"invalid_auth"}}"#, false),
        (500, r#"{"error":{"code":190}}"#, false),
    ] {
        let world = World::of::<Saying>();
        let linked = world.linked::<Saying>().await;
        let status = StatusCode::from_u16(status).unwrap();
        world.fake.answers_next(Purpose::Api, status, body);
        let young = call(&linked).await;
        assert!(!matches!(young, Err(Error::NotLinked(_))), "a new token is not known everywhere");
        world.clock.advance(HOUR);
        world.fake.answers_next(Purpose::Api, status, body);
        let answer = call(&linked).await;
        assert_eq!(matches!(answer, Err(Error::NotLinked(_))), is_dead, "{status} {body}");
        let again = world.login.linked::<Saying>(&linked.account()).await;
        assert_eq!(again.is_err(), is_dead, "{status} {body}");
    }
}
