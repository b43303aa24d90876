//! Names and passwords in the form in which they are compared: input that looks the same on a
//! keyboard is the same, on whichever system it was typed (RFC 8265).

use std::fmt;

use precis_core::profile::PrecisFastInvocation as _;
use precis_profiles::{OpaqueString, UsernameCaseMapped};
use quadrille::Secret;
use unicode_security::confusable_detection::skeleton;

/// The reason for rejecting a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text cannot be a name.
    #[error(
        "a user name has 1 to 64 characters, none of them a control character or a space at \
         either end"
    )]
    Shape,
    /// The name has characters that RFC 8265 does not allow.
    #[error(
        "a user name has letters and digits of any script, printable ASCII characters and single \
         spaces (RFC 8265)"
    )]
    Characters,
}

/// The name that a user signs in with: a name or an e-mail address. `Ada` and `ada` are the same,
/// and so are the two ways in which Unicode writes `é` (RFC 8265, section 3.3:
/// `UsernameCaseMapped`).
#[derive(Clone, Debug)]
pub struct UserName {
    shown: String,
    key: String,
}

impl UserName {
    /// Parses a typed name of a user who may exist.
    ///
    /// # Errors
    /// [`NameError::Shape`].
    pub fn parse(typed: &str) -> Result<Self, NameError> {
        let fits = (1..=64).contains(&typed.chars().count());
        if !fits || typed.trim() != typed || typed.chars().any(char::is_control) {
            return Err(NameError::Shape);
        }
        Ok(Self { shown: typed.to_owned(), key: key(typed) })
    }

    /// Parses the name of a new user, which must keep to RFC 8265: letters and digits of any
    /// script, printable ASCII, single spaces.
    ///
    /// # Errors
    /// [`NameError`].
    pub fn parse_new(typed: &str) -> Result<Self, NameError> {
        let name = Self::parse(typed)?;
        match typed.split(' ').all(|part| UsernameCaseMapped::enforce(part).is_ok()) {
            true => Ok(name),
            false => Err(NameError::Characters),
        }
    }

    /// The name as it was given when the user was added.
    pub fn as_str(&self) -> &str {
        &self.shown
    }

    /// The key that names are compared by.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Whether users could confuse the two names (UTS 39, section 4), by their keys or as they are
    /// shown: `userI` is `useri` by its key, and looks like `userl`.
    pub fn looks_like(&self, other: &Self) -> bool {
        self.looks().iter().zip(other.looks()).any(|(one, another)| *one == another)
    }

    /// The looks of the name, by its key and as it is shown: a name of which one is the same can be
    /// confused with it.
    pub fn looks(&self) -> [String; 2] {
        [skeleton(&self.key).collect(), look(&self.shown)]
    }
}

/// The key of a name. Names stored before there were rules have a key, too.
fn key(typed: &str) -> String {
    let part = |part: &str| match UsernameCaseMapped::enforce(part) {
        Ok(key) => key.into_owned(),
        Err(_) => normalized(part).to_lowercase(),
    };
    typed.split(' ').map(part).collect::<Vec<_>>().join(" ")
}

/// Whether readers could confuse two names of applications, in any case and with any spaces.
pub fn look_alike(one: &str, other: &str) -> bool {
    let looks = |text: &str| {
        let seen = |text: &str| skeleton(text).filter(|c| c.is_alphanumeric()).collect::<String>();
        let (shown, small) = (seen(&look(text)), seen(&text.to_lowercase()));
        [shown, small]
    };
    let (one, other) = (looks(one), looks(other));
    one.iter().zip(&other).any(|(one, other)| one == other && !one.is_empty())
}

/// The look of a name to readers who ignore its case.
fn look(shown: &str) -> String {
    skeleton(&skeleton(shown).collect::<String>().to_lowercase()).collect()
}

fn normalized(text: &str) -> String {
    OpaqueString::enforce(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// A password in the form in which it is hashed: its Unicode form, and the kind of its spaces, do
/// not matter (RFC 8265, section 4.2: `OpaqueString`).
pub fn prepared(password: &Secret) -> Secret {
    Secret::from(normalized(password.expose()))
}

impl PartialEq for UserName {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl Eq for UserName {}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(typed: &str) -> UserName {
        UserName::parse_new(typed).unwrap()
    }

    #[test]
    fn one_name_is_the_same_in_every_unicode_form_width_and_case() {
        for (one, other) in [
            ("Ren\u{e9}", "rene\u{301}"),
            ("\u{ff21}da", "ada"),
            ("ADA@example.org", "ada@example.org"),
            ("Ada Lovelace", "ada lovelace"),
            ("\u{212b}ngstr\u{f6}m", "a\u{30a}ngstro\u{308}m"),
        ] {
            let found = UserName::parse(other).unwrap();
            assert_eq!(UserName::parse(one).unwrap(), found, "{one} {other}");
        }
        assert_ne!(name("ada"), name("adam"));
    }

    #[test]
    fn names_that_look_the_same_are_noticed() {
        for (one, other) in [
            ("ada", "\u{430}da"),
            ("paypal", "payp\u{430}l"),
            ("mary", "rnary"),
            ("userI", "userl"),
            ("user1", "userI"),
            ("AdminO", "Admin0"),
            ("bob", "\u{392}\u{39f}\u{392}"), // Greek capitals, whose small letters differ
            ("H\u{f6}he", "\u{41d}\u{f6}he"),
        ] {
            assert!(name(one).looks_like(&name(other)), "{one} {other}");
            assert!(name(other).looks_like(&name(one)), "{one} {other}");
        }
        for (one, other) in [("ada", "bob"), ("useri", "userl"), ("ada", "adam"), ("Ian", "Jan")] {
            assert!(!name(one).looks_like(&name(other)), "{one} {other}");
        }
    }

    #[test]
    fn names_of_applications_that_look_the_same_are_noticed() {
        for (one, other) in [
            ("Photo printer", "Photo printer"),
            ("Photo printer", "PHOTO-PRINTER"),
            ("PayPal", "PayPaI"),
            ("PayPal", "P\u{430}ypal"),
        ] {
            assert!(look_alike(one, other), "{one} {other}");
        }
        for (one, other) in [("Photo printer", "Photo painter"), ("\u{1f4f7}", "\u{1f5a8}")] {
            assert!(!look_alike(one, other), "{one} {other}");
        }
    }

    #[test]
    fn new_names_keep_to_the_rules_and_old_ones_can_still_be_typed() {
        for odd in ["\u{2603}", "a\u{200b}b", "a  b", "a\u{202e}b", "\u{fb01}"] {
            assert_eq!(UserName::parse_new(odd).unwrap_err(), NameError::Characters, "{odd}");
            assert!(UserName::parse(odd).is_ok(), "{odd}");
        }
    }

    #[test]
    fn a_password_is_the_same_in_every_unicode_form_and_keeps_its_case() {
        let same = |one: &str, other: &str| prepared(&one.into()) == prepared(&other.into());
        assert!(same("cafe\u{301} au lait", "caf\u{e9}\u{a0}au lait"));
        assert!(!same("Correct horse", "correct horse"));
        assert!(!same("\u{ff21}bcdefgh", "Abcdefgh"));
    }
}
