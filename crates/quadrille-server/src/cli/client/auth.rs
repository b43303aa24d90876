//! The arguments for the authentication of a client.

use std::path::{Path, PathBuf};

use clap::Args;
use quadrille::{
    jose::Algorithm,
    provider::{ClientKeys, RegisteredAuth},
};

use crate::{Failure, named_file, refused::Refused};

/// The arguments for the only authentication method of a client (RFC 7591, section 2).
#[derive(Args, Debug)]
#[command(next_help_heading = "Client authentication")]
pub(super) struct AuthArgs {
    /// The client signs an assertion with its private key for each request; it has no secret
    #[arg(long, requires = "keys", group = "auth_method")]
    private_key_jwt: bool,
    /// FILE has the client's public keys, as a JWK Set
    #[arg(long, value_name = "FILE", group = "keys")]
    jwks: Option<PathBuf>,
    /// https URL of the client's public keys, which the client can rotate there
    #[arg(long, value_name = "URL", group = "keys")]
    jwks_uri: Option<String>,
    /// The client signs an assertion with its secret for each request. The secret is kept sealed
    /// under the key ring, not as a hash
    #[arg(long, group = "auth_method")]
    client_secret_jwt: bool,
    /// The client sends its secret in the Authorization header, and in no other way
    #[arg(long, group = "auth_method")]
    client_secret_basic: bool,
    /// The client sends its secret in the body, and in no other way
    #[arg(long, group = "auth_method")]
    client_secret_post: bool,
    /// The only algorithm of the client's assertions, such as ES256 or HS256 [default: all those
    /// of the keys, or any HMAC]
    #[arg(long, value_name = "ALG", value_parser = parse_algorithm,
        conflicts_with_all = ["client_secret_basic", "client_secret_post"])]
    assertion_alg: Option<Algorithm>,
}

/// The ids of the arguments that name a method or new keys, for the group of changes.
pub(super) const METHODS: [&str; 6] = [
    "private_key_jwt",
    "client_secret_jwt",
    "client_secret_basic",
    "client_secret_post",
    "jwks",
    "jwks_uri",
];

pub(super) fn parse_algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::parse(name).ok_or_else(|| {
        let known: Vec<_> = Algorithm::ALL.into_iter().map(Algorithm::as_str).collect();
        format!("the algorithms are {}", known.join(", "))
    })
}

/// The JWK Set in a file.
pub(super) fn read_jwks(path: &Path) -> Result<ClientKeys, Failure> {
    let text = named_file::text_or_pipe(path);
    let path = || path.to_owned();
    let text = text.map_err(|error| Failure::File { path: path(), error })?;
    if text.contains("-----BEGIN ") {
        let is_private = text.contains("PRIVATE KEY-----");
        return Err(Refused::PemOfJwks { path: path(), is_private }.into());
    }
    Ok(ClientKeys::Jwks(text.as_str().into()))
}

impl AuthArgs {
    /// `true` if a method is named.
    const fn has_method(&self) -> bool {
        self.private_key_jwt
            || self.client_secret_jwt
            || self.client_secret_basic
            || self.client_secret_post
    }

    /// The authentication, if it is given. New keys alone are for a client that signs assertions
    /// with its `present` keys, and leave its algorithm as it is.
    pub(super) fn read(
        &self,
        present: Option<&RegisteredAuth>,
    ) -> Result<Option<RegisteredAuth>, Failure> {
        let has_keys = self.jwks.is_some() || self.jwks_uri.is_some();
        let alg = match present {
            _ if self.has_method() => self.assertion_alg,
            Some(RegisteredAuth::PrivateKeyJwt { alg, .. }) if has_keys => {
                self.assertion_alg.or(*alg)
            }
            _ if has_keys || self.assertion_alg.is_some() => {
                return Err(Refused::KeysWithoutMethod.into());
            }
            _ => return Ok(None),
        };
        if has_keys && !self.private_key_jwt && self.has_method() {
            return Err(Refused::KeysWithoutMethod.into());
        }
        if self.client_secret_jwt {
            return Ok(Some(RegisteredAuth::ClientSecretJwt { alg }));
        }
        if self.client_secret_basic {
            return Ok(Some(RegisteredAuth::ClientSecretBasic));
        }
        if self.client_secret_post {
            return Ok(Some(RegisteredAuth::ClientSecretPost));
        }
        let keys = match (&self.jwks, &self.jwks_uri) {
            (Some(path), _) => read_jwks(path)?,
            (None, Some(uri)) => ClientKeys::JwksUri(uri.as_str().into()),
            (None, None) => return Ok(None),
        };
        Ok(Some(RegisteredAuth::PrivateKeyJwt { alg, keys }))
    }
}
