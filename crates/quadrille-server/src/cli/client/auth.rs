//! The arguments for the authentication of a client.

use std::path::PathBuf;

use clap::Args;
use quadrille::{
    jose::Algorithm,
    provider::{ClientKeys, NewClient, RegisteredAuth},
};

use crate::Failure;

/// The arguments for a client that signs assertions (RFC 7523).
#[derive(Args, Debug)]
#[command(next_help_heading = "Client authentication")]
pub(super) struct AuthArgs {
    /// The client signs an assertion with its private key for each request; it has no secret
    #[arg(long, requires = "keys", conflicts_with = "public")]
    private_key_jwt: bool,
    /// FILE has the client's public keys, as a JWK Set
    #[arg(long, value_name = "FILE", group = "keys", requires = "private_key_jwt")]
    jwks: Option<PathBuf>,
    /// https URL of the client's public keys, which the client can rotate there
    #[arg(long, value_name = "URL", group = "keys", requires = "private_key_jwt")]
    jwks_uri: Option<String>,
    /// The client signs an assertion with its secret for each request. The secret is kept sealed
    /// under the key ring, not as a hash
    #[arg(long, conflicts_with_all = ["public", "private_key_jwt"])]
    client_secret_jwt: bool,
    /// The only algorithm of the client's assertions, such as ES256 or HS256 [default: all those
    /// of the keys, or any HMAC]
    #[arg(long, value_name = "ALG", value_parser = parse_algorithm)]
    assertion_alg: Option<Algorithm>,
}

fn parse_algorithm(name: &str) -> Result<Algorithm, String> {
    Algorithm::parse(name).ok_or_else(|| {
        let known: Vec<_> = Algorithm::ALL.into_iter().map(Algorithm::as_str).collect();
        format!("the algorithms are {}", known.join(", "))
    })
}

impl AuthArgs {
    /// Adds the authentication to the client.
    pub(super) fn add_to(&self, new: NewClient) -> Result<NewClient, Failure> {
        let alg = self.assertion_alg;
        if self.client_secret_jwt {
            return Ok(new.auth(RegisteredAuth::ClientSecretJwt { alg }));
        }
        let keys = match (&self.jwks, &self.jwks_uri) {
            (Some(path), _) => {
                let json = std::fs::read_to_string(path);
                let path = || path.clone();
                ClientKeys::Jwks(
                    json.map_err(|error| Failure::File { path: path(), error })?.into(),
                )
            }
            (None, Some(uri)) => ClientKeys::JwksUri(uri.as_str().into()),
            (None, None) => return Ok(new),
        };
        Ok(new.auth(RegisteredAuth::PrivateKeyJwt { alg, keys }))
    }
}
