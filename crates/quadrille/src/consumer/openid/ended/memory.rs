//! The ended sessions that one process remembers, and the sessions that it has seen.

use std::time::Duration;

use crate::{
    Timestamp,
    consumer::{
        openid::marks::{Mark, Marks},
        storage::records::Kind,
    },
};

/// The time after which a session that is in use is noted again.
const SEEN_AGAIN: Duration = Duration::from_secs(3600);
/// The changes of rows that wait at most.
const MOST_UNWRITTEN: usize = 4096;

/// The source of an ended session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Told {
    /// A logout token, or a page in a browser about a session that this site has seen.
    Proven,
    /// A page in a browser, which proves nothing.
    ByBrowser,
}

impl Told {
    pub(super) const ALL: [Self; 2] = [Self::Proven, Self::ByBrowser];

    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Proven => Kind::Ended,
            Self::ByBrowser => Kind::EndedByBrowser,
        }
    }
}

/// The limits of a memory.
#[derive(Clone, Copy, Debug)]
pub(super) struct Most {
    /// The ended sessions that are proven.
    pub(super) proven: usize,
    /// The ended sessions that only a browser says.
    pub(super) by_browsers: usize,
    /// The sessions that are seen.
    pub(super) seen: usize,
}

/// A change of the records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RowChange {
    Put(Told, Mark, Timestamp),
    Remove(Told, Mark, Timestamp),
}

/// Where an ended session was noted.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Noted {
    pub(super) told: Told,
    /// The mark that gave way there.
    pub(super) gone: Option<(Mark, Timestamp)>,
}

/// The ended sessions of a process.
///
/// Anybody can send a request which says that some session has ended. Such logouts of sessions that
/// nobody has here are kept apart, so that they push out nothing else: a sealed cookie or an account of
/// the storage shows that a session is one of this site.
#[derive(Debug)]
pub(super) struct Memory {
    proven: Marks,
    by_browsers: Marks,
    /// The sessions of this site, with the time at which each was seen last.
    seen: Marks,
    /// The changes that the records still need.
    unwritten: Vec<RowChange>,
}

impl Memory {
    pub(super) const fn at_most(most: Most) -> Self {
        Self {
            proven: Marks::at_most(most.proven),
            by_browsers: Marks::at_most(most.by_browsers),
            seen: Marks::at_most(most.seen),
            unwritten: Vec::new(),
        }
    }

    /// Notes an ended session.
    pub(super) fn note(&mut self, mark: Mark, at: Timestamp, told: Told) -> Noted {
        let told = if self.seen.get(mark).is_some() { Told::Proven } else { told };
        let gone = match told {
            Told::Proven => self.proven.put(mark, at),
            Told::ByBrowser => self.by_browsers.put(mark, at),
        };
        Noted { told, gone }
    }

    /// Sees a session of this site: its logout by a browser moves to the proven ones.
    pub(super) fn see(&mut self, mark: Mark, now: Timestamp) {
        if self.seen.get(mark).is_none_or(|seen| seen + SEEN_AGAIN <= now) {
            self.seen.put(mark, now);
        }
        let Some(at) = self.by_browsers.remove(mark) else { return };
        let gone = self.proven.put(mark, at);
        self.change_row(RowChange::Put(Told::Proven, mark, at));
        self.change_row(RowChange::Remove(Told::ByBrowser, mark, at));
        if let Some((gone, at)) = gone {
            self.change_row(RowChange::Remove(Told::Proven, gone, at));
        }
    }

    /// The time at which a session has ended, if it has.
    pub(super) fn ended(&self, mark: Mark) -> Option<Timestamp> {
        self.proven.get(mark).max(self.by_browsers.get(mark))
    }

    /// The changes that the records need.
    pub(super) fn take_unwritten(&mut self) -> Vec<RowChange> {
        std::mem::take(&mut self.unwritten)
    }

    /// A site without records never takes the changes.
    fn change_row(&mut self, change: RowChange) {
        if self.unwritten.len() < MOST_UNWRITTEN {
            self.unwritten.push(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);
    const MOST: Most = Most { proven: 4, by_browsers: 2, seen: 4 };

    fn after(seconds: u64) -> Timestamp {
        NOW + Duration::from_secs(seconds)
    }

    #[test]
    fn what_browsers_say_of_sessions_that_nobody_has_pushes_out_nothing_else() {
        let mut memory = Memory::at_most(MOST);
        let [ada, grace, proven] = ["ada", "grace", "proven"].map(Mark::of);
        memory.see(ada, NOW);
        let noted = memory.note(ada, NOW, Told::ByBrowser);
        assert_eq!(noted, Noted { told: Told::Proven, gone: None });
        memory.note(proven, NOW, Told::Proven);
        memory.note(grace, NOW, Told::ByBrowser);
        for number in 1..100 {
            let nobody = Mark::of(&number.to_string());
            assert_eq!(memory.note(nobody, after(number), Told::ByBrowser).told, Told::ByBrowser);
        }
        assert_eq!((memory.ended(ada), memory.ended(proven)), (Some(NOW), Some(NOW)));
        assert_eq!(memory.ended(grace), None, "this process never saw the session");
        assert_eq!(memory.ended(Mark::of("99")), Some(after(99)));
    }

    #[test]
    fn a_session_that_comes_after_its_end_was_told_keeps_it() {
        let mut memory = Memory::at_most(MOST);
        let ada = Mark::of("ada");
        memory.note(ada, NOW, Told::ByBrowser);
        memory.see(ada, after(1));
        let changes = memory.take_unwritten();
        let (put, remove) =
            (RowChange::Put(Told::Proven, ada, NOW), RowChange::Remove(Told::ByBrowser, ada, NOW));
        assert_eq!(changes, [put, remove], "the records follow");
        for number in 1..100 {
            memory.note(Mark::of(&number.to_string()), after(number), Told::ByBrowser);
        }
        assert_eq!(memory.ended(ada), Some(NOW));
        memory.see(ada, after(2));
        assert_eq!(memory.take_unwritten(), [], "it moves once");
    }

    #[test]
    fn of_many_sessions_those_in_use_are_known() {
        let mut memory = Memory::at_most(MOST);
        let [first, idle] = ["first", "idle"].map(Mark::of);
        memory.see(idle, NOW);
        memory.see(first, NOW);
        for number in 1..=3 {
            memory.see(first, after(number * 3600));
            memory.see(Mark::of(&number.to_string()), after(number * 3600));
        }
        assert_eq!(memory.note(first, after(9), Told::ByBrowser).told, Told::Proven);
        assert_eq!(memory.note(idle, after(9), Told::ByBrowser).told, Told::ByBrowser);
    }
}
