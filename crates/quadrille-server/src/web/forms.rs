//! Forms that only this site's own pages can send.
//!
//! Each form carries a value sealed for its purpose and bound to a cookie: the session's cookie, or
//! before sign-in a cookie of the form. So an attacker cannot sign a browser in as another user
//! (login CSRF). The origin that the browser sends is checked as well.

use std::time::Duration;

use aws_lc_rs::{constant_time::verify_slices_are_equal, digest};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use quadrille::{Env, KeyRing, Timestamp};
use zeroize::Zeroizing;

use crate::issuer::Issuer;

/// The time that a form stays valid.
const LIFETIME: Duration = Duration::from_secs(12 * 3600);

/// The time for which a text waits to be shown once.
pub(super) const SHOWN_FOR: Duration = Duration::from_secs(60);

/// The purpose of the seal of such a text.
const SHOWN_ONCE: &str = "quadrille shown once";

/// The purpose of a form, or of a note after one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// To sign in.
    SignIn,
    /// To go on with the account that is signed in.
    Choice,
    /// An action of a user who is signed in.
    Account,
    /// A note that a consent was withdrawn, for the next page of the user.
    Withdrawn,
    /// A note that there was no consent to withdraw, for the next page of the user.
    NothingWithdrawn,
    /// A note that the other sessions were ended, for the next page of the user.
    OthersEnded,
    /// A note that the password was changed, for the next page of the user.
    PasswordChanged,
    /// A note that a session was ended, for the next page of the user.
    SessionEnded,
    /// A note that a personal access token was revoked, for the next page of the user.
    TokenRevoked,
    /// A note that the profile was changed, for the next page of the user.
    ProfileChanged,
    /// A note that the session or the token had ended before, for the next page of the user.
    EndedBefore,
}

/// The reason for rejecting a form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum FormRefusal {
    /// Another site sent it.
    #[error("another site sent the form")]
    Foreign,
    /// The form was made for another browser, or its cookie is gone.
    #[error("the form was not made for this browser, or the cookie is gone")]
    Unbound,
    /// The form has no seal.
    #[error("the form has no field form, or an empty one: a template of your own must send it")]
    Missing,
    /// The form has expired, or the key that sealed it is gone.
    #[error("the form is too old")]
    Old,
}

/// Makes and checks the sealed values of forms.
#[derive(Debug)]
pub(super) struct Forms {
    env: Env,
    keys: KeyRing,
    issuer: Issuer,
}

impl Forms {
    /// The forms of this provider.
    pub(super) fn new(env: Env, keys: KeyRing, issuer: Issuer) -> Self {
        Self { env, keys, issuer }
    }

    /// The hidden field of a form for the browser that has `cookie`.
    pub(super) fn field(&self, purpose: Purpose, cookie: &str) -> String {
        let mut plain = [0; 40];
        let (time, bound) = plain.split_at_mut(8);
        time.copy_from_slice(&self.env.now().millis().to_be_bytes());
        bound.copy_from_slice(&hash(cookie));
        self.keys.seal(&self.env, purpose.name(), self.issuer.as_str(), &plain)
    }

    /// A text that only the browser that has `cookie` may show, for a minute.
    pub(super) fn seal_text(&self, cookie: &str, text: &str) -> String {
        let time = self.env.now().millis().to_be_bytes();
        let plain = Zeroizing::new([&time, &hash(cookie)[..], text.as_bytes()].concat());
        self.keys.seal(&self.env, SHOWN_ONCE, self.issuer.as_str(), &plain)
    }

    /// The text of [`seal_text`](Self::seal_text).
    pub(super) fn open_text(&self, cookie: &str, sealed: &str) -> Option<String> {
        let plain = self.keys.open(SHOWN_ONCE, self.issuer.as_str(), sealed).ok()?;
        let (time, rest) = plain.split_first_chunk::<8>()?;
        let (bound, text) = rest.split_first_chunk::<32>()?;
        let made = Timestamp::from_millis(i64::from_be_bytes(*time));
        let is_ours = verify_slices_are_equal(bound, &hash(cookie)).is_ok();
        (is_ours && self.env.now().since(made) <= SHOWN_FOR)
            .then(|| std::str::from_utf8(text).map(str::to_owned).ok())?
    }

    /// Checks a form with this field from the browser that has `cookie`.
    ///
    /// # Errors
    /// [`FormRefusal`].
    pub(super) fn check(
        &self,
        purpose: Purpose,
        headers: &HeaderMap,
        cookie: Option<&str>,
        field: &str,
    ) -> Result<(), FormRefusal> {
        let is_ours_for_sure = self.same_origin(headers)?;
        let is_bound = self.is_bound(purpose, cookie, field)?;
        // Before sign-in, tabs that open at once replace each other's cookie. The origin that the
        // browser sends is then enough.
        if is_bound || (purpose == Purpose::SignIn && is_ours_for_sure) {
            Ok(())
        } else {
            Err(FormRefusal::Unbound)
        }
    }

    /// Whether a field, or a note, was made for the browser that has `cookie`.
    ///
    /// # Errors
    /// [`FormRefusal::Missing`] and [`FormRefusal::Old`].
    pub(super) fn is_bound(
        &self,
        purpose: Purpose,
        cookie: Option<&str>,
        field: &str,
    ) -> Result<bool, FormRefusal> {
        if field.is_empty() {
            return Err(FormRefusal::Missing);
        }
        let plain = self
            .keys
            .open(purpose.name(), self.issuer.as_str(), field)
            .map_err(|_| FormRefusal::Old)?;
        let (time, bound) = plain.split_first_chunk::<8>().ok_or(FormRefusal::Old)?;
        let made = Timestamp::from_millis(i64::from_be_bytes(*time));
        if self.env.now().since(made) > LIFETIME {
            return Err(FormRefusal::Old);
        }
        Ok(cookie.is_some_and(|cookie| verify_slices_are_equal(bound, &hash(cookie)).is_ok()))
    }

    /// Whether the browser says that a page of this site sent the request. `false` if it says
    /// nothing, as old browsers do.
    ///
    /// # Errors
    /// [`FormRefusal::Foreign`] if the browser names another site.
    pub(super) fn same_origin(&self, headers: &HeaderMap) -> Result<bool, FormRefusal> {
        let said = |name: HeaderName| headers.get(name).map(HeaderValue::as_bytes);
        let site = match said(HeaderName::from_static("sec-fetch-site")) {
            Some(b"same-origin") => true,
            // The user typed the address, or a program sent the request.
            None | Some(b"none") => false,
            Some(_) => return Err(FormRefusal::Foreign),
        };
        match said(header::ORIGIN) {
            // A browser sends `null` for a page under `Referrer-Policy: no-referrer`. A sandboxed
            // frame sends it, too, but without `same-origin`. Cookie and field must match.
            Some(b"null") if site => Ok(false),
            Some(origin) if origin == self.issuer.origin().as_bytes() => Ok(true),
            Some(_) => Err(FormRefusal::Foreign),
            None => Ok(site),
        }
    }
}

impl Purpose {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::SignIn => "quadrille sign-in form",
            Self::Choice => "quadrille account choice form",
            Self::Account => "quadrille account form",
            Self::Withdrawn => "quadrille withdrawn note",
            Self::NothingWithdrawn => "quadrille nothing withdrawn note",
            Self::OthersEnded => "quadrille other sessions ended note",
            Self::PasswordChanged => "quadrille password changed note",
            Self::SessionEnded => "quadrille session ended note",
            Self::TokenRevoked => "quadrille token revoked note",
            Self::ProfileChanged => "quadrille profile changed note",
            Self::EndedBefore => "quadrille ended before note",
        }
    }
}

fn hash(cookie: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, cookie.as_bytes()).as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forms() -> Forms {
        Forms::new(Env::system(), KeyRing::ephemeral(), Issuer::localhost(4004))
    }

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        lines
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn a_form_counts_for_its_purpose_and_browser_only() {
        let forms = forms();
        let (field, silent) = (forms.field(Purpose::Account, "cookie"), HeaderMap::new());
        let check = |purpose, cookie, field: &str| forms.check(purpose, &silent, cookie, field);
        assert_eq!(check(Purpose::Account, Some("cookie"), &field), Ok(()));
        assert_eq!(check(Purpose::SignIn, Some("cookie"), &field), Err(FormRefusal::Old));
        assert_eq!(check(Purpose::Account, Some("other"), &field), Err(FormRefusal::Unbound));
        assert_eq!(check(Purpose::Account, None, &field), Err(FormRefusal::Unbound));
        assert_eq!(check(Purpose::Account, Some("cookie"), ""), Err(FormRefusal::Missing));
    }

    #[test]
    fn a_form_that_another_site_sends_is_refused_whatever_it_holds() {
        let forms = forms();
        let field = forms.field(Purpose::SignIn, "cookie");
        for line in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let refused = forms.check(Purpose::SignIn, &headers(&[line]), Some("cookie"), &field);
            assert_eq!(refused, Err(FormRefusal::Foreign), "{line:?}");
        }
        let two = headers(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")]);
        let refused = forms.check(Purpose::SignIn, &two, Some("cookie"), &field);
        assert_eq!(refused, Err(FormRefusal::Foreign));
    }

    #[test]
    fn a_page_without_a_referrer_may_send_its_own_form_and_no_other() {
        let forms = forms();
        for purpose in [Purpose::SignIn, Purpose::Account] {
            let field = forms.field(purpose, "cookie");
            let check = |site, cookie| {
                let said = headers(&[("origin", "null"), ("sec-fetch-site", site)]);
                forms.check(purpose, &said, Some(cookie), &field)
            };
            assert_eq!(check("same-origin", "cookie"), Ok(()));
            assert_eq!(check("same-origin", "other"), Err(FormRefusal::Unbound));
            for site in ["same-site", "cross-site", "none"] {
                assert_eq!(check(site, "cookie"), Err(FormRefusal::Foreign), "{site}");
            }
        }
    }

    #[test]
    fn tabs_that_lost_their_cookie_to_another_may_sign_in_but_do_nothing_else() {
        let forms = forms();
        let ours =
            headers(&[("origin", "http://localhost:4004"), ("sec-fetch-site", "same-origin")]);
        let field = forms.field(Purpose::SignIn, "lost");
        assert_eq!(forms.check(Purpose::SignIn, &ours, Some("other"), &field), Ok(()));
        let field = forms.field(Purpose::Account, "lost");
        let refused = forms.check(Purpose::Account, &ours, Some("other"), &field);
        assert_eq!(refused, Err(FormRefusal::Unbound));
    }
}
