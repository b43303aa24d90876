//! The revocation endpoint, and what the operator revokes.

use quadrille::{Policy, oauth2::ClientAuth, provider::NewClient};

use crate::support::{Answer, World};

async fn revoke(world: &World, auth: &ClientAuth, body: &str) -> Answer {
    let mut request = http::Request::post("/oauth/revoke")
        .header("content-type", "application/x-www-form-urlencoded");
    let mut body = body.to_owned();
    match auth {
        ClientAuth::Basic { client_id, client_secret } => {
            use base64::{Engine as _, prelude::BASE64_STANDARD};
            let pair = format!("{client_id}:{}", client_secret.expose());
            request =
                request.header("authorization", format!("Basic {}", BASE64_STANDARD.encode(pair)));
        }
        auth => body = format!("{body}&client_id={}", auth.client_id()),
    }
    world.send(request.body(body.into()).unwrap()).await
}

#[tokio::test]
async fn revoking_one_token_ends_the_family() {
    for which in ["access", "refresh"] {
        let world = World::new().await;
        let first = world.tokens("ada").await;
        let second = world.refresh(first.refresh.as_deref().unwrap()).await.tokens();
        let other_session = world.tokens("ada").await;
        let token =
            if which == "access" { &first.access } else { second.refresh.as_ref().unwrap() };
        let answer = revoke(&world, &world.auth(), &format!("token={token}")).await;
        assert_eq!((answer.status(), answer.text()), (200, "{}"), "{which}");
        assert!(!world.is_good(&first.access).await, "{which}");
        assert!(!world.is_good(&second.access).await, "{which}");
        let refresh = second.refresh.unwrap();
        assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant", "{which}");
        assert!(world.is_good(&other_session.access).await, "{which}: other sessions live on");
    }
}

#[tokio::test]
async fn the_hint_is_only_a_hint() {
    for hint in ["access_token", "refresh_token", "pigeon"] {
        let world = World::new().await;
        let tokens = world.tokens("ada").await;
        let body = format!("token={}&token_type_hint={hint}", tokens.access);
        assert_eq!(revoke(&world, &world.auth(), &body).await.status(), 200);
        assert!(!world.is_good(&tokens.access).await, "{hint}");
    }
}

#[tokio::test]
async fn a_client_can_end_its_own_tokens_only_and_learns_nothing_of_others() {
    let world = World::new().await;
    let tokens = world.tokens("ada").await;
    let new = NewClient::confidential("Other");
    let other = world.server.register(new).await.unwrap();
    let other = ClientAuth::Basic {
        client_id: (*other.client.id).into(),
        client_secret: other.secret.unwrap(),
    };
    for token in [&tokens.access, tokens.refresh.as_ref().unwrap(), &"unknown".to_owned()] {
        let answer = revoke(&world, &other, &format!("token={token}")).await;
        assert_eq!((answer.status(), answer.text()), (200, "{}"));
    }
    assert!(world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn who_does_not_authenticate_revokes_nothing() {
    let world = World::new().await;
    let tokens = world.tokens("ada").await;
    let body = format!("token={}", tokens.access);
    let id: Box<str> = (*world.client.id).into();
    let wrong = ClientAuth::Basic { client_id: id.clone(), client_secret: "wrong".into() };
    assert_eq!(revoke(&world, &wrong, &body).await.error(), "invalid_client");
    let none = ClientAuth::None { client_id: id };
    assert_eq!(revoke(&world, &none, &body).await.error(), "invalid_client");
    assert_eq!(revoke(&world, &world.auth(), "x=y").await.error(), "invalid_request");
    let twice = format!("{body}&token=x");
    assert_eq!(revoke(&world, &world.auth(), &twice).await.error(), "invalid_request");
    let form = "application/x-www-form-urlencoded";
    assert_eq!(world.request("GET", "/oauth/revoke", form, "").await.status(), 405);
    assert_eq!(world.request("POST", "/oauth/revoke", "text/plain", &body).await.status(), 415);
    let overlong = format!("token={}", "x".repeat(17_000));
    for broken in ["token=%zz", "token=%ff", "token=%00", &overlong] {
        let answer = revoke(&world, &world.auth(), broken).await;
        let case = broken.get(..9).unwrap_or(broken);
        assert_eq!((answer.status(), &*answer.error()), (400, "invalid_request"), "{case}");
    }
    assert!(world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn a_public_client_revokes_by_its_id() {
    let world = World::public("https://app.example/cb").await;
    let tokens = world.tokens("ada").await;
    let body = format!("token={}", tokens.refresh.unwrap());
    assert_eq!(revoke(&world, &world.auth(), &body).await.status(), 200);
    assert!(!world.is_good(&tokens.access).await);
}

#[tokio::test]
async fn the_operator_ends_a_token_or_everything_of_a_person() {
    let world = World::with(Policy::safe(), |new| new).await;
    let (ada, grace) = (world.tokens("ada").await, world.tokens("grace").await);
    let laptop = world.tokens("ada").await;
    assert!(world.server.revoke_token(&ada.access.as_str().into()).await.unwrap());
    assert!(!world.server.revoke_token(&ada.access.as_str().into()).await.unwrap());
    assert!(!world.server.revoke_token(&"nonsense".into()).await.unwrap());
    assert!(!world.is_good(&ada.access).await);
    assert!(world.is_good(&laptop.access).await);
    let waiting = world.code("ada").await;
    world.server.revoke_subject("ada").await.unwrap();
    assert!(!world.is_good(&laptop.access).await);
    assert_eq!(world.redeem(&waiting).await.error(), "invalid_grant", "codes under way, too");
    assert!(world.is_good(&grace.access).await);
    world.clock.advance(std::time::Duration::from_secs(1));
    assert!(world.is_good(&world.tokens("ada").await.access).await, "she may come back");
}

#[tokio::test]
async fn whoever_is_removed_gets_nothing_by_a_page_that_was_open() {
    let world = World::new().await;
    let late = world.code("ada").await;
    world.server.remove_subject("ada").await.unwrap();
    assert_eq!(world.redeem(&late).await.error(), "invalid_grant");
}
