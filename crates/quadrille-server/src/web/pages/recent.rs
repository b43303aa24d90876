//! Sign-ins that are recent enough for what a borrowed browser should not get.

use std::time::Duration;

use quadrille::Timestamp;

use super::super::{app::App, visitor::Visitor};

/// The longest time since the sign-in.
const RECENT: Duration = Duration::from_secs(15 * 60);

impl App {
    /// Whether a user has signed in recently: to make an access token, or to get a file of all that is
    /// known.
    pub(super) fn is_recent(&self, visitor: &Visitor) -> bool {
        is_recent(visitor.session.signed_in, self.env.now())
    }
}

/// Whether a sign-in at `then` is recent. One ahead of the clock, which was set back since, is not.
fn is_recent(then: Timestamp, now: Timestamp) -> bool {
    now.since(then) <= RECENT && then.since(now) <= Duration::from_secs(60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_in_is_recent_for_a_quarter_of_an_hour() {
        let at = Timestamp::from_seconds;
        for (then, recent) in [(0, true), (-900, true), (-901, false), (60, true), (61, false)] {
            assert_eq!(is_recent(at(1_800_000_000 + then), at(1_800_000_000)), recent, "{then}");
        }
    }
}
