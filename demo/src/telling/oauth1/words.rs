//! What is said about each arrow.

use super::super::{Act, Rfc, Step, Words, shared};
use crate::message::{Head, Message};

/// What is said about the request of an exchange.
pub(super) fn asked(step: Step, act: Option<Act>, request: &Message, again: bool) -> Words {
    match step {
        Step::Page if act == Some(Act::Later) => Words {
            title: "You come back later",
            text: "You do nothing special, and this time the website need not either: tokens of \
                   OAuth 1.0a do not run out.",
            rfc: None,
            before: &[],
        },
        Step::Begin => Words {
            title: "The login begins",
            text: "The browser asks the website to start. Before it answers, the website has \
                   something to do.",
            rfc: Some(Rfc(5849, "1.2")),
            before: &[],
        },
        Step::Temporary => Words {
            title: "“I am going to ask somebody”",
            text: "Who will ask, and where to answer: said past the browser, and signed, so that \
                   nobody on the way can put another address in.",
            rfc: Some(Rfc(5849, "2.1")),
            before: &["draws a nonce, looks at the clock", "signs with its client secret"],
        },
        Step::Authorize if again => Words {
            title: "The same question again",
            text: "Now that you have signed in, the browser comes with the very same name once \
                   more.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &[],
        },
        Step::Authorize => Words {
            title: "The browser names the question",
            text: "One parameter, and no secret in it. Who asks, for what, and where to answer, \
                   is known already.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &[],
        },
        Step::SignIn => Words {
            title: "Your password, to the provider",
            text: "The only message in this whole dance that holds your password. It does not \
                   touch the website.",
            rfc: Some(Rfc(5849, "4.7")),
            before: &[],
        },
        Step::Decide => Words { rfc: Some(Rfc(5849, "4.13")), ..shared::asked(step, act, request) },
        Step::Callback => Words {
            title: "The browser brings the verifier",
            text: "With it come the question’s name, and the cookie that holds the question’s \
                   secret. Someone else’s verifier, slipped into your browser, would not have it.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &[],
        },
        Step::Refused => Words {
            title: "The browser brings the refusal",
            text: "No verifier, only the question’s name and the reason.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &[],
        },
        Step::Redeem => Words {
            title: "The verifier is redeemed",
            text: "The website shows the verifier, and signs with two secrets: its own, and that \
                   of the question. Whoever saw the verifier go by in a browser has neither.",
            rfc: Some(Rfc(5849, "2.3")),
            before: &["this browser’s cookie opens", "it is the question that was asked"],
        },
        Step::Call if act == Some(Act::Later) => Words {
            title: "The call, signed anew",
            text: "The same token and the same secrets, another nonce, another time: so it is \
                   another signature. Compare it with the first.",
            rfc: Some(Rfc(5849, "3.3")),
            before: &[],
        },
        Step::Call if act == Some(Act::Revoke) => Words {
            title: "The same call once more",
            text: "Signed as well as ever: the website could have kept both secrets.",
            rfc: Some(Rfc(5849, "3.1")),
            before: &[],
        },
        Step::Call => Words {
            title: "A signed call",
            text: "It names the client and the token, and holds a signature over this very \
                   request. Open it to see how that comes about.",
            rfc: Some(Rfc(5849, "3.1")),
            before: &[],
        },
        Step::Revoke => Words {
            title: "Please forget this token",
            text: "The website hands the token back, in a request that is signed like the others. \
                   Only the client that it was given to can do this.",
            rfc: Some(Rfc(7009, "2.1")),
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
        (Step::Temporary, 200) => Words {
            title: "A name for the question",
            text: "And a secret, to sign the next request with. “Callback confirmed” is what the \
                   letter in OAuth 1.0a stands for: it has been noted where to answer, and no \
                   address bar can change it now.",
            rfc: Some(Rfc(5849, "2.1")),
            before: &[
                "the signature is right",
                "the nonce is new, the time is now",
                "the callback is registered",
            ],
        },
        (Step::Begin, 300..400) => Words {
            title: "Go and ask the provider",
            text: "The redirect holds the question’s name. Its secret stays with the website, \
                   which seals it into a cookie that only this browser gets.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &["the callback is confirmed"],
        },
        (Step::Authorize, 200) => Words {
            title: "“May they?”",
            text: "The consent page: who asks, and for what, in words. It is the very page of \
                   OAuth 2. What you are asked does not depend on the dance.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &["who you are: known", "still to ask: your consent"],
        },
        (Step::Authorize | Step::Decide, 300..400)
            if response.masked("oauth_verifier").is_some() =>
        {
            Words {
                title: "Here is a verifier",
                text: "It goes where the signed request said. Only who was here can bring it, so \
                       nobody can ask a question and have you answer it for them.",
                rfc: Some(Rfc(5849, "2.2")),
                before: &["notes who agreed to what", "draws a verifier for this question"],
            }
        }
        (Step::Authorize | Step::Decide, 300..400)
            if response.header("location").is_some_and(|to| to.contains("/sign-in")) =>
        {
            Words {
                title: "I do not know you yet",
                text: "The question is known, so it is kept; first the provider wants to know who \
                       is answering.",
                rfc: Some(Rfc(5849, "2.2")),
                before: &["this question was asked", "nobody has answered it yet"],
            }
        }
        (Step::Decide | Step::Authorize, 300..400) => Words {
            title: "The answer is no",
            text: "A refusal goes back to the same place as a verifier would. The website learns \
                   nothing about you.",
            rfc: Some(Rfc(5849, "2.2")),
            before: &[],
        },
        (Step::SignInPage, _) => {
            Words { rfc: Some(Rfc(5849, "4.14")), ..shared::answered(step, act, response) }
        }
        (Step::Callback, 200..400) => Words {
            title: "On to the page you wanted",
            text: "Token and secret stay with the website. The browser is sent on at once, so \
                   that the verifier stays in no history and in no Referer header.",
            rfc: None,
            before: &["puts both away, under your name"],
        },
        (Step::Redeem, 200) => Words {
            title: "A token, and its secret",
            text: "The token is a name, for every call from now on. The secret was sent here and \
                   is never sent again, by anyone.",
            rfc: Some(Rfc(5849, "2.3")),
            before: &[
                "the signature is right, the nonce is new",
                "the verifier is this question’s, and unused: now it is used",
            ],
        },
        (Step::Temporary | Step::Redeem, _) => Words {
            title: "No",
            text: "The provider refuses, and says what was wrong with the request. Nothing has \
                   been used up.",
            rfc: Some(Rfc(5849, "3.2")),
            before: &[],
        },
        (Step::Revoke, 200) => Words {
            title: "Forgotten",
            text: "The token is dead from this moment on, and with it everything that its secret \
                   could sign.",
            rfc: Some(Rfc(7009, "2.2")),
            before: &["the signature is right", "the token is this client’s"],
        },
        (Step::Call, 401) => Words {
            title: "This token opens nothing",
            text: "The proof: signed as well as a moment ago, for a token that is no more. The \
                   challenge in the header says how to ask.",
            rfc: Some(Rfc(5849, "3.2")),
            before: &["finds no such token"],
        },
        (Step::Call, 403) => Words {
            title: "Not with this token",
            text: "Signed well, but not for this: what you agreed to does not cover it.",
            rfc: Some(Rfc(5849, "3.2")),
            before: &[],
        },
        (Step::Call, 200..300) => Words {
            title: "Your photos",
            text: "Nothing but what you agreed to, and only to the one who can sign for it.",
            rfc: Some(Rfc(5849, "3.2")),
            before: &[
                "makes the base string from what arrived",
                "signs it as well: the same signature",
                "the nonce is new, the time is now",
            ],
        },
        (Step::Begin | Step::Callback | Step::Authorize | Step::Decide, _) if status != 409 => {
            Words {
                title: "A page that says what is wrong",
                text: "Nothing is sent on to anyone: it would not be safe to guess where to.",
                rfc: Some(Rfc(5849, "2.2")),
                before: &[],
            }
        }
        _ => shared::answered(step, act, response),
    }
}
