//! Requests that a provider must refuse, and the forms of its refusals.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use http::Method;
use serde_json::{Map, Value};
use url::Url;

use super::{
    ask::{Answer, CheckError, Request},
    metadata::url,
    report::{Findings, Found, Part, Quote as _},
};

/// A redirect URI and a client that no provider knows.
const STRANGE: &str = "https://quadrille-check.invalid/callback";
const NOBODY: &str = "quadrille-check-is-not-registered";

/// A client that is registered at the provider.
#[derive(Debug)]
pub struct KnownClient {
    /// The client identifier.
    pub id: String,
    /// One of its redirect URIs.
    pub redirect_uri: String,
}

/// A request, and what its answer must be.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) request: Request,
    demands: Vec<Demand>,
}

/// One requirement on an answer.
#[derive(Debug)]
struct Demand {
    section: &'static str,
    requirement: String,
    is_must: bool,
    kind: Kind,
}

#[derive(Debug)]
enum Kind {
    /// Any status but 2xx.
    Refused,
    /// One of these statuses.
    Status(&'static [u16]),
    /// An error in JSON with one of these codes; any code if there is none.
    Code(&'static [&'static str]),
    /// A header that has this text, without regard to case.
    Header(&'static str, &'static str),
    /// No redirect to this URI.
    NotTo(String),
    /// A redirect to this URI with one of these error codes.
    ErrorTo(String, &'static [&'static str]),
    /// A redirect with this parameter.
    Echo(&'static str, String),
    /// A page that no other site can frame, or a redirect.
    NotFramed,
}

impl Probe {
    fn new(request: Request) -> Self {
        Self { request, demands: Vec::new() }
    }

    fn must(self, section: &'static str, requirement: impl Into<String>, kind: Kind) -> Self {
        self.demand(section, requirement.into(), true, kind)
    }

    fn should(self, section: &'static str, requirement: impl Into<String>, kind: Kind) -> Self {
        self.demand(section, requirement.into(), false, kind)
    }

    fn demand(
        mut self,
        section: &'static str,
        requirement: String,
        is_must: bool,
        kind: Kind,
    ) -> Self {
        self.demands.push(Demand { section, requirement, is_must, kind });
        self
    }
}

/// The requests for a provider with these metadata.
pub(super) fn probes(document: &Map<String, Value>) -> Vec<(Part, Probe)> {
    let of = |part, name, probes: fn(&Url) -> Vec<Probe>| {
        let all = url(document, name).map(|url| probes(&url)).unwrap_or_default();
        all.into_iter().map(move |probe| (part, probe))
    };
    let mut all: Vec<_> =
        of(Part::Authorization, "authorization_endpoint", authorization).collect();
    all.extend(of(Part::Token, "token_endpoint", token));
    all.extend(of(Part::Userinfo, "userinfo_endpoint", userinfo));
    all.extend(of(Part::Revocation, "revocation_endpoint", revocation));
    all.extend(of(Part::Introspection, "introspection_endpoint", introspection));
    all.extend(of(Part::Registration, "registration_endpoint", registration));
    all.extend(of(Part::DeviceAuthorization, "device_authorization_endpoint", device));
    all.extend(of(Part::EndSession, "end_session_endpoint", end_session));
    all
}

/// The requests of a client that is registered at a provider with these metadata.
pub(super) fn of_client(document: &Map<String, Value>, client: &KnownClient) -> Vec<Probe> {
    let Some(url) = url(document, "authorization_endpoint") else { return Vec::new() };
    let names_issuer = document.get("authorization_response_iss_parameter_supported");
    let issuer = document.get("issuer").and_then(Value::as_str);
    known(&url, client, issuer.filter(|_| names_issuer == Some(&Value::Bool(true))))
}

/// What was found if no answer got to the client: then it is not registered, or not with this redirect
/// URI, and the single answers say nothing. `None` if the client got one, or the provider limits attempts.
pub(super) fn unknown_client(
    probes: &[Probe],
    answers: &[Result<Answer, CheckError>],
) -> Option<String> {
    let told = |probe: &Probe| {
        let mut kinds = probe.demands.iter().map(|demand| &demand.kind);
        kinds.find_map(|kind| match kind {
            Kind::ErrorTo(uri, _) => Some(uri.clone()),
            _ => None,
        })
    };
    let mut statuses = Vec::new();
    for (probe, answer) in probes.iter().zip(answers) {
        let Some(uri) = told(probe) else { continue };
        let answer = answer.as_ref().ok()?;
        let target = answer.location(&probe.request.url);
        if target.is_some_and(|target| leads_to(&target, &uri)) || answer.limit().is_some() {
            return None;
        }
        statuses.push(answer.status.to_string());
    }
    statuses.dedup();
    (!statuses.is_empty()).then(|| {
        let statuses = statuses.join(", ");
        format!(
            "status {statuses} for each: the client or this redirect URI is not registered there"
        )
    })
}

fn asking(url: &Url, parameters: &[(&str, &str)]) -> Request {
    let mut url = url.clone();
    url.query_pairs_mut().extend_pairs(parameters);
    Request::get(&url).header("accept", "text/html")
}

fn authorization(url: &Url) -> Vec<Probe> {
    const SECTION: &str = "RFC 6749, section 4.1.2.1";
    let asked = [("response_type", "code"), ("scope", "openid"), ("redirect_uri", STRANGE)];
    let named = [&asked[..], &[("client_id", NOBODY)]].concat();
    vec![
        Probe::new(asking(url, &named))
            .must(SECTION, "an unknown client's redirect URI gets no answer", not_to(STRANGE))
            .should("RFC 9700, section 4.16", "the page cannot be framed", Kind::NotFramed),
        Probe::new(asking(url, &asked)).must(
            SECTION,
            "a redirect URI without a client gets no answer",
            not_to(STRANGE),
        ),
        Probe::new(Request::post(url, &named)).must(
            "OpenID Connect Core 1.0, section 3.1.2.1",
            "authorization requests may be sent by POST",
            Kind::Status(&[200, 302, 303, 400, 401, 403, 422]),
        ),
    ]
}

fn not_to(uri: &str) -> Kind {
    Kind::NotTo(uri.to_owned())
}

/// Requests of a client that is registered, by a browser that is signed in nowhere.
fn known(url: &Url, client: &KnownClient, issuer: Option<&str>) -> Vec<Probe> {
    const SECTION: &str = "RFC 6749, section 4.1.2.1";
    const CORE_3_1_2_6: &str = "OpenID Connect Core 1.0, section 3.1.2.6";
    let (id, uri) = (client.id.as_str(), client.redirect_uri.as_str());
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let own = [("client_id", id), ("redirect_uri", uri), ("state", "a state"), ("nonce", "once")];
    let proven = [("code_challenge", challenge), ("code_challenge_method", "S256")];
    let ask = |further: &[(&str, &str)]| {
        Probe::new(asking(url, &[&own[..], &proven[..], further].concat()))
    };
    let answered = |codes| Kind::ErrorTo(uri.to_owned(), codes);
    let mut silent = ask(&[("response_type", "code"), ("scope", "openid"), ("prompt", "none")])
        .must(
            CORE_3_1_2_6,
            "`prompt=none` of a user who is not signed in gets `login_required`",
            answered(&["login_required", "interaction_required", "account_selection_required"]),
        )
        .must(SECTION, "an error has the `state`", Kind::Echo("state", "a state".to_owned()));
    if let Some(issuer) = issuer {
        let kind = Kind::Echo("iss", issuer.to_owned());
        silent = silent.must("RFC 9207, section 2.1", "an error has the issuer as `iss`", kind);
    }
    let mut all = vec![
        silent,
        ask(&[("response_type", "quadrille"), ("scope", "openid")]).must(
            SECTION,
            "an unknown response type is refused at the client",
            answered(&["unsupported_response_type", "invalid_request", "unauthorized_client"]),
        ),
        ask(&[("scope", "openid")]).must(
            SECTION,
            "a request without a response type is refused at the client",
            answered(&["invalid_request", "unsupported_response_type"]),
        ),
        ask(&[("response_type", "code"), ("scope", "openid"), ("prompt", "none login")]).must(
            "OpenID Connect Core 1.0, section 3.1.2.1",
            "`prompt=none` with another value is refused",
            answered(&["invalid_request"]),
        ),
        ask(&[("response_type", "code"), ("scope", "openid"), ("request", "not.a.jwt")]).must(
            CORE_3_1_2_6,
            "a request object that cannot be read is refused",
            answered(&["request_not_supported", "invalid_request_object", "invalid_request"]),
        ),
    ];
    let longer = format!("{uri}{}further=1", if uri.contains('?') { '&' } else { '?' });
    for other in [longer, format!("{uri}/further"), format!("{uri}#fragment")] {
        let asked =
            [("response_type", "code"), ("client_id", id), ("redirect_uri", other.as_str())];
        let requirement =
            format!("a redirect URI that is not registered gets no answer: {}", other.quote());
        all.push(Probe::new(asking(url, &[&asked[..], &proven[..]].concat())).must(
            "RFC 9700, section 2.1",
            requirement,
            not_to(&other),
        ));
    }
    all
}

const TOKEN_CODES: &[&str] = &["invalid_request", "unsupported_grant_type", "invalid_client"];

fn token(url: &Url) -> Vec<Probe> {
    const FORM: &str = "RFC 6749, section 3.2";
    const ERRORS: &str = "RFC 6749, section 5.2";
    let code =
        [("grant_type", "authorization_code"), ("code", "unknown"), ("redirect_uri", STRANGE)];
    let nobody = [&code[..], &[("client_id", NOBODY), ("client_secret", "wrong")]].concat();
    let twice = [&nobody[..], &[("code", "another")]].concat();
    vec![
        Probe::new(asking(url, &nobody)).must(
            FORM,
            "token requests by GET are refused",
            Kind::Refused,
        ),
        Probe::new(Request::post(url, &[("client_id", NOBODY)]))
            .must(ERRORS, "a request without a grant type is refused", Kind::Status(&[400, 401]))
            .must(ERRORS, "the error is JSON with a code of the RFC", Kind::Code(TOKEN_CODES))
            .should("RFC 6749, section 5.1", "no cache keeps the answer", no_store()),
        Probe::new(Request::post(url, &nobody))
            .must(ERRORS, "an unknown client is refused", Kind::Status(&[400, 401]))
            .must(ERRORS, "the code is `invalid_client`", Kind::Code(&["invalid_client"])),
        Probe::new(basic(Request::post(url, &code)))
            .must(ERRORS, "an unknown client in `Authorization` gets 401", Kind::Status(&[401]))
            .must(ERRORS, "and a challenge of Basic", Kind::Header("www-authenticate", "basic"))
            .must(ERRORS, "and the code `invalid_client`", Kind::Code(&["invalid_client"])),
        Probe::new(Request::post(url, &twice))
            .must(FORM, "a parameter twice is refused", Kind::Status(&[400, 401]))
            .must(FORM, "the error is JSON with a code of the RFC", Kind::Code(TOKEN_CODES)),
    ]
}

fn no_store() -> Kind {
    Kind::Header("cache-control", "no-store")
}

fn basic(request: Request) -> Request {
    // Neither text has a letter that a form would encode.
    let credentials = STANDARD.encode(format!("{NOBODY}:wrong"));
    request.header("authorization", format!("Basic {credentials}"))
}

fn userinfo(url: &Url) -> Vec<Probe> {
    const CHALLENGE: &str = "RFC 6750, section 3";
    let bare = |request: Request| {
        Probe::new(request)
            .should(CHALLENGE, "a request without a token gets 401", Kind::Status(&[401]))
            .must(CHALLENGE, "and a challenge of Bearer", bearer())
    };
    let mut preflight = Request::get(url)
        .header("origin", "https://quadrille-check.invalid")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization");
    preflight.method = Method::OPTIONS;
    vec![
        bare(Request::get(url)),
        bare(Request::post(url, &[])),
        Probe::new(Request::get(url).header("authorization", "Bearer unknown"))
            .must("RFC 6750, section 3.1", "an unknown token gets 401", Kind::Status(&[401]))
            .must(
                "RFC 6750, section 3.1",
                "and the code `invalid_token`",
                Kind::Header("www-authenticate", "invalid_token"),
            ),
        Probe::new(preflight).should(
            "OpenID Connect Core 1.0, section 5.3",
            "pages of other sites may call the endpoint (CORS)",
            Kind::Header("access-control-allow-origin", ""),
        ),
    ]
}

fn bearer() -> Kind {
    Kind::Header("www-authenticate", "bearer")
}

fn revocation(url: &Url) -> Vec<Probe> {
    let named = [("token", "unknown"), ("client_id", NOBODY), ("client_secret", "wrong")];
    vec![
        Probe::new(Request::post(url, &named))
            .must(
                "RFC 7009, section 2.1",
                "an unknown client is refused",
                Kind::Status(&[400, 401]),
            )
            .must("RFC 7009, section 2.2.1", "the error is JSON", Kind::Code(&[])),
    ]
}

fn introspection(url: &Url) -> Vec<Probe> {
    const SECTION: &str = "RFC 7662, section 2.1";
    vec![
        Probe::new(Request::post(url, &[("token", "unknown")])).must(
            SECTION,
            "a request without credentials is refused",
            Kind::Status(&[400, 401, 403]),
        ),
        Probe::new(asking(url, &[("token", "unknown")])).should(
            SECTION,
            "a token in a query, where it leaks into logs, is refused",
            Kind::Refused,
        ),
    ]
}

fn registration(url: &Url) -> Vec<Probe> {
    let mut request = Request::get(url);
    request.method = Method::POST;
    // A provider that accepts it has a client that nobody can use.
    request.json =
        Some(r#"{"redirect_uris":["no URI"],"client_name":"quadrille check"}"#.to_owned());
    vec![
        Probe::new(request)
            .must(
                "RFC 7591, section 3.2.2",
                "a redirect URI that is none is refused",
                Kind::Refused,
            )
            .must("RFC 7591, section 3.2.2", "the error is JSON", Kind::Code(&[])),
    ]
}

fn device(url: &Url) -> Vec<Probe> {
    const SECTION: &str = "RFC 8628, section 3.1";
    vec![
        Probe::new(Request::post(url, &[("client_id", NOBODY)]))
            .must(SECTION, "an unknown client is refused", Kind::Status(&[400, 401]))
            .must(SECTION, "the error is JSON", Kind::Code(&[])),
    ]
}

fn end_session(url: &Url) -> Vec<Probe> {
    let asked = [("post_logout_redirect_uri", STRANGE), ("client_id", NOBODY)];
    vec![Probe::new(asking(url, &asked)).must(
        "OpenID Connect RP-Initiated Logout 1.0, section 3",
        "a post-logout redirect URI that is not registered gets no answer",
        not_to(STRANGE),
    )]
}

/// The findings about an answer.
pub(super) fn judge(probe: &Probe, answer: &Result<Answer, CheckError>, part: &mut Findings) {
    for demand in &probe.demands {
        let found = match answer {
            Ok(answer) => match answer.limit() {
                Some(limit) => Found::Limited(limit),
                None => demand.kind.found(&probe.request.url, answer),
            },
            Err(error) => Found::wrong(error.to_string()),
        };
        let requirement = demand.requirement.clone();
        match demand.is_must {
            true => part.must(demand.section, requirement, found),
            false => part.should(demand.section, requirement, found),
        }
    }
}

impl Kind {
    fn found(&self, asked: &Url, answer: &Answer) -> Found {
        let status = || format!("status {}", answer.status);
        let target = answer.location(asked);
        match self {
            Self::Refused => Found::is(!(200..300).contains(&answer.status), status),
            Self::Status(all) => Found::is(all.contains(&answer.status), status),
            Self::Code(all) => {
                let code = answer.error();
                let is_one =
                    code.as_deref().is_some_and(|code| all.is_empty() || all.contains(&code));
                let is_met = is_one && answer.is_json();
                Found::is(is_met, || code.unwrap_or_else(|| answer.text.clone()).quote())
            }
            Self::Header(name, text) => {
                let value = answer.headers.get_all(*name).iter();
                let values: Vec<_> = value.filter_map(|value| value.to_str().ok()).collect();
                let has = |value: &&str| value.to_ascii_lowercase().contains(text);
                Found::is(values.iter().any(has), || {
                    format!("status {}, {name}: {}", answer.status, values.join(", ").quote())
                })
            }
            Self::NotTo(uri) => {
                let is_there = target.as_ref().is_some_and(|target| leads_to(target, uri));
                Found::is(!is_there, || {
                    format!("a redirect to {}", answer.header("location").quote())
                })
            }
            Self::ErrorTo(uri, codes) => {
                let error = target.as_ref().filter(|target| leads_to(target, uri));
                let error = error.and_then(|target| parameter(target, "error"));
                let is_one = error.as_deref().is_some_and(|error| codes.contains(&error));
                Found::is(is_one, || match (error, &target) {
                    (Some(error), _) => error.quote(),
                    (None, Some(target)) => format!("a redirect to {}", target.as_str().quote()),
                    (None, None) => status(),
                })
            }
            Self::Echo(name, value) => {
                let told = target.as_ref().and_then(|target| parameter(target, name));
                let is_same = told.as_deref() == Some(value);
                Found::is(is_same, || told.map_or_else(|| "nothing".into(), |told| told.quote()))
            }
            Self::NotFramed => {
                let policy = answer.header("content-security-policy").contains("frame-ancestors");
                let old = !answer.header("x-frame-options").is_empty();
                Found::is(target.is_some() || policy || old, || {
                    "neither `frame-ancestors` nor `X-Frame-Options`".into()
                })
            }
        }
    }
}

/// Whether a redirect sends an answer to `uri`.
fn leads_to(target: &Url, uri: &str) -> bool {
    let Ok(uri) = Url::parse(uri) else { return false };
    (target.origin(), target.path()) == (uri.origin(), uri.path())
        && uri.query_pairs().all(|pair| target.query_pairs().any(|other| other == pair))
}

fn parameter(target: &Url, name: &str) -> Option<String> {
    let found = target.query_pairs().find(|(found, _)| found == name);
    found.map(|(_, value)| value.into_owned())
}
