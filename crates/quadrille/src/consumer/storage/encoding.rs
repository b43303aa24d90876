//! The encoding of a token before it is sealed: some ten times faster to read than JSON, and
//! shorter, which cookies need.

use crate::{
    Scopes, Secret, Timestamp,
    consumer::{
        account::{ProviderSession, Token},
        wire::{Reader, Writer},
    },
};

/// The beginning of a stored token without an ID token, and of one with it. It differs from that of a
/// [`CACHE_ENTRY`], which is under the same seal: neither can be put in the place of the other.
const STORED_TOKEN: u64 = 2;
const STORED_WITH_ID_TOKEN: u64 = 4;
/// The beginning of an entry in a cache.
pub(super) const CACHE_ENTRY: u64 = 5;

/// Writes a token to be stored.
pub(super) fn write_stored(out: &mut Writer, token: &Token) {
    match &token.id_token {
        None => write_fields(out.number(STORED_TOKEN), token),
        Some(id_token) => {
            write_fields(out.number(STORED_WITH_ID_TOKEN), token);
            out.text(id_token.expose());
        }
    }
}

/// Reads the output of [`write_stored`].
pub(super) fn read_stored(from: &mut Reader<'_>) -> Option<Token> {
    let has_id_token = match from.number()? {
        STORED_TOKEN => false,
        STORED_WITH_ID_TOKEN => true,
        _ => return None,
    };
    let token = read_fields(from)?;
    let id_token = if has_id_token { Some(from.text()?.into()) } else { None };
    Some(Token { id_token, ..token })
}

/// Writes all fields of a token.
pub(super) fn write_token(out: &mut Writer, token: &Token) {
    write_fields(out, token);
    option(out, token.id_token.as_ref().map(Secret::expose));
}

/// Reads the output of [`write_token`].
pub(super) fn read_token(from: &mut Reader<'_>) -> Option<Token> {
    let token = read_fields(from)?;
    let id_token = read_option(from)?.map(Secret::from);
    Some(Token { id_token, ..token })
}

/// Writes all fields but the ID token.
fn write_fields(out: &mut Writer, token: &Token) {
    let Token {
        access_token,
        token_secret,
        refresh_token,
        scopes,
        obtained,
        expires,
        api,
        id_token: _,
        session,
    } = token;
    out.text(access_token.expose());
    option(out, refresh_token.as_ref().map(Secret::expose));
    out.text(scopes.as_str());
    time(out, *obtained);
    match expires {
        None => drop(out.number(0)),
        Some(expires) => time(out.number(1), *expires),
    }
    option(out, token_secret.as_ref().map(Secret::expose));
    option(out, api.as_deref());
    match session {
        None => drop(out.number(0)),
        Some(session) => write_session(out.number(1), session),
    }
}

/// Writes a session at a provider.
pub(crate) fn write_session(out: &mut Writer, session: &ProviderSession) {
    out.text(&session.sub);
    option(out, session.sid.as_deref());
    time(out, session.since);
}

/// Reads the output of [`write_session`].
pub(crate) fn read_session(from: &mut Reader<'_>) -> Option<ProviderSession> {
    let sub = from.text()?;
    let sid = read_option(from)?.map(Box::from);
    Some(ProviderSession { sid, ..ProviderSession::new(sub, read_time(from)?) })
}

fn read_fields(from: &mut Reader<'_>) -> Option<Token> {
    let access_token = from.text()?.into();
    let refresh_token = read_option(from)?.map(Secret::from);
    let scopes = Scopes::written(from.text()?);
    let obtained = read_time(from)?;
    let expires = match from.number()? {
        0 => None,
        _ => Some(read_time(from)?),
    };
    let token_secret = read_option(from)?.map(Secret::from);
    let api = read_option(from)?.map(Box::from);
    let session = match from.number()? {
        0 => None,
        _ => Some(read_session(from)?),
    };
    Some(Token {
        access_token,
        token_secret,
        refresh_token,
        scopes,
        obtained,
        expires,
        api,
        id_token: None,
        session,
    })
}

fn option(out: &mut Writer, text: Option<&str>) {
    match text {
        None => out.number(0),
        Some(text) => out.number(1).text(text),
    };
}

/// `None` if it cannot be read, `Some(None)` if there is none.
fn read_option<'a>(from: &mut Reader<'a>) -> Option<Option<&'a str>> {
    match from.number()? {
        0 => Some(None),
        _ => Some(Some(from.text()?)),
    }
}

/// Milliseconds, with the sign in the lowest bit, so that times before 1970 are as short.
fn time(out: &mut Writer, time: Timestamp) {
    let millis = time.millis();
    out.number(((millis << 1) ^ (millis >> 63)).cast_unsigned());
}

fn read_time(from: &mut Reader<'_>) -> Option<Timestamp> {
    let number = from.number()?;
    Some(Timestamp::from_millis((number >> 1).cast_signed() ^ -(number & 1).cast_signed()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens() -> impl Strategy<Value = Token> {
        let text = proptest::option::of(".{0,40}");
        let scopes = "([a-z:]{1,8}( [a-z:]{1,8}){0,3})?";
        let times = (any::<i64>(), proptest::option::of(any::<i64>()));
        let session = proptest::option::of((".{0,40}", text.clone(), any::<i64>()));
        let texts = [text.clone(), text.clone(), text.clone(), text];
        (".{0,300}", texts, scopes, times, session).prop_map(
            |(access_token, [secret, refresh, api, id_token], scopes, (obtained, expires), at)| {
                Token {
                    token_secret: secret.map(Secret::from),
                    refresh_token: refresh.map(Secret::from),
                    scopes: Scopes::parse(&scopes).unwrap(),
                    obtained: Timestamp::from_millis(obtained),
                    expires: expires.map(Timestamp::from_millis),
                    api: api.map(Box::from),
                    id_token: id_token.map(Secret::from),
                    session: at.map(|(sub, sid, since)| ProviderSession {
                        sid: sid.map(Box::from),
                        ..ProviderSession::new(sub, Timestamp::from_millis(since))
                    }),
                    ..Token::new(access_token)
                }
            },
        )
    }

    proptest! {
        #[test]
        fn a_token_is_read_as_it_was_written(token in tokens()) {
            type Write = fn(&mut Writer, &Token);
            type Read = fn(&mut Reader<'_>) -> Option<Token>;
            let all: [(Write, Read); 2] = [(write_token, read_token), (write_stored, read_stored)];
            for (write, read) in all {
                let mut out = Writer::default();
                write(&mut out, &token);
                let bytes = out.finish();
                let mut from = Reader(&bytes);
                prop_assert_eq!(read(&mut from), Some(token.clone()));
                prop_assert_eq!(from.0, b"");
                for length in 0..bytes.len() {
                    prop_assert_eq!(read(&mut Reader(&bytes[..length])), None, "{}", length);
                }
            }
        }

        #[test]
        fn no_bytes_confuse_the_reader(bytes: Vec<u8>) {
            let _ = read_token(&mut Reader(&bytes));
            let _ = read_stored(&mut Reader(&bytes));
        }
    }
}
