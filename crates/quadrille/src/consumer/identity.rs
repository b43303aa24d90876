//! Who a visitor is, as a service says it.

use std::{marker::PhantomData, sync::Arc};

use http::{Method, StatusCode};
use serde_json::Value;

use crate::{
    Timestamp,
    consumer::error::{Error, OperatorError, Result, ServiceError},
    oauth2::answer,
    transport::Purpose,
};

use super::{
    account::{Account, Owner},
    api::Api,
    call::Call,
    cookie_room::{Coming, WHO, make_room, size},
    cookies::Jar,
    login::Login,
    registered::Registered,
    storage::length_first,
    wire::{Reader, Writer},
};

const PURPOSE: &str = "identity cookie";

/// What a service says about an account.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims {
    subject: String,
    all: Value,
}

impl Claims {
    /// The account's identifier there: never given to another account.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Everything it says. A number beyond 64 bits loses digits here, which
    /// [`subject`](Claims::subject) keeps.
    pub fn all(&self) -> &Value {
        &self.all
    }

    /// One text of it: `claims.text("login")`.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name)?.as_str()
    }
}

/// Who the visitor is at a service, known from their last login there: for sites that want to know
/// people and call no API. No token is kept for it, and it lasts as long as
/// [`Login::identity_lasts`] says. Taken by a handler, it sends visitors to log in who have not.
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
    service: PhantomData<fn() -> S>,
}

impl<S> Identity<S> {
    /// The account's identifier at the service.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// When the service said so.
    pub fn since(&self) -> Timestamp {
        self.since
    }
}

/// Asks the service who the account is.
pub(crate) async fn ask(api: &Api) -> Result<Option<Claims>> {
    let registered = api.registered();
    let Some((url, path)) = &registered.identity else { return Ok(None) };
    let call = Call::new(api.clone(), Method::GET, Ok(url.clone()));
    // The service's user information may be on another origin than its API; its row says so.
    let body = call.purpose(Purpose::Identity).send_token_to_another_origin().bytes().await?;
    let text = answer::text(&body);
    // A few services answer with a list of accounts, which has one.
    let list = || answer::elements(&text).map(Value::Array);
    let Some(all) = answer::members(&text).map(Value::Object).or_else(list) else {
        let error = ServiceError::Malformed { status: StatusCode::OK };
        return Err(Error::service(&registered.name, error));
    };
    // Not out of what was read above: numbers have lost their digits there.
    match path.identifier(&text) {
        Some(subject) => Ok(Some(Claims { subject, all })),
        None => Err(Error::service(&registered.name, ServiceError::SubjectMissing)),
    }
}

/// Keeps who the visitor is in a cookie of its own.
pub(crate) fn remember(login: &Login, jar: &Jar, account: &Account) -> Result<()> {
    let ready = login.ready()?;
    let mut out = Writer::with_capacity(64);
    out.number(1).text(&account.subject).number(login.0.env.now().seconds().unsigned_abs());
    let site = site(&ready.site, &account.owner, &account.service);
    let sealed = login.keys().seal(&login.0.env, PURPOSE, &site, &out.finish());
    let what = name(&account.service);
    let whole = ready.style.name(&what);
    let bytes = size(&whole, &sealed);
    make_room(jar, &ready.style, &ready.in_use, Coming::Kept(&[whole]), bytes)?;
    Ok(jar.set(&ready.style, &what, sealed, login.0.identity_lasts)?)
}

/// Who the visitor is, if they logged in recently enough.
pub(crate) fn recall<S>(
    login: &Login,
    jar: &Jar,
    registered: &Registered,
    owner: &Owner,
) -> Result<Option<Identity<S>>> {
    if registered.identity.is_none() {
        // Nothing about such a service can ever say who someone is.
        let service = (*registered.name).into();
        return Err(OperatorError::ServiceMismatch { service }.into());
    }
    let ready = login.ready()?;
    let site = site(&ready.site, owner, &registered.name);
    let now = login.0.env.now();
    let open = |sealed: &String| {
        let plain = login.keys().open(PURPOSE, &site, sealed).ok()?;
        read(&plain).filter(|identity| now.since(identity.since) <= login.0.identity_lasts)
    };
    Ok(jar.values(&ready.style.name(&name(&registered.name))).iter().find_map(open))
}

/// Forgets who the visitor is.
pub(crate) fn forget(login: &Login, jar: &Jar, service: &str) -> Result<()> {
    Ok(jar.remove(&login.ready()?.style, &name(service))?)
}

pub(crate) fn of_account<S>(subject: &Arc<str>, since: Timestamp) -> Identity<S> {
    Identity { subject: Arc::clone(subject), since, service: PhantomData }
}

fn read<S>(plain: &[u8]) -> Option<Identity<S>> {
    let mut from = Reader(plain);
    if from.number()? != 1 {
        return None;
    }
    let subject = from.text()?.into();
    let since = Timestamp::from_seconds(i64::try_from(from.number()?).ok()?);
    Some(Identity { subject, since, service: PhantomData })
}

fn site(site: &str, owner: &Owner, service: &str) -> String {
    [site, owner.as_str(), service].map(length_first).concat()
}

fn name(service: &str) -> String {
    [WHO, service].concat()
}
