//! The functions by which templates show texts, names and times.

use std::sync::Arc;

use fluent_bundle::{FluentArgs, FluentValue};
use minijinja::{Environment, Error, Value, value::Kwargs};
use quadrille::page::{escape, isolated};

use super::{Texts, language::Markup};

/// The names of the functions, which are no values of a page.
#[cfg(test)]
pub(crate) const FUNCTIONS: [&str; 12] = [
    "t",
    "t_plain",
    "strong",
    "origin",
    "code_of",
    "link",
    "list",
    "origins",
    "codes",
    "time",
    "time_plain",
    "browser",
];

/// Adds the functions.
pub(crate) fn add_to(environment: &mut Environment<'static>, texts: &Arc<Texts>) {
    let with = || Arc::clone(texts);
    let all = with();
    environment.add_function("t", move |key: &str, values: Kwargs| {
        text(&all, key, &values, Markup::Html).map(Value::from_safe_string)
    });
    let all = with();
    environment.add_function("t_plain", move |key: &str, values: Kwargs| {
        text(&all, key, &values, Markup::None)
    });
    environment.add_function("strong", |name: &Value| {
        Value::from_safe_string(format!("<strong>{}</strong>", markup(name)))
    });
    environment.add_function("origin", |name: &Value| Value::from_safe_string(origin(name)));
    environment.add_function("code_of", |name: &Value| Value::from_safe_string(code(name)));
    environment.add_function("link", |href: &Value, words: &Value| {
        Value::from_safe_string(format!(r#"<a href="{}">{}</a>"#, inner(href), inner(words)))
    });
    let all = with();
    environment.add_function("list", move |values: &Value| list(&all, values, markup));
    let all = with();
    environment.add_function("origins", move |values: &Value| list(&all, values, origin));
    let all = with();
    environment.add_function("codes", move |values: &Value| list(&all, values, code));
    let all = with();
    environment.add_function("time", move |time: &str| {
        let attribute = time.replace(' ', "T") + if time.contains(' ') { "Z" } else { "" };
        let (attribute, words) = (escape(&attribute), time_in_words(&all, time));
        let words = escape(&words);
        Value::from_safe_string(format!(r#"<time datetime="{attribute}">{words}</time>"#))
    });
    let all = with();
    environment.add_function("time_plain", move |time: &str| time_in_words(&all, time));
    let all = with();
    environment.add_function("browser", move |name: &str| browser(&all, name));
}

/// The text with this key, with values by name.
fn text(texts: &Texts, key: &str, named: &Kwargs, markup: Markup) -> Result<String, Error> {
    let mut values = FluentArgs::new();
    for name in named.args() {
        set(&mut values, texts, name, &named.peek::<Value>(name)?, markup);
    }
    Ok(texts.text(key, &values, markup))
}

/// Sets a value of a text. A number chooses its form, all others stand apart from the direction around.
fn set(values: &mut FluentArgs<'_>, texts: &Texts, name: &str, value: &Value, markup: Markup) {
    if value.is_undefined() || value.is_none() {
        return;
    }
    let value = match (value.as_i64(), markup) {
        (Some(number), _) if value.is_number() => FluentValue::from(number),
        (_, Markup::Html) => self::markup(value).into(),
        (_, Markup::None) => isolated(texts.current_tag(), &value.to_string()).into_owned().into(),
    };
    values.set(name.to_owned(), value);
}

/// A value as markup: a name in an element of its own.
fn markup(value: &Value) -> String {
    match value.is_safe() {
        true => value.to_string(),
        false => format!("<bdi>{}</bdi>", inner(value)),
    }
}

/// A value in an element.
fn inner(value: &Value) -> String {
    match value.is_safe() {
        true => value.to_string(),
        false => escaped(&value.to_string()),
    }
}

/// A text as the templates escape it.
fn escaped(text: &str) -> String {
    escape(text).replace('/', "&#x2f;")
}

/// A host.
fn origin(value: &Value) -> String {
    format!(r#"<strong class="origin">{}</strong>"#, inner(value))
}

/// A code.
fn code(value: &Value) -> String {
    format!("<code>{}</code>", inner(value))
}

/// A list of values, as the language separates them.
fn list(texts: &Texts, values: &Value, item: fn(&Value) -> String) -> Result<Value, Error> {
    let mut values = values.try_iter()?;
    let first = values.next().map(|value| item(&value)).unwrap_or_default();
    let whole = values.fold(first, |before, next| {
        let pair = [("before", before), ("next", item(&next))];
        texts.text("list-pair", &pair.into_iter().collect(), Markup::Html)
    });
    Ok(Value::from_safe_string(whole))
}

/// A day, `2026-11-30`, or a minute in UTC, `2026-11-30 14:05`, as the language says it.
fn time_in_words(texts: &Texts, time: &str) -> String {
    let (date, clock) = time.split_once(' ').map_or((time, None), |(date, it)| (date, Some(it)));
    let mut numbers = date.splitn(3, '-').map(|number| number.parse::<i64>().ok());
    let (Some(Some(year)), Some(Some(month)), Some(Some(day))) =
        (numbers.next(), numbers.next(), numbers.next())
    else {
        return time.to_owned();
    };
    let mut values = FluentArgs::new();
    for (name, number) in [("year", year), ("month", month), ("day", day)] {
        values.set(name, number);
    }
    match clock {
        Some(clock) => {
            values.set("clock", clock.to_owned());
            texts.text("time", &values, Markup::None)
        }
        None => texts.text("date", &values, Markup::None),
    }
}

/// The name of a browser, as a session has it.
fn browser(texts: &Texts, name: &str) -> String {
    let of = |names: &[(&'static str, &str)]| {
        let values = names.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        texts.text("browser-on-system", &values, Markup::None)
    };
    match name.split_once(" on ") {
        Some((browser, system)) => of(&[("browser", browser), ("system", system)]),
        None if name.ends_with("nknown browser") => texts.plain("browser-unknown"),
        None => name.to_owned(),
    }
}
