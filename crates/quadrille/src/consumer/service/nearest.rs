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
        .filter(|(likeness, known)| *likeness > LIKE && is_half_the_same(&name, known))
        .max_by(|(a, _), (b, _)| a.total_cmp(b))
        .map(|(_, known)| known)
}

/// Whether a name begins with a known one, or at most half of the letters differ. By the measure of Jaro and
/// Winkler alone, a short name is like every long one that has its letters.
fn is_half_the_same(name: &str, known: &str) -> bool {
    name.starts_with(known) || strsim::normalized_damerau_levenshtein(name, known) >= 0.5
}
