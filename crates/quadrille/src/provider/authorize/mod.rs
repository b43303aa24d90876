//! The authorization endpoint (RFC 6749, section 3.1; RFC 5849, section 2.2): a request, the
//! consent page, and the answer.

pub(super) mod acr;
pub(super) mod authorization;
pub(super) mod back;
mod choice;
pub(super) mod consent;
pub(super) mod consent_page;
pub(super) mod dance;
pub(super) mod device;
pub(super) mod error;
mod form_fields;
pub(super) mod mode;
pub(super) mod next;
pub(super) mod page_hints;
pub(super) mod pages;
mod read;
pub(super) mod request;
mod since;
mod ticket;
mod waiting;
