//! Options of services, each a method of the client and a key of its settings.

use std::fmt;

use super::{Client, setting::Setting};

/// An option of a service as a setting: its key in a file, which in capitals is the end of its
/// environment variable, the type of its value, and its effect on the client. A service of your own
/// lists them in [`Service::OPTIONS`](crate::Service::OPTIONS).
///
/// ```
/// use quadrille::{KeyRing, Login, Service, Spec, consumer::{Client, ClientOption}};
///
/// struct Gitea;
/// impl Service for Gitea {
///     const SPEC: Spec = Spec::oauth2("gitea", "authorize", "token", "api/v1").build();
///     const OPTIONS: &'static [ClientOption<Self>] = &[
///         ClientOption::flag("ask_again", |client| client.parameter("prompt", "consent")),
///         ClientOption::text("user", |client, user| client.parameter("login_hint", user)),
///     ];
/// }
///
/// let gitea: Client<Gitea> = toml::from_str(
///     r#"
///     client_id = "our-id"
///     client_secret = "our-secret"
///     base_url = "https://git.example"
///     ask_again = true
///     "#,
/// )?;
/// Login::new(KeyRing::ephemeral(), "https://app.example").with(gitea).check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientOption<S> {
    name: &'static str,
    apply: Apply<S>,
}

type Pairs = Vec<(String, String)>;

enum Apply<S> {
    Flag(fn(Client<S>) -> Client<S>),
    Text(fn(Client<S>, String) -> Client<S>),
    Word(&'static [&'static str], fn(Client<S>, &str) -> Option<Client<S>>),
    List(fn(Client<S>, Vec<String>) -> Client<S>),
    Table(fn(Client<S>, Pairs) -> Client<S>),
}

impl<S> ClientOption<S> {
    /// An option that is on or off: `true` applies it, `false` is its default.
    pub const fn flag(name: &'static str, apply: fn(Client<S>) -> Client<S>) -> Self {
        Self { name, apply: Apply::Flag(apply) }
    }

    /// An option with a text, which is not empty.
    pub const fn text(name: &'static str, apply: fn(Client<S>, String) -> Client<S>) -> Self {
        Self { name, apply: Apply::Text(apply) }
    }

    /// An option with one of `words`. `apply` returns `None` for any other.
    pub const fn word(
        name: &'static str,
        words: &'static [&'static str],
        apply: fn(Client<S>, &str) -> Option<Client<S>>,
    ) -> Self {
        Self { name, apply: Apply::Word(words, apply) }
    }

    /// An option with a list of texts, or a text of words that are separated by spaces.
    pub const fn list(name: &'static str, apply: fn(Client<S>, Vec<String>) -> Client<S>) -> Self {
        Self { name, apply: Apply::List(apply) }
    }

    /// An option with a table of texts. The environment has no tables.
    pub(crate) const fn table(
        name: &'static str,
        apply: fn(Client<S>, Pairs) -> Client<S>,
    ) -> Self {
        Self { name, apply: Apply::Table(apply) }
    }

    /// The key of the option.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// The client with this value of the option.
    ///
    /// # Errors
    /// The description of the values that the option has.
    pub(crate) fn apply(&self, client: Client<S>, value: Setting) -> Result<Client<S>, String> {
        match &self.apply {
            Apply::Flag(apply) => match flag(&value) {
                Some(true) => Ok(apply(client)),
                Some(false) => Ok(client),
                None => Err("true or false".to_owned()),
            },
            Apply::Text(apply) => match value {
                Setting::Text(text) if !text.expose().trim().is_empty() => {
                    match text.expose().trim() == text.expose() {
                        true => Ok(apply(client, text.expose().to_owned())),
                        false => Err("without spaces or a line break around it".to_owned()),
                    }
                }
                _ => Err(TEXT.to_owned()),
            },
            Apply::Word(words, apply) => {
                let expected = || {
                    let words: Vec<_> = words.iter().map(|word| format!("{word:?}")).collect();
                    words.join(" or ")
                };
                match value {
                    Setting::Text(text) => apply(client, text.expose()).ok_or_else(expected),
                    _ => Err(expected()),
                }
            }
            Apply::List(apply) => {
                let expected = || "a list of texts, or a text with spaces between them".to_owned();
                Ok(apply(client, list(value).ok_or_else(expected)?))
            }
            Apply::Table(apply) => {
                let expected = || "a table of texts".to_owned();
                Ok(apply(client, table(value).ok_or_else(expected)?))
            }
        }
    }
}

/// The description of a text's values.
pub(crate) const TEXT: &str = "a text in quotation marks that is not empty";

/// A flag of a file, or of the environment, whose values are texts.
pub(crate) fn flag(value: &Setting) -> Option<bool> {
    match value {
        Setting::Flag(flag) => Some(*flag),
        Setting::Text(text) => text.expose().parse().ok(),
        _ => None,
    }
}

fn list(value: Setting) -> Option<Vec<String>> {
    let text = |value| match value {
        Setting::Text(text) => Some(text.expose().to_owned()),
        _ => None,
    };
    match value {
        Setting::Text(text) => Some(text.expose().split(' ').map(str::to_owned).collect()),
        Setting::List(items) => items.into_iter().map(text).collect(),
        _ => None,
    }
}

fn table(value: Setting) -> Option<Pairs> {
    let Setting::Table(entries) = value else { return None };
    let pair = |(name, value)| match value {
        Setting::Text(text) => Some((name, text.expose().to_owned())),
        _ => None,
    };
    entries.into_iter().map(pair).collect()
}

impl<S> fmt::Debug for ClientOption<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientOption").field("name", &self.name).finish_non_exhaustive()
    }
}
