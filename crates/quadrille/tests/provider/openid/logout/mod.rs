//! Logout (OpenID Connect RP-Initiated Logout 1.0, Front-Channel Logout 1.0 and Back-Channel Logout
//! 1.0).

mod channels;
mod codes;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
    routing::get,
};
use http::Request;
use quadrille::{
    Authentication, Policy,
    form::{FormWriter, Params},
    jose::{Algorithm, Algorithms, Claims, KeySet, TokenType, Unverified, Verification},
    oidc::LogoutToken,
    provider::{
        AuthorizationServer, ClientOpenId, DynamicRegistration, EndSession, EndSessionStep,
        FetchError, Logout, NewClient, Notifier, OpenId,
    },
};
use tokio::sync::mpsc;
use url::Url;

use super::{asking, openid, verified, world, world_of};
use crate::support::{Answer, Browser, ISSUER, SignedIn, World};

const BYE: &str = "https://app.example/bye";
const BACK: &str = "https://app.example/logout/back";
const FRONT: &str = "https://app.example/logout/front?app=1";

/// A notifier that keeps what it is given, and answers as the test says.
#[derive(Clone)]
struct Recorder {
    sent: mpsc::UnboundedSender<(String, String)>,
    answers: Arc<Mutex<VecDeque<FetchError>>>,
}

impl Notifier for Recorder {
    async fn notify(&self, url: &Url, form: &str) -> Result<(), FetchError> {
        self.sent.send((url.to_string(), form.to_owned())).unwrap();
        match self.answers.lock().unwrap().pop_front() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// A provider with logout, and the application's page for it.
pub(super) struct Stage {
    pub(super) world: World,
    app: Router,
    told: mpsc::UnboundedReceiver<(String, String)>,
    answers: Arc<Mutex<VecDeque<FetchError>>>,
}

/// The application: it asks, and ends its session.
async fn end_session(State(user): State<SignedIn>, request: EndSession) -> Response {
    let signed_in = user.lock().unwrap().clone();
    match request.step(signed_in) {
        EndSessionStep::Ask(page) => {
            let mut html = format!(
                "asks={}\nto={}\nhint={}\nlocales={:?}\naction={}\n",
                page.client.as_ref().map_or("nobody", |client| &client.name),
                page.destination.as_deref().unwrap_or_default(),
                page.logout_hint.as_deref().unwrap_or_default(),
                page.ui_locales,
                page.action,
            );
            for (name, value) in page.form_fields() {
                html += &format!("field={name}={value}\n");
            }
            html.into_response()
        }
        EndSessionStep::SignOut(sign_out) => {
            *user.lock().unwrap() = None;
            sign_out.reply().await.into_response()
        }
        EndSessionStep::Done(reply) => reply.into_response(),
    }
}

fn metadata(change: impl FnOnce(&mut ClientOpenId)) -> ClientOpenId {
    let mut metadata = ClientOpenId::default();
    metadata.post_logout_redirect_uris = vec![BYE.parse().unwrap()];
    metadata.backchannel_logout_uri = Some(BACK.parse().unwrap());
    change(&mut metadata);
    metadata
}

async fn stage(change: impl FnOnce(&mut ClientOpenId)) -> Stage {
    stage_on(openid(), change).await
}

/// On a server with this offer.
pub(super) async fn stage_on(offered: OpenId, change: impl FnOnce(&mut ClientOpenId)) -> Stage {
    let (sent, told) = mpsc::unbounded_channel();
    let answers = Arc::<Mutex<VecDeque<FetchError>>>::default();
    let notifier = Recorder { sent, answers: answers.clone() };
    let metadata = metadata(change);
    let on = |server: AuthorizationServer| {
        server.openid(offered.logout(Logout::new().back_channel(notifier)))
    };
    let world = world_of(|new| new.openid(metadata), on).await;
    let pages = Router::new()
        .route("/oauth/logout", get(end_session).post(end_session))
        .with_state(world.signed_in.clone());
    let app = world.server.attach(pages);
    Stage { world, app, told, answers }
}

impl Stage {
    pub(super) fn sign_in(&self, subject: &str, session: &str) {
        let mut user = Authentication::new(subject, self.world.env.now());
        user.session = Some(session.into());
        *self.world.signed_in.lock().unwrap() = Some(user);
    }

    pub(super) fn is_signed_in(&self) -> bool {
        self.world.signed_in.lock().unwrap().is_some()
    }

    /// The ID token of the signed-in user at the client.
    pub(super) async fn id_token(&self) -> String {
        self.id_token_in(&mut Browser::default()).await
    }

    async fn id_token_in(&self, browser: &mut Browser) -> String {
        let request = asking(&self.world, "openid", &[]);
        let mut page = self.world.ask(browser, &request).await;
        if page.status() == 200 {
            page = browser.answer(&self.world, &page, "decision=all").await;
        }
        let response = self.world.redeem(&page.query("code")).await.json();
        response["id_token"].as_str().unwrap().to_owned()
    }

    async fn sid_in(&self, token: &str) -> Option<String> {
        verified(&self.world, token).await.0.sid
    }

    pub(super) async fn get(&self, parameters: &[(&str, &str)]) -> Answer {
        let mut url = FormWriter::after_url("/oauth/logout");
        for (name, value) in parameters {
            url.append(name, value);
        }
        let request = Request::get(url.finish()).body(Body::empty()).unwrap();
        Answer::of_app(self.app.clone(), request).await
    }

    async fn post(&self, parameters: &[(&str, &str)]) -> Answer {
        let mut form = FormWriter::new();
        for (name, value) in parameters {
            form.append(name, value);
        }
        let request = Request::post("/oauth/logout")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.finish()))
            .unwrap();
        Answer::of_app(self.app.clone(), request).await
    }

    /// Sends the form of the page.
    async fn confirm(&self, page: &Answer) -> Answer {
        self.post(&[("ticket", ticket(page))]).await
    }

    /// The next logout token that a client gets, verified as a client does it.
    pub(super) async fn token(&mut self) -> (String, LogoutToken) {
        let (url, form) = self.told.recv().await.unwrap();
        let params = Params::parse(form.as_bytes()).unwrap();
        let text = params.one("logout_token").unwrap().unwrap();
        assert_eq!(params.iter().count(), 1);
        let jwks = self.world.send(Request::get("/oauth/jwks").body(Body::empty()).unwrap()).await;
        let keys = KeySet::parse(jwks.text().as_bytes()).unwrap();
        let rules = Verification::new(Algorithms::PUBLIC_KEY, TokenType::Is("logout+jwt"));
        let verified = Unverified::parse(text).unwrap().verify(&rules, &keys).unwrap();
        assert_eq!(verified.header().algorithm(), Algorithm::Rs256);
        let claims = Claims::parse(verified.payload()).unwrap();
        assert!(!claims.extra.contains_key("nonce"));
        (url, LogoutToken::from_claims(claims).unwrap())
    }

    fn nobody_is_told(&mut self) {
        assert!(self.told.try_recv().is_err());
    }
}

fn ticket(page: &Answer) -> &str {
    let line = page.text().lines().find_map(|line| line.strip_prefix("field=ticket="));
    line.unwrap_or_else(|| panic!("no question: {page:?}"))
}

/// RP-Initiated Logout, sections 2 and 3; Back-Channel Logout, sections 2.4 and 2.5.
#[tokio::test]
async fn a_client_with_an_id_token_of_the_session_ends_it_and_gets_its_user_back() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    // An expired one is accepted.
    stage.world.clock.advance(Duration::from_secs(3600));
    let sent = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "x&y")];
    let answer = stage.get(&sent).await;
    assert_eq!((answer.status(), answer.location()), (303, "https://app.example/bye?state=x%26y"));
    assert!(!stage.is_signed_in());
    let (url, token) = stage.token().await;
    assert_eq!(url, BACK);
    assert_eq!(token.issuer, ISSUER);
    assert_eq!(token.audience, [&*stage.world.client.id]);
    assert_eq!(token.subject.as_deref(), Some("ada"));
    assert_eq!(token.sid, stage.sid_in(&hint).await);
    assert_eq!(token.issued, stage.world.env.now());
    assert_eq!(token.expires, Some(stage.world.env.now() + Duration::from_secs(120)));
    assert!(token.id.len() >= 16);
    stage.nobody_is_told();
}

/// RP-Initiated Logout, section 2: the user is asked.
#[tokio::test]
async fn without_an_id_token_of_this_session_the_user_is_asked_first() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("bob", "b");
    let of_bob = stage.id_token().await;
    stage.sign_in("ada", "another");
    let of_another = stage.id_token().await;
    stage.sign_in("ada", "a");
    let id = stage.world.client.id.to_string();
    for sent in [
        &[][..],
        &[("client_id", &*id), ("post_logout_redirect_uri", BYE)],
        &[("id_token_hint", &*of_bob)],
        &[("id_token_hint", &*of_another), ("post_logout_redirect_uri", BYE)],
    ] {
        let page = stage.get(sent).await;
        assert_eq!(page.status(), 200);
        assert!(!ticket(&page).is_empty() && page.text().contains("action=/oauth/logout"));
        assert!(stage.is_signed_in(), "{sent:?}");
    }
    stage.nobody_is_told();
    let hints = [("client_id", &*id), ("logout_hint", "ada"), ("ui_locales", "de en")];
    let page = stage.get(&hints).await;
    for line in ["asks=Photo printer", "hint=ada", r#"locales=["de", "en"]"#, "to="] {
        assert!(page.text().lines().any(|known| known == line), "{line}: {page:?}");
    }
    // The confirmation of the user stands for the ID token.
    let onward = [("client_id", &*id), ("post_logout_redirect_uri", BYE), ("state", "s")];
    let page = stage.get(&onward).await;
    assert!(page.text().contains("to=https://app.example\n"), "{page:?}");
    let answer = stage.confirm(&page).await;
    assert_eq!((answer.status(), answer.location()), (303, "https://app.example/bye?state=s"));
    assert!(!stage.is_signed_in());
}

#[tokio::test]
async fn the_form_of_the_page_is_for_one_session_and_for_a_while() {
    let stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let page = stage.get(&[]).await;
    for (subject, session) in [("ada", "another"), ("bob", "a")] {
        stage.sign_in(subject, session);
        let refused = stage.confirm(&page).await;
        assert_eq!((refused.status(), stage.is_signed_in()), (400, true), "{subject} {session}");
    }
    stage.sign_in("ada", "a");
    let page = stage.get(&[]).await;
    let forged = format!("{}x", ticket(&page));
    assert_eq!(stage.post(&[("ticket", &forged)]).await.status(), 400);
    stage.world.clock.advance(Policy::openid().ticket_lifetime);
    assert_eq!(stage.confirm(&page).await.status(), 400);
    assert!(stage.is_signed_in());
    // An address has no effect, so no other site can send it.
    assert!(!ticket(&stage.get(&[("ticket", ticket(&page))]).await).is_empty());
    // Nobody is signed in any more: it is as the user wanted.
    let page = stage.get(&[]).await;
    stage.world.sign_out();
    assert_eq!(stage.confirm(&page).await.status(), 200);
}

/// RP-Initiated Logout, sections 2 and 4.
#[tokio::test]
async fn an_invalid_request_ends_nothing_and_sends_nobody_anywhere() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    let id = stage.world.client.id.to_string();
    let other = NewClient::confidential("Other").redirect_uri("https://other.example/cb");
    let other = stage.world.server.register(other).await.unwrap().client.id.to_string();
    let forged = format!("{hint}x");
    for sent in [
        &[("id_token_hint", &*forged)][..],
        &[("id_token_hint", "x"), ("client_id", &id), ("post_logout_redirect_uri", BYE)],
        &[("id_token_hint", &hint), ("client_id", &other)],
        &[("client_id", "nobody")],
        &[("post_logout_redirect_uri", BYE)],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://app.example/cb")],
        &[("id_token_hint", &hint), ("post_logout_redirect_uri", "https://app.example/bye/")],
        &[("client_id", &other), ("post_logout_redirect_uri", BYE)],
        &[("id_token_hint", &hint), ("id_token_hint", &hint)],
    ] {
        let refused = stage.get(sent).await;
        assert_eq!((refused.status(), refused.headers().contains_key("location")), (400, false));
        assert!(stage.is_signed_in() && refused.text().contains("not signed out"), "{refused:?}");
    }
    stage.nobody_is_told();
}

/// RP-Initiated Logout, section 2: POST, whose cookies browsers leave out.
#[tokio::test]
async fn a_post_of_a_client_becomes_the_same_request_by_get() {
    let stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    let sent = [("id_token_hint", &*hint), ("post_logout_redirect_uri", BYE), ("state", "a b")];
    let answer = stage.post(&sent).await;
    assert_eq!(answer.status(), 303);
    assert!(stage.is_signed_in());
    let location = answer.location().to_owned();
    let signature = hint.rsplit('.').next().unwrap();
    assert!(!location.contains("id_token_hint") && !location.contains(signature), "{location}");
    let get = |location: &str| {
        let request = Request::get(location).body(Body::empty()).unwrap();
        Answer::of_app(stage.app.clone(), request)
    };
    assert_eq!(get(&format!("{location}x")).await.status(), 400);
    assert!(stage.is_signed_in());
    let answer = get(&location).await;
    assert_eq!(answer.location(), "https://app.example/bye?state=a+b");
    assert!(!stage.is_signed_in());
    // Later the address is of no use.
    stage.sign_in("ada", "a");
    stage.world.clock.advance(Duration::from_secs(60));
    assert_eq!(get(&location).await.status(), 400);
    assert!(stage.is_signed_in());
    // The ticket of a page is none of these, and an empty one is none.
    let page = stage.get(&[]).await;
    assert_eq!(stage.get(&[("posted", ticket(&page))]).await.status(), 400);
    let empty = stage.post(&[("ticket", ""), ("id_token_hint", &hint)]).await;
    assert!(!empty.location().contains("id_token_hint"), "{empty:?}");
}

/// RP-Initiated Logout, section 3: a session that has ended already.
#[tokio::test]
async fn a_user_who_is_signed_out_is_sent_on_with_an_id_token_and_gets_a_link_without_one() {
    let mut stage = stage(|_| {}).await;
    stage.sign_in("ada", "a");
    let hint = stage.id_token().await;
    stage.world.sign_out();
    let answer = stage.get(&[("id_token_hint", &hint), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!((answer.status(), answer.location()), (303, BYE));
    let id = stage.world.client.id.to_string();
    let page = stage.get(&[("client_id", &id), ("post_logout_redirect_uri", BYE)]).await;
    assert_eq!(page.status(), 200);
    assert!(!page.headers().contains_key("refresh"));
    assert!(page.text().contains(&format!("href=\"{BYE}\"")), "{page:?}");
    let page = stage.get(&[]).await;
    assert!(page.text().contains("You are signed out"), "{page:?}");
    stage.nobody_is_told();
}

/// RFC 9700, section 4.11.2: the addresses of strangers are no open redirector.
#[tokio::test]
async fn a_client_of_a_stranger_gets_browsers_only_from_a_session_that_ends() {
    let (sent, _told) = mpsc::unbounded_channel();
    let notifier = Recorder { sent, answers: Arc::default() };
    let registration = DynamicRegistration::open_to_anybody_so_that_strangers_add_clients();
    let on = |server: AuthorizationServer| {
        server
            .openid(openid().logout(Logout::new().back_channel(notifier)))
            .dynamic_registration(registration)
    };
    let world = world_of(|new| new, on).await;
    let body = r#"{"redirect_uris":["https://stranger.example/cb"],"scope":"openid",
        "post_logout_redirect_uris":["https://stranger.example/bye"]}"#;
    let registered = world.request("POST", "/oauth/register", "application/json", body).await;
    assert_eq!(registered.status(), 201, "{registered:?}");
    let json = registered.json();
    let id = json["client_id"].as_str().unwrap();
    let pages = Router::new().route("/oauth/logout", get(end_session));
    let app = world.server.attach(pages.with_state(world.signed_in.clone()));
    let url = format!(
        "/oauth/logout?client_id={id}&post_logout_redirect_uri=https://stranger.example/bye"
    );
    let answer = Answer::of_app(app, Request::get(url).body(Body::empty()).unwrap()).await;
    assert_eq!((answer.status(), answer.headers().contains_key("location")), (200, false));
}

/// RP-Initiated Logout, section 2.1; Front-Channel Logout, section 3; Back-Channel Logout, section
/// 2.1.
#[tokio::test]
async fn the_document_names_logout_where_it_is_on() {
    let path = "/.well-known/openid-configuration";
    let document = |world: &World| {
        let request = Request::get(path).body(Body::empty()).unwrap();
        Answer::of_app(world.app.clone(), request)
    };
    let stage = stage(|_| {}).await;
    let on = document(&stage.world).await.json();
    assert_eq!(on["end_session_endpoint"], "https://id.example/oauth/logout");
    let flags = [
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
    ];
    for name in flags {
        assert_eq!(on[name], true, "{name}");
    }
    let off = document(&world().await).await.json();
    assert!(off.get("end_session_endpoint").is_none());
    assert!(flags.iter().all(|name| off.get(*name).is_none()));
    let front = world_of(|new| new, |it| it.openid(openid().logout(Logout::new()))).await;
    let front = document(&front).await.json();
    assert!(front.get("backchannel_logout_supported").is_none());
    // Without the application's page, the log and the page say what to add.
    let missing = Request::get("/oauth/logout").body(Body::empty()).unwrap();
    assert_eq!(Answer::of_app(stage.world.app.clone(), missing).await.status(), 500);
}
