//! The arguments that `client add` and `client edit` share: the rules of one client.

use std::time::Duration;

use clap::{Args, ValueEnum};
use quadrille::{
    Scopes,
    oauth1::SignatureMethod,
    provider::{AccessTokenFormat, Lifetimes, NewClient},
};

use crate::{
    Failure,
    config::{Expected, parse_duration, parse_method},
    data::Known,
};

use super::super::checks::{known_scopes, parse_scopes};

/// The rules of a client, in place of those of the server.
#[derive(Args, Debug)]
#[command(next_help_heading = "Rules of the client, in place of the settings")]
pub(super) struct RuleArgs {
    /// Scope of a request that names none, among the scopes of the client; repeatable [default:
    /// all of them]
    #[arg(long = "default-scope", value_name = "SCOPE")]
    default_scopes: Vec<String>,
    /// Lifetime of an authorization code, such as 30s; `default` for that of the settings
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    code_lifetime: Option<Lifetime>,
    /// Lifetime of an access token
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    access_token_lifetime: Option<Lifetime>,
    /// Longest time between two uses of a refresh token
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    refresh_token_idle_lifetime: Option<Lifetime>,
    /// Longest time after the consent in which the client may refresh tokens
    #[arg(long, value_name = "DURATION", value_parser = lifetime)]
    refresh_token_total_lifetime: Option<Lifetime>,
    /// Format of the client's access tokens; `default` for that of the settings
    #[arg(long, value_name = "FORMAT", value_enum)]
    access_token_format: Option<Format>,
    /// The client must use PKCE, also where the settings let clients omit it
    #[arg(long)]
    require_pkce: bool,
    /// The client may omit PKCE, as many older applications do: a code that leaks from the browser
    /// can then be used in the session of another user. The client must have a secret
    #[arg(
        long = "allow-without-pkce-so-that-a-leaked-code-can-be-injected",
        conflicts_with = "require_pkce"
    )]
    without_pkce: bool,
    /// Refresh tokens stay valid when they are used: a stolen one is not detected. The client must
    /// have a secret
    #[arg(long = "allow-refresh-tokens-without-rotation-so-that-a-stolen-one-stays-valid")]
    without_rotation: bool,
    /// Pattern of redirect URIs, such as https://*.preview.example.com/callback: everyone who gets
    /// one of these host names receives codes; repeatable
    #[arg(
        long = "redirect-uri-pattern-so-that-any-subdomain-receives-codes",
        value_name = "PATTERN"
    )]
    redirect_patterns: Vec<String>,
    /// Signature method of OAuth 1.0a that the client may use, by its name in the setting
    /// oauth1.signature_methods, which must have it, too; repeatable [default: all of the setting]
    #[arg(long = "oauth1-signature-method", value_name = "METHOD", value_parser = signature_method)]
    signature_methods: Vec<SignatureMethod>,
}

/// The ids of these arguments, for the group of changes.
pub(super) const RULES: [&str; 11] = [
    "default_scopes",
    "code_lifetime",
    "access_token_lifetime",
    "refresh_token_idle_lifetime",
    "refresh_token_total_lifetime",
    "access_token_format",
    "require_pkce",
    "without_pkce",
    "without_rotation",
    "redirect_patterns",
    "signature_methods",
];

/// A format of access tokens of the client's own, or that of the settings.
#[derive(ValueEnum, Clone, Copy, Debug)]
enum Format {
    /// Random texts, which APIs ask the provider about
    Opaque,
    /// JWTs, which APIs verify by themselves
    Jwt,
    /// The format that the settings say
    Default,
}

/// A lifetime of the client's own; `None` for that of the settings.
#[derive(Clone, Copy, Debug)]
struct Lifetime(Option<Duration>);

fn lifetime(text: &str) -> Result<Lifetime, String> {
    match text {
        "default" => Ok(Lifetime(None)),
        _ => parse_duration(text)
            .map(|lifetime| Lifetime(Some(lifetime)))
            .map_err(|expected| expected.to_string()),
    }
}

fn signature_method(name: &str) -> Result<SignatureMethod, String> {
    parse_method(name).ok_or_else(|| Expected::SignatureMethods.to_string())
}

impl RuleArgs {
    /// The default scopes, if any are named.
    pub(super) fn default_scopes(&self, known: &Known) -> Result<Option<Scopes>, Failure> {
        if self.default_scopes.is_empty() {
            return Ok(None);
        }
        let scopes = parse_scopes(&self.default_scopes)?;
        known_scopes(&scopes, known)?;
        Ok(Some(scopes))
    }

    /// `true` if patterns of redirect URIs are given.
    pub(super) const fn has_redirect_patterns(&self) -> bool {
        !self.redirect_patterns.is_empty()
    }

    /// The client with these rules. `before` has its lifetimes so far.
    pub(super) fn apply(
        &self,
        mut new: NewClient,
        before: Lifetimes,
        default_scopes: Option<&Scopes>,
    ) -> NewClient {
        if let Some(scopes) = default_scopes {
            new = new.default_scopes(scopes.clone());
        }
        let or = |given: Option<Lifetime>, before| given.map_or(before, |given| given.0);
        new = new.lifetimes(Lifetimes {
            code: or(self.code_lifetime, before.code),
            access_token: or(self.access_token_lifetime, before.access_token),
            refresh_token_idle: or(self.refresh_token_idle_lifetime, before.refresh_token_idle),
            refresh_token_total: or(self.refresh_token_total_lifetime, before.refresh_token_total),
        });
        if let Some(format) = self.access_token_format {
            new = new.access_token_format(match format {
                Format::Opaque => Some(AccessTokenFormat::Opaque),
                Format::Jwt => Some(AccessTokenFormat::Jwt),
                Format::Default => None,
            });
        }
        if self.require_pkce {
            new = new.require_pkce();
        }
        if self.without_pkce {
            new = new.allow_without_pkce_so_that_a_leaked_code_can_be_injected();
        }
        if self.without_rotation {
            new = new.allow_refresh_tokens_without_rotation_so_that_a_stolen_one_stays_valid();
        }
        for pattern in &self.redirect_patterns {
            new = new.redirect_uri_pattern_so_that_any_subdomain_receives_codes(pattern);
        }
        if !self.signature_methods.is_empty() {
            new = new.oauth1_methods(self.signature_methods.iter().copied());
        }
        new
    }
}
