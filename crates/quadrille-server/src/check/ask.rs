//! The requests of a check.

use std::time::Duration;

use http::HeaderMap;
use serde_json::{Map, Value};
use url::{Host, Url};

use super::report::Quote as _;

/// The time for one answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time for all of them: a server that answers nothing must not keep the program for minutes.
pub(super) const PATIENCE_IN_ALL: Duration = Duration::from_secs(120);

/// The longest answer that is read, in bytes.
const LONGEST: usize = 256 * 1024;

/// The reason why a provider cannot be checked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckError {
    /// The issuer is not an https URL, or one of http on this machine, without user name, query and fragment.
    #[error(
        "the issuer must be a URL of https, such as https://id.example, without user name, password, \
         query and fragment, or one of http on this machine"
    )]
    Issuer,
    /// The server does not respond.
    #[error("{host} does not respond: {reason}")]
    Unreachable {
        /// The host.
        host: String,
        /// The reason.
        reason: String,
    },
    /// The check was given up.
    #[error("the check took longer than two minutes: the rest was not checked")]
    TooSlow,
    /// The certificate of the server is not trusted.
    #[error("the certificate of {host} is not accepted ({reason}){}", advice(reason))]
    Certificate {
        /// The host.
        host: String,
        /// The reason.
        reason: String,
    },
    /// The HTTP client cannot be made.
    #[error("the HTTP client cannot be made: {0}")]
    Client(reqwest::Error),
}

/// A request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) url: Url,
    pub(super) method: http::Method,
    pub(super) form: Option<String>,
    pub(super) json: Option<String>,
    pub(super) headers: Vec<(&'static str, String)>,
}

impl Request {
    pub(super) fn get(url: &Url) -> Self {
        let (method, headers) = (http::Method::GET, Vec::new());
        Self { url: url.clone(), method, form: None, json: None, headers }
    }

    /// A POST of a form.
    pub(super) fn post(url: &Url, fields: &[(&str, &str)]) -> Self {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let form = Some(form.finish());
        Self { method: http::Method::POST, form, ..Self::get(url) }
    }

    pub(super) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body, as far as it is text, and as far as it was read.
    pub(super) text: String,
    /// `true` if the body is longer than what was read.
    pub(super) is_cut: bool,
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or("")
    }

    pub(super) fn is_json(&self) -> bool {
        let essence = self.header("content-type").split(';').next().unwrap_or("").trim();
        essence.eq_ignore_ascii_case("application/json")
    }

    pub(super) fn object(&self) -> Option<Map<String, Value>> {
        serde_json::from_str(&self.text).ok()
    }

    /// The body for a finding.
    pub(super) fn shown(&self) -> String {
        match self.is_cut {
            true => format!("an answer of more than {} KiB", LONGEST / 1024),
            false => self.text.quote(),
        }
    }

    /// What the answer says if the provider limits attempts (RFC 6585, section 4).
    pub(super) fn limit(&self) -> Option<String> {
        const LIMITS: &str = "status 429: the provider limits attempts";
        (self.status == 429).then(|| match self.header("retry-after") {
            "" => LIMITS.to_owned(),
            time => match time.parse::<u32>() {
                Ok(seconds) => format!("{LIMITS}, and accepts the next one in {seconds} s"),
                Err(_) => format!("{LIMITS}, and accepts the next one after {}", time.quote()),
            },
        })
    }

    /// The code of an error in JSON (RFC 6749, section 5.2).
    pub(super) fn error(&self) -> Option<String> {
        Some(self.object()?.get("error")?.as_str()?.to_owned())
    }

    /// The target of a redirect.
    pub(super) fn location(&self, asked: &Url) -> Option<Url> {
        let is_redirect = (300..400).contains(&self.status);
        is_redirect.then(|| asked.join(self.header("location")).ok()).flatten()
    }
}

/// The issuer as a URL.
pub(super) fn issuer(text: &str) -> Result<Url, CheckError> {
    let url = Url::parse(text).map_err(|_| CheckError::Issuer)?;
    let is_bare = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
    let is_secure = url.scheme() == "https" || (url.scheme() == "http" && is_here(&url));
    (is_bare && is_secure && url.password().is_none()).then_some(url).ok_or(CheckError::Issuer)
}

/// Whether a URL leads to this machine.
pub(super) fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

/// The client of a check, which follows no redirect.
#[derive(Debug)]
pub(super) struct Asking {
    http: reqwest::Client,
    /// Past the proxies of the environment.
    here: reqwest::Client,
}

impl Asking {
    /// `authorities` are certificates in PEM that are trusted beside those of the machine.
    pub(super) fn new(authorities: Option<&[u8]>) -> Result<Self, CheckError> {
        let trusted = authorities.map(reqwest::Certificate::from_pem_bundle).transpose();
        let trusted = trusted.map_err(CheckError::Client)?.unwrap_or_default();
        let client = || {
            let none = reqwest::redirect::Policy::none();
            let client = reqwest::Client::builder().redirect(none).timeout(PATIENCE);
            client.tls_certs_merge(trusted.clone())
        };
        let http = client().build().map_err(CheckError::Client)?;
        let here = client().no_proxy().build().map_err(CheckError::Client)?;
        Ok(Self { http, here })
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Answer, CheckError> {
        self.send(&Request::get(url).header("accept", "application/json")).await
    }

    pub(super) async fn send(&self, request: &Request) -> Result<Answer, CheckError> {
        let http = if is_here(&request.url) { &self.here } else { &self.http };
        let mut sent = http.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            sent = sent.header(*name, value);
        }
        if let Some(form) = &request.form {
            sent = sent.header("content-type", "application/x-www-form-urlencoded");
            sent = sent.body(form.clone());
        }
        if let Some(json) = &request.json {
            sent = sent.header("content-type", "application/json").body(json.clone());
        }
        let failed = |error: reqwest::Error| unreachable(&request.url, &error);
        let mut answer = sent.send().await.map_err(failed)?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let (mut body, mut is_cut) = (Vec::new(), false);
        while let Some(piece) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&piece);
            if body.len() > LONGEST {
                body.truncate(LONGEST);
                is_cut = true;
                break;
            }
        }
        Ok(Answer { status, headers, text: String::from_utf8_lossy(&body).into_owned(), is_cut })
    }
}

fn unreachable(url: &Url, error: &reqwest::Error) -> CheckError {
    let reason = match error {
        error if error.is_timeout() => "it took longer than ten seconds".to_owned(),
        error => {
            let mut cause: &dyn std::error::Error = error;
            while let Some(next) = cause.source() {
                cause = next;
            }
            cause.to_string()
        }
    };
    let host = url.host_str().unwrap_or("").quote();
    match reason.strip_prefix("invalid peer certificate: ") {
        Some(reason) => CheckError::Certificate { host, reason: reason.to_owned() },
        None => CheckError::Unreachable { host, reason },
    }
}

/// How to have a certificate accepted that is rejected for this reason.
fn advice(reason: &str) -> &'static str {
    match reason {
        // An authority of the same name, with another key, is the second.
        reason if reason.contains("UnknownIssuer") || reason.contains("BadSignature") => {
            ": if it is of your own authority, give that, as PEM, by the setting \
             certificate_authorities or the variable SSL_CERT_FILE"
        }
        reason if reason.contains("CaUsedAsEndEntity") => {
            ": it is that of an authority, as `openssl req -x509` makes one by default; a server needs \
             one with -addext basicConstraints=critical,CA:FALSE"
        }
        _ => "",
    }
}
