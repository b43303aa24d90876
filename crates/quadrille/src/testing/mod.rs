//! For tests of code that uses or extends this crate: a clock to move by hand, and what every store
//! must do.

mod clock;
#[cfg(feature = "provider")]
pub mod contract;

pub use clock::ManualClock;

#[cfg(feature = "provider")]
#[doc(inline)]
pub use crate::store_contract;
