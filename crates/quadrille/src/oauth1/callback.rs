//! Redirecting the user to the server and back (RFC 5849, section 2.2).

use std::fmt;

use crate::{
    Secret,
    form::{FormError, FormWriter, Params},
};

use super::Problem;

/// `oauth_callback` of a client without a callback URL (RFC 5849, section 2.1): the server shows
/// the verifier, and the user types it in.
pub const OUT_OF_BAND: &str = "oob";

/// The URL of the server to which the user is redirected, with the temporary credential. Keeps an
/// existing query.
///
/// ```
/// let endpoint = "https://id.example/authorize?lang=fr";
/// let url = quadrille::oauth1::authorization_url(endpoint, "hdk48Djdsa");
/// assert_eq!(url, "https://id.example/authorize?lang=fr&oauth_token=hdk48Djdsa");
/// ```
pub fn authorization_url(endpoint: &str, token: &str) -> String {
    let mut url = FormWriter::after_url(endpoint);
    url.append("oauth_token", token);
    url.finish()
}

/// The query of a callback.
///
/// ```
/// use quadrille::{form::Params, oauth1::{Callback, Problem}};
///
/// let query = Params::parse(b"oauth_token=hh5s93j4hdidpola&oauth_problem=user_refused")?;
/// let Callback::Refused { problem, .. } = Callback::parse(&query)? else { panic!() };
/// assert_eq!(problem, Problem::UserRefused);
/// # Ok::<(), quadrille::form::FormError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub enum Callback {
    /// The user approved the request.
    Approved {
        /// The temporary credential.
        token: String,
        /// `oauth_verifier`, with which the temporary credential is redeemed.
        verifier: Secret,
    },
    /// The user or the server refused the request.
    Refused {
        /// The temporary credential, where the server names it.
        token: Option<String>,
        /// The problem that the server reports. RFC 5849 defines no parameter for a refusal;
        /// without `oauth_problem`, this is [`Problem::UserRefused`].
        problem: Problem,
    },
}

impl Callback {
    /// The URL of the client to which the user is redirected.
    pub fn to_url(&self, callback: &str) -> String {
        let mut url = FormWriter::after_url(callback);
        match self {
            Self::Approved { token, verifier } => {
                url.append("oauth_token", token).append("oauth_verifier", verifier.expose());
            }
            Self::Refused { token, problem } => {
                url.append_some("oauth_token", token.as_deref());
                url.append("oauth_problem", problem.as_str());
            }
        }
        url.finish()
    }

    /// Reads the query of the callback.
    ///
    /// # Errors
    /// [`FormError::Duplicate`] if a parameter is repeated.
    pub fn parse(params: &Params<'_>) -> Result<Self, FormError> {
        // An empty parameter counts as well: the other may contradict it.
        let one = |name| {
            let found = params.one(name)?;
            match params.iter().filter(|(known, _)| *known == name).nth(1) {
                Some(_) => Err(FormError::Duplicate(name)),
                None => Ok(found),
            }
        };
        let (token, problem) = (one("oauth_token")?, one("oauth_problem")?);
        // Twitter uses this name. It counts only without `oauth_token`.
        let denied = if token.is_none() { one("denied")? } else { None };
        match (token, one("oauth_verifier")?, problem) {
            (Some(token), Some(verifier), None) => {
                Ok(Self::Approved { token: token.to_owned(), verifier: verifier.into() })
            }
            (token, _, problem) => Ok(Self::Refused {
                token: token.or(denied).map(str::to_owned),
                problem: problem.map_or(Problem::UserRefused, |word| {
                    // An unknown problem of the server is not a refusal by the user.
                    Problem::parse(word).unwrap_or(Problem::PermissionUnknown)
                }),
            }),
        }
    }
}

impl fmt::Debug for Callback {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Approved { .. } => f.write_str("Approved"),
            Self::Refused { problem, .. } => write!(f, "Refused({problem:?})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_twice_is_no_answer() {
        for name in ["oauth_token", "oauth_verifier", "oauth_problem", "denied"] {
            for (first, second) in [("a", "a"), ("a", "b"), ("", "a"), ("a", ""), ("a", "%ff")] {
                let query = format!("x=1&{name}={first}&y=2&{name}={second}");
                let params = Params::parse(query.as_bytes()).unwrap();
                assert!(Callback::parse(&params).is_err(), "{query}");
            }
        }
        let params = Params::parse(b"oauth_token=a&oauth_verifier=b&x=1&x=2&y=%ff").unwrap();
        assert!(matches!(Callback::parse(&params), Ok(Callback::Approved { .. })));
        for unread in ["denied=a&denied=b", "denied=%ff", "denied=&denied=a"] {
            let query = format!("{unread}&oauth_token=a&oauth_verifier=b");
            let params = Params::parse(query.as_bytes()).unwrap();
            let read = Callback::parse(&params);
            assert!(matches!(read, Ok(Callback::Approved { .. })), "{query}");
        }
    }
}
