//! The secrets that are left on a tape.

use serde_json::Value;
use url::form_urlencoded;

use crate::form::FormWriter;

use super::{
    disguise::Needles,
    exchange::Exchange,
    json::{Under, pair, under},
    names::{About, Rule, is_number, is_placeholder, is_random},
    scan::{scheme, spots},
    secrets::Secrets,
    signed::ID_TOKEN,
};

/// A secret that is left on a tape.
#[derive(Debug, PartialEq)]
pub(super) struct Left {
    /// The path of the member.
    pub(super) member: String,
    /// The name that does not say whether the value is a secret.
    pub(super) unclear: Option<String>,
}

impl Left {
    const fn secret(member: String) -> Self {
        Self { member, unclear: None }
    }
}

/// The first member that is or contains a secret that is known, or that looks like one. In an exchange that
/// is new a value under an unclear name counts, too.
pub(super) fn secret_member(exchange: &Exchange, secrets: &Secrets, is_new: bool) -> Option<Left> {
    let about = About::of(exchange.purpose.0);
    let needles = secrets.needles();
    let bodies = [("request", &exchange.request.body), ("response", &exchange.response.body)];
    for (side, body) in bodies {
        if let Some(body) = body
            && let Some(bytes) = body.binary()
            && needles.are_in_bytes(&bytes)
        {
            return Some(Left::secret(format!("{side}.body")));
        }
    }
    let all = serde_json::to_value(exchange).ok()?;
    let mut search = Search { about, secrets, needles, comparing: secrets.comparing(), is_new };
    search.find(&all, String::new(), None)
}

struct Search<'a> {
    about: About,
    secrets: &'a Secrets,
    needles: Needles,
    /// The same secrets, to clean a text again.
    comparing: Secrets,
    is_new: bool,
}

impl Search<'_> {
    /// Whether a text is or contains a secret that is known.
    fn holds(&self, text: &str) -> bool {
        self.secrets.knows(text) || self.needles.are_in(text)
    }

    fn find(&mut self, value: &Value, path: String, above: Option<&Under>) -> Option<Left> {
        let at = |name: &str| match path.is_empty() {
            true => name.to_owned(),
            false => format!("{path}.{name}"),
        };
        match (value, above) {
            (Value::Object(members), _) => members.iter().find_map(|(name, value)| {
                if self.holds(name) {
                    return Some(Left::secret(at("(the name of a member)")));
                }
                // The claims of an ID token stand in the place of the token.
                let is_claims = name == ID_TOKEN && value.get("claims").is_some();
                let under = under(members, name, above, self.about, self.secrets);
                let under = under.filter(|_| !path.is_empty() && !is_claims);
                self.find(value, at(name), under.as_ref())
            }),
            (Value::Array(values), _) => {
                let pair =
                    if above.is_some() { None } else { pair(values, self.about, self.secrets) };
                let last = values.len().saturating_sub(1);
                values.iter().enumerate().find_map(|(number, value)| {
                    let above = pair.as_ref().filter(|_| number == last).or(above);
                    self.find(value, at(&number.to_string()), above)
                })
            }
            (Value::String(text), Some(Under { name, rule: Rule::Whole | Rule::Text })) => {
                is_left(name, text).then_some(Left::secret(path))
            }
            (Value::Number(number), Some(Under { name, rule: Rule::Whole | Rule::Text })) => {
                (is_number(name) && number.as_u64() != Some(0)).then_some(Left::secret(path))
            }
            (Value::String(text), _) => self.find_in(text, path, above),
            _ => None,
        }
    }

    /// Looks at a text that is no secret by its name.
    fn find_in(&mut self, text: &str, path: String, above: Option<&Under>) -> Option<Left> {
        if self.holds(text) || self.comparing.clean(text, self.about) != text {
            return Some(Left::secret(path));
        }
        if let Some(Under { name, rule: Rule::Unclear }) = above
            && self.is_new
            && is_random(text)
            && !is_placeholder(text)
        {
            return Some(Left { member: path, unclear: Some(name.clone()) });
        }
        let unclear = |name: &str| match self.secrets.rule(name, self.about) {
            Some(Rule::Unclear) => Some(Rule::Text),
            _ => None,
        };
        let spot = spots(text, &unclear)
            .into_iter()
            .filter(|_| self.is_new)
            .find(|spot| unclear(&spot.name).is_some() && is_random(&spot.value));
        if let Some(spot) = spot {
            return Some(Left { member: path, unclear: Some(spot.name) });
        }
        let is_form = path.contains(".form.");
        if !(is_form || path.ends_with(".url") || path.ends_with(".location")) {
            return None;
        }
        let query = text.split_once('?').map_or("", |(_, query)| query);
        let pairs = if is_form { form_line(text) } else { query.to_owned() };
        form_urlencoded::parse(pairs.as_bytes()).find_map(|(name, value)| {
            match self.secrets.rule(&name, self.about)? {
                Rule::Whole | Rule::Text if is_left(&name, &value) => {
                    Some(Left::secret(path.clone()))
                }
                Rule::Unclear if self.is_new && is_random(&value) && !is_placeholder(&value) => {
                    Some(Left { member: path.clone(), unclear: Some(name.into_owned()) })
                }
                _ => None,
            }
        })
    }
}

/// Whether the value of a member with the name of a secret is still one.
fn is_left(name: &str, text: &str) -> bool {
    let is_header = matches!(name, "authorization" | "proxy-authorization" | "cookie");
    if is_header {
        // A scheme or the name of a cookie stands before the placeholder, and the others beside it.
        return !text.split([' ', '=', ':', ',', ';', '"']).any(is_placeholder);
    }
    let text = scheme(text).and_then(|length| text.get(length..)).unwrap_or(text);
    !text.is_empty() && !is_placeholder(text)
}

/// A line of a form, encoded.
fn form_line(line: &str) -> String {
    let (name, value) = line.split_once('=').unwrap_or((line, ""));
    let mut form = FormWriter::new();
    form.append(name, value);
    form.finish()
}
