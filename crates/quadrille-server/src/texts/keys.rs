//! The keys that a template names.

use std::{collections::BTreeSet, path::Path};

use crate::words::{did_you_mean, nearest};

use super::Texts;

/// The functions of templates whose first argument is a key.
const CALLS: [&str; 2] = ["t(", "t_plain("];

/// Warns of the texts that a page of the operator's names and that do not exist.
pub(crate) fn warn_of_unknown_keys(texts: &Texts, path: &Path, source: &str) {
    for key in unknown_keys(texts, source) {
        let nearest = nearest(key, texts.keys());
        tracing::warn!("{}: there is no text {key}{}", path.display(), did_you_mean(nearest));
    }
}

/// Warns of the texts of the operator's that visitors do not see as they should: those that a page names
/// and that English lacks, and those that are likely misspelt.
pub(crate) fn warn_of_texts_out_of_place(texts: &Texts, pages: &[&str]) {
    for (tag, key, fault) in out_of_place(texts, pages) {
        match fault {
            OutOfPlace::NotInEnglish => tracing::warn!(
                "texts: {tag} has the text {key}, and English lacks it: visitors with another language read \
                 \"{key}\""
            ),
            OutOfPlace::Misspelt(nearest) => {
                tracing::warn!(
                    "texts: no page has the text {key} of {tag}{}",
                    did_you_mean(Some(nearest))
                );
            }
        }
    }
}

/// The fault of a text of the operator's.
#[derive(Debug, PartialEq, Eq)]
enum OutOfPlace<'a> {
    NotInEnglish,
    /// It looks like the key of a built-in text.
    Misspelt(&'a str),
}

fn out_of_place<'a>(
    texts: &'a Texts,
    pages: &[&str],
) -> impl Iterator<Item = (&'a str, &'a str, OutOfPlace<'a>)> {
    let names: BTreeSet<String> =
        pages.iter().flat_map(|page| named(page)).map(str::to_owned).collect();
    texts.own_keys().filter_map(move |(tag, key)| {
        // The words of scopes and claims are those of the settings where a language has none.
        let has_words = ["scope-", "claim-"].iter().any(|kind| key.starts_with(kind));
        if texts.is_built_in(key) || has_words {
            return None;
        }
        if names.contains(key) {
            let english_lacks_it = !texts.is_in_english(key);
            return english_lacks_it.then_some((tag, key, OutOfPlace::NotInEnglish));
        }
        let nearest = nearest(key, texts.built_in_keys())?;
        Some((tag, key, OutOfPlace::Misspelt(nearest)))
    })
}

/// The keys that a template names and that no language has.
pub(super) fn unknown_keys<'a>(texts: &Texts, source: &'a str) -> Vec<&'a str> {
    named(source).filter(|key| !texts.has(key)).collect()
}

/// The keys that a template names: those that are whole, not built of parts.
fn named(source: &str) -> impl Iterator<Item = &str> {
    CALLS.iter().flat_map(move |call| {
        source.match_indices(call).filter_map(move |(at, _)| {
            let (before, rest) = source.split_at_checked(at)?;
            // The end of another name is no call of this one.
            let is_call = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let rest = rest.strip_prefix(call)?.trim_start();
            let quote = rest.chars().next().filter(|c| ['"', '\''].contains(c) && is_call)?;
            let (key, after) = rest.strip_prefix(quote)?.split_once(quote)?;
            after.trim_start().starts_with([',', ')']).then_some(key)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_of_a_template_are_found_wherever_it_names_them() {
        let source = r#"{{ t("a", x=t_plain( 'b')) }} {{ not("c") }} {{ t("d-" ~ e) }} {{ t(f) }}"#;
        let mut found: Vec<_> = named(source).collect();
        found.sort_unstable();
        assert_eq!(found, ["a", "b"]);
    }

    #[test]
    fn texts_that_english_lacks_and_misspelt_ones_are_pointed_out() {
        let folder = tempfile::tempdir().unwrap();
        for (tag, text) in [
            (
                "de",
                "our-motto = Hallo\nsgin-out = Raus\nsign-in = Rein\nscope-photos = Fotos\nours = x\n",
            ),
            ("en", "ours = y\n"),
        ] {
            std::fs::create_dir(folder.path().join(tag)).unwrap();
            std::fs::write(folder.path().join(tag).join("own.ftl"), text).unwrap();
        }
        let texts = Texts::load(Some(folder.path()), "en").unwrap();
        let found: Vec<_> =
            out_of_place(&texts, &[r#"{{ t("our-motto") }} {{ t("ours") }}"#]).collect();
        assert_eq!(
            found,
            [
                ("de", "our-motto", OutOfPlace::NotInEnglish),
                ("de", "sgin-out", OutOfPlace::Misspelt("sign-out")),
            ]
        );
    }
}
