//! The addresses of a client that logout needs (OpenID Connect RP-Initiated Logout, section 3.1;
//! Front-Channel Logout and Back-Channel Logout, section 2).

use url::Url;

use crate::provider::openid::client::ClientOpenId;

use super::{
    policy::MOST_REDIRECT_URIS,
    redirect_uri::{RedirectUri, RedirectUriError},
};

/// The reason why an address of a client for logout is rejected.
///
/// ```
/// use quadrille::provider::LogoutUriError;
///
/// let error = LogoutUriError::BackChannel;
/// assert_eq!(error.to_string(), "backchannel_logout_uri: not the https URL of a server");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LogoutUriError {
    /// The address of this member is not accepted.
    #[error("{0}: {1}")]
    Syntax(&'static str, RedirectUriError),
    /// The address of this member is of this machine or of a private network, which this server does
    /// not send to.
    #[error("{0}: not on the public Internet")]
    Inward(&'static str),
    /// There are too many addresses after a logout.
    #[error("post_logout_redirect_uris: at most 32 are accepted")]
    TooMany,
    /// The address of the frame is not at the origin of a redirect URI (OpenID Connect Front-Channel
    /// Logout, section 2).
    #[error("frontchannel_logout_uri: not at the origin of a redirect URI")]
    FrontChannel,
    /// The address for logout tokens is not that of a server (OpenID Connect Back-Channel Logout,
    /// section 2.2).
    #[error("backchannel_logout_uri: not the https URL of a server")]
    BackChannel,
}

impl LogoutUriError {
    /// The member of the metadata that is at fault.
    pub(crate) const fn member(&self) -> &'static str {
        match self {
            Self::Syntax(name, _) | Self::Inward(name) => name,
            Self::TooMany => "post_logout_redirect_uris",
            Self::FrontChannel => "frontchannel_logout_uri",
            Self::BackChannel => "backchannel_logout_uri",
        }
    }
}

/// Checks the addresses, beside the redirect URIs.
pub(super) fn check(
    openid: &ClientOpenId,
    redirect_uris: &[RedirectUri],
) -> Result<(), LogoutUriError> {
    if openid.post_logout_redirect_uris.len() > MOST_REDIRECT_URIS {
        return Err(LogoutUriError::TooMany);
    }
    // A frame may be anybody's, and the browser sends it the cookies of its origin.
    let is_own = |uri: &RedirectUri| {
        uri.is_web() && redirect_uris.iter().any(|known| known.destination() == uri.destination())
    };
    if !openid.frontchannel_logout_uri.as_ref().is_none_or(is_own) {
        return Err(LogoutUriError::FrontChannel);
    }
    if !openid.backchannel_logout_uri.as_ref().is_none_or(RedirectUri::is_web) {
        return Err(LogoutUriError::BackChannel);
    }
    Ok(())
}

/// Checks that logout tokens get to the addresses, and frames only to public ones: on a user's own
/// machine, a frame would be a request that a stranger chose.
pub(super) fn check_reach(
    openid: &ClientOpenId,
    reaches: impl Fn(&Url) -> bool,
) -> Result<(), LogoutUriError> {
    for (name, uri) in [
        ("frontchannel_logout_uri", &openid.frontchannel_logout_uri),
        ("backchannel_logout_uri", &openid.backchannel_logout_uri),
    ] {
        let is_reached =
            |uri: &RedirectUri| Url::parse(uri.as_str()).is_ok_and(|url| reaches(&url));
        if !uri.as_ref().is_none_or(is_reached) {
            return Err(LogoutUriError::Inward(name));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap()
    }

    #[test]
    fn frames_are_at_the_origin_of_a_redirect_uri_and_tokens_go_to_servers() {
        let callbacks = [uri("https://app.example/cb"), uri("com.example.app:/cb")];
        let checked = |change: &dyn Fn(&mut ClientOpenId)| {
            let mut openid = ClientOpenId::default();
            change(&mut openid);
            check(&openid, &callbacks)
        };
        let front = |text: &str| {
            let uri = uri(text);
            checked(&move |openid| openid.frontchannel_logout_uri = Some(uri.clone()))
        };
        let back = |text: &str| {
            let uri = uri(text);
            checked(&move |openid| openid.backchannel_logout_uri = Some(uri.clone()))
        };
        assert_eq!(front("https://app.example/out?a=1"), Ok(()));
        for other in [
            "https://other.example/out",
            "https://app.example:8443/out",
            "http://127.0.0.1/out",
            "com.example.app:/out",
        ] {
            assert_eq!(front(other), Err(LogoutUriError::FrontChannel), "{other}");
        }
        assert_eq!(back("https://other.example/out"), Ok(()));
        let refused = Err(LogoutUriError::BackChannel);
        assert_eq!(back("com.example.app:/out"), refused);
        let bye = vec![uri("https://app.example/bye"); MOST_REDIRECT_URIS + 1];
        let many = checked(&move |openid| openid.post_logout_redirect_uris.clone_from(&bye));
        assert_eq!(many, Err(LogoutUriError::TooMany));
    }
}
