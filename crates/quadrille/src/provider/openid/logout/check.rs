//! The validity of a request for logout (OpenID Connect RP-Initiated Logout, sections 2 and 4): a
//! pure decision.

use std::sync::Arc;

use crate::{form::FormWriter, oidc::IdToken, provider::client::record::Client};

use super::error::EndSessionError;

/// A valid request.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) client: Option<Arc<Client>>,
    /// The ID token that the client sent along.
    pub(super) hint: Option<IdToken>,
    pub(super) onward: Option<Target>,
}

/// The address after the logout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The URL, with the `state` of the request.
    pub(super) url: String,
    /// The origin of the URL, for the user.
    pub(super) destination: String,
}

/// The parameters of a request.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sent<'a> {
    pub(super) client_id: Option<&'a str>,
    pub(super) redirect_uri: Option<&'a str>,
    pub(super) state: Option<&'a str>,
}

/// The `client_id` of a request, by which its client is loaded: the parameter, or the audience of
/// the hint.
pub(super) fn client_id<'a>(
    sent: &Sent<'a>,
    hint: Option<&'a IdToken>,
) -> Result<Option<&'a str>, EndSessionError> {
    let audience = match hint {
        // This server issues ID tokens for one client each.
        Some(hint) => match &*hint.audience {
            [only] => Some(only.as_str()),
            _ => return Err(EndSessionError::Hint),
        },
        None => None,
    };
    match (sent.client_id, audience) {
        (Some(sent), Some(audience)) if sent != audience => Err(EndSessionError::OtherClient),
        (sent, audience) => Ok(sent.or(audience)),
    }
}

/// Checks a request. `client` is what was found by [`client_id`].
pub(super) fn check(
    sent: &Sent<'_>,
    hint: Option<IdToken>,
    client: Option<Arc<Client>>,
) -> Result<Asked, EndSessionError> {
    if client.is_none() && (sent.client_id.is_some() || hint.is_some()) {
        return Err(EndSessionError::UnknownClient);
    }
    let onward = match (sent.redirect_uri, &client) {
        (None, _) => None,
        (Some(_), None) => return Err(EndSessionError::ClientMissing),
        (Some(uri), Some(client)) => {
            let mut registered = client.openid.post_logout_redirect_uris.iter();
            let known = registered.find(|known| *known == uri);
            let known = known.ok_or(EndSessionError::RedirectUriNotRegistered)?;
            let mut url = FormWriter::after_url(known.as_str());
            url.append_some("state", sent.state);
            Some(Target { url: url.finish(), destination: known.destination().to_owned() })
        }
    };
    Ok(Asked { client, hint, onward })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, provider::client::record::tests::client};

    fn hint(client: &str) -> IdToken {
        let now = Timestamp::from_seconds(1);
        IdToken::new("https://id.example", "ada", client, now, now)
    }

    fn checked(
        client_id: Option<&str>,
        hint: Option<IdToken>,
        redirect_uri: Option<&str>,
    ) -> Result<Option<String>, EndSessionError> {
        let mut web = client("web", "https://app.example/cb");
        web.openid.post_logout_redirect_uris = vec!["https://app.example/bye?a=1".parse().unwrap()];
        let sent = Sent { client_id, redirect_uri, state: Some("x&y") };
        let id = self::client_id(&sent, hint.as_ref())?;
        let found = id.filter(|id| *id == "web").map(|_| Arc::new(web));
        Ok(check(&sent, hint, found)?.onward.map(|onward| onward.url))
    }

    #[test]
    fn a_user_is_sent_on_to_a_registered_address_of_a_known_client_alone() {
        use EndSessionError as E;
        let bye = "https://app.example/bye?a=1";
        let there = Ok(Some(format!("{bye}&state=x%26y")));
        assert_eq!(checked(Some("web"), None, Some(bye)), there);
        assert_eq!(checked(None, Some(hint("web")), Some(bye)), there);
        assert_eq!(checked(Some("web"), Some(hint("web")), Some(bye)), there);
        assert_eq!(checked(None, None, None), Ok(None));
        assert_eq!(checked(None, None, Some(bye)), Err(E::ClientMissing));
        assert_eq!(checked(Some("web"), Some(hint("app")), Some(bye)), Err(E::OtherClient));
        assert_eq!(checked(Some("app"), None, Some(bye)), Err(E::UnknownClient));
        assert_eq!(checked(None, Some(hint("gone")), None), Err(E::UnknownClient));
        for other in [
            "https://app.example/bye",
            "https://app.example/bye?a=1&b",
            "https://APP.example/bye?a=1",
            "",
        ] {
            assert_eq!(checked(Some("web"), None, Some(other)), Err(E::RedirectUriNotRegistered));
        }
        let mut two = hint("web");
        two.audience.push("app".into());
        assert_eq!(checked(None, Some(two), None), Err(E::Hint));
    }
}
