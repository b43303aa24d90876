//! Clients and users in tables of the application's own.

use std::{future::Future, sync::Arc};

use crate::{Timestamp, provider::client::record::Client};

use super::{
    Admission, Admitted, Changes, Clients, InitialTokenRecord, IssuerId, Part, Registrations,
    RowId, SecretHash, StoreError, UnusedClient, forward::forward,
};

/// The clients of an application that keeps them in a table of its own: see
/// [`Parts::client_table`](super::Parts::client_table). Implement it with `async fn`.
///
/// A row becomes a [`Client`] by [`NewClient::in_table`](crate::provider::NewClient::in_table),
/// which makes the checks of a registration.
///
/// [`client_table_contract!`](crate::client_table_contract) (feature `testing`) tests it.
///
/// ```
/// use quadrille::{
///     Scopes, Timestamp,
///     provider::{Client, NewClient, SecretVerifier, store::{ClientTable, StoreError}},
/// };
///
/// struct Apps; // the application's pool
///
/// impl ClientTable for Apps {
///     async fn find(&self, id: &str) -> Result<Option<Client>, StoreError> {
///         // SELECT name, secret_sha256, callback, created FROM apps WHERE id = $1
///         if id != "printer" {
///             return Ok(None);
///         }
///         let client = NewClient::confidential("Photo printer")
///             .id(id)
///             .imported_secret(SecretVerifier::Sha256([7; 32]))
///             .redirect_uri("https://printer.example/callback")
///             .scopes(Scopes::of(["photos:read"]))
///             .in_table(Timestamp::from_seconds(1_700_000_000));
///         client.map(Some).map_err(StoreError::failed)
///     }
/// }
/// ```
pub trait ClientTable: Send + Sync + 'static {
    /// The client with exactly this `client_id`; `None` if there is none, or if it may not be used
    /// now: its tokens are invalid for so long.
    ///
    /// # Errors
    /// [`StoreError::failed`], if the database fails or the row makes no sense.
    fn find(&self, id: &str) -> impl Future<Output = Result<Option<Client>, StoreError>> + Send;

    /// All clients, in any order, for an application that lists them
    /// ([`AuthorizationServer::clients`](crate::provider::AuthorizationServer::clients)). By
    /// default none are listed.
    ///
    /// # Errors
    /// As [`find`](Self::find).
    fn all(&self) -> impl Future<Output = Result<Vec<Client>, StoreError>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// The users of an application: see [`Parts::user_table`](super::Parts::user_table). Implement it
/// with `async fn`. Who also implements
/// [`PasswordVerifier`](crate::provider::PasswordVerifier) serves the password grant with the same
/// type.
///
/// ```
/// use quadrille::{Timestamp, provider::store::{StoreError, UserTable}};
///
/// struct People; // the application's pool
///
/// impl UserTable for People {
///     async fn since(&self, subject: &str) -> Result<Option<Timestamp>, StoreError> {
///         // SELECT created FROM people WHERE id = $1 AND NOT disabled
///         Ok((subject == "4711").then_some(Timestamp::from_seconds(1_700_000_000)))
///     }
/// }
/// ```
pub trait UserTable: Send + Sync + 'static {
    /// The time since which this subject belongs to this user, such as that of the sign-up: grants
    /// from before are those of an earlier user. `None` if there is no such user, or if the user
    /// may do nothing now: the tokens are invalid for so long.
    ///
    /// # Errors
    /// [`StoreError::failed`], if the database fails.
    fn since(
        &self,
        subject: &str,
    ) -> impl Future<Output = Result<Option<Timestamp>, StoreError>> + Send;
}

/// The users of an application that has said nothing about them: every subject is one.
///
/// ```
/// use quadrille::provider::store::{AnySubject, MemoryStore, Parts};
/// use std::sync::Arc;
///
/// type Whole = Parts<Arc<MemoryStore>, Arc<MemoryStore>, Arc<MemoryStore>, Arc<MemoryStore>, AnySubject>;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AnySubject;

impl UserTable for AnySubject {
    async fn since(&self, _: &str) -> Result<Option<Timestamp>, StoreError> {
        Ok(Some(Timestamp::default()))
    }
}

/// The clients of a [`ClientTable`], and behind them those of another part, which are registered
/// with the server or register themselves. [`Parts::client_table`](super::Parts::client_table) makes
/// it.
///
/// The table cannot be changed here: verbs that would change a client of the table fail with
/// [`StoreError::ManagedByApplication`].
///
/// ```
/// use quadrille::provider::store::{ClientTable, MemoryStore, Parts, TableClients};
/// use std::sync::Arc;
///
/// type Store = Arc<MemoryStore>;
/// type WithTable<T> = Parts<Store, TableClients<T, Store>, Store, Store>;
///
/// fn with_table<T: ClientTable>(store: Store, table: T) -> WithTable<T> {
///     Parts::of(store).client_table(table)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct TableClients<T, C> {
    table: T,
    others: C,
}

impl<T: ClientTable, C> TableClients<T, C> {
    pub(super) fn new(table: T, others: C) -> Self {
        Self { table, others }
    }

    async fn find(&self, id: &str) -> Result<Option<Client>, StoreError> {
        // Databases may take `abc` and `ABC ` for equal.
        Ok(self.table.find(id).await?.filter(|client| *client.id == *id))
    }
}

impl<T: ClientTable, C: Part> Part for TableClients<T, C> {
    fn is_cacheable(&self) -> bool {
        self.others.is_cacheable()
    }

    fn heard(&self) -> u64 {
        self.others.heard()
    }

    /// Always a gap: the application changes its table without telling.
    async fn changes(&self, issuer: IssuerId, position: i64) -> Result<Changes, StoreError> {
        let told = self.others.changes(issuer, position).await?;
        Ok(Changes { changes: Vec::new(), gap: true, ..told })
    }

    forward! { others:
        fn newest() -> RowId;
        fn floor() -> RowId;
        fn sweep(now: Timestamp) -> u64;
    }
}

impl<T: ClientTable, C: Clients> Clients for TableClients<T, C> {
    async fn client(&self, issuer: IssuerId, id: &str) -> Result<Option<Arc<Client>>, StoreError> {
        match self.find(id).await? {
            Some(client) => Ok(Some(Arc::new(client))),
            None => self.others.client(issuer, id).await,
        }
    }

    async fn clients(&self, issuer: IssuerId) -> Result<Vec<Arc<Client>>, StoreError> {
        let mut all: Vec<_> = self.table.all().await?.into_iter().map(Arc::new).collect();
        all.extend(self.others.clients(issuer).await?);
        // The sort is stable: of two with one id, that of the table counts.
        all.sort_by(|a, b| a.id.cmp(&b.id));
        all.dedup_by(|second, first| second.id == first.id);
        Ok(all)
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        before: Option<Arc<Client>>,
    ) -> Result<bool, StoreError> {
        match (self.find(&client.id).await?, &before) {
            (Some(_), Some(_)) => Err(StoreError::ManagedByApplication("clients")),
            // The id is taken.
            (Some(_), None) => Ok(false),
            (None, _) => self.others.put_client(issuer, client, before).await,
        }
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Result<Option<Arc<str>>, StoreError> {
        for client in &clients {
            if self.find(&client.id).await?.is_some() {
                return Ok(Some(Arc::clone(&client.id)));
            }
        }
        self.others.add_clients(issuer, clients).await
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Result<bool, StoreError> {
        match self.find(id).await? {
            Some(_) => Err(StoreError::ManagedByApplication("clients")),
            None => self.others.remove_client(issuer, id).await,
        }
    }
}

impl<T: ClientTable, C: Registrations> Registrations for TableClients<T, C> {
    async fn admit(&self, issuer: IssuerId, admission: Admission) -> Result<Admitted, StoreError> {
        match self.find(&admission.client.id).await? {
            Some(_) => Ok(Admitted::IdTaken),
            None => self.others.admit(issuer, admission).await,
        }
    }

    forward! { others:
        fn unused_clients(issuer: IssuerId) -> Vec<UnusedClient>;
        fn put_initial_token(issuer: IssuerId, token: InitialTokenRecord) -> ();
        fn initial_token(issuer: IssuerId; hash: SecretHash) -> Option<InitialTokenRecord>;
        fn initial_tokens(issuer: IssuerId) -> Vec<InitialTokenRecord>;
        fn remove_initial_token(issuer: IssuerId, row: RowId) -> bool;
    }
}
