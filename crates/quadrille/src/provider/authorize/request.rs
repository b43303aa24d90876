//! The validity of an authorization request (RFC 6749, sections 4.1.1 and 4.2.1): a pure decision
//! about the request and the client.

use std::{sync::Arc, time::Duration};

use crate::{
    Policy, Scopes,
    form::Params,
    oauth2::{
        AuthorizationRequest, AuthorizationRequestError, RequestError, Resources, ResponseType,
        pkce::Challenge,
    },
    oidc::ClaimsRequest,
    provider::{
        client::{record::Client, redirect_uri::matching::RedirectRule},
        error::ClientError,
        openid::{
            details::{OPENID, OpenIdDetails, PARAMETERS, locales},
            hint::Hint,
            offline,
            options::OpenId,
            request_object::{error::RequestObjectError, resolve::Object},
        },
        scopes::fit_a_page,
        store::Consent,
        wire::ToClient,
    },
};

use super::{
    acr,
    dance::{Dance, ForRedirect},
    error::AuthorizeError,
    mode::response_mode,
    page_hints::PageHints,
};

/// A valid authorization request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) client: Arc<Client>,
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
    pub(crate) prompt: Prompt,
    pub(crate) dance: Dance,
}

/// The `prompt` parameter (OpenID Connect Core, section 3.1.2.1), which plain OAuth clients send,
/// too. With it, the authentication that the client requires.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    pub(crate) none: bool,
    /// `login`, or `create`, which the sign-in page does.
    pub(crate) sign_in: bool,
    pub(crate) consent: bool,
    /// The longest time since the user's authentication (`max_age`).
    pub(crate) max_age: Option<Duration>,
    /// The classes of which the authentication must be one (`acr_values`, and `acr` in `claims`), the
    /// client's best one first; empty for any.
    pub(crate) acr_values: Vec<Arc<str>>,
    /// The users of whom one must be signed in (`id_token_hint`, and `sub` in `claims`); `None` for
    /// any.
    pub(crate) subjects: Option<Vec<Arc<str>>>,
    /// `true` if an `id_token_hint` about one of them was issued to the client.
    pub(crate) is_known_user: bool,
    pub(crate) hints: PageHints,
}

/// The parts of a server that decide whether a request is valid.
pub(crate) struct Offer<'a> {
    pub(crate) response_types: &'a [ResponseType],
    pub(crate) scopes: &'a Scopes,
    pub(crate) resources: &'a Resources,
    pub(crate) policy: &'a Policy,
    /// The application's rule for redirect URIs.
    pub(crate) rule: Option<&'a RedirectRule>,
    /// OpenID Connect, if it is offered.
    pub(crate) openid: Option<OpenIdOffer<'a>>,
}

/// The part of OpenID Connect.
pub(crate) struct OpenIdOffer<'a> {
    pub(crate) offered: &'a OpenId,
    /// The `id_token_hint` of the request.
    pub(crate) hint: Option<Hint>,
    pub(crate) object: Object,
}

/// The longest `claims`, in bytes: they are stored with each token.
const LONGEST_CLAIMS: usize = 4 * 1024;

/// The answer to an invalid request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unasked {
    /// A page: a redirect is forbidden.
    Page(ClientError),
    /// A redirect to the client.
    Redirect(ToClient),
    /// A page with a link: the client is not [trusted](is_trusted).
    Warn(ToClient),
}

/// The `client_id` of a request, to load the client by.
pub(crate) fn client_id<'a>(params: &'a Params<'_>) -> Result<&'a str, ClientError> {
    let id = params.one("client_id").map_err(RequestError::from)?;
    Ok(id.ok_or(RequestError::Missing("client_id"))?)
}

/// Checks a request. Nothing is redirected until client and redirect URI are known to belong
/// together.
pub(crate) fn check(
    params: &Params<'_>,
    client: Option<Arc<Client>>,
    offer: &Offer<'_>,
) -> Result<Asked, Unasked> {
    let offered = offer.response_types;
    let page = |error: ClientError| Unasked::Page(error);
    let parsed = AuthorizationRequest::parse(params);
    let (sent, state, parsed) = match &parsed {
        Ok(request) => (request.redirect_uri.as_deref(), request.state.as_deref(), Ok(request)),
        Err(AuthorizationRequestError::Refused { addressee, reason }) => {
            (addressee.redirect_uri.as_deref(), addressee.state.as_deref(), Err(*reason))
        }
        Err(AuthorizationRequestError::Unaddressed(reason)) => return Err(page((*reason).into())),
    };
    let client = client.ok_or(page(AuthorizeError::UnknownClient.into()))?;
    let redirect_uri = match (sent, &*client.redirect_uris) {
        (Some(uri), _) => client
            .redirect_uri(uri, offer.rule)
            .ok_or(page(AuthorizeError::RedirectUriNotRegistered.into()))?,
        (None, [only]) if client.redirect_patterns.is_empty() => only.clone(),
        (None, _) => return Err(page(AuthorizeError::RedirectUriMissing.into())),
    };
    let redirect_uri_sent = sent.is_some();
    let state = state.map(ToOwned::to_owned);
    // A browser sends no form to a program.
    let has_form = offer.openid.is_some() && redirect_uri.is_web();
    let (mode, is_mode_valid) = response_mode(params, offered, has_form);
    let parsed = match parsed {
        Ok(request) if !offered.contains(&request.response_type) => {
            Err(RequestError::UnsupportedResponseType.into())
        }
        Ok(_) if !is_mode_valid => Err(AuthorizeError::ResponseMode.into()),
        parsed => parsed.map_err(ClientError::from),
    };
    let details = parsed.and_then(|request| {
        let details = details(request, &client, redirect_uri.is_web(), offer)?;
        if details.openid.is_some() {
            for name in PARAMETERS {
                params.one(name).map_err(RequestError::from)?;
            }
        }
        Ok((request.response_type, details))
    });
    match details {
        Ok((response_type, Details { scopes, resources, challenge, prompt, openid })) => {
            let dance = Dance::Redirect(ForRedirect {
                response_type,
                mode,
                redirect_uri,
                redirect_uri_sent,
                state,
                challenge: challenge.map(|challenge| challenge.to_string().into()),
                openid: openid.map(Box::new),
            });
            Ok(Asked { client, scopes, resources, prompt, dance })
        }
        Err(error) => {
            let is_trusted = is_trusted(&client, None);
            // Of such a request nothing is known but its client.
            let to = ToClient { error, redirect_uri, mode, state, session_state: None };
            Err(if is_trusted { Unasked::Redirect(to) } else { Unasked::Warn(to) })
        }
    }
}

/// `true` if a browser may be redirected to the client although nothing was granted (RFC 9700,
/// section 4.11.2). A registered client was chosen by this server. One that describes itself can be
/// anyone's: unless this user has consented to it before, its address would be an open redirector.
/// Consent of other users proves nothing, since one of them may have made it.
pub(crate) fn is_trusted(client: &Client, consent: Option<&Consent>) -> bool {
    let is_unknown = client.from_document || client.is_of_a_stranger();
    !is_unknown || consent.is_some()
}

struct Details {
    scopes: Scopes,
    resources: Resources,
    challenge: Option<Challenge>,
    prompt: Prompt,
    openid: Option<OpenIdDetails>,
}

/// Checks the parameters whose errors are redirected to the client.
fn details(
    request: &AuthorizationRequest<'_>,
    client: &Client,
    is_web: bool,
    offer: &Offer<'_>,
) -> Result<Details, AuthorizeError> {
    let policy = offer.policy;
    match offer.openid.as_ref().map(|openid| &openid.object) {
        Some(Object::Rejected(error)) => return Err(*error),
        Some(Object::Read) => {}
        _ if client.openid.require_signed_request_object => {
            return Err(RequestObjectError::Missing.into());
        }
        _ if request.extra("request").is_some() => return Err(AuthorizeError::RequestObject),
        _ if request.extra("request_uri").is_some() => return Err(AuthorizeError::RequestUri),
        _ => {}
    }
    if !client.uses(request.response_type) {
        return Err(AuthorizeError::GrantTypeNotAllowed);
    }
    let has_code = request.response_type.has_code();
    if has_code && request.code_challenge.is_none() && !client.may_omit_pkce(policy) {
        return Err(AuthorizeError::ChallengeMissing);
    }
    let scopes = client
        .requested_scopes(request.scope.as_ref(), offer.scopes)
        .ok_or(AuthorizeError::ScopeNotAllowed)?;
    if !fit_a_page(&scopes) {
        return Err(AuthorizeError::TooManyScopes);
    }
    let resources =
        offer.resources.narrowed(&request.resource).ok_or(AuthorizeError::ResourceUnknown)?;
    let openid = offer.openid.as_ref().filter(|_| scopes.contains(OPENID));
    let creates_accounts = openid.is_some_and(|openid| openid.offered.creates_accounts);
    let hints = PageHints::read(request);
    let default_max_age = client.openid.default_max_age.map(|it| Duration::from_secs(it.into()));
    let mut prompt = Prompt {
        max_age: max_age(request.extra("max_age"))?.or(default_max_age),
        ..Prompt::read(request.extra("prompt"), creates_accounts, hints)?
    };
    let asked = request.extra("acr_values");
    let has_id_token = request.response_type.has_id_token();
    let Some(openid) = openid else {
        if has_id_token {
            return Err(AuthorizeError::OpenIdScopeMissing);
        }
        prompt.acr_values = acr::required(asked, policy)?;
        let challenge = request.code_challenge;
        return Ok(Details { scopes, resources, challenge, prompt, openid: None });
    };
    // The client is registered otherwise (OpenID Connect Core, section 7.2.1).
    if request.extra("registration").is_some() {
        return Err(AuthorizeError::Registration);
    }
    let scopes = match openid.offered.has_offline_access {
        true => {
            let (response_type, asks) = (request.response_type, prompt.consent);
            offline::requested(scopes, offline::Request { response_type, asks, is_web })
        }
        false => scopes,
    };
    let details = OpenIdDetails {
        nonce: request.extra("nonce").map(Into::into),
        claims: claims(request.extra("claims"))?,
        claims_locales: locales(request.extra("claims_locales")),
    };
    if has_id_token && details.nonce.is_none() {
        return Err(AuthorizeError::NonceMissing);
    }
    // Nor is a user asked about a claim whose scope the client may not request.
    let may_have =
        |name: &str| openid.offered.supports(name) && openid.offered.may_have(&client.scopes, name);
    let details = details.known_to(may_have);
    let defaults = &client.openid.default_acr_values;
    prompt.acr_values = acr::wanted(asked, details.claims.id_token.get("acr"), defaults, policy)?;
    prompt.subjects = subjects(openid.hint.as_ref(), &details.claims)?;
    prompt.is_known_user = matches!(openid.hint, Some(Hint::User { is_of_client: true, .. }));
    let openid = Some(details);
    Ok(Details { scopes, resources, challenge: request.code_challenge, prompt, openid })
}

/// The claims that are requested one by one (OpenID Connect Core, section 5.5).
fn claims(text: Option<&str>) -> Result<ClaimsRequest, AuthorizeError> {
    let Some(text) = text else { return Ok(ClaimsRequest::default()) };
    let claims = (text.len() <= LONGEST_CLAIMS).then(|| ClaimsRequest::parse(text));
    claims.and_then(Result::ok).ok_or(AuthorizeError::Claims)
}

/// The users of whom one must be signed in (OpenID Connect Core, sections 3.1.2.1 and 5.5.1).
fn subjects(
    hint: Option<&Hint>,
    claims: &ClaimsRequest,
) -> Result<Option<Vec<Arc<str>>>, AuthorizeError> {
    let mut required = match hint {
        None => None,
        Some(Hint::Invalid) => return Err(AuthorizeError::Hint),
        Some(Hint::User { subject, .. }) => Some(vec![subject.clone()]),
    };
    for asked in [&claims.id_token, &claims.userinfo] {
        let Some(sub) = asked.get("sub").filter(|sub| !sub.values.is_empty()) else { continue };
        required = Some(match required {
            Some(known) => known.into_iter().filter(|it| sub.accepts(&(**it).into())).collect(),
            None => sub.values.iter().filter_map(|value| value.as_str()).map(Into::into).collect(),
        });
    }
    Ok(required)
}

/// The longest time since the user's authentication (RFC 9470, section 4).
fn max_age(text: Option<&str>) -> Result<Option<Duration>, AuthorizeError> {
    let seconds = text.map(|text| text.parse().map_err(|_| AuthorizeError::MaxAge)).transpose();
    Ok(seconds?.map(Duration::from_secs))
}

impl Prompt {
    /// `true` if the request may need another sign-in than the one that the user has.
    pub(crate) fn may_need_sign_in(&self) -> bool {
        self.sign_in
            || self.hints.select_account
            || self.max_age.is_some()
            || !self.acr_values.is_empty()
            || self.subjects.is_some()
    }

    fn read(
        text: Option<&str>,
        creates_accounts: bool,
        hints: PageHints,
    ) -> Result<Self, AuthorizeError> {
        let mut prompt = Self { hints, ..Self::default() };
        let words: Vec<&str> =
            text.unwrap_or("").split(' ').filter(|word| !word.is_empty()).collect();
        for word in &words {
            match *word {
                "none" => prompt.none = true,
                "login" => prompt.sign_in = true,
                "select_account" => prompt.hints.select_account = true,
                "create" if creates_accounts => {
                    prompt.sign_in = true;
                    prompt.hints.create = true;
                }
                "consent" => prompt.consent = true,
                _ => return Err(AuthorizeError::PromptUnknown),
            }
        }
        if prompt.none && words.len() > 1 {
            return Err(AuthorizeError::PromptNoneAmongOthers);
        }
        Ok(prompt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        oauth2::{ResponseMode, pkce::Verifier},
        provider::client::{
            grant_type::GrantType,
            record::{ClientType, tests::client},
        },
    };
    use proptest::prelude::*;

    const CALLBACK: &str = "https://app.example/cb";

    /// Known names and values, in any combination.
    fn parameters() -> impl Strategy<Value = String> {
        let challenge = Verifier::from_bytes(&[1; 32]).challenge().to_string();
        let pairs = [
            "client_id=app",
            "redirect_uri=https://app.example/cb",
            "redirect_uri=https://evil.example/",
            "redirect_uri=",
            "response_type=code",
            "response_type=token",
            "scope=a",
            "scope=a+c",
            "state=x",
            "code_challenge_method=S256",
            "code_challenge_method=plain",
            "prompt=none",
            "prompt=none+login",
            "response_mode=query",
            "response_mode=fragment",
            "response_mode=web_message",
            "request=x",
            "resource=https://API.example/",
            "resource=urn:unknown",
        ];
        let pairs = pairs.map(str::to_owned).into_iter();
        let pairs: Vec<_> = pairs.chain([format!("code_challenge={challenge}")]).collect();
        proptest::sample::subsequence(pairs.clone(), 0..=pairs.len())
            .prop_shuffle()
            .prop_map(|chosen| chosen.join("&"))
    }

    proptest! {
        #[test]
        fn whatever_is_asked_is_answered_at_a_registered_address_or_on_a_page(
            query in parameters(), is_public: bool, is_known: bool, from_document: bool,
            offered in proptest::sample::subsequence(&ResponseType::ALL[..2], 0..=2),
            has_implicit: bool,
        ) {
            let mut known = client("app", CALLBACK);
            known.from_document = from_document;
            if has_implicit {
                known.grant_types.insert(GrantType::Implicit);
            }
            if is_public {
                known.client_type = ClientType::Public;
            }
            let params = Params::parse(query.as_bytes()).unwrap();
            let found = is_known.then(|| Arc::new(known));
            let (scopes, known) =
                (Scopes::of(["a", "b", "c"]), Resources::of(["https://api.example"]).unwrap());
            // A parameter that is sent twice makes the request invalid.
            let wants_token = query.contains("response_type=token");
            let offer = Offer {
                response_types: &offered,
                scopes: &scopes,
                resources: &known,
                policy: &Policy::safe(),
                rule: None,
                openid: None,
            };
            match check(&params, found, &offer) {
                Ok(asked) => {
                    prop_assert_eq!(asked.dance.rules().destination().unwrap(), CALLBACK);
                    prop_assert!(is_known && !query.contains("web_message"));
                    prop_assert!(asked.client.scopes.is_superset(&asked.scopes));
                    let Dance::Redirect(dance) = asked.dance else { panic!("a redirect") };
                    prop_assert!(offered.contains(&dance.response_type));
                    prop_assert_eq!(dance.response_type.has_token(), wants_token);
                    prop_assert!(!wants_token || has_implicit);
                    prop_assert_eq!(dance.challenge.is_some(), !wants_token);
                    let in_fragment = query.contains("response_mode=fragment");
                    let in_query = query.contains("response_mode=query");
                    let mode = match wants_token || in_fragment {
                        true => ResponseMode::Fragment,
                        false => ResponseMode::Query,
                    };
                    prop_assert_eq!(dance.mode, mode);
                    prop_assert!(!(wants_token && in_query));
                    prop_assert!(!in_fragment || offered.contains(&ResponseType::Token));
                    prop_assert!(!query.contains("evil") && !query.contains("unknown"));
                    let named = query.contains("API");
                    prop_assert_eq!(asked.resources, if named { known } else { Resources::EMPTY });
                }
                Err(Unasked::Redirect(to)) => {
                    prop_assert_eq!(&to.redirect_uri, CALLBACK);
                    prop_assert!(to.mode == ResponseMode::Fragment || !wants_token);
                    prop_assert!(is_known && !query.contains("evil"));
                    prop_assert!(!from_document, "nobody vouches for it");
                }
                Err(Unasked::Warn(to)) => {
                    prop_assert_eq!(&to.redirect_uri, CALLBACK);
                    prop_assert!(is_known && from_document && !query.contains("evil"));
                }
                Err(Unasked::Page(_)) => {}
            }
        }
    }
}
