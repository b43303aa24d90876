//! JSON without its secrets, and JSON within texts.

use serde_json::{Map, Value};

use super::{
    names::{About, Rule, is_likely, is_number, is_of_key},
    scan::{VALUES, is_label, is_name, spots},
    secrets::Secrets,
};

impl Secrets {
    /// A text in which secrets are replaced: those that are known, those beside their names, and those
    /// that look like one.
    pub(super) fn clean(&mut self, text: &str, about: About) -> String {
        if self.knows(text) {
            return self.known_in(text);
        }
        let mut clean = clean_documents(text, about, self);
        for spot in spots(&clean, &|name| self.rule(name, about)).into_iter().rev() {
            let placeholder = self.stand_in(&spot.name, &spot.value);
            clean.replace_range(spot.range, &placeholder);
        }
        self.known_in(&clean)
    }
}

/// The name above a value, and what it says.
#[derive(Clone, Debug)]
pub(super) struct Under {
    pub(super) name: String,
    pub(super) rule: Rule,
}

impl Under {
    /// The name above the values of an object below it.
    pub(super) fn in_object(this: Option<&Self>) -> Option<&Self> {
        this.filter(|under| under.rule == Rule::Whole)
    }
}

/// The name above a member: its own, that of a field (`{"name": "Authorization", "value": ...}`), or one
/// above the object.
pub(super) fn under(
    members: &Map<String, Value>,
    name: &str,
    above: Option<&Under>,
    about: About,
    secrets: &Secrets,
) -> Option<Under> {
    if let Some(above) = Under::in_object(above) {
        return Some(above.clone());
    }
    let named = |name: &str| {
        let rule = secrets.rule(name, about)?;
        Some(Under { name: name.to_owned(), rule })
    };
    if VALUES.contains(&&*name.to_ascii_lowercase()) {
        let labels = members.iter().filter(|(name, _)| is_label(name));
        let mut labels = labels.filter_map(|(_, label)| label.as_str());
        let field = labels.find_map(|label| named(label).filter(|it| it.rule != Rule::Unclear));
        if field.is_some() {
            return field;
        }
    }
    if members.contains_key("kty") && is_of_key(name) {
        return Some(Under { name: "private_key".to_owned(), rule: Rule::Whole });
    }
    named(name)
}

/// JSON without its secrets.
pub(super) fn clean_json(
    value: Value,
    above: Option<&Under>,
    about: About,
    secrets: &mut Secrets,
) -> Value {
    match (value, above) {
        (Value::Object(members), _) => {
            let names: Vec<_> =
                members.keys().map(|name| under(&members, name, above, about, secrets)).collect();
            let members = members.into_iter().zip(names).map(|((name, value), under)| {
                let clean = clean_json(value, under.as_ref(), about, secrets);
                (secrets.known_in(&name), clean)
            });
            Value::Object(members.collect())
        }
        (Value::Array(values), _) => {
            let pair = if above.is_some() { None } else { pair(&values, about, secrets) };
            let above = pair.as_ref().or(above);
            let last = values.len().saturating_sub(1);
            let values = values.into_iter().enumerate().map(|(number, value)| {
                let above = above.filter(|_| pair.is_none() || number == last);
                clean_json(value, above, about, secrets)
            });
            values.collect::<Vec<_>>().into()
        }
        (Value::String(text), Some(Under { name, rule: Rule::Whole | Rule::Text })) => {
            secrets.stand_in_value(name, &text).into()
        }
        (Value::String(text), _) => secrets.clean(&text, about).into(),
        (Value::Number(_), Some(Under { name, rule: Rule::Whole | Rule::Text }))
            if is_number(name) =>
        {
            0.into()
        }
        (value, _) => value,
    }
}

/// The name in a pair such as `["access_token", "..."]`.
pub(super) fn pair(values: &[Value], about: About, secrets: &Secrets) -> Option<Under> {
    let [Value::String(name), Value::String(value)] = values else { return None };
    let rule = secrets.rule(name, about).filter(|rule| *rule != Rule::Unclear)?;
    let is_name = name.chars().all(is_name);
    (is_name && is_likely(value)).then(|| Under { name: name.clone(), rule })
}

/// A text in which the documents of JSON have lost their secrets: lines of JSON, events of a stream, and
/// calls of functions. One without a secret stays as it is.
pub(super) fn clean_documents(text: &str, about: About, secrets: &mut Secrets) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['{', '[']) {
        let (before, document) = rest.split_at_checked(at).unwrap_or((rest, ""));
        clean += before;
        let inside = document.get(1..).unwrap_or_default().trim_start();
        let mut documents = match inside.starts_with(['"', '{', '[']) {
            true => serde_json::Deserializer::from_str(document).into_iter::<Value>(),
            false => serde_json::Deserializer::from_str("").into_iter::<Value>(),
        };
        let length = match documents.next() {
            Some(Ok(json)) => {
                let length = documents.byte_offset();
                let new = clean_json(json.clone(), None, about, secrets);
                match new == json {
                    true => clean += document.get(..length).unwrap_or_default(),
                    false => clean += &new.to_string(),
                }
                length
            }
            _ => {
                clean += document.get(..1).unwrap_or_default();
                1
            }
        };
        rest = document.get(length..).unwrap_or_default();
    }
    clean + rest
}

/// Changes the texts of a value, and the names of its members.
pub(super) fn map_in(value: &mut Value, change: &dyn Fn(&str) -> String) {
    match value {
        Value::Object(members) => {
            let old = std::mem::take(members);
            members.extend(old.into_iter().map(|(name, mut value)| {
                map_in(&mut value, change);
                (change(&name), value)
            }));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| map_in(value, change)),
        Value::String(text) => *text = change(text),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_under_the_name_of_a_secret_is_one() {
        let mut secrets = Secrets::default();
        for (json, clean) in [
            (json!({"pwd": "X1"}), json!({"pwd": "tape-pwd-1"})),
            (
                json!({"tokens": ["X1-a", {"kind": "X2-b"}]}),
                json!({"tokens": ["tape-tokens-1", {"kind": "tape-tokens-2"}]}),
            ),
            (json!({"session": {"title": "Keynote"}}), json!({"session": {"title": "Keynote"}})),
            (json!({"otp": 123456, "max_tokens": 100}), json!({"otp": 0, "max_tokens": 100})),
            (
                json!({"name": "Authorization", "value": "Bearer X1-c"}),
                json!({"name": "Authorization", "value": "Bearer tape-authorization-1"}),
            ),
            (
                json!(["access_token", "uNk0123456789abc"]),
                json!(["access_token", "tape-access_token-1"]),
            ),
            (
                json!({"kty": "EC", "d": "X1-d", "x": "X1-e"}),
                json!({"kty": "EC", "d": "tape-private_key-1", "x": "X1-e"}),
            ),
            (json!({"data": "{\"csrf\":\"X1-f\"}"}), json!({"data": "{\"csrf\":\"tape-csrf-1\"}"})),
        ] {
            assert_eq!(clean_json(json, None, About::Data, &mut secrets), clean);
        }
    }

    #[test]
    fn json_that_is_not_one_document_has_no_secret_left() {
        for around in
            ["\u{feff}@", "@\n@\n", "data: @\n\n", "callback(@);", ")]}',\n@", "[@, @]", "<p>@"]
        {
            let document = r#"{"n":[{"name":"X-Api-Key","value":"uNk-Value"},{"otp":123456}]}"#;
            let text = around.replace('@', document);
            let clean = Secrets::default().clean(&text, About::Data);
            assert!(!clean.contains("uNk") && !clean.contains("123456"), "{clean}");
            assert_eq!(Secrets::default().comparing().clean(&clean, About::Data), clean);
            let open = around.replace('@', r#"{ "title" : "Sea" }"#);
            assert_eq!(Secrets::default().clean(&open, About::Data), open);
        }
    }
}
