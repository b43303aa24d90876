//! Revoking an account's token at the service.

use std::borrow::Cow;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use serde_json::json;
use tracing::warn;

use crate::{
    consumer::{
        account::Account,
        call::api::Api,
        dance::{Dance, OAuth2Dance},
        error::{Error, OperatorError, Result},
        exchange::{ask_endpoint, retry_after},
        login::{Login, registered::Registered},
        refresh::held::{Held, Wanted},
        service::{Dynamic, Revocation},
        to_the_end::to_the_end,
    },
    form::FormWriter,
    oauth2::{ClientAuth, RevocationRequest, TokenTypeHint, answer},
    scope::ScopeRequirement,
    transport::Purpose,
};

use super::{Linked, forget};

/// The outcome of [`Linked::revoke_at_service`].
///
/// ```
/// use quadrille::{GitHub, Linked, Result, consumer::RevokedAtService};
///
/// async fn log_out(github: Linked<GitHub>) -> Result<&'static str> {
///     let outcome = github.revoke_at_service().await;
///     github.unlink().await?;
///     Ok(match outcome {
///         RevokedAtService::Revoked => "GitHub accepts our token no longer.",
///         _ => "Remove this application in your settings at GitHub.",
///     })
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the token is still valid unless this is `Revoked`"]
#[non_exhaustive]
pub enum RevokedAtService {
    /// The token is revoked, or was invalid already.
    Revoked,
    /// The service offers no revocation.
    Unsupported,
    /// The request failed, and the token may still be valid.
    Failed(Error),
}

/// The outcome of [`Linked::log_out`]. The account is unlinked in every case.
///
/// ```
/// use quadrille::consumer::LoggedOut;
///
/// fn farewell(outcome: &LoggedOut) -> &'static str {
///     match outcome {
///         LoggedOut::Revoked => "GitHub accepts our token no longer.",
///         _ => "Remove this application in your settings at GitHub.",
///     }
/// }
/// assert_eq!(LoggedOut::Unsupported.code(), "unsupported");
/// assert_eq!(farewell(&LoggedOut::Revoked), "GitHub accepts our token no longer.");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoggedOut {
    /// The service has revoked the token.
    Revoked,
    /// The service offers no revocation: the token may be valid until it expires.
    Unsupported,
    /// The request to revoke the token failed for this reason, and the token may still be valid.
    LocalOnly(Error),
}

impl LoggedOut {
    /// The stable code, for logs and clients: `revoked`, `unsupported` or `local_only`.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Revoked => "revoked",
            Self::Unsupported => "unsupported",
            Self::LocalOnly(_) => "local_only",
        }
    }
}

impl<S, Scope: ScopeRequirement> Linked<S, Scope> {
    /// Logs the account out: removes it from this site ([`unlink`](Linked::unlink)), and revokes its
    /// token at the service where that can be done
    /// ([`revoke_at_service`](Linked::revoke_at_service)). Both are done to their end, also if the
    /// request that waits for them is given up. The application's own session is not touched.
    ///
    /// ```
    /// use quadrille::{GitHub, Linked, Result, consumer::LoggedOut};
    ///
    /// async fn log_out(github: Linked<GitHub>) -> Result<&'static str> {
    ///     Ok(match github.log_out().await? {
    ///         LoggedOut::Revoked => "Goodbye",
    ///         _ => "Goodbye. GitHub still lists this application in your settings.",
    ///     })
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the storage.
    pub async fn log_out(self) -> Result<LoggedOut> {
        to_the_end(logged_out(self.held().clone())).await
    }

    /// Revokes the account's token at the service (RFC 7009, or a request of the service's own:
    /// [`Spec::revocation`](crate::Spec::revocation)). The account stays linked at this site until
    /// [`unlink`](Linked::unlink).
    pub async fn revoke_at_service(&self) -> RevokedAtService {
        match revoked(self.held()).await {
            Ok(true) => RevokedAtService::Revoked,
            Ok(false) => RevokedAtService::Unsupported,
            Err(error) => RevokedAtService::Failed(error),
        }
    }
}

impl Login {
    /// Logs an account out, outside of a request: [`Linked::log_out`], for an account that is
    /// expired or needs linking again, too. `None` if it is not linked.
    ///
    /// ```
    /// use quadrille::{Login, Result, consumer::{Account, LoggedOut}};
    ///
    /// async fn close(login: &Login, accounts: &[Account]) -> Result<usize> {
    ///     let mut revoked = 0;
    ///     for account in accounts {
    ///         revoked += usize::from(login.log_out(account).await? == Some(LoggedOut::Revoked));
    ///     }
    ///     Ok(revoked)
    /// }
    /// ```
    ///
    /// # Errors
    /// Those of the storage, and [`OperatorError::OutsideRequest`] if tokens are stored in cookies.
    pub async fn log_out(&self, account: &Account) -> Result<Option<LoggedOut>> {
        let registered = self.by_name(&account.service).await?;
        let cx = self.context(self.ready()?, None);
        let Account { owner, service, subject } = account;
        let stored = self.0.storage.load(&cx, owner, service, Some(subject)).await?;
        let Some(stored) = stored else { return Ok(None) };
        let held = Held::new(self, &registered, stored, None, Wanted::default());
        Linked::<Dynamic>::new(Api::new(held)).log_out().await.map(Some)
    }
}

/// Unlinks the account, and then revokes its token: a service may be slow, and the user may go away.
async fn logged_out(held: Held) -> Result<LoggedOut> {
    if let Dance::OAuth2(dance) = &held.registered().dance
        && dance.spec.revocation.as_ref().is_some_and(|(_, kind)| kind.is_by_bearer())
    {
        // An expired token revokes nothing, and without the account it is never refreshed. If that
        // fails, so does the revocation.
        held.usable(None, None).await.ok();
    }
    forget(held.login(), held.jar(), &held.stored().account).await?;
    Ok(match revoked(&held).await {
        Ok(true) => LoggedOut::Revoked,
        Ok(false) => LoggedOut::Unsupported,
        Err(error) => {
            let (service, code, cause) = (&*held.registered().name, error.code(), error.causes());
            warn!(code, service, %error, cause, "a token was not revoked");
            LoggedOut::LocalOnly(error)
        }
    })
}

/// `false` if the service offers no revocation.
async fn revoked(held: &Held) -> Result<bool> {
    let registered = held.registered().discovered(&held.login().ready()?.site).await?;
    let Dance::OAuth2(dance) = &registered.dance else { return Ok(false) };
    let Some((endpoint, kind)) = &dance.spec.revocation else { return Ok(false) };
    revoke(held, &registered, dance, endpoint, *kind).await.map(|()| true)
}

async fn revoke(
    held: &Held,
    registered: &Registered,
    dance: &OAuth2Dance,
    endpoint: &str,
    kind: Revocation,
) -> Result<()> {
    let stored = held.stored();
    let endpoint = registered.endpoint_for(&stored, endpoint)?;
    let mut request = match kind {
        Revocation::Standard | Revocation::WithoutSecret => {
            let refresh = stored.token.refresh_token.as_ref();
            let (token, hint) = match refresh {
                Some(token) => (token, TokenTypeHint::RefreshToken),
                None => (&stored.token.access_token, TokenTypeHint::AccessToken),
            };
            let asked = RevocationRequest { token: token.expose(), token_type_hint: Some(hint) };
            let client_id = registered.id.as_str().into();
            let public = ClientAuth::None { client_id };
            let auth = match kind {
                Revocation::Standard => dance.auth(&held.login().ready()?.site)?,
                _ => Cow::Borrowed(&public),
            };
            let request = asked.to_request(endpoint.as_str(), &auth);
            dance.as_service_reads(request.map_err(|_| registered.endpoint_malformed())?)
        }
        Revocation::DeleteByClient => {
            let auth = dance.auth(&held.login().ready()?.site)?;
            let token = stored.token.access_token.expose();
            let body = json!({ "access_token": token }).to_string();
            let mut request = bare(Method::DELETE, endpoint.as_str(), body.into())?;
            let headers = request.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            headers.insert(header::AUTHORIZATION, basic(&auth)?);
            request
        }
        Revocation::PostAccessToken => {
            let mut form = FormWriter::new();
            form.append("access_token", stored.token.access_token.expose());
            let mut request = bare(Method::POST, endpoint.as_str(), form.finish().into())?;
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(header::CONTENT_TYPE, form);
            request
        }
        Revocation::PostBearer | Revocation::DeleteBearer => {
            let method = if kind == Revocation::PostBearer { Method::POST } else { Method::DELETE };
            let token = held.usable(None, None).await?.token.access_token.clone();
            let mut request = bare(method, endpoint.as_str(), Bytes::new())?;
            let value = dance.authorization(&token).ok_or(OperatorError::CallMalformed)?;
            request.headers_mut().insert(header::AUTHORIZATION, value);
            request
        }
    };
    for (name, value) in &registered.call_headers {
        request.headers_mut().entry(name).or_insert_with(|| value.clone());
    }
    let site = &held.login().ready()?.site;
    let answer =
        ask_endpoint(registered.http(site), &registered.name, request, Purpose::Revoke).await?;
    if is_revoked(&answer, kind, registered.spec.failure_flag.as_deref()) {
        return Ok(());
    }
    Err(Error::Api {
        service: registered.name.clone(),
        status: answer.status(),
        retry_after: retry_after(answer.headers(), site.env.now()),
        body: answer.into_body(),
    })
}

/// Whether the token is invalid now.
fn is_revoked(answer: &Response<Bytes>, kind: Revocation, flag: Option<&str>) -> bool {
    let members = answer::members(&answer::text(answer.body())).unwrap_or_default();
    if answer.status().is_success() {
        return flag.is_none_or(|flag| members.get(flag) != Some(&false.into()));
    }
    match answer.status() {
        StatusCode::UNAUTHORIZED => kind.is_by_bearer(),
        // Some services do not know the tokens any more that they revoked.
        StatusCode::BAD_REQUEST => members.get("error") == Some(&"invalid_token".into()),
        _ => false,
    }
}

fn bare(method: Method, endpoint: &str, body: Bytes) -> Result<Request<Bytes>, OperatorError> {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.uri_mut() = endpoint.parse().map_err(|_| OperatorError::CallMalformed)?;
    let json = HeaderValue::from_static("application/json");
    request.headers_mut().insert(header::ACCEPT, json);
    Ok(request)
}

/// HTTP Basic (RFC 7617), for APIs, which do not form-encode as RFC 6749 requires of token
/// endpoints.
fn basic(auth: &ClientAuth) -> Result<HeaderValue, OperatorError> {
    let (id, secret) = match auth {
        ClientAuth::Basic { client_id, client_secret }
        | ClientAuth::Post { client_id, client_secret } => (client_id, client_secret.expose()),
        ClientAuth::None { client_id } => (client_id, ""),
        ClientAuth::Assertion { .. } => return Err(OperatorError::CallMalformed),
    };
    let encoded = BASE64_STANDARD.encode(format!("{id}:{secret}"));
    let mut value = HeaderValue::try_from(format!("Basic {encoded}"))
        .map_err(|_| OperatorError::CallMalformed)?;
    value.set_sensitive(true);
    Ok(value)
}
