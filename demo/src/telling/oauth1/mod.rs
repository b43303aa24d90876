//! OAuth 1.0a (RFC 5849): no token opens anything by itself, every request is signed.

mod cards;
mod notes;
mod words;

use super::{Act, Card, Step, Telling, Words};
use crate::{dance::Dance, message::Message, value::Kind};

/// See [`Telling`].
pub(super) struct OAuth1;

impl Telling for OAuth1 {
    fn lead(&self) -> &'static str {
        "This is the older dance. Nobody hands a token over for others to use: each request is \
         signed, with secrets that stay at home."
    }

    fn chapter(&self, act: Act) -> (&'static str, &'static str) {
        match act {
            Act::Ask => (
                "You ask for something",
                "The website would like to see your photos, which live at the provider. It does \
                 not ask for your password.",
            ),
            Act::Prepare => (
                "The question is put down at the provider",
                "Before your browser goes anywhere, the website says, in a signed request of its \
                 own, that it will ask and where to answer. It gets a name for the question, and a \
                 secret that goes with it: temporary credentials.",
            ),
            Act::SignIn => (
                "You say who you are, to the provider only",
                "How you prove who you are is between you and the provider. The website is not \
                 there, and OAuth does not say how it is done.",
            ),
            Act::Consent => (
                "You decide",
                "The provider tells you who asks and for what. If you agree, your browser carries \
                 back a verifier: a sign that whoever comes with it is the one who said yes.",
            ),
            Act::Redeem => (
                "The verifier becomes a token, and a secret to sign with",
                "Behind the browser’s back, signed with two secrets. What comes back is a pair: a \
                 token, to be named, and its secret, which is on the wire this one time.",
            ),
            Act::Use => (
                "The website signs what it asks",
                "The token says whose photos it is about. It opens nothing: what counts is the \
                 signature, and that fits one request, once.",
            ),
            Act::Later => (
                "Time passes: signed anew",
                "Nothing has to be refreshed. What was signed an hour ago is worth nothing to \
                 anybody now, and the next request is signed like the first.",
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
