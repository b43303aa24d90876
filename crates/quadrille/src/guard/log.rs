//! Refusals in the log: the reason, the client, and the value at fault. No secret is among them,
//! also if the sender put one into the wrong parameter (`masked.rs`).

use std::{borrow::Cow, fmt};

use http::request::Parts;

use crate::{RemoteAddress, oauth1::SignedRequest, page::is_unseen};

use super::{
    error::AccessError,
    masked::{self, Sender},
    signature::SignatureError,
};

/// The most characters of a value that are logged: anybody can send long ones.
const MOST: usize = 200;

/// The client that the subject token of an exchange was issued to, as a parameter to blame.
pub(crate) const OF_SUBJECT_TOKEN: &str = "subject_token.client_id";

/// The client that the actor token of an exchange was issued to, as a parameter to blame.
pub(crate) const OF_ACTOR_TOKEN: &str = "actor_token.client_id";

/// Logs the refusal of a signed request at an API.
pub(crate) fn signed_at_api(error: &SignatureError, parts: &Parts, body: &[u8]) {
    let is_operator = *error == SignatureError::Unavailable;
    signed("api", error, is_operator, error.is_of_known_client(), error.blamed(), parts, body);
}

/// Logs the refusal of a signed request. The parameter at fault is logged with its value; it is
/// none that holds a secret.
pub(crate) fn signed<E: fmt::Display>(
    endpoint: &'static str,
    error: &E,
    is_operator: bool,
    is_of_known_client: bool,
    blamed: Option<&'static str>,
    parts: &Parts,
    body: &[u8],
) {
    if is_operator {
        tracing::error!(reason = %error, endpoint, "request failed");
        return;
    }
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let signed = SignedRequest::read(parts, body).ok().flatten();
    let client = signed.as_ref().map(SignedRequest::client).map(match is_of_known_client {
        true => Sender::Client,
        false => Sender::Signer,
    });
    let value = |name: &'static str| {
        let value = signed.as_ref()?.parameter(name).ok().flatten();
        value.map(Cow::into_owned)
    };
    let blamed = blamed.and_then(|name| Some((name, Some(value(name)?))));
    let from = RemoteAddress::of(&parts.extensions);
    write(Refusal { client, blamed, from, ..Refusal::new(endpoint, error) });
}

/// Logs the refusal of a request whose token says nothing about its client.
#[cold]
pub(crate) fn at_api(error: &AccessError, parts: &Parts) {
    let from = RemoteAddress::of(&parts.extensions);
    match error {
        // The course of things: the client refreshes.
        AccessError::Expired => tracing::debug!(reason = %error, "a token has expired"),
        // The reason was logged, with its cause.
        AccessError::Unavailable => {}
        error => write(Refusal { from, ..Refusal::new("api", error) }),
    }
}

/// Logs that a valid token of this client does not suffice for a request, because of this property, and
/// the value that is needed.
pub(crate) fn token(
    error: &AccessError,
    client: &str,
    (name, value): (&'static str, &str),
    needed: Option<&str>,
    from: Option<RemoteAddress>,
) {
    let (client, blamed) = (Some(Sender::Client(client)), Some((name, Some(value.to_owned()))));
    write(Refusal { client, blamed, needed, from, ..Refusal::new("api", error) });
}

/// A refusal, as it is logged.
pub(crate) struct Refusal<'a, E> {
    pub(crate) endpoint: &'static str,
    pub(crate) reason: &'a E,
    pub(crate) client: Option<Sender<'a>>,
    /// The client that only a token names which nobody has verified.
    pub(crate) claimed: Option<Sender<'a>>,
    /// The grant type, if the request has one (RFC 6749, section 4).
    pub(crate) grant_type: Option<&'a str>,
    /// The parameter or the claim, and its value where that may stand in the log.
    pub(crate) blamed: Option<(&'a str, Option<String>)>,
    /// The value of that property that is needed, by the API's own word.
    pub(crate) needed: Option<&'a str>,
    /// The authentication context class of the session, if that is to blame.
    pub(crate) acr: Option<&'a str>,
    pub(crate) from: Option<RemoteAddress>,
}

impl<'a, E> Refusal<'a, E> {
    pub(crate) const fn new(endpoint: &'static str, reason: &'a E) -> Self {
        Self {
            endpoint,
            reason,
            client: None,
            claimed: None,
            grant_type: None,
            blamed: None,
            needed: None,
            acr: None,
            from: None,
        }
    }
}

/// Logs a refusal.
pub(crate) fn write<E: fmt::Display>(refusal: Refusal<'_, E>) {
    let Refusal { endpoint, reason, client, claimed, grant_type, blamed, needed, acr, from } =
        refusal;
    let (client, claimed) = (client.map(Sender::masked), claimed.map(Sender::masked));
    let (parameter, value) = blamed.unzip();
    let value =
        value.flatten().map(|value| match (parameter, client.as_ref().or(claimed.as_ref())) {
            (Some("client_id"), Some(client)) => client.clone(),
            // The subject of an assertion, the name of its key and a client that was found are none.
            (Some("sub" | "kid" | OF_SUBJECT_TOKEN | OF_ACTOR_TOKEN), _) => Cow::Owned(value),
            _ => Cow::Owned(masked::mask_secrets(&value).into_owned()),
        });
    let [grant_type, parameter, acr] =
        [grant_type, parameter, acr].map(|text| text.map(masked::mask_secrets));
    let [client, claimed, grant_type, parameter, value, acr] =
        [&client, &claimed, &grant_type, &parameter, &value, &acr]
            .map(|text| text.as_deref().map(plain));
    let needed = needed.map(plain);
    let from = from.map(|from| tracing::field::display(from.0));
    tracing::info!(
        %reason,
        endpoint,
        client = client.as_deref(),
        claimed_client = claimed.as_deref(),
        grant_type = grant_type.as_deref(),
        parameter = parameter.as_deref(),
        value = value.as_deref(),
        needed = needed.as_deref(),
        acr = acr.as_deref(),
        from,
        "request refused"
    );
}

/// The text of a stranger as the value of a field: shortened, and without a character that a terminal
/// obeys, since not every format of a log escapes them. Values are never logged by `Debug`: in JSON
/// they would have quotes of their own.
fn plain(text: &str) -> Cow<'_, str> {
    let text = shortened(text);
    match text.contains(is_unseen) {
        false => text.into(),
        true => text
            .chars()
            .fold(String::new(), |mut plain, c| {
                match is_unseen(c) {
                    true => plain.extend(c.escape_default()),
                    false => plain.push(c),
                }
                plain
            })
            .into(),
    }
}

fn shortened(text: &str) -> &str {
    text.char_indices().nth(MOST).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stranger_sends_is_cut_at_a_character() {
        assert_eq!(shortened("scope"), "scope");
        let long = "é".repeat(MOST + 1);
        assert_eq!(shortened(&long), "é".repeat(MOST));
    }

    #[test]
    fn what_a_terminal_obeys_is_escaped() {
        assert_eq!(plain("photos:read \"é\""), "photos:read \"é\"");
        assert_eq!(plain("a\nb\u{1b}[2J\u{9b}\u{202e}"), r"a\nb\u{1b}[2J\u{9b}\u{202e}");
    }
}
