//! Prefixes of tokens, by which scanners recognize tokens that leaked into public code.
//!
//! ```text
//! acme_pat_ | the token, 60 or 87 characters | checksum 6
//! ```
//!
//! The checksum is the CRC-32 of all characters before it, in base 62: a scanner tells a token from
//! a text that looks like one without asking the server.

use std::sync::Arc;

/// The length of the checksum.
const CHECKSUM: usize = 6;

const DIGITS: [u8; 62] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The prefix of tokens, for scanners that search public code for leaked secrets: small letters,
/// digits and underscores, beginning with a letter and ending with an underscore.
///
/// ```
/// use quadrille::provider::TokenPrefix;
///
/// assert_eq!(TokenPrefix::new("acme_pat_")?.as_str(), "acme_pat_");
/// assert!(TokenPrefix::new("acme").is_err());
/// # Ok::<(), quadrille::provider::InvalidTokenPrefix>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TokenPrefix(Arc<str>);

/// The text cannot be the prefix of tokens.
///
/// ```
/// use quadrille::provider::{InvalidTokenPrefix, TokenPrefix};
///
/// assert_eq!(TokenPrefix::new("Acme-"), Err(InvalidTokenPrefix));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a prefix of tokens is at most 32 small letters, digits and underscores, begins with a letter \
     and ends with an underscore"
)]
pub struct InvalidTokenPrefix;

impl TokenPrefix {
    /// The prefix with this text.
    ///
    /// # Errors
    /// [`InvalidTokenPrefix`].
    pub fn new(text: &str) -> Result<Self, InvalidTokenPrefix> {
        if is_prefix(text) { Ok(Self(text.into())) } else { Err(InvalidTokenPrefix) }
    }

    /// The text of the prefix.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_prefix(text: &str) -> bool {
    let is_of_a_name =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    text.len() <= 32
        && text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.ends_with('_')
        && text.bytes().all(is_of_a_name)
}

/// The prefixes of the tokens of a server: see [`AuthorizationServer::token_prefixes`].
///
/// ```
/// use quadrille::provider::{TokenPrefix, TokenPrefixes};
///
/// let prefixes = TokenPrefixes::of("acme")?; // acme_at_, acme_rt_, acme_pat_
/// let prefixes = prefixes.personal(TokenPrefix::new("acmep_")?);
/// # Ok::<(), quadrille::provider::InvalidTokenPrefix>(())
/// ```
///
/// [`AuthorizationServer::token_prefixes`]: crate::provider::AuthorizationServer::token_prefixes
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenPrefixes {
    pub(crate) access: Option<TokenPrefix>,
    pub(crate) refresh: Option<TokenPrefix>,
    pub(crate) personal: Option<TokenPrefix>,
}

impl TokenPrefixes {
    /// The prefixes that begin with a name: of `acme`, `acme_at_` for access tokens, `acme_rt_` for
    /// refresh tokens and `acme_pat_` for personal access tokens.
    ///
    /// # Errors
    /// [`InvalidTokenPrefix`].
    pub fn of(name: &str) -> Result<Self, InvalidTokenPrefix> {
        let prefix = |kind: &str| TokenPrefix::new(&format!("{name}_{kind}_")).map(Some);
        Ok(Self { access: prefix("at")?, refresh: prefix("rt")?, personal: prefix("pat")? })
    }

    /// Sets the prefix of opaque access tokens.
    #[must_use]
    pub fn access(self, prefix: TokenPrefix) -> Self {
        Self { access: Some(prefix), ..self }
    }

    /// Sets the prefix of refresh tokens.
    #[must_use]
    pub fn refresh(self, prefix: TokenPrefix) -> Self {
        Self { refresh: Some(prefix), ..self }
    }

    /// Sets the prefix of [personal access tokens](crate::provider::NewToken::personal).
    #[must_use]
    pub fn personal(self, prefix: TokenPrefix) -> Self {
        Self { personal: Some(prefix), ..self }
    }
}

/// The token behind a prefix, with its checksum.
pub(super) fn joined(TokenPrefix(prefix): &TokenPrefix, token: &str) -> String {
    let mut text = String::with_capacity(prefix.len() + token.len() + CHECKSUM);
    text.push_str(prefix);
    text.push_str(token);
    let sum = checksum(text.as_bytes());
    text.extend(sum.map(char::from));
    text
}

/// The prefix and the token behind it; `None` if the text has no prefix, or another checksum.
pub(super) fn split(text: &str) -> Option<(&str, &str)> {
    // No prefix has a capital, as the token behind it has: it begins with its kind.
    let end = text.find(|c: char| c.is_ascii_uppercase())?;
    let (prefix, _) = text.split_at_checked(end)?;
    let (before, sum) = text.split_at_checked(text.len().checked_sub(CHECKSUM)?)?;
    let token = before.get(end..)?;
    let is_whole = is_prefix(prefix) && checksum(before.as_bytes()) == sum.as_bytes();
    is_whole.then_some((prefix, token))
}

/// The CRC-32 (ISO 3309) in base 62, the greatest digit first.
fn checksum(bytes: &[u8]) -> [u8; CHECKSUM] {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
    }
    let mut rest = !crc;
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        let index = usize::try_from(rest % 62).unwrap_or_default();
        *digit = DIGITS.get(index).copied().unwrap_or(b'0');
        rest /= 62;
    }
    digits
}
