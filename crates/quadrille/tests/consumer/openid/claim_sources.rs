//! Claims of other parties: a bank, which a provider passes on or refers to.

use std::{
    future::pending,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use quadrille::{
    Error, KeyRing, Login, Owner, Spec, SpecBuf,
    consumer::{
        Account, ClaimSourceError, ClaimsProviders, FromSource, OperatorError, ServiceError,
    },
    jose::{Algorithm, ClaimsError, KeySet, Protected, SigningKey, TokenError},
    oidc::{ClaimSourceRejected, ClaimSourcesError},
    testing::FakeService,
    transport::{Body, HttpClient, NetworkError, Purpose},
};
use serde_json::{Value, json};

use super::{ISSUER, World};
use crate::support::{SECRET, SITE};

const BANK: &str = "https://bank.example";

/// URLs at the bank, and the tokens that came with them.
type Requests = Vec<(String, Option<String>)>;

/// The network: a provider, and a bank with the claims of a user.
#[derive(Clone)]
struct Net {
    service: FakeService,
    key: SigningKey,
    seen: Arc<Mutex<Requests>>,
}

impl Net {
    fn jwt(&self, change: &Value) -> String {
        let mut claims = json!({ "iss": BANK, "score": 650, "iban": "DE", "sub": "theirs" });
        for (name, value) in change.as_object().unwrap() {
            claims[name] = value.clone();
        }
        self.key.sign(&Protected::plain(), claims.to_string().as_bytes()).unwrap()
    }

    fn seen(&self) -> Requests {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

fn answer(status: u16, kind: &str, body: impl Into<Bytes>) -> Response<Body> {
    let answer = Response::builder().status(status).header(header::CONTENT_TYPE, kind);
    answer.body(Body::from(body.into())).unwrap()
}

impl HttpClient for Net {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        let url = request.uri().to_string();
        if !url.starts_with(BANK) {
            return self.service.send(request, purpose).await;
        }
        let token = request.headers().get(header::AUTHORIZATION);
        let token = token.map(|token| token.to_str().unwrap().to_owned());
        self.seen.lock().unwrap().push((url, token));
        Ok(match request.uri().path() {
            "/.well-known/openid-configuration" => {
                let own = |path: &str| format!("{BANK}/{path}");
                let metadata = json!({
                    "issuer": BANK,
                    "authorization_endpoint": own("authorize"),
                    "token_endpoint": own("token"),
                    "jwks_uri": own("keys"),
                });
                answer(200, "application/json", metadata.to_string())
            }
            "/keys" => {
                let keys = KeySet::from_iter([self.key.verifying_key().clone()]);
                answer(200, "application/json", keys.to_json())
            }
            "/claims" => answer(200, "application/jwt", format!("{}\n", self.jwt(&json!({})))),
            "/away" => {
                let mut away = answer(302, "text/plain", "");
                let there = "https://bank.example/claims".parse().unwrap();
                away.headers_mut().insert(header::LOCATION, there);
                away
            }
            "/long" => answer(200, "application/jwt", vec![b'x'; 65 * 1024]),
            "/never" => pending().await,
            "/binary" => answer(200, "application/jwt", vec![0xff, 0xfe]),
            _ => answer(503, "text/plain", "no"),
        })
    }
}

/// An account at a provider, of an application that names this issuer.
async fn account(named: &str) -> (Login, Account, Net) {
    let service = FakeService::openid(ISSUER, "our-id", SECRET);
    let key = SigningKey::generate(Algorithm::Es256).unwrap().with_kid("bank");
    let net = Net { service: service.clone(), key, seen: Arc::default() };
    let providers = ClaimsProviders::new([named])
        .http_that_the_provider_can_send_to_services_inside(net.clone());
    let spec = SpecBuf::oidc("acme", ISSUER).scopes("openid email");
    let world = World::of(spec.client("our-id", SECRET).claims_providers(providers));
    // The provider of this network has the clock of the world.
    service.tells_time(&world.clock.env());
    let login = world.login.http(net.clone());
    let account = service.link(&login, "acme", &Owner::user("ada"), 7).await;
    net.seen();
    (login, account, net)
}

/// What the sources of an account have.
async fn sourced(
    (login, account, _): &(Login, Account, Net),
    names: Value,
    sources: Value,
) -> quadrille::Result<Vec<FromSource>> {
    let acme = login.linked_by_name(account).await?;
    let claims = json!({ "sub": "7", "_claim_names": names, "_claim_sources": sources });
    acme.claims_of_others(&claims).await
}

fn given(from: &FromSource) -> Value {
    let sourced = from.outcome.as_ref().unwrap();
    json!({ "issuer": sourced.issuer, "claims": sourced.claims })
}

/// OpenID Connect Core, section 5.6.2.
#[tokio::test]
async fn claims_of_others_are_those_that_their_issuers_have_signed() {
    let ada = account(BANK).await;
    let net = &ada.2;
    let names = json!({ "score": "a", "sub": "a", "iban": "b", "score_of_b": "b", "x": "gone" });
    let sources = json!({
        "a": { "JWT": net.jwt(&json!({ "aud": "our-id" })) },
        "b": { "endpoint": "https://bank.example/claims", "access_token": "ksj3n283dke" },
    });
    let found = sourced(&ada, names, sources).await.unwrap();
    let [a, b] = &*found else { panic!("{found:?}") };
    assert_eq!(given(a), json!({ "issuer": BANK, "claims": { "score": 650 } }));
    assert_eq!(given(b), json!({ "issuer": BANK, "claims": { "iban": "DE" } }));
    assert_eq!(b.names, ["iban", "score_of_b"], "the provider says more than there is");
    let seen = net.seen();
    let of_claims: Vec<_> = seen.iter().filter(|(url, _)| url.ends_with("/claims")).collect();
    assert_eq!(of_claims.len(), 1);
    assert_eq!(of_claims[0].1.as_deref(), Some("Bearer ksj3n283dke"));
    assert_eq!(seen.iter().filter(|(url, _)| url.ends_with("/keys")).count(), 1, "once for both");
    let bare = json!({ "b": { "endpoint": "https://bank.example/claims" } });
    let found = sourced(&ada, json!({ "iban": "b" }), bare).await.unwrap();
    assert!(found[0].outcome.is_ok());
    assert_eq!(net.seen(), [("https://bank.example/claims".to_owned(), None)]);
    assert_eq!(sourced(&ada, json!({}), json!({})).await, Ok(Vec::new()));
}

/// OpenID Connect Core, section 5.6.2.
#[tokio::test]
async fn the_claims_of_the_userinfo_endpoint_refer_to_others_too() {
    let (login, account, net) = account(BANK).await;
    let acme = login.linked_by_name(&account).await.unwrap();
    let body = json!({
        "sub": "7",
        "_claim_names": { "score": "a" },
        "_claim_sources": { "a": { "JWT": net.jwt(&json!({})) } },
    });
    net.service.answers_next(Purpose::Identity, StatusCode::OK, body.to_string());
    let profile = acme.profile().await.unwrap();
    let found = acme.claims_of_others(&profile.raw).await.unwrap();
    assert_eq!(given(&found[0])["claims"], json!({ "score": 650 }));
}

#[tokio::test]
async fn the_provider_itself_is_always_an_issuer_and_other_tokens_of_it_are_no_claims() {
    let ada = account("https://elsewhere.example").await;
    let service = &ada.2.service;
    let own = service.id_token("our-id", 7, "n").unwrap();
    let logout = service.logout_token("our-id", &json!({ "sub": "7", "login": "x" })).unwrap();
    let names = json!({ "login": "a", "nonce": "a", "other": "b" });
    let sources = json!({ "a": { "JWT": own }, "b": { "JWT": logout } });
    let found = sourced(&ada, names, sources).await.unwrap();
    assert_eq!(given(&found[0]), json!({ "issuer": ISSUER, "claims": { "login": "user-7" } }));
    let other = ClaimSourceRejected::Token(TokenError::OtherType);
    assert_eq!(found[1].outcome, Err(ClaimSourceError::Rejected(other)));
}

/// OpenID Connect Core, section 5.6.2: a subject in a JWT is one at its issuer.
#[tokio::test]
async fn the_id_token_of_another_user_is_no_claim_about_this_one() {
    let ada = account(ISSUER).await;
    let of_grace = ada.2.service.id_token("our-id", 8, "n").unwrap();
    let of_ada = ada.2.service.id_token("our-id", 7, "n").unwrap();
    let names = json!({ "login": "a", "name": "b" });
    let sources = json!({ "a": { "JWT": of_grace }, "b": { "JWT": of_ada } });
    let found = sourced(&ada, names, sources).await.unwrap();
    let other = ClaimSourceError::Rejected(ClaimSourceRejected::OtherUser);
    assert_eq!(found[0].outcome, Err(other));
    assert!(found[1].outcome.is_ok(), "{found:?}");
    // A bank knows its customers by numbers of its own.
    let ada = account(BANK).await;
    let jwt = ada.2.jwt(&json!({ "sub": "8" }));
    let found = sourced(&ada, json!({ "score": "a" }), json!({ "a": { "JWT": jwt } })).await;
    assert!(found.unwrap()[0].outcome.is_ok());
}

/// OpenID Connect Core, section 5.6.2.
#[tokio::test]
async fn nobody_is_believed_whom_the_application_does_not_name() {
    let ada = account("https://bank.example/").await;
    let jwt = ada.2.jwt(&json!({}));
    let names = json!({ "score": "a" });
    let found = sourced(&ada, names, json!({ "a": { "JWT": jwt } })).await.unwrap();
    assert_eq!(found[0].outcome, Err(ClaimSourceError::IssuerNotNamed));
    assert!(ada.2.seen().is_empty(), "nor asked for keys");
}

/// OpenID Connect Core, section 5.6.2.
#[tokio::test]
async fn a_jwt_that_breaks_a_rule_leaves_the_other_sources_as_they_are() {
    use ClaimSourceRejected as R;
    let ada = account(BANK).await;
    let net = &ada.2;
    let other = SigningKey::generate(Algorithm::Es256).unwrap().with_kid("bank");
    let forged = Net { key: other, ..net.clone() }.jwt(&json!({}));
    let (_, payload) = forged.rsplit_once('.').unwrap().0.split_once('.').unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{payload}.");
    let secret = SigningKey::hmac(Algorithm::Hs256, &SECRET.repeat(4).into()).unwrap();
    let hmac = Net { key: secret, ..net.clone() }.jwt(&json!({}));
    for (jwt, reason) in [
        (forged, R::Token(TokenError::Signature)),
        (none, R::Token(TokenError::Unsecured)),
        (hmac, R::Token(TokenError::AlgorithmNotAccepted)),
        ("x".to_owned(), R::Token(TokenError::NotCompact)),
        (net.jwt(&json!({ "exp": 1 })), R::Claims(ClaimsError::Expired)),
        (net.jwt(&json!({ "aud": "other" })), R::Claims(ClaimsError::Audience)),
        (net.jwt(&json!({ "iss": null })), R::Claims(ClaimsError::Malformed("iss"))),
    ] {
        let sources = json!({ "a": { "JWT": jwt }, "b": { "JWT": net.jwt(&json!({})) } });
        let names = json!({ "score": "a", "iban": "b" });
        let found = sourced(&ada, names, sources).await.unwrap();
        assert_eq!(found[0].outcome, Err(ClaimSourceError::Rejected(reason)), "{reason}");
        assert!(found[1].outcome.is_ok(), "{reason}");
    }
}

/// OpenID Connect Core, section 5.6.2.
#[tokio::test(start_paused = true)]
async fn an_endpoint_that_does_not_answer_with_a_jwt_in_time_has_no_claims() {
    let ada = account(BANK).await;
    let service = |error| Error::Service { service: "acme".into(), error };
    let timed_out = |found: &FromSource| match &found.outcome {
        Err(ClaimSourceError::Failed(error)) => error.code() == "service_timed_out",
        _ => false,
    };
    let names = json!({ "a": "a", "b": "b", "c": "c", "d": "d", "e": "e", "f": "f", "iban": "g" });
    let at = |path: &str| json!({ "endpoint": format!("{BANK}/{path}") });
    let sources = json!({
        "a": at("away"), "b": at("long"), "c": at("never"), "d": at("down"), "e": at("binary"),
        "f": at("never"), "g": at("claims"),
    });
    let found = sourced(&ada, names, sources).await.unwrap();
    let failed = |error| Err(ClaimSourceError::Failed(Box::new(service(error))));
    let malformed = |status| ServiceError::Malformed { status };
    assert_eq!(found[0].outcome, failed(malformed(StatusCode::FOUND)));
    assert_eq!(found[1].outcome, failed(ServiceError::TooLarge));
    assert!(timed_out(&found[2]) && timed_out(&found[5]));
    let status = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(found[3].outcome, failed(ServiceError::Unavailable { status, retry_after: None }));
    assert_eq!(found[4].outcome, failed(malformed(StatusCode::OK)));
    assert!(found[6].outcome.is_ok());
    for endpoint in ["http://bank.example/c", "https://u@bank.example/c", "https://a/#b", "/c", ""]
    {
        let sources = json!({ "a": { "endpoint": endpoint } });
        let found = sourced(&ada, json!({ "x": "a" }), sources).await.unwrap();
        assert_eq!(found[0].outcome, Err(ClaimSourceError::EndpointMalformed), "{endpoint}");
    }
}

#[tokio::test]
async fn a_provider_sends_no_request_into_the_network_of_the_application() {
    let providers = ClaimsProviders::new([BANK]);
    let spec = SpecBuf::oidc("acme", ISSUER);
    let world = World::of(spec.client("our-id", SECRET).claims_providers(providers));
    let account = world.log_in(7).await.unwrap();
    let acme = world.login.linked_by_name(&account).await.unwrap();
    for endpoint in ["https://127.0.0.1:1/x", "https://[::1]/x", "https://169.254.169.254/latest"] {
        let claims = json!({
            "_claim_names": { "x": "a" }, "_claim_sources": { "a": { "endpoint": endpoint } },
        });
        let found = acme.claims_of_others(&claims).await.unwrap();
        let Err(ClaimSourceError::Failed(error)) = &found[0].outcome else { panic!("{found:?}") };
        let refused =
            matches!(&**error, Error::Network { error: NetworkError::AddressRefused, .. });
        assert!(refused, "{endpoint}: {error:?}");
    }
}

#[tokio::test]
async fn references_that_cannot_be_read_are_the_providers_fault() {
    let ada = account(BANK).await;
    let malformed = sourced(&ada, json!({ "a": 7 }), json!({ "a": { "JWT": "x" } })).await;
    let error = ServiceError::ClaimSources(ClaimSourcesError::Malformed);
    assert_eq!(malformed, Err(Error::Service { service: "acme".into(), error: error.clone() }));
    assert_eq!(error.code(), "claim_sources_malformed");
}

#[test]
fn claims_providers_are_those_of_an_openid_provider_and_have_an_issuer() {
    const PLAIN: Spec = Spec::oauth2(
        "plain",
        "https://plain.example/authorize",
        "https://plain.example/token",
        "https://plain.example/api",
    )
    .build();
    let login = |client| Login::new(KeyRing::ephemeral(), SITE).with(client).check();
    let named = ClaimsProviders::new([BANK]);
    let plain = SpecBuf::from(PLAIN).client("our-id", SECRET).claims_providers(named);
    let error = OperatorError::NotOpenId { service: "plain".into() };
    assert_eq!(login(plain), Err(error.into()));
    let malformed = ClaimsProviders::new(["http://bank.example"]);
    let acme = SpecBuf::oidc("acme", ISSUER).client("our-id", SECRET).claims_providers(malformed);
    let error = OperatorError::EndpointMalformed { service: "acme".into() };
    assert_eq!(login(acme), Err(error.into()));
}
