//! Tokens for one API, which are good at no other (RFC 8707).

use http::Request;
use quadrille::{
    guard::{AccessError, Guard, Verified},
    oauth2::{Resources, TokenRequest},
    provider::RedirectUri,
};

use crate::support::{API, Answer, Browser, MAIL, World};

fn resources(text: &str) -> Resources {
    Resources::parse(text).unwrap()
}

/// What a guard for this API, or for the server's own, makes of a token.
async fn verify(
    world: &World,
    audience: Option<&str>,
    token: &str,
) -> Result<Verified, AccessError> {
    let guard = Guard::new(&world.server);
    let guard = match audience {
        Some(uri) => guard.audience(uri),
        None => guard,
    };
    let request = Request::get("/").header("authorization", format!("Bearer {token}"));
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let verified = guard.check(&parts, b"").await?;
    Ok(verified.expect("a token came"))
}

/// At which of the APIs a token is good: `own` for the server's.
async fn good_at(world: &World, token: &str) -> Vec<&'static str> {
    let mut good = Vec::new();
    for (name, audience) in [("own", None), ("api", Some(API)), ("mail", Some(MAIL))] {
        match verify(world, audience, token).await {
            Ok(_) => good.push(name),
            Err(error) => assert_eq!(error, AccessError::OtherAudience),
        }
    }
    good
}

/// A code for these resources, and what the page said of them.
async fn code_for(world: &World, wanted: &str) -> (String, String) {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let mut request = world.asking();
    request.resource = resources(wanted);
    let page = world.ask(&mut browser, &request).await;
    if page.status() == 303 {
        return (page.query("code"), String::new());
    }
    let at: Vec<_> = page.text().lines().filter_map(|line| line.strip_prefix("at=")).collect();
    let at = at.join(" ");
    (browser.answer(world, &page, "decision=all").await.query("code"), at)
}

async fn redeem(world: &World, code: &str, wanted: &str) -> Answer {
    let verifier = world.verifier();
    let asked = TokenRequest::AuthorizationCode {
        code,
        redirect_uri: world.client.redirect_uris.first().map(RedirectUri::as_str),
        code_verifier: Some(verifier.expose()),
        resource: resources(wanted),
    };
    world.token(&world.auth(), &asked).await
}

async fn refresh(world: &World, refresh_token: &str, wanted: &str) -> Answer {
    let resource = resources(wanted);
    let asked = TokenRequest::RefreshToken { refresh_token, scope: None, resource };
    world.token(&world.auth(), &asked).await
}

#[tokio::test]
async fn a_token_is_good_at_the_apis_it_was_asked_for_and_nowhere_else() {
    let world = World::new().await;
    for (wanted, at) in [
        ("", vec!["own"]),
        (API, vec!["api"]),
        ("https://API.example:443/", vec!["api"]),
        (&format!("{MAIL} {API}"), vec!["api", "mail"]),
    ] {
        let (code, _) = code_for(&world, wanted).await;
        let tokens = redeem(&world, &code, "").await.tokens();
        assert_eq!(good_at(&world, &tokens.access).await, at, "{wanted}");
        assert_eq!(world.is_good(&tokens.access).await, at == ["own"], "{wanted}");
        let tokens = refresh(&world, &tokens.refresh.unwrap(), "").await.tokens();
        assert_eq!(good_at(&world, &tokens.access).await, at, "{wanted}");
    }
}

#[tokio::test]
async fn the_handler_sees_the_audience() {
    let world = World::new().await;
    let (code, _) = code_for(&world, &format!("{API} {MAIL}")).await;
    let token = redeem(&world, &code, "").await.tokens().access;
    let verified = verify(&world, Some(MAIL), &token).await.unwrap();
    assert_eq!(verified.audience(), &resources(&format!("{API} {MAIL}")));
}

#[tokio::test]
async fn a_resource_that_is_not_known_or_malformed_is_an_invalid_target() {
    let world = World::new().await;
    world.sign_in("ada");
    let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
    let path = url.strip_prefix("https://id.example").unwrap();
    for bad in ["https%3A%2F%2Fother.example", "api.example", "https%3A%2F%2Fapi.example%23x"] {
        let path = format!("{path}&resource=https://api.example&resource={bad}");
        let answer = Browser::default().get(&world, &path).await;
        assert_eq!(answer.query("error"), "invalid_target", "{bad}");
        let body = format!("grant_type=refresh_token&refresh_token=x&resource={bad}");
        let body = format!("{body}&client_id={}&client_secret={}", world.client.id, world.secret);
        let form = "application/x-www-form-urlencoded";
        let answer = world.request("POST", "/oauth/token", form, &body).await;
        let expected = if bad.contains("other") { "invalid_grant" } else { "invalid_target" };
        assert_eq!(answer.error(), expected, "{bad}");
    }
}

#[tokio::test]
async fn a_token_request_may_narrow_but_never_widen_and_uses_nothing_up_when_it_tries() {
    let world = World::new().await;
    let (code, _) = code_for(&world, API).await;
    assert_eq!(redeem(&world, &code, MAIL).await.error(), "invalid_target");
    assert!(redeem(&world, &code, API).await.status() == 200, "the code is still good");

    let (code, _) = code_for(&world, "").await;
    assert_eq!(redeem(&world, &code, API).await.error(), "invalid_target", "none was granted");

    let (code, _) = code_for(&world, &format!("{API} {MAIL}")).await;
    let first = redeem(&world, &code, MAIL).await.tokens();
    assert_eq!(good_at(&world, &first.access).await, ["mail"]);
    let refresh_token = first.refresh.unwrap();
    let unknown = refresh(&world, &refresh_token, "https://other.example").await;
    assert_eq!(unknown.error(), "invalid_target");
    let second = refresh(&world, &refresh_token, API).await.tokens();
    assert_eq!(good_at(&world, &second.access).await, ["api"], "the grant is for both");
    let third = refresh(&world, &second.refresh.unwrap(), "").await.tokens();
    assert_eq!(good_at(&world, &third.access).await, ["api", "mail"]);
}

#[tokio::test]
async fn a_repeated_refresh_gets_the_same_successor_whatever_the_resource() {
    let world = World::new().await;
    let (code, _) = code_for(&world, &format!("{API} {MAIL}")).await;
    let first = redeem(&world, &code, "").await.tokens().refresh.unwrap();
    let second = refresh(&world, &first, API).await.tokens();
    let again = refresh(&world, &first, "https://api.example/").await.tokens();
    assert_eq!(again.refresh, second.refresh);
    // A client with a token for each API.
    let mail = refresh(&world, &first, MAIL).await.tokens();
    assert_eq!(mail.refresh, second.refresh);
    assert_eq!(good_at(&world, &again.access).await, ["api"]);
    assert_eq!(good_at(&world, &mail.access).await, ["mail"]);
    assert_eq!(refresh(&world, &first, "urn:unknown").await.error(), "invalid_target");
    assert_eq!(good_at(&world, &mail.access).await, ["mail"]);
}

#[tokio::test]
async fn a_client_gets_a_token_for_itself_at_an_api_that_is_known() {
    use quadrille::provider::GrantType::ClientCredentials;
    let policy = quadrille::Policy::safe();
    let world = World::with(policy, |new| new.grant_types([ClientCredentials])).await;
    let ask = async |wanted: &str| {
        let resource = resources(wanted);
        world.token(&world.auth(), &TokenRequest::ClientCredentials { scope: None, resource }).await
    };
    assert_eq!(good_at(&world, &ask(MAIL).await.tokens().access).await, ["mail"]);
    assert_eq!(good_at(&world, &ask("").await.tokens().access).await, ["own"]);
    assert_eq!(ask("https://other.example").await.error(), "invalid_target");
}

#[tokio::test]
async fn a_consent_for_one_api_says_nothing_of_another() {
    let world = World::new().await;
    let both = format!("{API} {MAIL}");
    for (wanted, asked) in [
        (API, API),
        (API, ""),
        ("https://api.example/", ""),
        (MAIL, MAIL),
        (&format!("{MAIL} {API}"), &both),
        (&both, ""),
    ] {
        let (_, page) = code_for(&world, wanted).await;
        assert_eq!(page, asked, "{wanted}");
    }
}
