//! Logout tokens for the clients of a session (OpenID Connect Back-Channel Logout, sections 2.4 to
//! 2.7).

use std::time::Duration;

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::{
    actor::Authentication,
    fetch::{ErasedNotifier, FetchError},
    form::FormWriter,
    jose::Protected,
    oidc::LogoutToken,
    provider::{
        error::{Error, OperatorError},
        openid::pairwise,
        server::Inner,
    },
};

use super::party::Party;

/// The lifetime of a logout token: as short as section 4 recommends.
const LIFETIME: Duration = Duration::from_secs(120);

/// The pause before the one retry.
const PAUSE: Duration = Duration::from_secs(5);

/// Sends logout tokens to those clients that have a `backchannel_logout_uri`, in the background: no
/// user waits for a client.
pub(super) fn send(inner: &Inner, ended: &Authentication, parties: &[Party]) {
    let Some(logout) = inner.openid.as_ref().and_then(|openid| openid.logout.as_ref()) else {
        return;
    };
    let Some(notifier) = &logout.notifier else { return };
    for party in parties {
        let Some(uri) = &party.client.openid.backchannel_logout_uri else { continue };
        let client = party.client.id.clone();
        if party.client.openid.backchannel_logout_session_required && party.sid.is_none() {
            tracing::warn!(%client, "a client does not learn of a logout without a session");
            continue;
        }
        let Ok(url) = Url::parse(uri.as_str()) else { continue };
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
            match deliver(&*notifier, &url, &form).await {
                Ok(()) => tracing::debug!(%client, "a client has learned of a logout"),
                Err(reason) => {
                    tracing::warn!(%client, %reason, "a client has not learned of a logout");
                }
            }
            drop(place);
        });
    }
}

/// Sends a form, and once more if that may help.
async fn deliver(notifier: &dyn ErasedNotifier, url: &Url, form: &str) -> Result<(), FetchError> {
    match notifier.notify(url, form).await {
        Err(error) if may_pass(error) => {
            tokio::time::sleep(PAUSE).await;
            notifier.notify(url, form).await
        }
        sent => sent,
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
