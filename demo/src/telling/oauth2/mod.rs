//! OAuth 2.0 with PKCE: a code, and tokens that whoever bears them may use.

mod cards;
mod notes;
mod words;

use super::{Act, Card, Step, Telling, Words};
use crate::{dance::Dance, message::Message, value::Kind};

/// See [`Telling`].
pub(super) struct OAuth2;

impl Telling for OAuth2 {
    fn lead(&self) -> &'static str {
        ""
    }

    fn chapter(&self, act: Act) -> (&'static str, &'static str) {
        match act {
            Act::Ask | Act::Prepare => (
                "You ask for something",
                "The website would like to see your photos, which live at the provider. It does \
                 not ask for your password. It sends you there, with a note of what it wants.",
            ),
            Act::SignIn => (
                "You say who you are, to the provider only",
                "How you prove who you are is between you and the provider. The website is not \
                 there, and OAuth does not say how it is done.",
            ),
            Act::Consent => (
                "You decide",
                "The provider tells you who asks and for what. If you agree, your browser carries \
                 back a code: a claim check, not yet the coat.",
            ),
            Act::Redeem => (
                "The code becomes a token, behind the browser’s back",
                "Whatever passes through a browser can end up in its history, in a log or in an \
                 extension. So the thing of value is handed over on a line of its own.",
            ),
            Act::Use => (
                "The website uses the token",
                "The access token opens one drawer, for a while. It is not your password, and the \
                 API checks what it is good for at every call.",
            ),
            Act::Later => (
                "Time passes: a fresh token",
                "Access tokens are short-lived, so that a lost one soon is worth nothing. A refresh \
                 token gets the next one without bothering you.",
            ),
            Act::Revoke => (
                "You take it back",
                "Access that was given can be taken away, at once, without changing a password.",
            ),
        }
    }

    fn asked(&self, step: Step, act: Option<Act>, request: &Message, again: bool) -> Words {
        words::asked(step, act, request, again)
    }

    fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words {
        words::answered(step, act, response)
    }

    fn note(&self, name: &str, message: &Message) -> &'static str {
        notes::note(name, message)
    }

    fn remark(&self, kind: Kind) -> &'static str {
        notes::remark(kind)
    }

    fn cards(&self, dance: &Dance) -> Vec<Card> {
        cards::cards(dance)
    }
}
