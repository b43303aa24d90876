//! Token exchange (RFC 8693): the request, the application's answer, and the decision.

use std::{fmt, pin::Pin, sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Act, Scopes, Timestamp,
    actor::{Actor, Authentication},
    jose::Claims,
    oauth2::Resources,
    provider::{
        client::record::Client,
        store::{AccessRecord, Exchange, Grant, SubjectToken, TokenRef},
        token::grant::error::ExchangeError,
    },
};

use super::granted::NotGranted;

/// A token exchange that a client requests (RFC 8693, section 2.1). Its tokens are valid; whether
/// this client may exchange them is the application's decision: see
/// [`AuthorizationServer::token_exchange`](crate::provider::AuthorizationServer::token_exchange).
///
/// ```
/// use quadrille::provider::{Exchanging, Exchanged, NotGranted};
///
/// /// The mailer may act for the users of the shop.
/// async fn policy(exchanging: Exchanging) -> Result<Exchanged, NotGranted> {
///     match (&*exchanging.client().id, exchanging.subject_client()) {
///         ("mailer", Some("shop")) => Ok(Exchanged::delegation()),
///         _ => Err(NotGranted::refused("this client may not exchange this token")),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Exchanging {
    pub(crate) client: Arc<Client>,
    pub(crate) subject: Subject,
    pub(crate) actor: Option<Party>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) wanted: Resources,
}

/// The party behind a subject token.
#[derive(Clone)]
pub(crate) struct Subject {
    party: Party,
    /// The client that the token was issued to.
    client: Option<Arc<str>>,
    /// The user of this server; `None` for a JWT of another issuer.
    pub(crate) actor: Option<Actor>,
    pub(crate) authentication: Option<Arc<Authentication>>,
    /// The application's data on the token's grant, which may restrict it: the new token keeps it.
    pub(crate) data: Map<String, Value>,
    /// The scopes and the audience that the token has. `None` if it does not say.
    scopes: Option<Scopes>,
    resources: Option<Resources>,
    pub(crate) expires: Timestamp,
    act: Option<Act>,
    may_act: Option<Act>,
    claims: Option<Claims>,
    /// The token, if it is one of this server.
    token: Option<SubjectToken>,
    /// The number of exchanges before this one.
    exchanges: usize,
}

/// A party, by its issuer and subject.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Party {
    /// `None` for this server.
    pub(crate) iss: Option<Arc<str>>,
    pub(crate) sub: Arc<str>,
    /// `true` for a client that acts for itself.
    pub(crate) is_client: bool,
}

impl Party {
    /// The party behind a token of this server.
    pub(crate) fn of(actor: &Actor) -> Self {
        let (Actor::User(sub) | Actor::Client(sub)) = actor;
        Self { iss: None, sub: sub.clone(), is_client: matches!(actor, Actor::Client(_)) }
    }
}

impl Exchanging {
    /// The client of the request, which has authenticated.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// The user of the subject token, if it is a token of this server.
    pub fn subject(&self) -> Option<&str> {
        match &self.subject.actor {
            Some(Actor::User(subject)) => Some(subject),
            _ => None,
        }
    }

    /// The client that the subject token was issued to, if the token says so.
    pub fn subject_client(&self) -> Option<&str> {
        self.subject.client.as_deref()
    }

    /// The claims of the subject token, if it is a JWT of another issuer. The application says
    /// which user it is about: [`Exchanged::for_user`].
    pub fn subject_claims(&self) -> Option<&Claims> {
        self.subject.claims.as_ref()
    }

    /// The scopes of the subject token; `None` if a JWT of another issuer names none.
    pub fn subject_scopes(&self) -> Option<&Scopes> {
        self.subject.scopes.as_ref()
    }

    /// The audience of the subject token (RFC 8707); `None` for a JWT of another issuer.
    pub fn subject_audience(&self) -> Option<&Resources> {
        self.subject.resources.as_ref()
    }

    /// The parties that act for the subject already, by an earlier exchange.
    pub fn subject_act(&self) -> Option<&Act> {
        self.subject.act.as_ref()
    }

    /// The subject of the actor token: a user, or the `client_id` of a client that acts for itself;
    /// `None` without an actor token.
    pub fn actor(&self) -> Option<&str> {
        self.actor.as_ref().map(|actor| &*actor.sub)
    }

    /// The issuer of the actor token; `None` for this server.
    pub fn actor_issuer(&self) -> Option<&str> {
        self.actor.as_ref()?.iss.as_deref()
    }

    /// The requested scopes; `None` if the client names none.
    pub fn scopes(&self) -> Option<&Scopes> {
        self.scopes.as_ref()
    }

    /// The requested audience: `resource` and `audience` together.
    pub fn audience(&self) -> &Resources {
        &self.wanted
    }
}

/// Omits the subject.
impl fmt::Debug for Exchanging {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchanging")
            .field("client", &self.client.id)
            .field("subject_client", &self.subject.client)
            .field("scopes", &self.scopes)
            .field("audience", &self.wanted)
            .finish_non_exhaustive()
    }
}

/// An exchange that the application allows. The token has no scope that the subject token does not
/// have, or that the client may not request, and expires with the subject token.
///
/// ```
/// use quadrille::{Scopes, provider::Exchanged};
///
/// let exchanged = Exchanged::delegation().scopes(Scopes::parse("photos:read")?);
/// # Ok::<(), quadrille::scope::InvalidScope>(())
/// ```
#[derive(Clone, Debug)]
pub struct Exchanged {
    is_delegation: bool,
    user: Option<Arc<str>>,
    scopes: Option<Scopes>,
    further: Resources,
    pub(crate) lifetime: Option<Duration>,
}

impl Exchanged {
    /// A delegation (RFC 8693, section 1.1): the token says that the party of the actor token or,
    /// without one, the client acts for the subject.
    pub fn delegation() -> Self {
        Self::new(true)
    }

    /// An impersonation: the token does not say that the client is another party than the subject.
    /// Parties that act already, by an earlier exchange, remain in it.
    pub fn impersonation() -> Self {
        Self::new(false)
    }

    fn new(is_delegation: bool) -> Self {
        Self { is_delegation, user: None, scopes: None, further: Resources::EMPTY, lifetime: None }
    }

    /// The user that a JWT of another issuer is about. A token of this server has its own user.
    #[must_use]
    pub fn for_user(mut self, subject: impl Into<Arc<str>>) -> Self {
        self.user = Some(subject.into());
        self
    }

    /// Narrows the token to these scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: Scopes) -> Self {
        self.scopes = Some(scopes);
        self
    }

    /// Lets the token be for these APIs of the server, too, if the client requests them, although
    /// the subject token is not for them: an API that calls the next one needs this. Gives up: a
    /// token for one API opens another.
    #[must_use]
    pub fn allow_audience_that_the_subject_token_does_not_have(
        mut self,
        resources: Resources,
    ) -> Self {
        self.further = resources;
        self
    }

    /// Shortens the lifetime of the token.
    #[must_use]
    pub fn lifetime(mut self, lifetime: Duration) -> Self {
        self.lifetime = Some(lifetime);
        self
    }
}

/// The application's decision on exchanges.
pub(crate) type OnExchange = Arc<
    dyn Fn(Exchanging) -> Pin<Box<dyn Future<Output = Result<Exchanged, NotGranted>> + Send>>
        + Send
        + Sync,
>;

/// The most exchanges of which one uses the token of another, and the most parties in `act`.
const LONGEST_CHAIN: usize = 4;

/// The token of an allowed exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Decision {
    pub(crate) actor: Actor,
    pub(crate) scopes: Scopes,
    pub(crate) resources: Resources,
    pub(crate) exchange: Exchange,
}

/// Decides what an allowed exchange gives: never more than the subject token and the client have.
pub(crate) fn decide(
    exchanging: &Exchanging,
    allowed: &Exchanged,
    known: &Scopes,
) -> Result<Decision, ExchangeError> {
    let Exchanging { client, subject, actor, scopes: wanted_scopes, wanted } = exchanging;
    let user = match (&subject.actor, &allowed.user) {
        (Some(actor), _) => actor.clone(),
        (None, Some(user)) => Actor::User(user.clone()),
        (None, None) => return Err(ExchangeError::UserUnknown),
    };
    let ceiling = client.scopes.intersection(known);
    let ceiling = match &subject.scopes {
        Some(scopes) => ceiling.intersection(scopes),
        None => ceiling,
    };
    let scopes = match wanted_scopes {
        None => ceiling,
        Some(wanted) if ceiling.is_superset(wanted) => wanted.clone(),
        Some(_) => return Err(ExchangeError::ScopeNotGranted),
    };
    let scopes = allowed.scopes.as_ref().map_or(scopes.clone(), |only| scopes.intersection(only));
    let resources = audience(subject.resources.as_ref(), wanted, &allowed.further)?;
    let acting = match actor {
        Some(actor) => actor.clone(),
        None => Party { iss: None, sub: client.id.clone(), is_client: true },
    };
    if subject.may_act.as_ref().is_some_and(|party| !is_party(party, &acting, subject)) {
        return Err(ExchangeError::MayNotAct);
    }
    let act = match allowed.is_delegation {
        false => subject.act.clone(),
        true => {
            let mut act = Act::new(acting.sub.clone());
            act.client_id = acting.is_client.then_some(acting.sub);
            act.iss = acting.iss;
            act.act = subject.act.clone().map(Box::new);
            Some(act)
        }
    };
    let exchange = Exchange { subject: subject.token.clone(), act };
    if subject.exchanges >= LONGEST_CHAIN || exchange.depth() > LONGEST_CHAIN {
        return Err(ExchangeError::ChainTooLong);
    }
    Ok(Decision { actor: user, scopes, resources, exchange })
}

/// The audience of the token: within that of the subject token, or among `further`. The empty one is
/// the server's own API, which contains no other.
fn audience(
    of_subject: Option<&Resources>,
    wanted: &Resources,
    further: &Resources,
) -> Result<Resources, ExchangeError> {
    // A JWT of another issuer is for this server itself.
    let of_subject = of_subject.unwrap_or(&Resources::EMPTY);
    if wanted.is_empty() {
        return Ok(of_subject.clone());
    }
    let all = Resources::of(of_subject.iter().chain(further.iter()));
    let narrowed = all.ok().and_then(|all| all.narrowed(wanted));
    narrowed.ok_or(ExchangeError::AudienceNotGranted)
}

/// `true` if the party that `may_act` names is the one that acts (RFC 8693, section 4.4). Without
/// `iss` it names a party of the issuer of the subject token, or of this server.
fn is_party(named: &Act, acting: &Party, subject: &Subject) -> bool {
    let is_known_there = match &named.iss {
        Some(iss) => acting.iss.as_ref() == Some(iss),
        None => acting.iss.is_none() || acting.iss == subject.party.iss,
    };
    let is_client = named.client_id.as_ref().is_none_or(|id| acting.is_client && *id == acting.sub);
    named.sub == acting.sub && is_known_there && is_client
}

/// The party behind an access token, if it may be exchanged at all.
pub(crate) fn of_access(
    record: &AccessRecord,
    reference: Option<&TokenRef>,
    exchanges: usize,
    client: &Client,
    now: Timestamp,
) -> Result<Subject, ExchangeError> {
    if now >= record.expires {
        return Err(ExchangeError::SubjectExpired);
    }
    if record.binding.is_some() {
        return Err(ExchangeError::Bound);
    }
    // A client that acts for itself has nobody whom another one could act for.
    if matches!(&record.grant.actor, Actor::Client(_)) && record.grant.client != client.id {
        return Err(ExchangeError::SubjectIsClient);
    }
    let token = match reference {
        Some(TokenRef::Row { row, hash }) => SubjectToken::Access { row: *row, hash: *hash },
        Some(TokenRef::Foreign { hash }) => SubjectToken::Foreign { hash: *hash },
        None => return Err(ExchangeError::SubjectUnknown),
    };
    let act = record.exchange.as_ref().and_then(|exchange| exchange.act.clone());
    let subject = of_grant(&record.grant, record.expires, token);
    Ok(Subject { act, exchanges, ..subject })
}

/// The party behind a token with this grant.
pub(crate) fn of_grant(grant: &Grant, expires: Timestamp, token: SubjectToken) -> Subject {
    Subject {
        party: Party::of(&grant.actor),
        client: Some(grant.client.clone()),
        actor: Some(grant.actor.clone()),
        authentication: grant.authentication.clone(),
        data: grant.data().cloned().unwrap_or_default(),
        scopes: Some(grant.scopes.clone()),
        resources: Some(grant.resources.clone()),
        expires,
        act: None,
        may_act: None,
        claims: None,
        token: Some(token),
        exchanges: 0,
    }
}

/// The party behind a JWT of another issuer. A claim that cannot be read must not be ignored.
pub(crate) fn of_claims(issuer: &Arc<str>, claims: Claims) -> Result<Subject, ExchangeError> {
    let party = |name: &str| match claims.extra.get(name) {
        None => Ok(None),
        Some(claim) => Act::read(claim).map(Some).ok_or(ExchangeError::ActMalformed),
    };
    let scopes = match claims.extra.get("scope") {
        None => None,
        Some(scope) => {
            let scopes = scope.as_str().and_then(|scope| Scopes::parse(scope).ok());
            Some(scopes.ok_or(ExchangeError::ScopeMalformed)?)
        }
    };
    let sub = claims.sub.as_deref().ok_or(ExchangeError::SubjectUnknown)?;
    Ok(Subject {
        party: Party { iss: Some(issuer.clone()), sub: sub.into(), is_client: false },
        client: claims.text("client_id").map(Into::into),
        actor: None,
        authentication: None,
        data: Map::new(),
        scopes,
        resources: None,
        expires: claims.exp.ok_or(ExchangeError::SubjectExpired)?,
        act: party("act")?,
        may_act: party("may_act")?,
        claims: Some(claims),
        token: None,
        exchanges: 0,
    })
}
