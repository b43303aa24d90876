//! The page on which a user types a user code in (RFC 8628, section 3.3).

use std::{fmt, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, Method, Request, header};

use crate::{
    Timestamp,
    actor::Authentication,
    form::{FormWriter, Params},
    guard::BODY_LIMIT,
    probe,
    provider::{
        client::record::Client,
        clock::is_over,
        device::{DeviceGrant, guesses, user_code::UserCode},
        error::{ClientError, Error, OperatorError},
        guessing::Party,
        meter, refusal,
        server::{AuthorizationServer, Inner},
        store::{PendingRecord, PendingRef, PendingState},
        wire::{self, Methods, Reply},
    },
};

use super::{
    authorization::{Authorization, Step},
    back::Back,
    consent_page::ConsentPage,
    dance::{Dance, ForDevice},
    request::{Asked, Prompt},
};

/// The name of the page in the log.
const PAGE: &str = "device page";

/// The parameter of the link, and the field of the form.
const USER_CODE: &str = "user_code";

/// A request for the page on which a user types a user code in (RFC 8628, section 3.3), at
/// [`AuthorizationServer::device_path`]: GET, perhaps with the code in the link
/// (`verification_uri_complete`), or POST with the code in the field `user_code`.
///
/// With the feature `axum` it is an extractor; elsewhere
/// [`AuthorizationServer::device_verification`] returns it. [`step`](Self::step) says what to do
/// with it.
///
/// ```
/// use quadrille::{Authentication, provider::{DeviceStep, DeviceVerification}};
///
/// async fn device(request: DeviceVerification, user: Option<Authentication>) -> String {
///     match request.step(user).await {
///         DeviceStep::SignIn(back) => format!("Sign in, then go to {}", back.path_and_query()),
///         DeviceStep::Code(page) => format!(
///             "{} <form method=post action={}><input name=user_code value={}></form>",
///             page.refused.map_or(String::new(), |reason| reason.to_string()),
///             page.action,
///             page.user_code.unwrap_or_default(),
///         ),
///         // The same page as for authorization requests, with the device on it.
///         DeviceStep::Consent(page) => format!("{} asks: {:?}", page.client.name, page.device),
///         DeviceStep::Done(_) => "This reply goes to the browser.".into(),
///     }
/// }
/// ```
pub struct DeviceVerification {
    inner: Arc<Inner>,
    device: DeviceGrant,
    request: Request<Bytes>,
    /// The code in the request, as it was typed.
    typed: Option<String>,
    /// `true` if the user has sent the form of the page.
    is_sent: bool,
}

/// The next step of a user who lets a device in.
///
/// ```
/// use quadrille::provider::DeviceStep;
///
/// fn is_over(step: &DeviceStep) -> bool {
///     matches!(step, DeviceStep::Done(_))
/// }
/// ```
#[derive(Debug)]
pub enum DeviceStep {
    /// Have the user sign in, then redirect to this address of the page. It keeps the code. Nobody
    /// can try codes without signing in.
    SignIn(Back),
    /// Show the page with the form for the code.
    Code(UserCodePage),
    /// Show the consent page, with [`ConsentPage::device`] on it. Its answer goes to the consent
    /// endpoint, as any other.
    Consent(Box<ConsentPage>),
    /// Send this reply: the request cannot be read, or the server failed.
    Done(Reply),
}

/// The content of the page with the form for a user code. The form is sent by POST to
/// [`action`](Self::action), with the code in the field `user_code`.
///
/// A code from a link stands in the form, for the user to compare it with the device's (RFC 8628,
/// section 3.3.1) and to send it. So no page elsewhere can use up the user's attempts.
///
/// ```
/// use quadrille::provider::UserCodePage;
///
/// fn heading(page: &UserCodePage) -> &'static str {
///     match (&page.refused, &page.user_code) {
///         (Some(_), _) => "Try again",
///         (None, Some(_)) => "Does your device show this code?",
///         (None, None) => "Type in the code that your device shows",
///     }
/// }
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UserCodePage {
    /// The code for the form: from the link, or as the user typed it. It is any text.
    pub user_code: Option<String>,
    /// The reason why the code in the form was not accepted; `None` if it was not sent yet.
    pub refused: Option<UserCodeError>,
    /// The `action` of the form.
    pub action: Arc<str>,
    /// The address to return to after signing in as another user: this page again.
    pub back: Back,
}

/// The reason why a user code is not accepted, in words for its user.
///
/// ```
/// use quadrille::provider::UserCodeError;
///
/// let error = UserCodeError::Expired;
/// assert_eq!(error.to_string(), "This code has expired. Have your device show a new one.");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UserCodeError {
    /// The form has no code.
    #[error("Type in the code that your device shows.")]
    Missing,
    /// The text is no code: codes have eight letters.
    #[error("This is no code. A code has eight letters, and no digits.")]
    Malformed,
    /// No request has this code, or it expired long ago.
    #[error("No device waits with this code. Compare it with the one that your device shows now.")]
    Unknown,
    /// The code has expired.
    #[error("This code has expired. Have your device show a new one.")]
    Expired,
    /// The request was approved or denied before.
    #[error("This code was used before. If your device still waits, have it show a new one.")]
    Answered,
    /// The user has tried too many codes; the next attempt is possible after this time.
    #[error("Too many codes were tried. Wait a while, then try again.")]
    TooMany(Duration),
}

impl AuthorizationServer {
    /// The page on which users type codes in (RFC 8628, section 3.3). A HEAD request is answered
    /// with 204 and a prefetch with 503.
    ///
    /// # Errors
    /// The answer: a page, if the request cannot be read, or the server offers no device
    /// authorization.
    pub fn device_verification(
        &self,
        request: Request<Bytes>,
    ) -> Result<DeviceVerification, Reply> {
        let inner = self.inner();
        if let Some(response) = probe::probed(request.method(), request.headers()) {
            return Err(response.into());
        }
        match read(inner, &request) {
            Ok((device, typed)) => {
                let is_sent = request.method() == Method::POST
                    && is_from_here(request.headers(), inner.issuer.origin());
                Ok(DeviceVerification { inner: inner.clone(), device, request, typed, is_sent })
            }
            Err(error) => {
                refusal::log_unread(PAGE, &error, &request);
                Err(inner.pages.show(&error).into())
            }
        }
    }
}

fn read(inner: &Inner, request: &Request<Bytes>) -> Result<(DeviceGrant, Option<String>), Error> {
    let device = inner.device.clone().ok_or(OperatorError::DeviceGrantMissing)?;
    wire::admit(request, Methods::GET_HEAD_POST, BODY_LIMIT)?;
    let params = match *request.method() {
        Method::POST => Params::of_body(request),
        _ => Params::of_query(request),
    };
    let params = params.map_err(|error| ClientError::Request(error.into()))?;
    let typed = params.one(USER_CODE).map_err(|error| ClientError::Request(error.into()))?;
    Ok((device, typed.map(ToOwned::to_owned)))
}

impl DeviceVerification {
    /// Decides the next step, for the signed-in user (`None` if no user is signed in).
    pub async fn step(self, authentication: Option<Authentication>) -> DeviceStep {
        let Some(authentication) = authentication else {
            return DeviceStep::SignIn(self.back());
        };
        if !self.is_sent {
            return DeviceStep::Code(self.page(None));
        }
        match self.find(&authentication).await {
            Ok(Ok(asked)) => self.ask(asked, authentication).await,
            Ok(Err(refused)) => DeviceStep::Code(self.page(Some(refused))),
            Err(error) => DeviceStep::Done(self.inner.pages.show(&error).into()),
        }
    }

    /// The request with the code that the user typed. Each look-up of a wrong code is counted.
    async fn find(
        &self,
        authentication: &Authentication,
    ) -> Result<Result<Asked, UserCodeError>, Error> {
        let inner = &self.inner;
        let code = match self.typed.as_deref().map(str::trim) {
            None | Some("") => return Ok(Err(UserCodeError::Missing)),
            Some(typed) => UserCode::read(typed),
        };
        let Some(code) = code else { return Ok(Err(UserCodeError::Malformed)) };
        let from = inner.address_of(self.request.extensions());
        let (subject, steady) = (&*authentication.subject, inner.env.steady());
        let guesses = &inner.shared.guesses;
        let address = from.map(|from| tracing::field::display(from.0));
        let issuer = inner.issuer_id().await?;
        let party = Party::new("user-code-guesses", guesses::OF_USER, subject);
        let shared = inner.limits_now().await?;
        let counted = match guesses.begin(subject, from, steady) {
            Ok(()) => shared.count(&party).await.inspect_err(|_| {
                guesses.was_right(subject, from, steady);
            }),
            refused => refused,
        };
        if let Err(wait) = counted {
            meter::limited("user_codes");
            tracing::info!(subject, from = address, "too many user codes were tried");
            return Ok(Err(UserCodeError::TooMany(wait)));
        }
        let mut pending = None;
        // Codes outlive a change of keys.
        for key in inner.tokens.all() {
            let reference = PendingRef::UserCode(key.user_code_hash(code.letters()));
            pending = inner.store.pending(issuer, &reference).await?;
            if pending.is_some() {
                break;
            }
        }
        let client = match &pending {
            Some(pending) => inner.store.client(issuer, &pending.client).await?,
            None => None,
        };
        let found = decide(pending.as_deref(), client, &code, self.device.lifetime, inner.now());
        match &found {
            Ok(_) => {
                guesses.was_right(subject, from, steady);
                shared.forgive(&party).await;
            }
            Err(reason) => {
                tracing::info!(subject, from = address, %reason, "a user code was not accepted");
            }
        }
        Ok(found)
    }

    /// The consent page, whatever was consented to before.
    async fn ask(self, asked: Asked, authentication: Authentication) -> DeviceStep {
        let same = self.same();
        let authorization = Authorization::of(self.inner, asked, self.request, same);
        match authorization.step(Some(authentication)).await {
            Step::SignIn(back) => DeviceStep::SignIn(back),
            Step::Consent(page) => DeviceStep::Consent(page),
            Step::Done(reply) => DeviceStep::Done(reply),
        }
    }

    /// The URL of the page, with the code.
    fn same(&self) -> FormWriter {
        let mut same = FormWriter::after_url(&self.device.page);
        same.append_some(USER_CODE, self.typed.as_deref());
        same
    }

    fn back(&self) -> Back {
        Back::to(self.same())
    }

    fn page(&self, refused: Option<UserCodeError>) -> UserCodePage {
        // As devices show it, so that users can compare.
        let shown = |typed: &String| match UserCode::read(typed) {
            Some(code) => code.to_string(),
            None => typed.trim().to_owned(),
        };
        UserCodePage {
            user_code: self.typed.as_ref().map(shown).filter(|code| !code.is_empty()),
            refused,
            action: self.device.page.clone(),
            back: self.back(),
        }
    }
}

impl fmt::Debug for DeviceVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceVerification")
            .field("has_code", &self.typed.is_some())
            .field("is_sent", &self.is_sent)
            .finish_non_exhaustive()
    }
}

/// The request behind a user code, if it can still be answered.
fn decide(
    pending: Option<&PendingRecord>,
    client: Option<Arc<Client>>,
    code: &UserCode,
    lifetime: Duration,
    now: Timestamp,
) -> Result<Asked, UserCodeError> {
    let pending = pending.ok_or(UserCodeError::Unknown)?;
    let device = pending.kind.device().ok_or(UserCodeError::Unknown)?;
    match pending.state {
        PendingState::Pending if is_over(now, pending.expires, lifetime) => {
            return Err(UserCodeError::Expired);
        }
        PendingState::Pending => {}
        PendingState::Approved(_) | PendingState::Redeemed(_) | PendingState::Denied => {
            return Err(UserCodeError::Answered);
        }
    }
    let dance = Dance::Device(ForDevice {
        pending: pending.row,
        user_code: code.to_string(),
        from: device.from,
        expires: pending.expires,
    });
    let may_have = |client: &Arc<Client>| {
        dance.rules().is_open_to(client, None) && client.scopes.is_superset(&pending.scopes)
    };
    let client = client.filter(may_have).ok_or(UserCodeError::Unknown)?;
    let (scopes, resources) = (pending.scopes.clone(), pending.resources.clone());
    Ok(Asked { client, scopes, resources, prompt: Prompt::default(), dance })
}

/// `false` if a page of another site has sent the form: its visitors' attempts are not its to use
/// up. Older browsers send `Origin` alone. A page under `Referrer-Policy: no-referrer` sends `null`
/// as a sandboxed frame of another site does, which has no `same-origin` beside it.
fn is_from_here(headers: &HeaderMap, origin: &str) -> bool {
    let mut sites = headers.get_all("sec-fetch-site").iter().peekable();
    let says_so = sites.peek().is_some();
    sites.all(|site| site == "same-origin")
        && headers
            .get_all(header::ORIGIN)
            .iter()
            .all(|sent| sent == origin || (sent == "null" && says_so))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        Scopes,
        actor::Actor,
        oauth2::Resources,
        provider::{
            client::{grant_type::GrantType, record::tests::client},
            store::{Approval, DeviceCode, Grant, Identifier, PendingKind, RowId},
        },
    };
    use proptest::prelude::*;

    const LIFETIME: Duration = Duration::from_secs(100);

    proptest! {
        #[test]
        fn a_code_leads_to_a_page_while_its_request_waits_and_its_client_may_have_it(
            state in 0..4_u8, now in 90..110_i64, is_there: bool, is_later: bool,
            has_grant: bool, has_scopes: bool,
        ) {
            let grant = Grant {
                id: RowId(7),
                client: "tv".into(),
                actor: Actor::User("ada".into()),
                scopes: Scopes::EMPTY,
                resources: Resources::EMPTY,
                authentication: None,
                details: None,
            };
            let approval = Approval { proof: None, grant };
            let pending = PendingRecord {
                row: RowId(1),
                identifier: Identifier::Row([0; 32]),
                user_code: Some([1; 32]),
                client: "tv".into(),
                scopes: Scopes::of(["a"]),
                resources: Resources::EMPTY,
                expires: Timestamp::from_seconds(100),
                state: match state {
                    0 => PendingState::Pending,
                    1 => PendingState::Approved(approval),
                    2 => PendingState::Redeemed(approval),
                    _ => PendingState::Denied,
                },
                kind: PendingKind::Device(DeviceCode { from: None }),
            };
            let mut tv = client("tv", "https://a.example/cb");
            tv.number = RowId(if is_later { 2 } else { 0 });
            tv.scopes = Scopes::of([if has_scopes { "a" } else { "b" }]);
            if has_grant {
                tv.grant_types.insert(GrantType::DeviceCode);
            }
            let code = UserCode::read("BCDF-GHJK").unwrap();
            let tv = is_there.then(|| Arc::new(tv));
            let at = Timestamp::from_seconds(now);
            let found = decide(Some(&pending), tv, &code, LIFETIME, at).map(|asked| asked.scopes);
            let expected = match (state, now < 100) {
                (1..=3, _) => Err(UserCodeError::Answered),
                (_, false) => Err(UserCodeError::Expired),
                _ if is_there && !is_later && has_grant && has_scopes => Ok(Scopes::of(["a"])),
                _ => Err(UserCodeError::Unknown),
            };
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_form_of_another_site_is_not_from_here() {
        let is_ours = |headers: &[(&'static str, &str)]| {
            let pairs = headers.iter();
            let headers = pairs
                .map(|(name, value)| (http::HeaderName::from_static(name), value.parse().unwrap()));
            is_from_here(&headers.collect(), "https://id.example")
        };
        assert!(is_ours(&[]) && is_ours(&[("origin", "https://id.example")]));
        assert!(is_ours(&[("sec-fetch-site", "same-origin"), ("origin", "null")]));
        for site in ["cross-site", "same-site", "none", ""] {
            assert!(!is_ours(&[("sec-fetch-site", site)]), "{site}");
        }
        assert!(!is_ours(&[("origin", "https://evil.example")]));
        assert!(!is_ours(&[("origin", "null")]), "a sandboxed frame of any site");
        let both = [("sec-fetch-site", "same-origin"), ("origin", "https://evil.example")];
        assert!(!is_ours(&both));
        assert!(!is_ours(&[("origin", "https://id.example.evil.example")]));
    }
}
