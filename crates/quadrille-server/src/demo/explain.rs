//! Words for each step of a dance: what it is, why it is, and where it is written down.

use super::dance::{Body, Head, Message, Party};

/// A chapter of the dance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Ask,
    SignIn,
    Consent,
    Redeem,
    Use,
    Refresh,
    Revoke,
}

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A page of the website.
    Page,
    /// The website begins a login.
    Begin,
    /// The authorization request.
    Authorize,
    SignInPage,
    SignIn,
    /// The answer on the consent page.
    Decide,
    /// The authorization response.
    Callback,
    Redeem,
    Refresh,
    Revoke,
    /// A call of the provider's API.
    Call,
    Other,
}

/// A section of an RFC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rfc(pub(super) u16, pub(super) &'static str);

/// What is said about one arrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Words {
    pub(super) title: &'static str,
    pub(super) text: &'static str,
    pub(super) rfc: Option<Rfc>,
    /// What its sender did before it was sent.
    pub(super) before: &'static [&'static str],
}

impl Act {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Ask => "You ask for something",
            Self::SignIn => "You say who you are, to the provider only",
            Self::Consent => "You decide",
            Self::Redeem => "The code becomes a token, behind the browser’s back",
            Self::Use => "The website uses the token",
            Self::Refresh => "Time passes: a fresh token",
            Self::Revoke => "You take it back",
        }
    }

    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Ask => {
                "The website would like to see your photos, which live at the provider. It does \
                 not ask for your password. It sends you there, with a note of what it wants."
            }
            Self::SignIn => {
                "How you prove who you are is between you and the provider. The website is not \
                 there, and OAuth does not say how it is done."
            }
            Self::Consent => {
                "The provider tells you who asks and for what. If you agree, your browser carries \
                 back a code: a claim check, not yet the coat."
            }
            Self::Redeem => {
                "Whatever passes through a browser can end up in its history, in a log or in an \
                 extension. So the thing of value is handed over on a line of its own."
            }
            Self::Use => {
                "The access token opens one drawer, for a while. It is not your password, and the \
                 API checks what it is good for at every call."
            }
            Self::Refresh => {
                "Access tokens are short-lived, so that a lost one soon is worth nothing. A refresh \
                 token gets the next one without bothering you."
            }
            Self::Revoke => {
                "Access that was given can be taken away, at once, without changing a password."
            }
        }
    }
}

/// What an exchange is for.
pub(super) fn step(request: &Message) -> Step {
    let Head::Request { method, path, .. } = &request.head else { return Step::Other };
    let post = method == "POST";
    match (request.to, path.as_str()) {
        (Party::Provider, "/oauth/authorize") => Step::Authorize,
        (Party::Provider, "/oauth/consent") => Step::Decide,
        (Party::Provider, "/oauth/revoke") => Step::Revoke,
        (Party::Provider, "/oauth/token") => match request.parameter("grant_type").as_deref() {
            Some("authorization_code") => Step::Redeem,
            Some("refresh_token") => Step::Refresh,
            _ => Step::Other,
        },
        (Party::Provider, "/sign-in") if post => Step::SignIn,
        (Party::Provider, "/sign-in") => Step::SignInPage,
        (Party::Provider, path) if path.starts_with("/api/") => Step::Call,
        (Party::Website, path) if path.starts_with("/login/") => {
            let answered = request.parameter("code").or_else(|| request.parameter("error"));
            if answered.is_some() { Step::Callback } else { Step::Begin }
        }
        (Party::Website, _) => Step::Page,
        _ => Step::Other,
    }
}

/// The chapter an exchange belongs to, if it can be told from it alone. `within` are the steps taken
/// while it was under way.
pub(super) fn act(step: Step, within: &[Step], response: Option<&Message>) -> Option<Act> {
    Some(match step {
        Step::Begin => Act::Ask,
        Step::Authorize => match response.map(|response| &response.head) {
            Some(Head::Response { status: 200 }) => Act::Consent,
            _ if response.is_some_and(|response| response.masked("code").is_some()) => Act::Consent,
            _ => Act::Ask,
        },
        Step::SignInPage | Step::SignIn => Act::SignIn,
        Step::Decide => Act::Consent,
        Step::Callback | Step::Redeem => Act::Redeem,
        Step::Call => Act::Use,
        Step::Refresh => Act::Refresh,
        Step::Revoke => Act::Revoke,
        Step::Page | Step::Other => {
            if within.contains(&Step::Revoke) {
                Act::Revoke
            } else if within.contains(&Step::Refresh) {
                Act::Refresh
            } else if within.contains(&Step::Redeem) {
                Act::Redeem
            } else if within.contains(&Step::Call) {
                Act::Use
            } else {
                return None;
            }
        }
    })
}

/// What a parameter, header or member is for.
pub(super) fn note(name: &str, message: &Message) -> &'static str {
    let back = message.is_back_channel();
    match name {
        "access_token" => "Opens the API. Whoever holds it can use it, so hardly anyone does.",
        "authorization" if message.parameter("grant_type").is_some() => {
            "The website proves that it is this client."
        }
        "authorization" if back && message.parameter("token").is_some() => {
            "The website proves that it is this client."
        }
        "authorization" => "The token, where it belongs: not in the address.",
        "cache-control" if back => "A token is not for caches.",
        "client_id" => "Who is asking. Not a secret.",
        "code" => "The claim check: once, for a minute, for this client.",
        "code_challenge" => "The hash of a secret. It can be shown to anyone.",
        "code_challenge_method" => "How it was hashed. “plain” would be refused.",
        "code_verifier" => "The secret itself: hash it and compare.",
        "content-security-policy" => "What the page may do: no script, no frames, forms only home.",
        "cookie" => "What this browser was given by this very site.",
        "decision" => "The button that you pressed.",
        "error" => "Why there is no code.",
        "expires_in" => "In seconds.",
        "grant_type" => "What is being traded for a token.",
        "iss" => "Who is answering. An answer from anyone else is thrown away.",
        "location" => "Where the browser goes next.",
        "refresh" => {
            "Where the browser goes next, by its own decision: so the strictest cookies come along."
        }
        "password" => "Masked even here.",
        "photos" => "Yours. SVG drawings, made by a few lines of code.",
        "redirect_uri" if back => "Must be the one of the authorization request.",
        "redirect_uri" => "Where to answer. Must be registered, to the letter.",
        "refresh_token" => "Gets the next access token. Changes at every use.",
        "response_type" => "“A code, please, no token through the browser.”",
        "scope" => "What it is about, and no more.",
        "set-cookie" => "For this site only; scripts cannot read it.",
        "state" => "Comes back unchanged. Sealed, and tied to a cookie of this browser.",
        "token" => "The one to forget.",
        "token_type" => "Whoever bears it may use it.",
        "www-authenticate" => "What is wrong, in a form that programs understand.",
        _ => "",
    }
}

/// A line that sums a body up.
pub(super) fn summary(body: &Body) -> Option<String> {
    match body {
        Body::Page { title, bytes } => Some(format!("“{title}”, {bytes} bytes of HTML")),
        Body::Opaque { content_type, bytes } if content_type.is_empty() => {
            Some(format!("{bytes} bytes"))
        }
        Body::Opaque { content_type, bytes } => Some(format!("{bytes} bytes of {content_type}")),
        Body::Empty | Body::Form(_) | Body::Json(_) => None,
    }
}
