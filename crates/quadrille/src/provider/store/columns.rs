//! Records as columns of a database, for stores in SQL.

use std::{borrow::Cow, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::{
    Binding, Scopes, Timestamp,
    actor::{Actor, Authentication},
    oauth2::Resources,
};

use super::{Exchange, Grant, GrantDetails, RowId, StoreError};

/// A grant as columns, which several tables have.
///
/// `actor` is the column of [`user_column`] for a user, `c` and the id for another client, and
/// `None` for the client itself. `auth` is JSON: the authentication and the details.
///
/// ```
/// use quadrille::{Actor, Scopes, oauth2::Resources};
/// use quadrille::provider::store::{Grant, GrantColumns, RowId};
///
/// let grant = Grant {
///     id: RowId(42),
///     client: "app".into(),
///     actor: Actor::User("4711".into()),
///     scopes: Scopes::parse("photos")?,
///     resources: Resources::EMPTY,
///     authentication: None,
///     details: None,
/// };
/// let columns = GrantColumns::of(&grant)?;
/// assert_eq!(columns.actor.as_deref(), Some("u4711"));
/// assert_eq!(columns.read()?, grant);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct GrantColumns<'a> {
    /// [`Grant::id`].
    pub id: i64,
    /// [`Grant::client`].
    pub client: Cow<'a, str>,
    /// [`Grant::actor`].
    pub actor: Option<Cow<'a, str>>,
    /// [`Grant::scopes`].
    pub scopes: Cow<'a, str>,
    /// [`Grant::resources`].
    pub resources: Cow<'a, str>,
    /// [`Grant::authentication`] and [`Grant::details`].
    pub auth: Option<Cow<'a, str>>,
}

impl<'a> GrantColumns<'a> {
    /// The columns of a grant.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] if the details are no JSON.
    pub fn of(grant: &'a Grant) -> Result<Self, StoreError> {
        let subject = match &grant.actor {
            Actor::User(subject) => Some(&**subject),
            Actor::Client(_) => None,
        };
        let actor = match &grant.actor {
            Actor::User(subject) => Some(user_column(subject)),
            Actor::Client(id) if *id == grant.client => None,
            Actor::Client(id) => Some(format!("c{id}")),
        };
        let (authentication, details) = (&grant.authentication, &grant.details);
        let auth = match (authentication, details) {
            (None, None) => None,
            _ => Some(auth(authentication.as_deref(), details.as_deref(), subject)?),
        };
        Ok(Self {
            id: grant.id.0,
            client: (&*grant.client).into(),
            actor: actor.map(Into::into),
            scopes: grant.scopes.as_str().into(),
            resources: grant.resources.as_str().into(),
            auth: auth.map(Into::into),
        })
    }

    /// The grant of these columns.
    ///
    /// # Errors
    /// [`StoreError::Corrupt`] with the column that is unreadable.
    pub fn read(self) -> Result<Grant, StoreError> {
        let client: Arc<str> = self.client.into();
        let actor = match self.actor.as_deref().map(|actor| actor.split_at_checked(1)) {
            None => Actor::Client(Arc::clone(&client)),
            Some(Some(("u", subject))) => Actor::User(subject.into()),
            Some(Some(("c", id))) => Actor::Client(id.into()),
            Some(_) => return Err(StoreError::Corrupt("an actor")),
        };
        let subject = match &actor {
            Actor::User(subject) => Some(subject),
            Actor::Client(_) => None,
        };
        let (authentication, details) = match self.auth.as_deref() {
            Some(auth) => read_auth(auth, subject)?,
            None => (None, None),
        };
        Ok(Grant {
            id: RowId(self.id),
            client,
            actor,
            scopes: read_scopes(&self.scopes)?,
            resources: read_resources(&self.resources)?,
            authentication: authentication.map(Arc::new),
            details: details.map(Arc::new),
        })
    }
}

/// A user in a column of actors.
///
/// ```
/// use quadrille::provider::store::user_column;
///
/// assert_eq!(user_column("4711"), "u4711");
/// ```
pub fn user_column(subject: &str) -> String {
    format!("u{subject}")
}

/// A [`Binding`] as a column.
///
/// ```
/// use quadrille::{Binding, provider::store::{binding_column, read_binding}};
///
/// let binding = Some(Binding::Certificate([7; 32]));
/// let column = binding_column(binding);
/// assert_eq!(read_binding(column.as_deref())?, binding);
/// # Ok::<(), quadrille::provider::store::StoreError>(())
/// ```
pub fn binding_column(binding: Option<Binding>) -> Option<String> {
    let (name, thumbprint) = binding?.to_member();
    Some(format!("{name}:{thumbprint}"))
}

/// The binding of [`binding_column`].
///
/// # Errors
/// [`StoreError::Corrupt`]: a token whose binding cannot be read must not become a bearer token.
pub fn read_binding(column: Option<&str>) -> Result<Option<Binding>, StoreError> {
    let read = |text: &str| {
        text.split_once(':').and_then(|(name, thumbprint)| Binding::read(name, thumbprint))
    };
    column.map(|text| read(text).ok_or(StoreError::Corrupt("a binding"))).transpose()
}

/// An [`Exchange`] as a column, in JSON.
///
/// ```
/// use quadrille::provider::store::{Exchange, exchange_column, read_exchange};
///
/// let exchange = Exchange { subject: None, act: None };
/// let column = exchange_column(Some(&exchange))?;
/// assert_eq!(read_exchange(column.as_deref())?.as_deref(), Some(&exchange));
/// # Ok::<(), quadrille::provider::store::StoreError>(())
/// ```
///
/// # Errors
/// [`StoreError::Corrupt`] if it is no JSON.
pub fn exchange_column(exchange: Option<&Exchange>) -> Result<Option<String>, StoreError> {
    let text = exchange.map(serde_json::to_string).transpose();
    text.map_err(|_| StoreError::Corrupt("an exchange"))
}

/// The exchange of [`exchange_column`].
///
/// # Errors
/// [`StoreError::Corrupt`]: a token whose exchange cannot be read must not outlive its subject
/// token.
pub fn read_exchange(column: Option<&str>) -> Result<Option<Arc<Exchange>>, StoreError> {
    let exchange = column.map(serde_json::from_str).transpose();
    exchange.map_err(|_| StoreError::Corrupt("an exchange"))
}

/// Scopes in a column.
///
/// ```
/// use quadrille::provider::store::read_scopes;
///
/// assert!(read_scopes("photos profile")?.contains("photos"));
/// # Ok::<(), quadrille::provider::store::StoreError>(())
/// ```
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn read_scopes(column: &str) -> Result<Scopes, StoreError> {
    Scopes::parse(column).map_err(|_| StoreError::Corrupt("scopes"))
}

/// Resources in a column.
///
/// ```
/// use quadrille::provider::store::read_resources;
///
/// assert!(read_resources("")?.is_empty());
/// # Ok::<(), quadrille::provider::store::StoreError>(())
/// ```
///
/// # Errors
/// [`StoreError::Corrupt`].
pub fn read_resources(column: &str) -> Result<Resources, StoreError> {
    Resources::parse(column).map_err(|_| StoreError::Corrupt("resources"))
}

/// An [`Authentication`] and [`GrantDetails`] in few bytes.
#[derive(Serialize, Deserialize)]
struct Auth<'a> {
    /// Omitted if another column has it.
    #[serde(rename = "sub", default, skip_serializing_if = "Option::is_none", borrow)]
    subject: Option<Cow<'a, str>>,
    /// Omitted if there is no authentication.
    #[serde(rename = "at", default, skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<Arc<str>>,
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    session: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    details: Option<GrantDetails>,
}

/// The `auth` column of a grant.
fn auth(
    authentication: Option<&Authentication>,
    details: Option<&GrantDetails>,
    subject: Option<&str>,
) -> Result<String, StoreError> {
    let own = authentication.map(|who| &*who.subject).filter(|own| subject != Some(own));
    let auth = Auth {
        subject: own.map(Into::into),
        auth_time: authentication.map(|who| who.auth_time.seconds()),
        acr: authentication.and_then(|who| who.acr.clone()),
        amr: authentication.map(|who| who.amr.clone()).unwrap_or_default(),
        session: authentication.and_then(|who| who.session.clone()),
        details: details.cloned(),
    };
    serde_json::to_string(&auth).map_err(|_| StoreError::Corrupt("an authentication"))
}

/// Reads what [`auth`] wrote.
fn read_auth(
    text: &str,
    subject: Option<&Arc<str>>,
) -> Result<(Option<Authentication>, Option<GrantDetails>), StoreError> {
    const BAD: StoreError = StoreError::Corrupt("an authentication");
    let auth: Auth<'_> = serde_json::from_str(text).map_err(|_| BAD)?;
    let Some(auth_time) = auth.auth_time else { return Ok((None, auth.details)) };
    let subject = match (auth.subject, subject) {
        (Some(own), _) => (&*own).into(),
        (None, Some(actor)) => Arc::clone(actor),
        (None, None) => return Err(BAD),
    };
    let authentication = Authentication {
        subject,
        auth_time: Timestamp::from_seconds(auth_time),
        acr: auth.acr,
        amr: auth.amr,
        session: auth.session,
    };
    Ok((Some(authentication), auth.details))
}
