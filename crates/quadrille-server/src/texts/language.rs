//! The texts in one language.

use std::{collections::BTreeSet, fmt, path::Path, sync::Arc};

use fluent_bundle::{FluentArgs, FluentResource, FluentValue, concurrent::FluentBundle};
use quadrille::page::escape;
use unic_langid::LanguageIdentifier;

use crate::named_file;

use super::error::TextsError;

/// The texts in one language.
pub(super) struct Language {
    pub(super) tag: String,
    bundle: FluentBundle<Arc<FluentResource>>,
    keys: BTreeSet<String>,
    /// The keys of those texts that are the operator's.
    own: BTreeSet<String>,
}

/// The use of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Markup {
    /// An attribute, or another place without markup.
    None,
    /// The content of an element: the text is escaped, its values are markup.
    Html,
}

impl Language {
    /// A language without texts.
    pub(super) fn new(tag: &LanguageIdentifier) -> Self {
        let mut bundle = FluentBundle::new_concurrent(vec![tag.clone()]);
        // Values are in elements of their own, or isolated where there can be none.
        bundle.set_use_isolating(false);
        let (keys, own) = (BTreeSet::new(), BTreeSet::new());
        Self { tag: tag.to_string(), bundle, keys, own }
    }

    /// A language with these texts. A test checks that they are valid.
    pub(super) fn built_in<'a>(
        tag: &str,
        texts: impl IntoIterator<Item = Option<&'a str>>,
    ) -> Self {
        let mut language = Self::new(&tag.parse().unwrap_or_default());
        for text in texts.into_iter().flatten() {
            let resource = FluentResource::try_new(text.to_owned());
            language.add(resource.unwrap_or_else(|(valid, _)| valid));
            language.keys.extend(keys(text).map(str::to_owned));
        }
        language
    }

    /// Takes the texts of a file of the operator's.
    pub(super) fn read(&mut self, path: &Path) -> Result<(), TextsError> {
        let failed = |error| TextsError::File { path: path.to_owned(), error };
        let text = named_file::text(path).map_err(failed)?.as_str().to_owned();
        let resource = FluentResource::try_new(text.clone()).map_err(|(_, errors)| {
            let first = errors.first();
            let before = first.and_then(|error| text.get(..error.pos.start)).unwrap_or_default();
            TextsError::Syntax {
                path: path.to_owned(),
                line: before.trim_end().matches('\n').count() + 1,
                error: first.map(ToString::to_string).unwrap_or_default(),
            }
        })?;
        self.add(resource);
        self.keys.extend(keys(&text).map(str::to_owned));
        self.own.extend(keys(&text).map(str::to_owned));
        Ok(())
    }

    /// Adds texts, in the place of those with the same keys.
    fn add(&mut self, resource: FluentResource) {
        self.bundle.add_resource_overriding(Arc::new(resource));
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.keys.contains(key)
    }

    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(String::as_str)
    }

    /// The keys of the operator's texts.
    pub(super) fn own_keys(&self) -> impl Iterator<Item = &str> {
        self.own.iter().map(String::as_str)
    }

    pub(super) fn is_of_the_operator(&self, key: &str) -> bool {
        self.own.contains(key)
    }

    /// The text with this key. A value that it names and that is not there is shown by its name.
    pub(super) fn text(
        &self,
        key: &str,
        values: &FluentArgs<'_>,
        markup: Markup,
    ) -> Option<String> {
        match markup {
            Markup::None => self.formatted(key, values),
            Markup::Html => {
                let (marks, markup) = marked(values);
                Some(with_markup(&self.formatted(key, &marks)?, &markup))
            }
        }
    }

    fn formatted(&self, key: &str, values: &FluentArgs<'_>) -> Option<String> {
        let message = self.bundle.get_message(key)?;
        let mut errors = Vec::new();
        let text = self.bundle.format_pattern(message.value()?, Some(values), &mut errors);
        if let Some(error) = errors.first() {
            tracing::warn!(key, tag = self.tag, %error, "a text of a page is not complete");
        }
        Some(text.into_owned())
    }
}

/// The beginning and the end of the mark of a value, with its number between them. Unicode keeps these
/// characters free for uses inside of a program.
const MARK: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// Marks in the place of the values that are markup, and the markup. Whatever a text has of its own,
/// its string literals too, can so be escaped as a whole.
fn marked<'a>(values: &'a FluentArgs<'_>) -> (FluentArgs<'a>, Vec<&'a str>) {
    let (mut marks, mut markup) = (FluentArgs::new(), Vec::new());
    for (name, value) in values.iter() {
        let value = match value {
            FluentValue::String(value) => {
                markup.push(&**value);
                format!("{}{}{}", MARK[0], markup.len() - 1, MARK[1]).into()
            }
            other => other.clone(),
        };
        marks.set(name, value);
    }
    (marks, markup)
}

/// A text as HTML, with the markup in the place of the marks.
fn with_markup(text: &str, markup: &[&str]) -> String {
    let escaped = escape(text);
    let mut parts = escaped.split(MARK[0]);
    let mut html = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let Some((number, after)) = part.split_once(MARK[1]) else {
            html.push_str(part);
            continue;
        };
        let value = number.parse::<usize>().ok().and_then(|number| markup.get(number));
        html.push_str(value.copied().unwrap_or_default());
        html.push_str(after);
    }
    html
}

/// The keys of the texts in a file. A line that begins a text begins with its key; all others are indented,
/// comments or terms.
pub(super) fn keys(file: &str) -> impl Iterator<Item = &str> {
    let begins = |line: &&str| line.starts_with(|c: char| c.is_ascii_alphabetic());
    file.lines().filter(begins).filter_map(|line| Some(line.split_once('=')?.0.trim()))
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Language").field("tag", &self.tag).finish_non_exhaustive()
    }
}
