//! The content of a consent page, and its headers.

use std::{
    fmt,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

#[cfg(feature = "axum")]
use http::Response;
use http::{HeaderMap, HeaderValue, header};
use serde_json::{Map, Value};

use crate::{
    Scopes, Timestamp,
    oauth2::Resources,
    page,
    provider::{client::record::Client, scopes::ScopeInfo},
};

use super::{back::Back, consent::TICKET};

/// The content of a consent page and of its form.
///
/// The form is sent by POST to [`action`](Self::action), with the hidden
/// [`form_fields`](Self::form_fields) and any fields of the page's own. The server's layer sets the
/// [`headers`](Self::headers) that the page needs; without it, set them yourself.
///
/// ```
/// use quadrille::provider::ConsentPage;
///
/// fn form(page: &ConsentPage) -> String {
///     let hidden = page.form_fields().into_iter();
///     let hidden = hidden.map(|(name, value)| {
///         format!("<input type=hidden name={name} value={value}>")
///     });
///     format!("<form method=post action={}>{}", page.action, hidden.collect::<String>())
/// }
/// ```
#[derive(Clone)]
#[non_exhaustive]
pub struct ConsentPage {
    /// The client.
    pub client: Arc<Client>,
    /// The host of a client that describes itself
    /// ([`ClientMetadataDocuments`](crate::provider::ClientMetadataDocuments)). Show it: nothing
    /// else vouches for the client's name.
    pub client_host: Option<String>,
    /// `true` if the client registered itself
    /// ([`DynamicRegistration`](crate::provider::DynamicRegistration)). Say so, and show the
    /// [`destination`](Self::destination): nobody vouches for the client's name.
    pub registered_itself: bool,
    /// The requested scopes.
    pub scopes: Vec<ScopeInfo>,
    /// The requested APIs (RFC 8707); empty for the server's own.
    pub resources: Resources,
    /// The user's subject.
    pub subject: Arc<str>,
    /// The `action` of the form.
    pub action: Arc<str>,
    /// The origin or private-use scheme of the redirect URI. `None` if there is no redirect,
    /// because the user types a code in at the application (RFC 5849, section 2.1: `oob`), or
    /// because a [device](Self::device) waits.
    pub destination: Option<String>,
    /// The device that is to be let in; `None` for other requests. Show it, so that the user can
    /// compare it with the device at hand: an attacker may have sent the code.
    pub device: Option<DeviceInfo>,
    /// The address to return to after signing in as another user: this request again.
    pub back: Back,
    /// Those of the requested scopes that the user has granted this client before: a page that asks
    /// for more shows them as granted, and asks about the others alone. An answer names both.
    pub granted: Scopes,
    /// `true` if the user has consented to something of this client before: of the scopes that are
    /// not [granted](Self::granted), the user may have refused some, so a page ticks none of them.
    pub has_consented: bool,
    /// The time of the user's last consent to this client, if there is one.
    pub last_consent: Option<Timestamp>,
    /// The longest time for which the client has access after this consent, if it refreshes its tokens.
    /// `None` for OAuth 1.0a, whose tokens are valid until they are revoked.
    pub longest_access: Option<Duration>,
    /// The claims that the client requests by name, and that no requested scope covers (OpenID
    /// Connect Core, section 5.5). Show them, and pass those that the user agrees to on to
    /// [`By::claims`]: without that call none of them is given.
    ///
    /// [`By::claims`]: crate::provider::By::claims
    pub claims: Vec<Arc<str>>,
    /// The application's own data of the user's last consent to this client ([`By::data`]): to
    /// preselect what the user chose then.
    ///
    /// [`By::data`]: crate::provider::By::data
    pub data: Map<String, Value>,
    pub(super) ticket: String,
    pub(super) cookies: Vec<HeaderValue>,
}

/// The device that waits for an answer (RFC 8628, sections 3.3.1 and 5.4), for the consent page.
///
/// ```
/// use quadrille::provider::DeviceInfo;
///
/// fn warning(device: &DeviceInfo) -> String {
///     let from = device.address.map_or("an unknown address".into(), |it| it.to_string());
///     format!("Deny unless your own device shows {} and is at {from}.", device.user_code)
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct DeviceInfo {
    /// The user code, as the device shows it.
    pub user_code: String,
    /// The address from which the device requested the code
    /// ([`RemoteAddress`](crate::RemoteAddress)); `None` if it is unknown.
    pub address: Option<IpAddr>,
    /// The time of that request.
    pub requested: Timestamp,
}

impl ConsentPage {
    /// The names and values of the hidden fields.
    pub fn form_fields(&self) -> Vec<(&'static str, &str)> {
        vec![(TICKET, &self.ticket)]
    }

    /// A strict policy for the page: styles and images from this site, nothing else.
    ///
    /// It has no `form-action`. Browsers apply that to every redirect after a form, also to those
    /// of the application, to another origin or into an app, none of which are known here: the code
    /// would be used up, and the user stranded. Leave it out of a policy of your own, on this page
    /// and on a sign-in page that leads to it.
    pub const CONTENT_SECURITY_POLICY: &'static str = "default-src 'none'; style-src 'self'; \
         img-src 'self' data:; base-uri 'none'; frame-ancestors 'none'";

    /// The cookie that binds the form to this browser, the policy above, and the other security
    /// headers.
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        page::protect(&mut headers);
        let policy = HeaderValue::from_static(Self::CONTENT_SECURITY_POLICY);
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
        for cookie in &self.cookies {
            headers.append(header::SET_COOKIE, cookie.clone());
        }
        headers
    }
}

impl fmt::Debug for ConsentPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConsentPage")
            .field("client", &self.client.id)
            .field("scopes", &self.scopes)
            .field("subject", &self.subject)
            .finish_non_exhaustive()
    }
}

/// The headers of a consent page, and the cookie of one that comes before it, on their way to the layer
/// that sets them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Slot(Arc<Mutex<HeaderMap>>);

impl Slot {
    pub(super) fn fill(&self, headers: &HeaderMap) {
        let mut held = self.lock();
        for (name, value) in headers {
            held.append(name, value.clone());
        }
    }

    pub(super) fn add_cookie(&self, cookie: HeaderValue) {
        self.lock().append(header::SET_COOKIE, cookie);
    }

    fn lock(&self) -> MutexGuard<'_, HeaderMap> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the headers that the application has not set, and adds the cookies that are missing.
    #[cfg(feature = "axum")]
    pub(crate) fn apply<B>(&self, response: &mut Response<B>) {
        let headers = std::mem::take(&mut *self.lock());
        let held = response.headers_mut();
        for (name, value) in &headers {
            if name == header::SET_COOKIE {
                if !held.get_all(name).iter().any(|set| set == value) {
                    held.append(name, value.clone());
                }
            } else if !held.contains_key(name) {
                held.insert(name, value.clone());
            }
        }
    }
}
