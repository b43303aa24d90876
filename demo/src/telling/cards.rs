//! The table of who saw which value, and the cards about protections, both made from the messages.

use serde::Serialize;

use super::{
    Link, Telling,
    book::{CardWords, Rfc},
};
use crate::{
    chip::{Chip, worth_following},
    dance::Dance,
    message::{Message, Party},
    value::{Kind, ValueId},
};

/// A value, and the parties that saw it.
#[derive(Debug, Serialize)]
pub(crate) struct Seen {
    chip: Chip,
    browser: bool,
    website: bool,
    provider: bool,
    /// The steps in which the value travelled.
    steps: Vec<usize>,
    remark: String,
}

/// A card about a protection, with the values of this dance.
#[derive(Debug, Serialize)]
pub(crate) struct Card {
    title: String,
    figure: Vec<Mark>,
    text: String,
    rfc: Link,
    steps: Vec<usize>,
}

/// An element of a figure.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Mark {
    Chip { chip: Chip },
    Word { word: String },
}

impl Mark {
    pub(super) fn word(word: &(impl ToString + ?Sized)) -> Self {
        Self::Word { word: word.to_string() }
    }
}

/// The values for the names in braces in the words of a card. Chips may be missing.
pub(super) type Values<'a> = &'a [(&'static str, Option<Mark>)];

impl CardWords {
    /// The card with these values.
    pub(super) fn card(&self, values: Values<'_>, steps: Vec<usize>) -> Card {
        let mark = |entry: &String| {
            let name = entry.strip_prefix('{').and_then(|entry| entry.strip_suffix('}'));
            match values.iter().find(|(known, _)| Some(*known) == name) {
                Some((_, mark)) => mark.clone(),
                None => Some(Mark::word(&filled(entry, values))),
            }
        };
        Card {
            title: self.title.clone(),
            figure: self.figure.iter().filter_map(mark).collect(),
            text: filled(&self.text, values),
            rfc: (&self.rfc).into(),
            steps,
        }
    }
}

/// The text with these words in the place of their names.
fn filled(text: &str, values: Values<'_>) -> String {
    values.iter().fold(text.to_owned(), |text, (name, mark)| match mark {
        Some(Mark::Word { word }) => text.replace(&format!("{{{name}}}"), word),
        Some(Mark::Chip { .. }) | None => text,
    })
}

/// Every value worth following, and who saw it: also a value that only signed, and travelled in no
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
            remark: telling.remark(*kind).to_owned(),
        })
    };
    rows.iter().filter_map(row).collect()
}

/// The first value of a kind, and its mark: the page shows one login only.
pub(super) fn find(dance: &Dance, kind: Kind) -> Option<(ValueId, Mark)> {
    let of_kind = |id: &ValueId| dance.value(*id).is_some_and(|value| value.kind == kind);
    let id = dance.messages().flat_map(Message::carries).find(of_kind)?;
    Some((id, Mark::Chip { chip: Chip::of(dance, id)? }))
}

/// The steps in which any of these values travelled.
pub(super) fn steps(dance: &Dance, ids: &[ValueId]) -> Vec<usize> {
    numbers(dance, |message| message.carries().iter().any(|carried| ids.contains(carried)))
}

/// The steps whose messages match.
pub(super) fn numbers(dance: &Dance, is_such: impl Fn(&Message) -> bool) -> Vec<usize> {
    let such = dance.messages().enumerate().filter(|(_, message)| is_such(message));
    such.map(|(index, _)| index + 1).collect()
}

/// The number of messages that the browser sent or got, and the number of those with a value of
/// these kinds.
pub(super) fn through_browser(dance: &Dance, kinds: &[Kind]) -> (usize, usize) {
    let front = || dance.messages().filter(|message| !message.is_back_channel());
    let holds = |message: &&Message| {
        let values = message.carries().into_iter().filter_map(|id| dance.value(id));
        values.into_iter().any(|value| kinds.contains(&value.kind))
    };
    (front().count(), front().filter(holds).count())
}

/// The card about the password, which both dances have. `rfc` is its section.
pub(super) fn password(dance: &Dance, words: &CardWords, rfc: &Rfc) -> Option<Card> {
    let (password, chip) = find(dance, Kind::Password)?;
    let card = words.card(&[("password", Some(chip))], steps(dance, &[password]));
    Some(Card { rfc: rfc.into(), ..card })
}
