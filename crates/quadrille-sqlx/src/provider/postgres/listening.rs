//! The connection that hears what other processes announce.

use std::time::Duration;

use quadrille::provider::store::StoreError;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use tokio::time::timeout;

use super::super::{database::Database, news::Announced, store::SqlStore};

/// The time within which an announcement must be heard, or a connection be made.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest time without an announcement before the connection must prove that it hears.
const QUIET: Duration = Duration::from_secs(30);
/// The time until the next attempt to listen, after a connection that heard.
const SOON: Duration = Duration::from_secs(1);
/// The same after one that did not.
const AGAIN: Duration = Duration::from_secs(30);

impl SqlStore<PgPool> {
    /// Listens to other processes, on a connection of its own to the pool's database, until the store is
    /// dropped: their revocations and removals are refused at once, and not only after the half second
    /// after which each cache looks at the changes. Every store announces its own, listening or not.
    ///
    /// While the connection is broken, the half second remains; the log says so. Do not call it where a
    /// PgBouncer in transaction mode stands before the database: announcements would come to whatever
    /// shares its connections, and break off statements. Use [`listen_at`](Self::listen_at) there.
    ///
    /// ```no_run
    /// use quadrille::Env;
    /// use quadrille_sqlx::PgStore;
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::PgPool::connect("postgres://id@db.internal/id").await?;
    /// let store = PgStore::open(pool, Env::system()).await?;
    /// store.listen();
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen(&self) {
        self.listen_at(self.database.pool().connect_options().as_ref().clone());
    }

    /// [`listen`](Self::listen), by a connection to the database itself: its server, role and database
    /// are those of `options`.
    ///
    /// ```no_run
    /// use quadrille::Env;
    /// use quadrille_sqlx::{PgStore, StoreOptions};
    ///
    /// # async fn open() -> Result<(), Box<dyn std::error::Error>> {
    /// let pool = sqlx::PgPool::connect("postgres://id@pgbouncer.internal/id").await?;
    /// let options = StoreOptions::new().without_prepared_statements();
    /// let store = PgStore::open_with(pool, Env::system(), &options).await?;
    /// store.listen_at("postgres://id@db.internal/id".parse()?);
    /// # Ok(())
    /// # }
    /// ```
    pub fn listen_at(&self, options: PgConnectOptions) {
        let pool = PgPoolOptions::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_lazy_with(options);
        let database = self.database.clone();
        self.listening.replace(self.database.beside(async move {
            // For once, not for each attempt.
            let mut is_news = true;
            while !database.is_closed() {
                let Err(reason) = listen(&database, &pool, &mut is_news).await;
                if std::mem::take(&mut is_news) && !database.is_closed() {
                    tracing::info!(%reason, "changes of other processes are seen after half a second");
                }
                let pause = if matches!(reason, Deaf::Lost) { SOON } else { AGAIN };
                tokio::time::sleep(pause).await;
            }
        }));
    }

    /// Waits until the number of [`announce`](SqlStore::announce)d changes that this store heard of is
    /// another one than `seen`, and returns it. Any of them may be missed, so look now and then
    /// nevertheless; without [`listen`](Self::listen) it waits forever.
    ///
    /// ```no_run
    /// use std::time::Duration;
    /// use quadrille_sqlx::PgStore;
    ///
    /// # async fn read_settings() {}
    /// async fn follow_settings(store: &PgStore) {
    ///     let mut heard = 0;
    ///     loop {
    ///         read_settings().await;
    ///         let change = store.announced_after(heard);
    ///         heard = tokio::time::timeout(Duration::from_secs(60), change).await.unwrap_or(heard);
    ///     }
    /// }
    /// ```
    pub async fn announced_after(&self, seen: u64) -> u64 {
        self.database.news().others_after(seen).await
    }
}

/// The reason why nothing is heard.
#[derive(Debug, thiserror::Error)]
enum Deaf {
    #[error(transparent)]
    Connection(#[from] sqlx::Error),
    #[error(transparent)]
    Announcement(#[from] StoreError),
    #[error("an announcement did not arrive, as through a PgBouncer in transaction mode")]
    NothingArrives,
    #[error("the connection was lost")]
    Lost,
}

/// Listens until that fails. `is_news` becomes `true` once the connection hears.
async fn listen(
    database: &Database<PgPool>,
    pool: &PgPool,
    is_news: &mut bool,
) -> Result<std::convert::Infallible, Deaf> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen(&database.news().channel).await?;
    prove(database, &mut listener, PATIENCE).await?;
    *is_news = true;
    // Anything may have changed before.
    for announced in [Announced::Change, Announced::Other] {
        database.news().hear(announced.text());
    }
    loop {
        match timeout(QUIET, listener.try_recv()).await {
            Ok(Ok(Some(told))) => database.news().hear(told.payload()),
            Ok(Ok(None)) => return Err(Deaf::Lost),
            Ok(Err(error)) => return Err(error.into()),
            Err(_) => prove(database, &mut listener, PATIENCE).await?,
        }
    }
}

/// Announces something, and hears it.
async fn prove(
    database: &Database<PgPool>,
    listener: &mut PgListener,
    patience: Duration,
) -> Result<(), Deaf> {
    // A text that tells the others nothing.
    let proof = i64::from_be_bytes(database.env().random()).to_string();
    let hear = async {
        database.tell(&proof).await?;
        loop {
            match listener.try_recv().await? {
                None => return Err(Deaf::Lost),
                Some(told) if told.payload() == proof => return Ok(()),
                Some(told) => database.news().hear(told.payload()),
            }
        }
    };
    timeout(patience, hear).await.unwrap_or(Err(Deaf::NothingArrives))
}
