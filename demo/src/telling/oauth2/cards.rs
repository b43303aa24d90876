//! The cards about the protections of OAuth 2.

use serde::Deserialize;

use super::super::{
    Card,
    book::CardWords,
    cards::{Mark, find, password, steps, through_browser},
};
use crate::{dance::Dance, message::Head, value::Kind};

/// The words on the cards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cards {
    pkce: CardWords,
    state: CardWords,
    issuer: CardWords,
    code: CardWords,
    tokens: CardWords,
}

impl Cards {
    /// The cards of this dance.
    pub(super) fn of(&self, dance: &Dance, shared: &CardWords) -> Vec<Card> {
        let cards = [
            password(dance, shared, &shared.rfc),
            self.pkce(dance),
            self.state(dance),
            self.issuer(dance),
            self.code(dance),
            self.tokens(dance),
        ];
        cards.into_iter().flatten().collect()
    }

    fn pkce(&self, dance: &Dance) -> Option<Card> {
        let (challenge, challenge_chip) = find(dance, Kind::Challenge)?;
        let (verifier, verifier_chip) = find(dance, Kind::Verifier)?;
        let values = [("verifier", Some(verifier_chip)), ("challenge", Some(challenge_chip))];
        Some(self.pkce.card(&values, steps(dance, &[challenge, verifier])))
    }

    fn state(&self, dance: &Dance) -> Option<Card> {
        let (state, chip) = find(dance, Kind::State)?;
        let (_, cookie) = find(dance, Kind::LoginCookie)?;
        let values = [("state", Some(chip)), ("login_cookie", Some(cookie))];
        Some(self.state.card(&values, steps(dance, &[state])))
    }

    fn issuer(&self, dance: &Dance) -> Option<Card> {
        let (number, issuer) =
            dance.messages().enumerate().find_map(|(index, message)| match message.head {
                Head::Request { .. } => Some((index + 1, message.parameter("iss")?)),
                Head::Response { .. } => None,
            })?;
        Some(self.issuer.card(&[("issuer", Some(Mark::word(&issuer)))], vec![number]))
    }

    fn code(&self, dance: &Dance) -> Option<Card> {
        let (code, chip) = find(dance, Kind::Code)?;
        Some(self.code.card(&[("code", Some(chip))], steps(dance, &[code])))
    }

    fn tokens(&self, dance: &Dance) -> Option<Card> {
        let (token, chip) = find(dance, Kind::AccessToken)?;
        let (all, with_token) = through_browser(dance, &[Kind::AccessToken, Kind::RefreshToken]);
        let values = [
            ("access_token", Some(chip)),
            ("all", Some(Mark::word(&all))),
            ("with_token", Some(Mark::word(&with_token))),
        ];
        Some(self.tokens.card(&values, steps(dance, &[token])))
    }
}
