//! The consequences of a reason: for the client, for the log, and for the user. Each enum of
//! reasons decides on all of them in one `match`, beside the decision that returns the reason.

use http::StatusCode;

use crate::oauth2::ErrorCode;

/// The disclosure of a reason to the client and to the log.
#[derive(Debug)]
pub(crate) struct Disclosure {
    /// The code for the client.
    pub(crate) code: ErrorCode,
    /// The status of the answer; `None` for that of the code.
    pub(crate) status: Option<StatusCode>,
    /// `true` if the client's developer gets the reason's words: they help, and a guesser cannot
    /// use them.
    pub(crate) has_words: bool,
    /// The parameters to blame, if their values may be logged: of several, the first that the request
    /// has.
    pub(crate) blamed: &'static [&'static str],
    /// The claim to blame, or the member of the header, of the token that is the blamed parameter. A
    /// token itself may never be logged.
    pub(crate) blamed_claim: Option<&'static str>,
}

impl Disclosure {
    /// The code, and nothing else.
    pub(crate) const fn code(code: ErrorCode) -> Self {
        Self { code, status: None, has_words: false, blamed: &[], blamed_claim: None }
    }

    /// The code, and the reason's words for the client's developer.
    pub(crate) const fn words(code: ErrorCode) -> Self {
        Self { code, status: None, has_words: true, blamed: &[], blamed_claim: None }
    }

    /// This status, whatever the code.
    pub(crate) const fn status(mut self, status: StatusCode) -> Self {
        self.status = Some(status);
        self
    }

    /// One of these parameters is to blame, and its value may be logged.
    pub(crate) const fn blame(mut self, parameters: &'static [&'static str]) -> Self {
        self.blamed = parameters;
        self
    }

    /// This claim of the token in a parameter is to blame, if it is one claim.
    pub(crate) const fn blame_claim(
        mut self,
        token: &'static [&'static str],
        claim: Option<&'static str>,
    ) -> Self {
        if claim.is_some() {
            self.blamed = token;
            self.blamed_claim = claim;
        }
        self
    }
}

/// The page that shows a reason to a user.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shown {
    /// The status of the page.
    pub(crate) status: StatusCode,
    /// The key of the heading.
    pub(crate) title: &'static str,
    /// The key of a sentence or two on what happened and what to do.
    pub(crate) text: &'static str,
    /// A short, stable name for the reason, which a user can quote in a request for help.
    pub(crate) code: &'static str,
}

impl Shown {
    /// The client's mistake, of which a user need not know more.
    pub(crate) const MISTAKE: Self = Self {
        status: StatusCode::BAD_REQUEST,
        title: "problem-mistake-title",
        text: "problem-mistake",
        code: "invalid_request",
    };

    /// The client's mistake, of which it is told by this code, too.
    pub(crate) fn mistake_told(disclosed: &Disclosure) -> Self {
        let code = disclosed.code.registered().unwrap_or(Self::MISTAKE.code);
        Self { code, status: disclosed.status.unwrap_or(Self::MISTAKE.status), ..Self::MISTAKE }
    }

    /// The page does not serve any more.
    pub(crate) const fn out_of_date(code: &'static str) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            title: "problem-out-of-date-title",
            text: "problem-out-of-date",
            code,
        }
    }

    /// The client's mistake, with the text of this key.
    pub(crate) const fn mistake(code: &'static str, text: &'static str) -> Self {
        Self { text, code, ..Self::MISTAKE }
    }
}
