//! Logout tokens for the clients of a session (OpenID Connect Back-Channel Logout, sections 2.4 to
//! 2.7).

use std::{collections::HashMap, time::Duration};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::{
    actor::Authentication,
    fetch::{ErasedNotifier, FetchError},
    form::FormWriter,
    jose::Protected,
    oidc::LogoutToken,
    provider::{
        client::record::Client,
        error::{Error, OperatorError},
        openid::pairwise,
        server::Inner,
    },
};

use super::party::Party;

/// The lifetime of a logout token: as short as section 4 recommends.
const LIFETIME: Duration = Duration::from_secs(120);

/// The greatest number of tokens of one logout to strangers at one host.
const OF_STRANGERS: usize = 4;

/// The pause before a retry.
const PAUSE: Duration = Duration::from_secs(5);

/// How often a form waits for a connection, each time for the deadline of a request and a pause: its
/// token must live on when it has one.
const MOST_WAITS: usize = 6;

/// Sends logout tokens to those clients that have a `backchannel_logout_uri`, in the background: no
/// user waits for a client.
pub(super) fn send(inner: &Inner, ended: &Authentication, parties: &[Party]) {
    let Some(logout) = inner.openid.as_ref().and_then(|openid| openid.logout.as_ref()) else {
        return;
    };
    let Some(notifier) = &logout.notifier else { return };
    let mut strangers = Strangers::default();
    for party in parties {
        let Some(uri) = &party.client.openid.backchannel_logout_uri else { continue };
        let client = party.client.id.clone();
        if party.client.openid.backchannel_logout_session_required && party.sid.is_none() {
            tracing::warn!(%client, "a client does not learn of a logout without a session");
            continue;
        }
        let Ok(url) = Url::parse(uri.as_str()) else { continue };
        if !strangers.admit(&party.client, &url) {
            tracing::warn!(%client, "a client does not learn of a logout: others share its host");
            continue;
        }
        let form = match form(inner, ended, party) {
            Ok(form) => form,
            Err(reason) => {
                tracing::error!(%client, %reason, "a client does not learn of a logout");
                continue;
            }
        };
        let Some(place) = logout.places.take(&client) else {
            tracing::warn!(%client, "a client does not learn of a logout: too many are on the way");
            continue;
        };
        let notifier = notifier.clone();
        tokio::spawn(async move {
            match deliver(&*notifier, &url, &form, |hangs| place.heard(hangs)).await {
                Ok(()) => tracing::debug!(%client, "a client has learned of a logout"),
                Err(reason) => {
                    tracing::warn!(%client, %reason, "a client has not learned of a logout");
                }
            }
            drop(place);
        });
    }
}

/// The hosts of clients for which nobody here vouches: a stranger may register any number of them
/// with the address of a victim, to which one sign-out would send a request for each.
#[derive(Default)]
struct Strangers(HashMap<String, usize>);

impl Strangers {
    /// `false` for a client of a stranger at a host to which enough tokens of this logout go.
    fn admit(&mut self, client: &Client, url: &Url) -> bool {
        if !client.from_document && !client.is_of_a_stranger() {
            return true;
        }
        let tokens = self.0.entry(url.host_str().unwrap_or_default().to_owned()).or_default();
        *tokens += 1;
        *tokens <= OF_STRANGERS
    }
}

/// Sends a form, and once more if that may help. A form that has found no connection, since hosts that
/// hang have all of them, waits for one. `heard` learns whether the host hangs.
async fn deliver(
    notifier: &dyn ErasedNotifier,
    url: &Url,
    form: &str,
    heard: impl Fn(bool),
) -> Result<(), FetchError> {
    let (mut waits, mut is_last) = (0, false);
    loop {
        let sent = notifier.notify(url, form).await;
        match sent {
            Err(FetchError::TimedOut) => heard(true),
            Ok(()) | Err(FetchError::Status(_)) => heard(false),
            Err(_) => {}
        }
        match sent {
            Err(FetchError::Busy) if waits < MOST_WAITS => waits += 1,
            Err(error) if may_pass(error) && !is_last => is_last = true,
            sent => return sent,
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// `true` if the same request may succeed in a while.
const fn may_pass(error: FetchError) -> bool {
    match error {
        FetchError::Unreachable | FetchError::Busy | FetchError::TimedOut => true,
        FetchError::Status(status) => status >= 500,
        _ => false,
    }
}

/// The form with the logout token (section 2.5).
fn form(inner: &Inner, ended: &Authentication, party: &Party) -> Result<String, Error> {
    let now = inner.now();
    let client = &party.client;
    let signing = inner.signing.key_for(client.openid.id_token_signed_response_alg, now)?;
    let id = BASE64_URL_SAFE_NO_PAD.encode(inner.env.random::<16>());
    let mut token = LogoutToken::new(inner.issuer.as_str(), &*client.id, id, now);
    let key = inner.openid.as_ref().and_then(|openid| openid.pairwise.as_ref());
    token.subject = Some(pairwise::subject(key, client, &ended.subject)?.as_ref().to_owned());
    token.expires = Some(now + LIFETIME);
    token.sid.clone_from(&party.sid);
    let header = Protected::typ(LogoutToken::TYPE);
    let signed = signing.sign_claims(&header, &token.to_claims()).map_err(OperatorError::Sign)?;
    let mut form = FormWriter::new();
    form.append("logout_token", &signed);
    Ok(form.finish())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::{fetch::Notifier, provider::client::record::tests::client};

    /// A notifier with these results, the last one first.
    struct Results(Mutex<Vec<Result<(), FetchError>>>);

    impl Notifier for Results {
        async fn notify(&self, _: &Url, _: &str) -> Result<(), FetchError> {
            self.0.lock().unwrap().pop().unwrap()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_form_waits_for_a_connection_and_is_sent_again_once() {
        use FetchError::{Busy, Status, TimedOut};
        let url = Url::parse("https://app.example/logout").unwrap();
        let busy = |times| vec![Err(Busy); times];
        for (results, outcome, left) in [
            ([vec![Ok(())], busy(6)].concat(), Ok(()), 0),
            (busy(10), Err(Busy), 2),
            (vec![Ok(()), Err(TimedOut)], Ok(()), 0),
            (vec![Ok(()), Err(Busy), Err(TimedOut)], Ok(()), 0),
            (vec![Ok(()), Err(Status(500)), Err(TimedOut)], Err(Status(500)), 1),
            (vec![Ok(()), Err(Status(400))], Err(Status(400)), 1),
        ] {
            let results = Results(Mutex::new(results));
            let hangs = std::cell::Cell::new(false);
            let sent = deliver(&results, &url, "logout_token=x", |it| hangs.set(it)).await;
            assert_eq!(sent, outcome);
            assert!(!hangs.get(), "{outcome:?}");
            assert_eq!(results.0.lock().unwrap().len(), left, "{outcome:?}");
        }
    }

    #[test]
    fn one_logout_sends_a_host_few_tokens_for_clients_of_strangers_and_all_of_the_operators() {
        let victim = Url::parse("https://victim.example/logout").unwrap();
        let other = Url::parse("https://other.example/logout").unwrap();
        let mut strange = client("web", "https://app.example/cb");
        let known = strange.clone();
        strange.from_document = true;
        let mut strangers = Strangers::default();
        let admitted = (0..60).filter(|_| strangers.admit(&strange, &victim)).count();
        assert_eq!(admitted, OF_STRANGERS);
        assert!(strangers.admit(&strange, &other));
        assert!((0..60).all(|_| strangers.admit(&known, &victim)));
    }
}
