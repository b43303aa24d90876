//! The secrets in a text of any kind, by the names beside them.

use std::ops::Range;

use base64::{Engine as _, prelude::BASE64_STANDARD};

use super::{
    disguise::decoded,
    names::{Rule, is_credential, is_likely, is_placeholder},
};

/// The names of members and attributes whose value is a name, such as those of a hidden field.
const LABELS: [&str; 7] = ["name", "key", "id", "property", "type", "header", "field"];

/// The names of members and attributes with the value that belongs to such a name.
pub(super) const VALUES: [&str; 4] = ["value", "values", "content", "val"];

/// The most characters between the name and the value of a field.
const FIELD: usize = 4096;

/// Whether a member with this name contains a name.
pub(super) fn is_label(name: &str) -> bool {
    LABELS.contains(&&*name.to_ascii_lowercase())
}

/// A secret in a text.
#[derive(Debug, PartialEq)]
pub(super) struct Spot {
    pub(super) range: Range<usize>,
    /// The name for its placeholder.
    pub(super) name: String,
    /// The secret without the encoding that it has in the text.
    pub(super) value: String,
}

/// The secrets in a text, in their order.
pub(super) fn spots(text: &str, rule: &dyn Fn(&str) -> Option<Rule>) -> Vec<Spot> {
    let mut scan = Scan { text, rule, found: Vec::new() };
    let mut before = ' ';
    for (start, char) in text.char_indices() {
        if is_name(char) && !is_name(before) {
            scan.word(start);
        }
        before = char;
    }
    for (at, _) in text.match_indices("://") {
        scan.user_info(at + 3);
    }
    for (at, _) in text.match_indices("-----BEGIN ") {
        scan.private_key(at);
    }
    scan.webhooks();
    let mut found = scan.found;
    found.sort_by_key(|spot| (spot.range.start, usize::MAX - spot.range.end));
    let mut end = 0;
    found.retain(|spot| {
        let is_after = spot.range.start >= end;
        if is_after {
            end = spot.range.end;
        }
        is_after
    });
    found
}

pub(super) const fn is_name(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '_' | '-' | '.')
}

/// Whether a character is one of a token (RFC 9110, section 11.2).
const fn is_token(char: char) -> bool {
    is_name(char) || matches!(char, '~' | '+' | '/' | '=')
}

/// The end of a run of such characters.
pub(super) fn run(text: &str, start: usize, is: impl Fn(char) -> bool) -> usize {
    let rest = text.get(start..).unwrap_or_default();
    start + rest.find(|char| !is(char)).unwrap_or(rest.len())
}

/// The length of a scheme of credentials, and of the spaces after it.
pub(super) fn scheme(value: &str) -> Option<usize> {
    let (scheme, rest) = value.split_once(' ')?;
    let known = ["bearer", "basic", "token", "bot", "dpop", "oauth"];
    known
        .iter()
        .any(|known| scheme.eq_ignore_ascii_case(known))
        .then(|| value.len() - rest.trim_start().len())
}

/// A value in a text, without its quotation marks.
struct Quoted {
    range: Range<usize>,
    is_quoted: bool,
}

pub(super) struct Scan<'a> {
    pub(super) text: &'a str,
    rule: &'a dyn Fn(&str) -> Option<Rule>,
    found: Vec<Spot>,
}

impl Scan<'_> {
    pub(super) fn get(&self, range: Range<usize>) -> &str {
        self.text.get(range).unwrap_or_default()
    }

    pub(super) fn from(&self, start: usize) -> &str {
        self.text.get(start..).unwrap_or_default()
    }

    /// Adds a value, without the scheme before it.
    pub(super) fn add(&mut self, name: &str, range: Range<usize>) {
        let text = self.get(range.clone());
        let start = range.start + scheme(text).unwrap_or_default();
        let text = self.get(start..range.end).to_owned();
        let words = ["null", "none", "true", "false", "undefined"];
        if text.is_empty()
            || is_placeholder(&text)
            || words.iter().any(|word| text.eq_ignore_ascii_case(word))
        {
            return;
        }
        let value = decoded(&text);
        self.found.push(Spot { range: start..range.end, name: name.to_owned(), value });
    }

    /// Looks at a word and at what follows it.
    fn word(&mut self, start: usize) {
        let text = self.text;
        let end = run(text, start, is_name);
        let word = text.get(start..end).unwrap_or_default();
        let token =
            start..run(text, start, |char| is_name(char) || matches!(char, '/' | '~' | '+' | '='));
        let token = match word.starts_with('1') {
            true => token,
            false => start..end,
        };
        if is_credential(self.get(token.clone())) {
            self.add("token", token);
            return;
        }
        self.credentials(word, end);
        match (self.rule)(word) {
            Some(rule @ (Rule::Whole | Rule::Text)) => {
                self.pair(word, end, rule);
                self.element(word, start..end, rule);
            }
            _ if is_label(word) => self.field(end),
            _ => {}
        }
    }

    /// `Bearer X` and `Basic X`.
    fn credentials(&mut self, scheme: &str, end: usize) {
        let is_basic = scheme.eq_ignore_ascii_case("basic");
        if !(is_basic || scheme.eq_ignore_ascii_case("bearer")) {
            return;
        }
        let start = run(self.text, end, |char| matches!(char, ' ' | '\t'));
        let range = start..run(self.text, start, is_token);
        let value = self.get(range.clone());
        let is_secret = match is_basic {
            true => BASE64_STANDARD.decode(value).is_ok_and(|decoded| decoded.contains(&b':')),
            false => {
                value.len() >= 24
                    || (value.len() >= 8 && value.contains(|char: char| char.is_ascii_digit()))
            }
        };
        if start > end && is_secret {
            self.add(if is_basic { "basic" } else { "token" }, range);
        }
    }

    /// The value after a name, a colon or an equals sign, and whether a word is a value, too.
    fn after(&self, end: usize) -> Option<(Quoted, bool)> {
        let mut at = end;
        loop {
            let rest = self.from(at);
            let marks = ["\"", "'", "`", "\\", "[", "]", "&quot;", "&#34;", "%22"];
            match marks.iter().find(|mark| rest.starts_with(**mark)) {
                Some(mark) => at += mark.len(),
                None => break,
            }
        }
        let sign = run(self.text, at, char::is_whitespace);
        let rest = self.from(sign);
        let signs = ["=>", ":=", ":", "="];
        let length = signs.iter().find(|sign| rest.starts_with(**sign))?.len();
        let value = sign + length;
        if ["=", "//", ":"].iter().any(|other| self.from(value).starts_with(other)) {
            return None;
        }
        let start = run(self.text, value, char::is_whitespace);
        let is_close = rest.starts_with('=') && sign == at && start == value;
        Some((self.quoted(start), is_close))
    }

    fn quoted(&self, start: usize) -> Quoted {
        let rest = self.from(start);
        let slashes = rest.len() - rest.trim_start_matches('\\').len();
        let quoted = rest.get(slashes..).unwrap_or_default();
        let marks = ["\"", "'", "`", "&quot;", "&#34;", "%22"];
        let Some(mark) = marks.iter().find(|mark| quoted.starts_with(**mark)) else {
            let is_part = |char: char| {
                !char.is_whitespace()
                    && !matches!(
                        char,
                        '&' | ';'
                            | ','
                            | '<'
                            | '>'
                            | '"'
                            | '\''
                            | ')'
                            | ']'
                            | '}'
                            | '|'
                            | '`'
                            | '\\'
                            | '#'
                    )
            };
            return Quoted { range: start..run(self.text, start, is_part), is_quoted: false };
        };
        let start = start + slashes + mark.len();
        let inside = self.from(start);
        let is_end = |at: &usize| {
            let before = inside.get(..*at).unwrap_or_default();
            let escapes = before.len() - before.trim_end_matches('\\').len();
            // A mark with as many escapes as the first one ends the value.
            mark.len() > 1 || escapes <= slashes || (slashes == 0 && escapes % 2 == 0)
        };
        let end = inside.match_indices(*mark).map(|(at, _)| at).find(is_end);
        let value = inside.get(..end.unwrap_or(inside.len())).unwrap_or_default();
        let value = match slashes {
            0 => value,
            _ => value.trim_end_matches('\\'),
        };
        Quoted { range: start..start + value.len(), is_quoted: true }
    }

    /// `name=value`, `"name": "value"`, and lists and objects after a name.
    fn pair(&mut self, name: &str, end: usize, rule: Rule) {
        let Some((value, is_close)) = self.after(end) else { return };
        let start = value.range.start;
        if !value.is_quoted && self.from(start).starts_with(['[', '{']) {
            if rule == Rule::Whole || self.from(start).starts_with('[') {
                self.nested(name, start);
            }
            return;
        }
        if value.is_quoted || is_close || is_likely(self.get(value.range.clone())) {
            self.add(name, value.range);
        }
    }

    /// The texts in a list or an object.
    fn nested(&mut self, name: &str, start: usize) {
        let mut depth = 0_usize;
        let mut at = start;
        while let Some(char) = self.from(at).chars().next() {
            match char {
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                '"' | '\'' | '\\' => {
                    let text = self.quoted(at);
                    if text.is_quoted {
                        at = text.range.end;
                        let after = run(self.text, at, |char| matches!(char, '"' | '\'' | '\\'));
                        let after = run(self.text, after, char::is_whitespace);
                        if !self.from(after).starts_with(':') {
                            self.add(name, text.range);
                        }
                        at = run(self.text, at, |char| char == '\\');
                    }
                }
                _ => {}
            }
            if depth == 0 {
                return;
            }
            at += self.from(at).chars().next().map_or(1, char::len_utf8);
        }
    }

    /// `<name>value</name>`, and `<key>name</key><string>value</string>`.
    fn element(&mut self, name: &str, word: Range<usize>, rule: Rule) {
        let before = self.get(0..word.start);
        let prefix = before.trim_end_matches(|char: char| is_name(char) || char == ':');
        if prefix.ends_with('<') {
            let Some(opened) = self.from(word.end).find('>').map(|at| word.end + at + 1) else {
                return;
            };
            let head = self.get(word.end..opened);
            if head.ends_with("/>") || head.contains('<') {
                return;
            }
            let closing = format!("</{}", self.get(prefix.len()..word.end));
            let end = self.from(opened).find(&closing).map_or(self.text.len(), |at| opened + at);
            let has_children = self.get(opened..end).replace("<![CDATA[", "").contains('<');
            if rule == Rule::Whole || !has_children {
                self.texts(name, opened..end);
            }
            return;
        }
        let rest = self.from(word.end);
        if before.ends_with('>')
            && (rest.starts_with("</key>") || rest.starts_with("</name>"))
            && let Some(next) = rest.find('>').map(|at| word.end + at + 1)
            && self.from(next).trim_start().starts_with('<')
            && let Some(opened) = self.from(next).find('>').map(|at| next + at + 1)
        {
            self.texts(name, opened..run(self.text, opened, |char| char != '<'));
        }
    }

    /// The texts between tags.
    fn texts(&mut self, name: &str, range: Range<usize>) {
        const CDATA: &str = "<![CDATA[";
        let mut at = range.start;
        while at < range.end {
            let rest = self.get(at..range.end);
            let (start, end, next) = if rest.starts_with(CDATA) {
                let end = rest.find("]]>").unwrap_or(rest.len());
                (CDATA.len(), end, end + 3)
            } else if rest.starts_with('<') {
                let end = rest.find('>').map_or(rest.len(), |end| end + 1);
                (end, end, end)
            } else {
                let end = rest.find('<').unwrap_or(rest.len());
                (0, end, end)
            };
            let text = rest.get(start..end).unwrap_or_default();
            let from = at + start + (text.len() - text.trim_start().len());
            let length = text.trim().len();
            at += next.max(1);
            self.add(name, from..from + length);
        }
    }

    /// The value of a field whose name is in a member or an attribute of its own.
    fn field(&mut self, end: usize) {
        let Some((label, _)) = self.after(end) else { return };
        let name = self.get(label.range.clone()).to_owned();
        if !matches!((self.rule)(&name), Some(Rule::Whole | Rule::Text)) {
            return;
        }
        let Some(open) = self.get(0..label.range.start).rfind(['<', '{']) else { return };
        let close = run(self.text, label.range.end, |char| !matches!(char, '>' | '}'));
        if close - open > FIELD {
            return;
        }
        for value in VALUES {
            let inside = self.get(open..close);
            let is_start = |at: &usize| !inside.get(..*at).unwrap_or_default().ends_with(is_name);
            let Some(at) = inside.match_indices(value).map(|(at, _)| at).find(is_start) else {
                continue;
            };
            if let Some((value, _)) = self.after(open + at + value.len()) {
                self.add(&name, value.range);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::{About, rule};
    use super::*;

    /// The text with `[name]` in the place of each secret.
    fn cleaned(text: &str) -> String {
        let mut clean = text.to_owned();
        for spot in spots(text, &|name| rule(name, About::Data)).into_iter().rev() {
            clean.replace_range(spot.range, &format!("[{}]", spot.name));
        }
        clean
    }

    #[test]
    fn a_secret_beside_its_name_is_seen_in_texts_of_each_kind() {
        for (text, clean) in [
            ("a=1&access_token=X1&b=2", "a=1&access_token=[access_token]&b=2"),
            ("{'access_token':'X1'}", "{'access_token':'[access_token]'}"),
            (r#"{"access_token":"X1",}"#, r#"{"access_token":"[access_token]",}"#),
            (r#"{\"access_token\":\"X1\"}"#, r#"{\"access_token\":\"[access_token]\"}"#),
            ("access_token: uNk0123456789abc", "access_token: [access_token]"),
            ("auth[token]=X1", "auth[token]=[token]"),
            (r#"tokens = ["X1", "X2"]"#, r#"tokens = ["[tokens]", "[tokens]"]"#),
            (r#"token = {"kind": "X1"}"#, r#"token = {"kind": "[token]"}"#),
            (
                "<r><access_token>X1</access_token></r>",
                "<r><access_token>[access_token]</access_token></r>",
            ),
            ("<a:pwd lang='en'> X1 </a:pwd>", "<a:pwd lang='en'> [pwd] </a:pwd>"),
            ("<token><v>X1</v></token>", "<token><v>[token]</v></token>"),
            ("<token><![CDATA[X1]]></token>", "<token><![CDATA[[token]]]></token>"),
            ("<key>otp</key><string>X1</string>", "<key>otp</key><string>[otp]</string>"),
            (
                r#"<input type=hidden name="csrf" value="X1">"#,
                r#"<input type=hidden name="csrf" value="[csrf]">"#,
            ),
            (r#"<input value='X1' name='csrf'>"#, r#"<input value='[csrf]' name='csrf'>"#),
            (
                r#"<meta name="csrf-token" content="X1">"#,
                r#"<meta name="csrf-token" content="[csrf-token]">"#,
            ),
            (
                "{'name': 'Authorization', 'value': 'Bearer X1'}",
                "{'name': 'Authorization', 'value': 'Bearer [Authorization]'}",
            ),
            ("curl -H 'Authorization: Bearer uNk01234'", "curl -H 'Authorization: Bearer [token]'"),
            ("with Basic b3VyLWlkOnNlY3JldA==", "with Basic [basic]"),
            ("postgres://u:p4ss@h/d", "postgres://u:[password]@h/d"),
            ("https://uNk0123456789abcdef@h/d", "https://[token]@h/d"),
            (
                "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----",
                "-----BEGIN PRIVATE KEY-----\n[private_key]\n-----END PRIVATE KEY-----",
            ),
            (
                "go to https://hooks.slack.com/services/T0/B0/X1, now",
                "go to https://hooks.slack.com/services/[webhook], now",
            ),
            (
                "https://api.telegram.org/bot123:X1-y/getMe",
                "https://api.telegram.org/bot123:[token]/getMe",
            ),
            ("x AIzaSyA0123456789abcdefgh y", "x [token] y"),
            ("refresh 1//0gAbC/dEf-0123456789xyz", "refresh [token]"),
        ] {
            assert_eq!(cleaned(text), clean);
        }
    }

    #[test]
    fn words_stay() {
        for text in [
            "The token: it is long. Your password is required; a secret: never tell it.",
            "Bearer authentication, Basic access, WWW-Authenticate: Bearer realm=\"x\", error=\"invalid_token\"",
            "<label for=\"password\">Password</label><input type=\"password\" name=\"password\">",
            "ssh://git@github.com/a/b, https://ada@example.com/, mail ada@example.com",
            "{\"password\": null, \"token\": \"\", \"max_tokens\": 100}",
            "access_token=tape-access_token-1; \"token\": \"tape-token-2\"",
            "-----BEGIN PUBLIC KEY-----\nMII\n-----END PUBLIC KEY-----",
            "token == other, token_type=bearer, token://x",
            "\u{e9}=\u{fc}: token",
        ] {
            assert_eq!(cleaned(text), text);
        }
    }
}
