//! The languages of pages: the texts of the default ones, and the choice by what a browser accepts.

use std::{borrow::Cow, fmt};

use http::{HeaderMap, HeaderValue, header};

/// The greatest number of ranges that are read of a request.
const MOST_RANGES: usize = 32;

/// A language of the default pages.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use quadrille::page::Language;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("accept-language", HeaderValue::from_static("de-AT, en;q=0.5"));
/// assert_eq!(Language::of(&headers).tag(), "de");
/// assert_eq!(Language::of(&HeaderMap::new()), Language::ENGLISH);
/// ```
#[derive(Clone, Copy)]
pub struct Language(&'static Texts);

/// The texts in one language: messages of Fluent, each of one line, whose only placeables are variables.
struct Texts {
    tag: &'static str,
    #[cfg(feature = "provider")]
    provider: &'static str,
    #[cfg(feature = "consumer")]
    consumer: &'static str,
}

macro_rules! texts {
    ($($tag:literal),* $(,)?) => {
        [$(Texts {
            tag: $tag,
            #[cfg(feature = "provider")]
            provider: include_str!(concat!("../../locales/", $tag, "/provider.ftl")),
            #[cfg(feature = "consumer")]
            consumer: include_str!(concat!("../../locales/", $tag, "/consumer.ftl")),
        }),*]
    };
}

/// English first.
static ALL: [Texts; 12] =
    texts!["en", "de", "fr", "es", "pt", "it", "nl", "pl", "tr", "ja", "zh", "ar"];

impl Language {
    /// English, in which every text is.
    pub const ENGLISH: Self = Self(&ALL[0]);

    /// All languages of the default pages, English first.
    pub fn all() -> impl Iterator<Item = Self> {
        ALL.iter().map(Self)
    }

    /// The language that suits a request best, by `Accept-Language`; else English.
    pub fn of(headers: &HeaderMap) -> Self {
        Self::by(headers.get_all(header::ACCEPT_LANGUAGE))
    }

    /// The same for the values of `Accept-Language`.
    pub(crate) fn by<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Self {
        let found = look_up_language(weighed(values), Self::all().map(Self::tag));
        found.and_then(|at| ALL.get(at)).map_or(Self::ENGLISH, Self)
    }

    /// The language tag (BCP 47).
    pub fn tag(self) -> &'static str {
        self.0.tag
    }

    /// Whether the language is written from right to left.
    pub fn is_right_to_left(self) -> bool {
        is_right_to_left(self.tag())
    }

    /// The texts of the provider's default pages, in the format of [Fluent](https://projectfluent.org): for
    /// an application that has its own pages, and shows errors by [`Problem::key`].
    ///
    /// [`Problem::key`]: crate::provider::Problem::key
    #[cfg(feature = "provider")]
    pub fn provider_texts(self) -> &'static str {
        self.0.provider
    }

    /// The text with this key, with the values of its variables. In English, if this language lacks it.
    #[cfg(any(feature = "consumer", feature = "provider"))]
    pub(crate) fn text(self, key: &str, values: &[(&str, &str)]) -> Cow<'static, str> {
        let pattern = self.pattern(key);
        values.iter().fold(Cow::Borrowed(pattern), |text, (name, value)| {
            let variable = format!("{{ ${name} }}");
            match text.contains(&variable) {
                true => text.replace(&variable, &isolated(self.tag(), value)).into(),
                false => text,
            }
        })
    }

    /// The text with this key, which has no variables.
    pub(crate) fn pattern(self, key: &str) -> &'static str {
        let found = self.0.message(key).or_else(|| Self::ENGLISH.0.message(key));
        found.unwrap_or_default()
    }
}

#[cfg(feature = "provider")]
tokio::task_local! {
    static CURRENT: Language;
}

#[cfg(feature = "provider")]
impl Language {
    /// The language of the request that this task answers; English outside of a
    /// [layer](crate::provider::AuthorizationServer::layer).
    pub(crate) fn current() -> Self {
        CURRENT.try_with(|language| *language).unwrap_or(Self::ENGLISH)
    }

    /// Runs `work`, in which this is the [current](Self::current) language.
    #[cfg(feature = "axum")]
    pub(crate) fn while_running<R>(self, work: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(self, work)
    }
}

impl Texts {
    fn message(&self, key: &str) -> Option<&'static str> {
        let files: &[&'static str] = &[
            #[cfg(feature = "consumer")]
            self.consumer,
            #[cfg(feature = "provider")]
            self.provider,
        ];
        files.iter().find_map(|file| message(file, key))
    }
}

/// The text of a line `key = text`.
fn message(file: &'static str, key: &str) -> Option<&'static str> {
    file.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))
}

impl PartialEq for Language {
    fn eq(&self, other: &Self) -> bool {
        self.tag() == other.tag()
    }
}

impl Eq for Language {}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Language").field(&self.tag()).finish()
    }
}

/// The language ranges that a request accepts, the best one first (RFC 9110, section 12.5.4).
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use quadrille::page::accepted_languages;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("accept-language", HeaderValue::from_static("en;q=0.5, fr-CH, fr;q=0.9, it;q=0"));
/// assert_eq!(accepted_languages(&headers), ["fr-CH", "fr", "en"]);
/// ```
pub fn accepted_languages(headers: &HeaderMap) -> Vec<&str> {
    weighed(headers.get_all(header::ACCEPT_LANGUAGE))
}

fn weighed<'a>(values: impl IntoIterator<Item = &'a HeaderValue>) -> Vec<&'a str> {
    let lines = values.into_iter().filter_map(|it| it.to_str().ok());
    let ranges = lines.flat_map(|line| line.split(',')).take(MOST_RANGES);
    let mut weighted: Vec<_> = ranges
        .filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let tag = parts.next().filter(|tag| !tag.is_empty())?;
            let weight =
                parts.find_map(|it| it.strip_prefix("q=").or_else(|| it.strip_prefix("Q=")));
            let weight: f32 = weight.map_or(Some(1.0), |weight| weight.parse().ok())?;
            (weight > 0.0).then_some((tag, weight))
        })
        .collect();
    weighted.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    weighted.into_iter().map(|(tag, _)| tag).collect()
}

/// The index of the language among those `offered` that suits these ranges best, the best range first
/// (RFC 4647, section 3.4: lookup).
///
/// ```
/// use quadrille::page::look_up_language;
///
/// let offered = ["en", "de", "zh"];
/// assert_eq!(look_up_language(["gsw", "de-CH"], offered), Some(1));
/// assert_eq!(look_up_language(["zh-Hant-TW", "de"], offered), Some(2));
/// assert_eq!(look_up_language(["de_CH.UTF-8"], offered), Some(1));
/// assert_eq!(look_up_language(["sv", "*"], offered), None);
/// ```
///
/// The names of locales on other systems, such as `de_CH.UTF-8`, are read as the tags that they mean:
/// applications send them, too.
pub fn look_up_language<R: AsRef<str>, T: AsRef<str>>(
    ranges: impl IntoIterator<Item = R>,
    offered: impl IntoIterator<Item = T>,
) -> Option<usize> {
    let offered: Vec<T> = offered.into_iter().collect();
    ranges.into_iter().find_map(|range| {
        let tag = range.as_ref().split(['.', '@']).next()?.replace('_', "-");
        let mut range = &*tag;
        loop {
            let is_it = |tag: &T| tag.as_ref().eq_ignore_ascii_case(range);
            if let Some(found) = offered.iter().position(is_it) {
                return Some(found);
            }
            (range, _) = range.rsplit_once('-')?;
            // A single letter belongs to the part after it.
            if let Some((before, single)) = range.rsplit_once('-')
                && single.len() == 1
            {
                range = before;
            }
        }
    })
}

/// Whether a language is written from right to left, by its tag.
///
/// ```
/// use quadrille::page::is_right_to_left;
///
/// assert!(is_right_to_left("ar-EG") && is_right_to_left("he") && !is_right_to_left("tr"));
/// ```
pub fn is_right_to_left(tag: &str) -> bool {
    const WRITTEN_SO: [&str; 10] = ["ar", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"];
    let language = tag.split('-').next().unwrap_or_default();
    WRITTEN_SO.iter().any(|it| it.eq_ignore_ascii_case(language))
}

/// A value for a text without markup in a language: between U+2068 and U+2069, by which it has a direction
/// of its own, unless both go from left to right for sure.
///
/// ```
/// use quadrille::page::isolated;
///
/// assert_eq!(isolated("de", "Photos"), "Photos");
/// assert_eq!(isolated("ar", "Photos"), "\u{2068}Photos\u{2069}");
/// ```
pub fn isolated<'a>(tag: &str, value: &'a str) -> Cow<'a, str> {
    match value.is_ascii() && !is_right_to_left(tag) {
        true => value.into(),
        false => format!("\u{2068}{value}\u{2069}").into(),
    }
}

#[cfg(all(test, feature = "consumer", feature = "provider"))]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn messages(file: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
        file.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let (key, text) = line.split_once(" = ").ok_or(line).unwrap();
            assert!(key.bytes().all(|it| it.is_ascii_lowercase() || it == b'-'), "{line}");
            assert_eq!(text.trim(), text, "{line}");
            (key, text)
        })
    }

    /// The variables of a text, which has no other braces.
    fn variables(text: &str) -> BTreeSet<&str> {
        let found = text.split("{ $").skip(1).map(|rest| rest.split_once(" }").unwrap().0);
        let found: Vec<_> = found.collect();
        assert_eq!(text.matches(['{', '}']).count(), 2 * found.len(), "{text}");
        found.into_iter().collect()
    }

    fn files(language: Language) -> [&'static str; 2] {
        [language.0.provider, language.0.consumer]
    }

    #[test]
    fn every_language_has_every_text_with_the_same_values() {
        for language in Language::all() {
            for (file, english) in files(language).into_iter().zip(files(Language::ENGLISH)) {
                let shape = |file| -> Vec<_> {
                    messages(file).map(|(key, text)| (key, variables(text))).collect()
                };
                assert_eq!(shape(file), shape(english), "{language:?}");
            }
        }
    }

    #[test]
    fn every_text_is_used_and_every_text_that_is_used_exists() {
        let sources = [
            include_str!("mod.rs"),
            include_str!("../provider/reason.rs"),
            include_str!("../provider/error/mod.rs"),
            include_str!("../provider/authorize/error.rs"),
            include_str!("../provider/authorize/pages/device.rs"),
            include_str!("../provider/authorize/pages/problem.rs"),
            include_str!("../provider/authorize/pages/verifier.rs"),
            include_str!("../provider/client/document/error.rs"),
            include_str!("../provider/openid/form_post.rs"),
            include_str!("../provider/openid/logout/error.rs"),
            include_str!("../provider/openid/logout/page.rs"),
            include_str!("../web/consumer/pages.rs"),
            include_str!("../web/consumer/words.rs"),
            include_str!("../web/consumer/leave.rs"),
            include_str!("../web/consumer/logout.rs"),
            include_str!("../consumer/program/loopback/mod.rs"),
            include_str!("../consumer/program/loopback/answer.rs"),
            include_str!("../consumer/program/loopback/server.rs"),
        ];
        let source = sources.concat();
        for (key, _) in files(Language::ENGLISH).into_iter().flat_map(messages) {
            assert!(source.contains(&format!("\"{key}\"")), "{key} is not used");
        }
        for begins in ["problem-", "login-", "logged-out-", "ask-", "program-"] {
            let begin = format!("\"{begins}");
            let literals = source.split(&begin).skip(1);
            for rest in literals.map(|rest| rest.split_once('"').unwrap().0) {
                let key = [begins, rest].concat();
                assert!(Language::ENGLISH.0.message(&key).is_some(), "there is no {key}");
            }
        }
    }

    #[test]
    fn a_name_of_the_other_direction_stands_by_itself() {
        let title = |language: Language, name| language.text("go-to", &[("destination", name)]);
        assert_eq!(title(Language::ENGLISH, "a.example"), "Go to a.example");
        assert_eq!(title(Language::ENGLISH, "صور"), "Go to \u{2068}صور\u{2069}");
    }

    #[test]
    fn a_range_is_shortened_until_a_language_fits() {
        let offered = ["en", "pt", "zh-Hant"];
        for (range, found) in [
            ("PT-br", Some("pt")),
            ("zh-Hant-CN-x-private", Some("zh-Hant")),
            ("zh", None),
            ("en-a-bbb", Some("en")),
            ("", None),
            ("-", None),
            ("*", None),
        ] {
            assert_eq!(look_up_language([range], offered).map(|at| offered[at]), found, "{range}");
        }
    }

    #[test]
    fn no_header_asks_for_more_than_a_few_languages() {
        let mut headers = HeaderMap::new();
        let many = "sv,".repeat(1000) + "de";
        headers.insert(header::ACCEPT_LANGUAGE, many.parse().unwrap());
        assert_eq!(accepted_languages(&headers).len(), MOST_RANGES);
        headers.insert(
            header::ACCEPT_LANGUAGE,
            "de;q=x, ;q=1, fr;q=0.000, it; Q=0.1".parse().unwrap(),
        );
        assert_eq!(accepted_languages(&headers), ["it"]);
    }
}
