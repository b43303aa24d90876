//! The wishes of a client for the pages that the user sees (OpenID Connect Core, section 3.1.2.1).

use std::sync::Arc;

use crate::oauth2::AuthorizationRequest;

/// The wishes of a client for the pages that the user sees (OpenID Connect Core, section 3.1.2.1;
/// Initiating User Registration via OpenID Connect 1.0). An application need not follow them.
///
/// ```
/// use quadrille::provider::PageHints;
///
/// fn title(hints: &PageHints) -> &'static str {
///     if hints.create { "Open an account" } else { "Sign in" }
/// }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PageHints {
    /// `true` if the user is to choose an account (`prompt=select_account`).
    pub select_account: bool,
    /// `true` if the user is to open an account (`prompt=create`), on a server where
    /// [users can](crate::provider::OpenId::users_can_open_accounts).
    pub create: bool,
    /// The name with which the user may want to sign in. The client has written it: it proves
    /// nothing, and belongs into a field, escaped.
    pub login_hint: Option<Arc<str>>,
    /// The languages of the pages, the best one first (BCP 47).
    pub ui_locales: Vec<Arc<str>>,
    /// The kind of display.
    pub display: Option<Display>,
}

/// The kind of display of a page (`display`, OpenID Connect Core, section 3.1.2.1).
///
/// ```
/// use quadrille::provider::Display;
///
/// assert_eq!(Display::Popup.as_str(), "popup");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Display {
    /// A whole page.
    Page,
    /// A small window.
    Popup,
    /// A device that is touched.
    Touch,
    /// A feature phone.
    Wap,
}

impl Display {
    /// All kinds.
    pub(crate) const ALL: [Self; 4] = [Self::Page, Self::Popup, Self::Touch, Self::Wap];

    /// The value in a message.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Popup => "popup",
            Self::Touch => "touch",
            Self::Wap => "wap",
        }
    }
}

/// The page that an application would have to show: see
/// [`needs_page`](crate::provider::Authorization::needs_page).
///
/// ```
/// use quadrille::provider::PageNeeded;
///
/// assert_ne!(PageNeeded::SignIn, PageNeeded::AccountSelection);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PageNeeded {
    /// That for signing in.
    SignIn,
    /// That on which the user chooses an account.
    AccountSelection,
    /// Another one.
    Other,
}

impl PageHints {
    /// The hints of a request, beside those in its `prompt`. Unknown kinds of display are ignored.
    pub(super) fn read(request: &AuthorizationRequest<'_>) -> Self {
        let locales = request.extra("ui_locales").unwrap_or("").split(' ');
        let display = request.extra("display");
        Self {
            login_hint: request.extra("login_hint").map(Into::into),
            ui_locales: locales.filter(|tag| !tag.is_empty()).map(Into::into).collect(),
            display: Display::ALL.into_iter().find(|kind| display == Some(kind.as_str())),
            ..Self::default()
        }
    }
}
