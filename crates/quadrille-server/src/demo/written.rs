//! Writes a message out: line by line, with its masked values and a note on what each is for.

use serde::Serialize;

use super::{
    dance::{Body, Dance, Field, Head, Kind, Message, Piece, ValueId},
    explain,
};

/// A part of a message, written out.
#[derive(Debug, Serialize)]
pub(super) struct Group {
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
    pub(super) kind: &'static str,
    name: String,
    shown: String,
    length: usize,
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

pub(super) fn worth_following(dance: &Dance, id: ValueId) -> Option<Chip> {
    let kind = dance.value(id)?.kind;
    (!matches!(kind, Kind::Session | Kind::Other)).then(|| Chip::of(dance, id)).flatten()
}

/// What stands on the arrow: the first line of the message, and what it is about.
pub(super) fn label(message: &Message) -> (String, String) {
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

/// The message, line by line, with a note on each.
pub(super) fn groups(dance: &Dance, message: &Message) -> Vec<Group> {
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
