//! Draws a [`Dance`]: a sequence diagram whose arrows open to the messages behind them.
//!
//! The drawing is a pure function from messages to HTML and SVG. Positions are percentages, so the
//! drawing follows the width of the page while its text keeps its size. `<details>` elements open
//! and radio buttons filter, so no script is needed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    chapters::{Known, exchanges},
    chip::{Chip, worth_following},
    dance::Dance,
    message::{Exchange, Head, Message, Party},
    proof::Proof,
    telling::{self, Book, Card, Link, Seen, Step},
    value::Kind,
    written::{Group, Writer, label},
};

/// The values of the template `dance.html`.
#[derive(Debug, Serialize)]
pub(super) struct Diagram {
    /// `OAuth 1.0a` or `OAuth 2`.
    name: &'static str,
    lead: String,
    rows: Vec<Row>,
    follow: Vec<Follow>,
    seen: Vec<Seen>,
    cards: Vec<Card>,
    messages: usize,
    past_browser: usize,
}

#[derive(Debug, Serialize)]
struct Row {
    number: usize,
    act: Option<Chapter>,
    title: String,
    text: String,
    rfc: Option<Link>,
    /// `browser`, `website` or `provider`.
    from: &'static str,
    to: &'static str,
    from_name: &'static str,
    to_name: &'static str,
    from_x: &'static str,
    to_x: &'static str,
    rightwards: bool,
    /// Whether the arrow crosses the line of the website, between browser and provider.
    crosses: bool,
    back: bool,
    request: bool,
    label: String,
    detail: String,
    chips: Vec<Chip>,
    /// Classes that the radio buttons filter by.
    kinds: Vec<&'static str>,
    before: Vec<String>,
    bars: Vec<Bar>,
    groups: Vec<Group>,
    proof: Option<Proof>,
    further: Vec<String>,
    partner: Option<usize>,
    /// The seconds that the user took before this message.
    pause: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Chapter {
    number: usize,
    #[serde(flatten)]
    words: telling::Chapter,
}

/// A stretch of a life line in which its party works.
#[derive(Debug, Serialize)]
struct Bar {
    x: &'static str,
    /// `start`, `through` or `end`.
    part: &'static str,
}

#[derive(Debug, Serialize)]
struct Follow {
    kind: &'static str,
    name: &'static str,
}

impl Diagram {
    pub(super) fn of(dance: &Dance, book: &Book) -> Self {
        let protocol = dance.protocol();
        let writer = Writer { dance, telling: book.of(protocol) };
        let exchanges = exchanges(dance);
        let mut rows = Vec::new();
        let mut chapter = None;
        let mut chapters = 0;
        let mut before: Option<&Message> = None;
        let mut open: Vec<Exchange> = Vec::new();
        let mut authorized = false;
        let numbers = numbers(dance);
        for (index, message) in dance.messages().enumerate() {
            let Some(known) = exchanges.get(&message.exchange) else { continue };
            let mut row = Row::of(writer, index + 1, message, known, authorized);
            authorized |= known.step == Step::Authorize && !message.is_request();
            if known.act != chapter {
                chapter = known.act;
                chapters += 1;
                row.act = chapter.map(|act| {
                    let words = writer.telling.chapter(act).clone();
                    Chapter { number: chapters, words }
                });
            }
            row.partner = numbers.get(&(message.exchange, !message.is_request())).copied();
            row.bars = bars(&mut open, message, &exchanges);
            row.pause = before
                .filter(|before| before.to == Party::Browser && message.from == Party::Browser)
                .map(|before| (message.at.millis() - before.at.millis()) / 1000)
                .filter(|seconds| (2..86_400).contains(seconds));
            before = Some(message);
            rows.push(row);
        }
        let messages = rows.len();
        let past_browser = rows.iter().filter(|row| row.back).count();
        Self {
            name: protocol.name(),
            lead: writer.telling.lead().to_owned(),
            follow: follow(dance),
            seen: telling::seen(dance, writer.telling),
            cards: writer.telling.cards(dance),
            messages,
            past_browser,
            rows,
        }
    }
}

fn numbers(dance: &Dance) -> BTreeMap<(Exchange, bool), usize> {
    let number =
        |(index, message): (usize, &Message)| ((message.exchange, message.is_request()), index + 1);
    dance.messages().enumerate().map(number).collect()
}

fn bars(
    open: &mut Vec<Exchange>,
    message: &Message,
    exchanges: &BTreeMap<Exchange, Known>,
) -> Vec<Bar> {
    let mut bars = Vec::new();
    for exchange in open.iter().filter(|exchange| **exchange != message.exchange) {
        if let Some(known) = exchanges.get(exchange) {
            bars.push(Bar { x: lane(known.to), part: "through" });
        }
    }
    if message.is_request() {
        open.push(message.exchange);
        bars.push(Bar { x: lane(message.to), part: "start" });
    } else {
        open.retain(|exchange| *exchange != message.exchange);
        bars.push(Bar { x: lane(message.from), part: "end" });
    }
    bars
}

fn follow(dance: &Dance) -> Vec<Follow> {
    let mut kinds: Vec<Kind> = dance
        .messages()
        .flat_map(Message::carries)
        .filter_map(|id| dance.value(id).map(|value| value.kind))
        .filter(|kind| kind.is_worth_following())
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(|kind| Follow { kind: kind.slug(), name: kind.name() }).collect()
}

impl Row {
    fn of(
        writer: Writer<'_>,
        number: usize,
        message: &Message,
        known: &Known,
        again: bool,
    ) -> Self {
        let words = match &message.head {
            Head::Request { .. } => writer.telling.asked(known.step, known.act, message, again),
            Head::Response { .. } => writer.telling.answered(known.step, known.act, message),
        };
        let carried = message.carries();
        let chips: Vec<Chip> =
            carried.iter().filter_map(|id| worth_following(writer.dance, *id)).collect();
        let mut kinds: Vec<&'static str> = chips.iter().map(|chip| chip.kind).collect();
        kinds.dedup();
        let (label, detail) = label(message);
        Self {
            number,
            act: None,
            title: words.title,
            text: words.text,
            rfc: words.rfc.as_ref().map(Link::from),
            from: class(message.from),
            to: class(message.to),
            from_name: message.from.name(),
            to_name: message.to.name(),
            from_x: lane(message.from),
            to_x: lane(message.to),
            rightwards: message.from < message.to,
            crosses: message.from != Party::Website && message.to != Party::Website,
            back: message.is_back_channel(),
            request: message.is_request(),
            label,
            detail,
            chips,
            kinds,
            before: words.before,
            bars: Vec::new(),
            groups: writer.groups(message),
            proof: message.signed.as_ref().map(|signed| Proof::of(writer, message, signed)),
            further: message.further_headers.clone(),
            partner: None,
            pause: None,
        }
    }
}

const fn lane(party: Party) -> &'static str {
    match party {
        Party::Browser => "16.667%",
        Party::Website => "50%",
        Party::Provider => "83.333%",
    }
}

const fn class(party: Party) -> &'static str {
    match party {
        Party::Browser => "browser",
        Party::Website => "website",
        Party::Provider => "provider",
    }
}
