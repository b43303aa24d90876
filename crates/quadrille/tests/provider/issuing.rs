//! The application's hook before every issue of a token.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Policy, Scopes,
    oauth2::{Resources, TokenRequest},
    provider::{AuthorizationServer, GrantType, NewClient, NotIssued, Occasion, PlannedToken},
};

use crate::{
    oauth1_support::{self, Signing, credentials, problem},
    support::World,
};

/// The occasion, and the user if there is one.
type Seen = (Occasion, Option<String>);

/// The state of the application's users.
#[derive(Clone, Default)]
struct Users {
    are_disabled: Arc<AtomicBool>,
    database_is_down: Arc<AtomicBool>,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Users {
    fn hook(&self, server: AuthorizationServer) -> AuthorizationServer {
        let users = self.clone();
        server.before_issue(move |token: PlannedToken| {
            let users = users.clone();
            async move {
                let subject = token.subject().map(str::to_owned);
                users.seen.lock().unwrap().push((token.occasion().clone(), subject));
                if users.database_is_down.load(Ordering::Relaxed) {
                    return Err(NotIssued::unavailable("the database of users is down"));
                }
                match users.are_disabled.load(Ordering::Relaxed) {
                    true => Err(NotIssued::refused("disabled")),
                    false => Ok(token),
                }
            }
        })
    }

    fn disable(&self, now: bool) {
        self.are_disabled.store(now, Ordering::Relaxed);
    }
}

async fn world(hook: impl FnOnce(AuthorizationServer) -> AuthorizationServer) -> World {
    World::set_up(Policy::safe(), |new| new, hook).await
}

#[tokio::test]
async fn a_disabled_user_gets_nothing_more_and_loses_nothing() {
    let users = Users::default();
    let world = world(|server| users.hook(server)).await;
    let code = world.code("ada").await;
    users.disable(true);
    let refused = world.redeem(&code).await;
    assert_eq!((refused.status(), &*refused.error()), (400, "invalid_grant"));
    users.disable(false);
    let tokens = world.redeem(&code).await.tokens();

    users.disable(true);
    let refresh = tokens.refresh.unwrap();
    let refused = world.refresh(&refresh).await;
    assert_eq!((refused.status(), &*refused.error()), (400, "invalid_grant"));
    world.clock.advance(Duration::from_secs(3600));
    assert!(!world.is_good(&tokens.access).await);
    users.disable(false);
    let anew = world.refresh(&refresh).await.tokens();
    assert!(world.is_good(&anew.access).await);

    let seen = users.seen.lock().unwrap().clone();
    let code = (Occasion::Grant(GrantType::AuthorizationCode), Some("ada".to_owned()));
    let refresh = (Occasion::Grant(GrantType::RefreshToken), Some("ada".to_owned()));
    assert_eq!(seen, [code.clone(), code, refresh.clone(), refresh]);
}

#[tokio::test]
async fn a_repeated_refresh_is_asked_about_as_the_first_was() {
    let users = Users::default();
    let world = world(|server| users.hook(server)).await;
    let refresh = world.tokens("ada").await.refresh.unwrap();
    world.refresh(&refresh).await.tokens();
    users.disable(true);
    assert_eq!(world.refresh(&refresh).await.error(), "invalid_grant");
    users.disable(false);
    world.refresh(&refresh).await.tokens();
}

#[tokio::test]
async fn a_client_that_acts_for_itself_is_asked_about_too() {
    let users = Users::default();
    let itself = |new: NewClient| new.grant_types([GrantType::ClientCredentials]);
    let world = World::set_up(Policy::safe(), itself, |server| users.hook(server)).await;
    let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
    users.disable(true);
    let refused = world.token(&world.auth(), &asked).await;
    assert_eq!((refused.status(), &*refused.error()), (400, "unauthorized_client"));
    users.disable(false);
    assert_eq!(world.token(&world.auth(), &asked).await.status(), 200);
    let seen = users.seen.lock().unwrap().clone();
    assert_eq!(seen.last(), Some(&(Occasion::Grant(GrantType::ClientCredentials), None)));
}

#[tokio::test]
async fn a_hook_that_cannot_decide_is_a_503_and_uses_nothing_up() {
    let users = Users::default();
    let world = world(|server| users.hook(server)).await;
    let code = world.code("ada").await;
    users.database_is_down.store(true, Ordering::Relaxed);
    let refused = world.redeem(&code).await;
    assert_eq!((refused.status(), &*refused.error()), (503, "temporarily_unavailable"));
    users.database_is_down.store(false, Ordering::Relaxed);
    world.redeem(&code).await.tokens();
}

#[tokio::test]
async fn it_narrows_scopes_and_lifetime_and_adds_members() {
    let world = world(|server| {
        server.before_issue(|mut token| async move {
            token.keep_scopes(&Scopes::of(["photos:read", "photos:everything"]));
            token.set_lifetime(Duration::from_secs(300));
            token.add_member("tenant", "north".into())?;
            Ok(token)
        })
    })
    .await;
    let code = world.code("ada").await;
    let answer = world.redeem(&code).await;
    let json = answer.json();
    assert_eq!(json["scope"], "photos:read");
    assert_eq!(json["expires_in"], 300);
    assert_eq!(json["tenant"], "north");
    let tokens = answer.tokens();
    assert!(world.is_good(&tokens.access).await);
    world.clock.advance(Duration::from_secs(300));
    assert!(!world.is_good(&tokens.access).await);
    let again = world.refresh(&tokens.refresh.unwrap()).await.json();
    assert_eq!((&again["scope"], &again["tenant"]), (&"photos:read".into(), &"north".into()));
}

#[tokio::test]
async fn a_token_that_it_leaves_no_scope_is_refused_and_uses_nothing_up() {
    let keeps_none = Arc::new(AtomicBool::new(true));
    let keeps = Arc::clone(&keeps_none);
    let world = world(|server| {
        server.before_issue(move |mut token| {
            let keeps_none = keeps.load(Ordering::Relaxed);
            async move {
                if keeps_none {
                    token.keep_scopes(&Scopes::of(["photos:everything"]));
                }
                Ok(token)
            }
        })
    })
    .await;
    let code = world.code("ada").await;
    assert_eq!(world.redeem(&code).await.error(), "invalid_scope");
    keeps_none.store(false, Ordering::Relaxed);
    world.redeem(&code).await.tokens();
}

#[tokio::test]
async fn no_token_outlives_the_memory_of_its_revocation() {
    let world = world(|server| {
        server.before_issue(|mut token| async move {
            token.set_lifetime(Duration::from_secs(100 * 365 * 24 * 3600));
            Ok(token)
        })
    })
    .await;
    let code = world.code("ada").await;
    world.clock.advance(Duration::from_secs(10));
    let json = world.redeem(&code).await.json();
    assert_eq!(json["expires_in"], 365 * 24 * 3600 - 10);
}

#[tokio::test]
async fn members_of_the_protocol_cannot_be_replaced() {
    let world = world(|server| {
        server.before_issue(|mut token| async move {
            token.add_member("access_token", "mine".into())?;
            Ok(token)
        })
    })
    .await;
    let code = world.code("ada").await;
    assert_eq!(world.redeem(&code).await.status(), 503);
}

#[tokio::test]
async fn token_credentials_of_oauth1_are_asked_about_as_tokens_are() {
    let users = Users::default();
    let world = World::set_up(Policy::safe(), oauth1_support::client, |server| {
        users.hook(server.oauth1(oauth1_support::offered()))
    })
    .await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    users.disable(true);
    let refused = signing.token(&world, &temporary, &verifier).await;
    assert_eq!((refused.status(), &*problem(&refused)), (403, "permission_denied"));
    users.disable(false);
    credentials(&signing.token(&world, &temporary, &verifier).await);
    let seen = users.seen.lock().unwrap().clone();
    assert_eq!(seen, vec![(Occasion::OAuth1, Some("ada".to_owned())); 2]);
}
