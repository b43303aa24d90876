//! The identity of a user at a service.

pub(super) mod profile;
pub(super) mod sourced;

use std::{marker::PhantomData, sync::Arc};

use http::{StatusCode, header};
use serde_json::Value;

use crate::{
    Timestamp,
    consumer::error::{Error, OperatorError, Result, ServiceError},
    oauth2::answer,
    transport::Purpose,
};

use super::{
    account::{Account, Owner, ProviderSession, Stored},
    call::{Call, api::Api},
    claims::Claims,
    cookies::{
        Jar,
        room::{Coming, WHO, make_room, size},
    },
    login::{
        Login,
        registered::{IdentityRequest, Registered},
    },
    openid,
    storage::{read_session, write_session},
    wire::{Reader, Writer, lengths_first},
};

const PURPOSE: &str = "identity cookie";
/// The claims as JSON, which share a browser's cookies with much else.
const LONGEST_CLAIMS: usize = 1500;
/// The claims of an ID token that say nothing about the user.
const OF_THE_TOKEN: [&str; 9] =
    ["aud", "exp", "iat", "nbf", "jti", "nonce", "at_hash", "c_hash", "s_hash"];

/// The user's identity at a service since the last login there: for sites that identify users and
/// call no API. No token is stored, and the identity lasts as long as [`Login::identity_lasts`]
/// says. As a handler's argument, it redirects visitors without one to a login.
///
/// ```
/// use quadrille::{GitHub, Identity};
///
/// async fn home(me: Identity<GitHub>) -> String {
///     format!("You are number {} on GitHub", me.subject())
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity<S> {
    subject: Arc<str>,
    since: Timestamp,
    claims: Option<Arc<Claims>>,
    service: PhantomData<fn() -> S>,
}

impl<S> Identity<S> {
    /// The identity of a user who logged in as this account at this time: for a unit test that
    /// calls a handler without a router.
    ///
    /// ```
    /// use quadrille::{GitHub, Identity, testing::ManualClock};
    ///
    /// async fn home(who: Identity<GitHub>) -> String {
    ///     format!("You are number {}", who.subject())
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let who = Identity::test("7", ManualClock::new().now());
    /// assert_eq!(home(who).await, "You are number 7");
    /// # }
    /// ```
    #[cfg(feature = "testing")]
    pub fn test(subject: &str, since: Timestamp) -> Self {
        Self { subject: subject.into(), since, claims: None, service: PhantomData }
    }

    /// The same with the claims of an ID token, of which it has what [`claims`](Self::claims) says:
    /// for a unit test.
    ///
    /// ```
    /// use quadrille::{Google, Identity, testing::ManualClock};
    /// use serde_json::json;
    ///
    /// async fn home(who: Identity<Google>) -> String {
    ///     let email = who.claims().and_then(|claims| claims.text("email"));
    ///     format!("You are {}", email.unwrap_or("without an address"))
    /// }
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let who = Identity::test("7", ManualClock::new().now());
    /// assert_eq!(home(who.clone()).await, "You are without an address");
    /// let who = who.with_claims(&json!({ "email": "ada@example.com", "nonce": "n-0S6_WzA2Mj" }));
    /// assert_eq!(who.claims().and_then(|claims| claims.text("nonce")), None);
    /// assert_eq!(home(who.clone()).await, "You are ada@example.com");
    /// let too_long = json!({ "email": "ada@example.com", "about": "-".repeat(1500) });
    /// assert_eq!(who.with_claims(&too_long).claims(), None);
    /// # }
    /// ```
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn with_claims(self, claims: &Value) -> Self {
        let kept = about_the_user(claims);
        let all = serde_json::from_str(&kept).ok().filter(|_| kept.len() <= LONGEST_CLAIMS);
        let subject = self.subject.as_ref().to_owned();
        Self { claims: all.map(|all| Arc::new(Claims { subject, all })), ..self }
    }

    /// The account's identifier at the service.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The time of the login.
    pub fn since(&self) -> Timestamp {
        self.since
    }

    /// The account's claims in the ID token of the login, at an OpenID Provider: without a request.
    /// `None` at other services, and for claims of more than 1,500 bytes.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_deref()
    }
}

/// Requests the account's claims at the service. `None` for a service without
/// [`Spec::identity`](crate::Spec::identity).
pub(crate) async fn ask(api: &Api) -> Result<Option<Claims>> {
    match claims(api).await? {
        Some((subject, all)) => {
            let subject = identified(api.held().registered(), subject)?;
            Ok(Some(Claims { subject, all }))
        }
        None => Ok(None),
    }
}

/// The account's claims, and its identifier if they have one.
pub(crate) async fn claims(api: &Api) -> Result<Option<(Option<String>, Value)>> {
    let held = api.held();
    let registered = held.registered().discovered(&held.login().ready()?.site).await?;
    let Some((url, path)) = registered.identity_of(&held.stored())? else { return Ok(None) };
    let IdentityRequest { method, json, token_in_body } = registered.identity_request();
    let mut call = Call::new(held.clone(), method, Ok(url));
    if token_in_body {
        call = call.token_in_body();
    }
    if !json.is_empty() {
        call = call.body(json).header(header::CONTENT_TYPE, "application/json");
    }
    // The service's user information may be on another origin than its API; its row says so.
    let call = call.purpose(Purpose::Identity).send_token_to_another_origin();
    let body = call.send().await?.bytes_in_utf8().await?;
    let site = &held.login().ready()?.site;
    let body = match registered.provider() {
        Some(openid) => openid.userinfo(&site.env, &body).await?.map_or(body, Into::into),
        None => body,
    };
    let text = answer::text(&body);
    // Some services respond with a list of one account.
    let list = || answer::elements(&text).map(Value::Array);
    let Some(all) = answer::members(&text).map(Value::Object).or_else(list) else {
        let error = ServiceError::Malformed { status: StatusCode::OK };
        return Err(Error::service(&registered.name, error));
    };
    // Read from the text: numbers in the value above have lost digits.
    Ok(Some((path.identifier(&text), all)))
}

/// The identifier that claims must have.
pub(crate) fn identified(registered: &Registered, subject: Option<String>) -> Result<String> {
    subject.ok_or_else(|| Error::service(&registered.name, ServiceError::SubjectMissing))
}

/// Stores the user's identity in a cookie of its own.
pub(crate) fn remember(
    login: &Login,
    jar: &Jar,
    account: &Account,
    claims: Option<&Value>,
    session: Option<&ProviderSession>,
) -> Result<()> {
    let here = &login.ready()?.site;
    let claims = claims.map(about_the_user).filter(|claims| claims.len() <= LONGEST_CLAIMS);
    let mut out = Writer::with_capacity(64);
    let has = |flag, is_there| if is_there { flag } else { 0 };
    out.number(VERSION + has(CLAIMS, claims.is_some()) + has(SESSION, session.is_some()));
    out.text(&account.subject).number(here.env.now().seconds().unsigned_abs());
    if let Some(session) = session {
        write_session(&mut out, session);
    }
    if let Some(claims) = claims {
        out.text(&claims);
    }
    let site = site(&here.name, &account.owner, &account.service);
    let sealed = here.keys.seal(&here.env, PURPOSE, &site, &out.finish());
    let what = name(&account.service);
    let whole = here.style.name(&what);
    let bytes = size(&whole, &sealed);
    make_room(jar, &here.style, &here.in_use, Coming::Kept(&[whole]), bytes)?;
    Ok(jar.set(&here.style, &what, sealed, login.0.identity_lasts)?)
}

/// The user's identity, if they logged in recently enough.
pub(crate) fn recall<S>(
    login: &Login,
    jar: &Jar,
    registered: &Registered,
    owner: &Owner,
) -> Result<Option<Identity<S>>> {
    if !registered.identifies() {
        // Such a service can never identify a user.
        let service = (*registered.name).into();
        return Err(OperatorError::ServiceMismatch { service }.into());
    }
    let found = opened::<S>(login, jar, &registered.name, owner)?;
    let Some((identity, session)) = found else { return Ok(None) };
    if login.has_ended(&registered.name, &identity.subject, session.as_ref()) {
        forget(login, jar, &registered.name)?;
        return Ok(None);
    }
    Ok(Some(identity))
}

/// The account that the browser's cookie identifies, whether or not its session has ended.
pub(crate) fn remembered(
    login: &Login,
    jar: &Jar,
    service: &str,
    owner: &Owner,
) -> Result<Option<Account>> {
    let owner = if owner.is_user() { owner } else { &Owner::NOBODY };
    let found = opened::<()>(login, jar, service, owner)?;
    Ok(found.map(|(Identity { subject, .. }, _)| Account {
        owner: owner.clone(),
        service: service.into(),
        subject,
    }))
}

/// The identity in the cookie of this owner, and its session at the provider.
fn opened<S>(
    login: &Login,
    jar: &Jar,
    service: &str,
    owner: &Owner,
) -> Result<Option<(Identity<S>, Option<ProviderSession>)>> {
    let here = &login.ready()?.site;
    let site = site(&here.name, owner, service);
    let now = here.env.now();
    let open = |sealed: &String| {
        let plain = here.keys.open(PURPOSE, &site, sealed).ok()?;
        read(&plain).filter(|(known, _)| now.since(known.since) <= login.0.identity_lasts)
    };
    Ok(jar.values(&here.style.name(&name(service))).iter().find_map(open))
}

/// Forgets the user's identity.
pub(crate) fn forget(login: &Login, jar: &Jar, service: &str) -> Result<()> {
    Ok(jar.remove(&login.ready()?.site.style, &name(service))?)
}

/// The identity that a stored account is.
pub(crate) fn of_account<S>(stored: &Stored) -> Identity<S> {
    let Stored { account, token, .. } = stored;
    let claims = openid::claims_of(account, token).map(Arc::new);
    let subject = Arc::clone(&account.subject);
    Identity { subject, since: token.obtained, claims, service: PhantomData }
}

/// The first number in the cookie, and what is added if there are claims, and a session at a provider.
const VERSION: u64 = 4;
const CLAIMS: u64 = 1;
const SESSION: u64 = 2;

fn read<S>(plain: &[u8]) -> Option<(Identity<S>, Option<ProviderSession>)> {
    let mut from = Reader(plain);
    let has = from.number()?.checked_sub(VERSION).filter(|has| *has <= CLAIMS + SESSION)?;
    let subject: Arc<str> = from.text()?.into();
    let since = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
    let session = if has & SESSION == 0 { None } else { Some(read_session(&mut from)?) };
    let claims = match has & CLAIMS {
        0 => None,
        _ => {
            let all = serde_json::from_str(from.text()?).ok()?;
            Some(Arc::new(Claims { subject: subject.as_ref().to_owned(), all }))
        }
    };
    Some((Identity { subject, since, claims, service: PhantomData }, session))
}

/// The claims of an ID token that are worth keeping, as JSON.
fn about_the_user(claims: &Value) -> String {
    let members = claims.as_object().into_iter().flatten();
    let kept = members.filter(|(name, _)| !OF_THE_TOKEN.contains(&&***name));
    let kept = kept.map(|(name, value)| (name.clone(), value.clone()));
    Value::Object(kept.collect()).to_string()
}

fn site(site: &str, owner: &Owner, service: &str) -> String {
    lengths_first([site, owner.as_str(), service])
}

fn name(service: &str) -> String {
    [WHO, service].concat()
}
