//! The client of a refused request, for the log.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;

use crate::{
    form::Params,
    guard::masked::Sender,
    jose::{Part, text_of_anybody},
    oauth2::{ClientAuthError, ClientProof, PresentedClient},
    provider::{
        client::{authenticate, error::AuthenticateError, grant_type::GrantType, record::Client},
        error::{ClientError, Error},
        server::Inner,
        token::{grant::jwt_bearer, issuers},
    },
};

/// The client of a refused request.
#[derive(Default)]
pub(super) struct Named {
    id: Option<String>,
    is_registered: bool,
    /// `true` if only a token names the client, and nobody has verified that.
    is_claimed: bool,
}

impl Named {
    /// The client as the request has it.
    pub(super) fn read(request: &Request<Bytes>, params: &Params<'_>, error: &Error) -> Self {
        let in_request = in_request(request, params, error);
        let is_claimed = in_request.is_none();
        Self { id: in_request.or_else(|| in_token(params)), is_registered: false, is_claimed }
    }

    /// The client as the store has it, or as the request has it if the store has none.
    pub(super) async fn look_up(
        inner: &Inner,
        request: &Request<Bytes>,
        params: &Params<'_>,
        error: &Error,
    ) -> Self {
        let presented = PresentedClient::parse(request.headers(), params);
        let named = Self::read(request, params, error);
        let client = match (&presented, &named.id) {
            (Ok(presented), _) => {
                authenticate::named(inner, presented, inner.now()).await.ok().flatten()
            }
            (Err(_), Some(id)) => registered(inner, id).await,
            (Err(ClientAuthError::Missing), None) => return of_issuer(inner, params).await,
            (Err(_), None) => None,
        };
        match client {
            Some(client) => Self { id: Some(client.id.to_string()), is_registered: true, ..named },
            None => named,
        }
    }

    /// The client that the request names itself, or that a token names which was verified.
    pub(super) fn in_request(&self) -> Option<Sender<'_>> {
        self.sender().filter(|_| !self.is_claimed)
    }

    /// The client that only a token names which nobody has verified.
    pub(super) fn claimed(&self) -> Option<Sender<'_>> {
        self.sender().filter(|_| self.is_claimed)
    }

    fn sender(&self) -> Option<Sender<'_>> {
        self.id.as_deref().map(match self.is_registered {
            true => Sender::Client,
            false => Sender::Stranger,
        })
    }
}

/// All values of a parameter.
pub(super) fn value(params: &Params<'_>, name: &str) -> Option<String> {
    Some(params.many(name).collect::<Vec<_>>().join(" ")).filter(|value| !value.is_empty())
}

/// The registered client with this identifier.
pub(crate) async fn registered(inner: &Inner, id: &str) -> Option<Arc<Client>> {
    inner.store.client(inner.issuer_id().await.ok()?, id).await.ok()?
}

/// The client that a request names in a parameter or a header, or by a client assertion that was
/// verified.
fn in_request(request: &Request<Bytes>, params: &Params<'_>, error: &Error) -> Option<String> {
    let in_header = || {
        let no_body = Params::default();
        let presented = PresentedClient::parse(request.headers(), &no_body).ok()?;
        Some(presented.id.into_owned())
    };
    match PresentedClient::parse(request.headers(), params) {
        Ok(presented) if !matches!(presented.proof, ClientProof::Assertion(_)) => {
            Some(presented.id.into_owned())
        }
        Ok(presented) if is_verified(error) => Some(presented.id.into_owned()),
        _ => value(params, "client_id").or_else(in_header),
    }
}

/// `true` if a client assertion was verified before the request was refused for this reason.
fn is_verified(error: &Error) -> bool {
    use AuthenticateError as E;
    match error {
        Error::Client(ClientError::Endpoint(_) | ClientError::Request(_)) => false,
        Error::Client(ClientError::Authenticate(error)) => matches!(
            error,
            E::AssertionClaims(_) | E::AssertionReplayed | E::AssertionBeforeRestore
        ),
        _ => true,
    }
}

/// The client that a token of a request names: as its subject or issuer (RFC 7523, section 3), in a
/// parameter of a request object (RFC 9101, section 4), or as the audience of an ID token.
fn in_token(params: &Params<'_>) -> Option<String> {
    let of = |parameter: &str, names: &[&str]| {
        let token = params.many(parameter).next()?;
        names.iter().find_map(|name| text_of_anybody(token, Part::Claims, name))
    };
    of("client_assertion", &["sub", "iss"])
        .or_else(|| of("request", &["client_id", "iss"]))
        .or_else(|| of("id_token_hint", &["aud"]))
}

/// The client of which the requests of an issuer are, by an assertion as a grant: claimed, unless the
/// issuer has signed it. Otherwise the client that is itself the issuer.
async fn of_issuer(inner: &Inner, params: &Params<'_>) -> Named {
    let is_of_issuer = params.one("grant_type") == Ok(Some(GrantType::JwtBearer.as_str()));
    let (true, Ok(Some(assertion))) = (is_of_issuer, params.one("assertion")) else {
        return Named::default();
    };
    let verified = jwt_bearer::client_of(inner, assertion).await.ok().flatten();
    let is_claimed = verified.is_none();
    let iss = text_of_anybody(assertion, Part::Claims, "iss").unwrap_or_default();
    let id = verified.or_else(|| issuers::known(inner, &iss)?.client());
    let client = registered(inner, id.map_or(iss.as_str(), |id| &**id)).await;
    let id = client.map(|client| client.id.to_string());
    Named { is_registered: id.is_some(), id, is_claimed }
}
