//! A login with OAuth 1.0a (RFC 5849, section 2): temporary credentials, a verifier, and token
//! credentials.

use std::{borrow::Cow, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header};

use crate::{
    Env, Secret,
    consumer::{
        account::Token,
        attempt::{
            Attempt,
            returned::just_finished,
            temporary::{Opened, Temporary, mark},
        },
        cookies::Jar,
        error::{BrowserError, Error, OperatorError, Result, ServiceError},
        exchange::ask_endpoint,
        registration::Settled,
        service::{OAuth1Buf, allowed::merged},
        site::Site,
    },
    form::{FormWriter, Params},
    oauth1::{Callback, Credentials, Problem, authorization_url},
    transport::{Body, Purpose},
};

use super::{
    Answered, Granted, Proof,
    oauth1_answer::{Asked, credentials, is_the_clients},
    oauth1_signing::Signing,
    trail::Trail,
};

/// A service of OAuth 1, ready for use.
pub(crate) struct OAuth1Dance {
    service: Arc<Settled>,
    spec: OAuth1Buf,
    signing: Signing,
    /// The authorization request without `oauth_token`.
    authorize_url: String,
}

/// The departure of a user.
pub(crate) struct Leaving {
    pub(crate) url: String,
    pub(crate) temporary: Temporary,
}

impl OAuth1Dance {
    pub(crate) fn new(service: &Arc<Settled>, spec: &OAuth1Buf) -> Result<Self, OperatorError> {
        Ok(Self {
            service: Arc::clone(service),
            spec: spec.clone(),
            signing: Signing::new(service, spec)?,
            authorize_url: authorize_url(service, &[]),
        })
    }

    /// Requests temporary credentials (RFC 5849, section 2.1) and returns the URL to redirect the
    /// user to (section 2.2).
    pub(crate) async fn leave(
        &self,
        site: &Site,
        attempt: &Attempt,
        callback: &str,
        parameters: &[(String, String)],
    ) -> Result<Leaving> {
        let OAuth1Buf { temporary: endpoint, temporary_parameters, temporary_headers, .. } =
            &self.spec;
        let Settled { name, spec, .. } = &*self.service;
        let scopes = attempt.scopes(&spec.scopes);
        // Of the signed parameters: a realm is not signed, and is not a list of scopes.
        let scope = (!scopes.is_empty()).then_some(("scope", scopes.as_str()));
        let named = temporary_parameters.iter().map(|(key, value)| (&**key, &**value));
        let asked: Vec<_> = named.chain(scope).collect();
        let request = self.request(endpoint, &asked, temporary_headers)?;
        let request = self
            .signing
            .sign_first(&site.env, request, callback)
            .map_err(|_| self.service.endpoint_malformed())?;
        let purpose = Purpose::TemporaryCredentials;
        let answer = ask_endpoint(self.service.http(site), name, request, purpose).await?;
        let Credentials { token, secret, .. } =
            credentials(&answer, Asked::Temporary, site.env.now())
                .map_err(|error| Error::service(name, error))?;
        let authorize = match parameters {
            [] => Cow::Borrowed(&*self.authorize_url),
            _ => Cow::Owned(authorize_url(&self.service, parameters)),
        };
        Ok(Leaving {
            url: authorization_url(&authorize, &token),
            temporary: Temporary { token: token.into(), secret },
        })
    }

    /// Whether the callback belongs to an attempt of this browser and contains a verifier.
    pub(crate) fn come_back(
        &self,
        site: &Site,
        jar: &Jar,
        params: &Params<'_>,
        trail: &mut Trail,
    ) -> Result<Answered> {
        let callback = Callback::parse(params).map_err(|_| BrowserError::CallbackMalformed)?;
        let callback = self.meaning(callback);
        let token = match &callback {
            Callback::Approved { token, .. } => Some(token),
            Callback::Refused { token, .. } => token.as_ref(),
        };
        // The attempt must be this browser's: forged callbacks have no effect.
        let token = token.ok_or(BrowserError::StateUnknown)?;
        let opened = Opened::find(site, jar, token).inspect_err(|_| {
            trail.next = just_finished(site, jar, &self.service.name, &mark(token));
        })?;
        if opened.attempt.service != self.service.name {
            return Err(BrowserError::StateUnknown.into());
        }
        trail.next = Some(opened.attempt.next.clone());
        trail.ending = opened.attempt.ending.in_browser();
        match callback {
            Callback::Approved { verifier, .. } => {
                let Opened { attempt, cookie, temporary } = opened;
                // Its cookie has the temporary secret.
                let proof = Proof::Verifier { temporary, verifier };
                Ok(Answered { attempt, cookie, binding: None, proof })
            }
            Callback::Refused { problem, .. } => {
                trail.answered = Some(opened.cookie);
                Err(refused(&self.service, problem))
            }
        }
    }

    /// Translates a verifier that means a refusal.
    fn meaning(&self, callback: Callback) -> Callback {
        match callback {
            Callback::Approved { token, verifier }
                if self.spec.refused_verifier.as_deref() == Some(verifier.expose()) =>
            {
                Callback::Refused { token: Some(token), problem: Problem::UserRefused }
            }
            other => other,
        }
    }

    /// Redeems the verifier for token credentials (RFC 5849, section 2.3).
    pub(crate) async fn redeem(
        &self,
        site: &Site,
        attempt: &Attempt,
        temporary: &Temporary,
        verifier: &Secret,
    ) -> Result<Granted> {
        let Settled { name, spec, .. } = &*self.service;
        let parameters: Vec<_> =
            spec.token_parameters.iter().map(|(key, value)| (&**key, &**value)).collect();
        let request = self.request(&spec.token, &parameters, &spec.token_headers)?;
        let (env, token) = (&site.env, (&temporary.token, &temporary.secret));
        let request = self
            .signing
            .sign(env, request, token, &[("oauth_verifier", verifier.expose())])
            .map_err(|_| self.service.endpoint_malformed())?;
        let purpose = Purpose::RedeemCode;
        let answer = ask_endpoint(self.service.http(site), name, request, purpose).await?;
        let Credentials { token, secret, extra, .. } =
            credentials(&answer, Asked::Token, env.now())
                .map_err(|error| Error::service(name, error))?;
        let token = Token {
            access_token: token.into(),
            token_secret: Some(secret),
            refresh_token: None,
            // OAuth 1 does not report the scopes granted.
            scopes: attempt.scopes(&spec.scopes),
            obtained: env.now(),
            expires: None,
            api: None,
            id_token: None,
            session: None,
        };
        let more = extra.into_iter().map(|(name, value)| (name, value.into())).collect();
        Ok(Granted { token, more, claims: None })
    }

    /// Signs a call of the API.
    pub(crate) fn sign_call(
        &self,
        env: &Env,
        request: Request<Body>,
        token: &Token,
    ) -> Result<Request<Body>, OperatorError> {
        self.signing.sign_call(env, request, token)
    }

    /// An unsigned request for credentials.
    fn request(
        &self,
        endpoint: &str,
        parameters: &[(&str, &str)],
        headers: &[(Cow<'static, str>, Cow<'static, str>)],
    ) -> Result<Request<Bytes>, OperatorError> {
        let (mut uri, mut body) = (FormWriter::after_url(endpoint), FormWriter::new());
        let by_get = self.spec.credentials_by_get;
        let target = if by_get { &mut uri } else { &mut body };
        for (name, value) in parameters {
            target.append(name, value);
        }
        let mut request = Request::new(Bytes::from(body.finish()));
        *request.method_mut() = if by_get { Method::GET } else { Method::POST };
        *request.uri_mut() = uri.finish().parse().map_err(|_| self.service.endpoint_malformed())?;
        if !by_get {
            let form = HeaderValue::from_static("application/x-www-form-urlencoded");
            request.headers_mut().insert(header::CONTENT_TYPE, form);
        }
        self.service.add_headers(&mut request, headers)?;
        Ok(request)
    }
}

/// The authorization request with these parameters, without `oauth_token`.
fn authorize_url(service: &Settled, parameters: &[(String, String)]) -> String {
    let mut url = FormWriter::after_url(&service.spec.authorize);
    for (name, value) in merged(&service.spec.parameters, parameters) {
        url.append(name, value);
    }
    url.finish()
}

/// The error for a refusal in the callback.
fn refused(service: &Settled, problem: Problem) -> Error {
    let error = match problem {
        Problem::UserRefused | Problem::PermissionDenied => return BrowserError::Denied.into(),
        problem if is_the_clients(problem) => ServiceError::ClientRefused,
        other => ServiceError::AuthorizationRefused { error: other.as_str().into() },
    };
    Error::service(&service.name, error)
}
