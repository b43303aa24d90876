//! Settings: flags before the environment (`QUADRILLE_*`) before a TOML file before defaults.
//!
//! [`KEYS`] names every setting once; [`Settings::load`] finds each and remembers where it came
//! from, for `quadrille config`.

mod brand;
mod cache;
mod claims;
mod database;
mod device;
mod effective;
mod error;
mod exchange;
mod expected;
mod fetches;
mod file;
mod flags;
mod found;
mod grants;
mod issuers;
mod keys;
mod languages;
mod lookup;
mod oauth1;
mod openid;
mod paths;
mod personal;
mod policy;
mod refreshes;
mod registration;
mod remarks;
mod remembered;
mod shown;
mod traces;
mod value;

pub use crate::brand::{BrandColors, Color};
pub use brand::BrandSettings;
pub use cache::{CachePlace, RedisUrl};
pub use claims::ClaimSettings;
pub use database::{ConnectionSettings, DatabaseKind, DatabaseUrl, ReadFrom};
pub use device::DeviceSettings;
pub use effective::Effective;
pub use error::{ConfigError, ExchangeFault, IssuerFault, Origin};
pub use exchange::{ExchangeKind, ExchangeRule, ExchangeRules};
pub use fetches::FetchSettings;
pub use flags::Flags;
pub use grants::Offer;
pub use issuers::{Issuer as TrustedIssuer, Purpose, Subjects};
pub use keys::{KEYS, Key};
pub use languages::LanguageSettings;
pub use oauth1::OAuth1Settings;
pub(crate) use oauth1::{method_name, parse_method};
pub use openid::{OpenIdSettings, PairwiseSecret};
pub use paths::{Paths, TAKEN};
pub use personal::PersonalTokenSettings;
pub use registration::{RegistrationMode, RegistrationSettings};
pub use traces::TraceSettings;
pub use value::{Expected, LogFormat, Network, ProxyHeader, parse_duration, parse_lifetime};

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf, time::Duration};

use quadrille::{
    Scopes,
    oauth2::Resources,
    provider::{AccessTokenFormat, GrantType, TokenPrefixes},
};
use toml::Value;
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::{issuer::Issuer, words::nearest};

use found::Found;

/// The default lifetime of a session.
pub const SESSION_LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// The settings in effect.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The folder of the database and the key ring.
    pub data_dir: PathBuf,
    /// The database on a server. `None` is the embedded one, in the folder.
    pub database: Option<DatabaseUrl>,
    /// How the connections to that database are used.
    pub connection: ConnectionSettings,
    /// The cache of short-lived records.
    pub cache: CachePlace,
    /// `true` if the cache may remove what is under way when its memory is full.
    pub let_the_cache_evict_what_is_under_way: bool,
    /// The same database without a pooler between, for the announcements of other processes.
    pub database_direct: Option<DatabaseUrl>,
    /// Standbys in which access tokens are looked up.
    pub read_from: ReadFrom,
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The address for measurements and health alone, if there is one.
    pub metrics_listen: Option<SocketAddr>,
    /// The settings of traces.
    pub traces: TraceSettings,
    /// The issuer, if it is set.
    pub issuer: Option<Issuer>,
    /// Addresses of the proxies whose `proxy_header` is trusted.
    pub trusted_proxies: Vec<Network>,
    /// The header in which trusted proxies name the client's address.
    pub proxy_header: ProxyHeader,
    /// A folder with templates that replace the built-in ones.
    pub templates: Option<PathBuf>,
    /// The languages of the pages.
    pub languages: LanguageSettings,
    /// The colors and the logo of the pages.
    pub brand: BrandSettings,
    /// The key ring, if it does not come from a file.
    pub keys: Option<quadrille::Secret>,
    /// The file of the key ring.
    pub keys_file: PathBuf,
    /// The file of the keys that sign access tokens.
    pub signing_keys_file: PathBuf,
    /// The time for which each key signs access tokens. `None` until it is rotated by command.
    pub signing_keys_rotate_every: Option<Duration>,
    /// The format of access tokens.
    pub access_token_format: AccessTokenFormat,
    /// The prefixes of tokens.
    pub token_prefixes: TokenPrefixes,
    /// The APIs whose access tokens are JWTs.
    pub jwt_resources: Resources,
    /// The paths of the endpoints and of the device page.
    pub paths: Paths,
    /// The name of the site on pages. `None` means the host of the issuer.
    pub name: Option<String>,
    /// The scopes, each with its description for the consent page.
    pub scopes: BTreeMap<String, String>,
    /// OpenID Connect, by which clients learn who their users are.
    pub openid: OpenIdSettings,
    /// The APIs that tokens can be issued for.
    pub resources: Resources,
    /// Whether clients may describe themselves by client ID metadata documents.
    pub client_metadata_documents: bool,
    /// The scopes that these clients may request. `None` means all scopes.
    pub client_metadata_document_scopes: Option<Scopes>,
    /// The settings of dynamic client registration.
    pub registration: RegistrationSettings,
    /// The issuers elsewhere whose JWTs the server accepts.
    pub trusted_issuers: Vec<TrustedIssuer>,
    /// The grants among codes, refresh tokens and client credentials that are on.
    pub grant_types: Vec<GrantType>,
    /// The tokens that clients may exchange.
    pub token_exchange: ExchangeRules,
    /// The lifetime of a session.
    pub session_lifetime: Duration,
    /// The policy of the authorization server.
    pub policy: quadrille::Policy,
    /// The settings of the device authorization grant.
    pub device: DeviceSettings,
    /// `true` if clients that are registered for it get access tokens in their redirects.
    pub send_access_tokens_in_redirects_so_that_they_can_leak: bool,
    /// `true` if clients that are registered for it get tokens by the passwords of users.
    pub let_clients_see_passwords_of_users: bool,
    /// The settings of requests to URLs that clients name.
    pub fetches: FetchSettings,
    /// The settings of the personal access tokens that users make.
    pub personal_tokens: PersonalTokenSettings,
    /// `true` if users delete their accounts.
    pub let_users_delete_their_accounts: bool,
    /// The settings of OAuth 1.0a.
    pub oauth1: OAuth1Settings,
    /// The time that a client has to send the head of a request.
    pub header_timeout: Duration,
    /// The time that a client has to send the body of a request.
    pub body_timeout: Duration,
    /// The time that a client has to read an answer.
    pub write_timeout: Duration,
    /// The time that requests under way have after a signal to stop.
    pub shutdown_timeout: Duration,
    /// The time after a signal to stop in which requests are still accepted.
    pub drain_time: Duration,
    /// The greatest number of connections.
    pub max_connections: usize,
    /// The greatest number of connections of one address.
    pub max_connections_per_address: usize,
    /// The log levels.
    pub log: Targets,
    /// The format of the log.
    pub log_format: LogFormat,
    /// The file of the audit log, if there is one.
    pub audit_log: Option<PathBuf>,
    effective: Vec<Effective>,
}

impl Settings {
    /// Loads all settings. `environment` has variables, such as those of the process
    /// ([`environment()`]).
    ///
    /// # Errors
    /// [`ConfigError`], which names the origin of the value.
    pub fn load(
        flags: Flags,
        environment: impl Iterator<Item = (String, String)>,
        file: Option<PathBuf>,
    ) -> Result<(Self, Vec<ConfigError>), ConfigError> {
        let environment: Vec<_> = environment.collect();
        let home = |name: &str| {
            environment
                .iter()
                .find(|(key, value)| key == name && !value.is_empty())
                .map(|(_, value)| value.clone())
        };
        let default_dir = home("XDG_DATA_HOME")
            .map(PathBuf::from)
            .or_else(|| home("HOME").map(|home| PathBuf::from(home).join(".local/share")))
            .map(|dir| dir.join("quadrille"));
        let mut found = Found::default();
        for (key, flag, value) in flags.0 {
            found.values.entry(key).or_insert((Origin::Flag(flag), value));
        }
        // Unknown variables are remarks only: other programs may use the same prefix.
        let mut remarks = Vec::new();
        for (variable, text) in environment {
            // An empty variable counts as unset: container set-ups pass on variables that nobody
            // filled in.
            if !variable.starts_with("QUADRILLE_")
                || variable == "QUADRILLE_CONFIG"
                || text.is_empty()
            {
                continue;
            }
            match lookup::find_variable(&variable) {
                Ok(key) => {
                    let value = (Origin::Environment(variable), Value::String(text));
                    found.values.entry(key.name).or_insert(value);
                }
                Err(_) if is_of_a_login(&variable) => {}
                Err(unknown) => remarks.push(unknown),
            }
        }
        if let Some(path) = file {
            for (key, value) in file::read(&path)? {
                found.values.entry(key.name).or_insert((Origin::File(path.clone()), value));
            }
        }
        Self::of(found, default_dir).map(|settings| (settings, remarks))
    }

    /// Builds the settings from the found values.
    fn of(mut found: Found, default_dir: Option<PathBuf>) -> Result<Self, ConfigError> {
        let data_dir = match found.take("data_dir", value::path, value::show_path)? {
            Some(dir) => dir,
            None => {
                let dir = default_dir.ok_or(ConfigError::NoDataDir)?;
                found.note("data_dir", dir.display().to_string(), Origin::Default, None);
                dir
            }
        };
        let database = database::of(&mut found)?;
        database::refuse_unfit(&found, database.as_ref())?;
        let connection = ConnectionSettings::of(&mut found)?;
        let cache = cache::of(&mut found)?;
        let evicts = found.switch("let_the_cache_evict_what_is_under_way")?;
        let database_direct = database::direct(&mut found)?;
        let read_from = ReadFrom::of(&mut found)?;
        let listen = found.or(
            "listen",
            value::address,
            ToString::to_string,
            SocketAddr::from(([127, 0, 0, 1], 4004)),
        )?;
        let metrics_listen =
            found.optional("metrics_listen", value::address, ToString::to_string, "off")?;
        let traces = TraceSettings::of(&mut found)?;
        let issuer = found.optional(
            "issuer",
            value::issuer,
            ToString::to_string,
            "that of the data, else http://localhost:PORT of listen",
        )?;
        let paths = Paths::of(&mut found)?;
        let name = found.optional("name", value::name, Clone::clone, "the host of the issuer")?;
        let trusted_proxies =
            found.or("trusted_proxies", value::networks, |list| shown::list(list), Vec::new())?;
        let proxy_header = found.or(
            "proxy_header",
            value::proxy_header,
            ToString::to_string,
            ProxyHeader::XForwardedFor,
        )?;
        let templates = found.optional("templates", value::path, value::show_path, "built in")?;
        let languages = LanguageSettings::of(&mut found)?;
        let brand = BrandSettings::of(&mut found)?;
        let keys = found.optional("keys", value::secret, |_| "***".to_owned(), "in keys_file")?;
        let keys_file =
            found.or("keys_file", value::path, value::show_path, data_dir.join("keys"))?;
        let signing_keys_file = found.or(
            "signing_keys_file",
            value::path,
            value::show_path,
            data_dir.join("signing-keys"),
        )?;
        if database.is_some() && found.is_set("signing_keys_file") {
            return Err(ConfigError::Embedded("signing_keys_file", "it has these keys"));
        }
        let signing_keys_rotate_every = found.optional(
            "signing_keys_rotate_every",
            value::rotation_period,
            |period| shown::duration(*period),
            "by command only",
        )?;
        let access_token_format = found.or(
            "access_token_format",
            value::access_token_format,
            value::show_access_token_format,
            AccessTokenFormat::Opaque,
        )?;
        let prefix = found.optional(
            "token_prefix",
            value::token_prefix,
            |(name, _)| name.clone(),
            "tokens have no prefix",
        )?;
        let token_prefixes = prefix.map(|(_, prefixes)| prefixes).unwrap_or_default();
        let mut scopes = found.or("scopes", value::scopes, shown::scopes, BTreeMap::new())?;
        let openid = OpenIdSettings::of(&mut found, listen, issuer.as_ref())?;
        openid.add_scopes(&mut scopes);
        let show = |set: &Resources| set.as_str().replace(' ', ",");
        let resources = found.or("resources", value::resources, show, Resources::EMPTY)?;
        let jwt_resources = found.or("jwt_resources", value::resources, show, Resources::EMPTY)?;
        if let Some(uri) = jwt_resources.iter().find(|uri| !resources.contains(uri)) {
            return Err(ConfigError::UnknownResource {
                key: "jwt_resources",
                uri: uri.to_owned(),
                nearest: nearest(uri, resources.iter()).map(str::to_owned),
            });
        }
        let client_metadata_documents = found.switch("client_metadata_documents")?;
        let client_metadata_document_scopes = found.optional(
            "client_metadata_document_scopes",
            value::scope_names,
            |scopes| scopes.as_str().replace(' ', ","),
            "all of scopes",
        )?;
        let registration = RegistrationSettings::of(&mut found)?;
        let personal_tokens = PersonalTokenSettings::of(&mut found)?;
        let let_users_delete_their_accounts = found.switch("let_users_delete_their_accounts")?;
        for (key, names) in [
            ("client_metadata_document_scopes", &client_metadata_document_scopes),
            ("registration_scopes", &registration.scopes),
            ("personal_access_token_scopes", &personal_tokens.scopes),
        ] {
            let mut names = names.iter().flat_map(Scopes::iter);
            if let Some(name) = names.find(|name| !scopes.contains_key(*name)) {
                return Err(ConfigError::UnknownScope {
                    key,
                    name: name.to_owned(),
                    nearest: nearest(name, scopes.keys().map(String::as_str)).map(str::to_owned),
                });
            }
        }
        let grant_types = grants::of(&mut found)?;
        let trusted_issuers = issuers::of(&mut found)?;
        let token_exchange = exchange::of(&mut found, &trusted_issuers, &resources)?;
        let session_lifetime = found.duration("session_lifetime", SESSION_LIFETIME)?;
        let policy = policy::of(&mut found, &scopes)?;
        let shared = database.is_some().then_some(&connection);
        let repeat = refreshes::window(&mut found, shared, policy.refresh_repeat_window)?;
        let device = DeviceSettings::of(&mut found)?;
        let send_access_tokens_in_redirects_so_that_they_can_leak =
            found.switch("send_access_tokens_in_redirects_so_that_they_can_leak")?;
        let let_clients_see_passwords_of_users =
            found.switch("let_clients_see_passwords_of_users")?;
        let fetches = FetchSettings::of(&mut found)?;
        let oauth1 = OAuth1Settings::of(&mut found, database.is_some())?;
        let seconds = Duration::from_secs;
        let max_connections =
            found.or("max_connections", value::count, ToString::to_string, 4096)?;
        // A quarter, but at least enough for a few browsers.
        let share = (max_connections / 4).max(16).min(max_connections);
        let max_connections_per_address =
            found.or("max_connections_per_address", value::count, ToString::to_string, share)?;
        let default_log = Targets::new().with_default(LevelFilter::INFO);
        Ok(Self {
            data_dir,
            database,
            connection,
            cache,
            let_the_cache_evict_what_is_under_way: evicts,
            database_direct,
            read_from,
            listen,
            metrics_listen,
            traces,
            issuer,
            paths,
            name,
            trusted_proxies,
            proxy_header,
            templates,
            languages,
            brand,
            keys,
            keys_file,
            signing_keys_file,
            signing_keys_rotate_every,
            access_token_format,
            token_prefixes,
            jwt_resources,
            scopes,
            openid,
            resources,
            client_metadata_documents,
            client_metadata_document_scopes,
            registration,
            trusted_issuers,
            grant_types,
            token_exchange,
            session_lifetime,
            policy: policy.refresh_repeat_window(repeat),
            device,
            send_access_tokens_in_redirects_so_that_they_can_leak,
            let_clients_see_passwords_of_users,
            fetches,
            personal_tokens,
            let_users_delete_their_accounts,
            oauth1,
            header_timeout: found.duration("header_timeout", seconds(30))?,
            body_timeout: found.duration("body_timeout", seconds(10))?,
            write_timeout: found.duration("write_timeout", seconds(30))?,
            shutdown_timeout: found.duration("shutdown_timeout", seconds(10))?,
            drain_time: found.or(
                "drain_time",
                value::duration_or_none,
                |duration| shown::duration(*duration),
                Duration::ZERO,
            )?,
            max_connections,
            max_connections_per_address,
            log: found.or("log", value::targets, ToString::to_string, default_log)?,
            log_format: found.or(
                "log_format",
                value::log_format,
                ToString::to_string,
                LogFormat::Text,
            )?,
            audit_log: found.optional("audit_log", value::path, value::show_path, "none")?,
            effective: found.effective,
        })
    }

    /// All grants, on or off.
    pub fn grants(&self) -> Vec<Offer> {
        let (issuers, rules) = (&self.trusted_issuers, &self.token_exchange);
        let old = grants::OldGrants {
            implicit: self.send_access_tokens_in_redirects_so_that_they_can_leak
                || self.openid.redirects_tokens(),
            password: self.let_clients_see_passwords_of_users,
        };
        grants::offers(&self.grant_types, old, self.device, issuers, rules)
    }

    /// `true` if access tokens or ID tokens are signed by these settings.
    pub fn signs(&self) -> bool {
        self.has_jwts() || self.openid.enabled
    }

    /// `true` if access tokens can be JWTs by these settings.
    pub fn has_jwts(&self) -> bool {
        self.access_token_format == AccessTokenFormat::Jwt || !self.jwt_resources.is_empty()
    }

    /// Whether the setting has its default.
    pub fn is_default(&self, key: &str) -> bool {
        let is_set = |setting: &Effective| setting.key == key && setting.origin != Origin::Default;
        !self.effective.iter().any(is_set)
    }

    /// Every setting with its value and its origin. Secrets are masked.
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }
}

/// Whether a website that logs in here as the service `quadrille` may have this variable in the same
/// environment, such as `QUADRILLE_OAUTH_CLIENT_ID`, and it is no mistyped one of OAuth 1.0a.
fn is_of_a_login(variable: &str) -> bool {
    let own = |key| lookup::find_variable(&["QUADRILLE_OAUTH1_", key].concat()).is_ok();
    variable.strip_prefix("QUADRILLE_OAUTH_").is_some_and(|key| !own(key))
}

/// The environment variables of this process. Variables that are not UTF-8 are left out.
pub fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(key, value)| key.into_string().ok().zip(value.into_string().ok()))
}
