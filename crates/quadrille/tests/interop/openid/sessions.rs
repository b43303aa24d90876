//! Logouts: those that end at the provider, and those that the provider tells of.

use std::time::Duration;

use quadrille::{Error, consumer::ServiceError};
use serde_json::json;

use super::world::{SECRET, World, service};

#[tokio::test]
async fn a_user_who_logs_out_with_us_is_logged_out_at_the_provider_and_returns() {
    let usual = service("usual", json!({}), |spec, id| {
        spec.client(id, SECRET).allow_parameters(["prompt"])
    });
    let mut world = World::new([usual]).await;
    world.margot_everywhere().await;
    let out = "/login/usual/logout?at_service=1&next=/album";
    let page = world.open_one("margot's", "margot", out).await;
    assert_eq!((&*page.text, page.url), ("an album", world.sites[0].at("/album")));
    world.open_one("margot's", "margot", "/login/usual?prompt=none").await;
    let refused = ServiceError::AuthorizationRefused { error: "login_required".into() };
    let refused = Error::Service { service: "usual".into(), error: refused };
    assert_eq!(world.sites[0].heard.failed(), [refused], "nobody is signed in there");
}

#[tokio::test]
async fn a_sign_out_at_the_provider_ends_the_session_of_that_browser_and_no_other() {
    let client = |name: &'static str, names_sessions: bool| {
        let metadata = json!({
            "backchannel_logout_uri": format!("{{site}}/login/{name}/backchannel-logout"),
            "backchannel_logout_session_required": names_sessions,
        });
        service(name, metadata, |spec, id| spec.client(id, SECRET))
    };
    let mut world = World::new([client("session", true), client("user", false)]).await;
    let browsers = [("desk", "margot"), ("phone", "margot"), ("bo's", "bo")];
    let mut sids = Vec::new();
    for (browser, user) in browsers {
        let session = world.open_one(browser, user, "/who/session").await.user();
        sids.push(session["claims"]["sid"].as_str().unwrap().to_owned());
        world.open_one(browser, user, "/who/user").await.user();
    }
    let end = format!("{}/session/end", world.provider.issuer);
    world.open("desk", "margot", &[end]).await;

    let mut known = Vec::new();
    for (browser, _) in browsers {
        let at = |name: &str| world.sites[0].at(&format!("/account/{name}"));
        let urls = [at("session"), at("user")];
        let pages = world.open(browser, "nobody types a name", &urls).await;
        known.push(pages.into_iter().map(|page| page.text).collect::<Vec<_>>());
    }
    let (margot, bo) =
        ["margot", "bo"].map(|user| format!("{}#{user}", world.provider.issuer)).into();
    // Without a session in it, a token means all sessions of its user.
    assert_eq!(known, [["nobody", "nobody"], [&*margot, "nobody"], [&*bo, &*bo]]);
    let mut ended = world.sites[0].heard.ended();
    ended.sort_by_key(|event| event.service.clone());
    let [session, user] = &ended[..] else { panic!("{ended:?}") };
    assert_eq!(
        (session.sid.as_deref(), session.account.as_ref()),
        (Some(&*sids[0]), Some(&margot))
    );
    assert_eq!((user.sid.as_deref(), user.account.as_ref()), (None, Some(&margot)));

    // Her next login is another session.
    world.clock.advance(Duration::from_secs(1));
    let again = world.open_one("desk", "margot", "/who/session").await.user();
    assert_ne!(again["claims"]["sid"], sids[0]);
    let account = world.open_one("desk", "margot", "/account/session").await;
    assert_eq!(account.text, margot);
}
