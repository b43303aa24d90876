//! The contract of caches, tested: each planted fault is noticed, with the rule that it breaks.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    time::Duration,
};

use quadrille::{
    Timestamp,
    provider::store::{
        RowId, StoreError, VolatileCache, VolatileEntry, VolatileFound, VolatileKey, VolatileMemory,
    },
    testing::{ManualClock, volatile},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    AddOverwrites,
    AddSaysYes,
    AddSaysNo,
    AddIsNotAtomic,
    AddIgnoresTheExpiry,
    EndsAtTheSecond,
    LivesForever,
    FindForgetsTheExpiry,
    TrimsValues,
    StopsAtZero,
    BoundsValues,
    FoldsKinds,
    IgnoresIssuers,
    ShortensKeys,
    ReplaceIgnoresTheVersion,
    ReplaceComparesValues,
    ReplaceSaysYes,
    ReplaceWritesNothing,
    ReplaceAdds,
    ReplaceIsNotAtomic,
    ReplacePostpones,
    RemoveDoesNothing,
    RemoveTakesAll,
    NewestIsTheLast,
    NewestIsRounded,
    NewestForgets,
    SinceMoves,
    SinceIsLate,
}

use Fault::*;

struct Faulty {
    inner: VolatileMemory,
    fault: Fault,
    last: Mutex<i64>,
}

impl Faulty {
    fn with(fault: Fault) -> Self {
        Self { inner: VolatileMemory::new(1000), fault, last: Mutex::default() }
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    /// The key that is used instead.
    fn key(&self, key: &VolatileKey) -> VolatileKey {
        let text = key.as_str();
        let (rest, name) = text.rsplit_once('-').unwrap();
        let (kind, issuer) = rest.split_once('-').unwrap();
        let bytes = |text: &str| text.as_bytes().to_vec();
        let first = |text: &str, count| text.chars().take(count).collect::<String>();
        let whole = match self.fault {
            FoldsKinds => bytes(&format!("{}{issuer}{name}", first(kind, 4))),
            IgnoresIssuers => bytes(&format!("{kind}{name}")),
            ShortensKeys => bytes(&format!("{kind}{issuer}{}", first(name, 2))),
            _ => return key.clone(),
        };
        VolatileKey::new("other", 1, &whole)
    }
}

impl VolatileCache for Faulty {
    async fn add(
        &self,
        key: &VolatileKey,
        mut entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = &self.key(key);
        if let Some(row) = entry.row {
            *self.last.lock().unwrap() = row.0;
        }
        match self.fault {
            AddOverwrites => self.inner.remove(key).await?,
            AddSaysNo => {
                self.inner.add(key, entry, now).await?;
                return Ok(false);
            }
            AddIgnoresTheExpiry => {
                let long_ago = Timestamp::default();
                if self.inner.find(key, long_ago).await?.is_some() {
                    return Ok(false);
                }
            }
            AddIsNotAtomic => {
                let is_there = self.inner.find(key, now).await?.is_some();
                tokio::task::yield_now().await;
                std::thread::sleep(Duration::from_millis(2));
                if !is_there {
                    self.inner.remove(key).await?;
                    self.inner.add(key, entry, now).await?;
                }
                return Ok(!is_there);
            }
            TrimsValues => entry.value = entry.value.trim_ascii().to_vec(),
            StopsAtZero => entry.value.retain(|byte| *byte != 0),
            BoundsValues => entry.value.truncate(8192),
            NewestForgets => entry.row = None,
            NewestIsRounded => {
                // As a language does whose numbers are floating.
                let rounded = |row: RowId| RowId((row.0 as f64) as i64 & !1023);
                entry.row = entry.row.map(rounded);
            }
            _ => {}
        }
        Ok(self.inner.add(key, entry, now).await? || self.is(AddSaysYes))
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        let now = match self.fault {
            EndsAtTheSecond => now + Duration::from_secs(1),
            LivesForever => Timestamp::default(),
            _ => now,
        };
        let mut found = self.inner.find(&self.key(key), now).await?;
        if let (Some(found), FindForgetsTheExpiry) = (&mut found, self.fault) {
            found.expires = Timestamp::default();
        }
        Ok(found)
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let key = &self.key(key);
        let held = self.inner.find(key, now).await?;
        match (self.fault, held) {
            (ReplaceIgnoresTheVersion, Some(held)) => {
                self.inner.replace(key, &held, value, now).await
            }
            (ReplaceComparesValues, Some(held)) if held.value == found.value => {
                self.inner.replace(key, &held, value, now).await
            }
            (ReplaceWritesNothing, Some(held)) => Ok(held.version == found.version),
            (ReplaceAdds, None) => {
                self.inner.add(key, VolatileEntry::new(value, found.expires), now).await?;
                Ok(false)
            }
            (ReplaceIsNotAtomic, Some(held)) if held.version == found.version => {
                std::thread::sleep(Duration::from_millis(2));
                let held = self.inner.find(key, now).await?.unwrap();
                self.inner.replace(key, &held, value, now).await?;
                Ok(true)
            }
            (ReplacePostpones, Some(held)) if held.version == found.version => {
                self.inner.remove(key).await?;
                let expires = now + Duration::from_secs(60);
                self.inner.add(key, VolatileEntry::new(value, expires), now).await
            }
            _ => {
                let replaced = self.inner.replace(key, found, value, now).await?;
                Ok(replaced || self.is(ReplaceSaysYes))
            }
        }
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        match self.fault {
            RemoveDoesNothing => Ok(()),
            RemoveTakesAll => {
                for name in 0..10 {
                    self.inner.remove(&VolatileKey::new("test", 1, &[name])).await?;
                }
                Ok(())
            }
            _ => self.inner.remove(&self.key(key)).await,
        }
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        match self.fault {
            NewestIsTheLast => Ok(RowId(*self.last.lock().unwrap())),
            _ => self.inner.newest().await,
        }
    }

    fn keeps_marks(&self) -> bool {
        matches!(self.fault, SinceMoves | SinceIsLate)
    }

    async fn lost_nothing_since(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        Ok(match self.fault {
            SinceMoves => now,
            SinceIsLate => Timestamp::from_seconds(9_000_000_000),
            _ => Timestamp::default(),
        })
    }
}

/// Whether a behaviour fails, and with which text.
fn failure(behaviour: impl Future<Output = ()>) -> Option<String> {
    let failed = catch_unwind(AssertUnwindSafe(|| volatile::run(behaviour))).err()?;
    let text = failed.downcast_ref::<String>().cloned();
    text.or_else(|| failed.downcast_ref::<&str>().map(|text| (*text).to_owned()))
}

/// Plants each fault, and runs the behaviour that must notice it.
macro_rules! caught {
    ($($($fault:ident)|+ => $behaviour:ident, $rule:literal;)*) => {
        $($({
            let (cache, clock) = (Faulty::with($fault), ManualClock::new());
            let said = failure(volatile::$behaviour(&cache, &clock));
            let said = said.unwrap_or_else(|| panic!("{:?} is not noticed", $fault));
            assert!(said.contains($rule), "{:?}: {said}", $fault);
        })+)*
    };
}

#[test]
fn every_planted_fault_of_a_cache_is_caught_by_the_rule_that_it_breaks() {
    caught! {
        AddSaysNo => an_entry_comes_back_as_it_was_added, "says that it added";
        TrimsValues | StopsAtZero | BoundsValues => an_entry_comes_back_as_it_was_added, "gives back the value";
        FindForgetsTheExpiry => an_entry_comes_back_as_it_was_added, "gives back the expiry";
        FoldsKinds | IgnoresIssuers | ShortensKeys => an_entry_comes_back_as_it_was_added, "kind, issuer or name";
        AddOverwrites | AddSaysYes => an_entry_is_added_once, "of a key that is there";
        EndsAtTheSecond => an_entry_is_there_until_it_expires, "in the second in which it expires";
        LivesForever => an_entry_is_there_until_it_expires, "no entry that has expired";
        AddIgnoresTheExpiry => an_entry_is_there_until_it_expires, "where an entry has expired";
        ReplacePostpones => an_entry_is_there_until_it_expires, "does not postpone";
        ReplaceIgnoresTheVersion | ReplaceSaysYes => an_entry_is_replaced_only_as_it_was_found, "changed since it was found";
        ReplaceWritesNothing => an_entry_is_replaced_only_as_it_was_found, "that is as it was found";
        ReplaceComparesValues => an_entry_is_replaced_only_as_it_was_found, "by the same value";
        ReplaceAdds => an_entry_is_replaced_only_as_it_was_found, "nothing that is not there";
        RemoveDoesNothing => an_entry_that_was_removed_is_gone, "no entry that was removed";
        RemoveTakesAll => an_entry_that_was_removed_is_gone, "no other entry";
        ReplaceComparesValues => an_entry_that_was_removed_is_gone, "removed and added again";
        NewestIsTheLast | NewestIsRounded | NewestForgets => the_newest_row_is_the_greatest_that_was_added, "newest";
        AddIsNotAtomic => one_of_many_adds_an_entry, "one adds the entry";
        ReplaceIsNotAtomic => one_of_many_replaces_an_entry, "one replaces the entry";
        SinceMoves => a_cache_that_lost_nothing_says_so, "stays as it is";
        SinceIsLate => a_cache_that_lost_nothing_says_so, "near the time";
    }
}
