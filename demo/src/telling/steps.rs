//! The step and the chapter of an exchange. Paths tell both dances apart.

use super::{Act, Step};
use crate::message::{Head, Message, Party};

/// The step of an exchange.
pub(crate) fn step(request: &Message) -> Step {
    let Head::Request { method, path, .. } = &request.head else { return Step::Other };
    let post = method == "POST";
    match (request.to, path.as_str()) {
        (Party::Provider, "/oauth/request_token") => Step::Temporary,
        (Party::Provider, "/oauth/authorize") => Step::Authorize,
        (Party::Provider, "/oauth/consent") => Step::Decide,
        (Party::Provider, "/oauth/access_token") => Step::Redeem,
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
            let has = |names: [&str; 2]| names.iter().any(|name| request.parameter(name).is_some());
            if has(["code", "oauth_verifier"]) {
                Step::Callback
            } else if has(["error", "oauth_problem"]) {
                Step::Refused
            } else {
                Step::Begin
            }
        }
        (Party::Website, path) if path.ends_with("/later") => Step::Later,
        (Party::Website, path) if path.ends_with("/disconnect") => Step::Disconnect,
        (Party::Website, _) => Step::Page,
        (Party::Provider | Party::Browser, _) => Step::Other,
    }
}

/// The chapter of an exchange, if the exchange alone tells it. `within` has the steps taken while
/// the exchange was under way.
pub(crate) fn act(step: Step, within: &[Step], response: Option<&Message>) -> Option<Act> {
    let within = |step| within.contains(&step);
    Some(match step {
        Step::Begin if within(Step::Temporary) => Act::Prepare,
        Step::Begin => Act::Ask,
        Step::Temporary => Act::Prepare,
        Step::Authorize if response.is_some_and(|response| asks(response) || answers(response)) => {
            Act::Consent
        }
        Step::SignInPage | Step::SignIn => Act::SignIn,
        Step::Decide | Step::Refused => Act::Consent,
        Step::Callback | Step::Redeem => Act::Redeem,
        Step::Call => Act::Use,
        Step::Later | Step::Refresh => Act::Later,
        Step::Disconnect | Step::Revoke => Act::Revoke,
        Step::Page if response.is_some_and(sends_to_login) => Act::Ask,
        Step::Page if within(Step::Refresh) => Act::Later,
        Step::Page if within(Step::Call) => Act::Use,
        Step::Authorize | Step::Page | Step::Other => return None,
    })
}

fn asks(response: &Message) -> bool {
    matches!(response.head, Head::Response { status: 200 })
}

fn answers(response: &Message) -> bool {
    response.masked("code").is_some() || response.masked("oauth_verifier").is_some()
}

fn sends_to_login(response: &Message) -> bool {
    response.header("location").is_some_and(|to| to.contains("/login/"))
}
