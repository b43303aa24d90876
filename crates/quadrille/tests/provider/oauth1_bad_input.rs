//! What is wrong with a signed request: each has its status and its word, and uses nothing up.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use http::Request;
use quadrille::{
    Secret,
    oauth1::{RsaSigningKey, SignatureMethod, Signer},
    provider::{
        NewClient,
        oauth1::{NewKey, OAuth1},
    },
};

use crate::{
    oauth1_support::{SECRET, Signing, client, credentials, offered, problem, world, world_with},
    support::{Answer, CALLBACK, World},
};

async fn ask(world: &World, authorization: &str, path: &str) -> Answer {
    let request = Request::get(path).header("authorization", authorization);
    world.send(request.body(Body::empty()).unwrap()).await
}

/// The header of a good request for the photos, to be spoiled.
fn header(world: &World, signing: &Signing) -> String {
    let request = signing.request(world, "GET", "/api/photos", None, &[]);
    request.headers()["authorization"].to_str().unwrap().to_owned()
}

fn parameter(header: &str, name: &str) -> String {
    let (_, rest) = header.split_once(&format!("{name}=\"")).unwrap();
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn each_mistake_has_its_status_and_its_word() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    let good = header(&world, &signing);
    let now = world.clock.now().seconds();
    let set = |name: &str, value: &str| {
        good.replace(
            &format!("{name}=\"{}\"", parameter(&good, name)),
            &format!("{name}=\"{value}\""),
        )
    };
    let without =
        |name: &str| good.replace(&format!("{name}=\"{}\"", parameter(&good, name)), "x=\"\"");
    let add = |more: &str| format!("{good}, {more}");
    let path = "/api/photos";
    for (header, path, status, word) in [
        (good.clone(), "/api/photos?oauth_nonce=x", 400, "parameter_rejected"),
        (good.clone(), "/api/photos?oauth_token=x", 400, "parameter_rejected"),
        (add("oauth_nonce=\"x\""), path, 400, "parameter_rejected"),
        (add("oauth_consumer_key=\"x\""), path, 400, "parameter_rejected"),
        (without("oauth_consumer_key"), path, 400, "parameter_absent"),
        (without("oauth_signature"), path, 400, "parameter_absent"),
        (without("oauth_signature_method"), path, 400, "parameter_absent"),
        (without("oauth_timestamp"), path, 400, "parameter_absent"),
        (without("oauth_nonce"), path, 400, "parameter_absent"),
        (set("oauth_nonce", ""), path, 400, "parameter_absent"),
        (set("oauth_token", ""), path, 401, "signature_invalid"),
        (without("oauth_token"), path, 401, "signature_invalid"),
        (set("oauth_signature_method", "HMAC-MD5"), path, 400, "signature_method_rejected"),
        (set("oauth_signature_method", "PLAINTEXT"), path, 400, "signature_method_rejected"),
        (set("oauth_signature_method", "RSA-SHA1"), path, 400, "signature_method_rejected"),
        (set("oauth_signature_method", "RSA-SHA256"), path, 401, "signature_invalid"),
        (set("oauth_version", "2.0"), path, 400, "version_rejected"),
        (set("oauth_timestamp", "1e9"), path, 401, "timestamp_refused"),
        (set("oauth_timestamp", "-1"), path, 401, "timestamp_refused"),
        (set("oauth_timestamp", "99999999999999999999"), path, 401, "timestamp_refused"),
        (set("oauth_timestamp", &(now + 301).to_string()), path, 401, "timestamp_refused"),
        (set("oauth_timestamp", &(now - 1).to_string()), path, 401, "timestamp_refused"),
        (set("oauth_nonce", &"n".repeat(256)), path, 400, "parameter_rejected"),
        (set("oauth_nonce", "a%ZZ"), path, 400, "parameter_rejected"),
        (set("oauth_nonce", "a%C3"), path, 400, "parameter_rejected"),
        (set("oauth_nonce", "a%00"), path, 400, "parameter_rejected"),
        (set("oauth_nonce", "other"), path, 401, "signature_invalid"),
        (set("oauth_signature", "AAAA"), path, 401, "signature_invalid"),
        (set("oauth_signature", "%21"), path, 401, "signature_invalid"),
        (set("oauth_consumer_key", "stranger"), path, 401, "signature_invalid"),
        (set("oauth_token", "unknown"), path, 401, "token_rejected"),
        (good.clone(), "/api/photos?x=1", 401, "signature_invalid"),
        ("OAuth".to_owned(), path, 400, "parameter_absent"),
        ("OAuth \"".to_owned(), path, 400, "parameter_rejected"),
        ("OAuth a".to_owned(), path, 400, "parameter_rejected"),
    ] {
        let answer = ask(&world, &header, path).await;
        assert_eq!((answer.status(), problem(&answer).as_str()), (status, word), "{path} {header}");
        assert!(!answer.text().contains(&token.token), "{header}");
    }
    let answer = ask(&world, "Basic dTpw", path).await;
    assert_eq!((answer.status(), problem(&answer).as_str()), (401, ""), "another scheme");
    assert_eq!(ask(&world, &good, path).await.status(), 200, "and nothing was used up");
    let again = ask(&world, &good, path).await;
    assert_eq!((again.status(), problem(&again).as_str()), (401, "nonce_used"));
}

#[tokio::test]
async fn what_clients_encode_differently_is_the_same_request() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    for (signed, sent) in [
        ("/api/photos?a=b%20c", "/api/photos?a=b+c"),
        ("/api/photos?a=%2B", "/api/photos?a=%2b"),
        ("/api/photos?a=%7E", "/api/photos?a=~"),
        ("/api/photos?a=1&b=2", "/api/photos?b=2&a=1"),
        ("/api/photos?a=&b", "/api/photos?a&b="),
        ("/api/photos?n=%C3%A9&n=1&n", "/api/photos?n&n=1&n=%c3%a9"),
    ] {
        let request = signing.request(&world, "GET", signed, None, &[]);
        let header = request.headers()["authorization"].to_str().unwrap();
        assert_eq!(ask(&world, header, sent).await.status(), 200, "{signed} {sent}");
    }
    for (signed, sent) in [
        ("/api/photos?a=b%20c", "/api/photos?a=b%2Bc"),
        ("/api/photos?a=%2541", "/api/photos?a=A"),
        ("/api/photos?a=%2541", "/api/photos?a=%41"),
        ("/api/photos?a=1&a=1", "/api/photos?a=1"),
        ("/api/photos?a=1", "/api/photos?A=1"),
        ("/api/photos?a", "/api/photos"),
    ] {
        let request = signing.request(&world, "GET", signed, None, &[]);
        let header = request.headers()["authorization"].to_str().unwrap();
        let answer = ask(&world, header, sent).await;
        assert_eq!(problem(&answer), "signature_invalid", "{signed} {sent}");
    }
}

#[tokio::test]
async fn a_timestamp_is_good_for_five_minutes_either_way_but_not_from_before_the_start() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let signing = Signing::new(&world).with(&token);
    let at_start = header(&world, &signing);
    world.clock.advance(Duration::from_secs(300));
    assert_eq!(ask(&world, &at_start, "/api/photos").await.status(), 200);
    assert_eq!(problem(&ask(&world, &at_start, "/api/photos").await), "nonce_used");
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(problem(&ask(&world, &at_start, "/api/photos").await), "timestamp_refused");

    let ahead = header(&world, &signing);
    let now = world.clock.now();
    world.clock.set(now - Duration::from_secs(301));
    assert_eq!(problem(&ask(&world, &ahead, "/api/photos").await), "timestamp_refused");
    world.clock.set(now - Duration::from_secs(300));
    assert_eq!(ask(&world, &ahead, "/api/photos").await.status(), 200);
}

#[tokio::test]
async fn a_window_of_ones_own_counts() {
    let world = world_with(offered().timestamp_window(Duration::from_secs(10)), client).await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let early = header(&world, &Signing::new(&world).with(&token));
    world.clock.advance(Duration::from_secs(11));
    assert_eq!(problem(&ask(&world, &early, "/api/photos").await), "timestamp_refused");
}

#[tokio::test]
async fn a_wrong_exchange_uses_up_neither_verifier_nor_nonce() {
    let world = world().await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let stranger = Signing::by(&world, SignatureMethod::HmacSha256, "a guess");
    let answer = stranger.token(&world, &temporary, &verifier).await;
    assert_eq!((answer.status(), problem(&answer).as_str()), (401, "signature_invalid"));
    for (wrong, word) in [("wrong", "verifier_invalid"), ("", "parameter_absent")] {
        let answer = signing.token(&world, &temporary, wrong).await;
        assert_eq!(problem(&answer), word);
    }
    let other = NewClient::confidential("Other").redirect_uri(CALLBACK);
    let other = other.oauth1(NewKey::ChosenSecret(SECRET.into()));
    let other = world.server.register(other).await.unwrap().client;
    let thief = Signer::hmac(SignatureMethod::HmacSha256, &other.id, &SECRET.into()).unwrap();
    let answer = Signing { signer: thief }.token(&world, &temporary, &verifier).await;
    assert_eq!((answer.status(), problem(&answer).as_str()), (401, "token_rejected"));
    let pending = signing.begin(&world).await;
    let answer = signing.token(&world, &pending, "anything").await;
    assert_eq!(problem(&answer), "permission_unknown");
    credentials(&signing.token(&world, &temporary, &verifier).await);
}

#[tokio::test]
async fn a_verifier_that_comes_twice_ends_what_it_bought() {
    let world = world().await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    let token = credentials(&signing.token(&world, &temporary, &verifier).await);
    assert_eq!(signing.with(&token).photos(&world).await.status(), 200);
    let answer = signing.token(&world, &temporary, "guess").await;
    assert_eq!(problem(&answer), "verifier_invalid");
    assert_eq!(signing.with(&token).photos(&world).await.status(), 200, "that was no replay");
    let answer = signing.token(&world, &temporary, &verifier).await;
    assert_eq!((answer.status(), problem(&answer).as_str()), (401, "token_used"));
    assert_eq!(problem(&signing.with(&token).photos(&world).await), "token_rejected");
}

#[tokio::test]
async fn temporary_credentials_open_no_api_and_token_credentials_buy_nothing() {
    let world = world().await;
    let signing = Signing::new(&world);
    let (temporary, verifier) = signing.approved(&world, "ada").await;
    assert_eq!(problem(&signing.with(&temporary).photos(&world).await), "token_rejected");
    let token = signing.linked(&world, "ada").await;
    assert_eq!(problem(&signing.token(&world, &token, &verifier).await), "token_rejected");
    let request = signing.with(&token);
    let callback = [("oauth_callback", CALLBACK)];
    let request = request.request(&world, "POST", "/oauth/request_token", None, &callback);
    assert_eq!(problem(&world.send(request).await), "parameter_rejected");
}

#[tokio::test]
async fn plaintext_is_for_tls_and_the_machine_itself_and_must_be_allowed() {
    let allowed = || OAuth1::new().allow_plaintext_which_carries_the_secrets_themselves();
    let by = |world: &World| Signing::by(world, SignatureMethod::Plaintext, SECRET);
    let refusing = world().await;
    let answer = by(&refusing).temporary(&refusing, &[("oauth_callback", CALLBACK)]).await;
    assert_eq!((answer.status(), problem(&answer).as_str()), (400, "signature_method_rejected"));

    let world = world_with(allowed(), client).await;
    let token = by(&world).linked(&world, "ada").await;
    let signing = by(&world).with(&token);
    assert_eq!(signing.photos(&world).await.status(), 200);
    let origins = |origin: &'static str| {
        let guard = quadrille::guard::Guard::new(&world.server).origins([origin]);
        axum::Router::<()>::new()
            .route("/x", axum::routing::get(|_: quadrille::guard::Access| async { "x" }))
            .layer(guard)
    };
    for (origin, status) in
        [("https://api.example", 200), ("http://127.0.0.1:1", 200), ("http://api.example", 400)]
    {
        let request = signing.at(&world, origin, "GET", "/x", None, &[]);
        let response = tower::ServiceExt::oneshot(origins(origin), request).await.unwrap();
        assert_eq!(response.status(), status, "{origin}");
    }
    let bare = format!(
        "OAuth oauth_consumer_key=\"{}\", oauth_token=\"{}\", oauth_signature_method=\"PLAINTEXT\", oauth_signature=\"{}\"",
        world.client.id,
        token.token,
        quadrille::oauth1::percent_encode(&format!(
            "{}&{}",
            quadrille::oauth1::percent_encode(SECRET),
            quadrille::oauth1::percent_encode(token.secret.expose())
        )),
    );
    for _ in 0..2 {
        let answer = ask(&world, &bare, "/api/photos").await;
        assert_eq!(answer.status(), 200, "it needs neither nonce nor timestamp: {answer:?}");
    }
}

/// Made for these tests.
const KEY: &str = include_str!("oauth1_rsa_key.pem");
const PUBLIC: &str = include_str!("oauth1_rsa_public.pem");
const SHORT: &str = include_str!("oauth1_rsa_short.pem");

#[tokio::test]
async fn rsa_keys_sign_what_rsa_is_for_and_nothing_else() {
    let key = RsaSigningKey::from_pem(KEY).unwrap();
    let public = NewKey::RsaPublicKey(PUBLIC.into());
    let world = world_with(offered(), |new| new.oauth1(public)).await;
    for method in [SignatureMethod::RsaSha256, SignatureMethod::RsaSha512] {
        let signer = Signer::rsa(method, &world.client.id, &key).unwrap();
        let signing = Signing { signer };
        let token = signing.linked(&world, "ada").await;
        assert_eq!(signing.with(&token).photos(&world).await.status(), 200);
        let other =
            Signing { signer: signing.with(&token).signer.token(&token.token, &Secret::from("x")) };
        assert_eq!(other.photos(&world).await.status(), 200, "the token's secret plays no part");
    }
    let hmac = Signing::by(&world, SignatureMethod::HmacSha256, PUBLIC);
    let answer = hmac.temporary(&world, &[("oauth_callback", CALLBACK)]).await;
    assert_eq!(problem(&answer), "signature_invalid", "a public key is no shared-secret");
}

#[tokio::test]
async fn short_rsa_keys_and_short_secrets_need_to_be_called_so() {
    let world = world().await;
    let add = async |key| {
        let added = world.server.add_oauth1_key(&world.client.id, key, Duration::ZERO).await;
        added.map_err(|error| error.to_string())
    };
    use NewKey as Key;
    assert!(add(Key::RsaPublicKey(SHORT.into())).await.unwrap_err().contains("1024"));
    let named = Key::RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem(SHORT.into());
    assert_eq!(add(named).await, Ok(None));
    assert!(add(Key::RsaPublicKey("no key".into())).await.is_err());
    assert!(add(Key::RsaPublicKey(KEY.into())).await.is_err(), "the private half stays there");
    assert!(add(Key::ChosenSecret("short".into())).await.unwrap_err().contains("16"));
}

#[tokio::test]
async fn a_client_may_be_held_to_some_of_the_methods() {
    let world =
        world_with(offered(), |new| client(new).oauth1_methods([SignatureMethod::HmacSha512]))
            .await;
    let callback = [("oauth_callback", CALLBACK)];
    let weak = Signing::by(&world, SignatureMethod::HmacSha1, SECRET);
    let answer = weak.temporary(&world, &callback).await;
    assert_eq!(problem(&answer), "signature_method_rejected");
    let strong = Signing::by(&world, SignatureMethod::HmacSha512, SECRET);
    credentials(&strong.temporary(&world, &callback).await);
}

#[tokio::test]
async fn wrong_signatures_are_slowed_down_and_the_true_client_is_not() {
    let world = world().await;
    let token = Signing::new(&world).linked(&world, "ada").await;
    let stranger = Signing::by(&world, SignatureMethod::HmacSha256, "a guess").with(&token);
    for _ in 0..10 {
        assert_eq!(stranger.photos(&world).await.status(), 401);
    }
    let slowed = stranger.photos(&world).await;
    assert_eq!(slowed.status(), 429);
    assert_eq!(slowed.header("retry-after"), "10");
    assert_eq!(Signing::new(&world).with(&token).photos(&world).await.status(), 200);
    let stranger = Signing::by(&world, SignatureMethod::HmacSha256, "another guess");
    let answer = stranger.temporary(&world, &[("oauth_callback", CALLBACK)]).await;
    assert_eq!(answer.status(), 429, "it is one count for all of them");
}

#[tokio::test]
async fn the_endpoints_take_get_and_post_and_bodies_of_a_bearable_length() {
    let world = world().await;
    for path in ["/oauth/request_token", "/oauth/access_token"] {
        let answer = world.request("PUT", path, "text/plain", "").await;
        assert_eq!((answer.status(), answer.header("allow")), (405, "GET, POST"));
        let long = "x=".to_owned() + &"y".repeat(70_000);
        let answer = world.request("POST", path, "application/x-www-form-urlencoded", &long).await;
        assert_eq!(answer.status(), 413);
        let answer = world.request("POST", path, "application/x-www-form-urlencoded", "a=b").await;
        assert_eq!((answer.status(), problem(&answer).as_str()), (401, ""));
    }
    let body = Bytes::from_static(b"{}");
    let request = Request::post("https://id.example/oauth/request_token");
    let request = request.header("content-type", "application/json").body(body).unwrap();
    let signer = Signing::new(&world).signer;
    let signed = signer.sign(&world.env, request, &[("oauth_callback", CALLBACK)]).unwrap();
    let signed = crate::oauth1_support::to_server(signed, crate::support::ISSUER);
    let changed = signed.map(|_| Body::from("{ }"));
    assert_eq!(problem(&world.send(changed).await), "signature_invalid", "by its hash");
}
