//! The examples of the specifications, and what real services answer, as data: each is read, and
//! where the specification fixes the form, written again to the same bytes.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "this is a test from end to end"
)]

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use quadrille::{
    Scopes, Secret,
    form::{FormWriter, Params},
    oauth2::{
        AuthMethod, AuthorizationRequest, AuthorizationResponse, ClientAuth,
        DeviceAuthorizationRequest, DeviceAuthorizationResponse, DeviceAuthorizationResponseError,
        PresentedClient, Resources, ResponseMode, RevocationRequest, TokenRequest, TokenResponse,
        TokenResponseError, TokenTypeHint, bearer,
        metadata::{ResourceMetadata, ServerMetadata, resource_metadata_url, well_known_urls},
        pkce::{Challenge, Verifier},
    },
    scope::ScopeSeparator,
};
use serde_json::Value;

mod jose;
mod oauth1;
mod registration;

fn load(json: &str, list: &str) -> Vec<Value> {
    let mut file: Value = serde_json::from_str(json).expect("the vectors are JSON");
    let Value::Array(cases) = file[list].take() else { panic!("no list {list}") };
    assert!(!cases.is_empty());
    cases
}

fn text<'v>(case: &'v Value, name: &str) -> Option<&'v str> {
    case.get(name).and_then(Value::as_str)
}

const RFC6749: &str = include_str!("rfc6749.json");
const RFC6750: &str = include_str!("rfc6750.json");
const RFC7009: &str = include_str!("rfc7009.json");
const RFC7636: &str = include_str!("rfc7636.json");
const RFC8414: &str = include_str!("rfc8414.json");
const RFC8628: &str = include_str!("rfc8628.json");
const RFC9728: &str = include_str!("rfc9728.json");
const RFC9207: &str = include_str!("rfc9207.json");
const SERVICES: &str = include_str!("services.json");

#[test]
fn forms_are_encoded_as_appendix_b_of_rfc_6749_says() {
    for case in load(RFC6749, "form") {
        let (decoded, encoded) = (text(&case, "decoded").unwrap(), text(&case, "encoded").unwrap());
        let mut writer = FormWriter::new();
        writer.append("k", decoded);
        let body = writer.finish();
        assert_eq!(body, format!("k={encoded}"));
        assert_eq!(Params::parse(body.as_bytes()).unwrap().one("k"), Ok(Some(decoded)));
    }
}

#[test]
fn clients_authenticate_by_basic_as_in_rfc_6749() {
    for case in load(RFC6749, "basic") {
        let id = text(&case, "client_id").unwrap();
        let secret = text(&case, "client_secret").unwrap();
        let authorization = text(&case, "authorization").unwrap();
        let auth = ClientAuth::Basic { client_id: id.into(), client_secret: Secret::from(secret) };
        let request = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY }
            .to_request("https://server.example.com/token", &auth, &[])
            .unwrap();
        assert_eq!(request.headers()[header::AUTHORIZATION], authorization);
        let body = Params::of_body(&request).unwrap();
        let client = PresentedClient::parse(request.headers(), &body).unwrap();
        assert_eq!((&*client.id, client.proof.secret()), (id, Some(secret)));
        assert_eq!(client.method(), AuthMethod::ClientSecretBasic);
    }
}

#[test]
fn authorization_requests_are_read_as_in_rfc_6749() {
    for case in load(RFC6749, "authorization_requests") {
        let params = Params::parse(text(&case, "query").unwrap().as_bytes()).unwrap();
        let request = AuthorizationRequest::parse(&params).unwrap();
        assert_eq!(Some(&*request.client_id), text(&case, "client_id"));
        assert_eq!(request.state.as_deref(), text(&case, "state"));
        assert_eq!(request.redirect_uri.as_deref(), text(&case, "redirect_uri"));
        assert_eq!(Some(request.response_type.as_str()), text(&case, "response_type"));
    }
}

#[test]
fn authorization_responses_are_read_and_written_as_in_rfc_6749_and_rfc_9207() {
    let cases = [RFC6749, RFC9207].map(|file| load(file, "authorization_responses"));
    for case in cases.into_iter().flatten() {
        let url = text(&case, "url").unwrap();
        let (redirect_uri, parameters) = url.split_once(['?', '#']).unwrap();
        let mode = match url.contains('#') {
            true => ResponseMode::Fragment,
            false => ResponseMode::Query,
        };
        let response =
            AuthorizationResponse::parse(&Params::parse(parameters.as_bytes()).unwrap()).unwrap();
        assert_eq!(response.state(), text(&case, "state"));
        assert_eq!(response.iss(), text(&case, "iss"));
        match &response {
            AuthorizationResponse::Code { code, .. } => {
                assert_eq!(Some(code.expose()), text(&case, "code"));
            }
            AuthorizationResponse::Token { token, .. } => {
                assert_eq!(Some(token.access_token.expose()), text(&case, "token"));
                assert_eq!(token.expires_in, Some(Duration::from_secs(3600)));
            }
            AuthorizationResponse::OpenId { .. } => panic!("no response of RFC 6749"),
            AuthorizationResponse::Error { error, .. } => {
                assert_eq!(Some(error.error.as_str()), text(&case, "error"));
            }
        }
        // The order of parameters is free.
        let sorted = |url: &str| {
            let mut parts: Vec<_> = url.split(['?', '#', '&']).map(str::to_owned).collect();
            parts.sort_unstable();
            parts
        };
        let written = response.to_url(redirect_uri, mode).unwrap();
        assert_eq!(written.contains('#'), url.contains('#'));
        assert_eq!(sorted(&written), sorted(url));
    }
}

#[test]
fn token_requests_are_read_as_in_rfc_6749() {
    for case in load(RFC6749, "token_requests") {
        let params = Params::parse(text(&case, "body").unwrap().as_bytes()).unwrap();
        let request = TokenRequest::parse(&params).unwrap();
        assert_eq!(Some(request.grant_type()), text(&case, "grant_type"));
        let token = match request {
            TokenRequest::AuthorizationCode { code, .. } => Some(code),
            TokenRequest::RefreshToken { refresh_token, .. } => Some(refresh_token),
            _ => None,
        };
        assert_eq!(token, text(&case, "token"));
        if let Some(id) = text(&case, "client_id") {
            let client = PresentedClient::parse(&HeaderMap::new(), &params).unwrap();
            assert_eq!(client.id, id);
            assert_eq!(client.proof.secret(), text(&case, "client_secret"));
        }
    }
}

#[test]
fn token_responses_are_read_as_in_the_specifications_and_as_services_send_them() {
    let cases = [RFC6749, RFC6750, SERVICES].map(|file| load(file, "token_responses"));
    for case in cases.into_iter().flatten() {
        let separator = match text(&case, "separator") {
            Some("comma") => ScopeSeparator::Comma,
            _ => ScopeSeparator::Space,
        };
        let status = case.get("status").and_then(Value::as_u64).unwrap_or(200);
        let response = Response::builder()
            .status(u16::try_from(status).unwrap())
            .header("content-type", text(&case, "content_type").unwrap_or("application/json"))
            .body(Bytes::from(text(&case, "body").unwrap().to_owned()))
            .unwrap();
        let tokens = match TokenResponse::parse(&response, separator) {
            Ok(tokens) => tokens,
            Err(TokenResponseError::Refused { status: seen, error }) => {
                assert_eq!(u64::from(seen.as_u16()), status);
                assert_eq!(Some(error.error.as_str()), text(&case, "error"), "{case}");
                continue;
            }
            Err(TokenResponseError::Status(seen)) => {
                assert_eq!(u64::from(seen.as_u16()), status);
                assert_eq!(text(&case, "failure"), Some("status"), "{case}");
                continue;
            }
            Err(error) => {
                assert_eq!(error, TokenResponseError::Unreadable, "{case}");
                assert_eq!(text(&case, "failure"), Some("unreadable"), "{case}");
                continue;
            }
        };
        assert_eq!(Some(tokens.access_token.expose()), text(&case, "access_token"), "{case}");
        assert_eq!(Some(tokens.token_type.as_str()), text(&case, "token_type"), "{case}");
        assert_eq!(
            tokens.expires_in.map(|duration| duration.as_secs()),
            case.get("expires_in").and_then(Value::as_u64),
            "{case}"
        );
        assert_eq!(
            tokens.refresh_token.as_ref().map(Secret::expose),
            text(&case, "refresh_token"),
            "{case}"
        );
        assert_eq!(tokens.scope.as_ref().map(Scopes::as_str), text(&case, "scope"), "{case}");
        let extra = case.get("extra").cloned().unwrap_or_else(|| serde_json::json!({}));
        assert_eq!(Value::Object(tokens.extra.clone()), extra, "{case}");
    }
}

#[test]
fn device_authorizations_are_read_and_sent_as_in_rfc_8628() {
    for case in load(RFC8628, "authorization_requests") {
        let mut asked = DeviceAuthorizationRequest::new();
        asked.scope = text(&case, "scope").map(|scope| Scopes::parse(scope).unwrap());
        let params = Params::parse(text(&case, "body").unwrap().as_bytes()).unwrap();
        assert_eq!(DeviceAuthorizationRequest::parse(&params), Ok(asked.clone()));
        let client_id = text(&case, "client_id").unwrap();
        let auth = ClientAuth::None { client_id: client_id.into() };
        let request = asked.to_request("https://server.example.com/device", &auth, &[]).unwrap();
        let sent = Params::of_body(&request).unwrap();
        for name in ["client_id", "scope"] {
            assert_eq!(sent.one(name), params.one(name));
        }
        assert_eq!(sent.iter().len(), params.iter().len());
    }
    for case in load(RFC8628, "token_requests") {
        let device_code = text(&case, "device_code").unwrap();
        let params = Params::parse(text(&case, "body").unwrap().as_bytes()).unwrap();
        let asked = TokenRequest::DeviceCode { device_code, resource: Resources::EMPTY };
        assert_eq!(TokenRequest::parse(&params), Ok(asked.clone()));
        let auth = ClientAuth::None { client_id: text(&case, "client_id").unwrap().into() };
        let request = asked.to_request("https://server.example.com/token", &auth, &[]).unwrap();
        assert_eq!(request.body(), text(&case, "body").unwrap());
    }
}

#[test]
fn device_authorization_responses_are_read_as_in_rfc_8628_and_as_services_send_them() {
    let cases = [RFC8628, SERVICES].map(|file| load(file, "device_authorization_responses"));
    for case in cases.into_iter().flatten() {
        let status = case.get("status").and_then(Value::as_u64).unwrap_or(200);
        let response = Response::builder()
            .status(u16::try_from(status).unwrap())
            .body(Bytes::from(text(&case, "body").unwrap().to_owned()))
            .unwrap();
        let codes = match DeviceAuthorizationResponse::parse(&response) {
            Ok(codes) => codes,
            Err(DeviceAuthorizationResponseError::Refused { status: seen, error }) => {
                assert_eq!(u64::from(seen.as_u16()), status);
                assert_eq!(Some(error.error.as_str()), text(&case, "error"), "{case}");
                continue;
            }
            Err(error) => panic!("{error:?}: {case}"),
        };
        assert_eq!(Some(codes.device_code.expose()), text(&case, "device_code"), "{case}");
        assert_eq!(Some(&*codes.user_code), text(&case, "user_code"), "{case}");
        assert_eq!(Some(&*codes.verification_uri), text(&case, "verification_uri"), "{case}");
        assert_eq!(
            codes.verification_uri_complete.as_deref(),
            text(&case, "verification_uri_complete"),
            "{case}"
        );
        let seconds = |name| case.get(name).and_then(Value::as_u64);
        assert_eq!(Some(codes.expires_in.as_secs()), seconds("expires_in"), "{case}");
        assert_eq!(codes.interval.map(|it| it.as_secs()), seconds("interval"), "{case}");
    }
}

#[test]
fn bearer_tokens_are_read_and_sent_as_in_rfc_6750() {
    for case in load(RFC6750, "headers") {
        let token = text(&case, "token").unwrap();
        let value = bearer::header(&Secret::from(token)).unwrap();
        assert_eq!(value, text(&case, "authorization").unwrap());
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, value)]);
        assert_eq!(bearer::from_headers(&headers), Ok(Some(token)));
    }
    for case in load(RFC6750, "bodies") {
        let params = Params::parse(text(&case, "body").unwrap().as_bytes()).unwrap();
        assert_eq!(bearer::from_form(&params), Ok(text(&case, "token")));
    }
}

#[test]
fn challenges_are_read_and_written_as_in_rfc_6750() {
    for case in load(RFC6750, "challenges") {
        let value = text(&case, "value").unwrap();
        let headers = HeaderMap::from_iter([(
            header::WWW_AUTHENTICATE,
            HeaderValue::from_str(value).unwrap(),
        )]);
        let [challenge] = &bearer::Challenge::parse_all(&headers)[..] else { panic!("{value}") };
        assert_eq!(challenge.realm.as_deref(), text(&case, "realm"));
        let error = challenge.error.as_ref();
        assert_eq!(error.map(|error| error.error.as_str()), text(&case, "error"));
        assert_eq!(
            error.and_then(|error| error.error_description.as_deref()),
            text(&case, "error_description")
        );
        let response = challenge.to_response();
        assert_eq!(response.headers()[header::WWW_AUTHENTICATE], value);
        assert_eq!(u64::from(response.status().as_u16()), case["status"].as_u64().unwrap());
    }
}

#[test]
fn revocations_are_read_and_sent_as_in_rfc_7009() {
    for case in load(RFC7009, "requests") {
        let asked = RevocationRequest {
            token: text(&case, "token").unwrap(),
            token_type_hint: match text(&case, "token_type_hint") {
                Some("refresh_token") => Some(TokenTypeHint::RefreshToken),
                Some("access_token") => Some(TokenTypeHint::AccessToken),
                _ => None,
            },
        };
        let auth = ClientAuth::Basic {
            client_id: text(&case, "client_id").unwrap().into(),
            client_secret: text(&case, "client_secret").unwrap().into(),
        };
        let request: Request<Bytes> =
            asked.to_request("https://server.example.com/revoke", &auth).unwrap();
        assert_eq!(request.body(), text(&case, "body").unwrap());
        assert_eq!(request.headers()[header::AUTHORIZATION], text(&case, "authorization").unwrap());
        assert_eq!(RevocationRequest::parse(&Params::of_body(&request).unwrap()), Ok(asked));
    }
}

#[test]
fn verifiers_and_challenges_belong_together_as_in_rfc_7636() {
    for case in load(RFC7636, "pairs") {
        let octets: Vec<u8> = serde_json::from_value(case["octets"].clone()).unwrap();
        let verifier = Verifier::from_bytes(&octets.try_into().unwrap());
        assert_eq!(Some(verifier.expose()), text(&case, "verifier"));
        let challenge: Challenge = text(&case, "challenge").unwrap().parse().unwrap();
        assert_eq!(verifier.challenge(), challenge);
        assert!(challenge.matches(verifier.expose()));
    }
}

#[test]
fn metadata_is_found_and_read_as_in_rfc_8414() {
    for case in load(RFC8414, "well_known") {
        let urls = well_known_urls(text(&case, "issuer").unwrap()).unwrap();
        assert_eq!(urls.first().map(url::Url::as_str), text(&case, "url"));
    }
    for case in load(RFC8414, "metadata") {
        let document = &case["document"];
        let json = document.to_string();
        let metadata =
            ServerMetadata::parse(json.as_bytes(), text(document, "issuer").unwrap()).unwrap();
        let extra: Vec<&String> = metadata.extra.keys().collect();
        assert_eq!(serde_json::json!(extra), case["not_named"]);
        assert_eq!(serde_json::to_value(&metadata).unwrap(), *document);
    }
}

#[test]
fn an_api_and_its_issuers_are_found_as_in_rfc_9728() {
    for case in load(RFC9728, "well_known") {
        let url = resource_metadata_url(text(&case, "resource").unwrap()).unwrap();
        assert_eq!(Some(url.as_str()), text(&case, "url"));
    }
    for case in load(RFC9728, "metadata") {
        let document = &case["document"];
        let json = document.to_string();
        let resource = text(document, "resource").unwrap();
        let metadata = ResourceMetadata::parse(json.as_bytes(), resource).unwrap();
        assert!(metadata.extra.is_empty());
        assert_eq!(serde_json::to_value(&metadata).unwrap(), *document);
    }
    for case in load(RFC9728, "challenge") {
        let value = text(&case, "header").unwrap();
        let headers = HeaderMap::from_iter([(header::WWW_AUTHENTICATE, value.try_into().unwrap())]);
        let found = bearer::Challenge::parse_all(&headers);
        let [challenge] = &*found else { panic!("{found:?}") };
        let url = text(&case, "resource_metadata").unwrap();
        assert_eq!(challenge.extra, [("resource_metadata".into(), url.into())]);
        assert_eq!(challenge.to_string(), value);
    }
}
