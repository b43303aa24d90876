//! Access tokens whose text the application made, or another server: they carry no number, and are
//! found by their hash.

use crate::{
    oauth2::bearer,
    provider::{
        error::{Error, OperatorError},
        server::Inner,
        store::{AccessRecord, SecretHash},
    },
};

use super::{
    format::{self, NoToken, TokenKeys, sha256},
    text_error::TokenTextError,
};

/// The fewest characters of a text: 128 bits in base64url.
const SHORTEST: usize = 22;

/// The most characters of a text, which fit into a header.
const LONGEST: usize = 4096;

/// The space of [`OnceKeys::remember_once`](crate::provider::store::OnceKeys::remember_once).
const SPACE: &str = "access token text";

/// The hash of a text that can be an access token.
pub(super) fn check(keys: &TokenKeys, text: &str) -> Result<SecretHash, TokenTextError> {
    if !(SHORTEST..=LONGEST).contains(&text.len()) {
        return Err(TokenTextError::Length);
    }
    if !bearer::is_token(text) {
        return Err(TokenTextError::Characters);
    }
    // Such a text would be looked up by the number in it.
    if format::has_own_form(text) || keys.read_access(text) != Err(NoToken::Foreign) {
        return Err(TokenTextError::OfTheServer);
    }
    Ok(sha256(text.as_bytes()))
}

/// Stores an access token under the hash of its text, before it is issued: one that is not issued
/// then was told to nobody.
pub(super) async fn store(inner: &Inner, access: &AccessRecord) -> Result<(), Error> {
    let issuer = inner.issuer_id().await?;
    if !inner.store.remember_once(issuer, SPACE, access.hash, access.expires).await? {
        return Err(OperatorError::TokenText(TokenTextError::Repeated).into());
    }
    let access = AccessRecord { row: inner.row().await?, ..access.clone() };
    Ok(inner.store.import(issuer, access).await?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        KeyRing,
        provider::{
            store::RowId,
            token::{
                format::{TokenKind, TokenSecret},
                prefix::TokenPrefix,
            },
        },
    };

    #[test]
    fn a_text_is_accepted_that_fits_a_header_and_is_no_token_of_ours() {
        let keys = TokenKeys::new(&KeyRing::ephemeral(), "https://id.example");
        let secret = TokenSecret::new([7; 32]);
        let ours = |kind| keys.write(kind, RowId(1), &secret);
        let prefix = TokenPrefix::new("acme_at_").unwrap();
        let refresh = keys.first_refresh(RowId(1), secret.clone());
        for (text, expected) in [
            ("acme_0123456789abcdefgh", Ok(())),
            ("a.b-c~d+e/f_0123456789==", Ok(())),
            (&"a".repeat(61), Ok(())),
            (&"a".repeat(60), Err(TokenTextError::OfTheServer)),
            (&"a".repeat(4096), Ok(())),
            (&"a".repeat(4097), Err(TokenTextError::Length)),
            ("acme_0123456789abcdef", Err(TokenTextError::Length)),
            ("acme 0123456789abcdefgh", Err(TokenTextError::Characters)),
            ("acme|0123456789abcdefgh", Err(TokenTextError::Characters)),
            ("acme=0123456789abcdefgh", Err(TokenTextError::Characters)),
            ("acme-0123456789abcdefgé", Err(TokenTextError::Characters)),
            ("======================", Err(TokenTextError::Characters)),
            (ours(TokenKind::Access).as_str(), Err(TokenTextError::OfTheServer)),
            (ours(TokenKind::Code).as_str(), Err(TokenTextError::OfTheServer)),
            (
                ours(TokenKind::Access).behind(Some(&prefix)).as_str(),
                Err(TokenTextError::OfTheServer),
            ),
            (refresh.write(None).as_str(), Err(TokenTextError::OfTheServer)),
            (refresh.write(Some(&prefix)).as_str(), Err(TokenTextError::OfTheServer)),
        ] {
            assert_eq!(check(&keys, text).map(drop), expected, "{text}");
        }
    }
}
