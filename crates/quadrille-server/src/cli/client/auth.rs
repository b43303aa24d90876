//! The arguments for the authentication of a client.

use std::path::PathBuf;

use clap::Args;
use quadrille::{
    jose::Algorithm,
    provider::{ClientKeys, RegisteredAuth},
};

use crate::{Failure, refused::Refused};

/// The arguments for the only authentication method of a client (RFC 7591, section 2).
#[derive(Args, Debug)]
#[command(next_help_heading = "Client authentication")]
pub(super) struct AuthArgs {
    /// The client signs an assertion with its private key for each request; it has no secret
    #[arg(long, requires = "keys", group = "auth_method")]
    private_key_jwt: bool,
    /// FILE has the client's public keys, as a JWK Set
    #[arg(long, value_name = "FILE", group = "keys", requires = "private_key_jwt")]
    jwks: Option<PathBuf>,
    /// https URL of the client's public keys, which the client can rotate there
    #[arg(long, value_name = "URL", group = "keys", requires = "private_key_jwt")]
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
    #[arg(long, value_name = "ALG", value_parser = parse_algorithm, requires = "auth_method",
        conflicts_with_all = ["client_secret_basic", "client_secret_post"])]
    assertion_alg: Option<Algorithm>,
}

/// The ids of the arguments that name a method, for the group of changes.
pub(super) const METHODS: [&str; 4] =
    ["private_key_jwt", "client_secret_jwt", "client_secret_basic", "client_secret_post"];

fn parse_algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::parse(name).ok_or_else(|| {
        let known: Vec<_> = Algorithm::ALL.into_iter().map(Algorithm::as_str).collect();
        format!("the algorithms are {}", known.join(", "))
    })
}

impl AuthArgs {
    /// The authentication, if it is given.
    pub(super) fn read(&self) -> Result<Option<RegisteredAuth>, Failure> {
        let alg = self.assertion_alg;
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
            (Some(path), _) => {
                let text = std::fs::read_to_string(path);
                let path = || path.clone();
                let text = text.map_err(|error| Failure::File { path: path(), error })?;
                if text.contains("-----BEGIN ") {
                    let is_private = text.contains("PRIVATE KEY-----");
                    return Err(Refused::PemOfJwks { path: path(), is_private }.into());
                }
                ClientKeys::Jwks(text.into())
            }
            (None, Some(uri)) => ClientKeys::JwksUri(uri.as_str().into()),
            (None, None) => return Ok(None),
        };
        Ok(Some(RegisteredAuth::PrivateKeyJwt { alg, keys }))
    }
}
