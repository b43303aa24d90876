//! Sealing stored secrets again under the newest key of the ring.

use std::{fmt, sync::Arc};

use crate::Timestamp;

use super::{
    client::{
        oauth1::record::Credential,
        record::{Client, SecretVerifier},
        sealed::{Again, SecretUse},
    },
    error::Error,
    server::AuthorizationServer,
    store::{IssuerId, RowId, StoreError, StoredRow, StoredTable, StoredValue, Transfer},
};

/// The number of rows read at once.
const PAGE: u32 = 500;

/// How often a client is tried whose record others change at the same time.
const TRIES: u32 = 100;

const BAD: StoreError = StoreError::Corrupt("the secret of token credentials");

/// The work of sealing all secrets of a store under the newest key of the ring, page by page, so that
/// the older keys can be removed: those of clients (`client_secret_jwt`, OAuth 1.0a), and those of
/// token credentials (RFC 5849, section 2.3) whose identifiers the application made. Other token
/// credentials end with their key, which their identifiers need: they are
/// [counted](ResealProgress::bound). Temporary credentials end after half an hour, and are left out.
///
/// Run it after every process has the ring with the new key in front; requests go on meanwhile. It may
/// be stopped and begun again: secrets that are under the newest key already are only read.
/// [`consumer::Reseal`](crate::consumer::Reseal) does the same for the tokens of a consumer.
///
/// ```
/// use quadrille::provider::{AuthorizationServer, Error, store::Transfer};
///
/// async fn report(server: &AuthorizationServer, store: &impl Transfer) -> Result<(), Error> {
///     let mut reseal = server.reseal(store);
///     while let Some(progress) = reseal.next().await? {
///         println!("{} secrets, {} of them sealed again", progress.seen, progress.older);
///     }
///     Ok(())
/// }
/// ```
pub struct Reseal<'a, S> {
    server: &'a AuthorizationServer,
    store: &'a S,
    writes: bool,
    place: Place,
    progress: ResealProgress,
}

/// How far [`Reseal`] is.
///
/// ```
/// use quadrille::provider::ResealProgress;
///
/// /// Whether no secret needs an older key, after [`Reseal::finish`](quadrille::provider::Reseal::finish).
/// fn is_complete(progress: &ResealProgress) -> bool {
///     progress.bound == 0 && progress.unreadable == 0
/// }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ResealProgress {
    /// The secrets looked at; those that have expired are not.
    pub seen: u64,
    /// The secrets that were under an older key, and are under the newest now, unless they are
    /// [only counted](Reseal::only_count).
    pub older: u64,
    /// The token credentials that were issued under an older key, and end when it is removed: their
    /// users allow the client again.
    pub bound: u64,
    /// The secrets that do not open: their key is not in the ring, or others have changed them. They
    /// stay as they are.
    pub unreadable: u64,
}

/// What is looked at next.
enum Place {
    Clients,
    Credentials(Option<StoredRow>),
    End,
}

impl AuthorizationServer {
    /// Seals the secrets of this server's store again: see [`Reseal`]. The store is given once more,
    /// since a server that is in use knows it as a [`Store`](super::store::Store) only.
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use quadrille::{Env, KeyRing, provider::{AuthorizationServer, store::MemoryStore}};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let store = Arc::new(MemoryStore::new(Env::system()));
    /// let ring = KeyRing::new([&[2; 32], &[1; 32]])?;
    /// let server = AuthorizationServer::new("https://id.example", Arc::clone(&store))?.keys(ring);
    /// let progress = server.reseal(&*store).finish().await?;
    /// assert_eq!(progress.unreadable, 0);
    /// # Ok(())
    /// # }
    /// ```
    pub fn reseal<'a, S: Transfer>(&'a self, store: &'a S) -> Reseal<'a, S> {
        let (place, progress) = (Place::Clients, ResealProgress::default());
        Reseal { server: self, store, writes: true, place, progress }
    }
}

impl<S: Transfer> Reseal<'_, S> {
    /// Changes nothing: [`ResealProgress::older`] counts what would be sealed again.
    #[must_use]
    pub fn only_count(mut self) -> Self {
        self.writes = false;
        self
    }

    /// Looks at all clients, and then at some hundred token credentials at each call; `None` after the
    /// last.
    ///
    /// # Errors
    /// [`Error::Operator`]; the next call tries the same secrets again.
    pub async fn next(&mut self) -> Result<Option<ResealProgress>, Error> {
        let mut progress = self.progress;
        self.place = match &self.place {
            Place::Clients => {
                for client in self.server.clients().await? {
                    self.client(client, &mut progress).await?;
                }
                Place::Credentials(None)
            }
            Place::Credentials(after) => {
                let issuer = self.server.inner().issuer_id().await?;
                let table = StoredTable::TokenCredentials;
                let page = self.store.rows(issuer, table, after.clone(), PAGE).await?;
                for row in &page {
                    self.credential(issuer, row, &mut progress).await?;
                }
                match page.into_iter().next_back() {
                    Some(last) => Place::Credentials(Some(last)),
                    None => Place::End,
                }
            }
            Place::End => Place::End,
        };
        self.progress = progress;
        Ok((!matches!(self.place, Place::End)).then_some(progress))
    }

    /// Looks at all secrets that are left.
    ///
    /// # Errors
    /// [`Error::Operator`].
    pub async fn finish(mut self) -> Result<ResealProgress, Error> {
        while self.next().await?.is_some() {}
        Ok(self.progress)
    }

    async fn client(
        &self,
        mut client: Arc<Client>,
        progress: &mut ResealProgress,
    ) -> Result<(), Error> {
        let inner = self.server.inner();
        for _ in 0..TRIES {
            let mut counts = ResealProgress::default();
            let resealed = self.resealed(&client, &mut counts);
            let is_done = !self.writes || counts.older == 0 || {
                let (issuer, before) = (inner.issuer_id().await?, Some(Arc::clone(&client)));
                inner.store.put_client(issuer, resealed, before).await?
            };
            if is_done {
                if counts.unreadable > 0 {
                    tracing::warn!(client = &*client.id, "a secret of the client cannot be opened");
                }
                progress.seen += counts.seen;
                progress.older += counts.older;
                progress.unreadable += counts.unreadable;
                return Ok(());
            }
            // It was changed in between: this must not undo that change.
            match self.server.client(&client.id).await? {
                Some(now) => client = now,
                None => return Ok(()),
            }
        }
        Err(StoreError::Busy.into())
    }

    /// The client with its secrets under the newest key.
    fn resealed(&self, client: &Client, counts: &mut ResealProgress) -> Client {
        let inner = self.server.inner();
        let (seal, env, now) = (inner.seal_of(&client.id), &inner.env, inner.now());
        let lives = |expires: Option<Timestamp>| expires.is_none_or(|expires| now < expires);
        let mut resealed = client.clone();
        for secret in resealed.secrets.iter_mut().filter(|secret| lives(secret.expires)) {
            if let SecretVerifier::Sealed(text) = &mut secret.verifier
                && let Some(again) =
                    counts.count(seal.again(env, SecretUse::ClientAssertions, text))
            {
                *text = again.into();
            }
        }
        let keys = resealed.oauth1.iter_mut().flat_map(|oauth1| &mut oauth1.keys);
        for key in keys.filter(|key| lives(key.expires)) {
            if let Credential::SharedSecret(text) = &mut key.credential
                && let Some(again) = counts.count(seal.again(env, SecretUse::OAuth1Client, text))
            {
                *text = again.into();
            }
        }
        resealed
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        row: &StoredRow,
        progress: &mut ResealProgress,
    ) -> Result<(), Error> {
        let inner = self.server.inner();
        let value = |column| row.value(StoredTable::TokenCredentials, column);
        let (
            Some(StoredValue::Number(grant)),
            Some(StoredValue::Text(client)),
            Some(StoredValue::Bytes(before)),
            Some(StoredValue::Number(expires)),
            Some(StoredValue::Number(is_foreign)),
        ) = (
            value("grant_id"),
            value("client"),
            value("secret"),
            value("expires"),
            value("is_foreign"),
        )
        else {
            return Err(BAD.into());
        };
        if Timestamp::from_seconds(*expires) <= inner.now() {
            return Ok(());
        }
        let seal = inner.seal_of(client);
        let again = seal.again_bytes(&inner.env, SecretUse::TokenCredentials, before);
        if *is_foreign == 0 && matches!(again, Again::Resealed(_)) {
            // The key of the secret is also that of the identifier, which only the client has.
            progress.seen += 1;
            progress.bound += 1;
            return Ok(());
        }
        if let Some(after) = progress.count(again)
            && self.writes
        {
            // If it is another one by now, somebody else has sealed it again.
            self.store.swap_secret(issuer, RowId(*grant), before.clone(), after).await?;
        }
        Ok(())
    }
}

impl ResealProgress {
    /// Counts a secret. Returns it as it is to be stored, if that is another one.
    fn count<T>(&mut self, again: Again<T>) -> Option<T> {
        self.seen += 1;
        match again {
            Again::IsNewest => None,
            Again::Resealed(sealed) => {
                self.older += 1;
                Some(sealed)
            }
            Again::Unreadable => {
                self.unreadable += 1;
                None
            }
        }
    }
}

impl<S> fmt::Debug for Reseal<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reseal").field("progress", &self.progress).finish_non_exhaustive()
    }
}
