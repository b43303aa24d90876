//! Odd answers of providers: what is understood all the same, and what the log says of the rest.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response, StatusCode, header};
use quadrille::{
    Error,
    consumer::{Begin, Profile, ServiceError},
    jose::{ClaimsError, TokenError},
    oidc::{DiscoveryError, IdTokenError, IdTokenRejected},
    testing::ManualClock,
    transport::{Body, HttpClient as _, NetworkError, Purpose},
};
use serde_json::{Value, json};

use super::{ISSUER, World};
use crate::canary::logged;

fn metadata() -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://id.example/tenant/authorize",
        "token_endpoint": "https://id.example/tenant/token",
        "userinfo_endpoint": "https://id.example/tenant/userinfo",
        "jwks_uri": "https://id.example/tenant/keys",
    })
}

impl World {
    /// The provider's own keys, of which the first verifies.
    async fn keys(&self) -> Value {
        let request = Request::get("https://id.example/tenant/keys").body(Body::default()).unwrap();
        let answer = self.service.send(request, Purpose::Document).await.unwrap();
        let Body::Whole(keys) = answer.into_body() else { panic!() };
        serde_json::from_slice(&keys).unwrap()
    }

    /// The outcome of a login at a provider whose JWK Set is this one.
    async fn log_in_with_keys(&self, keys: String) -> quadrille::Result<()> {
        self.service.answers_next(Purpose::Document, StatusCode::OK, metadata().to_string());
        for _ in 0..2 {
            self.service.answers_next(Purpose::Document, StatusCode::OK, keys.clone());
        }
        self.log_in(7).await.map(drop)
    }

    /// The profile of a user, whose claims this response has.
    async fn profile(&self, kind: &str, body: impl Into<Bytes>) -> quadrille::Result<Profile> {
        let account = self.log_in(7).await.unwrap();
        let acme = self.login.linked_by_name(&account).await.unwrap();
        let answer = Response::builder().header(header::CONTENT_TYPE, kind).body(body.into());
        self.service.answers_next_with(Purpose::Identity, answer.unwrap());
        acme.profile().await
    }
}

/// RFC 7517, section 5.
#[tokio::test]
async fn a_key_that_cannot_be_read_spoils_no_other_and_neither_does_a_byte_order_mark() {
    let with_nulls = |mut keys: Value| {
        for name in ["use", "key_ops", "x5c"] {
            keys["keys"][0][name] = Value::Null;
        }
        keys
    };
    let beside = |keys: &Value, more: &str| keys.to_string().replacen('[', &format!("[{more},"), 1);
    for odd in 0..5 {
        let world = World::new();
        let keys = world.keys().await;
        let keys = match odd {
            0 => format!("\u{feff}{keys}"),
            1 => with_nulls(keys).to_string(),
            2 => beside(&keys, "null"),
            3 => beside(&keys, r#""a text""#),
            _ => beside(&keys, r#"{"kty":"RSA","kty":"RSA"}"#),
        };
        world.log_in_with_keys(keys.clone()).await.unwrap_or_else(|e| panic!("{keys}: {e}"));
    }
}

/// RFC 7517, section 5.
#[test]
fn the_log_says_which_keys_of_a_provider_cannot_be_used_and_why() {
    let log = logged(async {
        let world = World::new();
        let mut keys = world.keys().await;
        keys["keys"][0]["alg"] = json!("ES999");
        let error = world.log_in_with_keys(keys.to_string()).await.unwrap_err();
        assert_eq!(error.code(), "id_token_rejected");
        assert!(error.likely_cause().contains("jwks_uri"), "{}", error.likely_cause());
    });
    for word in ["keys of the service cannot be used", "skipped=2", "algorithm of the key"] {
        assert!(log.contains(word), "{word}: {log}");
    }
}

/// RFC 7517, sections 4.2 and 4.3.
#[tokio::test]
async fn a_key_of_another_use_verifies_no_id_token() {
    for (name, value, fits) in [
        ("use", json!("enc"), false),
        ("key_ops", json!(["encrypt"]), false),
        ("use", json!("sig"), true),
        ("key_ops", json!(["verify"]), true),
    ] {
        let world = World::new();
        let mut keys = world.keys().await;
        for key in keys["keys"].as_array_mut().unwrap() {
            key.as_object_mut().unwrap().remove("use");
            key[name] = value.clone();
        }
        let code = world.log_in_with_keys(keys.to_string()).await.err().map(|error| error.code());
        assert_eq!(code, (!fits).then_some("id_token_rejected"), "{name} {value}");
    }
}

#[tokio::test]
async fn names_in_latin_1_are_read_where_the_answer_says_so() {
    let latin = b"{\"sub\":\"7\",\"name\":\"Jos\xe9 \x80\"}";
    let utf_8 = "{\"sub\":\"7\",\"name\":\"José €\"}";
    for (charset, body, name) in [
        ("iso-8859-1", &latin[..], "José €"),
        ("\"Latin1\"", latin, "José €"),
        ("windows-1252", latin, "José €"),
        ("iso-8859-1", utf_8.as_bytes(), "José €"),
        ("utf-8", latin, "Jos\u{fffd} \u{fffd}"),
    ] {
        let kind = format!("application/json; charset={charset}");
        let profile = World::new().profile(&kind, body).await.unwrap();
        assert_eq!(profile.name.as_deref(), Some(name), "{charset}");
    }
}

/// OpenID Connect Core, section 5.3.2.
#[tokio::test]
async fn claims_that_are_signed_although_nobody_said_so_point_at_the_description() {
    for (kind, body) in [
        ("application/jwt", "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2ln"),
        ("application/json", "\"eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiI3In0.c2ln\"\n"),
        ("application/jwt", "eyJhbGciOiJkaXIifQ..aXY.dGV4dA.dGFn"),
    ] {
        let error = World::new().profile(kind, body).await.unwrap_err();
        let expected = ServiceError::UserinfoSigned;
        assert_eq!(error, Error::Service { service: "acme".into(), error: expected });
        assert_eq!(error.code(), "userinfo_rejected");
        assert!(error.to_string().contains("Spec::signed_userinfo"), "{error}");
    }
    for body in ["<html>", "", "eyes", "ey.e.s!"] {
        let error = World::new().profile("application/jwt", body).await.unwrap_err();
        assert_eq!(error.code(), "service_answer_malformed", "{body}");
    }
}

#[test]
fn a_likely_cause_fits_the_reason() {
    let of = |error: ServiceError| Error::Service { service: "acme".into(), error }.likely_cause();
    let token = |reason| of(ServiceError::IdTokenRejected(reason));
    let metadata = |reason| of(ServiceError::ProviderMetadata(reason));
    for (likely, word) in [
        (token(IdTokenRejected::Claims(ClaimsError::Issuer)), "the issuer in the settings"),
        (token(IdTokenRejected::Claims(ClaimsError::Audience)), "the client id"),
        (token(IdTokenRejected::Claims(ClaimsError::Expired)), "the clocks"),
        (token(IdTokenRejected::Claims(ClaimsError::Malformed("nbf"))), "its operator"),
        (token(IdTokenRejected::IdToken(IdTokenError::Malformed("sub"))), "its operator"),
        (token(IdTokenRejected::Token(TokenError::KeyUnknown)), "replaced its keys"),
        (token(IdTokenRejected::NonceMissing), "forgets the nonce"),
        (metadata(DiscoveryError::OtherIssuer), "a slash at its end"),
        (metadata(DiscoveryError::Malformed), "no OpenID Provider's"),
        (metadata(DiscoveryError::Endpoint("token_endpoint")), "https"),
        (metadata(DiscoveryError::Missing("jwks_uri")), "its operator"),
        (
            of(ServiceError::UserinfoRejected(IdTokenRejected::NonceMissing)),
            "registered as another",
        ),
    ] {
        assert!(likely.contains(word), "{word}: {likely}");
    }
}

/// OpenID Connect Discovery, section 4.3.
#[tokio::test]
async fn an_error_of_metadata_names_the_member_at_fault() {
    let world = World::new();
    let mut metadata = metadata();
    metadata["token_endpoint_auth_methods_supported"] = json!("none");
    world.service.answers_next(Purpose::Document, StatusCode::OK, metadata.to_string());
    let error = world.leave(&Begin::new("acme")).await.unwrap_err().to_string();
    let member = "token_endpoint_auth_methods_supported is not a list of texts";
    assert!(error.contains(member), "{error}");
}

#[tokio::test]
async fn the_causes_name_the_endpoint_that_did_not_respond_in_time_without_its_query() {
    let causes = |error: &Error| {
        let mut causes = Vec::new();
        let mut cause = std::error::Error::source(error);
        while let Some(error) = cause {
            causes.push(error.to_string());
            cause = error.source();
        }
        causes
    };
    let world = World::with(|spec| spec.identity("https://who.example/me?key=k", "sub"));
    world.service.fails_next(Purpose::RedeemCode, NetworkError::TimedOut);
    let error = world.log_in(7).await.unwrap_err();
    assert_eq!(error.code(), "service_timed_out");
    assert_eq!(causes(&error), ["at https://id.example/tenant/token"]);
    let account = world.log_in(7).await.unwrap();
    let acme = world.login.linked_by_name(&account).await.unwrap();
    world.service.fails_next(Purpose::Identity, NetworkError::TimedOut);
    let error = acme.profile().await.unwrap_err();
    assert_eq!(causes(&error), ["at https://who.example/me"]);
    world.service.fails_next(Purpose::Api, NetworkError::TimedOut);
    let error = acme.get::<Value>("users/ada").await.unwrap_err();
    assert!(causes(&error).is_empty(), "what a call is for is not said");
}

/// Core, section 2: `iat` of a provider whose clock is ahead, and the five minutes that are the most.
#[tokio::test]
async fn the_clock_of_a_provider_may_differ_as_far_as_the_application_says() {
    for (leeway, ahead, fits) in
        [(None, 30, true), (None, 31, false), (Some(120), 120, true), (Some(120), 121, false)]
    {
        let mut world = World::new();
        if let Some(leeway) = leeway {
            world.login = world.login.clock_leeway(Duration::from_secs(leeway));
        }
        let theirs = ManualClock::new();
        theirs.advance(Duration::from_secs(ahead));
        world.service.tells_time(&theirs.env());
        let account = world.log_in(7).await;
        assert_eq!(account.is_ok(), fits, "{leeway:?}, {ahead}: {account:?}");
    }
    let login = |leeway| World::new().login.clock_leeway(Duration::from_secs(leeway));
    assert!(login(300).check().is_ok());
    assert_eq!(login(301).check().unwrap_err().code(), "clock_leeway_too_long");
}
