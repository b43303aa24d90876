//! A store: a type that implements all parts.

use super::{Grants, Issuers, OnceKeys, Registrations};

/// The storage of a provider: all parts of it, which every type that implements them is. See the
/// [module](super).
///
/// [`store_contract!`](crate::store_contract) (feature `testing`) tests all of them together.
///
/// ```
/// use quadrille::{Env, provider::store::{MemoryStore, Store, StoreError}};
///
/// async fn names(store: &impl Store, issuer: &str) -> Result<Vec<String>, StoreError> {
///     let issuer = store.issuer(issuer).await?;
///     Ok(store.clients(issuer).await?.iter().map(|client| client.name.to_string()).collect())
/// }
///
/// # tokio::runtime::Runtime::new()?.block_on(async {
/// let store = MemoryStore::new(Env::system());
/// assert!(names(&store, "https://id.example").await?.is_empty());
/// # Ok::<(), StoreError>(()) })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Store: Issuers + Registrations + Grants + OnceKeys {}

impl<S: Issuers + Registrations + Grants + OnceKeys> Store for S {}
