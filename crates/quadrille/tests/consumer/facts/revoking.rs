//! Facts about the end of a token.

use super::*;

const REVOKE: &str = "https://acme.example/revoke";
service!(Standard, acme().identity("me", "id").revocation(REVOKE, Revocation::Standard), {
    refresh: Refresh::Lasting,
});
service!(Bare, acme().identity("me", "id").revocation(REVOKE, Revocation::WithoutSecret), {});
service!(
    Deleting,
    acme().identity("me", "id").revocation("apps/{client_id}/token", Revocation::DeleteByClient),
    {}
);
service!(Posted, acme().identity("me", "id").revocation(REVOKE, Revocation::PostAccessToken), {});
service!(Bearing, acme().identity("me", "id").revocation("revoke", Revocation::PostBearer), {});
service!(
    Permitting,
    acme().identity("me", "id").revocation("{subject}/permissions", Revocation::DeleteBearer),
    {}
);

async fn revokes<S: Emulated>(method: Method, to: &str, body: &str) {
    let world = World::of::<S>();
    let linked = world.linked::<S>().await;
    assert_eq!(linked.revoke_at_service().await, RevokedAtService::Revoked, "{to}");
    let asked = world.last();
    assert_eq!((asked.purpose, asked.request.method()), (Purpose::Revoke, &method), "{to}");
    assert_eq!(url(&asked), to);
    assert_eq!(String::from_utf8_lossy(asked.request.body()), body, "{to}");
    world.clock.advance(HOUR);
    assert!(matches!(call(&linked).await, Err(Error::NotLinked(_))), "{to}");
    // The account is still there until it is unlinked.
    world.fake.answers_next(Purpose::Revoke, StatusCode::SERVICE_UNAVAILABLE, "later");
    let linked = world.linked::<S>().await;
    let outcome = linked.revoke_at_service().await;
    let RevokedAtService::Failed(Error::Api { status, .. }) = outcome else {
        panic!("{to}: {outcome:?}");
    };
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{to}");
    call(&linked).await.unwrap();
}

#[tokio::test]
async fn a_token_is_revoked_as_the_service_reads_it() {
    let (post, delete) = (Method::POST, Method::DELETE);
    let body = "token=refresh-canary-2&token_type_hint=refresh_token";
    revokes::<Standard>(post.clone(), REVOKE, body).await;
    let body = "token=access-canary-2&token_type_hint=access_token&client_id=our-id";
    revokes::<Bare>(post.clone(), REVOKE, body).await;
    let to = "https://api.acme.example/v1/apps/our-id/token";
    revokes::<Deleting>(delete.clone(), to, r#"{"access_token":"access-canary-2"}"#).await;
    revokes::<Posted>(post.clone(), REVOKE, "access_token=access-canary-2").await;
    revokes::<Bearing>(post, "https://api.acme.example/v1/revoke", "").await;
    revokes::<Permitting>(delete, "https://api.acme.example/v1/7/permissions", "").await;
}

#[tokio::test]
async fn a_service_without_revocation_says_so_and_a_token_that_is_gone_is_revoked() {
    let world = World::of::<Nameless>();
    let linked = world.linked::<Nameless>().await;
    assert_eq!(linked.revoke_at_service().await, RevokedAtService::Unsupported);
    let world = World::of::<Bare>();
    let linked = world.linked::<Bare>().await;
    let gone = r#"{"error":"invalid_token"}"#;
    for (status, body, is_revoked) in [
        (400, gone, true),
        (400, r#"{"error":"invalid_client"}"#, false),
        (401, gone, false),
        (404, "", false),
        (302, "", false),
    ] {
        let status = StatusCode::from_u16(status).unwrap();
        world.fake.answers_next(Purpose::Revoke, status, body);
        let outcome = linked.revoke_at_service().await;
        assert_eq!(outcome == RevokedAtService::Revoked, is_revoked, "{status} {body}");
    }
}
