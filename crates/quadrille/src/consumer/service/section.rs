//! The settings of one registration: from a section of a file, or from the environment.

use std::env;

use serde::{Deserialize, Deserializer};

use crate::consumer::{error::OperatorError, registration};

use super::{
    Client, Credential, Protocol, ProtocolBuf, Service, SpecBuf, hosted, names,
    nearest::{is_misspelt, nearest},
    option::{ClientOption, TEXT, flag},
    setting::{Entries, Setting},
};

/// The key of a second registration's name.
pub(crate) const NAME: &str = "name";
/// The key of a registration without a secret.
const PUBLIC: &str = "public_client";

/// The key of a registration that authenticates by the keys of the site.
const SIGNING: &str = "signing_client";

/// The key of a private key.
const RSA: &str = "rsa_key";

/// The place of settings, for errors.
pub(crate) enum Place {
    /// The section of this name.
    Section(Box<str>),
    /// Environment variables that begin so.
    Variables(Box<str>),
}

impl Place {
    /// The variables of the service with this name: `GITHUB_OAUTH_`.
    pub(crate) fn variables_of(service: &str) -> Self {
        let prefix = service.to_ascii_uppercase().replace('-', "_");
        Self::Variables(format!("{prefix}_OAUTH_").into())
    }

    /// The path of a key, or the name of its variable.
    pub(crate) fn of(&self, key: &str) -> Box<str> {
        match self {
            Self::Section(section) if section.is_empty() => key.into(),
            Self::Section(section) => format!("{section}.{key}").into(),
            Self::Variables(prefix) => format!("{prefix}{}", key.to_ascii_uppercase()).into(),
        }
    }

    pub(crate) fn missing(&self, key: &str) -> OperatorError {
        self.lacks(key, None)
    }

    /// The error for a missing secret. In OAuth 2, a client may have none.
    fn missing_secret(&self, key: &str, protocol: &ProtocolBuf) -> OperatorError {
        let may_be_public = matches!(protocol, Protocol::OAuth2(_));
        self.lacks(key, may_be_public.then(|| self.of(PUBLIC)))
    }

    fn lacks(&self, key: &str, public: Option<Box<str>>) -> OperatorError {
        match self {
            Self::Section(_) => OperatorError::SettingMissing { path: self.of(key), public },
            Self::Variables(_) => OperatorError::VariableMissing { name: self.of(key), public },
        }
    }

    /// Refuses a value in quotation marks of its own: `docker run --env-file` keeps them, and a
    /// text in a file is often quoted twice.
    pub(crate) fn check_quotes(&self, key: &str, value: &Setting) -> Result<(), OperatorError> {
        match value.is_quoted() {
            true => Err(self.malformed(key, "without quotation marks around it")),
            false => Ok(()),
        }
    }

    pub(crate) fn malformed(&self, key: &str, expected: impl Into<Box<str>>) -> OperatorError {
        OperatorError::SettingMalformed { path: self.of(key), expected: expected.into() }
    }

    /// The error for a key that is not known.
    pub(crate) fn unknown(&self, key: &str, known: &[&str]) -> OperatorError {
        let nearest = nearest(key, known.iter().copied());
        let nearest = nearest.map(|nearest| match self {
            Self::Section(_) => nearest.into(),
            Self::Variables(_) => self.of(nearest),
        });
        OperatorError::SettingUnknown { path: self.of(key), nearest }
    }

    /// The settings in the environment, of these keys, and of others whose name differs from one of
    /// them by a letter. Variables with other names may be meant for another program. An empty
    /// variable is as good as none.
    pub(crate) fn in_environment(&self, keys: &[&str]) -> Entries {
        let value = |key: &str| {
            let value = env::var(&*self.of(key)).ok().filter(|value| !value.is_empty())?;
            Some((key.to_owned(), Setting::Text(value.into())))
        };
        let mut entries: Entries = keys.iter().copied().filter_map(value).collect();
        let Self::Variables(prefix) = self else { return entries };
        for (name, _) in env::vars_os() {
            let Some(key) = name.to_str().and_then(|name| name.strip_prefix(&**prefix)) else {
                continue;
            };
            let key = key.to_ascii_lowercase();
            if !keys.contains(&&*key) && keys.iter().any(|known| is_misspelt(&key, known)) {
                entries.extend(value(&key));
            }
        }
        entries
    }
}

/// The keys of identifier and credential, which are named as Flask-Dance's variables end.
pub(crate) fn credential_keys(protocol: &ProtocolBuf) -> (&'static str, &'static str) {
    match protocol {
        Protocol::OAuth2(_) => ("client_id", "client_secret"),
        Protocol::OAuth1(oauth1) if oauth1.signature_method.is_rsa() => ("consumer_key", RSA),
        Protocol::OAuth1(_) => ("client_key", "client_secret"),
    }
}

/// The options that every service has.
fn common<S>() -> [ClientOption<S>; 9] {
    [
        ClientOption::text("base_url", Client::hosted_at),
        ClientOption::list("scopes", |client, scopes| client.scopes(&scopes.join(" "))),
        ClientOption::table("parameters", |client, pairs| {
            pairs.into_iter().fold(client, |client, (name, value)| client.parameter(name, value))
        }),
        ClientOption::list("allow_parameters", Client::allow_parameters),
        ClientOption::list("allow_scopes", |client, scopes| client.allow_scopes(&scopes.join(" "))),
        ClientOption::text("json_callback", Client::json_callback),
        ClientOption::flag("accept_id_tokens", Client::accept_id_tokens),
        ClientOption::list("id_tokens_for", Client::id_tokens_for),
        ClientOption::flag(
            "without_verifying_certificates_so_that_anyone_can_read_tokens",
            Client::without_verifying_certificates_so_that_anyone_can_read_tokens,
        ),
    ]
}

/// The keys of a service's settings.
fn keys<S: Service>(protocol: &ProtocolBuf) -> Vec<&'static str> {
    let (id, secret) = credential_keys(protocol);
    let mut keys = vec![id, secret];
    if matches!(protocol, Protocol::OAuth2(_)) {
        keys.extend([PUBLIC, SIGNING]);
    }
    keys.extend(common::<S>().iter().map(ClientOption::name));
    keys.extend(S::OPTIONS.iter().map(ClientOption::name));
    keys
}

/// The registration that the environment has.
pub(crate) fn from_environment<S: Service>() -> Result<Client<S>, OperatorError> {
    let place = Place::variables_of(S::SPEC.name);
    let keys = keys::<S>(&SpecBuf::from(S::SPEC).protocol);
    read(place.in_environment(&keys), &place, None)
}

/// Whether the environment has this application's identifier at the service, misspelt or not.
pub(crate) fn is_in_environment<S: Service>() -> bool {
    let (id, _) = credential_keys(&SpecBuf::from(S::SPEC).protocol);
    !Place::variables_of(S::SPEC.name).in_environment(&[id]).is_empty()
}

/// The registration that these settings describe. Its name is that of the service unless `name`
/// says otherwise, or the settings do where there is no `name`.
pub(crate) fn read<S: Service>(
    mut entries: Entries,
    place: &Place,
    name: Option<&str>,
) -> Result<Client<S>, OperatorError> {
    let spec = SpecBuf::from(S::SPEC);
    let (id_key, secret_key) = credential_keys(&spec.protocol);
    let mut known = keys::<S>(&spec.protocol);
    if name.is_none() {
        known.push(NAME);
    }
    check_keys(&entries, &known, place)?;
    let mut take = |key: &str| {
        let at = entries.iter().position(|(name, _)| name == key)?;
        Some(entries.swap_remove(at).1)
    };
    let text = |key: &str, value: Option<Setting>| match value {
        Some(Setting::Text(text)) => Ok(text),
        Some(_) => Err(place.malformed(key, TEXT)),
        None => Err(place.missing(key)),
    };
    let name = match name {
        Some(name) => Some(name.to_owned()),
        None => match take(NAME) {
            Some(value) => Some(text(NAME, Some(value))?.expose().to_owned()),
            None => None,
        },
    };
    let mut base = take("base_url");
    if base.is_none() && spec.is_homeless() {
        return Err(place.missing("base_url"));
    }
    let mut is = |key| match take(key) {
        Some(value) => flag(&value).ok_or_else(|| place.malformed(key, "true or false")),
        None => Ok(false),
    };
    let without = match (is(PUBLIC)?, is(SIGNING)?) {
        (false, false) => None,
        (true, false) => Some((Credential::Public, "absent, since the client is public")),
        (false, true) => Some((Credential::SiteKeys, "absent, since the client signs")),
        (true, true) => return Err(place.malformed(PUBLIC, "absent, since the client signs")),
    };
    let id = text(id_key, take(id_key))?.expose().to_owned();
    let credential = match (without, take(secret_key)) {
        (Some((credential, _)), None) => credential,
        (Some((_, expected)), Some(_)) => return Err(place.malformed(secret_key, expected)),
        (None, secret) => {
            let secret = secret.ok_or_else(|| place.missing_secret(secret_key, &spec.protocol))?;
            let secret = text(secret_key, Some(secret))?;
            if secret_key == RSA { Credential::Key(secret) } else { Credential::Secret(secret) }
        }
    };
    let mut client: Client<S> = Client::new(spec, id, credential);
    if let Some(name) = name {
        client = client.named(name);
    }
    for option in common::<S>().iter().chain(S::OPTIONS) {
        let value = if option.name() == "base_url" { base.take() } else { take(option.name()) };
        if let Some(value) = value {
            let applied = option.apply(client, value);
            client = applied.map_err(|expected| place.malformed(option.name(), expected))?;
        }
    }
    check(client, place)
}

/// Checks that each key is known and there once.
fn check_keys(entries: &Entries, known: &[&str], place: &Place) -> Result<(), OperatorError> {
    for (index, (key, value)) in entries.iter().enumerate() {
        if !known.contains(&&**key) {
            return Err(place.unknown(key, known));
        }
        if entries.iter().take(index).any(|(other, _)| other == key) {
            return Err(place.malformed(key, "there once"));
        }
        place.check_quotes(key, value)?;
    }
    Ok(())
}

/// Checks the values, so that an error names its key.
fn check<S: Service>(client: Client<S>, place: &Place) -> Result<Client<S>, OperatorError> {
    let Client { spec, id, credential, allowed, .. } = &client;
    let checked = names::check_service(&spec.name)
        .and_then(|()| registration::check(spec, id, credential, allowed))
        .and_then(|()| hosted::settled(spec.clone()).map(|_| ()));
    let Err(error) = checked else { return Ok(client) };
    let (id, secret) = credential_keys(&spec.protocol);
    let key = match &error {
        OperatorError::ClientIdMalformed { .. } if !allowed.clients.is_empty() => "id_tokens_for",
        OperatorError::ClientIdMalformed { .. } => id,
        OperatorError::SecretMissing { .. } | OperatorError::SecretMalformed { .. } => secret,
        OperatorError::BaseMalformed { .. } => "base_url",
        OperatorError::ScopeMalformed { .. } => "scopes",
        OperatorError::ParameterReserved { name, .. }
            if allowed.parameters.iter().any(|allowed| **allowed == **name) =>
        {
            "allow_parameters"
        }
        OperatorError::ParameterReserved { .. } => "parameters",
        OperatorError::JsonCallbackMalformed { .. } => "json_callback",
        OperatorError::ServiceNameMalformed { .. } => NAME,
        _ => return Err(error),
    };
    Err(OperatorError::SettingRefused { path: place.of(key), error: error.into() })
}

/// A section of a file in any format of serde: the application's identifier and secret, and the
/// options of the service. Each key is the end of the environment variable that `from_env` reads,
/// in lower case.
///
/// Reading never fails: [`Login::check`](crate::Login::check) reports an unknown key, with the
/// nearest known one, or a wrong value, by its path (`github.client_secret`). The reader of the
/// file would print the line of the error, and a secret with it.
///
/// ```
/// use quadrille::{GitHub, Google, KeyRing, Login, consumer::Client};
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     github: Client<GitHub>,
///     google: Option<Client<Google>>,
/// }
///
/// let config: Config = toml::from_str(
///     r#"
///     [github]
///     client_id = "our-id"
///     client_secret = "our-secret"
///     scopes = ["read:user", "gist"]
///
///     [google]
///     client_id = "our-id"
///     client_secret = "our-secret"
///     ofline = true
///     "#,
/// )?;
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example").with(config.github);
/// login.check()?;
/// let error = login.with(config.google.unwrap()).check().unwrap_err();
/// let told = "google.ofline: there is no such setting; did you mean \"offline\"?";
/// assert_eq!(error.to_string(), told);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<'de, S: Service> Deserialize<'de> for Client<S> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let place = Place::Section(S::SPEC.name.into());
        let read = match Setting::deserialize(deserializer)? {
            Setting::Table(entries) => read(entries, &place, None),
            _ => Err(section_expected(S::SPEC.name)),
        };
        Ok(read.unwrap_or_else(|fault| {
            let mut client = Self::new(SpecBuf::from(S::SPEC), "", Credential::Public);
            client.fault = Some(fault);
            client
        }))
    }
}

/// The error for a value in place of a section.
pub(crate) fn section_expected(path: &str) -> OperatorError {
    OperatorError::SettingMalformed { path: path.into(), expected: "a section (table)".into() }
}
