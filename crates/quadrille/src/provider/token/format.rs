//! The tokens that this server writes, each of which carries the number of its row.
//!
//! ```text
//! refresh     kind+version 1 | key id 4 | family 8, generation 4, masked | secret 32 | MAC 16
//! the others  kind+version 1 | key id 4 | row 8, masked                  | secret 32
//! ```
//!
//! in base64url without padding: 87 and 60 characters, perhaps behind a [prefix](super::prefix). The
//! mask (AES of the first half of the secret, which occurs once) hides the row's number, and so the time and order of issue. Only the
//! SHA-256 of the secret is stored. The MAC proves that a refresh token is genuine, so that an old
//! one, which no row knows any longer, is recognised as copied.
//!
//! An access token can be a JWT, whose `jti` has the second form; the SHA-256 of all of it is
//! stored, as of an access token with a prefix.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

use std::sync::Arc;

use crate::{
    KeyRing, Timestamp,
    digest::first_half,
    provider::store::{RowId, SecretHash, TicketId},
    seal::{KeyId, Keys, MacKey, MaskKey, Named},
};

use super::{
    prefix::{self, TokenPrefix},
    text::TokenText,
};

pub(crate) use crate::digest::sha256;

/// 256 bits, random or derived.
pub(crate) type TokenSecret = Zeroizing<[u8; 32]>;

const VERSION: u8 = 1;
const HEAD: usize = 1 + 4;
const ROW: usize = 8;
const PLACE: usize = ROW + 4;
const SECRET: usize = 32;
const MAC: usize = 16;
const SHORT: usize = HEAD + ROW + SECRET;
/// The length of a payload's begin, `{"jti":"..."`.
const JTI: usize = 8 + SHORT / 3 * 4 + 1;
const LONG: usize = HEAD + PLACE + SECRET + MAC;

/// The kind of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Code,
    Refresh,
    /// The identifier of temporary credentials.
    Temporary,
    /// The identifier of token credentials.
    Credential,
    /// The `jti` of an access token that is a JWT. It opens nothing.
    JwtId,
    /// A device code (RFC 8628, section 3.2).
    Device,
}

/// The reason why a text is none of our tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NoToken {
    #[error("not in the form of our tokens")]
    Foreign,
    #[error("a token of another kind")]
    OtherKind,
    #[error("made under a key that is not in the ring")]
    UnknownKey,
    #[error("forged or damaged")]
    Forged,
}

/// A token other than a refresh token, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Presented {
    pub(crate) row: RowId,
    pub(crate) hash: SecretHash,
}

/// A genuine refresh token; its row says whether it is current.
#[derive(Clone)]
pub(crate) struct Refresh {
    pub(crate) family: RowId,
    pub(crate) generation: u32,
    pub(crate) secret: TokenSecret,
    /// The key under which it was, or will be, written.
    key: Arc<TokenKey>,
}

/// The keys that write and read the tokens of one issuer.
#[derive(Clone)]
pub(crate) struct TokenKeys(Arc<Keys<Arc<TokenKey>>>);

/// The keys derived from one key of the ring.
pub(crate) struct TokenKey {
    id: KeyId,
    mask: MaskKey,
    genuine: MacKey,
    successor: MaskKey,
    code: MacKey,
    user_code: MacKey,
}

impl Named for Arc<TokenKey> {
    fn id(&self) -> KeyId {
        self.id
    }
}

impl TokenKey {
    /// The id that refers to this key.
    pub(crate) fn id(&self) -> KeyId {
        self.id
    }

    /// The secret of the code for the consent page with this ticket: deterministic, so a double
    /// click gets one redirect.
    pub(crate) fn code_secret(&self, ticket: &TicketId) -> TokenSecret {
        TokenSecret::new(self.code.mac(&[ticket]))
    }

    /// The secret of the verifier for the temporary credentials in this row: deterministic for the
    /// same reason.
    pub(crate) fn verifier_secret(&self, temporary: RowId) -> TokenSecret {
        // No ticket has this length.
        TokenSecret::new(self.code.mac(&[b"oauth1 verifier\0", &temporary.0.to_be_bytes()]))
    }

    /// The hash of the letters of a user code (RFC 8628, section 6.1), which are few enough to be
    /// guessed from a hash without a key.
    pub(crate) fn user_code_hash(&self, letters: &[u8]) -> SecretHash {
        self.user_code.mac(&[letters])
    }

    /// Masks a row's number beside this secret.
    fn mask(&self, secret: &[u8; SECRET]) -> [u8; 16] {
        self.mask.mask(first_half(secret))
    }
}

impl TokenKeys {
    pub(crate) fn new(ring: &KeyRing, issuer: &str) -> Self {
        Self(Arc::new(ring.derive(|key| {
            Arc::new(TokenKey {
                id: key.id,
                mask: key.mask_key("provider token mask", issuer),
                genuine: key.mac_key("provider refresh mac", issuer),
                successor: key.mask_key("provider refresh successor", issuer),
                code: key.mac_key("provider code", issuer),
                user_code: key.mac_key("provider user code", issuer),
            })
        })))
    }

    /// The key under which new tokens are written.
    pub(crate) fn newest(&self) -> &Arc<TokenKey> {
        self.0.newest()
    }

    /// All keys, the newest first.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Arc<TokenKey>> {
        self.0.iter()
    }

    /// The key with this id, if the ring still has it.
    pub(crate) fn find(&self, id: KeyId) -> Option<&Arc<TokenKey>> {
        self.0.find(id)
    }

    /// The text of a token other than a refresh token.
    pub(crate) fn write(&self, kind: TokenKind, row: RowId, secret: &TokenSecret) -> TokenText {
        let (head, key) = (head(kind), self.newest());
        let row = masked(&row.0.to_be_bytes(), &key.mask(secret));
        TokenText::of(&[&[head], &key.id, &row, &secret[..]])
    }

    /// Reads a token other than a refresh token.
    pub(crate) fn read(&self, kind: TokenKind, text: &str) -> Result<Presented, NoToken> {
        let raw = decode::<SHORT>(text)?;
        if raw.first() != Some(&head(kind)) {
            return Err(NoToken::OtherKind);
        }
        let (key, rest) = split_head(&raw[..])?;
        let (row, secret) = rest.split_first_chunk::<ROW>().ok_or(NoToken::Foreign)?;
        let secret = secret.first_chunk::<SECRET>().ok_or(NoToken::Foreign)?;
        let mask = self.find(key).ok_or(NoToken::UnknownKey)?.mask(secret);
        Ok(Presented { row: number(masked(row, &mask))?, hash: sha256(secret) })
    }

    /// Reads an access token of either format.
    pub(crate) fn read_access(&self, text: &str) -> Result<Presented, NoToken> {
        // No other token is so short, and most tokens are: the search for a dot is spared.
        if text.len() == encoded(SHORT) {
            return self.read(TokenKind::Access, text);
        }
        if let Some((_, rest)) = text.split_once('.') {
            return self.read_jwt(text, rest);
        }
        let Some((_, token)) = prefix::split(text) else { return Err(NoToken::Foreign) };
        match self.read(TokenKind::Access, token) {
            Ok(read) => Ok(Presented { hash: sha256(text.as_bytes()), ..read }),
            Err(NoToken::Foreign) => Err(NoToken::OtherKind),
            other => other,
        }
    }

    /// Reads a JWT that this server wrote: its payload begins with the `jti`, which has the number
    /// of its row. Its hash is that of the whole text, so that the signature need not be verified.
    fn read_jwt(&self, text: &str, rest: &str) -> Result<Presented, NoToken> {
        let mut raw = [0; JTI];
        let jti = jti(rest, &mut raw).ok_or(NoToken::Foreign)?;
        match self.read(TokenKind::JwtId, jti) {
            Ok(read) => Ok(Presented { hash: sha256(text.as_bytes()), ..read }),
            Err(_) => Err(NoToken::Foreign),
        }
    }

    /// The first refresh token of a family.
    pub(crate) fn first_refresh(&self, family: RowId, secret: TokenSecret) -> Refresh {
        Refresh { family, generation: 0, secret, key: self.newest().clone() }
    }

    /// The next refresh token after this one: deterministic, so a repeated request gets the same
    /// token although only its hash is stored. Its secret is as random as the first one of the
    /// family, so no other input is needed but the moment at which the store was restored, if it was: the
    /// token that was issued after the backup is not issued again.
    pub(crate) fn next_refresh(&self, token: &Refresh, restored: Option<Timestamp>) -> Refresh {
        let generation = token.generation.saturating_add(1);
        let since = restored.map(|moment| {
            let parts = [&token.secret[..], &moment.millis().to_be_bytes()[..]].concat();
            Zeroizing::new(sha256(&Zeroizing::new(parts)))
        });
        Refresh {
            family: token.family,
            generation,
            // Derived with the key of the presented token, so that a new key in the ring changes
            // nothing.
            secret: token.key.successor.secret(since.as_ref().unwrap_or(&token.secret)),
            key: self.newest().clone(),
        }
    }

    /// Reads a refresh token and checks its MAC.
    pub(crate) fn read_refresh(&self, text: &str) -> Result<Refresh, NoToken> {
        let (prefix, token) = prefix::split(text).unwrap_or(("", text));
        let raw = match decode::<LONG>(token) {
            Err(NoToken::Foreign) if decode::<SHORT>(token).is_ok() => {
                return Err(NoToken::OtherKind);
            }
            other => other?,
        };
        if raw.first() != Some(&head(TokenKind::Refresh)) {
            return Err(NoToken::Foreign);
        }
        let (body, tag) = raw.split_last_chunk::<MAC>().ok_or(NoToken::Foreign)?;
        let (key, rest) = split_head(body)?;
        let key = self.find(key).ok_or(NoToken::UnknownKey)?;
        let mac = key.genuine.mac(&[prefix.as_bytes(), body]);
        if verify_slices_are_equal(first_half(&mac), tag).is_err() {
            return Err(NoToken::Forged);
        }
        let (place, secret) = rest.split_first_chunk::<PLACE>().ok_or(NoToken::Foreign)?;
        let secret = secret.first_chunk::<SECRET>().ok_or(NoToken::Foreign)?;
        let place = masked(place, &key.mask(secret));
        let (family, generation) = place.split_first_chunk::<ROW>().ok_or(NoToken::Foreign)?;
        Ok(Refresh {
            family: number(*family)?,
            generation: u32::from_be_bytes(generation.try_into().map_err(|_| NoToken::Foreign)?),
            secret: Zeroizing::new(*secret),
            key: key.clone(),
        })
    }
}

impl Refresh {
    /// The text of the token, behind a prefix if there is one.
    pub(crate) fn write(&self, prefix: Option<&TokenPrefix>) -> TokenText {
        let (head, key) = (head(TokenKind::Refresh), &self.key);
        let mut place = [0; PLACE];
        let (family, generation) = place.split_at_mut(ROW);
        family.copy_from_slice(&self.family.0.to_be_bytes());
        generation.copy_from_slice(&self.generation.to_be_bytes());
        let place = masked(&place, &key.mask(&self.secret));
        let before = prefix.map_or("", TokenPrefix::as_str).as_bytes();
        let mac = key.genuine.mac(&[before, &[head], &key.id, &place, &self.secret[..]]);
        TokenText::of(&[&[head], &key.id, &place, &self.secret[..], first_half(&mac)])
            .behind(prefix)
    }

    pub(crate) fn hash(&self) -> SecretHash {
        sha256(&self.secret[..])
    }
}

impl std::fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKeys")
    }
}

impl std::fmt::Debug for Refresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Refresh({:?}, generation {})", self.family, self.generation)
    }
}

/// The kind of token that a text claims to be; `None` if it is none of ours.
pub(crate) fn kind(text: &str) -> Option<TokenKind> {
    let is_short = |text: &str| text.len() == encoded(SHORT);
    let token = match is_short(text) {
        true => text,
        false => prefix::split(text).map_or(text, |(_, token)| token),
    };
    let first = if is_short(token) {
        // Its length is a multiple of four, so that such a text can be decoded in parts.
        let (start, rest) = token.split_at_checked(4)?;
        let is_text = rest.bytes().fold(true, |good, byte| {
            good & (byte.is_ascii_alphanumeric() | matches!(byte, b'-' | b'_'))
        });
        *decode::<3>(start).ok().filter(|_| is_text)?.first()?
    } else {
        *decode::<LONG>(token).ok()?.first()?
    };
    use TokenKind::{Access, Code, Credential, Device, JwtId, Refresh, Temporary};
    let kinds = [Access, Code, Refresh, Temporary, Credential, JwtId, Device];
    kinds.into_iter().find(|kind| head(*kind) == first)
}

/// `true` for a text in the form of the tokens that this server writes, whatever is in it.
pub(crate) fn has_own_form(text: &str) -> bool {
    let token = prefix::split(text).map_or(text, |(_, token)| token);
    decode::<SHORT>(token).is_ok() || decode::<LONG>(token).is_ok()
}

const fn head(kind: TokenKind) -> u8 {
    let kind = match kind {
        TokenKind::Access => 1,
        TokenKind::Code => 2,
        TokenKind::Refresh => 3,
        TokenKind::Temporary => 4,
        TokenKind::Credential => 5,
        TokenKind::JwtId => 6,
        TokenKind::Device => 7,
    };
    kind << 4 | VERSION
}

/// The length of the text of so many bytes.
const fn encoded(bytes: usize) -> usize {
    bytes.div_ceil(3) * 4 - (3 - bytes % 3) % 3
}

fn decode<const N: usize>(text: &str) -> Result<Zeroizing<[u8; N]>, NoToken> {
    let mut raw = Zeroizing::new([0; N]);
    if text.len() != encoded(N) {
        return Err(NoToken::Foreign);
    }
    match BASE64_URL_SAFE_NO_PAD.decode_slice(text, &mut raw[..]) {
        Ok(length) if length == N => Ok(raw),
        _ => Err(NoToken::Foreign),
    }
}

/// The `jti` of a genuine access token that is a JWT; `None` of an opaque one.
pub(crate) fn jwt_id(text: &str) -> Option<String> {
    let (_, rest) = text.split_once('.')?;
    jti(rest, &mut [0; JTI]).map(str::to_owned)
}

/// The `jti` with which the payload of a JWT begins, decoded into `raw`; `rest` is the text behind
/// the header.
fn jti<'r>(rest: &str, raw: &'r mut [u8; JTI]) -> Option<&'r str> {
    let start = rest.get(..JTI.div_ceil(3) * 4)?;
    let length = BASE64_URL_SAFE_NO_PAD.decode_slice(start, raw);
    let jti = raw.strip_prefix(br#"{"jti":""#)?.strip_suffix(b"\"")?;
    str::from_utf8(jti).ok().filter(|_| length == Ok(JTI))
}

fn split_head(raw: &[u8]) -> Result<(KeyId, &[u8]), NoToken> {
    let (_, rest) = raw.split_first().ok_or(NoToken::Foreign)?;
    let (key, rest) = rest.split_first_chunk::<4>().ok_or(NoToken::Foreign)?;
    Ok((*key, rest))
}

fn masked<const N: usize>(bytes: &[u8; N], mask: &[u8; 16]) -> [u8; N] {
    const { assert!(N <= 16, "no byte is left unmasked") };
    let mut out = *bytes;
    for (byte, mask) in out.iter_mut().zip(mask) {
        *byte ^= mask;
    }
    out
}

fn number(bytes: [u8; ROW]) -> Result<RowId, NoToken> {
    let row = i64::from_be_bytes(bytes);
    if row < 0 { Err(NoToken::Forged) } else { Ok(RowId(row)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn is_same(a: &Refresh, b: &Refresh) -> bool {
        let place = |token: &Refresh| (token.family, token.generation, token.key.id);
        place(a) == place(b) && a.secret == b.secret
    }

    fn keys() -> TokenKeys {
        TokenKeys::new(&KeyRing::new([&[1; 32]]).unwrap(), "https://id.example")
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(row in 0..i64::MAX, secret: [u8; 32]) {
            let (keys, secret) = (keys(), Zeroizing::new(secret));
            let text = keys.write(TokenKind::Access, RowId(row), &secret);
            prop_assert_eq!(text.as_str().len(), 60);
            prop_assert_eq!(kind(text.as_str()), Some(TokenKind::Access));
            let read = keys.read(TokenKind::Access, text.as_str()).unwrap();
            prop_assert_eq!(read, Presented { row: RowId(row), hash: sha256(&secret[..]) });
            prop_assert_eq!(keys.read(TokenKind::Code, text.as_str()), Err(NoToken::OtherKind));
            prop_assert_eq!(keys.read_refresh(text.as_str()).unwrap_err(), NoToken::OtherKind);
        }

        #[test]
        fn no_text_is_read_in_two_ways(text in "[A-Za-z0-9_-]{55,92}") {
            if let Ok(raw) = BASE64_URL_SAFE_NO_PAD.decode(&text) {
                prop_assert_eq!(BASE64_URL_SAFE_NO_PAD.encode(raw), text.clone());
            } else {
                prop_assert!(keys().read(TokenKind::Access, &text).is_err());
            }
            prop_assert!(keys().read_refresh(&text).is_err());
        }

        #[test]
        fn a_changed_refresh_token_is_known_for_a_forgery(
            row in 0..i64::MAX, secret: [u8; 32], at in 0..LONG, bit in 0..8u8,
        ) {
            let keys = keys();
            let token = keys.first_refresh(RowId(row), Zeroizing::new(secret));
            let text = token.write(None);
            prop_assert_eq!(text.as_str().len(), 87);
            prop_assert!(is_same(&keys.read_refresh(text.as_str()).unwrap(), &token));
            let mut raw = BASE64_URL_SAFE_NO_PAD.decode(text.as_str()).unwrap();
            raw[at] ^= 1 << bit;
            prop_assert!(keys.read_refresh(&BASE64_URL_SAFE_NO_PAD.encode(raw)).is_err());
        }
    }

    #[test]
    fn consecutive_rows_look_unrelated() {
        let keys = keys();
        let part = |row| {
            let secret = Zeroizing::new(Env::system().random());
            keys.write(TokenKind::Access, RowId(row), &secret)
                .as_str()
                .get(7..17)
                .unwrap()
                .to_owned()
        };
        assert_ne!(part(1), part(1));
        assert_ne!(part(1), part(2));
    }

    #[test]
    fn the_successor_is_the_same_for_whoever_asks_again_also_after_a_new_key() {
        let keys = keys();
        let first = keys.first_refresh(RowId(7), Zeroizing::new([9; 32]));
        let next = keys.next_refresh(&first, None);
        assert!(is_same(&next, &keys.next_refresh(&first, None)));
        assert_eq!(next.generation, 1);
        assert_ne!(next.hash(), first.hash());
        let turned =
            TokenKeys::new(&KeyRing::new([&[2; 32], &[1; 32]]).unwrap(), "https://id.example");
        let read = turned.read_refresh(first.write(None).as_str()).unwrap();
        assert_eq!(turned.next_refresh(&read, None).hash(), next.hash());
        let restored = [1, 2].map(|second| Some(Timestamp::from_seconds(second)));
        let [one, other] = restored.map(|moment| keys.next_refresh(&first, moment));
        assert_eq!(one.hash(), turned.next_refresh(&read, restored[0]).hash());
        assert!(one.hash() != next.hash() && one.hash() != other.hash());
        let foreign = TokenKeys::new(&KeyRing::new([&[2; 32]]).unwrap(), "https://id.example");
        let refused = foreign.read_refresh(first.write(None).as_str()).unwrap_err();
        assert_eq!(refused, NoToken::UnknownKey);
    }

    use crate::Env;
}
