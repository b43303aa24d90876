//! Services with a ready description, a file each. A new one takes its file, its name in the two
//! lists below, a page in the guide, and a test of its peculiarities.

#[cfg(feature = "testing")]
pub(crate) mod manners;

/// Makes a service's type from its row: constructors, and the manners of a fake one.
macro_rules! service {
    (
        $(#[$doc:meta])*
        $service:ident,
        new: $arguments:tt,
        variables: [$($variable:literal),+],
        checked: $checked:literal,
        spec: $spec:expr,
        $(options: { $(
            $(#[$option_doc:meta])*
            $option:ident$(($argument:ident: $kind:ident))? => $apply:expr,
        )+ },)?
        manners: { $($manner:ident: $value:expr),* $(,)? },
    ) => {
        $(#[$doc])*
        ///
        #[doc = concat!("Checked ", $checked, ".")]
        ///
        /// ```
        #[doc = concat!("use quadrille::{", stringify!($service), ", KeyRing, Login};")]
        ///
        /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
        #[doc = concat!(
            "    .with(", stringify!($service), "::new(", arguments!($arguments), "));"
        )]
        /// ```
        #[derive(Clone, Copy, Debug)]
        pub struct $service;

        impl crate::consumer::Service for $service {
            const SPEC: crate::consumer::Spec = $spec.build();

            $(const OPTIONS: &'static [crate::consumer::ClientOption<Self>] = &[
                $(option!($option$(, $argument: $kind)?),)+
            ];)?
        }

        $(impl crate::consumer::Client<$service> {
            $(method! {
                $(#[$option_doc])*
                $service, $option$(($argument: $kind))? => $apply
            })+
        })?

        impl $service {
            new!($arguments);

            /// The application as registered at the service, from these variables:
            ///
            $(#[doc = concat!("* `", $variable, "`")])+
            ///
            /// Scopes and options have variables, too: see
            /// [`Service::client_from_env`](crate::consumer::Service::client_from_env).
            ///
            /// # Errors
            /// [`OperatorError::VariableMissing`](crate::consumer::OperatorError::VariableMissing)
            /// with the name of the first missing variable, and others for a wrong value.
            pub fn from_env() -> crate::Result<crate::consumer::Client<Self>> {
                <Self as crate::consumer::Service>::client_from_env()
            }
        }

        #[cfg(feature = "testing")]
        impl crate::consumer::presets::manners::Emulated for $service {
            const MANNERS: crate::consumer::presets::manners::Manners = {
                #[allow(unused_imports, reason = "not every service needs all of them")]
                use crate::consumer::presets::manners::{Answers, Denial, Manners, Refresh};
                #[allow(unused_imports, reason = "not every token expires")]
                use std::time::Duration;
                Manners { $($manner: $value,)* ..Manners::STANDARD }
            };
        }

        #[cfg(feature = "testing")]
        impl $service {
            pub(crate) const ROW: crate::consumer::presets::manners::Row =
                crate::consumer::presets::manners::Row::of::<Self>(
                    stringify!($service),
                    &[$($variable),+],
                    $checked,
                    &[$($(stringify!($option)),+)?],
                );
        }
    };
}

/// Arguments of a constructor, for an example.
macro_rules! arguments {
    ((id, secret)) => {
        "\"our-id\", \"our-secret\""
    };
    ((key, secret)) => {
        "\"our-key\", \"our-secret\""
    };
    ((base_url, key, rsa_key)) => {
        "\"https://jira.example\", \"our-key\", \"/etc/app/key.pem\""
    };
}

/// The constructor of a service.
macro_rules! new {
    ((id, secret)) => {
        /// The application as registered at the service: its identifier and its secret.
        pub fn new(
            id: impl Into<String>,
            secret: impl Into<crate::Secret>,
        ) -> crate::consumer::Client<Self> {
            <Self as crate::consumer::Service>::client(id, secret)
        }
    };
    ((key, secret)) => {
        /// The application as registered at the service: its key and its secret.
        pub fn new(
            key: impl Into<String>,
            secret: impl Into<crate::Secret>,
        ) -> crate::consumer::Client<Self> {
            <Self as crate::consumer::Service>::client(key, secret)
        }
    };
    ((base_url, key, rsa_key)) => {
        /// The application as registered at the installation at `base_url` (see
        /// [`Client::hosted_at`](crate::consumer::Client::hosted_at)): its consumer key there, and
        /// its private key as PEM or the path of a PEM file.
        pub fn new(
            base_url: impl Into<std::borrow::Cow<'static, str>>,
            key: impl Into<String>,
            rsa_key: impl Into<crate::Secret>,
        ) -> crate::consumer::Client<Self> {
            <Self as crate::consumer::Service>::client_with_key(key, rsa_key).hosted_at(base_url)
        }
    };
}

/// An option of a service as a setting.
macro_rules! option {
    ($name:ident) => {
        crate::consumer::ClientOption::flag(stringify!($name), |client| client.$name())
    };
    ($name:ident, $argument:ident: text) => {
        crate::consumer::ClientOption::text(stringify!($name), |client, text| client.$name(text))
    };
    ($name:ident, $argument:ident: $words:ident) => {
        crate::consumer::ClientOption::word(stringify!($name), $words::WORDS, |client, word| {
            Some(client.$name($words::from_word(word)?))
        })
    };
}

/// An option of a service as a method of its client.
macro_rules! method {
    ($(#[$doc:meta])* $service:ident, $name:ident => $apply:expr) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(self) -> Self {
            let apply: fn(Self) -> Self = $apply;
            apply(self)
        }
    };
    ($(#[$doc:meta])* $service:ident, $name:ident($argument:ident: text) => $apply:expr) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(self, $argument: impl Into<String>) -> Self {
            let apply: fn(Self, String) -> Self = $apply;
            apply(self, $argument.into())
        }
    };
    (
        $(#[$doc:meta])*
        $service:ident, $name:ident($argument:ident: $words:ident) => $apply:expr
    ) => {
        $(#[$doc])*
        #[must_use]
        pub fn $name(self, $argument: $words) -> Self {
            let apply: fn(Self, $words) -> Self = $apply;
            apply(self, $argument)
        }
    };
}

/// The values of an option that has few, each a word of the service.
macro_rules! words {
    (
        $(#[$doc:meta])*
        $name:ident { $first:ident = $first_word:literal, $($variant:ident = $word:literal,)* }
    ) => {
        $(#[$doc])*
        ///
        /// ```
        #[doc = concat!("use quadrille::consumer::", stringify!($name), ";")]
        ///
        #[doc = concat!(
            "assert_eq!(", stringify!($name), "::", stringify!($first), ".as_str(), \"",
            $first_word, "\");"
        )]
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            #[doc = concat!("`", $first_word, "`")]
            $first,
            $(#[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            /// The words of the service.
            pub(crate) const WORDS: &'static [&'static str] = &[$first_word, $($word),*];

            /// The word of the service.
            pub const fn as_str(self) -> &'static str {
                match self {
                    Self::$first => $first_word,
                    $(Self::$variant => $word,)*
                }
            }

            /// The value with this word.
            pub(crate) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $first_word => Some(Self::$first),
                    $($word => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }
    };
}

mod apple;
mod atlassian;
mod authentiq;
mod dexcom;
mod digitalocean;
mod discord;
mod douban;
mod dropbox;
mod facebook;
mod fitbit;
mod github;
mod gitlab;
mod google;
mod heroku;
#[cfg(feature = "rsa-sha1")]
mod jira;
mod linkedin;
mod meetup;
mod microsoft;
mod nylas;
mod openstreetmap;
mod orcid;
mod reddit;
mod salesforce;
mod slack;
mod spotify;
mod strava;
mod twitch;
mod twitter;
mod weibo;
mod x;
mod zoho;

/// The exports of the services, and their table for tests.
macro_rules! services {
    ($($(#[$feature:meta])* $file:ident::$service:ident,)+) => {
        $($(#[$feature])* pub use $file::$service;)+

        /// The services that settings may name.
        pub(crate) const KNOWN: &[crate::consumer::settings::Known] =
            &[$($(#[$feature])* crate::consumer::settings::Known::of::<$service>(),)+];

        impl crate::consumer::Spec {
            /// The services that this crate describes, in the order of their types.
            ///
            /// ```
            /// use quadrille::Spec;
            ///
            /// assert!(Spec::known().iter().any(|spec| spec.name == "github"));
            /// ```
            pub const fn known() -> &'static [Self] {
                &[$($(#[$feature])* <$service as crate::consumer::Service>::SPEC,)+]
            }
        }

        #[cfg(feature = "testing")]
        pub(crate) const ROWS: &[crate::consumer::presets::manners::Row] =
            &[$($(#[$feature])* $service::ROW,)+];
    };
}

/// The types of options' values.
pub(crate) mod words {
    pub use super::{
        discord::DiscordPrompt, dropbox::DropboxRole, microsoft::MicrosoftPrompt,
        zoho::ZohoDataCenter,
    };
}

services! {
    apple::Apple,
    atlassian::Atlassian,
    authentiq::Authentiq,
    dexcom::Dexcom,
    digitalocean::DigitalOcean,
    discord::Discord,
    douban::Douban,
    dropbox::Dropbox,
    facebook::Facebook,
    fitbit::Fitbit,
    github::GitHub,
    gitlab::GitLab,
    google::Google,
    heroku::Heroku,
    #[cfg(feature = "rsa-sha1")]
    jira::Jira,
    linkedin::LinkedIn,
    meetup::Meetup,
    microsoft::Microsoft,
    nylas::Nylas,
    nylas::NylasV2,
    openstreetmap::OpenStreetMap,
    orcid::Orcid,
    reddit::Reddit,
    salesforce::Salesforce,
    slack::Slack,
    slack::SlackApp,
    slack::SlackClassic,
    spotify::Spotify,
    strava::Strava,
    twitch::Twitch,
    twitter::Twitter,
    weibo::Weibo,
    x::X,
    zoho::Zoho,
}
