//! Actor tokens and `may_act` (RFC 8693, sections 2.1 and 4.4).

use super::*;

/// A client that signs users in, acts for itself, and exchanges.
async fn world_of_one_client() -> World {
    let grants = [
        GrantType::AuthorizationCode,
        GrantType::RefreshToken,
        GrantType::ClientCredentials,
        GrantType::TokenExchange,
    ];
    let new = |new: NewClient| new.name("delegate").grant_types(grants);
    World::set_up(Policy::safe(), new, exchanging).await
}

async fn machine(world: &World, auth: &ClientAuth) -> String {
    let own = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    world.token(auth, &own).await.tokens().access
}

#[tokio::test]
async fn an_actor_token_names_the_acting_party() {
    let world = world_of_one_client().await;
    let auth = world.auth();
    let tokens = world.tokens("ada").await;
    let machine = machine(&world, &auth).await;
    let admin = world.tokens("admin").await.access;
    let id = &*world.client.id;
    for (actor, expected) in
        [(&machine, json!({ "sub": id, "client_id": id })), (&admin, json!({ "sub": "admin" }))]
    {
        let mut asked = subject(&tokens.access);
        asked.actor_token = Some((actor, token_type::ACCESS_TOKEN));
        let token = exchange(&world, &auth, asked).await.tokens().access;
        assert_eq!(told(&world, &auth, &token).await["act"], expected);
    }
}

#[tokio::test]
async fn a_token_of_another_client_is_no_actor_token() {
    let world = world_of_one_client().await;
    let api = client(&world, "delegate").await;
    let mailer = client(&world, "impersonator").await;
    let tokens = world.tokens("ada").await;
    let bob = world.tokens("bob").await.access;
    let mailer = machine(&world, &mailer).await;
    for actor in [&mailer, &bob] {
        for kind in [token_type::ACCESS_TOKEN, token_type::JWT] {
            let mut asked = subject(&tokens.access);
            asked.actor_token = Some((actor, kind));
            let answer = exchange(&world, &api, asked).await;
            assert_eq!((answer.status(), &*answer.error()), (400, "invalid_request"), "{kind}");
        }
    }
}

#[tokio::test]
async fn an_actor_token_with_an_act_or_a_dead_subject_token_is_none() {
    let world = world_of_one_client().await;
    let auth = world.auth();
    let impersonator = client(&world, "impersonator").await;
    let ada = world.tokens("ada").await.access;
    let bob = world.tokens("bob").await.access;
    let refused = async |auth: &ClientAuth, actor: &str| {
        let mut asked = subject(&ada);
        asked.actor_token = Some((actor, token_type::ACCESS_TOKEN));
        let answer = exchange(&world, auth, asked).await;
        answer.status() == 400 && answer.error() == "invalid_request"
    };
    let delegated = exchanged(&world, &auth, &bob).await.access;
    assert!(refused(&auth, &delegated).await);
    let plain = exchanged(&world, &impersonator, &bob).await.access;
    assert!(!refused(&impersonator, &plain).await);
    world.server.revoke_token(&bob.as_str().into()).await.unwrap();
    assert!(refused(&impersonator, &plain).await);
}

#[tokio::test]
async fn the_policy_sees_of_which_kind_the_actor_is_and_no_client_of_another_issuer() {
    let (seen, mut told) = tokio::sync::mpsc::unbounded_channel();
    let grants =
        [GrantType::AuthorizationCode, GrantType::ClientCredentials, GrantType::TokenExchange];
    let world = World::set_up(
        Policy::safe(),
        |new| new.grant_types(grants),
        |server| {
            let keys = KeySet::from_iter([partner().verifying_key().clone()]);
            let server = server.trusted_issuer(TrustedIssuer::new(PARTNER, keys).unwrap());
            server.token_exchange(move |exchanging: Exchanging| {
                seen.send(exchanging).unwrap();
                async { Err(NotGranted::refused("it only looks")) }
            })
        },
    )
    .await;
    let auth = world.auth();
    let id = &*world.client.id;
    let ada = world.tokens("ada").await.access;
    let machine = machine(&world, &auth).await;
    let foreign = jwt(&world, &json!({ "client_id": id }));
    let mut look = async |token: &str, kind: &str, actor: Option<(&str, &str)>| {
        let mut asked = TokenExchange::new(token, kind);
        asked.actor_token = actor;
        assert_eq!(exchange(&world, &auth, asked).await.error(), "invalid_grant");
        told.recv().await.unwrap()
    };
    let access = token_type::ACCESS_TOKEN;
    let by_user = look(&ada, access, Some((&ada, access))).await;
    let actor = by_user.actor().unwrap();
    assert_eq!((actor.user(), actor.client(), actor.issued_to()), (Some("ada"), None, Some(id)));
    assert!(actor.audience().is_some_and(Resources::is_empty) && actor.claims().is_none());
    assert_eq!(by_user.subject_client(), Some(id));
    let by_client = look(&ada, access, Some((&machine, access))).await;
    let actor = by_client.actor().unwrap();
    assert_eq!((actor.user(), actor.client(), actor.issued_to()), (None, Some(id), Some(id)));
    let by_partner = look(&foreign, token_type::JWT, Some((&foreign, token_type::JWT))).await;
    let actor = by_partner.actor().unwrap();
    assert_eq!((actor.user(), actor.client(), actor.issued_to()), (None, None, None));
    assert_eq!(actor.claims().unwrap().sub.as_deref(), Some("17"));
    assert_eq!(by_partner.subject_client(), None);
    assert!(look(&ada, access, None).await.actor().is_none());
}

#[tokio::test]
async fn may_act_names_a_party_by_issuer_kind_and_subject() {
    let grants =
        [GrantType::AuthorizationCode, GrantType::ClientCredentials, GrantType::TokenExchange];
    let new = |new: NewClient| new.name("partner").grant_types(grants);
    let world = World::set_up(Policy::safe(), new, exchanging).await;
    let auth = world.auth();
    let id = &*world.client.id;
    // A user whose subject is the identifier of the client.
    let user = world.tokens(id).await.access;
    let foreign = jwt(&world, &json!({ "sub": id }));
    let access = |token| Some((token, token_type::ACCESS_TOKEN));
    let user = access(&*user);
    let foreign = Some((&*foreign, token_type::JWT));
    for (may_act, actor, is_party) in [
        (json!({ "sub": id, "client_id": id }), None, true),
        (json!({ "sub": id, "client_id": id, "iss": ISSUER }), None, true),
        (json!({ "sub": id, "client_id": id, "iss": PARTNER }), None, false),
        (json!({ "sub": id }), None, false),
        (json!({ "sub": id, "iss": ISSUER }), None, false),
        (json!({ "sub": id, "client_id": "other" }), None, false),
        (json!({ "sub": id }), user, false),
        (json!({ "sub": id, "client_id": id }), user, false),
        (json!({ "sub": id, "iss": PARTNER }), user, false),
        (json!({ "sub": id, "iss": ISSUER }), user, true),
        (json!({ "sub": id }), foreign, true),
        (json!({ "sub": id, "iss": PARTNER }), foreign, true),
        (json!({ "sub": id, "iss": ISSUER }), foreign, false),
        (json!({ "sub": id, "client_id": id }), foreign, false),
    ] {
        let token = jwt(&world, &json!({ "may_act": may_act }));
        let mut asked = TokenExchange::new(&token, token_type::JWT);
        asked.actor_token = actor;
        let answer = exchange(&world, &auth, asked).await;
        let expected = if is_party { 200 } else { 400 };
        assert_eq!(answer.status(), expected, "{may_act} {}", actor.is_some());
    }
}
