//! Dynamic client registration and its management: the examples of RFC 7591 and RFC 7592.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use quadrille::{
    Secret, Timestamp,
    oauth2::{
        ClientConfiguration, ClientConfigurationRequest, ClientDeleted, ClientInformation,
        ErrorCode, RegistrationRequest, RegistrationRequestError, RegistrationResponseError,
        SecretExpiry,
    },
};
use serde_json::{Value, json};

use super::{load, text};

const EXAMPLES: &str = include_str!("rfc7591.json");

fn request(method: Method, case: &Value) -> Request<Bytes> {
    let mut request = Request::builder().method(method).uri("https://server.example.com/register");
    if let Some(token) = text(case, "token") {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request.header("content-type", "application/json; charset=utf-8");
    request.body(case["body"].to_string().into()).unwrap()
}

fn response(case: &Value) -> Response<Bytes> {
    let status = case.get("status").and_then(Value::as_u64).unwrap_or(400);
    let response = Response::builder().status(u16::try_from(status).unwrap());
    response.body(case["body"].to_string().into()).unwrap()
}

fn body(message: &Bytes) -> Value {
    serde_json::from_slice(message).unwrap()
}

#[test]
fn registrations_are_read_and_sent_as_in_rfc_7591() {
    for case in load(EXAMPLES, "registration_requests") {
        let asked = RegistrationRequest::parse(&request(Method::POST, &case)).unwrap();
        assert_eq!(asked.initial_access_token, text(&case, "token").map(Secret::from));
        assert_eq!(asked.metadata.redirect_uris.len(), 2);
        assert_eq!(asked.metadata.extra["example_extension_parameter"], "example_value");
        assert_eq!(asked.metadata.client_name.as_deref(), text(&case["body"], "client_name"));
        let sent = asked.to_request("https://server.example.com/register").unwrap();
        assert_eq!(body(sent.body()), case["body"]);
        assert_eq!(RegistrationRequest::parse(&sent), Ok(asked));
    }
}

#[test]
fn client_information_is_read_and_sent_as_in_rfc_7591_and_rfc_7592() {
    for case in load(EXAMPLES, "client_information") {
        let response = response(&case);
        let client = ClientInformation::parse(&response).unwrap();
        assert_eq!(client.client_id, "s6BhdRkqt3");
        assert_eq!(client.client_secret, Some("cf136dc3c1fc93f31185e5885805d".into()));
        let at = |seconds| Timestamp::from_seconds(seconds);
        assert_eq!(client.client_id_issued_at, Some(at(2_893_256_800)));
        assert_eq!(client.client_secret_expires_at, Some(SecretExpiry::At(at(2_893_276_800))));
        let uri = client.configuration.as_ref().map(|found| &*found.registration_client_uri);
        assert_eq!(uri, text(&case["body"], "registration_client_uri"));
        let sent = client.to_response(response.status());
        assert_eq!(body(sent.body()), case["body"]);
        assert_eq!(ClientInformation::parse(&sent), Ok(client));
    }
}

#[test]
fn updates_are_read_and_sent_as_in_rfc_7592() {
    for case in load(EXAMPLES, "updates") {
        let read = request(Method::PUT, &case);
        let asked = ClientConfigurationRequest::parse(&read).unwrap();
        let token = ClientConfigurationRequest::token(&read).unwrap().unwrap();
        let configuration = ClientConfiguration {
            registration_access_token: token,
            registration_client_uri: "https://server.example.com/register/s6BhdRkqt3".to_owned(),
        };
        let sent = asked.to_request(&configuration).unwrap();
        assert_eq!(body(sent.body()), case["body"]);
        assert_eq!(sent.headers()["authorization"], "Bearer reg-23410913-abewfq.123483");
        for (member, value) in [
            ("client_id_issued_at", json!(1)),
            ("client_secret_expires_at", json!(0)),
            ("registration_access_token", json!("x")),
            ("registration_client_uri", json!("https://server.example.com/")),
        ] {
            let mut case = case.clone();
            case["body"][member] = value;
            let refused = ClientConfigurationRequest::parse(&request(Method::PUT, &case));
            assert_eq!(refused, Err(RegistrationRequestError::Assigned(member)));
        }
    }
}

#[test]
fn refusals_are_read_as_in_rfc_7591() {
    for case in load(EXAMPLES, "errors") {
        let refused = ClientInformation::parse(&response(&case)).unwrap_err();
        let RegistrationResponseError::Refused { status, error } = refused else { panic!() };
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert_eq!(error.error.as_str(), text(&case["body"], "error").unwrap());
        assert_eq!(error.error_description.as_deref(), text(&case["body"], "error_description"));
        assert!(ClientDeleted::parse(&response(&case)).is_err());
    }
}

#[test]
fn an_invalid_registration_is_refused_with_the_member_at_fault() {
    use RegistrationRequestError as E;
    let parse = |declared: &str, body: &str| {
        let request = Request::post("/register").header("content-type", declared);
        RegistrationRequest::parse(&request.body(Bytes::from(body.to_owned())).unwrap())
    };
    for (body, error) in [
        ("", E::Malformed),
        ("[]", E::Malformed),
        ("{} {}", E::Malformed),
        (r#"{"client_name":"a","client_name":"b"}"#, E::Repeated),
        (r#"{"jwks":{"keys":[],"keys":[]}}"#, E::Repeated),
        (r#"{"redirect_uris":"https://app.example/"}"#, E::Member("redirect_uris")),
        (r#"{"redirect_uris":[1]}"#, E::Member("redirect_uris")),
        (r#"{"client_name":["a"]}"#, E::Member("client_name")),
        (r#"{"scope":["a"]}"#, E::Member("scope")),
        (r#"{"scope":"a\u0007b"}"#, E::Member("scope")),
        (r#"{"grant_types":"implicit"}"#, E::Member("grant_types")),
        (r#"{"jwks":"{}"}"#, E::Member("jwks")),
        (r#"{"software_statement":{}}"#, E::Member("software_statement")),
    ] {
        assert_eq!(parse("application/json", body), Err(error), "{body}");
    }
    for declared in ["text/plain", "application/x-www-form-urlencoded", "application/jsonp"] {
        assert_eq!(parse(declared, "{}"), Err(E::ContentType), "{declared}");
    }
    assert_eq!(E::Member("redirect_uris").code(), ErrorCode::InvalidRedirectUri);
    assert_eq!(E::Member("software_statement").code(), ErrorCode::InvalidSoftwareStatement);
    assert_eq!(E::Member("jwks").code(), ErrorCode::InvalidClientMetadata);
    // Null and empty texts count as omitted, and members of the server are none of the client's.
    let body = r#"{"client_name":null,"logo_uri":"","client_id":"mine","x":null,"y":1}"#;
    let asked = parse("Application/JSON; charset=utf-8", body).unwrap().metadata;
    assert_eq!((asked.client_name, asked.logo_uri), (None, None));
    assert_eq!(asked.extra.keys().collect::<Vec<_>>(), ["y"]);
}
