//! Response types and response modes (OpenID Connect Core, sections 3.2 and 3.3; OAuth 2.0 Multiple
//! Response Type Encoding Practices; OAuth 2.0 Form Post Response Mode).

use http::header::LOCATION;
use quadrille::{
    Scopes,
    jose::Algorithm,
    oauth2::{Resources, ResponseType, TokenRequest},
    oidc::token_hash,
    provider::{
        AuthorizationServer, ClientMetadataError, ClientOpenId, DynamicRegistration, GrantType,
        NewClient, NotIssued, PlannedToken, RegistrationError,
    },
};
use serde_json::{Value, json};

use super::{asking, openid, verified, world, world_of};
use crate::support::{Answer, Browser, CALLBACK, World};

pub(super) const NONCE: (&str, &str) = ("nonce", "n-0S6_WzA2Mj");

/// The response types beside those of RFC 6749.
pub(super) const DIRECT: [ResponseType; 5] = [
    ResponseType::IdToken,
    ResponseType::IdTokenToken,
    ResponseType::CodeIdToken,
    ResponseType::CodeToken,
    ResponseType::CodeIdTokenToken,
];

/// The metadata of a client that restricts itself to these response types.
fn only(types: impl IntoIterator<Item = ResponseType>) -> ClientOpenId {
    let mut openid = ClientOpenId::default();
    openid.response_types = types.into_iter().collect();
    openid
}

/// The client is registered for all response types.
pub(super) fn old(new: NewClient) -> NewClient {
    new.openid(only(ResponseType::ALL))
}

/// All response types are on.
async fn whole() -> World {
    let on = |server: AuthorizationServer| {
        server
            .openid(openid().response_types(ResponseType::ALL))
            .send_access_tokens_in_redirects_so_that_they_can_leak()
    };
    world_of(old, on).await
}

/// The answer to a request with a response type.
pub(super) async fn ask(
    world: &World,
    browser: &mut Browser,
    response_type: &str,
    scope: &str,
    further: &[(&str, &str)],
) -> Answer {
    let request = asking(world, scope, further);
    let url = request.to_url("https://id.example/oauth/authorize").unwrap();
    let named = response_type.replace(' ', "+");
    let url = url.replace("response_type=code", &format!("response_type={named}"));
    browser.get(world, url.strip_prefix("https://id.example").unwrap()).await
}

/// The answer of a user who consents.
async fn granted(world: &World, response_type: &str, further: &[(&str, &str)]) -> Answer {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = ask(world, &mut browser, response_type, "openid email", further).await;
    match page.text().contains("field=ticket=") {
        true => browser.answer(world, &page, "decision=all").await,
        // The consent is remembered.
        false => page,
    }
}

/// Sections 3.2.2.5, 3.2.2.9, 3.3.2.5 and 3.3.2.11.
#[tokio::test]
async fn each_response_type_gets_its_parts_and_an_id_token_that_names_them() {
    let world = whole().await;
    for response_type in DIRECT {
        let name = response_type.as_str();
        let answer = granted(&world, name, &[NONCE]).await;
        let part = |part: &str| answer.fragment(part);
        assert_eq!(part("state").as_deref(), Some("xyz"), "{name}");
        assert_eq!(part("iss").as_deref(), Some("https://id.example"), "{name}");
        assert_eq!(part("code").is_some(), response_type.has_code(), "{name}");
        assert_eq!(part("access_token").is_some(), response_type.has_token(), "{name}");
        assert_eq!(part("token_type").is_some(), response_type.has_token(), "{name}");
        assert_eq!(part("id_token").is_some(), response_type.has_id_token(), "{name}");
        if let Some(token) = part("id_token") {
            let (token, algorithm) = verified(&world, &token).await;
            assert_eq!(algorithm, Algorithm::Rs256);
            let hash = |part: Option<String>| part.map(|it| token_hash(algorithm, &it));
            assert_eq!(token.nonce.as_deref(), Some("n-0S6_WzA2Mj"), "{name}");
            assert_eq!(token.at_hash, hash(part("access_token")), "{name}");
            assert_eq!(token.c_hash, hash(part("code")), "{name}");
            assert_eq!(token.s_hash, hash(part("state")), "{name}");
            assert_eq!(token.subject, "ada");
            // Section 5.4: the claims of scopes, if no access token is issued.
            let has_claims = response_type == ResponseType::IdToken;
            assert_eq!(token.extra.contains_key("email"), has_claims, "{name}");
        }
        if let Some(code) = part("code") {
            let response = world.redeem(&code).await.json();
            let (token, _) = verified(&world, response["id_token"].as_str().unwrap()).await;
            // Section 3.3.3.6: the same issuer and subject, and here the same nonce.
            assert_eq!((&*token.subject, token.nonce.as_deref()), ("ada", Some("n-0S6_WzA2Mj")));
            assert_eq!(token.c_hash, None);
        }
    }
}

/// RFC 6749, section 3.1.1: the order of the words does not matter.
#[tokio::test]
async fn the_words_of_a_response_type_have_any_order() {
    let world = whole().await;
    let answer = granted(&world, "token id_token code", &[NONCE]).await;
    for part in ["code", "access_token", "id_token"] {
        assert!(answer.fragment(part).is_some(), "{part}");
    }
    for unknown in ["code code", "none", "id_token id_token", "code  token"] {
        let answer = ask(&world, &mut Browser::default(), unknown, "openid", &[NONCE]).await;
        let location = answer.headers()[LOCATION].to_str().unwrap();
        assert!(location.contains("error=unsupported_response_type"), "{unknown}: {location}");
    }
}

/// Sections 3.2.2.1 and 3.3.2.11: `nonce` is required; section 3.1.2.1: so is `openid`. Sections 3.2.2.6 and
/// 3.3.2.6: the error is where the response would be.
#[tokio::test]
async fn a_response_type_with_an_id_token_needs_a_nonce_and_the_scope() {
    let world = whole().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    for response_type in ResponseType::ALL {
        let has_id_token = response_type.has_id_token();
        let name = response_type.as_str();
        for (scope, further) in [("openid", &[][..]), ("email", &[NONCE])] {
            let answer = ask(&world, &mut browser, name, scope, further).await;
            match has_id_token {
                true => {
                    assert_eq!(answer.fragment("error").as_deref(), Some("invalid_request"));
                    assert_eq!(answer.fragment("state").as_deref(), Some("xyz"));
                }
                false => assert_eq!(answer.status(), 200, "{name} {scope}: {answer:?}"),
            }
        }
    }
}

async fn discovered(world: &World, name: &str) -> Value {
    let path = "/.well-known/openid-configuration";
    world.request("GET", path, "application/json", "").await.json()[name].clone()
}

/// Discovery, section 3; Dynamic Client Registration, section 2.
#[tokio::test]
async fn response_types_are_off_until_they_are_named_and_the_client_is_registered_for_them() {
    let world = world().await;
    assert_eq!(discovered(&world, "response_types_supported").await, json!(["code"]));
    let all = whole().await;
    let names = ResponseType::ALL.map(ResponseType::as_str);
    assert_eq!(discovered(&all, "response_types_supported").await, json!(names));
    let modes = json!(["query", "fragment", "form_post"]);
    assert_eq!(discovered(&all, "response_modes_supported").await, modes);
    let grants = json!(["authorization_code", "client_credentials", "refresh_token", "implicit"]);
    assert_eq!(discovered(&all, "grant_types_supported").await, grants);
    // Without the switch for access tokens, only those without one.
    let on = |it: AuthorizationServer| it.openid(openid().response_types(ResponseType::ALL));
    let some = world_of(old, on).await;
    let names = json!(["code", "id_token", "code id_token"]);
    assert_eq!(discovered(&some, "response_types_supported").await, names);
    assert_eq!(discovered(&some, "grant_types_supported").await, grants);
    for response_type in ["token", "code token", "id_token token", "code id_token token"] {
        let refused = ask(&some, &mut Browser::default(), response_type, "openid", &[NONCE]).await;
        assert_eq!(refused.fragment("error").as_deref(), Some("unsupported_response_type"));
    }
    for (registered, asked) in [
        (&[][..], "id_token"),
        (&[], "code id_token"),
        (&[ResponseType::CodeIdToken], "id_token"),
        (&[ResponseType::CodeIdToken], "code"),
    ] {
        let world = world_of(|new| new.openid(only(registered.iter().copied())), on).await;
        let refused = ask(&world, &mut Browser::default(), asked, "openid", &[NONCE]).await;
        let location = refused.location();
        assert!(location.contains("error=unauthorized_client"), "{asked}: {location}");
    }
}

#[tokio::test]
async fn response_types_and_grant_types_of_a_client_need_each_other() {
    let world = whole().await;
    let new = |grants: Vec<GrantType>, types: &[ResponseType]| {
        let new = NewClient::confidential("Other").redirect_uri("https://other.example/cb");
        new.grant_types(grants).openid(only(types.iter().copied()))
    };
    let (code, implicit) = (|| GrantType::AuthorizationCode, || GrantType::Implicit);
    for (grants, types) in [
        (vec![code()], &[ResponseType::CodeIdToken][..]),
        (vec![code()], &[ResponseType::Code, ResponseType::IdToken]),
        (vec![implicit()], &[ResponseType::CodeIdToken]),
        (vec![code(), implicit()], &[ResponseType::IdToken]),
        (vec![code(), implicit()], &[ResponseType::Code]),
    ] {
        let refused = world.server.register(new(grants, types)).await.unwrap_err();
        let expected = ClientMetadataError::ResponseType;
        assert!(
            matches!(&refused, RegistrationError::Metadata(it) if *it == expected),
            "{refused}"
        );
    }
    // The default of the grant types is what the response types need.
    let default = NewClient::confidential("Other").redirect_uri("https://other.example/cb");
    let default = default.openid(only([ResponseType::IdToken]));
    let registered = world.server.register(default).await.unwrap();
    assert_eq!(registered.client.grant_types, [implicit()].into());
}

/// Dynamic Client Registration, sections 2 and 3.2.
#[tokio::test]
async fn a_client_registers_itself_for_response_types_that_are_on() {
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients()
        .grant_types([GrantType::AuthorizationCode, GrantType::Implicit]);
    let on = |it: AuthorizationServer| {
        it.openid(openid().response_types([ResponseType::CodeIdToken, ResponseType::CodeToken]))
            .dynamic_registration(registration)
    };
    let world = world_of(|new| new, on).await;
    let register = async |types: &[&str]| {
        let metadata = json!({
            "redirect_uris": ["https://app.example/callback"],
            "grant_types": ["authorization_code", "implicit"],
            "response_types": types,
        });
        let body = metadata.to_string();
        world.request("POST", "/oauth/register", "application/json", &body).await
    };
    let answer = register(&["id_token code"]).await;
    assert_eq!(answer.status(), 201, "{answer:?}");
    assert_eq!(answer.json()["response_types"], json!(["code id_token"]));
    for refused in ["id_token", "code token", "token"] {
        let answer = register(&["code id_token", refused]).await;
        assert_eq!(answer.error(), "invalid_client_metadata", "{refused}");
    }
}

/// Core, sections 3.3.2 and 3.3.3: PKCE binds the code of the hybrid flow, too.
#[tokio::test]
async fn the_code_of_the_hybrid_flow_is_bound_to_its_challenge() {
    let world = whole().await;
    let answer = granted(&world, "code id_token", &[NONCE]).await;
    let code = answer.fragment("code").unwrap();
    let asked = TokenRequest::AuthorizationCode {
        code: &code,
        redirect_uri: Some(CALLBACK),
        code_verifier: None,
        resource: Resources::EMPTY,
    };
    let refused = world.token(&world.auth(), &asked).await;
    assert_eq!(refused.error(), "invalid_grant", "{refused:?}");
    assert_eq!(world.redeem(&code).await.status(), 200);
}

/// Multiple Response Type Encoding Practices, section 3: tokens are never in a query.
#[tokio::test]
async fn a_response_with_an_id_token_is_never_in_a_query() {
    let world = whole().await;
    world.sign_in("ada");
    let modes = [NONCE, ("response_mode", "query")];
    for response_type in ["id_token", "code id_token", "code token"] {
        let answer = ask(&world, &mut Browser::default(), response_type, "openid", &modes).await;
        assert_eq!(answer.fragment("error").as_deref(), Some("invalid_request"), "{response_type}");
    }
}

/// The fields of the page that sends the answer.
fn fields(answer: &Answer) -> Vec<(String, String)> {
    assert_eq!(answer.status(), 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("cache-control"), "no-store");
    assert!(answer.text().contains(r#"<form method="post" action="https://app.example/cb">"#));
    let inputs = answer.text().split("<input type=\"hidden\" name=\"").skip(1);
    let read = |input: &str| {
        let (name, rest) = input.split_once("\" value=\"").unwrap();
        (name.to_owned(), rest.split_once('"').unwrap().0.to_owned())
    };
    inputs.map(read).collect()
}

/// Form Post Response Mode, section 2.
#[tokio::test]
async fn an_answer_by_form_has_its_parts_in_the_fields_of_a_page() {
    let world = whole().await;
    let form = ("response_mode", "form_post");
    for response_type in ["code", "id_token", "code id_token token"] {
        let answer = granted(&world, response_type, &[NONCE, form]).await;
        assert!(!answer.headers().contains_key(LOCATION));
        let fields = fields(&answer);
        let of = |name: &str| fields.iter().find(|(field, _)| field == name).map(|it| &*it.1);
        assert_eq!((of("state"), of("iss")), (Some("xyz"), Some("https://id.example")));
        let known = ResponseType::parse(response_type).unwrap();
        assert_eq!(of("id_token").is_some(), known.has_id_token(), "{response_type}");
        if let Some(code) = of("code") {
            assert_eq!(world.redeem(code).await.status(), 200);
        }
    }
    world.sign_out();
    for response_type in ["code", "id_token"] {
        let silent = [NONCE, form, ("prompt", "none")];
        let answer = ask(&world, &mut Browser::default(), response_type, "openid", &silent).await;
        let fields = fields(&answer);
        assert!(fields.contains(&("error".to_owned(), "login_required".to_owned())), "{fields:?}");
        assert!(fields.contains(&("state".to_owned(), "xyz".to_owned())), "{fields:?}");
    }
    // An error before the user is known, too.
    let invalid = [("response_mode", "form_post")];
    let answer = ask(&world, &mut Browser::default(), "id_token", "openid", &invalid).await;
    let fields = fields(&answer);
    assert!(fields.contains(&("error".to_owned(), "invalid_request".to_owned())), "{fields:?}");
}

/// A program gets no form, and a server without OpenID Connect sends none.
#[tokio::test]
async fn forms_are_sent_to_pages_alone_and_where_openid_connect_is_on() {
    let form = [NONCE, ("response_mode", "form_post")];
    let scheme = world_of(|new| new.redirect_uris(["com.example.app:/cb"]), |it| it).await;
    let mut request = asking(&scheme, "openid", &form);
    request.redirect_uri = Some("com.example.app:/cb".into());
    let refused = scheme.ask(&mut Browser::default(), &request).await;
    assert_eq!(refused.query("error"), "invalid_request");
    let plain = World::new().await;
    let mut request = plain.asking();
    request.extra.push(("response_mode".into(), "form_post".into()));
    let refused = plain.ask(&mut Browser::default(), &request).await;
    assert_eq!(refused.query("error"), "invalid_request");
}

/// The application decides about ID tokens in redirects as about those of the token endpoint.
#[tokio::test]
async fn the_hook_refuses_an_id_token_in_a_redirect_and_takes_its_scope_away() {
    for takes_scope in [false, true] {
        let hook = move |it: AuthorizationServer| {
            it.openid(openid().response_types(ResponseType::ALL)).before_issue(
                move |mut token: PlannedToken| async move {
                    if !takes_scope {
                        return Err(NotIssued::refused("not now"));
                    }
                    token.keep_scopes(&Scopes::of(["email"]));
                    Ok(token)
                },
            )
        };
        let world = world_of(old, hook).await;
        for response_type in ["id_token", "code id_token"] {
            let answer = granted(&world, response_type, &[NONCE]).await;
            assert_eq!(answer.fragment("error").as_deref(), Some("access_denied"));
            assert_eq!(answer.fragment("id_token"), None);
        }
    }
}

/// Core, sections 3.1.3.4 and 3.3.2.5: an error, and the tokens of one consent end together.
#[tokio::test]
async fn a_code_that_is_redeemed_twice_ends_the_access_token_of_the_redirect() {
    let world = whole().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = ask(&world, &mut browser, "code token", "photos:read", &[]).await;
    let answer = browser.answer(&world, &page, "decision=all").await;
    let (code, token) =
        (answer.fragment("code").unwrap(), answer.fragment("access_token").unwrap());
    assert!(world.is_good(&token).await);
    assert_eq!(world.redeem(&code).await.status(), 200);
    assert!(world.is_good(&token).await);
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    assert!(!world.is_good(&token).await);
}
