//! The way from a request to the router and back, with the limits of a request.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Arc, atomic::Ordering},
};

use axum::{
    body::Body,
    http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use quadrille::RemoteAddress;
use tower::Service as _;
use tracing::Instrument as _;

use crate::{
    meter,
    request_id::{self, RequestId},
    traces,
};

use super::{
    CLOSE, HEAD_LIMIT, Inner, Limits, ServedPages, host, log,
    places::Place,
    proxy::{Unheeded, unheeded},
    remote_address,
};

/// The size limit of the body of a request. Every accepted body is a form.
const BODY_LIMIT: usize = 64 * 1024;

impl Inner {
    /// Answers a request of the connection that holds `place`. All lines of the log that are written
    /// meanwhile have the number of the request.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: Option<&Place>,
    ) -> Response<Body> {
        let trusted = &self.limits.trusted_proxies;
        let id = RequestId::of(&self.env, peer.ip(), request.headers(), trusted);
        let header = id.header();
        // Of the level of every line, so that each has it.
        let span = tracing::error_span!(target: "quadrille::request", "request", %id);
        let is_trusted = trusted.iter().any(|network| network.contains(peer.ip().to_canonical()));
        let traced = traces::in_request(request.method(), request.headers(), is_trusted, &id);
        let answering = id.scope(self.answer_here(request, peer, place));
        let mut response = answering.instrument(traced.clone()).instrument(span).await;
        traces::answered(&traced, response.status());
        if let Some(header) = header {
            response.headers_mut().insert(request_id::HEADER, header);
        }
        response
    }

    async fn answer_here(
        &self,
        request: Request<Incoming>,
        peer: SocketAddr,
        place: Option<&Place>,
    ) -> Response<Body> {
        let Limits { trusted_proxies, proxy_header, .. } = &self.limits;
        let address = remote_address(peer.ip(), request.headers(), trusted_proxies, *proxy_header);
        self.warn_of_proxy(peer.ip(), request.headers());
        let entry = log::Entry::new(&self.env, &request, address);
        let reader = self.reader_of(&request);
        let refusal = if head_size(&request) > HEAD_LIMIT {
            Some(HEAD_TOO_LARGE)
        } else if !host::is_valid(request.version(), request.headers()) {
            Some(NO_HOST)
        } else if !self.served.standing.may_answer(&self.env) {
            Some(NOT_CURRENT)
        } else {
            None
        };
        if let Some(refusal) = refusal {
            entry.write(&self.env, refusal.status);
            return refusal.answer(&reader);
        }
        let response = match self.read(request).await {
            Ok(mut request) => {
                let address = RemoteAddress(address);
                request.extensions_mut().insert(address);
                self.shares.run(address, self.route(request, &reader, place)).await
            }
            Err(refusal) => refusal.answer(&reader),
        };
        entry.write(&self.env, response.status());
        response
    }

    /// The answer to a request that was read.
    async fn route(
        &self,
        request: Request<Body>,
        reader: &Reader,
        place: Option<&Place>,
    ) -> Response<Body> {
        if let Some(redirect) = self.to_public_url(&request) {
            return redirect;
        }
        // The place becomes busy only now: a slow body, or many requests of the same network, must
        // not block a place that others need.
        let busy = place.map(Place::busy);
        if matches!(busy, Some(None)) {
            meter::limited("connections");
            return MADE_ROOM.answer(reader);
        }
        let below = self.page_below_issuer(&request);
        let Ok(response) = self.served.router.clone().call(request).await;
        if response.status() == StatusCode::NOT_FOUND
            && let Some(page) = below
            && !self.warned_of_path.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(
                "a path was requested that exists only below the path of the issuer, {page}: if a \
                 proxy in front strips {} from the path, configure it not to",
                self.issuer.path()
            );
        }
        response
    }

    /// The page or endpoint below the path of the issuer that the request would be for if its path
    /// had been stripped of that.
    fn page_below_issuer(&self, request: &Request<Body>) -> Option<String> {
        if self.issuer.path().is_empty() {
            return None;
        }
        let below = format!("{}{}", self.issuer.path(), request.uri().path());
        let is_endpoint = request.uri().path().starts_with(&self.served.endpoints);
        let is_page = self.served.pages.as_ref().is_some_and(|pages| pages.has(&below));
        let is_known = is_page || is_endpoint;
        is_known.then_some(below)
    }

    /// The reader of the answer to a request that no handler sees. Everything but a page answers in
    /// JSON whatever `Accept` says, as the OAuth endpoints must (RFC 6749, section 5.2).
    fn reader_of(&self, request: &Request<Incoming>) -> Reader {
        let pages = self.served.pages.as_ref();
        let Some(pages) = pages.filter(|pages| pages.has(request.uri().path())) else {
            return Reader::Program;
        };
        let accept = request.headers().get_all(header::ACCEPT);
        let mut accepted = accept.iter().filter_map(|value| value.to_str().ok());
        if !accepted.any(|accepted| accepted.contains("text/html")) {
            return Reader::Program;
        }
        let languages = request.headers().get_all(header::ACCEPT_LANGUAGE).iter();
        let languages = languages.map(|value| (header::ACCEPT_LANGUAGE, value.clone()));
        Reader::Browser { pages: Arc::clone(pages), languages: languages.collect() }
    }

    /// Warns the operator once if a proxy sends a header that the program ignores.
    fn warn_of_proxy(&self, peer: IpAddr, headers: &HeaderMap) {
        let Limits { trusted_proxies, proxy_header, .. } = &self.limits;
        match unheeded(peer, headers, trusted_proxies, *proxy_header) {
            Some(Unheeded::Proxy) if !self.warned.swap(true, Ordering::Relaxed) => tracing::warn!(
                "a proxy on this machine sends addresses of its clients, but is not trusted: all \
                 clients share its address; if it is yours, add --trusted-proxy {}",
                peer.to_canonical()
            ),
            Some(Unheeded::Header(other))
                if !self.warned_of_header.swap(true, Ordering::Relaxed) =>
            {
                tracing::warn!(
                    proxy = %peer.to_canonical(),
                    "a request came through a trusted proxy with the header {other}, which is \
                     ignored, and without {proxy_header}: if the proxy sets {other}, add --set \
                     proxy_header={other}"
                );
            }
            _ => {}
        }
    }

    /// The redirect to the public URL for a browser that uses another name of this machine. The
    /// browser would not send its cookies to the public URL later.
    fn to_public_url(&self, request: &Request<Body>) -> Option<Response<Body>> {
        let host = request.headers().get(header::HOST)?.to_str().ok()?;
        let public = self.issuer.authority();
        if host == public || !matches!(*request.method(), Method::GET | Method::HEAD) {
            return None;
        }
        let accept = request.headers().get(header::ACCEPT)?.to_str().ok()?;
        let (asked, meant) = (loopback_port(host)?, loopback_port(public)?);
        if asked != meant || !accept.contains("text/html") {
            return None;
        }
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        let location = HeaderValue::try_from(format!("{}{path}", self.issuer.origin())).ok()?;
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::TEMPORARY_REDIRECT;
        response.headers_mut().insert(header::LOCATION, location);
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Some(response)
    }

    /// The request with its whole body, within the limits of size and time.
    async fn read(&self, request: Request<Incoming>) -> Result<Request<Body>, Refusal> {
        let (head, body) = request.into_parts();
        if hyper::body::Body::is_end_stream(&body) {
            return Ok(Request::from_parts(head, Body::empty()));
        }
        if hyper::body::Body::size_hint(&body).lower() > BODY_LIMIT as u64 {
            return Err(TOO_LARGE);
        }
        let collect = Limited::new(body, BODY_LIMIT).collect();
        match tokio::time::timeout(self.limits.body_timeout, collect).await {
            Ok(Ok(collected)) => Ok(Request::from_parts(head, Body::from(collected.to_bytes()))),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(TOO_LARGE),
            Ok(Err(_)) => Err(BROKEN),
            Err(_) => Err(TOO_SLOW),
        }
    }
}

/// The reason why a request does not reach a handler.
#[derive(Clone, Copy, Debug)]
struct Refusal {
    status: StatusCode,
    /// The key of the text for people.
    key: &'static str,
    /// The description for programs.
    why: &'static str,
}

const HEAD_TOO_LARGE: Refusal = Refusal {
    status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
    key: "refused-head",
    why: "the head of the request is larger than 16 KiB",
};
const NO_HOST: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    key: "refused-host",
    why: "the request has no Host header, more than one, or one that is malformed",
};
const TOO_LARGE: Refusal = Refusal {
    status: StatusCode::PAYLOAD_TOO_LARGE,
    key: "refused-large",
    why: "the body of the request is larger than 64 KiB",
};
const TOO_SLOW: Refusal = Refusal {
    status: StatusCode::REQUEST_TIMEOUT,
    key: "refused-slow",
    why: "the body of the request took too long to arrive",
};
const BROKEN: Refusal = Refusal {
    status: StatusCode::BAD_REQUEST,
    key: "refused-broken",
    why: "the body of the request is broken",
};
const MADE_ROOM: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    key: "refused-room",
    why: "the connection made room for another",
};

const NOT_CURRENT: Refusal = Refusal {
    status: StatusCode::SERVICE_UNAVAILABLE,
    key: "refused-not-current",
    why: "this process does not know whether its data is the current one",
};

/// The reader of an answer.
#[derive(Clone, Debug)]
enum Reader {
    /// A browser at the path of a page, with the languages that it accepts.
    Browser {
        pages: Arc<dyn ServedPages>,
        languages: HeaderMap,
    },
    Program,
}

impl Refusal {
    /// A page for a browser; for a program the form of RFC 6749, section 5.2.
    fn answer(self, reader: &Reader) -> Response<Body> {
        let Self { status, key, why } = self;
        let code = match status {
            StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
            _ => "invalid_request",
        };
        let mut response = match reader {
            Reader::Browser { pages, languages } => pages.refused(languages, status, key),
            Reader::Program => {
                let body = format!("{{\"error\":\"{code}\",\"error_description\":\"{why}\"}}");
                let mut response = Response::new(Body::from(Bytes::from(body)));
                *response.status_mut() = status;
                let kind = HeaderValue::from_static("application/json");
                let headers = response.headers_mut();
                headers.insert(header::CONTENT_TYPE, kind);
                // An application in a browser learns why, too. No cookie plays a part in it.
                let anybody = HeaderValue::from_static("*");
                headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, anybody);
                response
            }
        };
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The rest of the body may still arrive, and must not be read as the next request.
        headers.insert(header::CONNECTION, CLOSE);
        response
    }
}

/// About how many bytes the head of this request had.
fn head_size(request: &Request<Incoming>) -> usize {
    let uri = request.uri();
    let target = uri.path_and_query().map_or(0, |target| target.as_str().len());
    let line = target + uri.authority().map_or(0, |authority| authority.as_str().len());
    request
        .headers()
        .iter()
        .fold(line, |size, (name, value)| size + name.as_str().len() + value.len() + ": \r\n".len())
}

/// The port of `host` if that is a name of this machine.
fn loopback_port(host: &str) -> Option<&str> {
    ["localhost", "127.0.0.1", "[::1]"].iter().find_map(|name| {
        let rest = host.strip_prefix(name)?;
        if rest.is_empty() { Some("80") } else { rest.strip_prefix(':') }
    })
}
