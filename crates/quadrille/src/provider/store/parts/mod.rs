//! A store whose parts are kept in different places.

mod changes;
mod positions;
mod verbs;

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

#[cfg(doc)]
use crate::provider::Client;
use crate::{Timestamp, actor::Actor};

use super::{
    AnySubject, ClientTable, Clients, Grant, Grants, IssuerId, OnceKeys, Registrations, RowId,
    Store, StoreError, TableClients, UserTable,
};

use positions::Positions;

/// A store whose parts are kept in different places: clients and users in the application's own
/// tables, for example, and the rest in an `SqliteStore`.
///
/// No transaction spans two databases, so what depends on two parts is decided when it is read: a
/// token is valid while its grant is alive, its client is there and its user is there. Codes and
/// refresh tokens of a client or of a user who is gone buy nothing. A server's cache asks again
/// after half a second, so a token ends by then at the latest.
///
/// The verbs of each part are as atomic as the part makes them. Only a client's removal, and its
/// change to another [number](Client::number), reach a second part: the client is gone from the
/// first one at once, and its consents and token credentials, which are of no use without it, from
/// the second one before the verb returns, or when the client is next looked up.
///
/// ```
/// # use quadrille::{Timestamp, provider::{Client, store::{ClientTable, StoreError, UserTable}}};
/// # struct Apps;
/// # impl ClientTable for Apps {
/// #     async fn find(&self, _: &str) -> Result<Option<Client>, StoreError> { Ok(None) }
/// # }
/// # struct People;
/// # impl UserTable for People {
/// #     async fn since(&self, _: &str) -> Result<Option<Timestamp>, StoreError> { Ok(None) }
/// # }
/// use quadrille::{Env, provider::{AuthorizationServer, store::{MemoryStore, Parts}}};
/// use std::sync::Arc;
///
/// let store = Arc::new(MemoryStore::new(Env::system()));
/// let parts = Parts::of(store).client_table(Apps).user_table(People);
/// let server = AuthorizationServer::new("https://id.example", parts)?;
/// # Ok::<(), quadrille::provider::IssuerError>(())
/// ```
pub struct Parts<I, C, G, O, U = AnySubject> {
    issuers: I,
    clients: C,
    grants: G,
    once: O,
    /// `None` if every subject is a user.
    users: Option<U>,
    apart: Apart,
    positions: Mutex<Positions>,
}

/// The parts that are not in the store that the others are in.
#[derive(Clone, Copy, Debug, Default)]
struct Apart {
    clients: bool,
    grants: bool,
    once: bool,
}

impl<S: Store> Parts<Arc<S>, Arc<S>, Arc<S>, Arc<S>> {
    /// All parts of this store, to be replaced one by one.
    pub fn of(store: Arc<S>) -> Self {
        Self {
            issuers: Arc::clone(&store),
            clients: Arc::clone(&store),
            grants: Arc::clone(&store),
            once: store,
            users: None,
            apart: Apart::default(),
            positions: Mutex::default(),
        }
    }
}

impl<I, C, G, O, U> Parts<I, C, G, O, U> {
    /// Looks clients up in a table of the application's own first, and then where they were before.
    /// A `client_id` belongs to one of the two.
    pub fn client_table<T: ClientTable>(self, table: T) -> Parts<I, TableClients<T, C>, G, O, U> {
        let apart = Apart { clients: true, ..self.apart };
        let Self { issuers, clients, grants, once, users, positions, .. } = self;
        let clients = TableClients::new(table, clients);
        Parts { issuers, clients, grants, once, users, apart, positions }
    }

    /// Checks each subject in a table of the application's own, where it is created, disabled and
    /// deleted in the application's own transactions.
    pub fn user_table<T: UserTable>(self, users: T) -> Parts<I, C, G, O, T> {
        let Self { issuers, clients, grants, once, apart, positions, .. } = self;
        Parts { issuers, clients, grants, once, users: Some(users), apart, positions }
    }

    /// Keeps all clients in another part.
    pub fn clients<T: Registrations>(self, clients: T) -> Parts<I, T, G, O, U> {
        let apart = Apart { clients: true, ..self.apart };
        let Self { issuers, grants, once, users, positions, .. } = self;
        Parts { issuers, clients, grants, once, users, apart, positions }
    }

    /// Keeps consents, codes, tokens and pending requests in another part.
    pub fn grants<T: Grants>(self, grants: T) -> Parts<I, C, T, O, U> {
        let apart = Apart { grants: true, ..self.apart };
        let Self { issuers, clients, once, users, positions, .. } = self;
        Parts { issuers, clients, grants, once, users, apart, positions }
    }

    /// Keeps nonces and the `jti` of assertions in another part.
    pub fn once<T: OnceKeys>(self, once: T) -> Parts<I, C, G, T, U> {
        let apart = Apart { once: true, ..self.apart };
        let Self { issuers, clients, grants, users, positions, .. } = self;
        Parts { issuers, clients, grants, once, users, apart, positions }
    }

    /// `true` if the part with the grants does not see the clients.
    fn are_clients_elsewhere(&self) -> bool {
        self.apart.clients || self.apart.grants
    }

    fn positions(&self) -> MutexGuard<'_, Positions> {
        self.positions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<I, C: Clients, G: Grants, O, U: UserTable> Parts<I, C, G, O, U> {
    /// Tells the part with the grants about a client.
    async fn tell(
        &self,
        issuer: IssuerId,
        id: &str,
        number: Option<RowId>,
    ) -> Result<(), StoreError> {
        if self.are_clients_elsewhere()
            && self.grants.known_client(issuer, id).await? != number
            && !self.grants.know_client(issuer, number, id).await?
        {
            return Err(StoreError::ClientTwice(id.into()));
        }
        Ok(())
    }

    /// `true` if client and user of the grant are there. The part with the grants knows the rest.
    async fn lives(&self, issuer: IssuerId, grant: &Grant) -> Result<bool, StoreError> {
        Ok(self.has_client(issuer, &grant.client, grant.id).await?
            && match &grant.actor {
                Actor::User(subject) => self.has_user(subject, grant.id.time()).await?,
                Actor::Client(_) => true,
            })
    }

    async fn has_client(
        &self,
        issuer: IssuerId,
        id: &str,
        grant: RowId,
    ) -> Result<bool, StoreError> {
        if !self.are_clients_elsewhere() {
            return Ok(true);
        }
        let client = self.clients.client(issuer, id).await?;
        Ok(client.is_some_and(|client| client.number <= grant))
    }

    /// `true` if there is this user, and was at this time.
    async fn has_user(&self, subject: &str, then: Timestamp) -> Result<bool, StoreError> {
        let since = self.user_since(subject).await?;
        Ok(since.is_some_and(|since| since.seconds() <= then.seconds()))
    }

    /// The time since which the subject belongs to its user, if there is one: a whole second, since
    /// times are stored so.
    async fn user_since(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
        let Some(users) = &self.users else { return Ok(Some(Timestamp::default())) };
        let since = users.since(subject).await?;
        Ok(since.map(|since| Timestamp::from_seconds(since.seconds())))
    }

    async fn if_it_lives<T>(
        &self,
        issuer: IssuerId,
        found: Option<T>,
        grant: impl Fn(&T) -> &Grant + Send,
    ) -> Result<Option<T>, StoreError>
    where
        T: Send,
    {
        let Some(found) = found else { return Ok(None) };
        let lives = self.lives(issuer, grant(&found)).await?;
        Ok(lives.then_some(found))
    }
}

impl<I, C, G, O, U> fmt::Debug for Parts<I, C, G, O, U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("apart", &self.apart).finish_non_exhaustive()
    }
}
