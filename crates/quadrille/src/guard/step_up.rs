//! A stronger or more recent authentication of the user (RFC 9470).

use std::{sync::Arc, time::Duration};

use crate::{Timestamp, actor::Authentication, oauth2::bearer::Challenge};

/// The authentication of the user that a request needs (RFC 9470): of one of these classes, or not
/// longer ago than this. Pass it to
/// [`Access::require_authentication`](super::Access::require_authentication).
///
/// ```
/// use std::time::Duration;
/// use quadrille::guard::{Access, Refused, StepUp};
///
/// async fn pay(access: Access) -> Result<String, Refused> {
///     let recent = StepUp::new().acr_values(["urn:two-factors"]).max_age(Duration::from_secs(300));
///     access.require_authentication(&recent)?;
///     Ok(format!("{:?} has paid", access.user()))
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StepUp {
    acr_values: Vec<Arc<str>>,
    max_age: Option<Duration>,
}

impl StepUp {
    /// Any authentication of a user.
    pub const fn new() -> Self {
        Self { acr_values: Vec::new(), max_age: None }
    }

    /// Sets the authentication context classes of which one suffices, the best one first
    /// (`acr_values`). Names have no spaces.
    #[must_use]
    pub fn acr_values<V: Into<Arc<str>>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.acr_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the longest time since the authentication, in whole seconds (`max_age`).
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// `true` if an authentication suffices now.
    pub(super) fn is_met(&self, by: Option<&Authentication>, now: Timestamp) -> bool {
        let Some(by) = by else { return false };
        let is_recent = self.max_age.is_none_or(|longest| by.is_at_most(longest, now));
        let is_of_class = self.acr_values.is_empty()
            || by.acr.as_ref().is_some_and(|acr| self.acr_values.contains(acr));
        is_recent && is_of_class
    }

    /// The classes as they are written, with spaces between them.
    pub(super) fn classes(&self) -> String {
        self.acr_values.join(" ")
    }

    /// The parameters of the challenge (section 3).
    pub(super) fn write(&self, mut challenge: Challenge) -> Challenge {
        if !self.acr_values.is_empty() {
            challenge = challenge.extra("acr_values", &self.classes());
        }
        match self.max_age {
            Some(age) => challenge.extra("max_age", &age.as_secs().to_string()),
            None => challenge,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1000);

    #[test]
    fn one_of_the_classes_suffices_if_it_was_reached_recently() {
        let step_up = StepUp::new().acr_values(["b", "a"]).max_age(Duration::from_secs(60));
        let by = |acr: Option<&str>, seconds| {
            let mut by = Authentication::new("ada", Timestamp::from_seconds(seconds));
            by.acr = acr.map(Into::into);
            step_up.is_met(Some(&by), NOW)
        };
        assert!(by(Some("a"), 940) && by(Some("b"), 1000) && by(Some("b"), 1010));
        assert!(!by(Some("a"), 939) && !by(Some("c"), 1000) && !by(None, 1000));
        assert!(!by(Some("a"), 1061), "from before the clock was set back");
        assert!(!step_up.is_met(None, NOW) && !StepUp::new().is_met(None, NOW));
        let old = Authentication::new("ada", Timestamp::from_seconds(0));
        assert!(StepUp::new().is_met(Some(&old), NOW));
    }
}
