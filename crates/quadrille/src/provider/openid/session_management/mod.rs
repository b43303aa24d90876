//! Session management (OpenID Connect Session Management 1.0): pages of clients notice when the user of
//! the browser signs in or out here, by a frame of the provider.

pub(in crate::provider) mod browser_state;
pub(in crate::provider) mod iframe;
