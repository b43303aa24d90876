//! Suggestions for mistyped names.

/// The likeness (Jaro and Winkler, from 0 to 1) below which a name is no suggestion.
const LIKE: f64 = 0.75;

/// Whether the name differs from a known one by one letter, or by two neighbours that are swapped.
pub(crate) fn is_misspelt(name: &str, known: &str) -> bool {
    strsim::osa_distance(name, known) == 1
}

/// The known name that is closest to `name`.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_ascii_lowercase();
    known
        .map(|known| (strsim::jaro_winkler(known, &name), known))
        .filter(|(likeness, _)| *likeness > LIKE)
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}
