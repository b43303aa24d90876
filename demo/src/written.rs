//! The text of a message: line by line, with its masked values and a note on each name.

use serde::Serialize;

use super::{
    chip::Chip,
    dance::Dance,
    message::{Body, Field, Head, Message, Piece},
    telling::Telling,
};

/// A part of a message, as lines.
#[derive(Debug, Serialize)]
pub(super) struct Group {
    name: &'static str,
    lines: Vec<Line>,
}

/// A line of a group.
#[derive(Debug, Serialize)]
pub(super) struct Line {
    /// The mark before the name: `?`, `&` or nothing.
    mark: &'static str,
    name: String,
    /// The joint between name and value: `: `, `=` or nothing.
    joint: &'static str,
    value: Vec<Part>,
    inner: bool,
    note: String,
}

/// A stretch of text.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub(super) enum Part {
    Text { text: String },
    Chip { chip: Chip },
}

/// The label of an arrow: the first line of the message, and its subject.
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

/// The path of a URL. The arrow already shows the host.
fn path_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    match rest.find('/') {
        Some(at) => rest.get(at..).unwrap_or(rest),
        None => rest,
    }
}

/// The writer of the messages of a dance.
#[derive(Clone, Copy)]
pub(super) struct Writer<'a> {
    pub(super) dance: &'a Dance,
    pub(super) telling: &'a dyn Telling,
}

impl Writer<'_> {
    /// The lines of a message, with a note on each.
    pub(super) fn groups(self, message: &Message) -> Vec<Group> {
        let mut groups = Vec::new();
        match &message.head {
            Head::Request { method, path, query } => {
                let mut lines = vec![Line::alone(format!("{method} {path}"))];
                lines.extend(self.parameters(message, query, true));
                groups.push(Group { name: "request", lines });
            }
            Head::Response { .. } => {
                let (label, _) = label(message);
                groups.push(Group { name: "response", lines: vec![Line::alone(label)] });
            }
        }
        let headers = message.headers.iter().flat_map(|header| self.header(message, header));
        groups.push(Group { name: "headers", lines: headers.collect() });
        let body = match &message.body {
            Body::Form(fields) => self.parameters(message, fields, false),
            Body::Json(fields) => {
                let line = |field| self.line(message, field, ("", ": "), false);
                fields.iter().map(line).collect()
            }
            other => summary(other).map(Line::told).into_iter().collect(),
        };
        groups.push(Group { name: "body", lines: body });
        groups.retain(|group| !group.lines.is_empty());
        groups
    }

    fn header(self, message: &Message, header: &Field) -> Vec<Line> {
        let mut lines = vec![self.line(message, header, ("", ": "), false)];
        for (index, inner) in header.within.iter().enumerate() {
            let mark = match (header.name.as_str(), index) {
                ("location", 0) => "?",
                ("location", _) => "&",
                _ => "",
            };
            lines.push(self.line(message, inner, (mark, "="), true));
        }
        lines
    }

    fn parameters(self, message: &Message, fields: &[Field], query: bool) -> Vec<Line> {
        let mark = |index| match (query, index) {
            (true, 0) => "?",
            (false, 0) => "",
            _ => "&",
        };
        let line = |(index, field)| self.line(message, field, (mark(index), "="), query);
        fields.iter().enumerate().map(line).collect()
    }

    /// A line for one field, with a mark before it, and a joint between name and value.
    pub(super) fn line(
        self,
        message: &Message,
        field: &Field,
        (mark, joint): (&'static str, &'static str),
        inner: bool,
    ) -> Line {
        Line {
            mark,
            name: field.name.clone(),
            joint,
            value: self.text(&field.value),
            inner,
            note: self.telling.note(&field.name, message).to_owned(),
        }
    }

    /// A text, with its masked stretches.
    pub(super) fn text(self, pieces: &[Piece]) -> Vec<Part> {
        let part = |piece: &Piece| match piece {
            Piece::Plain(text) => Some(Part::Text { text: text.clone() }),
            Piece::Masked(id) => Chip::of(self.dance, *id).map(|chip| Part::Chip { chip }),
        };
        pieces.iter().filter_map(part).collect()
    }
}

impl Line {
    /// A start line.
    fn alone(name: String) -> Self {
        Self { mark: "", name, joint: "", value: Vec::new(), inner: false, note: String::new() }
    }

    /// A line in the demo's own words.
    fn told(text: String) -> Self {
        let value = vec![Part::Text { text }];
        Self { mark: "", name: String::new(), joint: "", value, inner: false, note: String::new() }
    }
}

/// A line that sums up a body.
fn summary(body: &Body) -> Option<String> {
    match body {
        Body::Page { title, bytes } => Some(format!("“{title}”, {bytes} bytes of HTML")),
        Body::Opaque { content_type, bytes } if content_type.is_empty() => {
            Some(format!("{bytes} bytes"))
        }
        Body::Opaque { content_type, bytes } => Some(format!("{bytes} bytes of {content_type}")),
        Body::Empty | Body::Form(_) | Body::Json(_) => None,
    }
}
