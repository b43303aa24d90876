//! The records of a site itself, which its storage keeps beside accounts, for all of its processes.
//!
//! A record is a row like that of an account, of an owner that no user has and at a service whose name
//! no service may have. So every storage has records, sealed, with the guarantees of its verbs. Rows
//! come in the order of their times.

use std::time::Duration;

use crate::{
    Timestamp,
    consumer::{
        account::{Account, Owner, Stored, Token},
        error::Result,
        site::Site,
    },
};

use super::{Context, ErasedStorage};

/// The records that are removed at most when a new one comes.
const SWEPT: usize = 32;
/// The time after which a storage has other rows, such as a file of its own, for new records.
const DAY: i64 = 86_400;

/// The kind of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A session that a provider has ended, by its signature.
    Ended,
    /// A session that a page in a browser says has ended.
    EndedByBrowser,
    /// A token that was used, until it expires.
    Spent,
    /// A request object, until it expires.
    Requests,
    /// The registration of the site at an organization's provider.
    Clients,
}

impl Kind {
    /// The name in the place of a service's, which has no dot.
    const fn name(self) -> &'static str {
        match self {
            Self::Ended => "quadrille.ended",
            Self::EndedByBrowser => "quadrille.ended-by-browser",
            Self::Spent => "quadrille.spent",
            Self::Requests => "quadrille.requests",
            Self::Clients => "quadrille.clients",
        }
    }
}

/// The key of a record: its time, and a short text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) at: Timestamp,
    pub(crate) text: String,
}

impl Key {
    /// The key as a text.
    pub(crate) fn to_text(&self) -> String {
        format!("{:014x}.{}", self.at.millis().max(0), self.text)
    }

    /// Reads the output of [`Key::to_text`].
    pub(crate) fn from_text(text: &str) -> Option<Self> {
        let (millis, text) = text.split_once('.')?;
        let at = Timestamp::from_millis(i64::from_str_radix(millis, 16).ok()?);
        Some(Self { at, text: text.to_owned() })
    }

    fn account(&self, kind: Kind) -> Account {
        let millis = self.at.millis().max(0);
        Account {
            owner: Owner::from_key(&format!("s:{:08x}", millis / 1000 / DAY)),
            service: kind.name().into(),
            subject: self.to_text().into(),
        }
    }
}

/// A reservation of a record.
#[derive(Debug)]
pub(crate) struct Lease(u64);

/// The records of a site, in a storage that its processes share.
pub(crate) struct Records<'a> {
    storage: &'a dyn ErasedStorage,
    cx: Context<'a>,
}

impl<'a> Records<'a> {
    /// The records in this storage; `None` if tokens are stored in the user's browser.
    pub(crate) fn of(storage: &'a dyn ErasedStorage, site: &'a Site) -> Option<Self> {
        let cx = Context { jar: None, site };
        (!storage.is_in_browser()).then_some(Self { storage, cx })
    }

    /// Stores a record.
    pub(crate) async fn put(&self, kind: Kind, key: &Key, content: &str) -> Result<()> {
        let token = Token { obtained: self.cx.env().now(), ..Token::new(content) };
        self.storage.link(&self.cx, &key.account(kind), &token).await
    }

    /// The content of a record.
    pub(crate) async fn get(&self, kind: Kind, key: &Key) -> Result<Option<String>> {
        let Account { owner, service, subject } = key.account(kind);
        let found = self.storage.load(&self.cx, &owner, &service, Some(&subject)).await?;
        Ok(found.map(|found| found.token.access_token.expose().to_owned()))
    }

    /// Reserves a record for a change, for half a minute; `None` while another process has it.
    pub(crate) async fn lease(&self, kind: Kind, key: &Key) -> Result<Option<Lease>> {
        let holder = u64::from_be_bytes(self.cx.env().random());
        let lasts = Duration::from_secs(30);
        let leased = self.storage.lease(&self.cx, &key.account(kind), holder, lasts).await?;
        Ok(leased.then_some(Lease(holder)))
    }

    /// Ends a reservation.
    pub(crate) async fn release(&self, kind: Kind, key: &Key, lease: Lease) -> Result<()> {
        self.storage.release(&self.cx, &key.account(kind), lease.0).await
    }

    /// Removes a record. `false` if there was none.
    pub(crate) async fn remove(&self, kind: Kind, key: &Key) -> Result<bool> {
        self.storage.unlink(&self.cx, &key.account(kind)).await
    }

    /// Removes a record and returns its content, to one caller.
    pub(crate) async fn take(&self, kind: Kind, key: &Key) -> Result<Option<String>> {
        let Account { owner, service, subject } = key.account(kind);
        let found = self.storage.load(&self.cx, &owner, &service, Some(&subject)).await?;
        let Some(Stored { account, token, .. }) = found else { return Ok(None) };
        let is_ours = self.storage.unlink(&self.cx, &account).await?;
        Ok(is_ours.then(|| token.access_token.expose().to_owned()))
    }

    /// The keys of the next records, in the order of their times.
    pub(crate) async fn later(
        &self,
        kind: Kind,
        after: Option<&Key>,
        limit: usize,
    ) -> Result<Vec<Key>> {
        let after = after.map(|key| key.account(kind));
        let rows = self.storage.accounts(&self.cx, kind.name(), after.as_ref(), limit).await?;
        Ok(rows.iter().filter_map(|row| Key::from_text(&row.account.subject)).collect())
    }

    /// Claims a key until its time, once of all processes. `None` if it was claimed before.
    pub(crate) async fn claim(&self, kind: Kind, key: &Key) -> Result<Option<Lease>> {
        let (env, account) = (self.cx.env(), key.account(kind));
        let holder = u64::from_be_bytes(env.random());
        // For processes whose clocks differ.
        let lasts = key.at.since(env.now()) + Duration::from_secs(60);
        if !self.storage.lease(&self.cx, &account, holder, lasts).await? {
            return Ok(None);
        }
        // By its row, the lease is found when it has ended.
        self.put(kind, key, "").await?;
        self.sweep(kind, env.now() - Duration::from_secs(120)).await?;
        Ok(Some(Lease(holder)))
    }

    /// Removes some of the records from before this time.
    pub(crate) async fn sweep(&self, kind: Kind, before: Timestamp) -> Result<()> {
        for key in self.later(kind, None, SWEPT).await? {
            if key.at >= before {
                break;
            }
            self.remove(kind, &key).await?;
        }
        Ok(())
    }
}
