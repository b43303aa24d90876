//! The crate `oauth2`, the client of most Rust programs, at the program.

use std::{future::pending, time::Duration};

use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken,
    DeviceAuthorizationUrl, DeviceCodeErrorResponseType, EndpointSet, HttpRequest, HttpResponse,
    IntrospectionUrl, PkceCodeChallenge, RedirectUrl, RequestTokenError, RevocationUrl, Scope,
    StandardDeviceAuthorizationResponse, StandardRevocableToken, TokenIntrospectionResponse as _,
    TokenResponse as _, TokenUrl,
    basic::{BasicClient, BasicErrorResponseType, BasicTokenResponse, BasicTokenType},
};
use serde_json::Value;

use crate::{
    browser::Browser,
    flow::{PASSWORD, REDIRECT, SCOPES},
    process::{Folder, Program},
};

type Whole = BasicClient<EndpointSet, EndpointSet, EndpointSet, EndpointSet, EndpointSet>;

struct Stage {
    program: Program,
    metadata: Value,
    _folder: Folder,
}

impl Stage {
    async fn new() -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &[&SCOPES[..], &["--device"]].concat());
        program.add_user("Ada", PASSWORD);
        let url = program.url("/.well-known/oauth-authorization-server");
        let metadata = http_client().get(url).send().await.unwrap().json().await.unwrap();
        Self { program, metadata, _folder: folder }
    }

    /// Registers a client. Returns it as one of the crate, with the endpoints in the metadata.
    fn client(&self, arguments: &[&str]) -> Whole {
        let add = ["client", "add", "Rust app", "--scope", "photos:read"];
        let added = self.program.json(&[&add[..], arguments].concat());
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let url = |name: &str| text(&self.metadata[format!("{name}_endpoint")]);
        let client = BasicClient::new(ClientId::new(text(&added["client_id"])));
        let client = match added["client_secret"].as_str() {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.to_owned())),
            None => client,
        };
        // The crate revokes tokens at https alone: `send` is the proxy that ends TLS.
        let revocation = url("revocation").replacen("http:", "https:", 1);
        client
            .set_auth_uri(AuthUrl::new(url("authorization")).unwrap())
            .set_device_authorization_url(
                DeviceAuthorizationUrl::new(url("device_authorization")).unwrap(),
            )
            .set_introspection_url(IntrospectionUrl::new(url("introspection")).unwrap())
            .set_revocation_url(RevocationUrl::new(revocation).unwrap())
            .set_token_uri(TokenUrl::new(url("token")).unwrap())
            .set_redirect_uri(RedirectUrl::new(REDIRECT.to_owned()).unwrap())
    }

    async fn me(&self, token: &AccessToken) -> (u16, Value) {
        let request = http_client().get(self.program.url("/api/me")).bearer_auth(token.secret());
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        (status, answer.json().await.unwrap_or_default())
    }

    /// The codes of a device that runs this client.
    async fn codes(&self, client: &Whole) -> StandardDeviceAuthorizationResponse {
        let request = client.exchange_device_code().add_scope(scope("photos:read"));
        request.request_async(&send).await.unwrap()
    }

    /// A user signs in with the link of the device, and answers the consent page.
    async fn decide(&self, codes: &StandardDeviceAuthorizationResponse, decision: &str) {
        let browser = Browser::new();
        let link = codes.verification_uri_complete().unwrap().secret();
        let page = browser.sign_in(&browser.get(link).await, "ada", PASSWORD).await;
        let page = browser.submit(&page.form("user_code")).await;
        let page = browser.submit(&page.form("ticket").with("decision", decision)).await;
        assert_eq!(page.status, 200, "{}", page.html);
    }
}

fn http_client() -> reqwest::Client {
    let plain = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy();
    plain.build().unwrap()
}

/// Sends a request of the crate.
pub(crate) async fn send(mut request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let plain = request.uri().to_string().replacen("https:", "http:", 1);
    *request.uri_mut() = plain.parse().unwrap();
    let answer = http_client().execute(request.try_into()?).await?;
    let mut response = http::Response::new(Vec::new());
    *response.status_mut() = answer.status();
    *response.headers_mut() = answer.headers().clone();
    *response.body_mut() = answer.bytes().await?.to_vec();
    Ok(response)
}

fn scope(name: &str) -> Scope {
    Scope::new(name.to_owned())
}

/// From the authorization request to the code.
async fn code(
    client: &Whole,
    browser: &Browser,
    challenge: PkceCodeChallenge,
) -> AuthorizationCode {
    let request = client.authorize_url(CsrfToken::new_random).add_scope(scope("photos:read"));
    let (url, state) = request.set_pkce_challenge(challenge).url();
    let page = browser.get(url.as_str()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    assert_eq!(page.parameter("state").as_deref(), Some(&**state.secret()));
    AuthorizationCode::new(page.parameter("code").unwrap())
}

fn is_refused<E>(
    answer: Result<BasicTokenResponse, RequestTokenError<E, oauth2::basic::BasicErrorResponse>>,
    code: &BasicErrorResponseType,
) -> bool
where
    E: std::error::Error + 'static,
{
    match answer {
        Err(RequestTokenError::ServerResponse(error)) => error.error() == code,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_program_logs_in_refreshes_introspects_and_revokes() {
    let stage = Stage::new().await;
    let redirect = ["--redirect-uri", REDIRECT];
    for (more, auth_type) in [
        (&[][..], AuthType::BasicAuth),
        (&[], AuthType::RequestBody),
        (&["--public"], AuthType::RequestBody),
    ] {
        let client = stage.client(&[&redirect[..], more].concat()).set_auth_type(auth_type);
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let code = code(&client, &Browser::new(), challenge).await;
        let (_, other) = PkceCodeChallenge::new_random_sha256();
        let wrong = client.exchange_code(code.clone()).set_pkce_verifier(other);
        assert!(is_refused(
            wrong.request_async(&send).await,
            &BasicErrorResponseType::InvalidGrant
        ));
        let right = client.exchange_code(code).set_pkce_verifier(verifier);
        let token = right.request_async(&send).await.unwrap();
        assert_eq!(token.scopes(), Some(&vec![scope("photos:read")]));
        assert_eq!(token.token_type(), &BasicTokenType::Bearer);
        assert_eq!(token.expires_in(), Some(Duration::from_secs(3600)));
        let (_, me) = stage.me(token.access_token()).await;
        assert_eq!(
            (&me["username"], &me["client_id"]),
            (&"Ada".into(), &client.client_id().as_str().into())
        );

        let refresh = token.refresh_token().unwrap();
        let renewed = client.exchange_refresh_token(refresh).request_async(&send).await.unwrap();
        assert_ne!(renewed.access_token().secret(), token.access_token().secret());
        let (access, refresh) = (renewed.access_token(), renewed.refresh_token().unwrap());
        let is_public = !more.is_empty();
        if !is_public {
            let asked = client.introspect(access).set_token_type_hint("access_token");
            let told = asked.request_async(&send).await.unwrap();
            assert!(told.active() && told.exp().is_some());
            assert_eq!(told.client_id(), Some(client.client_id()));
            assert_eq!(told.scopes(), Some(&vec![scope("photos:read")]));
        }
        let revoked = StandardRevocableToken::RefreshToken(refresh.clone());
        client.revoke_token(revoked).unwrap().request_async(&send).await.unwrap();
        assert_eq!(stage.me(access).await.0, 401);
        let again = client.exchange_refresh_token(refresh).request_async(&send).await;
        assert!(is_refused(again, &BasicErrorResponseType::InvalidGrant));
        if !is_public {
            let told = client.introspect(access).request_async(&send).await.unwrap();
            assert!(!told.active());
        }
    }
}

#[tokio::test]
async fn a_program_acts_for_itself() {
    let stage = Stage::new().await;
    let client = stage.client(&["--grant", "client_credentials"]);
    let asked = client.exchange_client_credentials().add_scope(scope("photos:read"));
    let token = asked.request_async(&send).await.unwrap();
    assert!(token.refresh_token().is_none());
    let (status, me) = stage.me(token.access_token()).await;
    assert_eq!((status, &me["client_id"]), (200, &client.client_id().as_str().into()));
    let asked = client.exchange_client_credentials().add_scope(scope("photos:write"));
    let refused = asked.request_async(&send).await;
    assert!(is_refused(refused, &BasicErrorResponseType::InvalidScope));
}

#[tokio::test]
async fn a_program_on_a_device_waits_for_its_user() {
    let stage = Stage::new().await;
    let grants = ["--grant", "device_code", "--grant", "refresh_token"];
    for more in [&[][..], &["--public"]] {
        let client = stage.client(&[&grants[..], more].concat());
        let codes = stage.codes(&client).await;
        let (wait, mut waits) = tokio::sync::mpsc::unbounded_channel();
        let sleep = move |interval: Duration| {
            wait.send(interval).unwrap();
            pending()
        };
        let polling = client.exchange_device_access_token(&codes);
        tokio::select! {
            done = polling.request_async(&send, sleep, None) => panic!("{done:?}"),
            interval = waits.recv() => assert_eq!(interval, Some(codes.interval())),
        }
        let never = |_| async { panic!("it would wait") };
        let codes = stage.codes(&client).await;
        stage.decide(&codes, "allow").await;
        let polling = client.exchange_device_access_token(&codes);
        let token = polling.request_async(&send, never, None).await.unwrap();
        assert_eq!(stage.me(token.access_token()).await.1["username"], "Ada");
        let refresh = token.refresh_token().unwrap();
        client.exchange_refresh_token(refresh).request_async(&send).await.unwrap();

        let codes = stage.codes(&client).await;
        stage.decide(&codes, "deny").await;
        let polling = client.exchange_device_access_token(&codes);
        match polling.request_async(&send, never, None).await {
            Err(RequestTokenError::ServerResponse(error)) => {
                assert_eq!(error.error(), &DeviceCodeErrorResponseType::AccessDenied);
            }
            other => panic!("{other:?}"),
        }
    }
}
