//! What both dances have in common: the pages of both sites, the person who signs in and decides.

use super::{Act, Rfc, Step, Words};
use crate::{
    message::{Head, Message},
    value::Kind,
};

/// What is said about the request of an exchange.
pub(super) fn asked(step: Step, act: Option<Act>, request: &Message) -> Words {
    match (step, act) {
        (Step::Disconnect, _) => Words {
            title: "You press “disconnect”",
            text: "The website should give up its access, there and not only here.",
            rfc: None,
            before: &[],
        },
        (Step::Later, _) => Words {
            title: "You let an hour pass",
            text: "The clock of this demo is moved, for everybody in it. Nobody had to wait.",
            rfc: None,
            before: &[],
        },
        (Step::Page, Some(Act::Use)) => Words {
            title: "The page again",
            text: "The same page as in the beginning. This time the website has a token.",
            rfc: None,
            before: &[],
        },
        (Step::Page, _) => Words {
            title: "You open a page",
            text: "An ordinary request. The website knows you by a cookie of its own, and by \
                   nothing else.",
            rfc: None,
            before: &[],
        },
        (Step::SignInPage, _) => Words {
            title: "Please sign in",
            text: "This page is the provider’s. Look at the address bar before you type a \
                   password: that is what it is for.",
            rfc: None,
            before: &[],
        },
        (Step::Decide, _) if request.parameter("decision").as_deref() == Some("deny") => Words {
            title: "You say no",
            text: "Your answer, from a form that only this browser could have sent.",
            rfc: Some(Rfc(6749, "4.1.2.1")),
            before: &[],
        },
        (Step::Decide, _) => Words {
            title: "You say yes",
            text: "Your answer, with the scopes that you ticked, from a form that only this \
                   browser could have sent.",
            rfc: Some(Rfc(6749, "10.12")),
            before: &[],
        },
        _ => OTHER,
    }
}

/// What is said about the response of an exchange.
pub(super) fn answered(step: Step, act: Option<Act>, response: &Message) -> Words {
    let Head::Response { status } = response.head else { return OTHER };
    match (step, status) {
        (_, 500..) => Words {
            title: "Something broke",
            text: "An error of the one who answers, not of the one who asked.",
            rfc: None,
            before: &[],
        },
        (Step::Page, 300..400) if act == Some(Act::Ask) => Words {
            title: "One moment please",
            text: "The website needs your photos and has no token for them yet: it sends the \
                   browser off to get one.",
            rfc: None,
            before: &[],
        },
        (Step::Page | Step::Later | Step::Disconnect, 300..400) => Words {
            title: "Done",
            text: "The browser is sent on to the next page.",
            rfc: None,
            before: &[],
        },
        (Step::Page | Step::Later | Step::Disconnect, _) => Words {
            title: "The page",
            text: "Finished HTML. The browser gets to see what the website made of the answer, and \
                   no token.",
            rfc: None,
            before: &[],
        },
        (Step::Decide, 409) => Words {
            title: "Already answered",
            text: "The form had been answered before. The question is not asked twice.",
            rfc: None,
            before: &[],
        },
        (Step::Refused, _) => Words {
            title: "So there is nothing to see",
            text: "The website says so, and offers a way on. You may think again: nothing was lost, \
                   and nothing was given.",
            rfc: None,
            before: &[],
        },
        (Step::SignInPage, _) => Words {
            title: "A form",
            text: "Plain HTML. No other site can show it in a frame, and its form is only taken \
                   from the browser that opened it.",
            rfc: Some(Rfc(6749, "10.13")),
            before: &[],
        },
        (Step::SignIn, 300..400) => Words {
            title: "Welcome",
            text: "A new session cookie, for the provider’s own pages. On with the question that \
                   was asked.",
            rfc: None,
            before: &["Argon2id of the password matches"],
        },
        (Step::SignIn, _) => Words {
            title: "That was not it",
            text: "The same words, and the same time, whether the name or the password was wrong.",
            rfc: None,
            before: &[],
        },
        _ => OTHER,
    }
}

const OTHER: Words =
    Words { title: "Something else", text: "Not a step of OAuth.", rfc: None, before: &[] };

/// What a parameter, header or member is for.
pub(super) fn note(name: &str) -> &'static str {
    match name {
        "content-security-policy" => "What the page may do: no script, no frames, forms only home.",
        "cookie" => "What this browser was given by this very site.",
        "decision" => "The button that you pressed.",
        "limit" => "The API’s own: how many.",
        "location" => "Where the browser goes next.",
        "password" => "Masked even here.",
        "photos" => "Yours. SVG drawings, made by a few lines of code.",
        "set-cookie" => "For this site only; scripts cannot read it.",
        "state" => "Comes back unchanged. Sealed, and tied to a cookie of this browser.",
        "www-authenticate" => "What is wrong, in a form that programs understand.",
        "refresh" => {
            "Where the browser goes next, by its own decision: so the strictest cookies come along."
        }
        _ => "",
    }
}

/// What is said about a value where it is told who saw it.
pub(super) const fn remark(kind: Kind) -> &'static str {
    match kind {
        Kind::Password => "The website never sees it. That is what OAuth is for.",
        Kind::State => "Sealed: only the website can read it.",
        Kind::LoginCookie => "Binds the state to this browser.",
        _ => "",
    }
}
