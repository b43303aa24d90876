//! The page after a user has answered for a device (RFC 8628, section 3.3).

use std::fmt;

use bytes::Bytes;
use http::{Response, StatusCode};

use crate::{
    page::{Language, Page},
    provider::client::record::Client,
};

/// The answer to a consent page for a device: the user goes back to the device. See
/// [`AuthorizationServer::device_answer_page`](crate::provider::AuthorizationServer::device_answer_page).
///
/// ```
/// use quadrille::provider::DeviceAnswerPage;
///
/// fn page(shown: &DeviceAnswerPage<'_>) -> String {
///     match shown.is_allowed {
///         true => format!("{} goes on by itself.", shown.client.name),
///         false => format!("{} gets no access.", shown.client.name),
///     }
/// }
/// ```
#[non_exhaustive]
pub struct DeviceAnswerPage<'a> {
    /// The client on the device.
    pub client: &'a Client,
    /// `true` after an approval, `false` after a denial.
    pub is_allowed: bool,
}

impl DeviceAnswerPage<'_> {
    /// The default page.
    pub fn to_response(&self) -> Response<Bytes> {
        let (title, text) = match self.is_allowed {
            true => ("device-allowed-title", "device-allowed"),
            false => ("not-let-in-title", "not-let-in"),
        };
        let (language, client) = (Language::current(), [("client", &*self.client.name)]);
        let page = Page::new(language.text(title, &client)).text(language.pattern(text));
        page.language(language).to_response(StatusCode::OK)
    }
}

impl fmt::Debug for DeviceAnswerPage<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceAnswerPage")
            .field("client", &self.client.id)
            .field("is_allowed", &self.is_allowed)
            .finish()
    }
}
