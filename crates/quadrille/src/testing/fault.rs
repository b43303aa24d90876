//! The faults of a fake service, by name.

/// The issuer in the responses of a service with [`Fault::WrongIssuer`].
pub(super) const OTHER_ISSUER: &str = "https://another-issuer.example";

/// A fault of a service, which a test turns on
/// ([`FakeService::suffers`](super::FakeService::suffers), and
/// [`TestProvider::suffers`](super::TestProvider::suffers) for a whole provider).
///
/// ```
/// use quadrille::{GitHub, Linked, Result, testing::{FakeService, Fault}};
///
/// async fn home(github: Linked<GitHub>) -> Result<String> {
///     let me: serde_json::Value = github.get("user").await?;
///     Ok(format!("You are {}", me["login"]))
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let service = FakeService::of::<GitHub>("our-id", "our-secret");
/// let github = service.linked(7).await;
/// service.suffers(Fault::ServerError);
/// assert_eq!(home(github).await.unwrap_err().code(), "api_error");
/// service.recovers();
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// Each authorization request is denied, as by a user who refuses.
    Denied,
    /// No request is answered, so that the client's time-out ends it.
    Slow,
    /// Each request is answered with status 500 and a page of HTML.
    ServerError,
    /// All codes, tokens and refresh tokens that were issued so far are invalid.
    EverythingExpired,
    /// No scope is granted. OAuth 1 has none to drop.
    ScopesDropped,
    /// Each refresh token is invalid. OAuth 1 has none.
    RefreshRefused,
    /// Each refresh changes the refresh token, which is valid once. OAuth 1 has none.
    RefreshRotated,
    /// Each response says that it is HTML.
    WrongContentType,
    /// Errors of the token endpoint come with status 200. OAuth 1 has no such errors.
    ErrorsUnder200,
    /// No callback (redirect URI) is registered: OAuth 2 shows a page at the authorization endpoint,
    /// OAuth 1 refuses the temporary credentials.
    CallbackUnregistered,
    /// Authorization responses are of another issuer (`iss`, RFC 9207), as in a mix-up attack. OAuth 1
    /// has none.
    WrongIssuer,
    /// ID tokens are signed by a new key from now on, and the old one is no longer published. OAuth 1,
    /// and services without OpenID Connect, have none.
    KeysRotated,
}

impl Fault {
    /// All faults, for a test that walks them.
    pub const ALL: [Self; 12] = [
        Self::Denied,
        Self::Slow,
        Self::ServerError,
        Self::EverythingExpired,
        Self::ScopesDropped,
        Self::RefreshRefused,
        Self::RefreshRotated,
        Self::WrongContentType,
        Self::ErrorsUnder200,
        Self::CallbackUnregistered,
        Self::WrongIssuer,
        Self::KeysRotated,
    ];

    /// The name of the fault, for programs: `everything_expired` and so on.
    ///
    /// ```
    /// use quadrille::testing::Fault;
    ///
    /// assert_eq!(Fault::ErrorsUnder200.name(), "errors_under_200");
    /// ```
    pub const fn name(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::Slow => "slow",
            Self::ServerError => "server_error",
            Self::EverythingExpired => "everything_expired",
            Self::ScopesDropped => "scopes_dropped",
            Self::RefreshRefused => "refresh_refused",
            Self::RefreshRotated => "refresh_rotated",
            Self::WrongContentType => "wrong_content_type",
            Self::ErrorsUnder200 => "errors_under_200",
            Self::CallbackUnregistered => "callback_unregistered",
            Self::WrongIssuer => "wrong_issuer",
            Self::KeysRotated => "keys_rotated",
        }
    }
}
