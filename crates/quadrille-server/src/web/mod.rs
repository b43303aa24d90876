//! The provider's pages, and the routes to them.

mod account_form;
mod api;
mod app;
mod attempts;
mod audit;
mod claim_lines;
mod claims;
mod client_logos;
mod cookies;
mod devices;
mod ended;
mod forms;
mod grants;
mod health;
mod known_browsers;
mod languages;
mod me;
mod overload;
mod page_form;
mod pages;
mod passwords;
mod phase;
mod private;
mod readiness;
mod refusals;
mod routes;
mod seals;
mod sent;
mod served;
mod shared_counts;
mod visitor;

pub use app::{App, AppError, Parts};
pub use pages::{BUILT_IN_PAGES, FormsLead, Link, LogoFault, Message, Pages, PagesError};
pub use phase::Phase;
pub use private::Private;
pub use visitor::Visitor;
