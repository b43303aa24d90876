//! Arguments of handlers, for unit tests without a router.

#![expect(clippy::panic, reason = "a test fails by a panic")]

use http::{HeaderMap, HeaderValue, header};

use crate::{
    KeyRing, Linked, Login, Owner,
    consumer::{Account, Begin, Jar, MemoryStorage, Service},
};

use super::{Approves, FakeService, fake::Part};

impl FakeService {
    /// An account of this user at the service, as a handler takes it. Its calls are answered by
    /// this service, or by the [script](FakeService::answers_next).
    ///
    /// ```
    /// use http::StatusCode;
    /// use quadrille::{GitHub, Linked, Result, testing::FakeService, transport::Purpose};
    ///
    /// async fn home(github: Linked<GitHub>) -> Result<String> {
    ///     let me: serde_json::Value = github.get("user").await?;
    ///     Ok(format!("You are {}", me["login"]))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<()> {
    /// let service = FakeService::of::<GitHub>("our-id", "our-secret");
    /// assert_eq!(home(service.linked(7).await).await?, "You are \"ada\"");
    ///
    /// let github = service.linked(7).await;
    /// service.answers_next(Purpose::Api, StatusCode::OK, r#"{"login": "grace"}"#);
    /// assert_eq!(home(github).await?, "You are \"grace\"");
    ///
    /// let github = service.linked(7).await;
    /// service.ends_access_tokens();
    /// assert_eq!(home(github).await.unwrap_err().code(), "not_linked");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If a login with `S` fails at this service: it is another one, for example, or its script
    /// answers the login.
    pub async fn linked<S: Service>(&self, user: u64) -> Linked<S> {
        let (id, secret, base) = {
            let stage = self.stage();
            let (id, secret) = match &stage.part {
                Part::OAuth2(part) => (part.id.clone(), part.secret.clone()),
                Part::OAuth1(part) => (part.key.clone(), part.secret.clone()),
            };
            (id, secret, stage.scene.base.clone())
        };
        let mut client = S::client(id, secret);
        if let Some(base) = base {
            client = client.hosted_at(base);
        }
        let login = Login::new(KeyRing::ephemeral(), "https://app.example")
            .with(client)
            .storage(MemoryStorage::new())
            .http(self.clone());
        let account = self.link(&login, S::SPEC.name, &Owner::user("test"), user).await;
        match login.linked(&account).await {
            Ok(linked) => linked,
            Err(error) => panic!("the account is not linked: {error}"),
        }
    }

    /// Logs `owner` in at `service` of `login` as this user, and stores the account: for tests of
    /// code that loads accounts by itself ([`Login::linked`]), or of a
    /// [`Visitor`](crate::Visitor::test). The storage of the login must be on the server, and this
    /// service its [`http`](Login::http) client.
    ///
    /// ```
    /// use quadrille::{GitHub, KeyRing, Login, Owner, consumer::MemoryStorage, testing::FakeService};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> quadrille::Result<()> {
    /// let service = FakeService::of::<GitHub>("our-id", "our-secret");
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .with(GitHub::new("our-id", "our-secret"))
    ///     .storage(MemoryStorage::new())
    ///     .http(service.clone());
    /// let account = service.link(&login, "github", &Owner::user("ada"), 7).await;
    /// assert_eq!(&*login.linked::<GitHub>(&account).await?.subject(), "7");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Panics
    /// If the login fails.
    pub async fn link(&self, login: &Login, service: &str, owner: &Owner, user: u64) -> Account {
        link(self, login, service, owner, user).await
    }
}

/// Logs `owner` in at a service, and stores the account.
pub(super) async fn link<A: Approves>(
    at: &A,
    login: &Login,
    service: &str,
    owner: &Owner,
    user: A::User<'_>,
) -> Account {
    let jar = Jar::new(&HeaderMap::new());
    let begun = login.begin(&jar, &Begin::new(service).owner(owner)).await;
    let url = begun.unwrap_or_else(|error| panic!("the login does not begin: {error}"));
    let Some(callback) = at.approve(&url, user).await else {
        panic!("the service refuses {url}");
    };
    let query = callback.split_once('?').map_or("", |(_, query)| query);
    match login.finish(&returned(&jar), service, query, owner).await {
        Ok(done) => done.account,
        Err(error) => panic!("the login fails: {error}"),
    }
}

/// The next request of a browser that got this response.
fn returned(jar: &Jar) -> Jar {
    let lines = jar.close();
    let pairs = lines.iter().filter_map(|line| line.to_str().ok()?.split(';').next());
    let pairs: Vec<_> = pairs.collect();
    let mut headers = HeaderMap::new();
    headers
        .extend(HeaderValue::from_str(&pairs.join("; ")).ok().map(|pairs| (header::COOKIE, pairs)));
    Jar::new(&headers)
}
