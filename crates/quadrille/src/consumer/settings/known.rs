//! The services that settings may name.

use std::any;

use crate::consumer::{
    error::OperatorError,
    registration::Registration,
    service::{self, Entries, Place, Service},
};

/// A service that settings may name.
#[derive(Clone, Copy)]
pub(crate) struct Known {
    pub(super) name: &'static str,
    type_name: fn() -> &'static str,
    pub(super) read: fn(Entries, &Place, &str) -> Result<Registration, OperatorError>,
    pub(super) from_environment: fn() -> Option<Result<Registration, OperatorError>>,
}

impl Known {
    pub(crate) const fn of<S: Service>() -> Self {
        Self {
            name: S::SPEC.name,
            type_name: any::type_name::<S>,
            read: |entries, place, name| {
                service::read::<S>(entries, place, Some(name)).map(Registration::from)
            },
            from_environment: || {
                let read = || service::from_environment::<S>().map(Registration::from);
                service::is_in_environment::<S>().then(read)
            },
        }
    }

    /// The names by which people may call the service: `azure`, and `microsoft` by its type.
    pub(super) fn names(&self) -> [(String, &'static str); 2] {
        let of_type = (self.type_name)().rsplit("::").next().unwrap_or_default();
        [(self.name.to_owned(), self.name), (of_type.to_ascii_lowercase(), self.name)]
    }
}
