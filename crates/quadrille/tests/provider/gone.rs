//! Users who are gone: no grant issues a token for them, least of all one that APIs verify by
//! themselves.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Authentication, Policy, Timestamp,
    form::FormWriter,
    jose::{Algorithm, KeySet, Protected, SigningKey, SigningKeys},
    oauth2::{AuthorizationRequest, ResponseType},
    provider::{
        AccessTokenFormat, Asserted, AuthorizationServer, Exchanged, Exchanging, GrantRequest,
        GrantType, Granted, MintError, NewClient, NewToken, PasswordAttempt, TrustedIssuer,
        store::{MemoryStore, Parts, SqliteStore, Store, StoreError, UserTable},
    },
    testing::ManualClock,
};
use serde_json::json;

use crate::support::{Answer, Browser, CALLBACK, ISSUER, World};

const KIOSK: &str = "urn:example:kiosk";
const PARTNER: &str = "https://partner.example";
const BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";

/// The application's users: `ada`, until she is disabled.
#[derive(Clone, Default)]
struct People {
    is_disabled: Arc<AtomicBool>,
}

impl UserTable for People {
    async fn since(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        let is_there = subject == "ada" && !self.is_disabled.load(Ordering::SeqCst);
        Ok(is_there.then(Timestamp::default))
    }
}

struct Gone {
    world: World,
    partner: SigningKey,
}

fn with_grants(
    server: AuthorizationServer,
    partner: &SigningKey,
    now: Timestamp,
) -> AuthorizationServer {
    let since = now - Duration::from_secs(7200);
    let keys = SigningKeys::new(SigningKey::generate(Algorithm::EdDsa).unwrap(), since).unwrap();
    let trusted = KeySet::from_iter([partner.verifying_key().clone()]);
    server
        .signing_keys(keys)
        .access_token_format(AccessTokenFormat::Jwt)
        .send_access_tokens_in_redirects_so_that_they_can_leak()
        .grant(KIOSK, async |_: GrantRequest| Ok(Granted::to_user("ada")))
        .unwrap()
        .trusted_issuer(TrustedIssuer::new(PARTNER, trusted).unwrap())
        .jwt_bearer(async |_: Asserted| Ok(Granted::to_user("ada")))
        .token_exchange(async |_: Exchanging| Ok(Exchanged::delegation().for_user("ada")))
        .let_clients_see_passwords_of_users(move |_: PasswordAttempt| async move {
            Ok(Some(Authentication::new("ada", now)))
        })
}

fn for_grants() -> NewClient {
    NewClient::confidential("Printer").redirect_uri(CALLBACK).grant_types([
        KIOSK.parse().unwrap(),
        GrantType::JwtBearer,
        GrantType::TokenExchange,
        GrantType::Password,
        GrantType::Implicit,
    ])
}

impl Gone {
    async fn on(store: impl Store, clock: ManualClock) -> Self {
        let partner = SigningKey::generate(Algorithm::Es256).unwrap();
        let now = clock.env().now();
        let on = |server| with_grants(server, &partner, now);
        let world = World::build(store, clock, Policy::safe(), for_grants(), on).await;
        Self { world, partner }
    }

    fn jwt(&self, jti: &str) -> String {
        let expires = self.world.env.now().seconds() + 300;
        let claims =
            json!({"iss": PARTNER, "sub": "17", "aud": ISSUER, "exp": expires, "jti": jti});
        self.partner.sign(&Protected::default(), claims.to_string().as_bytes()).unwrap()
    }

    async fn token(&self, fields: &[(&str, &str)]) -> Answer {
        let mut form = FormWriter::new();
        let auth = [("client_id", &*self.world.client.id), ("client_secret", &self.world.secret)];
        for (name, value) in fields.iter().chain(&auth) {
            form.append(name, value);
        }
        let form_type = "application/x-www-form-urlencoded";
        self.world.request("POST", "/oauth/token", form_type, &form.finish()).await
    }

    /// What each grant without a code answers.
    async fn answers(&self, jti: &str) -> Vec<(&'static str, Answer)> {
        let jwt = self.jwt(jti);
        let subject = [("subject_token", &*jwt), ("subject_token_type", JWT)];
        let mut asked = AuthorizationRequest::new(&*self.world.client.id);
        asked.response_type = ResponseType::Token;
        asked.redirect_uri = Some(CALLBACK.into());
        self.world.sign_in("ada");
        let mut browser = Browser::default();
        let page = self.world.ask(&mut browser, &asked).await;
        let implicit = match page.status() {
            200 => browser.answer(&self.world, &page, "decision=all").await,
            _ => page,
        };
        vec![
            ("kiosk", self.token(&[("grant_type", KIOSK)]).await),
            ("bearer", self.token(&[("grant_type", BEARER), ("assertion", &jwt)]).await),
            ("exchange", self.token(&[&[("grant_type", EXCHANGE)][..], &subject].concat()).await),
            ("password", {
                let user = [("grant_type", "password"), ("username", "a"), ("password", "b")];
                self.token(&user).await
            }),
            ("implicit", implicit),
        ]
    }

    async fn all_are_served(&self, jti: &str) {
        for (grant, answer) in self.answers(jti).await {
            match grant {
                "implicit" => assert!(answer.fragment("access_token").is_some()),
                _ => assert_eq!(answer.status(), 200, "{grant}: {}", answer.text()),
            }
        }
        let personal = || NewToken::personal("ada", "backup");
        self.world.server.mint(personal()).await.unwrap();
    }

    async fn none_is_served(&self) {
        for (grant, answer) in self.answers("after").await {
            match grant {
                "implicit" => {
                    let error = answer.fragment("error");
                    assert_eq!(error.as_deref(), Some("access_denied"), "{}", answer.text());
                    assert_eq!(answer.fragment("access_token"), None);
                }
                _ => assert_eq!(
                    (answer.status(), &*answer.error()),
                    (400, "invalid_grant"),
                    "{grant}"
                ),
            }
        }
        let minted = self.world.server.mint(NewToken::personal("ada", "backup")).await;
        assert!(matches!(minted, Err(MintError::Gone)), "{minted:?}");
    }
}

#[tokio::test]
async fn a_user_who_was_removed_gets_no_token_by_any_grant() {
    let clock = ManualClock::new();
    let gone = Gone::on(MemoryStore::new(clock.env()), clock).await;
    gone.all_are_served("before").await;
    gone.world.server.remove_subject("ada").await.unwrap();
    gone.none_is_served().await;
}

#[tokio::test]
async fn a_user_who_was_removed_from_a_database_gets_no_token_by_any_grant() {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let store = SqliteStore::open(folder.path().join("id.db"), clock.env()).unwrap();
    let gone = Gone::on(store, clock).await;
    gone.all_are_served("before").await;
    gone.world.server.remove_subject("ada").await.unwrap();
    gone.none_is_served().await;
}

#[tokio::test]
async fn a_user_who_is_disabled_in_the_applications_table_gets_no_token_by_any_grant() {
    let (clock, people) = (ManualClock::new(), People::default());
    let store = Arc::new(MemoryStore::new(clock.env()));
    let gone = Gone::on(Parts::of(store).user_table(people.clone()), clock).await;
    gone.all_are_served("before").await;
    people.is_disabled.store(true, Ordering::SeqCst);
    gone.none_is_served().await;
}

#[tokio::test]
async fn a_user_who_withdrew_all_and_comes_back_gets_tokens_also_after_the_clock_was_set_back() {
    let clock = ManualClock::new();
    let gone = Gone::on(MemoryStore::new(clock.env()), clock.clone()).await;
    gone.all_are_served("before").await;
    gone.world.server.revoke_subject("ada").await.unwrap();
    gone.all_are_served("at once").await;
    gone.world.server.revoke_subject("ada").await.unwrap();
    clock.set(clock.now() - Duration::from_secs(3600));
    gone.all_are_served("an hour before").await;
}
