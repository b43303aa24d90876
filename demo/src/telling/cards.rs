//! Who saw what, and what kept it safe: read off the messages themselves.

use std::borrow::Cow;

use serde::Serialize;

use super::{Link, Rfc, Telling};
use crate::{
    chip::{Chip, worth_following},
    dance::Dance,
    message::{Message, Party},
    value::{Kind, ValueId},
};

/// Who got to see a value.
#[derive(Debug, Serialize)]
pub(crate) struct Seen {
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
pub(crate) struct Card {
    title: &'static str,
    figure: Vec<Mark>,
    text: Cow<'static, str>,
    rfc: Link,
    steps: Vec<usize>,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Mark {
    Chip { chip: Chip },
    Word { word: Cow<'static, str> },
}

impl Mark {
    pub(super) fn word(word: impl Into<Cow<'static, str>>) -> Self {
        Self::Word { word: word.into() }
    }
}

impl Card {
    pub(super) fn new(
        title: &'static str,
        figure: impl Into<Vec<Mark>>,
        text: impl Into<Cow<'static, str>>,
        rfc: Rfc,
        steps: Vec<usize>,
    ) -> Self {
        Self { title, figure: figure.into(), text: text.into(), rfc: rfc.into(), steps }
    }
}

/// Every value worth following, and who saw it: also those that only signed, and travelled in no
/// message. Of values that each message has anew, the first stands for all.
pub(crate) fn seen(dance: &Dance, telling: &dyn Telling) -> Vec<Seen> {
    let mut rows: Vec<(Kind, Vec<ValueId>)> = Vec::new();
    let carried = dance.messages().flat_map(Message::carries);
    let signing = dance.messages().filter_map(|message| message.signed.as_ref()?.client_secret);
    for id in carried.chain(signing) {
        let Some(kind) = dance.value(id).map(|value| value.kind) else { continue };
        let same = |(known, ids): &&mut (Kind, Vec<ValueId>)| {
            ids.contains(&id) || (*known == kind && kind.is_of_one_message())
        };
        match rows.iter_mut().find(same) {
            Some((_, ids)) => ids.push(id),
            None => rows.push((kind, vec![id])),
        }
    }
    rows.sort_by_key(|(kind, _)| *kind);
    let row = |(kind, ids): &(Kind, Vec<ValueId>)| {
        let carrying =
            |message: &&Message| message.carries().iter().any(|carried| ids.contains(carried));
        let met = |party: Party| {
            let between = |message: &Message| message.from == party || message.to == party;
            dance.messages().filter(carrying).any(between)
        };
        Some(Seen {
            chip: worth_following(dance, *ids.first()?)?,
            browser: met(Party::Browser),
            website: met(Party::Website),
            provider: met(Party::Provider),
            steps: steps(dance, ids),
            remark: telling.remark(*kind),
        })
    };
    rows.iter().filter_map(row).collect()
}

/// The first of its kind, and how it is drawn: there is one login in what is shown.
pub(super) fn find(dance: &Dance, kind: Kind) -> Option<(ValueId, Mark)> {
    let of_kind = |id: &ValueId| dance.value(*id).is_some_and(|value| value.kind == kind);
    let id = dance.messages().flat_map(Message::carries).find(of_kind)?;
    Some((id, Mark::Chip { chip: Chip::of(dance, id)? }))
}

/// The steps in which any of these values travelled.
pub(super) fn steps(dance: &Dance, ids: &[ValueId]) -> Vec<usize> {
    numbers(dance, |message| message.carries().iter().any(|carried| ids.contains(carried)))
}

/// The steps whose message is such a one.
pub(super) fn numbers(dance: &Dance, is_such: impl Fn(&Message) -> bool) -> Vec<usize> {
    let such = dance.messages().enumerate().filter(|(_, message)| is_such(message));
    such.map(|(index, _)| index + 1).collect()
}

/// How many messages the browser sent or got, and how many of them held one of these.
pub(super) fn through_browser(dance: &Dance, kinds: &[Kind]) -> (usize, usize) {
    let front = || dance.messages().filter(|message| !message.is_back_channel());
    let holds = |message: &&Message| {
        let values = message.carries().into_iter().filter_map(|id| dance.value(id));
        values.into_iter().any(|value| kinds.contains(&value.kind))
    };
    (front().count(), front().filter(holds).count())
}

/// The card that both dances have.
pub(super) fn password(dance: &Dance, rfc: Rfc) -> Option<Card> {
    let (password, chip) = find(dance, Kind::Password)?;
    Some(Card::new(
        "Your password stays where it belongs",
        [chip, Mark::word("→ the provider, only")],
        "You typed it once, on the provider’s own page. The website cannot lose what it never had, \
         and you can take its access away without changing it.",
        rfc,
        steps(dance, &[password]),
    ))
}
