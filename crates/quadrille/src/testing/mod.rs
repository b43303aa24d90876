//! For tests of code that uses or extends this crate: a clock to move by hand, and what every store
//! must do.

mod clock;
#[cfg(feature = "provider")]
pub mod contract;
#[cfg(feature = "consumer")]
mod service;

pub use clock::ManualClock;
#[cfg(feature = "consumer")]
pub use service::{Asked, FakeService};

#[cfg(feature = "provider")]
#[doc(inline)]
pub use crate::store_contract;
