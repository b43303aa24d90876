//! Sites that are clients of one provider, and the browsers of their users.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    extract::{Path, State},
    response::Html,
    routing::get,
};
use quadrille::{
    Env, Error, Failed, Hooks, Identity, KeyRing, Login, Result, Service, SessionEnded, Spec,
    SpecBuf, Visitor,
    consumer::{Client, ClientKeys, Dynamic, MemoryStorage, OAuth2Buf},
    jose::{Algorithm, DecryptingKey, SigningKey, SigningKeys},
    testing::ManualClock,
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{Browsers, Running, node};

/// Everything that encodings are there for, and longer than the longest hash.
pub(super) const SECRET: &str =
    "a secret: 100% + a bit & some more of it, so that it is as long as the longest hash is";

/// Adds a service of a provider, whose issuer is given, to a login.
type Add = Box<dyn FnOnce(Login, &str) -> Login>;

/// A client of the provider, and the service of the site that it is.
pub(super) struct Registered {
    name: String,
    metadata: Value,
    add: Add,
}

/// A client with these metadata beside the usual ones, in which `{site}` is the site's URL, and what
/// the site says of the provider.
pub(super) fn service(
    name: impl Into<String>,
    metadata: Value,
    client: impl FnOnce(SpecBuf<OAuth2Buf>, &str) -> Client<Dynamic> + 'static,
) -> Registered {
    let name = name.into();
    let id = name.clone();
    let add = move |login: Login, issuer: &str| {
        let spec = SpecBuf::oidc(id.clone(), issuer.to_owned()).scopes("openid email");
        login.with(client(spec, &id))
    };
    Registered { name, metadata, add: Box::new(add) }
}

/// The service that presents ID tokens, whose type handlers name.
pub(super) struct Presenting;

impl Service for Presenting {
    const SPEC: Spec = Spec::oidc("presenting", "https://id.example").build();
}

/// The client for [`Presenting`].
pub(super) fn presenting(metadata: Value) -> Registered {
    let add = |login: Login, issuer: &str| {
        let client = Presenting::client("presenting", SECRET).hosted_at(issuer.to_owned());
        login.with(client.accept_id_tokens())
    };
    Registered { name: "presenting".to_owned(), metadata, add: Box::new(add) }
}

impl Registered {
    fn metadata(&self, site: &str) -> Value {
        let name = &self.name;
        let mut all = json!({
            "client_id": name,
            "client_secret": SECRET,
            "redirect_uris": [format!("{site}/login/{name}/authorized")],
            "post_logout_redirect_uris": [format!("{site}/login/{name}/logged-out")],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "jwks_uri": format!("{site}/login/jwks.json"),
        });
        let own = self.metadata.to_string().replace("{site}", site);
        let own: Value = serde_json::from_str(&own).unwrap();
        for (name, value) in own.as_object().unwrap() {
            all[name] = value.clone();
        }
        all
    }
}

/// A site before the provider runs.
pub(super) struct Plan {
    host: &'static str,
    keys: Option<ClientKeys>,
    services: Vec<Registered>,
}

impl Plan {
    pub(super) fn new(services: impl IntoIterator<Item = Registered>) -> Self {
        Self { host: "127.0.0.1", keys: None, services: services.into_iter().collect() }
    }

    pub(super) fn at(self, host: &'static str) -> Self {
        Self { host, ..self }
    }

    pub(super) fn keys(self, keys: ClientKeys) -> Self {
        Self { keys: Some(keys), ..self }
    }
}

/// Keys of a site that sign by this algorithm, and those that decrypt.
pub(super) fn keys(
    algorithm: Algorithm,
    decrypting: impl IntoIterator<Item = DecryptingKey>,
) -> ClientKeys {
    let key = SigningKey::generate(algorithm).unwrap();
    ClientKeys::new(SigningKeys::new(key, Env::system().now()).unwrap()).decrypting(decrypting)
}

/// A site that runs, and what its hooks heard.
pub(super) struct Site {
    pub(super) url: String,
    pub(super) login: Login,
    pub(super) app: Router,
    pub(super) heard: Heard,
    pub(super) names: Vec<String>,
}

#[derive(Clone, Default)]
pub(super) struct Heard {
    ended: Arc<Mutex<Vec<SessionEnded>>>,
    failed: Arc<Mutex<Vec<Error>>>,
}

impl Heard {
    /// The sessions that the provider has ended since the last call.
    pub(super) fn ended(&self) -> Vec<SessionEnded> {
        std::mem::take(&mut *self.ended.lock().unwrap())
    }

    /// The errors of logins since the last call.
    pub(super) fn failed(&self) -> Vec<Error> {
        std::mem::take(&mut *self.failed.lock().unwrap())
    }
}

/// A page at which a browser has arrived.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) url: String,
    status: u64,
    pub(super) text: String,
}

impl Page {
    /// The user as the page `/who/{service}` knows them.
    pub(super) fn user(&self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

impl Site {
    /// Serves a site with the pages of all tests.
    pub(super) fn open(
        listener: TcpListener,
        url: String,
        clock: &ManualClock,
        settings: impl FnOnce(Login) -> Login,
    ) -> Self {
        async fn ended(event: SessionEnded, State(heard): State<Heard>) {
            heard.ended.lock().unwrap().push(event);
        }
        async fn failed(event: Failed, State(heard): State<Heard>) {
            heard.failed.lock().unwrap().push(event.error);
        }
        let heard = Heard::default();
        let hooks = Hooks::new(heard.clone()).on_session_ended(ended).on_error(failed);
        let login = Login::new(KeyRing::ephemeral(), &url)
            .env(clock.env())
            .storage(MemoryStorage::new())
            .hooks(hooks);
        let login = settings(login);
        login.check().unwrap();
        let pages = Router::new()
            .route("/who/{service}", get(who))
            .route("/account/{service}", get(account))
            .route("/presented", get(presented))
            .route("/box", get(login_box))
            .route("/album", get(async || "an album"));
        let app = login
            .attach(pages)
            .merge(login.logout_routes())
            .merge(login.id_token_routes())
            .merge(login.organization_routes());
        let serving = app.clone();
        tokio::spawn(async move { axum::serve(listener, serving).await });
        Self { url, login, app, heard, names: Vec::new() }
    }

    /// The URL of a page.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

/// The user's account at a service, which asks them to log in if they have not.
async fn who(Path(service): Path<String>, visitor: Visitor) -> Result<String> {
    let linked = visitor.linked(&service).await?;
    let profile = linked.profile().await?;
    let claims = linked.claims().expect("the storage keeps ID tokens");
    Ok(json!({
        "account": &*linked.subject(),
        "claims": claims.all(),
        "email": profile.email,
        "name": profile.name,
    })
    .to_string())
}

/// The user's account at a service, if they have logged in.
async fn account(Path(service): Path<String>, visitor: Visitor) -> Result<String> {
    let account = visitor.account(&service).await?;
    Ok(account.map_or("nobody".into(), |account| account.subject.to_string()))
}

async fn presented(me: Option<Identity<Presenting>>) -> String {
    let Some(me) = me else { return "nobody".to_owned() };
    let email = me.claims().and_then(|claims| claims.text("email"));
    format!("{} {}", me.subject(), email.unwrap_or("without an address"))
}

async fn login_box() -> Html<&'static str> {
    Html(
        r#"<form method="post" action="/login/work/organization">
        <input name="identifier"><input type="hidden" name="next" value="/album"></form>"#,
    )
}

/// A provider, its sites, and the browsers of their users.
pub(super) struct World {
    pub(super) provider: Running,
    pub(super) browsers: Browsers,
    pub(super) clock: ManualClock,
    pub(super) sites: Vec<Site>,
}

impl World {
    /// A world with one site.
    pub(super) async fn new(services: impl IntoIterator<Item = Registered>) -> Self {
        Self::of([Plan::new(services)]).await
    }

    /// A world with these sites.
    pub(super) async fn of(plans: impl IntoIterator<Item = Plan>) -> Self {
        let (mut opened, mut clients) = (Vec::new(), Vec::new());
        for plan in plans {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let url = format!("http://{}:{}", plan.host, listener.local_addr().unwrap().port());
            clients.extend(plan.services.iter().map(|service| service.metadata(&url)));
            opened.push((listener, url, plan));
        }
        let clients = json!({ "clients": clients });
        let provider = Running::start(node("servers/openid-provider.js"), &clients).await;
        let clock = ManualClock::at(Env::system().now());
        let sites = opened.into_iter().map(|(listener, url, plan)| {
            let names = plan.services.iter().map(|service| service.name.clone()).collect();
            let site = Site::open(listener, url, &clock, |login| {
                let login = match plan.keys {
                    Some(keys) => login.client_keys(keys),
                    None => login,
                };
                let add = |login, service: Registered| (service.add)(login, &provider.issuer);
                plan.services.into_iter().fold(login, add)
            });
            Site { names, ..site }
        });
        let sites = sites.collect();
        Self { sites, provider, browsers: Browsers::start(), clock }
    }

    /// The user of a browser opens these pages, signs in as this one where the provider asks, and
    /// consents to everything.
    pub(super) async fn open(&mut self, browser: &str, user: &str, urls: &[String]) -> Vec<Page> {
        open(&mut self.browsers, browser, &json!({ "login": user }), urls).await
    }

    /// [`open`](Self::open) for one page of the first site.
    pub(super) async fn open_one(&mut self, browser: &str, user: &str, path: &str) -> Page {
        let url = self.sites[0].at(path);
        self.open(browser, user, &[url]).await.remove(0)
    }

    /// Margot logs in by each service of each site, and each knows her. Returns what they know.
    pub(super) async fn margot_everywhere(&mut self) -> Vec<Value> {
        let all = self.sites.iter().flat_map(|site| {
            site.names.iter().map(|name| (name.clone(), site.at(&format!("/who/{name}"))))
        });
        let (names, urls): (Vec<_>, Vec<_>) = all.unzip();
        assert!(!urls.is_empty());
        let pages = self.open("margot's", "margot", &urls).await;
        let mut known = Vec::new();
        for (name, page) in names.iter().zip(&pages) {
            let failed = self.sites.iter().flat_map(|site| site.heard.failed());
            assert_eq!(failed.collect::<Vec<_>>(), [], "{name}: {page:?}");
            let user = page.user();
            assert_eq!(user["account"], format!("{}#margot", self.provider.issuer), "{name}");
            assert_eq!(user["claims"]["sub"], "margot", "{name}");
            assert_eq!(user["claims"]["aud"], *name, "{name}");
            assert_eq!(user["email"], "margot@id.example", "{name}");
            known.push(user);
        }
        known
    }
}

/// The user of a browser opens these pages, and fills these fields into the forms that come.
pub(super) async fn open(
    browsers: &mut Browsers,
    browser: &str,
    fill: &Value,
    urls: &[String],
) -> Vec<Page> {
    let mut fill = fill.clone();
    fill["password"] = "anything".into();
    fill["logout"] = "yes".into();
    let seen = browsers.visit(browser, urls, &fill).await;
    let page = |page: &Value| Page {
        url: page["url"].as_str().unwrap().to_owned(),
        status: page["status"].as_u64().unwrap(),
        text: page["text"].as_str().unwrap().to_owned(),
    };
    seen.as_array().unwrap().iter().map(page).collect()
}
