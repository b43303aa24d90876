//! The arguments for the OpenID Connect metadata of a client.

use clap::Args;
use quadrille::{
    jose::Algorithm,
    oauth2::ResponseType,
    provider::{ClientOpenId, NewClient, RedirectUri},
};

use super::auth::parse_algorithm;

/// The OpenID Connect metadata of a client (OpenID Connect Dynamic Client Registration, section 2).
/// Those that are given replace the client's.
#[derive(Args, Debug)]
#[command(next_help_heading = "OpenID Connect")]
pub(super) struct OpenIdArgs {
    /// Response type that the client restricts itself to, such as "code id_token"; repeatable
    /// [default: code, and token with the grant implicit]
    #[arg(long = "response-type", value_name = "TYPE", value_parser = response_type)]
    response_types: Vec<ResponseType>,
    /// The only algorithm of the client's ID tokens [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = parse_algorithm)]
    id_token_alg: Option<Algorithm>,
    /// The algorithm of the client's userinfo responses [default: none, plain JSON]
    #[arg(long, value_name = "ALG", value_parser = parse_algorithm)]
    userinfo_alg: Option<Algorithm>,
    /// Longest time since the sign-in, in seconds, for requests without max_age
    #[arg(long, value_name = "SECONDS")]
    default_max_age: Option<u32>,
    /// Address to which a browser may be sent after a logout, compared exactly; repeatable
    #[arg(long = "post-logout-redirect-uri", value_name = "URI", value_parser = redirect_uri)]
    post_logout_redirect_uris: Vec<RedirectUri>,
    /// Address that a frame shows after a logout, at the origin of a redirect URI
    #[arg(long, value_name = "URI", value_parser = redirect_uri)]
    frontchannel_logout_uri: Option<RedirectUri>,
    /// Address that gets a logout token, on the public Internet
    #[arg(long, value_name = "URI", value_parser = redirect_uri)]
    backchannel_logout_uri: Option<RedirectUri>,
}

/// The ids of these arguments, for the group of changes.
pub(super) const OPENID: [&str; 7] = [
    "response_types",
    "id_token_alg",
    "userinfo_alg",
    "default_max_age",
    "post_logout_redirect_uris",
    "frontchannel_logout_uri",
    "backchannel_logout_uri",
];

fn response_type(name: &str) -> Result<ResponseType, String> {
    ResponseType::parse(name).ok_or_else(|| {
        let known: Vec<_> = ResponseType::ALL.into_iter().map(ResponseType::as_str).collect();
        format!("the response types are {}", known.join(", "))
    })
}

fn redirect_uri(uri: &str) -> Result<RedirectUri, String> {
    RedirectUri::parse(uri).map_err(|reason| reason.to_string())
}

impl OpenIdArgs {
    /// The client with this metadata. `before` is its metadata so far.
    pub(super) fn apply(&self, new: NewClient, before: &ClientOpenId) -> NewClient {
        let mut openid = before.clone();
        if !self.response_types.is_empty() {
            let all = ResponseType::ALL.into_iter();
            openid.response_types = all.filter(|it| self.response_types.contains(it)).collect();
        }
        if !self.post_logout_redirect_uris.is_empty() {
            openid.post_logout_redirect_uris.clone_from(&self.post_logout_redirect_uris);
        }
        openid.id_token_signed_response_alg =
            self.id_token_alg.or(openid.id_token_signed_response_alg);
        openid.userinfo_signed_response_alg =
            self.userinfo_alg.or(openid.userinfo_signed_response_alg);
        openid.default_max_age = self.default_max_age.or(openid.default_max_age);
        for (given, member) in [
            (&self.frontchannel_logout_uri, &mut openid.frontchannel_logout_uri),
            (&self.backchannel_logout_uri, &mut openid.backchannel_logout_uri),
        ] {
            if given.is_some() {
                member.clone_from(given);
            }
        }
        new.openid(openid)
    }
}
