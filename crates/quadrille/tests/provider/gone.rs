//! Users who are gone: no grant issues a token for them, least of all one that APIs verify by
//! themselves.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Authentication, Env, Policy, Scopes, Timestamp,
    form::FormWriter,
    jose::{Algorithm, KeySet, Protected, SigningKey, SigningKeys},
    oauth2::{AuthorizationRequest, ResponseType},
    provider::{
        AccessTokenFormat, Asserted, AuthorizationServer, Exchanged, Exchanging, GrantRequest,
        GrantType, Granted, MintError, NewClient, NewToken, PasswordAttempt, TrustedIssuer,
        store::{
            Issuers as _, MemoryStore, Part as _, Parts, SqliteStore, Store, StoreError,
            StoredTable, Transfer as _, UserTable,
        },
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

/// A removal of `ada` while the application decides.
#[derive(Clone, Default)]
struct Meanwhile {
    server: Arc<OnceLock<AuthorizationServer>>,
    is_removed: Arc<AtomicBool>,
}

impl Meanwhile {
    async fn happens(&self) {
        if self.is_removed.load(Ordering::SeqCst) {
            self.server.get().unwrap().remove_subject("ada").await.unwrap();
        }
    }

    /// What the application says in the end.
    fn then<R, T: Send + 'static>(
        &self,
        said: impl Fn() -> T + Send + Sync + 'static,
    ) -> impl Fn(R) -> std::pin::Pin<Box<dyn Future<Output = T> + Send>> + Send + Sync + 'static
    {
        let meanwhile = self.clone();
        move |_| {
            let (meanwhile, said) = (meanwhile.clone(), said());
            Box::pin(async move {
                meanwhile.happens().await;
                said
            })
        }
    }
}

struct Gone {
    world: World,
    partner: SigningKey,
    meanwhile: Meanwhile,
}

fn with_grants(
    server: AuthorizationServer,
    partner: &SigningKey,
    meanwhile: &Meanwhile,
    env: Env,
) -> AuthorizationServer {
    let since = env.now() - Duration::from_secs(7200);
    let keys = SigningKeys::new(SigningKey::generate(Algorithm::EdDsa).unwrap(), since).unwrap();
    let trusted = KeySet::from_iter([partner.verifying_key().clone()]);
    server
        .signing_keys(keys)
        .access_token_format(AccessTokenFormat::Jwt)
        .send_access_tokens_in_redirects_so_that_they_can_leak()
        .grant(KIOSK, meanwhile.then::<GrantRequest, _>(|| Ok(Granted::to_user("ada"))))
        .unwrap()
        .trusted_issuer(TrustedIssuer::new(PARTNER, trusted).unwrap())
        .jwt_bearer(meanwhile.then::<Asserted, _>(|| Ok(Granted::to_user("ada"))))
        .token_exchange(
            meanwhile.then::<Exchanging, _>(|| Ok(Exchanged::delegation().for_user("ada"))),
        )
        .let_clients_see_passwords_of_users(
            meanwhile.then::<PasswordAttempt, _>(move || {
                Ok(Some(Authentication::new("ada", env.now())))
            }),
        )
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
        let meanwhile = Meanwhile::default();
        let on = |server| with_grants(server, &partner, &meanwhile, clock.env());
        let world = World::build(store, clock.clone(), Policy::safe(), for_grants(), on).await;
        assert!(meanwhile.server.set(world.server.clone()).is_ok());
        Self { world, partner, meanwhile }
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
        self.world.server.mint(self.personal()).await.unwrap();
    }

    /// A personal access token of `ada`, who has signed in now.
    fn personal(&self) -> NewToken {
        let now = self.world.env.now();
        let new = NewToken::personal("ada", "backup").scopes(Scopes::of(["photos:read"]));
        new.authentication(Authentication::new("ada", now))
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
        let minted = self.world.server.mint(self.personal()).await;
        assert!(matches!(minted, Err(MintError::Gone)), "{minted:?}");
        assert!(self.world.server.consents("ada").await.unwrap().is_empty(), "nothing was stored");
        assert!(self.world.server.personal_tokens("ada").await.unwrap().is_empty());
    }

    /// Removes `ada` before all of these grants and while each is decided, and gives the subject
    /// again.
    async fn is_removed_and_comes_again(&self) {
        self.all_are_served("before").await;
        let old = self.world.server.mint(self.personal()).await.unwrap().token;
        self.world.server.remove_subject("ada").await.unwrap();
        self.meanwhile.is_removed.store(true, Ordering::SeqCst);
        self.none_is_served().await;

        self.meanwhile.is_removed.store(false, Ordering::SeqCst);
        self.world.clock.advance(Duration::from_secs(2));
        self.all_are_served("again").await;
        let new = self.world.server.mint(self.personal()).await.unwrap().token;
        assert!(self.world.is_good(new.expose()).await);
        assert!(!self.world.is_good(old.expose()).await, "it was inherited");
    }
}

#[tokio::test]
async fn a_user_who_is_removed_gets_no_token_by_any_grant_and_the_next_one_inherits_nothing() {
    let clock = ManualClock::new();
    Gone::on(MemoryStore::new(clock.env()), clock).await.is_removed_and_comes_again().await;
}

#[tokio::test]
async fn a_user_who_is_removed_from_a_database_gets_no_token_and_the_next_one_inherits_nothing() {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let store = SqliteStore::open(folder.path().join("id.db"), clock.env()).unwrap();
    Gone::on(store, clock).await.is_removed_and_comes_again().await;
}

#[tokio::test]
async fn what_a_removed_user_leaves_is_worth_nothing_at_once_and_goes_when_it_expires() {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let store = SqliteStore::open(folder.path().join("id.db"), clock.env()).unwrap();
    let store = Arc::new(store);
    let world = World::build(Arc::clone(&store), clock, Policy::safe(), web(), |it| it).await;
    let personal = NewToken::personal("ada", "a script").scopes(Scopes::of(["photos:read"]));
    let personal = personal.lifetime(Duration::from_secs(86_400));
    let personal = world.server.mint(personal).await.unwrap().token;
    let (tokens, late) = (world.tokens("ada").await, world.code("ada").await);
    let issuer = store.issuer(ISSUER).await.unwrap();
    let count = async || {
        let mut rows = 0;
        for table in [StoredTable::AccessTokens, StoredTable::Families, StoredTable::Codes] {
            rows += store.rows(issuer, table, None, 100).await.unwrap().len();
        }
        rows
    };
    assert!(world.is_good(personal.expose()).await && count().await >= 4);

    world.server.remove_subject("ada").await.unwrap();
    assert!(!world.is_good(personal.expose()).await && !world.is_good(&tokens.access).await);
    let refresh = tokens.refresh.as_deref().unwrap();
    assert_eq!(world.refresh(refresh).await.error(), "invalid_grant");
    assert_eq!(world.redeem(&late).await.error(), "invalid_grant");
    world.clock.advance(Duration::from_secs(400 * 86_400));
    while store.sweep(world.clock.now()).await.unwrap() > 0 {}
    assert_eq!(count().await, 0);
}

/// The codes that a user gets: at once, and by a page that was opened before `then`.
async fn codes(world: &World, then: impl AsyncFnOnce()) -> [Answer; 2] {
    world.sign_in("ada");
    let mut browser = Browser::default();
    let page = world.ask(&mut browser, &world.asking()).await;
    assert_eq!(page.status(), 200, "{}", page.text());
    then().await;
    let late = browser.answer(world, &page, "decision=all").await;
    [world.ask(&mut Browser::default(), &world.asking()).await, late]
}

#[tokio::test]
async fn a_user_who_is_disabled_gets_no_code_by_any_page() {
    let (clock, people) = (ManualClock::new(), People::default());
    let store = Arc::new(MemoryStore::new(clock.env()));
    let parts = Parts::of(store).user_table(people.clone());
    let world = World::build(parts, clock, Policy::safe(), web(), |server| server).await;
    let disabled = async || people.is_disabled.store(true, Ordering::SeqCst);
    for answer in codes(&world, disabled).await {
        assert_eq!(answer.query("error"), "access_denied");
    }
    people.is_disabled.store(false, Ordering::SeqCst);
    assert_eq!(world.redeem(&world.code("ada").await).await.status(), 200);
}

#[tokio::test]
async fn a_sign_in_from_before_the_removal_gets_no_code_but_a_later_one_does() {
    let clock = ManualClock::new();
    let store = MemoryStore::new(clock.env());
    let world = World::build(store, clock, Policy::safe(), web(), |server| server).await;
    let removed = async || {
        world.server.remove_subject("ada").await.unwrap();
        world.clock.advance(Duration::from_secs(60));
    };
    for answer in codes(&world, removed).await {
        assert_eq!(answer.query("error"), "access_denied");
    }
    assert_eq!(world.redeem(&world.code("ada").await).await.status(), 200);
}

fn web() -> NewClient {
    NewClient::confidential("Printer").redirect_uri(CALLBACK)
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
