//! Parsing the values of settings.

use std::{
    collections::BTreeMap,
    fmt,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use quadrille::{
    Scopes, Secret,
    jose::Rotation,
    oauth2::Resources,
    provider::{AccessTokenFormat, TokenPrefixes},
};
use toml::{Table, Value};
use tracing_subscriber::filter::{LevelFilter, Targets};

use crate::issuer::Issuer;

pub use super::expected::Expected;

/// A network in CIDR notation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, or a single address.
    ///
    /// # Errors
    /// [`Expected::Networks`].
    pub fn parse(text: &str) -> Result<Self, Expected> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.trim().parse().map_err(|_| Expected::Networks)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix.trim().parse().map_err(|_| Expected::Networks)?,
            None => most,
        };
        if prefix > most { Err(Expected::Networks) } else { Ok(Self { address, prefix }) }
    }

    /// Whether `address` lies in the network. An IPv4-mapped IPv6 address counts as the IPv4
    /// address.
    pub fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let differ = u32::from(network) ^ u32::from(address);
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let differ = u128::from(network) ^ u128::from(address);
                differ.leading_zeros() >= u32::from(self.prefix)
            }
            _ => false,
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

/// The header in which a trusted proxy names the client's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// `X-Forwarded-For`: addresses, separated by commas.
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl ProxyHeader {
    /// The name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::XForwardedFor => "x-forwarded-for",
            Self::Forwarded => "forwarded",
        }
    }
}

impl fmt::Display for ProxyHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// The format of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// An object on each line.
    Json,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
        })
    }
}

pub(super) fn path(value: &Value) -> Result<PathBuf, Expected> {
    match value.as_str() {
        Some(text) if !text.is_empty() => Ok(text.into()),
        _ => Err(Expected::Path),
    }
}

pub(super) fn address(value: &Value) -> Result<SocketAddr, Expected> {
    let text = value.as_str().ok_or(Expected::Address)?;
    text.parse().map_err(|_| Expected::Address)
}

pub(super) fn issuer(value: &Value) -> Result<Issuer, Expected> {
    Issuer::parse(value.as_str().ok_or(Expected::Issuer)?).map_err(|_| Expected::Issuer)
}

pub(super) fn name(value: &Value) -> Result<String, Expected> {
    match value.as_str().map(str::trim) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(Expected::Name),
    }
}

pub(super) fn networks(value: &Value) -> Result<Vec<Network>, Expected> {
    list(value, Expected::Networks)?.iter().map(|text| Network::parse(text)).collect()
}

pub(super) fn secret(value: &Value) -> Result<Secret, Expected> {
    value.as_str().map(Secret::from).ok_or(Expected::Keys)
}

pub(super) fn scopes(value: &Value) -> Result<BTreeMap<String, String>, Expected> {
    let pairs: Vec<(String, String)> = match value {
        Value::Table(table) => table
            .iter()
            .map(|(name, text)| text.as_str().map(|text| (name.clone(), text.to_owned())))
            .collect::<Option<_>>()
            .ok_or(Expected::Scopes)?,
        Value::String(text) => {
            let mut pairs = Vec::new();
            for part in text.split(';').filter(|part| !part.trim().is_empty()) {
                match part.split_once('=') {
                    // `a=A,b=B` and `a,b=B` name two scopes with the wrong separator. `{a="A"}` is
                    // the syntax of the TOML file.
                    Some((name, text)) if name.contains([',', '{']) || begins_another(text) => {
                        return Err(Expected::Scopes);
                    }
                    // A description may contain `=`: the first one separates.
                    Some((name, text)) => {
                        pairs.push((name.trim().to_owned(), text.trim().to_owned()));
                    }
                    None => pairs.extend(undescribed(part.split(','))),
                }
            }
            pairs
        }
        Value::Array(_) => {
            let names = list(value, Expected::Scopes)?;
            undescribed(names.iter().map(String::as_str)).collect()
        }
        _ => return Err(Expected::Scopes),
    };
    let one = |name: &str| Scopes::parse(name).is_ok_and(|scopes| scopes.as_str() == name);
    if pairs.iter().any(|(name, _)| name.is_empty() || name.contains(' ') || !one(name)) {
        return Err(Expected::Scopes);
    }
    Ok(pairs.into_iter().collect())
}

/// Scopes with their names as descriptions.
fn undescribed<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = (String, String)> {
    names.map(|name| (name.trim().to_owned(), name.trim().to_owned()))
}

/// Whether this description continues with the name of another scope.
fn begins_another(text: &str) -> bool {
    let before_equals = text.split('=').rev().skip(1);
    let last = before_equals.filter_map(|text| text.rsplit_once(',')).map(|(_, name)| name.trim());
    last.into_iter().any(|name| !name.is_empty() && !name.contains(' '))
}

pub(super) fn resources(value: &Value) -> Result<Resources, Expected> {
    let uris = list(value, Expected::Resources)?;
    Resources::of(uris.iter().map(String::as_str)).map_err(|_| Expected::Resources)
}

pub(super) fn scope_names(value: &Value) -> Result<Scopes, Expected> {
    let names = list(value, Expected::ScopeNames)?;
    Scopes::parse(&names.join(" ")).map_err(|_| Expected::ScopeNames)
}

pub(super) fn duration(value: &Value) -> Result<Duration, Expected> {
    any_duration(value).and_then(lifetime)
}

/// A duration, or zero for none.
pub(super) fn duration_or_none(value: &Value) -> Result<Duration, Expected> {
    any_duration(value).map_err(|_| Expected::DurationOrNone)
}

fn any_duration(value: &Value) -> Result<Duration, Expected> {
    match value {
        Value::Integer(seconds) => parse_duration(&seconds.to_string()),
        Value::String(text) => parse_duration(text),
        _ => Err(Expected::Duration),
    }
}

/// The time between two rotations of keys that are published for a day before they sign.
pub(super) fn rotation_period(value: &Value) -> Result<Duration, Expected> {
    let period = duration(value).map_err(|_| Expected::RotationPeriod)?;
    if period < Rotation::default().ahead { Err(Expected::RotationPeriod) } else { Ok(period) }
}

/// Reads a duration as [`parse_duration`] does, except zero.
///
/// # Errors
/// [`Expected::Duration`].
pub fn parse_lifetime(text: &str) -> Result<Duration, Expected> {
    parse_duration(text).and_then(lifetime)
}

fn lifetime(duration: Duration) -> Result<Duration, Expected> {
    if duration.is_zero() { Err(Expected::Duration) } else { Ok(duration) }
}

/// Reads `90s`, `15m`, `12h` or `30d`; bare numbers are seconds.
///
/// # Errors
/// [`Expected::Duration`].
pub fn parse_duration(text: &str) -> Result<Duration, Expected> {
    let text = text.trim();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor = match text.strip_prefix(digits) {
        Some("" | "s") => 1,
        Some("m") => 60,
        Some("h") => 3600,
        Some("d") => 86400,
        _ => return Err(Expected::Duration),
    };
    let number: u64 = digits.trim().parse().map_err(|_| Expected::Duration)?;
    // At most a hundred years: a greater value is a mistake, and would overflow the stored seconds.
    match number.checked_mul(factor) {
        Some(seconds @ 0..=3_155_760_000) => Ok(Duration::from_secs(seconds)),
        _ => Err(Expected::Duration),
    }
}

pub(super) fn count(value: &Value) -> Result<usize, Expected> {
    let number = match value {
        Value::Integer(number) => usize::try_from(*number).ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.filter(|number| (1..=1_000_000).contains(number)).ok_or(Expected::Count)
}

/// A table, or the text of one in the syntax of the file.
pub(super) fn table(value: &Value, expected: Expected) -> Result<Table, Expected> {
    let read = |text: &str| {
        let mut line: Table = toml::from_str(&format!("value = {text}")).ok()?;
        (line.len() == 1).then(|| line.remove("value")).flatten()
    };
    match value {
        Value::Table(table) => Ok(table.clone()),
        Value::String(text) => match read(text.trim()) {
            Some(Value::Table(table)) => Ok(table),
            _ => Err(expected),
        },
        _ => Err(expected),
    }
}

pub(super) fn switch(value: &Value) -> Result<bool, Expected> {
    match value {
        Value::Boolean(on) => Ok(*on),
        Value::String(text) => text.trim().parse().map_err(|_| Expected::Switch),
        _ => Err(Expected::Switch),
    }
}

pub(super) fn targets(value: &Value) -> Result<Targets, Expected> {
    let text = value.as_str().ok_or(Expected::Targets)?;
    // The parser takes a single word for the name of a module, so `inof` would log nothing else.
    let mut words = text.split(',').filter(|part| !part.contains('='));
    if !words.all(|word| word.trim().is_empty() || word.trim().parse::<LevelFilter>().is_ok()) {
        return Err(Expected::Targets);
    }
    text.parse().map_err(|_| Expected::Targets)
}

pub(super) fn proxy_header(value: &Value) -> Result<ProxyHeader, Expected> {
    let text = value.as_str().map(str::to_ascii_lowercase);
    match text.as_deref().map(str::trim) {
        Some("x-forwarded-for") => Ok(ProxyHeader::XForwardedFor),
        Some("forwarded") => Ok(ProxyHeader::Forwarded),
        _ => Err(Expected::ProxyHeader),
    }
}

pub(super) fn access_token_format(value: &Value) -> Result<AccessTokenFormat, Expected> {
    match value.as_str() {
        Some("opaque") => Ok(AccessTokenFormat::Opaque),
        Some("jwt") => Ok(AccessTokenFormat::Jwt),
        _ => Err(Expected::AccessTokenFormat),
    }
}

pub(super) fn show_access_token_format(format: &AccessTokenFormat) -> String {
    match format {
        AccessTokenFormat::Jwt => "jwt".to_owned(),
        _ => "opaque".to_owned(),
    }
}

/// The name with which the prefixes of tokens begin, and the prefixes.
pub(super) fn token_prefix(value: &Value) -> Result<(String, TokenPrefixes), Expected> {
    let name = value.as_str().ok_or(Expected::TokenPrefix)?;
    let prefixes = TokenPrefixes::of(name).map_err(|_| Expected::TokenPrefix)?;
    Ok((name.to_owned(), prefixes))
}

pub(super) fn log_format(value: &Value) -> Result<LogFormat, Expected> {
    match value.as_str() {
        Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        _ => Err(Expected::LogFormat),
    }
}

#[expect(clippy::ptr_arg, reason = "has the shape of the other show functions")]
pub(super) fn show_path(path: &PathBuf) -> String {
    path.display().to_string()
}

/// A list, or a text separated by commas or semicolons.
pub(super) fn list(value: &Value, expected: Expected) -> Result<Vec<String>, Expected> {
    match value {
        Value::Array(values) => values
            .iter()
            .map(|value| value.as_str().map(|text| text.trim().to_owned()).ok_or(expected))
            .collect(),
        Value::String(text) => {
            // A semicolon separates scopes only, and cannot be in another value.
            let parts = text.split([',', ';']).map(str::trim).filter(|part| !part.is_empty());
            Ok(parts.map(str::to_owned).collect())
        }
        _ => Err(expected),
    }
}
