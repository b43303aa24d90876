//! An ID token that a page or an app presents to log in, and what proves that it may.

use aws_lc_rs::constant_time::verify_slices_are_equal;

use crate::{
    Secret,
    consumer::{claims::Claims, error::BrowserError},
    form::Params,
    jose::Unverified,
    oidc::{Expected, IdToken, IdTokenRejected},
};

/// The length of the shortest text of an app: 16 random bytes in base64url.
const SHORTEST_TEXT: usize = 22;

/// An ID token that a page or an app presents to log in.
///
/// ```
/// use quadrille::{Login, Owner, Result, consumer::{Finished, Jar, PresentedIdToken}};
///
/// async fn from_an_app(login: &Login, jar: &Jar, token: &str, text: &str) -> Result<Finished> {
///     let presented = PresentedIdToken::new(token).with_text_of_the_app(text);
///     login.finish_with_id_token(jar, "google", &presented, &Owner::NOBODY).await
/// }
/// ```
#[derive(Clone, Copy)]
pub struct PresentedIdToken<'a> {
    pub(crate) token: &'a str,
    text: Option<&'a str>,
    pub(crate) next: &'a str,
}

impl<'a> PresentedIdToken<'a> {
    /// The ID token with the `nonce` of [`Login::id_token_nonce`](crate::consumer::Login::id_token_nonce).
    pub const fn new(token: &'a str) -> Self {
        Self { token, text: None, next: "" }
    }

    /// The text that an app chose, of 22 characters or more from a random source, whose SHA-256 hash
    /// is the `nonce` of the ID token, in hexadecimal digits or base64url. Only for requests that no
    /// other site can have sent: there is no cookie that proves it.
    #[must_use]
    pub const fn with_text_of_the_app(mut self, text: &'a str) -> Self {
        self.text = Some(text);
        self
    }

    /// Sets the path of this site to go on to, for an app that chose the text itself; otherwise that
    /// of [`Begin::next`](crate::consumer::Begin::next) counts.
    #[must_use]
    pub const fn next(mut self, next: &'a str) -> Self {
        self.next = next;
        self
    }

    /// Reads the parameters of a request: `id_token` or, as Google's scripts name it, `credential`,
    /// and `nonce` and `next`.
    ///
    /// # Errors
    /// [`BrowserError::CallbackMalformed`].
    pub(crate) fn read(params: &'a Params<'_>) -> Result<Self, BrowserError> {
        let one = |name| params.one(name).map_err(|_| BrowserError::CallbackMalformed);
        let token = match (one("id_token")?, one("credential")?) {
            (Some(token), None) | (None, Some(token)) => token,
            _ => return Err(BrowserError::CallbackMalformed),
        };
        // A malformed page is none of this site.
        let next = params.one("next").ok().flatten().unwrap_or("");
        Ok(Self { token, text: one("nonce")?, next })
    }

    /// The same with a token that was opened.
    pub(crate) const fn opened(self, token: &'a str) -> Self {
        Self { token, ..self }
    }

    /// Ignores the text of an app: another site can have sent the request.
    #[cfg(feature = "axum")]
    pub(crate) const fn by_form(self) -> Self {
        Self { text: None, ..self }
    }

    /// The `nonce` that the token must have.
    ///
    /// # Errors
    /// [`NonceUnusable`].
    pub(crate) fn nonce(&self) -> Result<PresentedNonce<'a>, NonceUnusable> {
        match self.text {
            Some(text) if text.len() < SHORTEST_TEXT => Err(NonceUnusable::TextTooShort),
            Some(text) => Ok(PresentedNonce::OfTheApp(text)),
            None => {
                let claims = Unverified::parse(self.token).map_err(IdTokenRejected::from)?;
                let claims = claims.claims_of_anybody().map_err(IdTokenRejected::from)?;
                let nonce = claims.text("nonce").ok_or(IdTokenRejected::NonceMissing)?;
                Ok(PresentedNonce::HandedOut(nonce.to_owned()))
            }
        }
    }
}

/// The `nonce` that a presented ID token must have.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PresentedNonce<'a> {
    /// The token's own, which a cookie of the browser must have.
    HandedOut(String),
    /// The hash of this text, which the app chose.
    OfTheApp(&'a str),
}

impl PresentedNonce<'_> {
    /// The rule for the token.
    pub(crate) fn expected(&self) -> Expected<'_> {
        match self {
            Self::HandedOut(nonce) => Expected::nonce(nonce),
            Self::OfTheApp(text) => Expected::hashed_nonce(text),
        }
    }
}

/// The reason why nothing can prove that a presented ID token may log a browser in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NonceUnusable {
    /// The text of the app could be guessed.
    #[error("the text of the app is too short")]
    TextTooShort,
    /// The token cannot be read, or has no `nonce`.
    #[error(transparent)]
    Token(#[from] IdTokenRejected),
}

/// Hides the token.
impl std::fmt::Debug for PresentedIdToken<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PresentedIdToken").finish_non_exhaustive()
    }
}

/// A presented ID token that is valid. It is not used up yet.
pub(crate) struct PresentedProof {
    pub(crate) text: Secret,
    pub(crate) token: IdToken,
    pub(crate) claims: Claims,
}

/// Whether a form has the value of the one cookie that a script of this site set for it
/// (double-submit cookie: Google's `g_csrf_token`). Of two cookies, one may be an attacker's.
pub(crate) fn is_submitted_twice(cookies: &[String], submitted: &str) -> bool {
    match cookies {
        [one] if !one.is_empty() => {
            verify_slices_are_equal(one.as_bytes(), submitted.as_bytes()).is_ok()
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_has_the_value_of_the_one_cookie_that_our_page_set() {
        let is = |cookies: &[&str], submitted| {
            let cookies: Vec<_> = cookies.iter().map(|one| (*one).to_owned()).collect();
            is_submitted_twice(&cookies, submitted)
        };
        assert!(is(&["right"], "right"));
        for (cookies, submitted) in [
            (&["right"][..], "wrong"),
            (&["right"], ""),
            (&[""], ""),
            (&[], ""),
            (&[], "right"),
            // A sibling domain can set a second one.
            (&["right", "right"], "right"),
            (&["other", "right"], "right"),
        ] {
            assert!(!is(cookies, submitted), "{cookies:?} {submitted}");
        }
    }

    #[test]
    fn a_request_presents_one_token_under_one_of_its_names() {
        let read = |query: &str| {
            let params = Params::parse(query.as_bytes()).unwrap();
            PresentedIdToken::read(&params)
                .map(|one| (one.token.to_owned(), one.text.map(str::to_owned), one.next.to_owned()))
        };
        let read_token = || "a.b.c".to_owned();
        assert_eq!(read("id_token=a.b.c&next=%2Fx"), Ok((read_token(), None, "/x".into())));
        assert_eq!(
            read("credential=a.b.c&nonce=n"),
            Ok((read_token(), Some("n".into()), "".into()))
        );
        let token = PresentedIdToken::new("a.b.c");
        assert!(matches!(token.nonce(), Err(NonceUnusable::Token(_))));
        let short = token.with_text_of_the_app("0123456789abcdef01234");
        assert_eq!(short.nonce(), Err(NonceUnusable::TextTooShort));
        let long = "0123456789abcdef012345";
        let fits = token.with_text_of_the_app(long);
        assert_eq!(fits.nonce(), Ok(PresentedNonce::OfTheApp(long)));
        for query in ["", "token=a", "id_token=a&credential=a", "id_token=a&id_token=a"] {
            assert_eq!(read(query), Err(BrowserError::CallbackMalformed), "{query}");
        }
    }
}
