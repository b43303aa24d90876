//! What is said about each arrow.

use super::super::{Act, Rfc, Step, Words, shared};
use crate::message::{Head, Message};

/// What is said about the request of an exchange.
pub(super) fn asked(step: Step, act: Option<Act>, request: &Message, again: bool) -> Words {
    match step {
        Step::Page if act == Some(Act::Later) => Words {
            title: "You come back later",
            text: "You do nothing special. The website notices by itself that its token is too \
                   old.",
            rfc: None,
            before: &[],
        },
        Step::Begin => Words {
            title: "The login begins",
            text: "The browser asks the website to start. Where you wanted to go is remembered, \
                   and only pages of this very website can be remembered.",
            rfc: Some(Rfc(6749, "4.1")),
            before: &[],
        },
        Step::Authorize if again => Words {
            title: "The same question again",
            text: "Now that you have signed in, the browser asks for the very same thing once \
                   more.",
            rfc: Some(Rfc(6749, "4.1.1")),
            before: &[],
        },
        Step::Authorize => Words {
            title: "The authorization request",
            text: "The browser delivers the website’s question: who asks, for what, where to \
                   answer, and the hash of a secret that the website keeps.",
            rfc: Some(Rfc(6749, "4.1.1")),
            before: &[],
        },
        Step::SignIn => Words {
            title: "Your password, to the provider",
            text: "The only message in this whole dance that holds your password. It does not \
                   touch the website.",
            rfc: Some(Rfc(6749, "3.1")),
            before: &[],
        },
        Step::Callback => Words {
            title: "The browser brings the code",
            text: "With it come the state, and the cookie that the state is bound to. Someone \
                   else’s code, slipped into your browser, would not have them.",
            rfc: Some(Rfc(6749, "10.12")),
            before: &[],
        },
        Step::Refused => Words {
            title: "The browser brings the refusal",
            text: "No code, only the reason, and the state, so that the website knows which of \
                   its questions was answered.",
            rfc: Some(Rfc(6749, "4.1.2.1")),
            before: &[],
        },
        Step::Redeem => Words {
            title: "The code is redeemed",
            text: "The website shows three things at once: the code, its own client secret, and \
                   the verifier whose hash it had sent ahead. A stolen code lacks the other two.",
            rfc: Some(Rfc(7636, "4.5")),
            before: &[
                "state opens, and belongs to this browser’s cookie",
                "iss is the provider that was asked",
            ],
        },
        Step::Refresh => Words {
            title: "The refresh token is traded in",
            text: "The access token has expired. No browser is needed: the website shows its \
                   client secret and the refresh token.",
            rfc: Some(Rfc(6749, "6")),
            before: &["the access token has run out"],
        },
        Step::Revoke => Words {
            title: "Please forget this token",
            text: "The website hands the token back. Only the client that it was given to may do \
                   this.",
            rfc: Some(Rfc(7009, "2.1")),
            before: &[],
        },
        Step::Call => Words {
            title: "The API is called",
            text: "The token goes into the Authorization header, where no log and no history \
                   keeps it.",
            rfc: Some(Rfc(6750, "2.1")),
            before: &[],
        },
        _ => shared::asked(step, act, request),
    }
}

/// What is said about the response of an exchange.
pub(super) fn answered(step: Step, act: Option<Act>, response: &Message) -> Words {
    let Head::Response { status } = response.head else {
        return shared::answered(step, act, response);
    };
    match (step, status) {
        (_, 500..) => shared::answered(step, act, response),
        (Step::Begin, 300..400) => Words {
            title: "Go and ask the provider",
            text: "The website packs its question into a redirect. The verifier stays here, only \
                   its hash travels; the state is tied to a cookie that only this browser gets.",
            rfc: Some(Rfc(7636, "4.3")),
            before: &[
                "draws 16 random bytes: the login cookie",
                "seals the attempt into the state",
                "challenge = SHA-256(verifier)",
            ],
        },
        (Step::Authorize, 200) => Words {
            title: "“May they?”",
            text: "The consent page: who asks, and for what, in words. Its form carries the \
                   request, sealed, so that nobody can change the question before you answer.",
            rfc: Some(Rfc(6749, "4.1.1")),
            before: &["who you are: known", "still to ask: your consent"],
        },
        (Step::Authorize | Step::Decide, 300..400) if response.masked("code").is_some() => Words {
            title: "Here is a code",
            text: "Good for one minute, for one client, once. It names its issuer, so that it \
                   cannot be mistaken for another provider’s answer.",
            rfc: Some(Rfc(9207, "2")),
            before: &["notes who agreed to what", "draws a code, and keeps only its hash"],
        },
        (Step::Authorize | Step::Decide, 300..400)
            if response.header("location").is_some_and(|to| to.contains("/sign-in")) =>
        {
            Words {
                title: "I do not know you yet",
                text: "The question is sound, so it is kept; first the provider wants to know who is \
                   answering.",
                rfc: Some(Rfc(6749, "3.1")),
                before: &[
                    "client is known",
                    "redirect_uri is registered, to the letter",
                    "PKCE: S256, nothing weaker",
                ],
            }
        }
        (Step::Decide | Step::Authorize, 300..400) => Words {
            title: "The answer is no",
            text: "A refusal goes back the same way as a code would, with the state and the \
                   issuer. The website learns nothing about you.",
            rfc: Some(Rfc(6749, "4.1.2.1")),
            before: &[],
        },
        (Step::Callback, 200..400) => Words {
            title: "On to the page you wanted",
            text: "The tokens stay with the website. The browser is sent on at once, so that the \
                   code stays in no history and in no Referer header.",
            rfc: Some(Rfc(6749, "10.5")),
            before: &["puts the tokens away, under your name"],
        },
        (Step::Redeem, 200) => Words {
            title: "The tokens",
            text: "An access token for the API, and a refresh token for later. They never were in \
                   the browser, and the answer may not be cached.",
            rfc: Some(Rfc(6749, "5.1")),
            before: &[
                "the code is this client’s, and unused: now it is used",
                "redirect_uri is the one from before",
                "SHA-256(verifier) is the challenge from before",
            ],
        },
        (Step::Refresh, 200) => Words {
            title: "A new pair",
            text: "The refresh token changes at every use. If the old one ever comes again, it was \
                   stolen, and the whole family is revoked.",
            rfc: Some(Rfc(9700, "2.2.2")),
            before: &["the token is this client’s, and the current one"],
        },
        (Step::Redeem | Step::Refresh, _) => Words {
            title: "No",
            text: "The provider refuses, with a code that says why. Nothing has been used up.",
            rfc: Some(Rfc(6749, "5.2")),
            before: &[],
        },
        (Step::Revoke, 200) => Words {
            title: "Forgotten",
            text: "The token and everything that came of it are dead from this moment on.",
            rfc: Some(Rfc(7009, "2.2")),
            before: &["the token is this client’s", "revokes the whole grant"],
        },
        (Step::Call, 401) => Words {
            title: "This token opens nothing",
            text: "The proof: the same token that worked a moment ago. The challenge in the header \
                   says what was wrong with it.",
            rfc: Some(Rfc(6750, "3.1")),
            before: &["finds no such token"],
        },
        (Step::Call, 403) => Words {
            title: "Not with this token",
            text: "The token is good, but not for this: the scope is missing.",
            rfc: Some(Rfc(6750, "3.1")),
            before: &[],
        },
        (Step::Call, 200..300) => Words {
            title: "Your photos",
            text: "Nothing but what the scope allows, and only for the person who agreed.",
            rfc: Some(Rfc(6749, "7")),
            before: &["the token is alive", "its scope covers photos:read"],
        },
        (Step::Begin | Step::Callback | Step::Authorize | Step::Decide, _) => Words {
            title: "A page that says what is wrong",
            text: "Nothing is sent on to anyone: it would not be safe to guess where to.",
            rfc: Some(Rfc(6749, "4.1.2.1")),
            before: &[],
        },
        _ => shared::answered(step, act, response),
    }
}
