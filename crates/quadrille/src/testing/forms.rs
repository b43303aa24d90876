//! The forms of a page, as a browser sends them.

#![expect(clippy::panic, reason = "a test fails by a panic")]

use crate::form::FormWriter;

/// A form of a page.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Form {
    /// The address; `None` is that of the page.
    pub(super) action: Option<String>,
    pub(super) is_post: bool,
    fields: Vec<Field>,
}

#[derive(Debug, PartialEq)]
struct Field {
    name: String,
    value: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// A value that a user may change, or a hidden one.
    Text,
    /// A value that is sent if it is ticked, and whether it is.
    Choice(bool),
    /// A button, whose value is sent if it is pressed.
    Button,
}

impl Form {
    /// The forms of a page.
    pub(super) fn all(html: &str) -> Vec<Self> {
        let mut forms = Vec::new();
        let mut open: Option<Self> = None;
        let mut select: Option<(String, bool)> = None;
        for tag in tags(html) {
            match (&*tag.name, &mut open) {
                ("form", _) => {
                    forms.extend(open.take());
                    let is_post =
                        tag.get("method").is_some_and(|method| method.eq_ignore_ascii_case("post"));
                    let action = tag.get("action").filter(|action| !action.is_empty());
                    open = Some(Self { action, is_post, fields: Vec::new() });
                }
                ("/form", _) => forms.extend(open.take()),
                ("select", _) => select = tag.get("name").map(|name| (name, false)),
                ("/select", _) => select = None,
                ("option", Some(form)) => {
                    let Some((name, has_chosen)) = &mut select else { continue };
                    let value = tag.get("value").unwrap_or_else(|| tag.text.clone());
                    // Without a choice, browsers send the first.
                    let is_chosen = tag.has("selected") || !*has_chosen;
                    *has_chosen = true;
                    if tag.has("selected") {
                        let mine = form.fields.iter_mut().filter(|field| field.name == *name);
                        mine.for_each(|field| field.kind = Kind::Choice(false));
                    }
                    let kind = Kind::Choice(is_chosen);
                    form.fields.push(Field { name: name.clone(), value, kind });
                }
                ("input" | "button" | "textarea", Some(form)) => form.fields.extend(tag.field()),
                _ => {}
            }
        }
        forms.extend(open);
        forms
    }

    /// Whether the form has a field, a box or a button of each name.
    pub(super) fn has(&self, names: &[(&str, &str)]) -> bool {
        names.iter().all(|(name, _)| self.fields.iter().any(|field| field.name == *name))
    }

    /// The form as it is sent by a user who has typed and chosen these values. A user who presses no
    /// button with a name presses the first one.
    pub(super) fn filled(&self, values: &[(&str, &str)]) -> String {
        fn given<'v>(values: &'v [(&str, &str)], name: &str) -> Vec<&'v str> {
            values.iter().filter(|(given, _)| *given == name).map(|(_, value)| *value).collect()
        }
        let buttons = || self.fields.iter().filter(|field| field.kind == Kind::Button);
        let is_pressed = buttons().any(|button| !given(values, &button.name).is_empty());
        let mut form = FormWriter::new();
        let mut first = !is_pressed;
        for Field { name, value, kind } in &self.fields {
            let chosen = given(values, name);
            let value = match kind {
                Kind::Text => Some(chosen.first().copied().unwrap_or(value)),
                Kind::Choice(is_ticked) => {
                    let is_chosen = match chosen.is_empty() {
                        true => *is_ticked,
                        false => chosen.contains(&&**value),
                    };
                    is_chosen.then_some(&**value)
                }
                Kind::Button => {
                    let is_first = std::mem::take(&mut first) && !name.is_empty();
                    (is_first || chosen.contains(&&**value)).then_some(&**value)
                }
            };
            form.append_some(name, value);
        }
        for (name, value) in values {
            let is_there = self.fields.iter().any(|field| {
                field.name == *name && (field.kind == Kind::Text || field.value == *value)
            });
            assert!(is_there, "the form has no field {name:?} that can be {value:?}: {self:?}");
        }
        form.finish()
    }
}

/// A tag with its attributes, and the text after it.
struct Tag {
    name: String,
    attributes: Vec<(String, String)>,
    text: String,
}

impl Tag {
    fn get(&self, name: &str) -> Option<String> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.clone())
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|(known, _)| known == name)
    }

    /// The field of an input, a button or a text area.
    fn field(&self) -> Option<Field> {
        if self.has("disabled") {
            return None;
        }
        let kind = self.get("type").unwrap_or_default().to_ascii_lowercase();
        let is_button = self.name == "button" || matches!(&*kind, "submit" | "image");
        let kind = match &*kind {
            "button" | "reset" => return None,
            "checkbox" | "radio" => Kind::Choice(self.has("checked")),
            _ if is_button => Kind::Button,
            _ => Kind::Text,
        };
        let name = self.get("name").unwrap_or_default();
        if name.is_empty() && kind != Kind::Button {
            return None;
        }
        let usual = match (&*self.name, kind) {
            ("textarea", _) => self.text.trim_start_matches('\n').to_owned(),
            (_, Kind::Choice(_)) => "on".to_owned(),
            _ => String::new(),
        };
        Some(Field { name, value: self.get("value").unwrap_or(usual), kind })
    }
}

/// The tags of a page. The content of scripts and comments is none.
fn tags(html: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut rest = html;
    while let Some((_, from)) = rest.split_once('<') {
        if let Some(comment) = from.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, rest)| rest);
            continue;
        }
        let (tag, after) = read_tag(from);
        rest = after;
        if matches!(&*tag.name, "script" | "style") {
            let end = format!("</{}", tag.name);
            rest = rest.find(&end).and_then(|at| rest.get(at..)).unwrap_or("");
        }
        let text = rest.split('<').next().unwrap_or_default();
        tags.push(Tag { text: unescaped(text), ..tag });
    }
    tags
}

/// A tag, from behind its `<`, and the text behind it.
fn read_tag(from: &str) -> (Tag, &str) {
    let is_end = |char: char| char.is_whitespace() || char == '>';
    let end = from.find(is_end).unwrap_or(from.len());
    let (name, mut rest) = from.split_at_checked(end).unwrap_or((from, ""));
    let name = name.trim_end_matches('/').to_ascii_lowercase();
    let mut attributes = Vec::new();
    loop {
        rest = rest.trim_start_matches(|char: char| char.is_whitespace() || char == '/');
        if rest.is_empty() {
            break;
        }
        if let Some(after) = rest.strip_prefix('>') {
            rest = after;
            break;
        }
        let is_end = |char: char| char.is_whitespace() || matches!(char, '=' | '>' | '/');
        let end = rest.find(is_end).filter(|end| *end > 0).unwrap_or(rest.len());
        let (attribute, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        let after = after.trim_start();
        let (value, after) = match after.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(after) => match after.chars().next().filter(|char| matches!(char, '"' | '\'')) {
                Some(quote) => {
                    let inner = after.get(1..).unwrap_or_default();
                    inner.split_once(quote).unwrap_or((inner, ""))
                }
                None => {
                    let is_end = |char: char| char.is_whitespace() || char == '>';
                    let end = after.find(is_end).unwrap_or(after.len());
                    after.split_at_checked(end).unwrap_or((after, ""))
                }
            },
        };
        attributes.push((attribute.to_ascii_lowercase(), unescaped(value)));
        rest = after;
    }
    (Tag { name, attributes, text: String::new() }, rest)
}

/// A text without its character references.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once('&') {
        plain += before;
        let (name, after) = match from.split_once(';') {
            Some((name, after)) if name.len() <= 8 => (name, after),
            _ => {
                plain.push('&');
                rest = from;
                continue;
            }
        };
        let code = name.strip_prefix('#').and_then(|code| match code.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok(),
            None => code.parse().ok(),
        });
        let char = match name {
            "amp" => Some('&'),
            "lt" => Some('<'),
            "gt" => Some('>'),
            "quot" => Some('"'),
            "apos" => Some('\''),
            "nbsp" => Some('\u{a0}'),
            _ => code.and_then(char::from_u32),
        };
        match char {
            Some(char) => {
                plain.push(char);
                rest = after;
            }
            None => {
                plain.push('&');
                rest = from;
            }
        }
    }
    plain + rest
}

/// The form of a page that has fields of these names, the only one, or the first.
pub(super) fn chosen(html: &str, values: &[(&str, &str)]) -> Form {
    let forms = Form::all(html);
    let count = forms.len();
    match forms.into_iter().find(|form| form.has(values)) {
        Some(form) => form,
        None => {
            let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
            panic!("none of the page's {count} forms has the fields {names:?}: {html}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<!doctype html><script>"<form>"</script><!-- <form> -->
        <form method=post action="/consent?a=1&amp;b=2"><input type=hidden name="ticket" value='a"b&quot;'>
        <label><input type="checkbox" name="scope" value="photos:read" checked> Photos</label>
        <input type=checkbox name=scope value=mail><input name=note><textarea name=why>
because &lt;3</textarea><select name=for><option>day<option value=y selected>year</select>
        <button name="decision" value="allow">Allow</button>
        <button name="decision" value="deny">Deny</button></form>
        <form><input name=q><button>Search</button></form>"#;

    #[test]
    fn a_form_is_sent_as_browsers_send_it() {
        let form = chosen(PAGE, &[("note", "hello"), ("decision", "deny")]);
        assert_eq!(form.action.as_deref(), Some("/consent?a=1&b=2"));
        assert!(form.is_post);
        assert_eq!(
            form.filled(&[("note", "hello"), ("decision", "deny")]),
            "ticket=a%22b%22&scope=photos%3Aread&note=hello&why=because+%3C3&for=y&decision=deny",
        );
        assert_eq!(
            form.filled(&[("scope", "mail")]),
            "ticket=a%22b%22&scope=mail&note=&why=because+%3C3&for=y&decision=allow",
            "the first button is pressed",
        );
        assert_eq!(chosen(PAGE, &[("q", "x")]).filled(&[("q", "x")]), "q=x");
    }

    #[test]
    #[should_panic(expected = "has no field \"scope\" that can be \"admin\"")]
    fn a_value_that_the_page_does_not_offer_fails_the_test() {
        chosen(PAGE, &[("scope", "admin")]).filled(&[("scope", "admin")]);
    }

    #[test]
    #[should_panic(expected = "none of the page's 2 forms has the fields [\"password\"]")]
    fn a_form_that_is_not_there_fails_the_test() {
        chosen(PAGE, &[("password", "x")]);
    }
}
