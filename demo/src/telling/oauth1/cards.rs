//! The cards about the protections of OAuth 1.0a.

use serde::Deserialize;

use super::super::{
    Card,
    book::{CardWords, Rfc},
    cards::{Mark, find, numbers, password, steps, through_browser},
};
use crate::{
    chip::Chip,
    dance::Dance,
    message::{Message, Signed},
    value::Kind,
};

/// The words on the cards.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Cards {
    not_one: String,
    signature: CardWords,
    secrets: CardWords,
    once: CardWords,
    callback: CardWords,
    verifier: CardWords,
    cookie: CardWords,
}

impl Cards {
    /// The cards of this dance.
    pub(super) fn of(&self, dance: &Dance, shared: &CardWords, rfc: &Rfc) -> Vec<Card> {
        let cards = [
            password(dance, shared, rfc),
            self.signature(dance),
            self.secrets(dance),
            self.once(dance),
            self.callback(dance),
            self.verifier(dance),
            self.cookie(dance),
        ];
        cards.into_iter().flatten().collect()
    }

    fn signature(&self, dance: &Dance) -> Option<Card> {
        let signed = telling(dance)?;
        let chip = |id| Some(Mark::Chip { chip: Chip::of(dance, id)? });
        let values = [
            ("algorithm", Some(Mark::word(signed.algorithm))),
            ("client_secret", signed.client_secret.and_then(chip)),
            ("token_secret", signed.token_secret.and_then(chip)),
            ("signature", signed.signature.and_then(chip)),
        ];
        let steps = numbers(dance, |message| message.signed.is_some());
        Some(self.signature.card(&values, steps))
    }

    fn secrets(&self, dance: &Dance) -> Option<Card> {
        let (secret, chip) = find(dance, Kind::TokenSecret)?;
        let brought = steps(dance, &[secret]);
        let made =
            numbers(dance, |message| signs(message, |signed| signed.token_secret == Some(secret)));
        let kinds = [Kind::TokenSecret, Kind::TemporarySecret];
        let (all, with_secret) = through_browser(dance, &kinds);
        let with_secret = match with_secret {
            0 => self.not_one.clone(),
            some => some.to_string(),
        };
        let values = [
            ("token_secret", Some(chip)),
            ("sent", Some(Mark::word(&brought.len()))),
            ("signed", Some(Mark::word(&made.len()))),
            ("all", Some(Mark::word(&all))),
            ("with_secret", Some(Mark::word(&with_secret))),
        ];
        Some(self.secrets.card(&values, brought))
    }

    fn once(&self, dance: &Dance) -> Option<Card> {
        let (_, chip) = find(dance, Kind::Nonce)?;
        let signed = numbers(dance, |message| message.signed.is_some());
        let values = [("nonce", Some(chip)), ("signed", Some(Mark::word(&signed.len())))];
        Some(self.once.card(&values, signed))
    }

    fn callback(&self, dance: &Dance) -> Option<Card> {
        let said = "oauth_callback_confirmed";
        let confirmed = numbers(dance, |message| message.parameter(said).is_some());
        (!confirmed.is_empty()).then(|| self.callback.card(&[], confirmed))
    }

    fn verifier(&self, dance: &Dance) -> Option<Card> {
        let (verifier, chip) = find(dance, Kind::OAuthVerifier)?;
        let (_, secret) = find(dance, Kind::TemporarySecret)?;
        let values = [("verifier", Some(chip)), ("temporary_secret", Some(secret))];
        Some(self.verifier.card(&values, steps(dance, &[verifier])))
    }

    fn cookie(&self, dance: &Dance) -> Option<Card> {
        let (_, question) = find(dance, Kind::TemporaryToken)?;
        let (cookie, chip) = find(dance, Kind::LoginCookie)?;
        let values = [("temporary_token", Some(question)), ("login_cookie", Some(chip))];
        Some(self.cookie.card(&values, steps(dance, &[cookie])))
    }
}

/// The signed request that shows most: a call, if there is one.
fn telling(dance: &Dance) -> Option<&Signed> {
    let signed = || dance.messages().filter_map(|message| message.signed.as_ref());
    let kind = |signed: &Signed| dance.value(signed.token_secret?).map(|value| value.kind);
    let call = signed().find(|signed| kind(signed) == Some(Kind::TokenSecret));
    call.or_else(|| signed().last())
}

fn signs(message: &Message, is_such: impl Fn(&Signed) -> bool) -> bool {
    message.signed.as_ref().is_some_and(is_such)
}
