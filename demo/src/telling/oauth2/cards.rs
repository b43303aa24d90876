//! What kept it safe.

use super::super::{
    Card, Rfc,
    cards::{Mark, find, password, steps, through_browser},
};
use crate::{dance::Dance, message::Head, value::Kind};

/// What kept it safe.
pub(super) fn cards(dance: &Dance) -> Vec<Card> {
    let cards = [
        password(dance, Rfc(6749, "1")),
        pkce(dance),
        state(dance),
        issuer(dance),
        code(dance),
        tokens(dance),
    ];
    cards.into_iter().flatten().collect()
}

fn pkce(dance: &Dance) -> Option<Card> {
    let (challenge, challenge_chip) = find(dance, Kind::Challenge)?;
    let (verifier, verifier_chip) = find(dance, Kind::Verifier)?;
    Some(Card::new(
        "PKCE: the hash goes first, the secret last",
        [Mark::word("SHA-256("), verifier_chip, Mark::word(") ="), challenge_chip],
        "Whoever steals the code on its way through the browser cannot redeem it: the hash was \
         visible to all, and nobody gets from it to the verifier.",
        Rfc(7636, "4.6"),
        steps(dance, &[challenge, verifier]),
    ))
}

fn state(dance: &Dance) -> Option<Card> {
    let (state, chip) = find(dance, Kind::State)?;
    let (_, cookie) = find(dance, Kind::LoginCookie)?;
    Some(Card::new(
        "state: the answer belongs to this browser",
        [chip, Mark::word("opens only with"), cookie],
        "The state went out through the address bar, the cookie stayed in the browser. An answer \
         counts only where both meet again, so that nobody can log you in as somebody else.",
        Rfc(6749, "10.12"),
        steps(dance, &[state]),
    ))
}

fn issuer(dance: &Dance) -> Option<Card> {
    let (number, issuer) =
        dance.messages().enumerate().find_map(|(index, message)| match message.head {
            Head::Request { .. } => Some((index + 1, message.parameter("iss")?)),
            Head::Response { .. } => None,
        })?;
    Some(Card::new(
        "iss: it is this provider that answers",
        [Mark::word(format!("iss = {issuer}"))],
        "The answer names who gives it, and that is whom the website asked. A website that knows \
         several providers is not tricked into showing one’s code to another.",
        Rfc(9207, "2.4"),
        vec![number],
    ))
}

fn code(dance: &Dance) -> Option<Card> {
    let (code, chip) = find(dance, Kind::Code)?;
    Some(Card::new(
        "The code is good once",
        [chip, Mark::word("→ used up")],
        "It left the provider, came through the browser, and was redeemed. Should it be shown \
         again, by anyone, the provider takes back what it bought.",
        Rfc(6749, "4.1.2"),
        steps(dance, &[code]),
    ))
}

fn tokens(dance: &Dance) -> Option<Card> {
    let (token, chip) = find(dance, Kind::AccessToken)?;
    let (all, with_token) = through_browser(dance, &[Kind::AccessToken, Kind::RefreshToken]);
    Some(Card::new(
        "Tokens stay in the back channel",
        [chip, Mark::word("never in the browser")],
        format!(
            "Your browser sent or received {all} messages in this dance. {with_token} of them held \
             a token."
        ),
        Rfc(9700, "2.1.2"),
        steps(dance, &[token]),
    ))
}
