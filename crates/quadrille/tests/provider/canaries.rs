//! No secret gets into the log, or onto a page.

use std::{
    sync::{Arc, Mutex},
    thread::ThreadId,
};

use quadrille::{
    oauth1::SignatureMethod,
    oauth2::{ClientAuth, Resources},
};
use tracing::{Event, Metadata, Subscriber, field::Field, span};

use crate::{
    oauth1_support::{self, Signing, authorize, credentials},
    support::Browser,
};

/// Keeps everything that is logged on this thread, at every level. It is set for the whole process:
/// tracing remembers for each place in the code whether anybody listens, and another test may come
/// by there first.
#[derive(Clone)]
struct Log(Arc<Mutex<String>>, ThreadId);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        if std::thread::current().id() == self.1 {
            attributes.record(&mut Write(&self.0));
        }
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        if std::thread::current().id() == self.1 {
            values.record(&mut Write(&self.0));
        }
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        if std::thread::current().id() == self.1 {
            event.record(&mut Write(&self.0));
            self.0.lock().unwrap().push('\n');
        }
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

struct Write<'a>(&'a Mutex<String>);

impl tracing::field::Visit for Write<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        *self.0.lock().unwrap() += &format!(" {field}={value:?}");
    }
}

#[tokio::test]
async fn secrets_codes_tokens_verifiers_and_tickets_are_in_no_log_and_on_no_page() {
    let log = Log(Arc::default(), std::thread::current().id());
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let world = oauth1_support::world().await;
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    let ticket = page.ticket().to_owned();
    let back = browser.answer(&world, &page, "decision=all").await;
    let code = back.query("code");
    let stranger =
        ClientAuth::Basic { client_id: "stranger".into(), client_secret: "canary-guess".into() };
    let mut pages = String::new();
    for auth in [&stranger, &world.auth()] {
        let verifier = world.verifier();
        let asked = quadrille::oauth2::TokenRequest::AuthorizationCode {
            code: &code,
            redirect_uri: Some("https://elsewhere.example"),
            code_verifier: Some(verifier.expose()),
            resource: Resources::EMPTY,
        };
        pages += world.token(auth, &asked).await.text();
    }
    let first = world.redeem(&code).await.tokens();
    let second = world.refresh(first.refresh.as_deref().unwrap()).await.tokens();
    world.photos(&first.access).await;
    world.photos("canary-token").await;
    pages += browser.answer(&world, &page, "decision=deny").await.text();
    pages += Browser::default().answer(&world, &page, "decision=deny").await.text();
    pages += browser.get(&world, "/oauth/authorize?client_id=unlisted-client").await.text();
    world.clock.advance(std::time::Duration::from_secs(60));
    pages += world.refresh(first.refresh.as_deref().unwrap()).await.text();
    pages += world.redeem(&code).await.text();

    let signing = Signing::new(&world);
    let (temporary, oauth_verifier) = signing.approved(&world, "ada").await;
    let guess = Signing::by(&world, SignatureMethod::HmacSha256, "canary-guess");
    pages += guess.token(&world, &temporary, &oauth_verifier).await.text();
    pages += signing.token(&world, &temporary, "canary-verifier").await.text();
    let token = credentials(&signing.token(&world, &temporary, &oauth_verifier).await);
    pages += signing.with(&token).photos(&world).await.text();
    pages += guess.with(&token).photos(&world).await.text();
    pages += signing.token(&world, &temporary, &oauth_verifier).await.text();
    pages += signing.with(&token).photos(&world).await.text();
    pages += authorize(&world, &mut browser, &temporary.token).await.text();
    pages += authorize(&world, &mut browser, "canary-token").await.text();

    let log = log.0.lock().unwrap().clone();
    assert!(log.contains("a grant was revoked: its verifier was used twice"), "{log}");
    assert!(log.contains("used before"), "what happened is logged: {log}");
    assert!(log.contains("answered before"), "{log}");
    assert!(log.contains("there is no such client"), "{log}");
    let cookie = browser.jar.values().next().unwrap().clone();
    for (what, secret) in [
        ("client secret", world.secret.as_str()),
        ("guess", "canary"),
        ("ticket", &ticket),
        ("cookie", &cookie),
        ("code", &code),
        ("verifier", world.verifier().expose()),
        ("access token", &first.access),
        ("access token", &second.access),
        ("refresh token", first.refresh.as_ref().unwrap()),
        ("refresh token", second.refresh.as_ref().unwrap()),
        ("state", "xyz"),
        ("shared-secret of a client", oauth1_support::SECRET),
        ("shared-secret of temporary credentials", temporary.secret.expose()),
        ("shared-secret of token credentials", token.secret.expose()),
        ("oauth_verifier", &oauth_verifier),
        ("temporary credentials", &temporary.token),
        ("token credentials", &token.token),
    ] {
        assert!(!log.contains(secret), "a {what} is in the log: {log}");
        assert!(!pages.contains(secret), "a {what} is on a page: {pages}");
    }
}
