//! Transactions of an application's own.

use quadrille::{
    Timestamp,
    provider::store::{Store, StoreError},
};
use quadrille_sqlx::{MySqlStore, PgStore, TransactionError};

use super::world::ISSUER;

/// What an application does in a transaction of its own, with its table `people`.
pub(super) trait Application: Store {
    async fn make_people(&self, people: &[&'static str]);
    async fn people(&self) -> usize;
    /// Deletes a user with all grants.
    async fn delete(&self, subject: &'static str, ends: Ends) -> Result<bool, StoreError>;
    /// Removes a client with all grants.
    async fn remove(&self, client: &'static str, ends: Ends) -> Result<bool, StoreError>;
    async fn end_unfinished(&self, now: Timestamp);
    async fn end_all_tokens(&self, now: Timestamp);
}

/// The end of a transaction.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    Commits,
    ChangesItsMind,
}

impl Ends {
    fn with(self, was_known: bool) -> Result<bool, TransactionError> {
        match self {
            Self::Commits => Ok(was_known),
            Self::ChangesItsMind => {
                Err(StoreError::failed("the application changed its mind").into())
            }
        }
    }
}

macro_rules! application {
    ($($store:ty: $insert:literal $delete:literal;)+) => {$(
        impl Application for $store {
            async fn make_people(&self, people: &[&'static str]) {
                let create = "CREATE TABLE people (id VARCHAR(20) PRIMARY KEY)";
                self.execute(sqlx::query(create)).await.unwrap();
                for &id in people {
                    assert_eq!(self.execute(sqlx::query($insert).bind(id)).await.unwrap(), 1);
                }
            }

            async fn people(&self) -> usize {
                self.fetch(sqlx::query("SELECT id FROM people")).await.unwrap().len()
            }

            async fn delete(&self, subject: &'static str, ends: Ends) -> Result<bool, StoreError> {
                let work = self.transaction(move |transaction| {
                    Box::pin(async move {
                        let find = sqlx::query("SELECT id FROM people FOR UPDATE");
                        let before = transaction.fetch(find).await?.len();
                        let delete = sqlx::query($delete).bind(subject);
                        let deleted = transaction.execute(delete).await?;
                        assert!(deleted == 1 && before > 0);
                        ends.with(transaction.forget_subject(ISSUER, subject).await?)
                    })
                });
                work.await
            }

            async fn remove(&self, client: &'static str, ends: Ends) -> Result<bool, StoreError> {
                let work = self.transaction(move |transaction| {
                    Box::pin(async move {
                        ends.with(transaction.forget_client(ISSUER, client).await?)
                    })
                });
                work.await
            }

            async fn end_unfinished(&self, now: Timestamp) {
                let work = self.transaction(move |transaction| {
                    Box::pin(async move { Ok(transaction.end_unfinished(now).await?) })
                });
                work.await.unwrap();
            }

            async fn end_all_tokens(&self, now: Timestamp) {
                let work = self.transaction(move |transaction| {
                    Box::pin(async move { Ok(transaction.end_all_tokens(now).await?) })
                });
                work.await.unwrap();
            }
        }
    )+};
}

application! {
    PgStore: "INSERT INTO people VALUES ($1)" "DELETE FROM people WHERE id = $1";
    MySqlStore: "INSERT INTO people VALUES (?)" "DELETE FROM people WHERE id = ?";
}
