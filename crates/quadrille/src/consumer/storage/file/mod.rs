//! A storage in files.

mod document;
mod folder;

use std::{path::Path, sync::Arc, time::Duration};

use crate::consumer::{
    account::{Account, Owner, Stored, Token},
    error::{Result, StorageError},
};

use super::{
    Change, Context, Replaced, TokenStorage,
    reseal::{Reseal, SealedRow, SealedRows},
};

use document::{Document, Entry, Kept, Lease, Place, prefix};
use folder::{Durability, Fault, Folder};

/// Stores accounts in files of a folder, sealed: for programs and sites without a database. Any
/// number of processes of one machine may share the folder. Cheap to clone.
///
/// A file has the accounts of one owner at one service, so a login or a refresh costs the same
/// however many owners there are. [`TokenStorage::accounts`] reads all files of the service for
/// each page, which suits some thousand owners.
///
/// The folder and its files are accessible to the user of the process alone. A file is replaced at
/// once: after a crash it is the old one or the new one. Writers take turns by a lock of the
/// operating system, which many network file systems do not have.
///
/// ```
/// use quadrille::{GitHub, KeyRing, Login, consumer::FileStorage};
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("tokens");
/// let login = Login::new(KeyRing::new([&[7; 32]])?, "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .storage(FileStorage::open(path)?);
/// login.check()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct FileStorage(Arc<Folder>);

impl FileStorage {
    /// A storage in this folder, which is made if it is not there.
    ///
    /// # Errors
    /// [`StorageError::Unwritable`] if the folder cannot be made, [`StorageError::Newer`] if a
    /// newer version of this library has written to it. The log has the path.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, StorageError> {
        let folder = Folder::open(path.as_ref()).map_err(Fault::logged)?;
        Ok(Self(Arc::new(folder)))
    }

    /// Seals the tokens of all accounts under the newest key of the ring: see [`Reseal`].
    ///
    /// ```
    /// use quadrille::{Login, consumer::FileStorage};
    ///
    /// async fn rotated(login: &Login, storage: &FileStorage) -> quadrille::Result<bool> {
    ///     let cx = login.storage_context()?;
    ///     let progress = storage.reseal(&cx).await?.finish().await?;
    ///     Ok(progress.unreadable == 0)
    /// }
    /// ```
    ///
    /// # Errors
    /// [`StorageError`].
    pub async fn reseal<'a>(
        &'a self,
        cx: &'a Context<'a>,
    ) -> Result<Reseal<'a, impl SealedRows + 'a>, StorageError> {
        Reseal::new(Rows(self), cx).await
    }

    /// Reads the entries of a place.
    async fn entries<T: Entry>(&self, place: Place) -> Result<Vec<T>, StorageError> {
        self.blocking(move |folder| Ok(read::<T>(folder, &place)?.entries)).await
    }

    /// Changes the entries of a place, for all processes at once. The change is completed even if
    /// the caller is dropped.
    async fn change<T: Entry, R: Send + 'static>(
        &self,
        place: Place,
        change: impl FnOnce(&mut Vec<T>) -> R + Send + 'static,
    ) -> Result<R, StorageError> {
        let turn = self.0.turn(place.shard).await;
        self.blocking(move |folder| {
            let _turn = turn;
            let _lock = folder.lock(place.shard)?;
            let mut document = read::<T>(folder, &place)?;
            let before = document.entries.clone();
            let result = change(&mut document.entries);
            let name = place.file::<T>();
            if document.entries.is_empty() && !before.is_empty() {
                folder.remove(&name, T::DURABILITY)?;
            } else if document.entries != before {
                let content = document.write().map_err(|reason| folder.fault(&name, reason))?;
                folder.write(&name, &content, T::DURABILITY)?;
            }
            Ok(result)
        })
        .await
    }

    /// The next rows of one service or of all, in the order of their accounts.
    async fn page(
        &self,
        service: Option<&str>,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<(Account, Kept)>, StorageError> {
        let (prefix, after) = (service.map_or_else(String::new, prefix), after.cloned());
        self.blocking(move |folder| {
            let mut page = Vec::new();
            for name in folder.names()? {
                if !name.starts_with(&prefix) || !name.ends_with(Kept::SUFFIX) {
                    continue;
                }
                // It may be gone by now.
                let Some(content) = folder.read(&name)? else { continue };
                let document = parse::<Kept>(folder, &name, &content)?;
                let Document { owner, service, entries, .. } = document;
                page.extend(entries.into_iter().map(|kept| {
                    let subject = Arc::clone(&kept.subject);
                    let (owner, service) = (owner.clone(), Arc::clone(&service));
                    (Account { owner, service, subject }, kept)
                }));
            }
            page.retain(|(account, _)| after.as_ref().is_none_or(|after| account > after));
            page.sort_by(|(one, _), (other, _)| one.cmp(other));
            page.truncate(limit);
            Ok(page)
        })
        .await
    }

    async fn blocking<R: Send + 'static>(
        &self,
        work: impl FnOnce(&Folder) -> Result<R, Fault> + Send + 'static,
    ) -> Result<R, StorageError> {
        let folder = Arc::clone(&self.0);
        match tokio::task::spawn_blocking(move || work(&folder)).await {
            Ok(done) => done.map_err(Fault::logged),
            // The runtime is about to end.
            Err(_) => Err(StorageError::Unavailable),
        }
    }
}

fn read<T: Entry>(folder: &Folder, place: &Place) -> Result<Document<T>, Fault> {
    let name = place.file::<T>();
    let Some(content) = folder.read(&name)? else { return Ok(Document::new(place)) };
    let document = match parse::<T>(folder, &name, &content) {
        // A loss of power may have taken it, and the token's version decides without it.
        Err(fault)
            if fault.reason == StorageError::Unreadable
                && T::DURABILITY == Durability::MayBeLost =>
        {
            Document::new(place)
        }
        document => document?,
    };
    if place.has(&document) {
        Ok(document)
    } else {
        Err(folder.fault(&name, StorageError::Unreadable))
    }
}

fn parse<T: Entry>(folder: &Folder, name: &str, content: &[u8]) -> Result<Document<T>, Fault> {
    Document::read(content).map_err(|reason| folder.fault(name, reason))
}

impl TokenStorage for FileStorage {
    fn is_durable(&self) -> bool {
        true
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        let token = cx.seal_token(account, token);
        let (version, subject) = (draw_version(cx), Arc::clone(&account.subject));
        let linked = move |entries: &mut Vec<Kept>| {
            let linked = entries.iter().map(|kept| kept.linked).max();
            let linked = linked.unwrap_or(0).saturating_add(1);
            entries.retain(|kept| kept.subject != subject);
            entries.push(Kept { subject, linked, version, needs_linking_again: false, token });
        };
        Ok(self.change(Place::of(account), linked).await?)
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        let entries = self.entries::<Kept>(Place::new(owner, service)).await?.into_iter();
        let found = match subject {
            None => entries.max_by_key(|kept| kept.linked),
            Some(subject) => entries.into_iter().find(|kept| *kept.subject == *subject),
        };
        found.map(|kept| open(cx, owner, service, &kept)).transpose()
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let changed = change.applied_to(seen, draw_version(cx));
        let Stored { account, token, version, needs_linking_again } = &changed;
        let (before, version, needs_linking_again) = (seen.version, *version, *needs_linking_again);
        let (sealed, subject) = (cx.seal_token(account, token), Arc::clone(&account.subject));
        let swap = move |entries: &mut Vec<Kept>| match entries
            .iter_mut()
            .find(|kept| kept.subject == subject)
        {
            Some(kept) if kept.version == before => {
                *kept = Kept { version, needs_linking_again, token: sealed, ..kept.clone() };
                Ok(())
            }
            now => Err(now.cloned()),
        };
        match self.change(Place::of(account), swap).await? {
            Ok(()) => Ok(Replaced::Done(changed)),
            Err(now) => {
                let Account { owner, service, .. } = account;
                let now = now.map(|kept| open(cx, owner, service, &kept)).transpose()?;
                Ok(Replaced::Changed(now))
            }
        }
    }

    async fn unlink(&self, cx: &Context<'_>, account: &Account) -> Result<bool> {
        let (now, subject) = (cx.env().now().millis(), Arc::clone(&account.subject));
        // A process that died left its lease behind; who holds one now releases it.
        let ended = move |leases: &mut Vec<Lease>| {
            leases.retain(|lease| lease.subject != subject || lease.ends > now);
        };
        self.change(Place::of(account), ended).await?;
        let subject = Arc::clone(&account.subject);
        let removed = move |entries: &mut Vec<Kept>| {
            let before = entries.len();
            entries.retain(|kept| kept.subject != subject);
            entries.len() < before
        };
        Ok(self.change(Place::of(account), removed).await?)
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let page = self.page(Some(service), after, limit).await?;
        page.iter().map(|(account, kept)| open(cx, &account.owner, service, kept)).collect()
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        let (now, subject) = (cx.env().now(), Arc::clone(&account.subject));
        let acquired = move |leases: &mut Vec<Lease>| {
            let is_held = |lease: &Lease| lease.ends > now.millis() && lease.holder != holder;
            if leases.iter().any(|lease| lease.subject == subject && is_held(lease)) {
                return false;
            }
            leases.retain(|lease| lease.subject != subject);
            leases.push(Lease { subject, holder, ends: (now + lease).millis() });
            true
        };
        Ok(self.change(Place::of(account), acquired).await?)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let subject = Arc::clone(&account.subject);
        let released = move |leases: &mut Vec<Lease>| {
            leases.retain(|lease| lease.subject != subject || lease.holder != holder);
        };
        Ok(self.change(Place::of(account), released).await?)
    }
}

struct Rows<'a>(&'a FileStorage);

impl SealedRows for Rows<'_> {
    async fn total(&self) -> Result<u64, StorageError> {
        Ok(self.0.page(None, None, usize::MAX).await?.len() as u64)
    }

    async fn page(
        &self,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<SealedRow>, StorageError> {
        let page = self.0.page(None, after, limit).await?;
        Ok(page.into_iter().map(|(account, kept)| row(account, kept)).collect())
    }

    async fn find(&self, account: &Account) -> Result<Option<SealedRow>, StorageError> {
        let entries = self.0.entries::<Kept>(Place::of(account)).await?;
        let found = entries.into_iter().find(|kept| kept.subject == account.subject);
        Ok(found.map(|kept| row(account.clone(), kept)))
    }

    async fn swap(&self, seen: &SealedRow, sealed: &[u8]) -> Result<bool, StorageError> {
        let (account, version, sealed) = (&seen.account, seen.version, sealed.to_vec());
        let subject = Arc::clone(&account.subject);
        let swap = move |entries: &mut Vec<Kept>| {
            let is_seen = |kept: &&mut Kept| kept.subject == subject && kept.version == version;
            let found = entries.iter_mut().find(is_seen);
            found.map(|kept| kept.token = sealed).is_some()
        };
        self.0.change(Place::of(account), swap).await
    }
}

fn row(account: Account, kept: Kept) -> SealedRow {
    SealedRow { account, version: kept.version, sealed: kept.token }
}

/// Random, so that no version comes twice, and no file counts them for all processes.
fn draw_version(cx: &Context<'_>) -> u64 {
    u64::from_be_bytes(cx.env().random())
}

fn open(cx: &Context<'_>, owner: &Owner, service: &str, kept: &Kept) -> Result<Stored> {
    let Kept { subject, version, needs_linking_again, token, .. } = kept;
    let account = cx.account(owner, service, subject);
    let token = cx.open_token(&account, token)?;
    let (version, needs_linking_again) = (*version, *needs_linking_again);
    Ok(Stored { account, token, version, needs_linking_again })
}
