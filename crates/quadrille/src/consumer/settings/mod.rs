//! The settings of a whole login, and the services that they may name.

mod known;
mod login;

pub(crate) use known::Known;
pub use login::LoginSettings;
