//! The most common passwords, which attackers try first (NIST SP 800-63B, section 5.1.1.2).

use quadrille::Secret;

/// The passwords of eight characters and more among the 20,000 most common, in lower case and
/// sorted: the list of Django (`django/contrib/auth/common-passwords.txt.gz`, by Royce Williams).
/// Its licence is beside it.
const COMMON: &str = include_str!("common-passwords.txt");

/// Whether a password is one of the most common, in any case, or one repeated character.
pub(super) fn is_common(password: &Secret) -> bool {
    let lower = password.expose().to_lowercase();
    let mut characters = lower.chars();
    let is_one = characters.next().is_some_and(|first| characters.all(|next| next == first));
    is_one || COMMON.lines().any(|common| common == lower)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_everybody_uses_is_common_and_a_phrase_is_not() {
        for common in
            ["password", "Password1", "12345678", "QWERTYUIOP", "iloveyou", "        ", "YyYyYyYyY"]
        {
            assert!(is_common(&Secret::from(common)), "{common}");
        }
        for rare in ["correct horse battery staple", "another horse", "passwor", "", "12345678\n"] {
            assert!(!is_common(&Secret::from(rare)), "{rare:?}");
        }
    }
}
