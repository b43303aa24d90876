//! The users of an application that logs people in with services.
//!
//! [`Users::sign_in`] answers who an account at a service is here: a known user, a new one, or the
//! user signed in, who links a further account. [`UserStorage`] keeps the answers, and
//! `quadrille-sqlx` has one for SQLite, PostgreSQL and MySQL.
//!
//! An account at a service belongs to one user and is never moved to another by a login. A user may
//! have any number of accounts, and does not lose the last one by accident.

mod arrival;
mod decide;
mod erased;
mod error;
mod id;
mod memory;
mod sign_in;
mod storage;

pub use arrival::Arrival;
pub use error::{RefusedError, SignInError, UnlinkError};
pub use id::{EmptyIdError, ExternalId, UserId};
pub use memory::MemoryUsers;
pub use sign_in::{SignedIn, Users};
pub use storage::{Created, LastWay, LinkedTo, Unlinked, UserStorage};
