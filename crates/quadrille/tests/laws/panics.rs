//! Nothing that is sent makes anything panic, and nothing wrong is taken for right.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, header};
use proptest::{collection::vec, prelude::*};
use quadrille::{
    KeyRing, Scopes,
    form::{Limits, Params},
    oauth2::{
        AuthorizationRequest, AuthorizationRequestError, AuthorizationResponse,
        ClientConfigurationRequest, ClientDeleted, ClientInformation, DeviceAuthorizationRequest,
        DeviceAuthorizationResponse, ErrorResponse, PresentedClient, RegistrationRequest,
        ResponseMode, RevocationRequest, RevocationResponse, TokenRequest, TokenResponse, bearer,
        metadata,
        pkce::{Challenge, Verifier},
    },
    scope::ScopeSeparator,
};

/// Bytes that look enough like messages to get past the first check.
fn input() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        prop::sample::select(vec![
            "grant_type",
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:device_code",
            "device_code",
            "user_code",
            "verification_uri",
            "code",
            "code_verifier",
            "client_id",
            "client_secret",
            "redirect_uri",
            "response_type",
            "scope",
            "state",
            "code_challenge",
            "code_challenge_method",
            "S256",
            "plain",
            "token",
            "error",
            "access_token",
            "expires_in",
            "errors",
            "=",
            "&",
            "=",
            "&",
            "%",
            "%41",
            "%00",
            "+",
            "\"",
            "{",
            "}",
            "[",
            "]",
            ":",
            ",",
            "\\",
            " ",
            "Bearer",
            "Basic",
            "null",
            "-1",
            "1e999",
            "#",
            "?",
            "//",
            "https:",
            "\u{1F980}",
            "\u{0}",
        ])
        .prop_map(|word| word.as_bytes().to_vec()),
        vec(any::<u8>(), 0..8),
    ];
    vec(word, 0..24).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn parameters_of_any_bytes(input in input()) {
        let Ok(params) = Params::parse(&input) else { return Ok(()) };
        prop_assert!(params.iter().len() <= Limits::DEFAULT.parameters);
        prop_assert!(params.iter().all(|(n, v)| !n.contains('\0') && !v.contains('\0')));
        let _ = TokenRequest::parse(&params);
        let _ = DeviceAuthorizationRequest::parse(&params);
        let _ = RevocationRequest::parse(&params);
        let _ = AuthorizationResponse::parse(&params);
        let _ = bearer::from_form(&params);
        let _ = PresentedClient::parse(&HeaderMap::new(), &params);
        match AuthorizationRequest::parse(&params) {
            Ok(request) => {
                prop_assert_eq!(params.one("client_id"), Ok(Some(&*request.client_id)));
            }
            Err(AuthorizationRequestError::Refused { addressee, .. }) => {
                let client_id = params.one("client_id").unwrap();
                prop_assert_eq!(client_id, Some(addressee.client_id.as_str()));
            }
            Err(AuthorizationRequestError::Unaddressed(_)) => {
                let has_client = matches!(params.one("client_id"), Ok(Some(_)));
                prop_assert!(!has_client || params.one("redirect_uri").is_err());
            }
        }
    }

    #[test]
    fn headers_of_any_bytes(input in input(), scheme in "(Basic|Bearer|)( |)") {
        let bytes = [scheme.as_bytes(), &input].concat();
        let Ok(value) = HeaderValue::from_bytes(&bytes) else { return Ok(()) };
        let mut headers = HeaderMap::new();
        headers.insert(header::AUTHORIZATION, value.clone());
        headers.insert(header::WWW_AUTHENTICATE, value);
        let _ = bearer::from_headers(&headers);
        let _ = PresentedClient::parse(&headers, &Params::default());
        for challenge in bearer::Challenge::parse_all(&headers) {
            // A value that was read can be written again.
            challenge.to_response();
        }
    }

    #[test]
    fn answers_of_any_bytes(input in input(), status in 200_u16..600) {
        let mut response = Response::new(Bytes::from(input));
        *response.status_mut() = http::StatusCode::from_u16(status).unwrap();
        if let Some(error) = ErrorResponse::parse(&response) {
            prop_assert!(error.error.as_str().chars().all(|char| !char.is_control()));
            error.to_response();
        }
        let _ = RevocationResponse::parse(&response);
        if let Ok(client) = ClientInformation::parse(&response) {
            prop_assert!(!client.client_id.is_empty());
            // A value that was read can be written again.
            prop_assert!(ClientInformation::parse(&client.to_response(response.status())).is_ok());
        }
        let _ = ClientDeleted::parse(&response);
        for method in [http::Method::POST, http::Method::PUT] {
            let mut request = http::Request::new(response.body().clone());
            *request.method_mut() = method;
            let json = HeaderValue::from_static("application/json");
            request.headers_mut().insert(header::CONTENT_TYPE, json);
            let _ = RegistrationRequest::parse(&request);
            let _ = ClientConfigurationRequest::parse(&request);
        }
        if let Ok(codes) = DeviceAuthorizationResponse::parse(&response) {
            prop_assert!((200..300).contains(&status));
            prop_assert!(!codes.user_code.is_empty() && !codes.device_code.expose().is_empty());
            prop_assert!(!codes.user_code.contains(char::is_control));
            prop_assert!(!codes.expires_in.is_zero());
        }
        for separator in [ScopeSeparator::Space, ScopeSeparator::Comma] {
            if let Ok(tokens) = TokenResponse::parse(&response, separator) {
                prop_assert!((200..300).contains(&status));
                prop_assert!(!tokens.access_token.is_empty());
                if let Some(scope) = tokens.scope {
                    prop_assert_eq!(Scopes::parse(scope.as_str()), Ok(scope.clone()));
                }
            }
        }
        let _ = metadata::ServerMetadata::parse(response.body(), "https://id.example");
    }

    #[test]
    fn texts_of_any_characters(text in any::<String>()) {
        let _ = text.parse::<Verifier>();
        let _ = text.parse::<Challenge>();
        let _ = Scopes::parse(&text);
        let _ = metadata::well_known_urls(&text);
        let _ = KeyRing::parse(&text);
        let ring = KeyRing::new([&[1; 32]]).unwrap();
        prop_assert!(ring.open("p", "s", &text).is_err());
        let answer = AuthorizationResponse::Code {
            code: "c".into(),
            state: None,
            iss: None,
            session_state: None,
        };
        for (mode, hashes) in [(ResponseMode::Query, 0), (ResponseMode::Fragment, 1)] {
            if let Ok(url) = answer.to_url(&text, mode) {
                prop_assert!(HeaderValue::try_from(&url).is_ok());
                prop_assert!(url.starts_with(&text) && url.matches('#').count() == hashes);
            }
        }
    }
}
