//! The pages for users.

pub(super) mod account;
pub(super) mod authorize;
pub(super) mod choice;
pub(super) mod device;
pub(super) mod end_session;
mod logo;
pub(super) mod new_token;
pub(super) mod problem;
pub(super) mod profile;
mod scope_line;
pub(super) mod sign_in;
pub(super) mod signed_out;
mod templates;

pub use logo::LogoFault;
pub use templates::{BUILT_IN_PAGES, FormsLead, Link, Message, Pages, PagesError};
