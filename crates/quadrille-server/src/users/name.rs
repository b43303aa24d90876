//! Names and passwords in the form in which they are compared: input that looks the same on a
//! keyboard is the same, on whichever system it was typed (RFC 8265).

use std::{fmt, ops::Range};

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

/// Whether readers could confuse two names of applications, in any case and with any spaces: they look
/// the same, or one of them is the other with more words. A single word is the name of many
/// applications, so words beside it count only if they promise that this is the real one.
pub fn look_alike(one: &str, other: &str) -> bool {
    let (one, other) = (words_seen(one), words_seen(other));
    one.iter().zip(&other).any(|(one, other)| {
        one.concat() == other.concat() && !one.is_empty()
            || has_words_of(one, other)
            || has_words_of(other, one)
    })
}

/// The words of a name as readers see them: as they are, and in small letters.
fn words_seen(name: &str) -> [Vec<String>; 2] {
    let is_between = |c: char| {
        let is_punctuation = matches!(c, '\u{2010}'..='\u{206f}' | '\u{3000}'..='\u{303f}');
        c.is_whitespace() || c.is_ascii_punctuation() || is_punctuation
    };
    let words = |seen: String| -> Vec<String> {
        let words = seen.split(is_between);
        let words = words.map(|word| word.chars().filter(|c| c.is_alphanumeric()).collect());
        words.filter(|word: &String| !word.is_empty()).collect()
    };
    [words(look(name)), words(skeleton(&name.to_lowercase()).collect())]
}

/// Whether `long` has the words of `short`, one after the other, and further ones.
fn has_words_of(long: &[String], short: &[String]) -> bool {
    runs(long, &short.concat()).any(|run| {
        let is_of_one_word = short.len().max(run.len()) == 1;
        let mut further = long.iter().enumerate().filter(|(at, _)| !run.contains(at));
        run.len() < long.len() && (!is_of_one_word || further.all(|(_, word)| is_promise(word)))
    })
}

/// The places at which words make up this text.
fn runs<'a>(words: &'a [String], whole: &'a str) -> impl Iterator<Item = Range<usize>> + 'a {
    (0..words.len()).filter_map(move |start| {
        let mut rest = whole;
        for (at, word) in words.iter().enumerate().skip(start) {
            rest = rest.strip_prefix(word.as_str())?;
            if rest.is_empty() {
                return Some(start..at + 1);
            }
        }
        None
    })
}

/// Words that promise that an application is the real one, in the languages of the pages.
const PROMISES: &str = include_str!("promises.txt");

/// Whether a word, as it is seen, is one of these. A capital I is seen as a small l.
fn is_promise(word: &str) -> bool {
    let folded = |word: &str| word.replace('l', "i");
    let word = folded(word);
    PROMISES
        .lines()
        .any(|promise| words_seen(promise).iter().any(|seen| folded(&seen.concat()) == word))
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
            ("PayPal", "PayPal \u{2713}"),
            // With more words.
            ("Google Photos", "Google Photos Official"),
            ("Google Photos", "Google Photos (verified)"),
            ("Google Photos", "G\u{43e}ogle Photos \u{2014} Login"),
            ("Google Photos", "The GooglePhotos App"),
            ("GooglePhotos", "Google Photos 2"),
            ("PayPal", "PayPal Official"),
            ("PayPal", "PayPaI (VERIFIED)"),
            ("PayPal", "Officiel: PayPal, v\u{e9}rifi\u{e9}"),
            ("Fotos", "Fotos (ve\u{301}rifie\u{301})"),
        ] {
            assert!(look_alike(one, other) && look_alike(other, one), "{one} {other}");
        }
        for (one, other) in [
            ("Photo printer", "Photo painter"),
            ("\u{1f4f7}", "\u{1f5a8}"),
            ("\u{1f4f7}", "Photos"),
            // One word is the name of many.
            ("Photos", "Photos Backup"),
            ("Photos", "My Photos"),
            ("Calendar", "Team Calendar"),
            ("Official", "Photos"),
            ("Photos", "Official Backup"),
            ("Google Photos", "Google Backup Photos"),
            ("Google Photos", "Photos Google"),
            ("Google Photos", "Google Photosphere"),
            ("Photo printer", "Printer"),
        ] {
            assert!(!look_alike(one, other) && !look_alike(other, one), "{one} {other}");
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
