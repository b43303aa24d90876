//! The pages for users.

pub(super) mod account;
pub(super) mod applications;
pub(super) mod authorize;
mod brief;
pub(super) mod choice;
mod client_view;
pub(super) mod device;
pub(super) mod end_session;
pub(super) mod export;
pub(super) mod leaving;
mod logo;
pub(super) mod new_token;
pub(super) mod password;
mod pixels;
pub(super) mod problem;
pub(super) mod profile;
mod proof;
mod recent;
mod replaced;
mod scope_line;
pub(super) mod sign_in;
pub(super) mod signed_out;
mod site;
mod templates;
mod user_page;

pub use logo::LogoFault;
pub(super) use logo::Picture;
pub use templates::{BUILT_IN_PAGES, FormsLead, Link, Message, Pages, PagesError};
