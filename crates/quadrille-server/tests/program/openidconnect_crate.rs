//! The crate `openidconnect`, the relying party of most Rust programs, at the program.

use std::time::Duration;

use openidconnect::{
    AccessTokenHash, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId,
    ClientName, ClientSecret, CsrfToken, EndpointMaybeSet, EndpointNotSet, EndpointSet, IssuerUrl,
    LogoutRequest, Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier,
    PostLogoutRedirectUrl, ProviderMetadataWithLogout, RedirectUrl, Scope, TokenResponse as _,
    core::{
        CoreApplicationType, CoreClient, CoreClientRegistrationRequest, CoreGrantType,
        CoreIdTokenVerifier, CoreResponseType, CoreTokenResponse, CoreUserInfoClaims,
    },
};

use crate::{
    browser::Browser,
    flow::{PASSWORD, REDIRECT},
    oauth2_crate::send,
    process::{Folder, Program},
};

const BYE: &str = "http://127.0.0.1:9/bye";
const OPEN: &str = "registration=open-to-anybody-so-that-strangers-add-clients";

/// A client of the crate, with the endpoints that the metadata may have.
type Discovered = CoreClient<
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointMaybeSet,
    EndpointMaybeSet,
>;

struct Stage {
    program: Program,
    metadata: ProviderMetadataWithLogout,
    _folder: Folder,
}

impl Stage {
    async fn new() -> Self {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &["--set", "openid=true", "--set", OPEN]);
        program.add_user("Ada", PASSWORD);
        let issuer = IssuerUrl::new(program.issuer.clone()).unwrap();
        let metadata = ProviderMetadataWithLogout::discover_async(issuer, &send).await.unwrap();
        Self { program, metadata, _folder: folder }
    }

    /// A client with this identifier and secret.
    fn client(&self, id: ClientId, secret: Option<ClientSecret>) -> Discovered {
        CoreClient::from_provider_metadata(self.metadata.clone(), id, secret)
            .set_redirect_uri(RedirectUrl::new(REDIRECT.to_owned()).unwrap())
    }

    /// A client that a command has registered.
    fn registered(&self, arguments: &[&str]) -> Discovered {
        let add = ["client", "add", "Rust app", "--redirect-uri", REDIRECT];
        let scopes = ["--scope", "openid", "--scope", "profile"];
        let addresses = ["--post-logout-redirect-uri", BYE];
        let added = self.program.json(&[&add[..], &scopes, &addresses, arguments].concat());
        let text = |name: &str| added[name].as_str().map(str::to_owned);
        let secret = text("client_secret").map(ClientSecret::new);
        self.client(ClientId::new(text("client_id").unwrap()), secret)
    }
}

/// A login, up to the code.
struct Asked {
    code: AuthorizationCode,
    verifier: PkceCodeVerifier,
    nonce: Nonce,
}

async fn ask(client: &Discovered, browser: &Browser) -> Asked {
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let flow = AuthenticationFlow::<CoreResponseType>::AuthorizationCode;
    let request = client
        .authorize_url(flow, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("profile".to_owned()))
        .set_max_age(Duration::from_secs(600))
        .set_pkce_challenge(challenge);
    let (url, state, nonce) = request.url();
    let page = browser.get(url.as_str()).await;
    let page = browser.sign_in(&page, "ada", PASSWORD).await;
    let page = browser.submit(&page.form("ticket").with("decision", "allow")).await;
    assert_eq!(page.parameter("state").as_deref(), Some(&**state.secret()));
    let code = page.parameter("code").unwrap_or_else(|| panic!("{} {}", page.url, page.html));
    Asked { code: AuthorizationCode::new(code), verifier, nonce }
}

/// The tokens of a login, whose ID token is verified.
async fn log_in(client: &Discovered, browser: &Browser) -> (CoreTokenResponse, Nonce) {
    let Asked { code, verifier, nonce } = ask(client, browser).await;
    let request = client.exchange_code(code).unwrap().set_pkce_verifier(verifier);
    let tokens = request.request_async(&send).await.unwrap();
    let id_token = tokens.id_token().unwrap();
    let rules = client.id_token_verifier();
    let claims = id_token.claims(&rules, &nonce).unwrap();
    assert!(claims.auth_time().is_some());
    let hash = claims.access_token_hash().expect("at_hash");
    assert_eq!(*hash, hash_of(&tokens, &rules));
    (tokens, nonce)
}

/// The hash that the ID token of a response must have of its access token.
fn hash_of(tokens: &CoreTokenResponse, rules: &CoreIdTokenVerifier<'_>) -> AccessTokenHash {
    let id_token = tokens.id_token().unwrap();
    let (algorithm, key) = (id_token.signing_alg().unwrap(), id_token.signing_key(rules).unwrap());
    AccessTokenHash::from_token(tokens.access_token(), algorithm, key).unwrap()
}

#[tokio::test]
async fn a_program_knows_who_its_user_is_and_asks_again_when_it_refreshes() {
    let stage = Stage::new().await;
    for more in [&[][..], &["--public"]] {
        let client = stage.registered(more);
        let (tokens, nonce) = log_in(&client, &Browser::new()).await;
        let rules = client.id_token_verifier();
        let claims = tokens.id_token().unwrap().claims(&rules, &nonce).unwrap().clone();
        let other = tokens.id_token().unwrap().claims(&rules, &Nonce::new_random());
        assert!(matches!(other, Err(ClaimsVerificationError::InvalidNonce(_))), "{other:?}");

        // The crate compares the subject.
        let subject = Some(claims.subject().clone());
        let request = client.user_info(tokens.access_token().clone(), subject).unwrap();
        let user: CoreUserInfoClaims = request.request_async(&send).await.unwrap();
        assert_eq!(user.preferred_username().map(|name| name.as_str()), Some("Ada"));

        let refresh = tokens.refresh_token().unwrap();
        let request = client.exchange_refresh_token(refresh).unwrap();
        let renewed = request.request_async(&send).await.unwrap();
        let now = renewed.id_token().unwrap();
        let now = now.claims(&rules, |nonce: Option<&Nonce>| match nonce {
            None => Ok(()),
            Some(_) => Err("a refresh has no nonce".to_owned()),
        });
        let now = now.unwrap();
        assert_eq!(now.subject(), claims.subject());
        assert_eq!(now.auth_time(), claims.auth_time());
        assert_eq!(now.access_token_hash(), Some(&hash_of(&renewed, &rules)));
        assert_ne!(renewed.access_token().secret(), tokens.access_token().secret());
    }
}

#[tokio::test]
async fn a_program_signs_its_user_out() {
    let stage = Stage::new().await;
    let client = stage.registered(&[]);
    let browser = Browser::new();
    let (tokens, _) = log_in(&client, &browser).await;
    let end = stage.metadata.additional_metadata().end_session_endpoint.clone().unwrap();
    let url = LogoutRequest::from(end)
        .set_id_token_hint(tokens.id_token().unwrap())
        .set_post_logout_redirect_uri(PostLogoutRedirectUrl::new(BYE.to_owned()).unwrap())
        .set_state(CsrfToken::new("there".to_owned()))
        .http_get_url();
    let page = browser.get(url.as_str()).await;
    assert_eq!(page.url.as_str(), format!("{BYE}?state=there"), "{}", page.html);
    let home = browser.get(&stage.program.url("/")).await;
    assert!(home.url.path().ends_with("/sign-in"), "{}", home.url);
}

#[tokio::test]
async fn a_program_registers_itself_and_logs_its_user_in() {
    let stage = Stage::new().await;
    let callbacks = vec![RedirectUrl::new(REDIRECT.to_owned()).unwrap()];
    let name = ClientName::new("Rust app".to_owned());
    let grants = vec![CoreGrantType::AuthorizationCode, CoreGrantType::RefreshToken];
    let request = CoreClientRegistrationRequest::new(callbacks, Default::default())
        .set_application_type(Some(CoreApplicationType::Native))
        .set_client_name(Some([(None, name)].into_iter().collect()))
        .set_grant_types(Some(grants));
    let endpoint = stage.metadata.registration_endpoint().unwrap();
    let registered = request.register_async(endpoint, &send).await.unwrap();
    let secret = registered.client_secret().cloned();
    assert!(secret.is_some() && registered.registration_access_token().is_some());
    let client = stage.client(registered.client_id().clone(), secret);
    let (tokens, _) = log_in(&client, &Browser::new()).await;
    assert!(tokens.refresh_token().is_some());
}
