//! What kept the dance safe, read off the messages themselves.

use std::borrow::Cow;

use serde::Serialize;

use super::{
    dance::{Dance, Head, Kind, Message, Party, ValueId},
    diagram::Link,
    explain::Rfc,
    written::{Chip, worth_following},
};

/// Who got to see a value.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    chip: Chip,
    browser: bool,
    website: bool,
    provider: bool,
    /// The steps in which it travelled.
    steps: Vec<usize>,
    remark: &'static str,
}

/// One of the things that keep it safe, with the values of this dance.
#[derive(Debug, Serialize)]
pub(super) struct Card {
    title: &'static str,
    figure: Vec<Mark>,
    text: String,
    rfc: Link,
    steps: Vec<usize>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Mark {
    Chip { chip: Chip },
    Word { word: Cow<'static, str> },
}

impl Mark {
    fn word(word: impl Into<Cow<'static, str>>) -> Self {
        Self::Word { word: word.into() }
    }
}

/// Every value worth following, and who saw it.
pub(super) fn seen(dance: &Dance) -> Vec<Seen> {
    let mut ids: Vec<ValueId> = Vec::new();
    for id in dance.messages().flat_map(Message::carries) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    let row = |id: &ValueId| {
        let chip = worth_following(dance, *id)?;
        let met = |party: Party| {
            dance.messages().any(|message| {
                (message.from == party || message.to == party) && message.carries().contains(id)
            })
        };
        let kind = dance.value(*id)?.kind;
        Some(Seen {
            chip,
            browser: met(Party::Browser),
            website: met(Party::Website),
            provider: met(Party::Provider),
            steps: steps(dance, *id),
            remark: remark(kind),
        })
    };
    let mut seen: Vec<(Kind, Seen)> =
        ids.iter().filter_map(|id| Some((dance.value(*id)?.kind, row(id)?))).collect();
    seen.sort_by_key(|(kind, _)| order(*kind));
    seen.into_iter().map(|(_, seen)| seen).collect()
}

/// What keeps it safe.
pub(super) fn cards(dance: &Dance) -> Vec<Card> {
    let find = |kind| find(dance, kind);
    let chip = |id: Option<ValueId>| id.and_then(|id| Chip::of(dance, id));
    let both = |one: Option<ValueId>, two: Option<ValueId>| {
        let mut all: Vec<usize> =
            [one, two].into_iter().flatten().flat_map(|id| steps(dance, id)).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let mut cards = Vec::new();
    if let Some(password) = find(Kind::Password)
        && let Some(password_chip) = chip(Some(password))
    {
        cards.push(Card {
            title: "Your password stays where it belongs",
            figure: vec![Mark::Chip { chip: password_chip }, Mark::word("→ the provider, only")],
            text: "You typed it once, on the provider’s own page. The website cannot lose what it \
                   never had, and you can take its access away without changing it."
                .into(),
            rfc: Link::of(Rfc(6749, "1")),
            steps: steps(dance, password),
        });
    }
    let (verifier, challenge) = (find(Kind::Verifier), find(Kind::Challenge));
    if let (Some(verifier_chip), Some(challenge_chip)) = (chip(verifier), chip(challenge)) {
        cards.push(Card {
            title: "PKCE: the hash goes first, the secret last",
            figure: vec![
                Mark::word("SHA-256("),
                Mark::Chip { chip: verifier_chip },
                Mark::word(") ="),
                Mark::Chip { chip: challenge_chip },
            ],
            text: "Whoever steals the code on its way through the browser cannot redeem it: the \
                   hash was visible to all, and nobody gets from it to the verifier."
                .into(),
            rfc: Link::of(Rfc(7636, "4.6")),
            steps: both(challenge, verifier),
        });
    }
    let (state, cookie) = (find(Kind::State), find(Kind::LoginCookie));
    if let (Some(state_chip), Some(cookie_chip)) = (chip(state), chip(cookie)) {
        cards.push(Card {
            title: "state: the answer belongs to this browser",
            figure: vec![
                Mark::Chip { chip: state_chip },
                Mark::word("opens only with"),
                Mark::Chip { chip: cookie_chip },
            ],
            text: "The state went out through the address bar, the cookie stayed in the browser. \
                   An answer counts only where both meet again, so that nobody can log you in as \
                   somebody else."
                .into(),
            rfc: Link::of(Rfc(6749, "10.12")),
            steps: steps_of(dance, state),
        });
    }
    if let Some((number, issuer)) = issuer(dance) {
        cards.push(Card {
            title: "iss: it is this provider that answers",
            figure: vec![Mark::word(format!("iss = {issuer}"))],
            text: "The answer names who gives it, and that is whom the website asked. A website \
                   that knows several providers is not tricked into showing one’s code to another."
                .into(),
            rfc: Link::of(Rfc(9207, "2.4")),
            steps: vec![number],
        });
    }
    if let Some(code) = find(Kind::Code)
        && let Some(code_chip) = chip(Some(code))
    {
        let travelled = steps(dance, code);
        cards.push(Card {
            title: "The code is good once",
            figure: vec![Mark::Chip { chip: code_chip }, Mark::word("→ used up")],
            text: "It left the provider, came through the browser, and was redeemed. Should it be \
                   shown again, by anyone, the provider takes back what it bought."
                .into(),
            rfc: Link::of(Rfc(6749, "4.1.2")),
            steps: travelled,
        });
    }
    if let Some(token) = find(Kind::AccessToken)
        && let Some(token_chip) = chip(Some(token))
    {
        let through_browser = dance
            .messages()
            .filter(|message| !message.is_back_channel())
            .filter(|message| message.carries().iter().any(|id| is_token(dance, *id)))
            .count();
        let front = dance.messages().filter(|message| !message.is_back_channel()).count();
        cards.push(Card {
            title: "Tokens stay in the back channel",
            figure: vec![Mark::Chip { chip: token_chip }, Mark::word("never in the browser")],
            text: format!(
                "Your browser sent or received {front} messages in this dance. {through_browser} \
                 of them held a token."
            ),
            rfc: Link::of(Rfc(9700, "2.1.2")),
            steps: steps(dance, token),
        });
    }
    cards
}

fn is_token(dance: &Dance, id: ValueId) -> bool {
    dance
        .value(id)
        .is_some_and(|value| matches!(value.kind, Kind::AccessToken | Kind::RefreshToken))
}

/// The first of its kind: there is one login in what is shown.
fn find(dance: &Dance, kind: Kind) -> Option<ValueId> {
    let of_kind = |id: &ValueId| dance.value(*id).is_some_and(|value| value.kind == kind);
    dance.messages().flat_map(Message::carries).find(of_kind)
}

fn steps_of(dance: &Dance, id: Option<ValueId>) -> Vec<usize> {
    id.map(|id| steps(dance, id)).unwrap_or_default()
}

fn steps(dance: &Dance, id: ValueId) -> Vec<usize> {
    dance
        .messages()
        .enumerate()
        .filter(|(_, message)| message.carries().contains(&id))
        .map(|(index, _)| index + 1)
        .collect()
}

fn issuer(dance: &Dance) -> Option<(usize, String)> {
    dance.messages().enumerate().find_map(|(index, message)| match message.head {
        Head::Request { .. } => Some((index + 1, message.parameter("iss")?)),
        Head::Response { .. } => None,
    })
}

/// What you would guard most comes first.
const fn order(kind: Kind) -> u8 {
    match kind {
        Kind::Password => 0,
        Kind::State => 1,
        Kind::LoginCookie => 2,
        Kind::Challenge => 3,
        Kind::Code => 4,
        Kind::Verifier => 5,
        Kind::ClientSecret => 6,
        Kind::AccessToken => 7,
        Kind::RefreshToken => 8,
        Kind::Session | Kind::Other => 9,
    }
}

const fn remark(kind: Kind) -> &'static str {
    match kind {
        Kind::Password => "The website never sees it. That is what OAuth is for.",
        Kind::State => "Sealed: only the website can read it.",
        Kind::LoginCookie => "Binds the state to this browser.",
        Kind::Challenge => "A hash: everybody may see it.",
        Kind::Code => "Passes through the browser, so it is worth little.",
        Kind::Verifier => "Shown once, at the very end.",
        Kind::ClientSecret => "Says which website is calling.",
        Kind::AccessToken => "Opens the API.",
        Kind::RefreshToken => "Gets the next access token.",
        Kind::Session | Kind::Other => "",
    }
}
