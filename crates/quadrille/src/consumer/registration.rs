//! The application's registration at a service: as given, and checked.

use std::{any::TypeId, borrow::Cow, fmt::Write as _, sync::Arc};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use url::Url;

use crate::{
    Scopes,
    consumer::error::{BrowserError, OperatorError},
    form::Params,
    loopback::is_secure,
    oauth2::{answer, member::MemberPath},
    transport::ErasedClient,
};

use super::{
    account::{Stored, Token},
    attempt::{Ending, required::Required},
    claims::{ProfilePaths, RequiredClaim},
    service::{
        Client, Credential, OpenIdBuf, Protocol, SpecBuf,
        allowed::{Allowed, check_written, merged},
        endpoint::is_graphic,
        hosted::settled,
        is_quoted,
    },
    site::Site,
};

type Text = Cow<'static, str>;

/// The endpoints before they are discovered. No name resolves to a host there (RFC 6761, section
/// 6.4), so nothing could be sent to them.
const UNDISCOVERED: &str = "https://undiscovered.invalid/";

/// The response mode of an authorization request.
const MODE: &str = "response_mode";

/// A service as given by the application.
#[derive(Clone)]
pub(crate) struct Registration {
    pub(crate) type_id: TypeId,
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) credential: Credential,
    pub(crate) allowed: Allowed,
    pub(crate) http: Option<Arc<dyn ErasedClient>>,
    /// The first mistake in the settings of the registration.
    pub(crate) fault: Option<OperatorError>,
}

impl<S: 'static> From<Client<S>> for Registration {
    fn from(client: Client<S>) -> Self {
        let Client { spec, id, credential, allowed, http, fault, .. } = client;
        Self { type_id: TypeId::of::<S>(), spec, id, credential, allowed, http, fault }
    }
}

/// Checks the values that an application gives: identifier, secret, scopes and lists.
pub(crate) fn check(
    spec: &SpecBuf,
    id: &str,
    credential: &Credential,
    allowed: &Allowed,
) -> Result<(), OperatorError> {
    check_credentials(spec, id, &allowed.clients, credential)?;
    if allowed.claims_providers.is_some() && openid_of(spec).is_none() {
        return Err(OperatorError::NotOpenId { service: (&*spec.name).into() });
    }
    allowed.check(&spec.name)?;
    check_written(&spec.name, &spec.parameters)?;
    if let Protocol::OAuth2(_) = &spec.protocol {
        for scope in [&spec.scopes, &allowed.scopes].into_iter().flat_map(Scopes::iter) {
            Scopes::parse(scope).map_err(|_| OperatorError::ScopeMalformed {
                service: (&*spec.name).into(),
                scope: scope.into(),
            })?;
        }
    }
    Ok(())
}

/// A hybrid flow is that of an OpenID Provider, and its response arrives by POST.
fn check_hybrid(spec: &SpecBuf) -> Result<(), OperatorError> {
    let Protocol::OAuth2(oauth2) = &spec.protocol else { return Ok(()) };
    let service = || Box::from(&*spec.name);
    match oauth2.openid.hybrid {
        None => Ok(()),
        Some(_) if oauth2.openid.issuer.is_none() => {
            Err(OperatorError::NotOpenId { service: service() })
        }
        Some(_) if spec.parameters.iter().any(|(name, _)| name == MODE) => {
            Err(OperatorError::ParameterReserved { service: service(), name: MODE.into() })
        }
        Some(_) => Ok(()),
    }
}

/// A value copied or read from a file often ends with a line break, which a service refuses as
/// `invalid_client`.
fn check_credentials(
    spec: &SpecBuf,
    id: &str,
    further: &[Text],
    credential: &Credential,
) -> Result<(), OperatorError> {
    let is_oauth2 = matches!(spec.protocol, Protocol::OAuth2(_));
    let is_fit = |text: &str| is_fit(text, is_oauth2);
    let service = || Box::from(&*spec.name);
    let is_malformed = |id: &str| id.is_empty() || !is_fit(id);
    if is_malformed(id) || further.iter().any(|id| is_malformed(id)) {
        return Err(OperatorError::ClientIdMalformed { service: service() });
    }
    match credential {
        Credential::Secret(secret) if secret.expose().trim().is_empty() => {
            Err(OperatorError::SecretMissing { service: service() })
        }
        Credential::Secret(secret) if !is_fit(secret.expose()) => {
            Err(OperatorError::SecretMalformed { service: service() })
        }
        // A key is PEM or a path; its reader checks it.
        Credential::Secret(_)
        | Credential::Made(_)
        | Credential::Key(_)
        | Credential::SiteKeys
        | Credential::Public => Ok(()),
    }
}

/// Whether an identifier or a secret has only characters that such a text may have.
pub(crate) fn is_fit(text: &str, is_oauth2: bool) -> bool {
    let fits = |char: char| match is_oauth2 {
        true => matches!(char, ' '..='~'),
        false => !char.is_control() && char != '\u{feff}',
    };
    text.trim() == text && !is_quoted(text) && text.chars().all(fits)
}

/// A registration whose values are checked.
pub(crate) struct Settled {
    pub(crate) name: Arc<str>,
    pub(crate) type_id: TypeId,
    pub(crate) spec: SpecBuf,
    pub(crate) id: String,
    pub(crate) credential: Credential,
    pub(crate) allowed: Allowed,
    /// The HTTP client of this service's requests, unless it is that of the site.
    http: Option<Arc<dyn ErasedClient>>,
    pub(crate) callback: String,
    /// The base of API calls, with a trailing slash.
    pub(crate) api: Url,
    /// The path of the identifier in the account's claims.
    identity: Option<MemberPath>,
    /// The URL of the claims, if it is the same for each account.
    identity_url: Option<Url>,
    /// The path of the account's identifier in token responses.
    pub(crate) subject_in_token: Option<MemberPath>,
    /// The places of a profile's members in the account's claims.
    pub(crate) profile: ProfilePaths,
    /// The sign of an invalid token in the API's error responses, and its values.
    dead_token: Option<(MemberPath, Vec<Box<str>>)>,
    /// The place of the claim that an account must have, and its value.
    pub(crate) required_claim: Option<RequiredClaim>,
    /// The headers of each call of the API.
    pub(crate) call_headers: HeaderMap,
}

impl Settled {
    /// Checks a registration for the site with this name. The service's name is checked already.
    pub(crate) fn new(registration: &Registration, site: &str) -> Result<Self, OperatorError> {
        let Registration { type_id, spec, id, credential, allowed, http, fault } =
            registration.clone();
        fault.map_or(Ok(()), Err)?;
        check(&spec, &id, &credential, &allowed)?;
        let mut spec = settled(spec)?;
        if spec.is_to_be_discovered() {
            spec.authorize = UNDISCOVERED.into();
            spec.token = UNDISCOVERED.into();
        }
        check_hybrid(&spec)?;
        if openid_of(&spec).is_some() && !spec.scopes.contains("openid") {
            // OpenID Connect Core, section 3.1.2.1.
            spec.scopes = Scopes::of(["openid"]).union(&spec.scopes);
        }
        let service = || Box::from(&*spec.name);
        let malformed = || OperatorError::EndpointMalformed { service: service() };
        // `Url` drops line breaks and spaces, but the request would contain them.
        let endpoint = |text: &str| match Url::parse(text) {
            Ok(url) if is_secure(&url) && url.has_host() && is_filled_in(text, &url) => Ok(url),
            _ => Err(malformed()),
        };
        endpoint(&spec.authorize)?;
        endpoint(&spec.token)?;
        if let Protocol::OAuth1(oauth1) = &spec.protocol {
            endpoint(&oauth1.temporary)?;
        }
        let mut api = endpoint(&spec.api)?;
        if !api.path().ends_with('/') {
            api.set_path(&format!("{}/", api.path()));
        }
        let odd_member = || OperatorError::MemberMalformed { service: service() };
        let member = |path: &Text| MemberPath::parse(path).ok_or_else(odd_member);
        let identity = spec.identity.as_ref().map(|(_, subject)| member(subject)).transpose()?;
        let mut subject_in_token = None;
        let mut paths: Vec<&Text> = spec.identity.iter().map(|(path, _)| path).collect();
        paths.extend(&spec.email_list);
        if let Protocol::OAuth2(oauth2) = &spec.protocol {
            let own = oauth2.refresh.iter().chain(&oauth2.device_authorization);
            for own in own.chain(&oauth2.openid.end_session) {
                endpoint(own)?;
            }
            subject_in_token = oauth2.subject_in_token.as_ref().map(member).transpose()?;
            paths.extend(oauth2.revocation.iter().map(|(path, _)| path));
        }
        for path in paths {
            let url = api.join(path.trim_start_matches('/')).map_err(|_| malformed())?;
            if !is_secure(&url) || !is_graphic(path) {
                return Err(malformed());
            }
        }
        let same_for_all = spec.identity.as_ref().filter(|(path, _)| !path.contains('{'));
        let identity_url = same_for_all.map(|(path, _)| api.join(path.trim_start_matches('/')));
        let identity_url = identity_url.transpose().map_err(|_| malformed())?;
        let claims = spec.profile.iter().map(|(claim, place)| (&**claim, &**place));
        let profile = ProfilePaths::parse(claims).ok_or_else(odd_member)?;
        let dead_token = match &spec.dead_token {
            Some((path, values)) => {
                let values = values.split_ascii_whitespace().map(Box::from);
                Some((member(path)?, values.collect()))
            }
            None => None,
        };
        let required_claim = match &spec.required_claim {
            Some((path, value)) => Some(RequiredClaim::new(member(path)?, value)),
            None => None,
        };
        let has_claims =
            spec.identity.is_some() || subject_in_token.is_some() || openid_of(&spec).is_some();
        if required_claim.is_some() && !has_claims {
            // There are no claims that could have it.
            return Err(odd_member());
        }
        let mut call_headers = HeaderMap::new();
        for (name, value) in &spec.call_headers {
            let value = value.replace("{client_id}", &id);
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), value.parse()) else {
                return Err(malformed());
            };
            call_headers.insert(name, value);
        }
        let callback = format!("{site}/{}/authorized", spec.name);
        let name = spec.name.as_ref().into();
        Ok(Self {
            name,
            type_id,
            spec,
            id,
            credential,
            allowed,
            http,
            callback,
            api,
            identity,
            identity_url,
            subject_in_token,
            profile,
            dead_token,
            required_claim,
            call_headers,
        })
    }

    /// The client of requests to this service.
    pub(crate) fn http<'a>(&'a self, site: &'a Site) -> &'a dyn ErasedClient {
        &**self.shared_http(site)
    }

    /// The client of requests to this service, to be kept.
    pub(crate) fn shared_http<'a>(&'a self, site: &'a Site) -> &'a Arc<dyn ErasedClient> {
        self.http.as_ref().unwrap_or(&site.http)
    }

    /// The facts about the OpenID Provider that the service is.
    pub(crate) fn openid(&self) -> Option<&OpenIdBuf> {
        openid_of(&self.spec)
    }

    /// Whether an error response of the API says in the service's own way that the token is
    /// invalid.
    pub(crate) fn says_dead(&self, answer: &Response<Bytes>) -> bool {
        let Some((path, values)) = &self.dead_token else { return false };
        let said = path.identifier(&answer::text(answer.body()));
        said.is_some_and(|said| values.iter().any(|value| **value == *said))
    }

    /// Whether the service has a way of its own to say that a token is invalid.
    pub(crate) fn has_own_sign(&self) -> bool {
        self.dead_token.is_some()
    }

    /// Whether the service identifies its accounts.
    pub(crate) fn identifies(&self) -> bool {
        self.identity.is_some() || self.subject_in_token.is_some() || self.openid().is_some()
    }

    /// The URL of this account's claims, and the path of the identifier in them.
    pub(crate) fn identity_of(
        &self,
        stored: &Stored,
    ) -> Result<Option<(Url, &MemberPath)>, OperatorError> {
        match (&self.spec.identity, &self.identity) {
            (Some((path, _)), Some(subject)) => {
                let url = match &self.identity_url {
                    Some(url) if stored.token.api.is_none() => url.clone(),
                    _ => self.endpoint_for(stored, path)?,
                };
                Ok(Some((url, subject)))
            }
            _ => Ok(None),
        }
    }

    /// A URL, or a path of the API, with `{client_id}` and `{subject}` replaced for this account.
    pub(crate) fn endpoint_for(&self, stored: &Stored, path: &str) -> Result<Url, OperatorError> {
        let subject = &stored.account.subject;
        // Such a segment would leave the path, encoded or not.
        if path.contains("{subject}") && matches!(&**subject, "" | "." | "..") {
            return Err(OperatorError::CallMalformed);
        }
        let path = match path.contains('{') {
            true => path
                .replace("{client_id}", &encoded(&self.id))
                .replace("{subject}", &encoded(subject))
                .into(),
            false => Cow::Borrowed(path),
        };
        let url = self.below_api(&stored.token, &path)?;
        match self.at_server(url.as_str(), self.server_of(&stored.token)) {
            Cow::Borrowed(_) => Ok(url),
            Cow::Owned(there) => Url::parse(&there).map_err(|_| self.endpoint_malformed()),
        }
    }

    /// A URL, or a path of the API of the account with this token.
    pub(crate) fn below_api(&self, token: &Token, path: &str) -> Result<Url, OperatorError> {
        let api = self.api_of(token)?;
        api.join(path.trim_start_matches('/')).map_err(|_| self.endpoint_malformed())
    }

    /// The base of API calls for the account with this token, with a trailing slash.
    pub(crate) fn api_of(&self, token: &Token) -> Result<Url, OperatorError> {
        let Some(origin) = &token.api else { return Ok(self.api.clone()) };
        let url = self.allowed_origin(origin).ok_or(OperatorError::ForeignOrigin)?;
        url.join(self.api.path()).map_err(|_| OperatorError::ForeignOrigin)
    }

    /// The origin of the authorization server that the callback names.
    ///
    /// # Errors
    /// [`BrowserError::WrongIssuer`] for one that is none of the service's data centres.
    pub(crate) fn server_in(&self, params: &Params<'_>) -> Result<Option<Box<str>>, BrowserError> {
        let Some((parameter, servers)) = self.data_centers() else { return Ok(None) };
        let mut values = params.many(parameter);
        let Some(said) = values.next() else { return Ok(None) };
        if values.next().is_some() {
            return Err(BrowserError::CallbackMalformed);
        }
        let known = servers.iter().find(|(origin, _)| **origin == *said.trim_end_matches('/'));
        known.map(|(origin, _)| Some((&**origin).into())).ok_or(BrowserError::WrongIssuer)
    }

    /// An endpoint at this authorization server, if it is one of a data centre.
    pub(crate) fn at_server<'a>(&self, endpoint: &'a str, server: Option<&str>) -> Cow<'a, str> {
        let servers = self.data_centers().map(|(_, servers)| servers.iter()).unwrap_or_default();
        let rest = servers
            .filter_map(|(origin, _)| endpoint.strip_prefix(&**origin))
            .find(|rest| rest.starts_with('/'));
        match (server, rest) {
            (Some(server), Some(rest)) => [server, rest].concat().into(),
            _ => endpoint.into(),
        }
    }

    /// The origin of the authorization server of the account with this token, by its API.
    pub(crate) fn server_of(&self, token: &Token) -> Option<&str> {
        let (_, servers) = self.data_centers()?;
        let url = Url::parse(token.api.as_ref()?).ok()?;
        let host = url.host_str()?;
        let is_there = |known: &str| host.strip_suffix(known).is_some_and(is_subdomain);
        servers.iter().find(|(_, api)| is_there(api)).map(|(origin, _)| &**origin)
    }

    fn data_centers(&self) -> Option<&(Text, Vec<(Text, Text)>)> {
        match &self.spec.protocol {
            Protocol::OAuth2(oauth2) => oauth2.data_centers.as_ref(),
            Protocol::OAuth1(_) => None,
        }
    }

    /// The origin of an API if tokens of this service may be sent there.
    pub(crate) fn allowed_origin(&self, text: &str) -> Option<Url> {
        let Protocol::OAuth2(oauth2) = &self.spec.protocol else { return None };
        let (_, hosts) = oauth2.api_in_token.as_ref()?;
        let url = Url::parse(text).ok()?;
        let origin = Url::parse(&url.origin().ascii_serialization()).ok()?;
        let host = url.host_str()?;
        let is_at = |known: &str| host.strip_suffix(known).is_some_and(is_subdomain);
        let is_known = url.scheme() == "https" && hosts.split_ascii_whitespace().any(is_at);
        let is_own = Url::parse(&self.spec.token).is_ok_and(|own| own.origin() == url.origin());
        let is_anonymous = url.username().is_empty() && url.password().is_none();
        ((is_known || is_own) && is_anonymous).then_some(origin)
    }

    /// The authentication that an authorization request with these parameters requires, at an OpenID
    /// Provider.
    pub(crate) fn required(&self, parameters: &[(String, String)]) -> Required {
        match self.openid() {
            Some(_) => Required::by(merged(&self.spec.parameters, parameters)),
            None => Required::default(),
        }
    }

    /// The callback of logins with this end.
    pub(crate) fn callback_for(&self, ending: Ending) -> &str {
        match (ending, &self.allowed.json_callback) {
            (Ending::Json, Some(callback)) => callback,
            _ => &self.callback,
        }
    }

    /// Sets the headers of the service's spec.
    pub(crate) fn add_headers(
        &self,
        request: &mut Request<Bytes>,
        headers: &[(Cow<'static, str>, Cow<'static, str>)],
    ) -> Result<(), OperatorError> {
        for (name, value) in headers {
            let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_str(value))
            else {
                return Err(self.endpoint_malformed());
            };
            request.headers_mut().insert(name, value);
        }
        Ok(())
    }

    /// The error for a request to one of the service's endpoints that cannot be built.
    pub(crate) fn endpoint_malformed(&self) -> OperatorError {
        OperatorError::EndpointMalformed { service: (*self.name).into() }
    }
}

fn openid_of(spec: &SpecBuf) -> Option<&OpenIdBuf> {
    match &spec.protocol {
        Protocol::OAuth2(oauth2) => oauth2.openid.issuer.is_some().then_some(&oauth2.openid),
        Protocol::OAuth1(_) => None,
    }
}

/// Whether an endpoint has only characters of a URL, and no place that should have been filled in: a
/// tenant in braces, or an empty segment where one should be.
fn is_filled_in(text: &str, url: &Url) -> bool {
    is_graphic(text) && !text.contains(['{', '}']) && !url.path().contains("//")
}

/// Whether a host's text before a known domain leaves a host of that domain.
fn is_subdomain(before: &str) -> bool {
    before.is_empty() || before.ends_with('.')
}

/// A text as part of a URL's path or query (RFC 3986, section 2.1).
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            byte => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

impl std::fmt::Debug for Settled {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settled").field("name", &self.name).finish_non_exhaustive()
    }
}
