//! Software statements (RFC 7591, section 2.3).

use super::*;

#[tokio::test]
async fn a_software_statement_wins_over_the_request() {
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let keys = KeySet::from_iter([key.verifying_key().clone()]);
    let directory = TrustedIssuer::new("https://directory.example", keys).unwrap();
    let world = world(open().software_statements(directory)).await;
    let statement = |change: &dyn Fn(&mut Claims), key: &SigningKey| {
        let mut claims = Claims::default();
        claims.iss = Some("https://directory.example".to_owned());
        claims.extra.insert("software_id".to_owned(), "4NRB1".into());
        claims.extra.insert("client_name".to_owned(), "Printer by Ada".into());
        claims.extra.insert("client_id".to_owned(), "canary".into());
        change(&mut claims);
        key.sign_claims(&Protected::plain(), &claims).unwrap()
    };
    let good = statement(&|_| {}, &key);
    let asked = public(&json!({"client_name": "Bank", "software_statement": good}));
    let answer = register(&world, &asked).await;
    assert_eq!(answer.json()["client_name"], "Printer by Ada");
    assert_eq!(answer.json()["software_id"], "4NRB1");
    assert_eq!(answer.json()["software_statement"], good.as_str(), "unmodified");
    assert_ne!(answer.json()["client_id"], "canary");

    let now = world.clock.now();
    let other = SigningKey::generate(Algorithm::Es256).unwrap();
    let canary = |claims: &mut Claims| claims.iss = Some("https://canary.example".to_owned());
    for (statement, error) in [
        (statement(&canary, &key), "unapproved_software_statement"),
        (statement(&|claims| claims.iss = None, &key), "unapproved_software_statement"),
        (statement(&|_| {}, &other), "invalid_software_statement"),
        (statement(&|claims| claims.exp = Some(now - HOUR), &key), "invalid_software_statement"),
        (
            statement(&|claims| claims.aud = vec!["https://canary.example".to_owned()], &key),
            "invalid_software_statement",
        ),
        (
            statement(
                &|claims| {
                    claims.extra.insert("redirect_uris".to_owned(), "canary".into());
                },
                &key,
            ),
            "invalid_software_statement",
        ),
        // The assertion of a user describes no client.
        (
            statement(
                &|claims| {
                    claims.sub = Some("ada".to_owned());
                    claims.extra = serde_json::Map::from_iter([("scope".into(), "read".into())]);
                },
                &key,
            ),
            "invalid_software_statement",
        ),
        ("eyJhbGciOiJub25lIn0.e30.".to_owned(), "invalid_software_statement"),
        (format!("{good}x"), "invalid_software_statement"),
    ] {
        let asked = public(&json!({"software_statement": statement}));
        assert_refused(&register(&world, &asked).await, 400, error);
    }
    let hostile = statement(
        &|claims| {
            claims.extra.insert("redirect_uris".to_owned(), json!(["javascript:alert(1)"]));
        },
        &key,
    );
    let asked = public(&json!({"software_statement": hostile}));
    assert_refused(&register(&world, &asked).await, 400, "invalid_redirect_uri");
}

/// The keys of a directory on the web, if it answers.
#[derive(Clone, Default)]
struct Web(Arc<Mutex<Option<KeySet>>>);

impl Fetcher for Web {
    async fn fetch(&self, url: &Url) -> Result<Fetched, FetchError> {
        assert_eq!(url.as_str(), "https://directory.example/jwks");
        let keys = self.0.lock().unwrap();
        keys.as_ref().map(|keys| Fetched::new(keys.to_json())).ok_or(FetchError::Unreachable)
    }
}

#[tokio::test]
async fn keys_of_software_statements_are_fetched_and_rotate() {
    let web = Web::default();
    let (iss, jwks_uri) = ("https://directory.example", "https://directory.example/jwks");
    let directory = TrustedIssuer::with_keys_fetched_by(iss, jwks_uri, web.clone()).unwrap();
    let world = world(open().software_statements(directory)).await;
    let key = |kid: &str| SigningKey::generate(Algorithm::Es256).unwrap().with_kid(kid);
    let register_by = async |key: &SigningKey| {
        let mut claims = Claims::default();
        claims.iss = Some(iss.to_owned());
        claims.extra.insert("software_id".to_owned(), "4NRB1".into());
        let statement = key.sign_claims(&Protected::plain(), &claims).unwrap();
        register(&world, &public(&json!({"software_statement": statement}))).await
    };
    let (old, new) = (key("old"), key("new"));
    let unknown = register_by(&old).await;
    assert_refused(&unknown, 503, "temporarily_unavailable");
    for current in [&old, &new] {
        *web.0.lock().unwrap() = Some(KeySet::from_iter([current.verifying_key().clone()]));
        world.clock.advance(Duration::from_secs(60));
        information(&register_by(current).await);
    }
    assert_refused(&register_by(&old).await, 400, "invalid_software_statement");
}

#[tokio::test]
async fn a_statement_can_be_required_and_one_of_nobody_trusted_is_refused() {
    let world = world(open().require_software_statement()).await;
    let without = register(&world, &public(&json!({}))).await;
    assert_refused(&without, 400, "invalid_client_metadata");
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let statement = key.sign_claims(&Protected::plain(), &Claims::default()).unwrap();
    let asked = public(&json!({"software_statement": statement}));
    assert_refused(&register(&world, &asked).await, 400, "unapproved_software_statement");
}
