//! The settings of a whole login.

use std::{fmt, time::Duration};

use serde::{Deserialize, Deserializer};

use crate::{
    KeyRing,
    consumer::{
        Login,
        error::OperatorError,
        presets,
        registration::Registration,
        service::{Entries, Place, Service, Setting, TEXT, nearest, section_expected},
    },
};

use super::known::Known;

/// What the difference between clocks is.
const SECONDS: &str = "a number of seconds";

/// The key of the service, where the section's name is another.
const SERVICE: &str = "service";
/// The keys of the login itself.
const OWN: [&str; 4] = ["public_url", "path", "pop_up", LEEWAY];
/// The key of the difference between clocks, the only one that is a number.
const LEEWAY: &str = "clock_leeway";

/// The settings of a whole login: its public URL, its path and its services, each a section. A
/// section is named as the service, or names it by `service` and is a second registration.
///
/// Reading never fails: [`Login::check`] reports a name of no service, or a wrong setting, by its
/// path.
///
/// ```
/// use quadrille::{GitHub, KeyRing, Login, consumer::LoginSettings};
///
/// #[derive(serde::Deserialize)]
/// struct Config {
///     login: LoginSettings,
/// }
///
/// let config: Config = toml::from_str(
///     r#"
///     [login]
///     public_url = "https://app.example"
///
///     [login.github]
///     client_id = "our-id"
///     client_secret = "our-secret"
///
///     [login.staff]
///     service = "gitlab"
///     base_url = "https://git.example"
///     client_id = "our-id-there"
///     client_secret = "our-secret-there"
///     "#,
/// )?;
/// let login = Login::from_settings(KeyRing::ephemeral(), config.login);
/// login.check()?;
/// assert_eq!(login.login_url("staff", None)?, "/login/staff");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LoginSettings {
    source: Source,
    known: Vec<Known>,
}

enum Source {
    Section(Entries),
    Variables,
    /// A value that is no section.
    Other,
}

impl LoginSettings {
    /// The settings in the environment: `LOGIN_PUBLIC_URL`, `LOGIN_PATH`, `LOGIN_POP_UP` and
    /// `LOGIN_CLOCK_LEEWAY` (in seconds), and each service whose identifier is set (`GITHUB_OAUTH_CLIENT_ID`), with its options
    /// (`GOOGLE_OAUTH_OFFLINE=true`).
    #[must_use]
    pub fn from_env() -> Self {
        Self { source: Source::Variables, known: presets::KNOWN.to_vec() }
    }

    /// Lets the settings name a service of your own.
    ///
    /// ```
    /// use quadrille::{KeyRing, Login, Service, Spec, consumer::LoginSettings};
    ///
    /// struct Gitea;
    /// impl Service for Gitea {
    ///     const SPEC: Spec = Spec::oauth2("gitea", "authorize", "token", "api/v1").build();
    /// }
    ///
    /// let settings: LoginSettings = toml::from_str(
    ///     r#"
    ///     public_url = "https://app.example"
    ///     [gitea]
    ///     base_url = "https://git.example"
    ///     client_id = "our-id"
    ///     client_secret = "our-secret"
    ///     "#,
    /// )?;
    /// Login::from_settings(KeyRing::ephemeral(), settings.with_service::<Gitea>()).check()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn with_service<S: Service>(mut self) -> Self {
        self.known.retain(|known| known.name != S::SPEC.name);
        self.known.push(Known::of::<S>());
        self
    }

    fn read(self) -> Result<Values, OperatorError> {
        let Self { source, known } = self;
        let mut registrations = Vec::new();
        let (place, mut entries) = match source {
            Source::Section(entries) => (Place::Section("".into()), entries),
            Source::Variables => {
                for known in &known {
                    if let Some(registration) = (known.from_environment)() {
                        registrations.push(registration?);
                    }
                }
                let place = Place::Variables("LOGIN_".into());
                let entries = place.in_environment(&OWN);
                if let Some((key, _)) = entries.iter().find(|(key, _)| !OWN.contains(&&**key)) {
                    return Err(place.unknown(key, &OWN));
                }
                (place, entries)
            }
            Source::Other => return Err(section_expected("login")),
        };
        let mut own = [None, None, None, None];
        for (key, value) in OWN.iter().zip(&mut own) {
            let Some(at) = entries.iter().position(|(name, _)| name == key) else { continue };
            let said = entries.remove(at).1;
            place.check_quotes(key, &said)?;
            *value = match said {
                Setting::Text(text) => Some(text.expose().to_owned()),
                Setting::Number(Some(number)) if *key == LEEWAY => Some(number.to_string()),
                _ if *key == LEEWAY => return Err(place.malformed(key, SECONDS)),
                _ => return Err(place.malformed(key, TEXT)),
            };
        }
        for (name, value) in entries {
            registrations.push(section(&known, &name, value)?);
        }
        let [public_url, path, pop_up, clock_leeway] = own;
        let public_url = public_url.ok_or_else(|| place.missing("public_url"))?;
        let seconds = clock_leeway.map(|text| text.parse().map(Duration::from_secs)).transpose();
        let clock_leeway = seconds.map_err(|_| place.malformed(LEEWAY, SECONDS))?;
        Ok(Values { public_url, path, pop_up, clock_leeway, registrations })
    }
}

/// The values of the settings.
struct Values {
    public_url: String,
    path: Option<String>,
    /// The origin of the page that opens a pop-up.
    pop_up: Option<String>,
    clock_leeway: Option<Duration>,
    registrations: Vec<Registration>,
}

/// The registration in a section.
fn section(known: &[Known], name: &str, value: Setting) -> Result<Registration, OperatorError> {
    let nearest_to = |said: &str| {
        let names: Vec<_> = known.iter().flat_map(Known::names).collect();
        let own = OWN.iter().map(|name| ((*name).to_owned(), *name));
        let all: Vec<_> = names.into_iter().chain(own).collect();
        let found = nearest(said, all.iter().map(|(name, _)| &**name));
        let found = all.iter().find(|(name, _)| Some(&**name) == found);
        found.map(|(_, name)| Box::from(*name))
    };
    let place = Place::Section(name.into());
    let Setting::Table(mut entries) = value else {
        return Err(match known.iter().any(|known| known.name == name) {
            true => section_expected(name),
            false => OperatorError::SettingUnknown { path: name.into(), nearest: nearest_to(name) },
        });
    };
    let service = entries.iter().position(|(key, _)| key == SERVICE);
    let service = match service.map(|at| entries.remove(at).1) {
        None => None,
        Some(Setting::Text(text)) => Some(text.expose().to_owned()),
        Some(_) => return Err(place.malformed(SERVICE, TEXT)),
    };
    let said = service.as_deref().unwrap_or(name);
    match known.iter().find(|known| known.name == said) {
        Some(known) => (known.read)(entries, &place, name),
        None => {
            let path = if service.is_some() { place.of(SERVICE) } else { name.into() };
            Err(OperatorError::SectionUnknown { path, nearest: nearest_to(said) })
        }
    }
}

impl<'de> Deserialize<'de> for LoginSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let source = match Setting::deserialize(deserializer)? {
            Setting::Table(entries) => Source::Section(entries),
            _ => Source::Other,
        };
        Ok(Self { source, known: presets::KNOWN.to_vec() })
    }
}

impl fmt::Debug for LoginSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sections: Vec<&str> = match &self.source {
            Source::Section(entries) => entries.iter().map(|(name, _)| &**name).collect(),
            Source::Variables | Source::Other => Vec::new(),
        };
        f.debug_struct("LoginSettings").field("sections", &sections).finish_non_exhaustive()
    }
}

impl Login {
    /// The login that these settings describe, which seals cookies and states with `keys`.
    ///
    /// [`Login::check`] and every page report a mistake in the settings.
    #[must_use]
    pub fn from_settings(keys: KeyRing, settings: LoginSettings) -> Self {
        match settings.read() {
            Ok(Values { public_url, path, pop_up, clock_leeway, registrations }) => {
                let login = Self::new(keys, public_url);
                let login = path.into_iter().fold(login, |login, path| login.at(&path));
                let login = pop_up.into_iter().fold(login, Self::pop_up);
                let login = clock_leeway.into_iter().fold(login, Self::clock_leeway);
                registrations.into_iter().fold(login, Self::with_registration)
            }
            Err(fault) => Self::new(keys, "").with_fault(fault),
        }
    }
}
