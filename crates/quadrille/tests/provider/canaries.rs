//! No secret gets into the log, or onto a page.

use std::{
    sync::{Arc, Mutex},
    thread::ThreadId,
};

use quadrille::{
    form::{FormWriter, Params},
    oauth1::{SignatureMethod, Signer},
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

    // Identifier and secret are swapped, or a token is in the wrong parameter.
    let swapped = |client_id: &str, client_secret: &str| {
        let (client_id, client_secret) = (client_id.to_owned(), client_secret.to_owned());
        [
            ClientAuth::Basic {
                client_id: client_id.as_str().into(),
                client_secret: client_secret.as_str().into(),
            },
            ClientAuth::Post { client_id: client_id.into(), client_secret: client_secret.into() },
        ]
    };
    let asked = quadrille::oauth2::TokenRequest::RefreshToken {
        refresh_token: first.refresh.as_deref().unwrap(),
        scope: None,
        resource: Resources::EMPTY,
    };
    for secret in [world.secret.as_str(), "canary7"] {
        for auth in swapped(secret, &world.client.id) {
            pages += world.token(&auth, &asked).await.text();
        }
        let asked = format!("/oauth/authorize?client_id={secret}&response_type=code");
        pages += browser.get(&world, &asked).await.text();
    }
    let swapped = Signer::hmac(
        SignatureMethod::HmacSha256,
        oauth1_support::SECRET,
        &(*world.client.id).into(),
    );
    let swapped = Signing { signer: swapped.unwrap() };
    pages += swapped.temporary(&world, &[]).await.text();
    pages += swapped.with(&token).photos(&world).await.text();
    for secret in [&world.secret, &first.access, second.refresh.as_ref().unwrap(), &code] {
        for name in ["scope", "resource", "response_type", "response_mode", "redirect_uri"] {
            let url = world.asking().to_url("https://id.example/oauth/authorize").unwrap();
            let (_, query) = url.split_once('?').unwrap();
            let mut url = FormWriter::after_url("/oauth/authorize");
            for (known, value) in Params::parse(query.as_bytes()).unwrap().iter() {
                url.append(known, if known == name { secret } else { value });
            }
            if !query.contains(name) {
                url.append(name, secret);
            }
            let answer = browser.get(&world, &url.finish()).await;
            assert_ne!(answer.status(), 200, "{name}");
        }
        let mut form = FormWriter::new();
        form.append("grant_type", secret);
        form.append("client_id", &world.client.id);
        pages += browser.post(&world, "/oauth/token", &form.finish()).await.text();
    }

    for query in ["state=%E9", "response_type=code&scope=%zz"] {
        pages += browser
            .get(&world, &format!("/oauth/authorize?client_id={}&{query}", world.client.id))
            .await
            .text();
    }
    let refused = Signing::by(&world, SignatureMethod::Plaintext, oauth1_support::SECRET);
    pages += refused.temporary(&world, &[]).await.text();

    let log = log.0.lock().unwrap().clone();
    for words in ["parameter=\"state\"", "parameter=\"scope\"", "HMAC-SHA256, HMAC-SHA512"] {
        assert!(log.contains(words), "{words}: {log}");
    }
    assert!(log.contains(&format!("{}... (43 characters)", &world.secret[..4])), "{log}");
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
        // The page for a late answer links to the same request, whose address the browser had.
        assert!(what == "state" || !pages.contains(secret), "a {what} is on a page: {pages}");
    }
}
