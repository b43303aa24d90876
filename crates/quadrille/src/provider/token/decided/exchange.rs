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
        store::{Exchange, SubjectToken},
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
/// /// The mailer may act for the users of the shop, by itself alone.
/// async fn policy(exchanging: Exchanging) -> Result<Exchanged, NotGranted> {
///     let client = &*exchanging.client().id;
///     match (client, exchanging.subject_client(), exchanging.actor()) {
///         ("mailer", Some("shop"), None) => Ok(Exchanged::delegation()),
///         _ => Err(NotGranted::refused("this client may not exchange this token")),
///     }
/// }
/// ```
#[derive(Clone)]
pub struct Exchanging {
    pub(crate) client: Arc<Client>,
    pub(crate) subject: Subject,
    pub(crate) actor: Option<ActorToken>,
    pub(crate) scopes: Option<Scopes>,
    pub(crate) wanted: Resources,
    /// The issuer of this server.
    pub(crate) issuer: Arc<str>,
}

/// The party behind a subject token.
#[derive(Clone)]
pub(crate) struct Subject {
    pub(super) party: Party,
    /// The client of this server that the token was issued to.
    pub(super) client: Option<Arc<str>>,
    /// The user of this server; `None` for a JWT of another issuer.
    pub(crate) actor: Option<Actor>,
    pub(crate) authentication: Option<Arc<Authentication>>,
    /// The application's data on the token's grant, which may restrict it: the new token keeps it.
    pub(crate) data: Map<String, Value>,
    /// The scopes and the audience that the token has. `None` if it does not say.
    pub(super) scopes: Option<Scopes>,
    pub(super) resources: Option<Resources>,
    pub(crate) expires: Timestamp,
    pub(super) act: Option<Act>,
    pub(super) may_act: Option<Act>,
    pub(super) claims: Option<Claims>,
    /// The token, if it is one of this server.
    pub(super) token: Option<SubjectToken>,
    /// The number of exchanges before this one.
    pub(super) exchanges: usize,
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

/// A valid actor token (RFC 8693, section 2.1): the party that acts, if it is not the client of the
/// request by itself. A token of this server is accepted from the client alone that it was issued
/// to: a token that another client sent to an API is no actor token of that API.
///
/// ```
/// use quadrille::provider::ActorToken;
///
/// /// Support staff acts for users, by tokens for the support desk.
/// fn is_of_support(actor: &ActorToken) -> bool {
///     let desk = "https://desk.example";
///     actor.user().is_some_and(|user| user.starts_with("staff-"))
///         && actor.audience().is_some_and(|audience| audience.iter().any(|api| api == desk))
/// }
/// ```
#[derive(Clone)]
pub struct ActorToken {
    pub(super) party: Party,
    pub(super) audience: Option<Resources>,
    pub(super) claims: Option<Claims>,
    pub(super) issued_to: Option<Arc<str>>,
}

impl ActorToken {
    /// The user, if it is a token of this server for a user.
    pub fn user(&self) -> Option<&str> {
        (self.claims.is_none() && !self.party.is_client).then_some(&*self.party.sub)
    }

    /// The client that acts for itself, by its `client_id`, if it is such a token of this server.
    pub fn client(&self) -> Option<&str> {
        self.party.is_client.then_some(&*self.party.sub)
    }

    /// The client that the token was issued to, which is the client of the request; `None` for a
    /// JWT of another issuer.
    pub fn issued_to(&self) -> Option<&str> {
        self.issued_to.as_deref()
    }

    /// The audience of the token (RFC 8707); `None` for a JWT of another issuer.
    pub fn audience(&self) -> Option<&Resources> {
        self.audience.as_ref()
    }

    /// The claims, if it is a JWT of another issuer: its `iss` and `sub` together name the party.
    pub fn claims(&self) -> Option<&Claims> {
        self.claims.as_ref()
    }
}

/// Omits the subject.
impl fmt::Debug for ActorToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ActorToken")
            .field("iss", &self.party.iss)
            .field("is_client", &self.party.is_client)
            .field("audience", &self.audience)
            .finish_non_exhaustive()
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

    /// The client that the subject token was issued to; `None` for a JWT of another issuer, whose
    /// clients are not those of this server.
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

    /// The actor token; `None` if the client acts by itself.
    pub fn actor(&self) -> Option<&ActorToken> {
        self.actor.as_ref()
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
    let Exchanging { client, subject, actor, scopes: wanted_scopes, wanted, issuer } = exchanging;
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
    let wanted_scopes = match wanted_scopes {
        None => subject.scopes.as_ref().unwrap_or(&ceiling),
        Some(wanted) if ceiling.is_superset(wanted) => wanted,
        Some(_) => return Err(ExchangeError::ScopeNotGranted),
    };
    let scopes = ceiling.intersection(wanted_scopes);
    let scopes = allowed.scopes.as_ref().map_or(scopes.clone(), |only| scopes.intersection(only));
    if scopes.is_empty() && !wanted_scopes.is_empty() {
        return Err(ExchangeError::ScopeNotGranted);
    }
    let resources = audience(subject.resources.as_ref(), wanted, &allowed.further)?;
    let acting = match actor {
        Some(actor) => actor.party.clone(),
        None => Party { iss: None, sub: client.id.clone(), is_client: true },
    };
    if subject.may_act.as_ref().is_some_and(|party| !is_party(party, &acting, subject, issuer)) {
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

/// `true` if the party that `may_act` names is the one that acts (RFC 8693, section 4.4). Parties
/// are known by issuer, kind and subject: a client of this server is named by its `client_id`, too,
/// a user of this server by the `iss` of this server. Without `iss`, a subject alone is one of the
/// issuer of the subject token.
fn is_party(named: &Act, acting: &Party, subject: &Subject, issuer: &Arc<str>) -> bool {
    let of = acting.iss.as_ref().unwrap_or(issuer);
    let is_known_there = match &named.iss {
        Some(iss) => iss == of,
        None => acting.is_client || subject.party.iss.as_ref().unwrap_or(issuer) == of,
    };
    let client_id = acting.is_client.then_some(&acting.sub);
    named.sub == acting.sub && is_known_there && named.client_id.as_ref() == client_id
}
