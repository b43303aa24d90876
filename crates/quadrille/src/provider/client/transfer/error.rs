//! The reasons why lines are not imported.

use crate::{
    json::ObjectError,
    provider::{client::registration::RegistrationError, error::Error, guessing::VerifierError},
};

/// The reason why a line is not imported.
///
/// ```
/// use quadrille::provider::LineError;
///
/// let error = LineError::Missing("client_name");
/// assert_eq!(error.to_string(), "the member client_name is missing");
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line is no JSON object, or a member is repeated.
    #[error(transparent)]
    Json(#[from] ObjectError),
    /// A member is unknown.
    #[error("there is no member {name:?}{}{place}", if place.is_empty() { "" } else { " in " })]
    UnknownMember {
        /// The name as given.
        name: String,
        /// The object that has it, such as `oauth1.keys`; empty for the line.
        place: String,
        /// The members that the object may have, so that a mistyped one can be told from them.
        known: &'static [&'static str],
    },
    /// A list is empty where that would be taken for all.
    #[error("{0} is empty: leave it out if the client is not restricted")]
    Empty(&'static str),
    /// A required member is missing.
    #[error("the member {0} is missing")]
    Missing(&'static str),
    /// A client has neither redirect URIs nor grant types, so no way to get tokens.
    #[error(
        "a client needs redirect_uris, where users return to it with a code, or a grant of its own: \
         \"grant_types\": [\"client_credentials\"] for a program that acts for itself, without users"
    )]
    NoRedirectUri,
    /// A grant type is neither one of this library's nor one that the application offers.
    #[error("there is no grant type {0:?}")]
    UnknownGrantType(String),
    /// A member has another type than it should.
    #[error("a member is malformed: {0}")]
    Malformed(String),
    /// A time, such as `created` or `secrets.expires`, is out of range.
    #[error("{0} is no time in seconds since 1970")]
    Time(String),
    /// A time has so great a number that it must be in milliseconds.
    #[error("{0} is in milliseconds: times are seconds since 1970")]
    Milliseconds(String),
    /// The verifier of a secret is not accepted.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// A secret is sealed under other keys.
    #[error(
        "a secret is sealed under other keys, or for another issuer: export it in plain text there"
    )]
    Sealed,
    /// A confidential client has neither a secret nor another proof of its identity.
    #[error("a confidential client needs a secret: client_secret, or secrets with verifiers")]
    NoSecret,
    /// Another line has this `client_id`.
    #[error("line {0} has this client_id, too")]
    Repeated(usize),
    /// Another client has this `client_id`, and other values of these members.
    #[error(
        "there is another client with this client_id, which differs from the line{}{}",
        if members.is_empty() { "" } else { " in " },
        members.join(", ")
    )]
    Exists {
        /// The members; empty if the client was registered in the meantime.
        members: Vec<String>,
    },
    /// The client breaks a rule of registration.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
}

/// The reason why nothing was imported.
///
/// ```
/// use quadrille::provider::ImportError;
///
/// fn show(error: &ImportError) {
///     if let ImportError::Lines(lines) = error {
///         for (line, reason) in lines {
///             eprintln!("line {line}: {reason}");
///         }
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Lines are wrong, by their numbers from 1.
    #[error("{} lines are wrong", .0.len())]
    Lines(Vec<(usize, LineError)>),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}
