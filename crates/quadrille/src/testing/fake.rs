//! A fake service of either protocol.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::Value;

use crate::{
    Env,
    consumer::{
        Protocol, Spec,
        presets::manners::{Emulated, Manners, Row},
    },
    oauth1::RsaVerifyingKey,
    oauth2::ErrorCode,
    transport::{Body, HttpClient, NetworkError, Purpose},
};

use super::{
    accounts::Accounts,
    device::Decision,
    fault::Fault,
    oauth1_service::OAuth1,
    openid::OpenId,
    openid_fault::OpenIdFault,
    scene::{Asks, Scene},
    script::{Asked, Script, Scripted, whole},
    service::OAuth2,
};

/// A service to log in with that is no real one: an authorization server and an API, as strict as
/// real ones should be. It speaks OAuth 2 or OAuth 1.0a, and can have the manners of any service
/// that this crate describes ([`FakeService::of`]).
///
/// In the same process it is an HTTP client, which answers requests to any host. Pass it to
/// [`Login::http`](crate::Login::http):
///
/// ```
/// use http::HeaderMap;
/// use quadrille::{GitHub, KeyRing, Login, Owner, consumer::{Begin, Jar}, testing::FakeService};
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let service = FakeService::of::<GitHub>("our-id", "our-secret");
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .http(service.clone());
///
/// let jar = Jar::new(&HeaderMap::new());
/// let url = login.begin(&jar, &Begin::new("github").next("/album")).await?;
/// let query = service.consent(&url, 7).expect("the request is right");
/// let done = login.finish(&jar, "github", &query, &Owner::NOBODY).await?;
/// assert_eq!(done.next, "/album");
/// assert_eq!(&*done.account.subject, "7");
/// # Ok::<(), quadrille::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// [`FakeService::listen`] makes it a server, with a page on which a browser chooses an account.
/// Clones are the same service.
#[derive(Clone)]
pub struct FakeService(Arc<Mutex<Stage>>);

/// A fake service between two requests.
pub(super) struct Stage {
    pub(super) scene: Scene,
    pub(super) part: Part,
    script: Script,
}

/// The part of a fake service that depends on the protocol.
#[expect(clippy::large_enum_variant, reason = "there is one for each service")]
pub(super) enum Part {
    OAuth1(OAuth1),
    OAuth2(OAuth2),
}

impl FakeService {
    /// A service that follows the specifications of OAuth 2, with one registered application.
    pub fn new(client_id: &str, client_secret: &str) -> Self {
        let part = Part::OAuth2(OAuth2::new(None, client_id, client_secret));
        Self::play(None, part, Manners::STANDARD)
    }

    /// An OpenID Provider with this issuer and one registered application. It serves its metadata and
    /// its keys, and its ID tokens say who logged in. It has faults of its own: [`OpenIdFault`].
    pub fn openid(issuer: &str, client_id: &str, client_secret: &str) -> Self {
        let mut part = OAuth2::new(None, client_id, client_secret);
        part.openid = OpenId::new(issuer);
        Self::play(None, Part::OAuth2(part), Manners::STANDARD)
    }

    /// A service that follows RFC 5849 (OAuth 1.0a), with one registered application.
    pub fn oauth1(client_key: &str, client_secret: &str) -> Self {
        let part = Part::OAuth1(OAuth1::new(client_key, client_secret));
        Self::play(None, part, Manners::STANDARD)
    }

    /// A service with the manners of `S` and one registered application: it accepts the secret by the
    /// methods of `S`, names its issuer, refreshes and revokes tokens at its endpoints,
    /// serves the account's identity at its path, and refuses calls without its headers.
    pub fn of<S: Emulated>(client_id: &str, client_secret: &str) -> Self {
        Self::with(S::SPEC, S::MANNERS, client_id, client_secret)
    }

    /// [`FakeService::of`] for a service of the table [`SERVICES`](super::SERVICES).
    pub fn playing(row: &Row, client_id: &str, client_secret: &str) -> Self {
        Self::with(row.spec, row.manners, client_id, client_secret)
    }

    fn with(spec: Spec, manners: Manners, client_id: &str, client_secret: &str) -> Self {
        let part = match spec.protocol {
            Protocol::OAuth2(oauth2) => {
                Part::OAuth2(OAuth2::new(Some((spec, oauth2)), client_id, client_secret))
            }
            Protocol::OAuth1(_) => Part::OAuth1(OAuth1::new(client_id, client_secret)),
        };
        Self::play(Some(spec), part, manners)
    }

    fn play(spec: Option<Spec>, part: Part, manners: Manners) -> Self {
        let accounts = Accounts::default();
        let is_openid = matches!(&part, Part::OAuth2(part) if part.openid.is_some());
        let scene = Scene {
            spec,
            own_manners: manners,
            faults: Vec::new(),
            accounts,
            base: None,
            approves_as: None,
            callbacks: None,
            is_openid,
            has_nothing_else: false,
        };
        Self(Arc::new(Mutex::new(Stage { scene, part, script: Script::default() })))
    }

    /// Adds an account. `claims` replace those of the service's usual account, Ada Lovelace, as the
    /// API of the service names them: `json!({"login": "grace"})` at GitHub.
    ///
    /// Accounts have numbers, by which tests log in: the identifier in the claims if it is one, and else
    /// the first number that is free. So the accounts of three calls are 1, 2 and 3. A user of any other
    /// number is made up: the first of a service without accounts is Ada Lovelace (`ada`), and the names
    /// and addresses of all others have their number (`ada-9`).
    ///
    /// ```
    /// use quadrille::{GitHub, testing::FakeService};
    /// use serde_json::json;
    ///
    /// let github = FakeService::of::<GitHub>("our-id", "our-secret")
    ///     .user(json!({"id": 7, "login": "grace"}))
    ///     .user(json!({"login": "ada"}));
    /// ```
    #[must_use]
    pub fn user(self, claims: Value) -> Self {
        let mut stage = self.stage();
        let member = stage.scene.identity_member();
        stage.scene.accounts.add(member, claims);
        drop(stage);
        self
    }

    /// Registers a callback (redirect URI), as the settings of an application at a real service do.
    /// After the first, every other callback is refused: OAuth 2 shows a page that names it, OAuth 1
    /// refuses the temporary credentials. Without any, all callbacks are accepted.
    ///
    /// ```
    /// use quadrille::{GitHub, testing::FakeService};
    ///
    /// let github = FakeService::of::<GitHub>("our-id", "our-secret");
    /// github.registers("http://localhost:3000/login/github/authorized");
    /// let url = "https://github.com/login/oauth/authorize?response_type=code&client_id=our-id\
    ///            &redirect_uri=http%3A%2F%2F127.0.0.1%3A3000%2Flogin%2Fgithub%2Fauthorized";
    /// assert_eq!(github.consent(url, 7), None);
    /// ```
    pub fn registers(&self, callback: &str) {
        self.stage().scene.callbacks.get_or_insert_default().push(callback.to_owned());
    }

    /// Changes the manners.
    pub fn change(&self, change: impl FnOnce(&mut Manners)) {
        change(&mut self.stage().scene.own_manners);
    }

    /// Approves each authorization request that a browser brings to the
    /// [server](FakeService::listen) at once, as this user and without a page: as services do for
    /// an application that the user has approved before.
    pub fn approves_as(&self, user: u64) {
        self.stage().scene.approves_as = Some(user);
    }

    /// Turns a fault on, until the service [recovers](FakeService::recovers).
    pub fn suffers(&self, fault: Fault) {
        let mut stage = self.stage();
        stage.scene.faults.push(fault);
        match (fault, &mut stage.part) {
            (Fault::EverythingExpired, Part::OAuth2(part)) => part.ends_everything(),
            (Fault::EverythingExpired, Part::OAuth1(part)) => part.ends_everything(),
            (Fault::KeysRotated, Part::OAuth2(OAuth2 { openid: Some(openid), .. })) => {
                openid.rotates_key();
            }
            _ => {}
        }
    }

    /// Turns a fault of an OpenID Provider on, until the service [recovers](FakeService::recovers).
    ///
    /// # Panics
    /// If the service is no OpenID Provider, which has no such faults.
    pub fn misidentifies(&self, fault: OpenIdFault) {
        let is_openid = self.stage().scene.is_openid;
        assert!(is_openid, "the service is no OpenID Provider: {fault:?} changes nothing");
        self.change_openid(|openid| openid.faults.push(fault));
    }

    /// Turns all faults off. Tokens that expired stay invalid, and keys that were replaced stay so.
    pub fn recovers(&self) {
        self.stage().scene.faults.clear();
        self.change_openid(|openid| openid.faults.clear());
    }

    /// Tells an OpenID Provider the time, by which its ID tokens expire after an hour and say when the
    /// user authenticated, and its logout tokens after two minutes. A [server](FakeService::listen) has the
    /// time of the system. Else, without it, they were issued in 1970, do not expire, and do not say so: a
    /// login after a logout of the same user is then in the session that has ended.
    pub fn tells_time(&self, env: &Env) {
        self.change_openid(|openid| openid.env = Some(env.clone()));
    }

    pub(super) fn change_openid(&self, change: impl FnOnce(&mut OpenId)) {
        if let Part::OAuth2(part) = &mut self.stage().part
            && let Some(openid) = &mut part.openid
        {
            change(openid);
        }
    }

    /// Replaces the application's secret.
    pub fn changes_secret(&self, secret: &str) {
        match &mut self.stage().part {
            Part::OAuth2(part) => part.secret = secret.to_owned(),
            Part::OAuth1(part) => part.secret = secret.to_owned(),
        }
    }

    /// Verifies the application's RSA signatures with this public key (OAuth 1).
    pub fn knows_key(&self, key: RsaVerifyingKey) {
        if let Part::OAuth1(part) = &mut self.stage().part {
            part.rsa = Some(key);
        }
    }

    /// Revokes all access tokens.
    pub fn ends_access_tokens(&self) {
        match &mut self.stage().part {
            Part::OAuth2(part) => part.access.clear(),
            Part::OAuth1(part) => part.tokens.clear(),
        }
    }

    /// Revokes all refresh tokens. OAuth 1 has none.
    pub fn ends_refresh_tokens(&self) {
        if let Part::OAuth2(part) = &mut self.stage().part {
            part.refresh.clear();
        }
    }

    /// Approves the authorization request in `url` as this user. Returns the query of the callback;
    /// `None` if the request is invalid.
    pub fn consent(&self, url: &str, user: u64) -> Option<String> {
        self.stage().consent(url, user)
    }

    /// Approves an out-of-band request (OAuth 1) as this user. Returns the PIN to type into the
    /// program; `None` for any other request.
    pub fn pin(&self, url: &str, user: u64) -> Option<String> {
        self.stage().pin(url, user)
    }

    /// Approves the device login with this code as this user; `false` if there is none.
    ///
    /// ```
    /// use quadrille::testing::FakeService;
    ///
    /// let service = FakeService::new("our-id", "our-secret");
    /// assert!(!service.approve_device("WDJB-0001", 7), "no login has begun");
    /// ```
    pub fn approve_device(&self, user_code: &str, user: u64) -> bool {
        self.decide(user_code, Decision::Approved(user))
    }

    /// Refuses the device login with this code; `false` if there is none.
    pub fn deny_device(&self, user_code: &str) -> bool {
        self.decide(user_code, Decision::Denied)
    }

    /// Lets the device login with this code expire; `false` if there is none.
    pub fn expire_device(&self, user_code: &str) -> bool {
        self.decide(user_code, Decision::Expired)
    }

    fn decide(&self, user_code: &str, decision: Decision) -> bool {
        self.stage().decide_device(user_code, decision)
    }

    /// Refuses the authorization request in `url`. Returns the query of the callback; `None` if the
    /// request is invalid.
    pub fn deny(&self, url: &str) -> Option<String> {
        self.stage().deny(url)
    }

    /// Fails the authorization request in `url` with this error before the user decides; in OAuth 1
    /// it is an `oauth_problem`. Returns the query of the callback; `None` if the request is
    /// invalid.
    pub fn refuse(&self, url: &str, error: ErrorCode) -> Option<String> {
        let Stage { scene, part, .. } = &mut *self.stage();
        match part {
            Part::OAuth2(part) => part.refuse(scene, url, error),
            Part::OAuth1(part) => part.refuse(url, error.as_str()),
        }
    }

    /// The callback of the authorization request in `url`, `oob` for an out-of-band one; `None` if
    /// the request is invalid.
    pub fn callback(&self, url: &str) -> Option<String> {
        self.stage().asks(url).map(|asks| asks.callback)
    }

    /// Answers the next request for this purpose with this status and body.
    pub fn answers_next(&self, purpose: Purpose, status: StatusCode, body: impl Into<Bytes>) {
        let mut answer = Response::new(body.into());
        *answer.status_mut() = status;
        self.answers_next_with(purpose, answer);
    }

    /// Answers the next request for this purpose with this response.
    pub fn answers_next_with(&self, purpose: Purpose, answer: Response<Bytes>) {
        self.stage().script.push(purpose, Scripted::Answer(answer));
    }

    /// Fails the next request for this purpose.
    pub fn fails_next(&self, purpose: Purpose, error: NetworkError) {
        self.stage().script.push(purpose, Scripted::Error(error));
    }

    /// Never answers the next request for this purpose.
    pub fn ignores_next(&self, purpose: Purpose) {
        self.stage().script.push(purpose, Scripted::Silence);
    }

    /// Stops recording requests: for very many of them.
    pub fn forgets_what_it_is_asked(&self) {
        self.stage().script.forgetful = true;
    }

    /// All requests so far, in order.
    pub fn asked(&self) -> Vec<Asked> {
        self.stage().script.asked.clone()
    }

    /// The number of requests for this purpose.
    pub fn times_asked(&self, purpose: Purpose) -> usize {
        self.stage().script.times_asked(purpose)
    }

    /// Answers a request, as [`HttpClient`] does: for a fake service behind an HTTP server of the
    /// test's own.
    ///
    /// # Errors
    /// The fault in the script for this request.
    pub async fn respond(
        &self,
        request: Request<Bytes>,
        purpose: Purpose,
    ) -> Result<Response<Bytes>, NetworkError> {
        let scripted = self.stage().next(request, purpose);
        scripted.play().await
    }

    pub(super) fn stage(&self) -> MutexGuard<'_, Stage> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stage {
    /// The authorization request in `url`; `None` if it is invalid.
    pub(super) fn asks(&self, url: &str) -> Option<Asks> {
        match &self.part {
            Part::OAuth2(part) => part.asks(&self.scene, url).ok(),
            Part::OAuth1(part) => part.asks(url),
        }
    }

    /// The answer to a request, by the script, a fault, or the protocol.
    fn next(&mut self, request: Request<Bytes>, purpose: Purpose) -> Scripted {
        if let Some(scripted) = self.script.take(&request, purpose) {
            return scripted;
        }
        let scene = &self.scene;
        if scene.has(Fault::Slow) {
            return Scripted::Silence;
        }
        let mut answer = match &mut self.part {
            _ if scene.has(Fault::ServerError) => server_error(),
            Part::OAuth2(part) => part.answer(scene, &request),
            Part::OAuth1(part) => part.answer(scene, request, purpose),
        };
        if scene.has(Fault::WrongContentType) {
            answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
        }
        Scripted::Answer(answer)
    }

    /// Whether the next request for this purpose has a scripted answer.
    #[cfg(feature = "axum")]
    pub(super) fn is_scripted(&self, purpose: Purpose) -> bool {
        self.script.has(purpose)
    }

    /// Decides about the device login with this code; `false` if there is none.
    pub(super) fn decide_device(&mut self, user_code: &str, decision: Decision) -> bool {
        let decision = match decision {
            Decision::Approved(_) if self.scene.has(Fault::Denied) => Decision::Denied,
            decision => decision,
        };
        match &mut self.part {
            Part::OAuth2(part) => part.devices.decide(user_code, decision),
            Part::OAuth1(_) => false,
        }
    }

    /// As [`FakeService::consent`].
    pub(super) fn consent(&mut self, url: &str, user: u64) -> Option<String> {
        let is_registered =
            self.asks(url).is_some_and(|asks| self.scene.is_registered(&asks.callback));
        if !is_registered {
            return None;
        }
        if self.scene.has(Fault::Denied) {
            return self.deny(url);
        }
        match &mut self.part {
            Part::OAuth2(part) => part.consent(&self.scene, url, user),
            Part::OAuth1(part) => part.consent(url, user),
        }
    }

    /// As [`FakeService::pin`].
    pub(super) fn pin(&mut self, url: &str, user: u64) -> Option<String> {
        match &mut self.part {
            _ if self.scene.has(Fault::Denied) => None,
            Part::OAuth2(_) => None,
            Part::OAuth1(part) => part.pin(url, user),
        }
    }

    /// As [`FakeService::deny`].
    pub(super) fn deny(&mut self, url: &str) -> Option<String> {
        match &mut self.part {
            Part::OAuth2(part) => part.deny(&self.scene, url),
            Part::OAuth1(part) => part.deny(&self.scene, url),
        }
    }
}

impl HttpClient for FakeService {
    async fn send(
        &self,
        request: Request<Body>,
        purpose: Purpose,
    ) -> Result<Response<Body>, NetworkError> {
        Ok(self.respond(whole(request).await?, purpose).await?.map(Body::from))
    }
}

impl fmt::Debug for FakeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FakeService").finish_non_exhaustive()
    }
}

const HTML: &str = "text/html; charset=utf-8";

/// The response of a server that fails.
fn server_error() -> Response<Bytes> {
    let mut answer = Response::new(Bytes::from_static(b"<h1>Internal Server Error</h1>"));
    *answer.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(HTML));
    answer
}
