//! The texts of pages: a key for each, in every language, in files of Fluent.
//!
//! The built-in ones are in the folder `locales`, and those of errors in that of the library. A folder of
//! the operator's, with a folder for each language, replaces some and adds languages. A text that a
//! language lacks is shown in English.

mod chosen;
mod error;
mod functions;
mod keys;
mod language;

pub(crate) use chosen::{Chosen, UI_LOCALES};
pub use error::TextsError;
#[cfg(test)]
pub(crate) use functions::FUNCTIONS;
pub(crate) use functions::add_to;
pub(crate) use keys::{warn_of_texts_out_of_place, warn_of_unknown_keys};

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use fluent_bundle::FluentArgs;
use quadrille::page::{Language as BuiltIn, look_up_language};
use unic_langid::LanguageIdentifier;

use language::{Language, Markup};

/// The built-in texts of the program, by language.
const PROGRAM: &[(&str, &str)] = &[
    ("en", include_str!("../../locales/en/pages.ftl")),
    ("de", include_str!("../../locales/de/pages.ftl")),
    ("fr", include_str!("../../locales/fr/pages.ftl")),
    ("es", include_str!("../../locales/es/pages.ftl")),
    ("pt", include_str!("../../locales/pt/pages.ftl")),
    ("it", include_str!("../../locales/it/pages.ftl")),
    ("nl", include_str!("../../locales/nl/pages.ftl")),
    ("pl", include_str!("../../locales/pl/pages.ftl")),
    ("tr", include_str!("../../locales/tr/pages.ftl")),
    ("ja", include_str!("../../locales/ja/pages.ftl")),
    ("zh", include_str!("../../locales/zh/pages.ftl")),
    ("ar", include_str!("../../locales/ar/pages.ftl")),
];

/// The texts of pages in all languages.
#[derive(Debug)]
pub struct Texts {
    /// English first.
    languages: Vec<Language>,
    /// The language for a browser that accepts none of the others.
    default: usize,
    /// The keys of the built-in texts.
    built_in: BTreeSet<String>,
}

impl Texts {
    /// The built-in texts.
    pub fn built_in() -> Self {
        let languages = BuiltIn::all().map(|language| {
            let tag = language.tag();
            let program = PROGRAM.iter().find(|(known, _)| *known == tag).map(|(_, text)| *text);
            Language::built_in(tag, [Some(language.provider_texts()), program])
        });
        let languages: Vec<_> = languages.collect();
        let built_in = languages.iter().flat_map(Language::keys).map(str::to_owned).collect();
        Self { languages, default: 0, built_in }
    }

    /// The built-in texts, with those of the files in `folder` in their place.
    ///
    /// # Errors
    /// [`TextsError`].
    pub fn load(folder: Option<&Path>, default: &str) -> Result<Self, TextsError> {
        let mut texts = Self::built_in();
        for folder in folder.map(entries).transpose()?.unwrap_or_default() {
            if !folder.is_dir() {
                continue;
            }
            let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
            let name = name.unwrap_or_default();
            let Ok(tag) = name.parse::<LanguageIdentifier>() else {
                return Err(TextsError::Tag { path: folder });
            };
            let is_it = |known: &Language| known.tag.eq_ignore_ascii_case(&tag.to_string());
            let at = texts.languages.iter().position(is_it).unwrap_or_else(|| {
                texts.languages.push(Language::new(&tag));
                texts.languages.len() - 1
            });
            let Some(language) = texts.languages.get_mut(at) else { continue };
            for file in entries(&folder)? {
                if file.extension().is_some_and(|ending| ending == "ftl") {
                    language.read(&file)?;
                }
            }
        }
        let is_default = |known: &Language| known.tag.eq_ignore_ascii_case(default);
        let found = texts.languages.iter().position(is_default);
        texts.default = found.ok_or_else(|| TextsError::NoDefault(default.to_owned()))?;
        Ok(texts)
    }

    /// The tags of all languages, the default one first.
    pub fn tags(&self) -> impl Iterator<Item = &str> {
        let others = self.languages.iter().enumerate().filter(|(at, _)| *at != self.default);
        let default = self.languages.get(self.default).into_iter();
        default.chain(others.map(|(_, language)| language)).map(|language| language.tag.as_str())
    }

    /// Whether there is a text with this key.
    pub(crate) fn has(&self, key: &str) -> bool {
        self.languages.iter().any(|language| language.has(key))
    }

    /// The keys of the built-in texts.
    fn built_in_keys(&self) -> impl Iterator<Item = &str> {
        self.built_in.iter().map(String::as_str)
    }

    fn is_built_in(&self, key: &str) -> bool {
        self.built_in.contains(key)
    }

    fn is_in_english(&self, key: &str) -> bool {
        self.english().has(key)
    }

    /// The keys of the operator's texts, each with the tag of its language.
    fn own_keys(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = self.languages.iter();
        all.flat_map(|language| language.own_keys().map(|key| (&*language.tag, key)))
    }

    /// The keys of all texts.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.languages.iter().flat_map(Language::keys)
    }

    /// The language that suits these ranges best, the best range first.
    pub(crate) fn accepted<R: AsRef<str>>(&self, ranges: impl IntoIterator<Item = R>) -> Chosen {
        Chosen { at: self.look_up(ranges), is_wished: false }
    }

    /// The language that an application wishes for (`ui_locales`, OpenID Connect Core, section 3.1.2.1),
    /// if there is one of these; else the one of the request until now.
    pub(crate) fn wished_by<R: AsRef<str>>(&self, ranges: impl IntoIterator<Item = R>) -> Chosen {
        match self.look_up(ranges) {
            Some(at) => Chosen { at: Some(at), is_wished: true },
            None => chosen::current(),
        }
    }

    /// The tag of the language that an application wished for in this request, for the next page.
    pub(crate) fn wished(&self) -> Option<&str> {
        chosen::current().is_wished.then(|| self.current_tag())
    }

    fn look_up<R: AsRef<str>>(&self, ranges: impl IntoIterator<Item = R>) -> Option<usize> {
        look_up_language(ranges, self.languages.iter().map(|language| language.tag.as_str()))
    }

    /// The language of the current request.
    fn current(&self) -> &Language {
        let current = chosen::current().at.and_then(|at| self.languages.get(at));
        // There is a default one, which `load` has found.
        current.or_else(|| self.languages.get(self.default)).unwrap_or_else(|| self.english())
    }

    fn english(&self) -> &Language {
        #[expect(clippy::indexing_slicing, reason = "the built-in languages begin with English")]
        &self.languages[0]
    }

    /// The tag of the language of the current request.
    pub(crate) fn current_tag(&self) -> &str {
        &self.current().tag
    }

    /// The direction of that language: `ltr` or `rtl`.
    pub(crate) fn direction(&self) -> &'static str {
        if quadrille::page::is_right_to_left(self.current_tag()) { "rtl" } else { "ltr" }
    }

    /// The text with this key in the language of the current request, else in English.
    fn text(&self, key: &str, values: &FluentArgs<'_>, markup: Markup) -> String {
        let here = self.current().text(key, values, markup);
        let text = here.or_else(|| self.english().text(key, values, markup));
        text.unwrap_or_else(|| {
            tracing::error!(key, "a page names a text that does not exist");
            key.to_owned()
        })
    }

    /// A text without values and markup.
    pub(crate) fn plain(&self, key: &str) -> String {
        self.text(key, &FluentArgs::new(), Markup::None)
    }

    /// A text with one value, without markup.
    pub(crate) fn with(&self, key: &str, name: &str, value: &str) -> String {
        let mut values = FluentArgs::new();
        values.set(name, value);
        self.text(key, &values, Markup::None)
    }

    /// The words for a scope or a claim, `kind`, whose words in the settings are these: those of the
    /// operator's files, if they have some, else the built-in ones for the built-in words.
    pub(crate) fn words_for(&self, kind: &str, name: &str, words: &str) -> String {
        let key = key_of(kind, name);
        let (language, nothing) = (self.current(), FluentArgs::new());
        let is_built_in = || {
            let english = self.english().text(&key, &nothing, Markup::None);
            english.is_some_and(|english| english == words)
        };
        let found = match language.is_of_the_operator(&key) || is_built_in() {
            true => language.text(&key, &nothing, Markup::None),
            false => None,
        };
        found.unwrap_or_else(|| words.to_owned())
    }

    /// What a scope permits in more words, if the operator's files say so: those of the language, else
    /// those in English.
    pub(crate) fn details_of_scope(&self, name: &str) -> Option<String> {
        let key = key_of("scope", name) + "-details";
        let here = self.current().text(&key, &FluentArgs::new(), Markup::None);
        here.or_else(|| self.english().text(&key, &FluentArgs::new(), Markup::None))
    }
}

/// The key of the words for a scope or a claim.
fn key_of(kind: &str, name: &str) -> String {
    let valid = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    format!("{kind}-{}", name.chars().map(valid).collect::<String>())
}

/// The files and folders in a folder.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, TextsError> {
    let failed = |error| TextsError::File { path: folder.to_owned(), error };
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<_> = paths.collect::<Result<_, _>>().map_err(failed)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests;
