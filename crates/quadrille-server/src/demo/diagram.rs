//! Draws a [`Dance`]: a sequence diagram whose arrows open to the messages behind them.
//!
//! A pure function from messages to HTML and SVG. Positions are percentages, so that the drawing
//! follows the width of the page while its text keeps its size; everything that opens is a
//! `<details>` and everything that filters a radio button, so that no script is needed.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    dance::{Body, Dance, Exchange, Field, Head, Kind, Message, Party, Piece, ValueId},
    explain::{self, Act, Rfc, Step},
    safety::{self, Card, Seen},
};

/// What the template `dance.html` draws.
#[derive(Debug, Serialize)]
pub(super) struct Diagram {
    rows: Vec<Row>,
    follow: Vec<Follow>,
    seen: Vec<Seen>,
    cards: Vec<Card>,
    messages: usize,
    past_browser: usize,
    milliseconds: i64,
    tokens: bool,
}

#[derive(Debug, Serialize)]
struct Row {
    number: usize,
    act: Option<Chapter>,
    title: &'static str,
    text: &'static str,
    rfc: Option<Link>,
    /// `browser`, `website` or `provider`.
    from: &'static str,
    to: &'static str,
    from_name: &'static str,
    to_name: &'static str,
    from_x: &'static str,
    to_x: &'static str,
    rightwards: bool,
    /// Between browser and provider, over the website's line.
    crosses: bool,
    back: bool,
    request: bool,
    label: String,
    detail: String,
    chips: Vec<Chip>,
    /// Classes that the radio buttons filter by.
    kinds: Vec<&'static str>,
    before: &'static [&'static str],
    bars: Vec<Bar>,
    groups: Vec<Group>,
    further: Vec<String>,
    partner: Option<usize>,
    /// Seconds that the person took before this.
    pause: Option<i64>,
}

#[derive(Debug, Serialize)]
struct Chapter {
    number: usize,
    title: &'static str,
    text: &'static str,
}

/// A stretch of a life line on which its party is at work.
#[derive(Debug, Serialize)]
struct Bar {
    x: &'static str,
    /// `start`, `through` or `end`.
    part: &'static str,
}

/// A part of a message, written out.
#[derive(Debug, Serialize)]
struct Group {
    name: &'static str,
    lines: Vec<Line>,
}

#[derive(Debug, Serialize)]
struct Line {
    /// What stands before the name: `?`, `&` or nothing.
    mark: &'static str,
    name: String,
    /// `: `, `=` or nothing.
    joint: &'static str,
    value: Vec<Part>,
    inner: bool,
    note: &'static str,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Part {
    Text { text: String },
    Chip { chip: Chip },
}

/// A masked value, as it is drawn.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Chip {
    kind: &'static str,
    name: String,
    shown: String,
    length: usize,
}

/// A section of an RFC.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Link {
    text: String,
    url: String,
}

#[derive(Debug, Serialize)]
struct Follow {
    kind: &'static str,
    name: &'static str,
}

impl Diagram {
    pub(super) fn of(dance: &Dance) -> Self {
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
            let mut row = Row::of(dance, index + 1, message, known, authorized);
            authorized |= known.step == Step::Authorize && !message.is_request();
            if known.act != chapter {
                chapter = known.act;
                chapters += 1;
                row.act = chapter.map(|act| Chapter {
                    number: chapters,
                    title: act.title(),
                    text: act.text(),
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
        let first = dance.messages().next().map_or(0, |message| message.at.millis());
        let last = dance.messages().next_back().map_or(0, |message| message.at.millis());
        Self {
            follow: follow(dance),
            seen: safety::seen(dance),
            cards: safety::cards(dance),
            messages,
            past_browser,
            milliseconds: last - first,
            tokens: rows.iter().any(|row| row.kinds.contains(&Kind::AccessToken.slug())),
            rows,
        }
    }
}

/// An exchange, and what was found out about it.
struct Known {
    step: Step,
    act: Option<Act>,
    to: Party,
    front: bool,
}

fn exchanges(dance: &Dance) -> BTreeMap<Exchange, Known> {
    let mut known = BTreeMap::new();
    let mut under_way: Vec<(Exchange, Vec<Step>)> = Vec::new();
    for message in dance.messages() {
        if message.is_request() {
            let step = explain::step(message);
            for (_, within) in &mut under_way {
                within.push(step);
            }
            under_way.push((message.exchange, Vec::new()));
            let act = explain::act(step, &[], None);
            known.insert(
                message.exchange,
                Known { step, act, to: message.to, front: !message.is_back_channel() },
            );
        } else if let Some(at) = under_way.iter().position(|(one, _)| *one == message.exchange) {
            let (_, within) = under_way.remove(at);
            if let Some(exchange) = known.get_mut(&message.exchange) {
                exchange.act = explain::act(exchange.step, &within, Some(message));
            }
        }
    }
    settle(dance, &mut known);
    known
}

/// A page that does nothing by itself leads to the next chapter; what happens while the website
/// answers the browser belongs to the same one.
fn settle(dance: &Dance, known: &mut BTreeMap<Exchange, Known>) {
    let mut next = None;
    for exchange in known.values_mut().rev().filter(|exchange| exchange.front) {
        next = exchange.act.or(next);
        exchange.act = next;
    }
    let mut last = None;
    for exchange in known.values_mut().filter(|exchange| exchange.front) {
        last = exchange.act.or(last);
        exchange.act = last;
    }
    let mut outer: Option<(Exchange, Option<Act>)> = None;
    for message in dance.messages() {
        match outer {
            Some((exchange, _)) if exchange == message.exchange => outer = None,
            Some((_, act)) => {
                if let Some(inner) = known.get_mut(&message.exchange)
                    && message.is_back_channel()
                {
                    inner.act = act;
                }
            }
            None if message.is_request() && message.to == Party::Website => {
                let act = known.get(&message.exchange).and_then(|exchange| exchange.act);
                outer = Some((message.exchange, act));
            }
            None => {}
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
        .filter(|kind| !matches!(kind, Kind::Session | Kind::Other))
        .collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.into_iter().map(|kind| Follow { kind: kind.slug(), name: kind.name() }).collect()
}

impl Row {
    fn of(dance: &Dance, number: usize, message: &Message, known: &Known, again: bool) -> Self {
        let words = match &message.head {
            Head::Request { .. } => explain::asked(known.step, known.act, message, again),
            Head::Response { .. } => explain::answered(known.step, known.act, message),
        };
        let carried = message.carries();
        let chips: Vec<Chip> =
            carried.iter().filter_map(|id| worth_following(dance, *id)).collect();
        let mut kinds: Vec<&'static str> = chips.iter().map(|chip| chip.kind).collect();
        kinds.dedup();
        let (label, detail) = label(message);
        Self {
            number,
            act: None,
            title: words.title,
            text: words.text,
            rfc: words.rfc.map(Link::of),
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
            groups: groups(dance, message),
            further: message.further_headers.clone(),
            partner: None,
            pause: None,
        }
    }
}

impl Chip {
    /// A masked value, as it is drawn.
    pub(super) fn of(dance: &Dance, id: ValueId) -> Option<Self> {
        let value = dance.value(id)?;
        let name = match (value.kind, value.ordinal) {
            (Kind::AccessToken | Kind::RefreshToken, 2..) => {
                format!("{} {}", value.kind.name(), value.ordinal)
            }
            _ => value.kind.name().to_owned(),
        };
        Some(Self {
            kind: value.kind.slug(),
            name,
            shown: value.shown.clone(),
            length: value.length,
        })
    }
}

impl Link {
    pub(super) fn of(Rfc(rfc, section): Rfc) -> Self {
        Self {
            text: format!("RFC {rfc}, section {section}"),
            url: format!("https://www.rfc-editor.org/rfc/rfc{rfc}#section-{section}"),
        }
    }
}

pub(super) fn worth_following(dance: &Dance, id: ValueId) -> Option<Chip> {
    let kind = dance.value(id)?.kind;
    (!matches!(kind, Kind::Session | Kind::Other)).then(|| Chip::of(dance, id)).flatten()
}

/// What stands on the arrow: the first line of the message, and what it is about.
fn label(message: &Message) -> (String, String) {
    let (label, detail) = match &message.head {
        Head::Request { method, path, .. } => {
            (format!("{method} {path}"), message.parameter("grant_type"))
        }
        Head::Response { status } => {
            let reason = http::StatusCode::from_u16(*status).ok();
            let reason = reason.and_then(|status| status.canonical_reason()).unwrap_or_default();
            let next = message.header("location").or_else(|| message.header("refresh"));
            let detail = match (&message.body, next) {
                (_, Some(location)) => Some(format!("→ {}", path_of(&location))),
                (Body::Page { title, .. }, _) => Some(format!("“{title}”")),
                _ => message.parameter("error"),
            };
            (format!("{status} {reason}"), detail)
        }
    };
    (label, detail.unwrap_or_default())
}

/// The host is in the opened message; the arrow says where it points.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/') {
        Some(at) => rest.get(at..).unwrap_or(rest),
        None => rest,
    }
}

fn groups(dance: &Dance, message: &Message) -> Vec<Group> {
    let mut groups = Vec::new();
    if let Head::Request { method, path, query } = &message.head {
        let mut lines = vec![Line {
            mark: "",
            name: format!("{method} {path}"),
            joint: "",
            value: Vec::new(),
            inner: false,
            note: "",
        }];
        lines.extend(parameters(dance, message, query, true));
        groups.push(Group { name: "request", lines });
    }
    if let Head::Response { .. } = &message.head {
        let (label, _) = label(message);
        let line =
            Line { mark: "", name: label, joint: "", value: Vec::new(), inner: false, note: "" };
        groups.push(Group { name: "response", lines: vec![line] });
    }
    let mut lines = Vec::new();
    for header in &message.headers {
        lines.push(line(dance, message, header, ("", ": "), false));
        let parameters = header.name == "location";
        for (index, inner) in header.within.iter().enumerate() {
            let mark = match (parameters, index) {
                (true, 0) => "?",
                (true, _) => "&",
                (false, _) => "",
            };
            lines.push(line(dance, message, inner, (mark, "="), true));
        }
    }
    groups.push(Group { name: "headers", lines });
    match &message.body {
        Body::Form(fields) => {
            groups.push(Group { name: "body", lines: parameters(dance, message, fields, false) });
        }
        Body::Json(fields) => groups.push(Group {
            name: "body",
            lines: fields
                .iter()
                .map(|field| line(dance, message, field, ("", ": "), false))
                .collect(),
        }),
        other => {
            if let Some(summary) = explain::summary(other) {
                let line = Line {
                    mark: "",
                    name: String::new(),
                    joint: "",
                    value: vec![Part::Text { text: summary }],
                    inner: false,
                    note: "",
                };
                groups.push(Group { name: "body", lines: vec![line] });
            }
        }
    }
    groups.retain(|group| !group.lines.is_empty());
    groups
}

fn parameters(dance: &Dance, message: &Message, fields: &[Field], query: bool) -> Vec<Line> {
    let mark = |index| match (query, index) {
        (true, 0) => "?",
        (false, 0) => "",
        _ => "&",
    };
    let line = |(index, field)| line(dance, message, field, (mark(index), "="), query);
    fields.iter().enumerate().map(line).collect()
}

fn line(
    dance: &Dance,
    message: &Message,
    field: &Field,
    (mark, joint): (&'static str, &'static str),
    inner: bool,
) -> Line {
    let part = |piece: &Piece| match piece {
        Piece::Plain(text) => Some(Part::Text { text: text.clone() }),
        Piece::Masked(id) => Chip::of(dance, *id).map(|chip| Part::Chip { chip }),
    };
    Line {
        mark,
        name: field.name.clone(),
        joint,
        value: field.value.iter().filter_map(part).collect(),
        inner,
        note: explain::note(&field.name, message),
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
