//! The reasons why a text cannot be an access token.

/// The reason why a text of the application's own cannot be an access token.
///
/// ```
/// use quadrille::provider::TokenTextError;
///
/// assert_eq!(
///     TokenTextError::Length.to_string(),
///     "the text of an access token has 22 to 4096 characters",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenTextError {
    /// The text is so short that it can be guessed, or longer than a header may be.
    #[error("the text of an access token has 22 to 4096 characters")]
    Length,
    /// The text is no `b64token` (RFC 6750, section 2.1).
    #[error(
        "the text of an access token has letters, digits and `-._~+/` only, with `=` at its end"
    )]
    Characters,
    /// The text has the form of tokens that the server writes itself.
    #[error("the text of an access token has the form of the server's own tokens")]
    OfTheServer,
    /// Another access token has the same text, or had it and has not expired.
    #[error("the text of an access token is that of another one")]
    Repeated,
}
