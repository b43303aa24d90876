//! The arguments of `client edit` that take away what the client has of OpenID Connect.

use clap::Args;
use quadrille::provider::ClientOpenId;

/// The OpenID Connect metadata to remove.
#[derive(Args, Debug)]
#[command(next_help_heading = "OpenID Connect, what the client has no more")]
pub(super) struct WithoutArgs {
    /// The client uses all response types that its grant types have without OpenID Connect
    #[arg(long, conflicts_with = "response_types")]
    without_response_types: bool,
    /// Remove all URLs at which request objects may be
    #[arg(long, conflicts_with = "request_uris")]
    without_request_uris: bool,
    /// Remove the keys of a client that does not authenticate by them
    #[arg(long, conflicts_with = "further_keys")]
    without_message_jwks: bool,
    /// Remove the URL whose host is the sector
    #[arg(long, conflicts_with = "sector_identifier_uri")]
    without_sector_identifier_uri: bool,
    /// A request without acr_values requires no authentication context class
    #[arg(long, conflicts_with = "default_acr_values")]
    without_default_acr_values: bool,
    /// Remove all addresses to which a browser may be sent after a logout
    #[arg(long, conflicts_with = "post_logout_redirect_uris")]
    without_post_logout_redirect_uris: bool,
    /// Remove the address that a frame shows after a logout
    #[arg(long, conflicts_with = "frontchannel_logout_uri")]
    without_frontchannel_logout_uri: bool,
    /// Remove the address that gets a logout token
    #[arg(long, conflicts_with = "backchannel_logout_uri")]
    without_backchannel_logout_uri: bool,
    /// Remove the URL at which the client begins a login
    #[arg(long, conflicts_with = "initiate_login_uri")]
    without_initiate_login_uri: bool,
}

/// The ids of these arguments, for the group of changes.
pub(super) const WITHOUT: [&str; 9] = [
    "without_response_types",
    "without_request_uris",
    "without_message_jwks",
    "without_sector_identifier_uri",
    "without_default_acr_values",
    "without_post_logout_redirect_uris",
    "without_frontchannel_logout_uri",
    "without_backchannel_logout_uri",
    "without_initiate_login_uri",
];

impl WithoutArgs {
    /// The metadata without what is to be removed.
    pub(super) fn apply(&self, before: &ClientOpenId) -> ClientOpenId {
        let mut openid = before.clone();
        if self.without_response_types {
            openid.response_types.clear();
        }
        if self.without_request_uris {
            openid.request_uris.clear();
        }
        if self.without_message_jwks {
            openid.keys = None;
        }
        if self.without_sector_identifier_uri {
            openid.sector_identifier_uri = None;
        }
        if self.without_default_acr_values {
            openid.default_acr_values.clear();
        }
        if self.without_post_logout_redirect_uris {
            openid.post_logout_redirect_uris.clear();
        }
        if self.without_frontchannel_logout_uri {
            openid.frontchannel_logout_uri = None;
        }
        if self.without_backchannel_logout_uri {
            openid.backchannel_logout_uri = None;
        }
        if self.without_initiate_login_uri {
            openid.initiate_login_uri = None;
        }
        openid
    }
}
