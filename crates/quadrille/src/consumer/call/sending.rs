//! The requests of a call: one attempt each.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use url::Url;

use crate::{
    consumer::{
        account::{Stored, Token},
        dance::Dance,
        error::{Error, OperatorError, Result},
        exchange::retry_after,
        login::registered::IdentityRequest,
        refresh::{held::Held, revoked::verdict},
    },
    form::FormWriter,
    transport::{Body, NetworkError, Purpose, SendError},
};

use super::answer::Answer;

/// The default timeout for a response's headers.
pub(super) const DEADLINE: Duration = Duration::from_secs(30);

/// A request of one call, for one or more attempts.
pub(super) struct Sending<'a> {
    pub(super) held: &'a Held,
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) purpose: Purpose,
    pub(super) deadline: Duration,
    /// Whether the URL is on the origin of the service's API.
    pub(super) is_to_the_api: bool,
    /// Whether the token is the body (RFC 6750, section 2.2).
    pub(super) token_in_body: bool,
}

impl Sending<'_> {
    /// The request with this token.
    pub(super) fn request(&self, token: &Token, body: Body) -> Result<Request<Body>> {
        let mut request = Request::new(body);
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.as_str().parse().map_err(|_| OperatorError::CallMalformed)?;
        *request.headers_mut() = self.headers.clone();
        match &self.held.registered().dance {
            Dance::OAuth2(_) if self.token_in_body => {
                let mut form = FormWriter::new();
                form.append("access_token", token.access_token.expose());
                *request.body_mut() = Bytes::from(form.finish()).into();
                let kind = HeaderValue::from_static("application/x-www-form-urlencoded");
                request.headers_mut().insert(header::CONTENT_TYPE, kind);
                Ok(request)
            }
            Dance::OAuth2(dance) => {
                let value = dance.authorization(&token.access_token);
                let value = value.ok_or(OperatorError::CallMalformed)?;
                request.headers_mut().insert(header::AUTHORIZATION, value);
                Ok(request)
            }
            // Each attempt is a new request with a nonce of its own.
            Dance::OAuth1(dance) => {
                Ok(dance.sign_call(&self.held.login().0.env, request, token)?)
            }
        }
    }

    /// Sends the request once.
    pub(super) async fn exchange(&self, request: Request<Body>) -> Result<Answer, Unanswered> {
        let ready = self.held.login().ready().map_err(Unanswered::NotSent)?;
        let http = self.held.registered().http(&ready.site);
        let sending = http.send(request, self.purpose);
        let answer = match tokio::time::timeout(self.deadline, sending).await {
            Ok(answer) => answer.map_err(Unanswered::Network),
            Err(_) => Err(Unanswered::TooLate),
        };
        self.note(&answer);
        let (parts, body) = answer?.into_parts();
        Ok(Answer {
            status: parts.status,
            headers: parts.headers,
            body,
            url: self.url.clone(),
            held: self.held.clone(),
            deadline: self.deadline,
            is_checked: true,
        })
    }

    /// Remembers whether the service is down.
    fn note(&self, answer: &Result<Response<Body>, Unanswered>) {
        if !self.is_to_the_api {
            return;
        }
        let (outage, now) = (&self.held.registered().outage, self.held.login().0.env.now());
        match answer {
            Ok(answer) if answer.status() == StatusCode::SERVICE_UNAVAILABLE => {
                outage.begin(retry_after(answer.headers(), now), now);
            }
            Ok(_) => outage.end(),
            Err(Unanswered::Network(error)) if is_outage(error.reason) => outage.begin(None, now),
            // Neither is a hurry of this caller, nor a long upload.
            Err(Unanswered::TooLate) if self.deadline >= DEADLINE && self.method.is_safe() => {
                outage.begin(None, now);
            }
            Err(_) => {}
        }
    }

    pub(super) fn failed(&self, unanswered: Unanswered) -> Error {
        let error = match unanswered {
            Unanswered::NotSent(error) => return error,
            Unanswered::Network(error) => error,
            Unanswered::TooLate => NetworkError::TimedOut.into(),
        };
        let service = &self.held.registered().name;
        match self.purpose {
            Purpose::Identity => Error::unanswered(service, error, self.url.as_str()),
            // The path of a call may say something of the user.
            _ => Error::network(service, error),
        }
    }

    /// Whether a 401 comes from the service itself and concerns a stored account's current token.
    pub(super) fn is_its_own(&self, stored: &Stored) -> bool {
        self.held.is_kept() && self.is_to_the_api && stored.token.refresh_token.is_none()
    }

    /// Whether the service no longer accepts this token.
    pub(super) async fn is_revoked(&self, stored: &Stored, answer: &Response<Bytes>) -> bool {
        let registered = self.held.registered();
        let verdict = verdict(registered, answer);
        let is_young = self.held.is_young(stored);
        let second = match registered.identity_of(stored) {
            Ok(Some((url, _))) if verdict.wants_confirmation(is_young) => {
                let IdentityRequest { method, json, token_in_body } = registered.identity_request();
                let mut headers = registered.call_headers.clone();
                for name in [header::USER_AGENT, header::ACCEPT] {
                    if let Some(value) = self.headers.get(&name) {
                        headers.insert(name, value.clone());
                    }
                }
                if !json.is_empty() {
                    let kind = HeaderValue::from_static("application/json");
                    headers.insert(header::CONTENT_TYPE, kind);
                }
                let is_to_the_api = self.is_to_the_api && url.origin() == self.url.origin();
                let (purpose, deadline) = (Purpose::Identity, self.deadline);
                let asking = Sending {
                    held: self.held,
                    method,
                    url,
                    headers,
                    purpose,
                    deadline,
                    is_to_the_api,
                    token_in_body,
                };
                let status = match asking.request(&stored.token, Body::Whole(json)) {
                    Ok(request) => asking.exchange(request).await.ok().map(|answer| answer.status),
                    Err(_) => None,
                };
                // A failed request confirms nothing.
                Some(status.unwrap_or(StatusCode::BAD_GATEWAY))
            }
            _ => None,
        };
        verdict.is_end(second, is_young)
    }
}

/// The reason why there is no response.
pub(super) enum Unanswered {
    NotSent(Error),
    Network(SendError),
    /// The call's deadline is over.
    TooLate,
}

impl Unanswered {
    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self, Self::Network(error) if error.reason == NetworkError::Interrupted)
    }
}

pub(super) fn can_refresh(held: &Held, stored: &Stored) -> bool {
    held.is_kept() && stored.token.refresh_token.is_some() && !held.is_young(stored)
}

/// Whether other calls of the service will probably fail, too. A connection that breaks is often
/// one that was unused for long.
fn is_outage(error: NetworkError) -> bool {
    match error {
        NetworkError::Connect
        | NetworkError::Name
        | NetworkError::Refused
        | NetworkError::Tls
        | NetworkError::TimedOut => true,
        NetworkError::Interrupted | NetworkError::AddressRefused => false,
    }
}
