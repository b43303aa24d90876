//! What kept it safe.

use super::super::{
    Card, Rfc,
    cards::{Mark, find, numbers, password, steps, through_browser},
};
use crate::{
    chip::Chip,
    dance::Dance,
    message::{Message, Signed},
    value::Kind,
};

/// What kept it safe.
pub(super) fn cards(dance: &Dance) -> Vec<Card> {
    let cards = [
        password(dance, Rfc(5849, "1")),
        signature(dance),
        secrets(dance),
        once(dance),
        callback(dance),
        verifier(dance),
        cookie(dance),
    ];
    cards.into_iter().flatten().collect()
}

/// The signed request that says most: a call, if there is one.
fn telling(dance: &Dance) -> Option<&Signed> {
    let signed = || dance.messages().filter_map(|message| message.signed.as_ref());
    let kind = |signed: &Signed| dance.value(signed.token_secret?).map(|value| value.kind);
    let call = signed().find(|signed| kind(signed) == Some(Kind::TokenSecret));
    call.or_else(|| signed().last())
}

fn signature(dance: &Dance) -> Option<Card> {
    let signed = telling(dance)?;
    let chip = |id| Some(Mark::Chip { chip: Chip::of(dance, id)? });
    let mut figure = vec![Mark::word(format!("{}(", signed.algorithm))];
    figure.extend(signed.client_secret.and_then(chip));
    figure.push(Mark::word("&"));
    figure.extend(signed.token_secret.and_then(chip));
    figure.push(Mark::word(", what is asked) ="));
    figure.extend(signed.signature.and_then(chip));
    Some(Card::new(
        "Signed, not handed over",
        figure,
        "Whoever overhears a request has one signature, which fits that request. For any other, \
         even for one letter of the address, it takes the secrets.",
        Rfc(5849, "3.4"),
        numbers(dance, |message| message.signed.is_some()),
    ))
}

fn secrets(dance: &Dance) -> Option<Card> {
    let (secret, chip) = find(dance, Kind::TokenSecret)?;
    let brought = steps(dance, &[secret]);
    let made =
        numbers(dance, |message| signs(message, |signed| signed.token_secret == Some(secret)));
    let (all, with_secret) = through_browser(dance, &[Kind::TokenSecret, Kind::TemporarySecret]);
    let with_secret = if with_secret == 0 { "not one".to_owned() } else { with_secret.to_string() };
    Some(Card::new(
        "The secrets stay at home",
        [chip, Mark::word(format!("sent: {} · signed: {}", brought.len(), made.len()))],
        format!(
            "The token secret was sent when it was given, and never again. The client secret was \
             in no message at all. Of the {all} messages that your browser sent or received, \
             {with_secret} held a secret that signs."
        ),
        Rfc(5849, "4.6"),
        brought,
    ))
}

fn signs(message: &Message, is_such: impl Fn(&Signed) -> bool) -> bool {
    message.signed.as_ref().is_some_and(is_such)
}

fn once(dance: &Dance) -> Option<Card> {
    let (_, chip) = find(dance, Kind::Nonce)?;
    let signed = numbers(dance, |message| message.signed.is_some());
    Some(Card::new(
        "A nonce and the time: taken once",
        [chip, Mark::word("+ oauth_timestamp → used up")],
        format!(
            "{} requests were signed, each with a nonce of its own. The provider remembers them, \
             once the signature was right, for as long as their time is near enough to now. The \
             same request, sent again by a listener, is refused.",
            signed.len()
        ),
        Rfc(5849, "3.3"),
        signed,
    ))
}

fn callback(dance: &Dance) -> Option<Card> {
    let said = "oauth_callback_confirmed";
    let confirmed = numbers(dance, |message| message.parameter(said).is_some());
    (!confirmed.is_empty()).then(|| {
        Card::new(
            "The callback is confirmed beforehand",
            [Mark::word("oauth_callback_confirmed=true")],
            "Where to answer is said in a signed request, before any browser is involved. In the \
             first OAuth 1.0 it stood in the address that the browser opens, where anybody could \
             write another.",
            Rfc(5849, "2.1"),
            confirmed,
        )
    })
}

fn cookie(dance: &Dance) -> Option<Card> {
    let (_, question) = find(dance, Kind::TemporaryToken)?;
    let (cookie, chip) = find(dance, Kind::LoginCookie)?;
    Some(Card::new(
        "The answer belongs to this browser",
        [question, Mark::word("counts only with"), chip],
        "The question’s name went through the address bar, its secret stayed in a cookie, sealed. \
         An answer counts only where both meet again, so that nobody can log you in as somebody else.",
        Rfc(5849, "4.13"),
        steps(dance, &[cookie]),
    ))
}

fn verifier(dance: &Dance) -> Option<Card> {
    let (verifier, chip) = find(dance, Kind::OAuthVerifier)?;
    let (_, secret) = find(dance, Kind::TemporarySecret)?;
    Some(Card::new(
        "The verifier: who said yes is who comes back",
        [chip, Mark::word("is good only with"), secret],
        "Somebody could ask a question and have you answer it. But the verifier is in your browser \
         then, and not in theirs. And whoever picks it up on the way lacks the secret to sign with.",
        Rfc(5849, "2.3"),
        steps(dance, &[verifier]),
    ))
}
