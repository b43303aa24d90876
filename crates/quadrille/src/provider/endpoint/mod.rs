//! The endpoints that clients call, over plain requests and answers.

mod introspect;
mod metadata;
mod revoke;
mod token;
