//! The application's registration at a service: from flags and environment variables.

use std::path::Path;

use quadrille::{
    Error, KeyRing, Login, Spec,
    consumer::{LoginSettings, MemoryStorage, OperatorError, Protocol},
};
use serde_json::{Map, Value, json};

use crate::{named_file, words::nearest};

use super::{error::LoginError, variable::variable};

/// The application's registration at one service, as settings of the library.
pub struct Registration {
    spec: Spec,
    settings: Map<String, Value>,
    /// The keys that came from the environment, where other programs may have variables, too.
    from_environment: Vec<String>,
}

impl Registration {
    /// The registration in the environment variables of a service, such as
    /// `GITHUB_OAUTH_CLIENT_ID`.
    ///
    /// # Errors
    /// [`LoginError::UnknownService`] and [`LoginError::OAuth1`].
    pub fn from_environment(service: &str) -> Result<Self, LoginError> {
        let find = |name: &str| Spec::known().iter().find(|spec| spec.name == name);
        let Some(spec) = find(service) else {
            let all = Spec::known().iter().map(|spec| spec.name);
            let nearest = nearest(&service.to_ascii_lowercase(), all).map(str::to_owned);
            return Err(LoginError::UnknownService { name: service.to_owned(), nearest });
        };
        if !matches!(spec.protocol, Protocol::OAuth2(_)) {
            return Err(LoginError::OAuth1(service.to_owned()));
        }
        let prefix = variable(service, "");
        let mut settings = Map::new();
        for (name, value) in std::env::vars_os() {
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if let Some(key) = name.strip_prefix(&prefix)
                && !value.is_empty()
            {
                settings.insert(key.to_ascii_lowercase(), value.into());
            }
        }
        let from_environment = settings.keys().cloned().collect();
        Ok(Self { spec: *spec, settings, from_environment })
    }

    /// The name of the service.
    pub fn service(&self) -> &'static str {
        self.spec.name
    }

    /// Sets a setting, which then does not come from the environment.
    pub fn set(&mut self, key: &str, value: &str) {
        self.from_environment.retain(|known| known != key);
        self.settings.insert(key.to_owned(), value.into());
    }

    /// Sets an option of the service, `KEY=VALUE`.
    ///
    /// # Errors
    /// [`LoginError::Option`], and [`LoginError::SecretOption`] for the secret.
    pub fn set_option(&mut self, option: &str) -> Result<(), LoginError> {
        let Some((key, value)) = option.split_once('=') else {
            return Err(LoginError::Option(option.to_owned()));
        };
        if key.trim() == "client_secret" {
            let variable = variable(self.spec.name, "CLIENT_SECRET");
            return Err(LoginError::SecretOption { variable });
        }
        self.set(key.trim(), value);
        Ok(())
    }

    /// Reads the secret from a file.
    ///
    /// # Errors
    /// [`LoginError::File`].
    pub fn read_secret(&mut self, path: &Path) -> Result<(), LoginError> {
        let text = named_file::text_or_pipe(path)
            .map_err(|error| LoginError::File { path: path.to_owned(), error })?;
        self.set("client_secret", text.trim());
        Ok(())
    }

    /// The login. Without a secret, the client is public.
    ///
    /// # Errors
    /// [`LoginError::NoClientId`], and [`LoginError::Login`] for a wrong setting.
    pub fn login(mut self) -> Result<Login, LoginError> {
        let service = self.spec.name;
        if !self.settings.contains_key("client_id") {
            let variable = variable(service, "CLIENT_ID");
            return Err(LoginError::NoClientId { service: service.to_owned(), variable });
        }
        if !self.settings.contains_key("client_secret") {
            self.settings.entry("public_client").or_insert(true.into());
        }
        loop {
            let settings =
                json!({ "public_url": "http://localhost", service: self.settings.clone() });
            let Ok(settings) = serde_json::from_value::<LoginSettings>(settings) else {
                return Err(LoginError::login(service, OperatorError::NoServices.into()));
            };
            let login = Login::from_settings(KeyRing::ephemeral(), settings);
            let login = login.storage(MemoryStorage::new());
            let Err(error) = login.check() else { return Ok(login) };
            match &error {
                Error::Operator(OperatorError::SettingUnknown { path, .. })
                    if self.forgets(path) => {}
                _ => return Err(LoginError::login(service, error)),
            }
        }
    }

    /// Removes an unknown setting that came from the environment.
    fn forgets(&mut self, path: &str) -> bool {
        let key = path.rsplit('.').next().unwrap_or(path).to_owned();
        let is_other = self.from_environment.contains(&key);
        is_other && self.settings.remove(&key).is_some()
    }
}

impl std::fmt::Debug for Registration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registration").field("service", &self.spec.name).finish_non_exhaustive()
    }
}
