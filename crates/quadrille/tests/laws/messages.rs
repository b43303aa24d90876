//! What one half writes, the other reads.

use std::time::Duration;

use http::HeaderMap;
use proptest::{collection::vec, option, prelude::*, sample};
use quadrille::{
    Scopes, Secret, Timestamp,
    form::{FormWriter, Params},
    jose::{Algorithm, Claims, Protected, SigningKey},
    oauth2::{
        AuthMethod, AuthorizationRequest, AuthorizationResponse, ClientAuth, ClientConfiguration,
        ClientConfigurationRequest, ClientInformation, ClientMetadata, ClientProof,
        DeviceAuthorizationRequest, DeviceAuthorizationResponse, ErrorCode, ErrorResponse,
        PresentedClient, RegistrationRequest, Resources, ResponseMode, RevocationRequest,
        SecretExpiry, TokenRequest, TokenResponse, TokenTypeHint, bearer, pkce::Verifier,
    },
    scope::ScopeSeparator,
};

const ENDPOINT: &str = "https://id.example/endpoint?tenant=7";

/// Any text that a parameter can carry.
fn value() -> impl Strategy<Value = String> {
    "[^\u{0}]{1,40}"
}

/// Any text that may be shown in an answer.
fn printable() -> impl Strategy<Value = String> {
    "[ !#-\\[\\]-~]{1,40}"
}

fn scopes() -> impl Strategy<Value = Scopes> {
    "[!#-\\[\\]-~]{1,8}( [!#-\\[\\]-~]{1,8}){0,4}".prop_map(|text| Scopes::parse(&text).unwrap())
}

fn resources() -> impl Strategy<Value = Resources> {
    vec("https://[a-z]{1,9}\\.example(/[!$-;=?-Z_a-z~]{0,9})?|urn:[a-z]{1,9}", 0..4)
        .prop_map(|uris| Resources::of(uris.iter().map(String::as_str)).unwrap())
}

fn auth() -> impl Strategy<Value = ClientAuth> {
    prop_oneof![
        (value(), value()).prop_map(|(id, secret)| ClientAuth::Basic {
            client_id: id.into(),
            client_secret: secret.into(),
        }),
        (value(), value()).prop_map(|(id, secret)| ClientAuth::Post {
            client_id: id.into(),
            client_secret: secret.into(),
        }),
        value().prop_map(|id| ClientAuth::None { client_id: id.into() }),
        value().prop_map(|id| ClientAuth::Assertion {
            assertion: assertion(&id).into(),
            client_id: id.into(),
        }),
    ]
}

/// A signed assertion about this client.
fn assertion(id: &str) -> String {
    let key = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let mut claims = Claims::default();
    claims.sub = Some(id.to_owned());
    key.sign_claims(&Protected::plain(), &claims).unwrap()
}

/// The client that comes out of a request into which `auth` went in.
fn assert_same_client(auth: &ClientAuth, request: &http::Request<bytes::Bytes>) {
    let params = Params::of_body(request).unwrap();
    let client = PresentedClient::parse(request.headers(), &params).unwrap();
    assert_eq!(client.id, auth.client_id());
    let (secret, method) = match auth {
        ClientAuth::Basic { client_secret, .. } => {
            (Some(client_secret.expose()), AuthMethod::ClientSecretBasic)
        }
        ClientAuth::Post { client_secret, .. } => {
            (Some(client_secret.expose()), AuthMethod::ClientSecretPost)
        }
        ClientAuth::Assertion { assertion, .. } => {
            assert_eq!(client.proof, ClientProof::Assertion(assertion.expose()));
            (None, AuthMethod::PrivateKeyJwt)
        }
        _ => (None, AuthMethod::None),
    };
    assert_eq!(client.proof.secret(), secret);
    assert_eq!(client.method(), method);
}

proptest! {
    #[test]
    fn parameters(pairs in vec((value(), value()), 0..20)) {
        let mut writer = FormWriter::new();
        for (name, value) in &pairs {
            writer.append(name, value);
        }
        let body = writer.finish();
        prop_assert!(body.bytes().all(|byte| byte.is_ascii_graphic()));
        let params = Params::parse(body.as_bytes()).unwrap();
        let read: Vec<_> = params.iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        prop_assert_eq!(read, pairs);
    }

    #[test]
    fn any_client_id_and_secret(auth in auth()) {
        let asked = TokenRequest::ClientCredentials { scope: None, resource: Resources::EMPTY };
        assert_same_client(&auth, &asked.to_request(ENDPOINT, &auth, &[]).unwrap());
    }

    #[test]
    fn token_requests(
        token in value(),
        redirect_uri in option::of(value()),
        verifier in option::of(any::<[u8; 32]>()),
        scope in option::of(scopes()),
        resource in resources(),
        auth in auth(),
    ) {
        let verifier = verifier.map(|bytes| Verifier::from_bytes(&bytes));
        for asked in [
            TokenRequest::AuthorizationCode {
                code: &token,
                redirect_uri: redirect_uri.as_deref(),
                code_verifier: verifier.as_ref().map(Verifier::expose),
                resource: resource.clone(),
            },
            TokenRequest::RefreshToken { refresh_token: &token, scope: scope.clone(), resource: resource.clone() },
            TokenRequest::ClientCredentials { scope, resource: resource.clone() },
            TokenRequest::DeviceCode { device_code: &token, resource },
        ] {
            let request =
                asked.to_request(ENDPOINT, &auth, &[("audience", "a"), ("audience", "b")]).unwrap();
            let params = Params::of_body(&request).unwrap();
            prop_assert_eq!(TokenRequest::parse(&params).unwrap(), asked);
            prop_assert_eq!(params.many("audience").collect::<Vec<_>>(), ["a", "b"]);
            assert_same_client(&auth, &request);
        }
    }

    #[test]
    fn device_authorizations(
        scope in option::of(scopes()),
        resource in resources(),
        auth in auth(),
        device_code in value(),
        user_code in "[!-~]([ -~]{0,20}[!-~])?",
        complete in option::of("https://[a-z]{1,9}\\.example/\\?user_code=[A-Z]{8}"),
        seconds in (1..u64::from(u32::MAX), option::of(1..u64::from(u32::MAX))),
        extra in value(),
    ) {
        let mut asked = DeviceAuthorizationRequest::new();
        asked.scope = scope;
        asked.resource = resource;
        let request = asked.to_request(ENDPOINT, &auth, &[]).unwrap();
        let params = Params::of_body(&request).unwrap();
        prop_assert_eq!(DeviceAuthorizationRequest::parse(&params).unwrap(), asked);
        assert_same_client(&auth, &request);

        prop_assume!(!device_code.trim().is_empty() && !device_code.contains('\u{fffd}'));
        let mut answer = DeviceAuthorizationResponse::new(
            device_code,
            user_code,
            "https://id.example/device",
            Duration::from_secs(seconds.0),
        );
        answer.verification_uri_complete = complete;
        answer.interval = seconds.1.map(Duration::from_secs);
        answer.extra.insert("message".to_owned(), extra.into());
        let read = DeviceAuthorizationResponse::parse(&answer.to_response());
        prop_assert_eq!(read.unwrap(), answer);
    }

    #[test]
    fn token_answers(
        access_token in "[ -~]{1,60}",
        refresh_token in option::of(value()),
        scope in option::of(scopes()),
        expires_in in option::of(1..u64::from(u32::MAX)),
        extra in (value(), value()),
    ) {
        let mut tokens = TokenResponse::new(access_token);
        tokens.refresh_token = refresh_token.map(Secret::from);
        tokens.scope = scope;
        tokens.expires_in = expires_in.map(Duration::from_secs);
        tokens.extra.insert(format!("x-{}", extra.0), extra.1.into());
        let read = TokenResponse::parse(&tokens.to_response(), ScopeSeparator::Space);
        prop_assert_eq!(read.unwrap(), tokens);
    }

    #[test]
    fn errors(code in "[a-z_]{1,30}", description in option::of(printable())) {
        let mut error = ErrorResponse::new(ErrorCode::from(code.as_str()));
        if let Some(description) = description {
            error = error.describe(description);
        }
        prop_assert_eq!(ErrorResponse::parse(&error.to_response()), Some(error));
    }

    #[test]
    fn authorization_requests(
        client_id in value(),
        redirect_uri in option::of(value()),
        scope in option::of(scopes()),
        resource in resources(),
        state in option::of(value()),
        verifier in option::of(any::<[u8; 32]>()),
        extra in option::of(value()),
    ) {
        let mut request = AuthorizationRequest::new(client_id);
        request.redirect_uri = redirect_uri.map(Into::into);
        request.scope = scope;
        request.resource = resource;
        request.state = state.map(Into::into);
        request.code_challenge = verifier.map(|bytes| Verifier::from_bytes(&bytes).challenge());
        request.extra.extend(extra.map(|value| ("login_hint".into(), value.into())));
        let url = request.to_url("https://id.example/authorize").unwrap();
        let (_, query) = url.split_once('?').unwrap();
        let params = Params::parse(query.as_bytes()).unwrap();
        prop_assert_eq!(AuthorizationRequest::parse(&params).unwrap(), request);
    }

    #[test]
    fn authorization_answers(
        code in value(),
        error in "[a-z_]{1,30}",
        description in option::of(printable()),
        state in option::of(value()),
        iss in option::of(value()),
        (lifetime, scope, further) in (1..u32::MAX, option::of(scopes()), option::of(value())),
        (id_token, session_state) in (option::of(value()), option::of(value())),
        mode in sample::select(&[
            ResponseMode::Query, ResponseMode::Fragment, ResponseMode::FormPost,
        ][..]),
    ) {
        let mut token = TokenResponse::new(code.clone());
        token.expires_in = Some(Duration::from_secs(lifetime.into()));
        token.scope = scope.filter(|scope| !scope.is_empty());
        token.extra.extend(further.map(|value| ("tenant".to_owned(), value.into())));
        let mut response = ErrorResponse::new(ErrorCode::from(error.as_str()));
        if let Some(description) = description {
            response = response.describe(description);
        }
        for answer in [
            AuthorizationResponse::Code {
                code: code.into(),
                state: state.clone(),
                iss: iss.clone(),
                session_state: session_state.clone(),
            },
            AuthorizationResponse::Token {
                token: token.clone(), state: state.clone(), iss: iss.clone(),
            },
            AuthorizationResponse::OpenId {
                code: Some("code".into()),
                token: Some(Box::new(token)),
                id_token: id_token.map(Into::into),
                state: state.clone(),
                iss: iss.clone(),
                session_state: session_state.clone(),
            },
            AuthorizationResponse::Error { error: response, state, iss, session_state },
        ] {
            let url = answer.to_url("app:/callback?kept=1", mode).unwrap();
            prop_assert!(http::HeaderValue::try_from(url.as_str()).is_ok());
            let is_in_query = mode == ResponseMode::Query && !matches!(
                answer, AuthorizationResponse::Token { .. } | AuthorizationResponse::OpenId { .. }
            );
            let parameters = match url.strip_prefix("app:/callback?kept=1#") {
                Some(fragment) => fragment,
                None => url.strip_prefix("app:/callback?kept=1&").unwrap(),
            };
            prop_assert_eq!(url.contains('#'), !is_in_query);
            let params = Params::parse(parameters.as_bytes()).unwrap();
            let fields: Vec<_> =
                params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(answer.fields(), fields);
            prop_assert_eq!(AuthorizationResponse::parse(&params).unwrap(), answer);
        }
    }

    #[test]
    fn registrations(
        texts in vec(option::of(value()), 9),
        lists in vec(vec(value(), 0..4), 4),
        scope in option::of(scopes()),
        extra in vec(("x[a-z]{1,9}(#[a-z]{2})?", value()), 0..4),
        token in option::of("[A-Za-z0-9._~+/-]{1,60}"),
        secret in option::of((printable(), option::of(1_i64..1 << 40))),
        issued in option::of(1_i64..1 << 40),
    ) {
        let [name, method, uri, logo, tos, policy, jwks_uri, id, version] = &texts[..] else {
            panic!("nine texts");
        };
        let [uris, grants, responses, contacts] = &lists[..] else { panic!("four lists") };
        let mut metadata = ClientMetadata::default();
        metadata.client_name.clone_from(name);
        metadata.token_endpoint_auth_method.clone_from(method);
        metadata.client_uri.clone_from(uri);
        metadata.logo_uri.clone_from(logo);
        metadata.tos_uri.clone_from(tos);
        metadata.policy_uri.clone_from(policy);
        metadata.jwks_uri.clone_from(jwks_uri);
        metadata.software_id.clone_from(id);
        metadata.software_version.clone_from(version);
        metadata.redirect_uris.clone_from(uris);
        metadata.grant_types = Some(grants.clone());
        metadata.response_types = Some(responses.clone());
        metadata.contacts.clone_from(contacts);
        metadata.scope = scope;
        metadata.extra = extra.into_iter().map(|(name, text)| (name, text.into())).collect();
        let initial_access_token = token.as_deref().map(Secret::from);
        let asked = RegistrationRequest { metadata: metadata.clone(), initial_access_token };
        let request = asked.to_request(ENDPOINT).unwrap();
        prop_assert_eq!(RegistrationRequest::parse(&request).unwrap(), asked);

        let mut client = ClientInformation::new("s6");
        client.client_id_issued_at = issued.map(Timestamp::from_seconds);
        if let Some((secret, expires)) = secret {
            client.client_secret = Some(secret.into());
            let expires = expires.map(Timestamp::from_seconds);
            client.client_secret_expires_at =
                Some(expires.map_or(SecretExpiry::Never, SecretExpiry::At));
        }
        client.configuration = token.as_deref().map(|token| ClientConfiguration {
            registration_access_token: token.into(),
            registration_client_uri: ENDPOINT.to_owned(),
        });
        client.metadata = metadata.clone();
        let response = client.to_response(http::StatusCode::CREATED);
        prop_assert_eq!(ClientInformation::parse(&response).unwrap(), client.clone());

        let Some(configuration) = client.configuration else { return Ok(()) };
        for asked in [
            ClientConfigurationRequest::Read,
            ClientConfigurationRequest::Delete,
            ClientConfigurationRequest::Update {
                client_id: client.client_id,
                client_secret: client.client_secret,
                metadata: Box::new(metadata),
            },
        ] {
            let request = asked.to_request(&configuration).unwrap();
            prop_assert_eq!(ClientConfigurationRequest::parse(&request).unwrap(), asked);
            let token = ClientConfigurationRequest::token(&request).unwrap();
            prop_assert_eq!(token, Some(configuration.registration_access_token.clone()));
        }
    }

    #[test]
    fn revocations(token in value(), refresh in option::of(any::<bool>()), auth in auth()) {
        let asked = RevocationRequest {
            token: &token,
            token_type_hint: refresh.map(|refresh| match refresh {
                true => TokenTypeHint::RefreshToken,
                false => TokenTypeHint::AccessToken,
            }),
        };
        let request = asked.to_request(ENDPOINT, &auth).unwrap();
        let params = Params::of_body(&request).unwrap();
        prop_assert_eq!(RevocationRequest::parse(&params).unwrap(), asked);
        assert_same_client(&auth, &request);
    }

    #[test]
    fn bearer_tokens_and_challenges(
        token in "[A-Za-z0-9._~+/-]{1,60}={0,2}",
        realm in option::of(printable()),
        scope in scopes(),
        description in option::of(printable()),
    ) {
        let value = bearer::header(&Secret::from(token.as_str())).unwrap();
        let headers = HeaderMap::from_iter([(http::header::AUTHORIZATION, value)]);
        prop_assert_eq!(bearer::from_headers(&headers), Ok(Some(token.as_str())));

        let mut challenge = bearer::Challenge::new().scope(scope.as_str());
        challenge.realm = realm.map(Into::into);
        challenge.error = description.map(|text| {
            ErrorResponse::new(ErrorCode::InsufficientScope).describe(text)
        });
        let headers =
            HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, challenge.to_header_value())]);
        prop_assert_eq!(bearer::Challenge::parse_all(&headers), [challenge]);
    }
}
