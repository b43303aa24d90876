//! The keys that a template names.

use std::path::Path;

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
}
