//! Refusals in the log: the reason, the client, and the value at fault. Each reason says
//! which value may be logged (`Disclosure::blamed`): none that is, or may be, a secret.

mod client;

use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request};

use crate::{
    RemoteAddress,
    form::{FormError, Limits, Params, without_line_ends},
    guard::{
        log::{OF_ACTOR_TOKEN, OF_SUBJECT_TOKEN, Refusal, write},
        masked::Sender,
    },
    jose::{Part, text_of_anybody},
    oauth2::{PresentedClient, RequestError},
    oidc::ClaimsRequest,
};

use super::{
    authorize::{acr, error::AuthorizeError},
    client::error::AuthenticateError,
    error::{ClientError, Error, endpoint::TokenError},
    reason::Disclosure,
    server::Inner,
    token::{
        grant::error::{DeviceCodeError, ExchangeError},
        lookup::{self, Found},
    },
};

use client::{Named, value};

pub(crate) use client::registered;

/// No limits: the request has been read already.
const EVERYTHING: Limits =
    Limits { bytes: usize::MAX, value_bytes: usize::MAX, parameters: usize::MAX };

/// Logs that `endpoint` refused `request`.
pub(crate) async fn log(
    inner: &Inner,
    endpoint: &'static str,
    error: &Error,
    request: &Request<Bytes>,
) {
    log_read(inner, endpoint, error, request, None).await;
}

/// Logs that `endpoint` refused `request`, whose parameters were read from elsewhere, too.
pub(crate) async fn log_read(
    inner: &Inner,
    endpoint: &'static str,
    error: &Error,
    request: &Request<Bytes>,
    seen: Option<&Params<'_>>,
) {
    if matches!(error, Error::Client(ClientError::DeviceCode(DeviceCodeError::Pending))) {
        // The course of things, every few seconds.
        tracing::debug!(reason = %error, endpoint, "not yet");
        return;
    }
    let read = params(request);
    let params = seen.or(read.as_ref());
    let known = match params {
        // The futures of requests that are not refused are smaller for the box.
        Some(params) if tracing::enabled!(tracing::Level::INFO) => {
            Box::pin(Known::look_up(inner, request, params, error)).await
        }
        _ => Known::default(),
    };
    write_refusal(endpoint, error, request, params, &known);
}

/// Logs that `endpoint` refused `request` before it read the client.
pub(crate) fn log_unread(endpoint: &'static str, error: &Error, request: &Request<Bytes>) {
    let params = params(request);
    let client = params.as_ref().map(|params| Named::read(request, params, error));
    let known = Known { client: client.unwrap_or_default(), exchanged: None };
    write_refusal(endpoint, error, request, params.as_ref(), &known);
}

/// What is known of a refused request beside its parameters.
#[derive(Default)]
struct Known {
    client: Named,
    /// The client of the token of this server that is not exchanged, by the name of that.
    exchanged: Option<(&'static str, Arc<str>)>,
}

impl Known {
    async fn look_up(
        inner: &Inner,
        request: &Request<Bytes>,
        params: &Params<'_>,
        error: &Error,
    ) -> Self {
        Self {
            client: Named::look_up(inner, request, params, error).await,
            exchanged: exchanged(inner, error, params).await,
        }
    }
}

/// The client of the token of this server that is to blame for an exchange that is refused.
async fn exchanged(
    inner: &Inner,
    error: &Error,
    params: &Params<'_>,
) -> Option<(&'static str, Arc<str>)> {
    use ExchangeError as E;
    let Error::Client(error) = error else { return None };
    let (parameter, name) = match error {
        ClientError::Token(TokenError::NotGranted(_))
        | ClientError::Exchange(
            E::SubjectExpired | E::SubjectIsClient | E::Bound | E::MayNotAct | E::ChainTooLong,
        ) => ("subject_token", OF_SUBJECT_TOKEN),
        ClientError::Exchange(E::ActorUnknown | E::ActorOfAnotherClient) => {
            ("actor_token", OF_ACTOR_TOKEN)
        }
        _ => return None,
    };
    let token = params.one(parameter).ok()??;
    match lookup::find(inner, token).await.ok()?? {
        Found::Access(record) => Some((name, record.grant.client.clone())),
        Found::Refresh(_, family) => Some((name, family.grant.client.clone())),
        Found::Credential(_) => None,
    }
}

/// A request that is refused for its length or its form still has a client.
fn params(request: &Request<Bytes>) -> Option<Params<'_>> {
    let input: &[u8] = match *request.method() {
        Method::POST => without_line_ends(request.body()),
        _ => request.uri().query().unwrap_or("").as_bytes(),
    };
    Params::parse_within(input, EVERYTHING).ok()
}

/// The parameter or the claim to blame, and its value.
fn blamed(params: &Params<'_>, error: &ClientError) -> Option<(&'static str, Option<String>)> {
    let Disclosure { blamed, blamed_claim, .. } = error.disclosed();
    let mut present = blamed.iter().filter_map(|name| Some((*name, value(params, name)?)));
    let (name, value) = present.next()?;
    match blamed_claim {
        None => Some((name, Some(value))),
        Some(name) => Some((name, claim(&value, name))),
    }
}

/// The method by which the client authenticates, by its name in the client's metadata (RFC 7591,
/// section 2).
fn method(request: &Request<Bytes>, params: &Params<'_>) -> (&'static str, Option<String>) {
    let presented = PresentedClient::parse(request.headers(), params).ok();
    let method = presented.map(|presented| presented.method().as_str().to_owned());
    ("token_endpoint_auth_method", method)
}

/// The claim, or the member of the header, of a token that nobody needs to have signed.
fn claim(token: &str, name: &str) -> Option<String> {
    let part = match name {
        "kid" | "typ" | "alg" | "crit" => Part::Header,
        _ => Part::Claims,
    };
    text_of_anybody(token, part, name)
}

/// The authentication context classes that a request requires.
fn acr_values(params: &Params<'_>) -> (&'static str, Option<String>) {
    let claims = value(params, "claims").and_then(|claims| ClaimsRequest::parse(&claims).ok());
    let by_name = claims.as_ref().and_then(|claims| claims.id_token.get("acr"));
    let asked = value(params, "acr_values");
    let named = acr::named(asked.as_deref(), by_name);
    ("acr_values", Some(named).filter(|named| !named.is_empty()))
}

fn write_refusal(
    endpoint: &'static str,
    error: &Error,
    request: &Request<Bytes>,
    params: Option<&Params<'_>>,
    known: &Known,
) {
    if let Error::Operator(reason) = error {
        tracing::error!(%reason, endpoint, "request failed");
        return;
    }
    if !tracing::enabled!(tracing::Level::INFO) {
        return;
    }
    let exchanged = known.exchanged.as_ref();
    let exchanged = exchanged.map(|(name, client)| (*name, Some(client.to_string())));
    let blamed = exchanged.or(match error {
        Error::Client(ClientError::Request(RequestError::Form(FormError::ValueTooLong))) => {
            // Its name alone: a value of that length may be a token.
            let pairs = params.into_iter().flat_map(Params::iter);
            pairs.max_by_key(|(name, value)| name.len() + value.len()).map(|(name, _)| (name, None))
        }
        Error::Client(ClientError::Request(RequestError::Form(
            FormError::NotUtf8 | FormError::BrokenPercent | FormError::Nul,
        ))) => {
            let mut names = params.into_iter().flat_map(Params::broken_names);
            names.next().map(|name| (name, None))
        }
        Error::Client(ClientError::Authenticate(AuthenticateError::OtherMethod)) => {
            params.map(|params| method(request, params))
        }
        Error::Client(ClientError::Authorize(AuthorizeError::AuthenticationUnmet)) => {
            params.map(acr_values)
        }
        Error::Client(error) => params.and_then(|params| blamed(params, error)),
        _ => None,
    });
    let grant_type = params.and_then(|params| value(params, "grant_type"));
    write(Refusal {
        client: known.client.in_request(),
        claimed: known.client.claimed(),
        grant_type: grant_type.as_deref(),
        blamed,
        from: RemoteAddress::of(request.extensions()),
        ..Refusal::new(endpoint, error)
    });
}

/// What the line has of a request that was refused after it was read, beside its client.
#[derive(Clone, Copy, Default)]
pub(crate) struct Facts<'a> {
    /// The address of the sender.
    pub(crate) from: Option<RemoteAddress>,
    /// The authentication context classes of which one is required, and that of the session.
    pub(crate) unmet: Option<(&'a [Arc<str>], Option<&'a str>)>,
}

/// Logs that a request of this client was refused for a reason found after parsing.
pub(crate) fn log_of_client(endpoint: &'static str, error: &Error, client: &str, of: Facts<'_>) {
    if matches!(error, Error::Operator(_)) {
        // The page for this error logs it.
        return;
    }
    let is_met = |wanted: &[Arc<str>], acr: Option<&str>| {
        wanted.is_empty() || wanted.iter().any(|class| Some(&**class) == acr)
    };
    let unmet = of.unmet.filter(|(wanted, acr)| !is_met(wanted, *acr));
    let client = Some(Sender::Client(client));
    let blamed = unmet.map(|(wanted, _)| ("acr_values", Some(wanted.join(" "))));
    let acr = unmet.and_then(|(_, acr)| acr);
    write(Refusal { client, blamed, acr, from: of.from, ..Refusal::new(endpoint, error) });
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use tracing::{Event, Metadata, Subscriber, field::Field, span};

    use super::*;

    /// The lines of one thread.
    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<String>>);

    impl Subscriber for Lines {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut Write(&self.0));
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    struct Write<'a>(&'a Mutex<String>);

    impl tracing::field::Visit for Write<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
            *self.0.lock().unwrap() += &format!(" {field}={value:?}");
        }
    }

    #[test]
    fn a_class_that_is_not_met_is_logged_with_that_of_the_session() {
        let wanted = ["urn:gold".into(), "urn:silver".into()];
        let from = Some(RemoteAddress([192, 0, 2, 7].into()));
        let logged = |acr: Option<&str>| {
            let lines = Lines::default();
            let facts = Facts { from, unmet: Some((&wanted, acr)) };
            tracing::subscriber::with_default(lines.clone(), || {
                let error = AuthorizeError::AuthenticationUnmet.into();
                log_of_client("authorization", &error, "web", facts);
            });
            let line = lines.0.lock().unwrap().clone();
            assert!(line.contains(r#" client="web""#) && line.contains("from=192.0.2.7"), "{line}");
            line
        };
        let values = r#" parameter="acr_values" value="urn:gold urn:silver""#;
        let weak = logged(Some("urn:password"));
        assert!(weak.contains(values) && weak.contains(r#" acr="urn:password""#), "{weak}");
        let none = logged(None);
        assert!(none.contains(values) && !none.contains(" acr="), "{none}");
        let met = logged(Some("urn:silver"));
        assert!(!met.contains(" parameter=") && !met.contains(" acr="), "{met}");
    }
}
