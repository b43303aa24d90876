//! The arguments for the OpenID Connect metadata of a client.

use std::path::PathBuf;

use clap::{ArgAction, Args, ValueEnum};
use quadrille::{
    KeyRing,
    jose::{Algorithm, ContentEncryption, KeyManagement},
    oauth2::ResponseType,
    provider::{
        AuthorizationServer, ClientKeys, ClientOpenId, FetchError, Fetched, MessageEncryption,
        NewClient, OpenId, RedirectUri, RequestObjectSigning, RequestObjects, SubjectType,
        TokenFetcher,
    },
};
use url::Url;

use super::auth::{parse_algorithm, read_jwks};
use crate::{
    Failure,
    config::Settings,
    data::{Known, checked_logout},
    serve::object_keys,
    web::AppError,
};

/// The OpenID Connect metadata of a client (OpenID Connect Dynamic Client Registration, section 2).
/// Those that are given replace the client's; `default` is the value of a client that has none of its own.
#[derive(Args, Debug)]
#[command(next_help_heading = "OpenID Connect")]
pub(super) struct OpenIdArgs {
    /// Response type that the client restricts itself to, such as "code id_token"; repeatable
    /// [default: code, and token with the grant implicit]
    #[arg(long = "response-type", value_name = "TYPE", value_parser = response_type)]
    response_types: Vec<ResponseType>,
    /// The only algorithm of the client's ID tokens [default: RS256]
    #[arg(long, value_name = "ALG", value_parser = or_default(parse_algorithm))]
    id_token_alg: Option<Own<Algorithm>>,
    /// The encryption of the client's ID tokens, such as ECDH-ES or ECDH-ES,A256GCM [default: none]
    #[arg(long, value_name = "ALG[,ENC]", value_parser = or_default(encryption))]
    id_token_encryption: Option<Own<MessageEncryption>>,
    /// The algorithm of the client's userinfo responses [default: none, plain JSON]
    #[arg(long, value_name = "ALG", value_parser = or_default(parse_algorithm))]
    userinfo_alg: Option<Own<Algorithm>>,
    /// The encryption of the client's userinfo responses, likewise [default: none]
    #[arg(long, value_name = "ALG[,ENC]", value_parser = or_default(encryption))]
    userinfo_encryption: Option<Own<MessageEncryption>>,
    /// The only algorithm of the client's request objects; none for unsigned ones [default: any]
    #[arg(long, value_name = "ALG", value_parser = or_default(signing))]
    request_object_alg: Option<Own<RequestObjectSigning>>,
    /// The encryption of the client's request objects, where they are encrypted [default: any]
    #[arg(long, value_name = "ALG[,ENC]", value_parser = or_default(encryption))]
    request_object_encryption: Option<Own<MessageEncryption>>,
    /// Whether requests of the client that are in no signed request object are refused (RFC 9101)
    #[arg(long, value_name = "YES", action = ArgAction::Set)]
    require_signed_request_object: Option<bool>,
    /// https URL at which request objects of the client may be; repeatable
    #[arg(long = "request-uri", value_name = "URL")]
    request_uris: Vec<String>,
    /// FILE has the public keys, as a JWK Set, of a client that does not authenticate by them: for its
    /// request objects, and for what is encrypted for it
    #[arg(long, value_name = "FILE", group = "further_keys")]
    message_jwks: Option<PathBuf>,
    /// https URL of such keys
    #[arg(long, value_name = "URL", group = "further_keys")]
    message_jwks_uri: Option<String>,
    /// The subjects by which the client knows users: pairwise ones are of its sector alone
    #[arg(long, value_name = "TYPE", value_enum)]
    subject_type: Option<Subjects>,
    /// URL whose host is the sector of a client with redirect URIs on several hosts
    #[arg(long, value_name = "URL", value_parser = https)]
    sector_identifier_uri: Option<Url>,
    /// Longest time since the sign-in, in seconds, for requests without max_age
    #[arg(long, value_name = "SECONDS", value_parser = or_default(seconds))]
    default_max_age: Option<Own<u32>>,
    /// Authentication context class that requests without acr_values require, one of them; repeatable
    #[arg(long = "default-acr-value", value_name = "ACR")]
    default_acr_values: Vec<String>,
    /// Whether the client needs the time of the sign-in, which every ID token has
    #[arg(long, value_name = "YES", action = ArgAction::Set)]
    require_auth_time: Option<bool>,
    /// https URL at which the client begins a login when others send a user there
    #[arg(long, value_name = "URL", value_parser = https)]
    initiate_login_uri: Option<Url>,
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
pub(super) const OPENID: [&str; 20] = [
    "response_types",
    "id_token_alg",
    "id_token_encryption",
    "userinfo_alg",
    "userinfo_encryption",
    "request_object_alg",
    "request_object_encryption",
    "require_signed_request_object",
    "request_uris",
    "message_jwks",
    "message_jwks_uri",
    "subject_type",
    "sector_identifier_uri",
    "default_max_age",
    "default_acr_values",
    "require_auth_time",
    "initiate_login_uri",
    "post_logout_redirect_uris",
    "frontchannel_logout_uri",
    "backchannel_logout_uri",
];

/// The subjects by which a client knows users (OpenID Connect Core, section 8).
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Subjects {
    /// The same for all clients.
    Public,
    /// Others in each sector.
    Pairwise,
}

/// A value of the client's own; `None` for the default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Own<T>(Option<T>);

/// Reads `default`, or a value as `read` does.
fn or_default<T>(
    read: impl Fn(&str) -> Result<T, String> + Clone,
) -> impl Fn(&str) -> Result<Own<T>, String> + Clone {
    move |text| match text {
        "default" => Ok(Own(None)),
        _ => read(text).map(|value| Own(Some(value))),
    }
}

fn seconds(text: &str) -> Result<u32, String> {
    text.parse().map_err(|_| "a number of seconds is needed".to_owned())
}

fn response_type(name: &str) -> Result<ResponseType, String> {
    ResponseType::parse(name).ok_or_else(|| {
        let known: Vec<_> = ResponseType::ALL.into_iter().map(ResponseType::as_str).collect();
        format!("the response types are {}", known.join(", "))
    })
}

fn redirect_uri(uri: &str) -> Result<RedirectUri, String> {
    RedirectUri::parse(uri).map_err(|reason| reason.to_string())
}

fn https(text: &str) -> Result<Url, String> {
    match Url::parse(text) {
        Ok(url) if url.scheme() == "https" && url.has_host() => Ok(url),
        _ => Err("an https URL is needed".to_owned()),
    }
}

fn signing(name: &str) -> Result<RequestObjectSigning, String> {
    match name {
        "none" => Ok(RequestObjectSigning::Unsigned),
        name => parse_algorithm(name).map(RequestObjectSigning::Signed),
    }
}

fn encryption(text: &str) -> Result<MessageEncryption, String> {
    let (alg, enc) = text.split_once(',').map_or((text, None), |(alg, enc)| (alg, Some(enc)));
    let alg = KeyManagement::parse(alg).ok_or_else(|| {
        let known: Vec<_> = KeyManagement::ALL.into_iter().map(KeyManagement::as_str).collect();
        format!("the algorithms of keys are {}", known.join(", "))
    })?;
    let default = MessageEncryption::by(alg);
    let Some(name) = enc else { return Ok(default) };
    let enc = ContentEncryption::parse(name).ok_or_else(|| {
        let all = ContentEncryption::ALL.into_iter().map(ContentEncryption::as_str);
        format!("the algorithms of payloads are {}", all.collect::<Vec<_>>().join(", "))
    })?;
    Ok(MessageEncryption { enc, ..default })
}

/// A server that offers clients all of OpenID Connect, if it is on: `serve` has settings for the rest,
/// which a command need not have.
pub(super) fn offering_all(
    server: &AuthorizationServer,
    (settings, known): (&Settings, &Known),
) -> Result<AuthorizationServer, Failure> {
    if !known.scopes.contains_key("openid") {
        return Ok(server.clone());
    }
    let objects = RequestObjects::new()
        .by_reference(Nowhere)
        .accept_unsigned_ones_that_anybody_can_have_written()
        .encrypted_to_keys_of(&KeyRing::ephemeral(), server.issuer())
        .map_err(AppError::from)?
        .encrypted_to(object_keys(settings)?);
    let all = OpenId::new().logout(checked_logout(settings)).request_objects(objects);
    Ok(server.clone().openid(all.encrypted_responses().pairwise_subjects(&[0; 32])))
}

/// The fetcher of a command, which answers no requests.
struct Nowhere;

impl TokenFetcher for Nowhere {
    async fn fetch_token(&self, _: &Url) -> Result<Fetched, FetchError> {
        Err(FetchError::Unreachable)
    }
}

impl OpenIdArgs {
    /// The keys that are given.
    pub(super) fn keys(&self) -> Result<Option<ClientKeys>, Failure> {
        match (&self.message_jwks, &self.message_jwks_uri) {
            (Some(path), _) => read_jwks(path).map(Some),
            (None, Some(uri)) => Ok(Some(ClientKeys::JwksUri(uri.as_str().into()))),
            (None, None) => Ok(None),
        }
    }

    /// The client with this metadata. `before` is its metadata so far, and `keys` are those that were
    /// [read](Self::keys).
    pub(super) fn apply(
        &self,
        new: NewClient,
        before: &ClientOpenId,
        keys: Option<&ClientKeys>,
    ) -> NewClient {
        let mut openid = before.clone();
        if !self.response_types.is_empty() {
            let all = ResponseType::ALL.into_iter();
            openid.response_types = all.filter(|it| self.response_types.contains(it)).collect();
        }
        replace(&mut openid.post_logout_redirect_uris, &self.post_logout_redirect_uris);
        let texts =
            |given: &[String]| given.iter().map(|text| text.as_str().into()).collect::<Vec<_>>();
        replace(&mut openid.request_uris, &texts(&self.request_uris));
        replace(&mut openid.default_acr_values, &texts(&self.default_acr_values));
        own(&mut openid.id_token_signed_response_alg, self.id_token_alg);
        own(&mut openid.id_token_encrypted_response, self.id_token_encryption);
        own(&mut openid.userinfo_signed_response_alg, self.userinfo_alg);
        own(&mut openid.userinfo_encrypted_response, self.userinfo_encryption);
        own(&mut openid.request_object_signing_alg, self.request_object_alg);
        own(&mut openid.request_object_encryption, self.request_object_encryption);
        set(&mut openid.keys, keys.cloned());
        own(&mut openid.default_max_age, self.default_max_age);
        let url = |given: &Option<Url>| given.as_ref().map(|url| url.as_str().into());
        set(&mut openid.sector_identifier_uri, url(&self.sector_identifier_uri));
        set(&mut openid.initiate_login_uri, url(&self.initiate_login_uri));
        set(&mut openid.frontchannel_logout_uri, self.frontchannel_logout_uri.clone());
        set(&mut openid.backchannel_logout_uri, self.backchannel_logout_uri.clone());
        if let Some(required) = self.require_auth_time {
            openid.require_auth_time = required;
        }
        if let Some(required) = self.require_signed_request_object {
            openid.require_signed_request_object = required;
        }
        match self.subject_type {
            Some(Subjects::Public) => openid.subject_type = SubjectType::Public,
            Some(Subjects::Pairwise) => openid.subject_type = SubjectType::Pairwise,
            None => {}
        }
        new.openid(openid)
    }
}

/// Replaces a member by what is given.
fn set<T>(member: &mut Option<T>, given: Option<T>) {
    if given.is_some() {
        *member = given;
    }
}

/// Replaces a member by what is given, which may be the default.
fn own<T>(member: &mut Option<T>, given: Option<Own<T>>) {
    if let Some(Own(value)) = given {
        *member = value;
    }
}

/// Replaces a list by what is given, if that is something.
fn replace<T: Clone>(member: &mut Vec<T>, given: &[T]) {
    if !given.is_empty() {
        *member = given.to_vec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encryption_is_one_algorithm_or_two() {
        let by = MessageEncryption::by(KeyManagement::EcdhEs);
        assert_eq!(encryption("ECDH-ES"), Ok(by));
        let with = MessageEncryption { enc: ContentEncryption::A256Gcm, ..by };
        assert_eq!(encryption("ECDH-ES,A256GCM"), Ok(with));
        for wrong in ["", "RSA1_5", "ECDH-ES,", "ECDH-ES,A192GCM", "A256GCM"] {
            assert!(encryption(wrong).is_err(), "{wrong}");
        }
        assert_eq!(signing("none"), Ok(RequestObjectSigning::Unsigned));
        assert_eq!(or_default(encryption)("default"), Ok(Own(None)));
        assert_eq!(or_default(seconds)("60"), Ok(Own(Some(60))));
    }
}
