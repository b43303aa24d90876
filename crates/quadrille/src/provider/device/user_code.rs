//! User codes (RFC 8628, section 6.1): eight letters, easily read and typed.

use std::fmt;

use crate::{Env, page::is_unseen};

/// The letters of user codes. There are no vowels and no `Y`, so that no word appears, and no `Q`,
/// which looks like `O` and `0`. All digits are left out, since they look like letters.
const LETTERS: [u8; 19] = *b"BCDFGHJKLMNPRSTVWXZ";

const LENGTH: usize = 8;

/// Code points of other keyboards that look like one of [`LETTERS`], and what stands for it.
const LOOK_ALIKE: [(char, char); 34] = [
    // Digits, and letters that are left out.
    ('0', 'D'),
    ('O', 'D'),
    ('Q', 'D'),
    ('1', 'L'),
    ('I', 'L'),
    ('|', 'L'),
    ('2', 'Z'),
    ('5', 'S'),
    ('6', 'G'),
    ('8', 'B'),
    ('U', 'V'),
    // Cyrillic.
    ('\u{412}', 'B'),
    ('\u{421}', 'C'),
    ('\u{41d}', 'H'),
    ('\u{408}', 'J'),
    ('\u{41a}', 'K'),
    ('\u{41c}', 'M'),
    ('\u{420}', 'P'),
    ('\u{405}', 'S'),
    ('\u{422}', 'T'),
    ('\u{425}', 'X'),
    ('\u{41e}', 'D'),
    ('\u{406}', 'L'),
    // Greek.
    ('\u{392}', 'B'),
    ('\u{397}', 'H'),
    ('\u{399}', 'L'),
    ('\u{39a}', 'K'),
    ('\u{39c}', 'M'),
    ('\u{39d}', 'N'),
    ('\u{39f}', 'D'),
    ('\u{3a1}', 'P'),
    ('\u{3a4}', 'T'),
    ('\u{3a7}', 'X'),
    ('\u{396}', 'Z'),
];

/// A user code. Its `Display` has a hyphen in the middle, as devices show it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct UserCode([u8; LENGTH]);

impl UserCode {
    pub(crate) fn random(env: &Env) -> Self {
        // The remainder prefers no code by more than 2^-94.
        let mut number = u128::from_be_bytes(env.random());
        let count = LETTERS.len() as u128;
        Self([(); LENGTH].map(|()| {
            let index = usize::try_from(number % count).unwrap_or(0);
            number /= count;
            LETTERS.get(index).copied().unwrap_or(b'B')
        }))
    }

    /// The code that a user meant by this text: letters in any case, with look-alikes, hyphens,
    /// spaces and invisible characters. `None` if there is none.
    pub(crate) fn read(typed: &str) -> Option<Self> {
        let mut letters = typed.chars().filter(|char| !is_between(*char));
        let mut code = [0; LENGTH];
        for place in &mut code {
            *place = letters.next().and_then(letter)?;
        }
        letters.next().is_none().then_some(Self(code))
    }

    pub(crate) const fn letters(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, letter) in self.0.iter().enumerate() {
            let hyphen = if place == LENGTH / 2 { "-" } else { "" };
            write!(f, "{hyphen}{}", char::from(*letter))?;
        }
        Ok(())
    }
}

/// Omits the code.
impl fmt::Debug for UserCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UserCode")
    }
}

/// `true` for a character that users type between letters.
fn is_between(char: char) -> bool {
    let is_dash = |char| matches!(char, '-' | '_' | '\u{2010}'..='\u{2015}' | '\u{2212}');
    let is_dot = |char| matches!(char, '.' | '\u{b7}' | '\u{2022}' | '\u{30fb}');
    let is_wide = |char| matches!(char, '\u{ff0d}' | '\u{ff3f}' | '\u{30fc}');
    char.is_whitespace() || is_unseen(char) || is_dash(char) || is_dot(char) || is_wide(char)
}

/// The letter that a user meant by this character.
fn letter(typed: char) -> Option<u8> {
    let narrow = match typed {
        // Full width, as East Asian keyboards have it.
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(typed).checked_sub(0xfee0)?)?,
        other => other,
    };
    let mut upper = narrow.to_uppercase();
    let upper = upper.next().filter(|_| upper.next().is_none())?;
    let meant = LOOK_ALIKE.iter().find(|(look, _)| *look == upper).map_or(upper, |(_, it)| *it);
    u8::try_from(meant).ok().filter(|byte| LETTERS.contains(byte))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use proptest::prelude::*;

    fn code() -> impl Strategy<Value = UserCode> {
        proptest::array::uniform8(proptest::sample::select(&LETTERS[..])).prop_map(UserCode)
    }

    proptest! {
        #[test]
        fn a_code_is_read_as_it_was_shown_however_it_is_typed(
            code in code(), is_lower: bool, places in proptest::array::uniform9(0..6_usize),
        ) {
            let mut typed = String::new();
            for (place, between) in places.into_iter().enumerate() {
                typed.push_str(["", "-", " ", "\u{2013}", "\u{a0}\t", "\u{200b}"][between]);
                typed.extend(code.0.get(place).map(|letter| char::from(*letter)));
            }
            let typed = if is_lower { typed.to_lowercase() } else { typed };
            prop_assert_eq!(UserCode::read(&typed), Some(code));
            prop_assert_eq!(UserCode::read(&code.to_string()), Some(code));
            prop_assert_eq!(UserCode::read(&format!("{typed}B")), None);
        }

        #[test]
        fn no_text_is_a_code_unless_it_has_eight_letters(text: String) {
            if let Some(code) = UserCode::read(&text) {
                prop_assert!(code.0.iter().all(|letter| LETTERS.contains(letter)));
            }
        }
    }

    #[test]
    fn a_letter_of_another_keyboard_or_a_digit_counts_as_the_one_that_it_looks_like() {
        for (typed, shown) in [
            ("8CDF-GHJK", "BCDF-GHJK"),
            ("bcdf-6hjk", "BCDF-GHJK"),
            ("5ZZZ-2222", "SZZZ-ZZZZ"),
            ("0BBB-OBBQ", "DBBB-DBBD"),
            ("1BBB-IBB|", "LBBB-LBBL"),
            ("uuuu-vvvv", "VVVV-VVVV"),
            ("\u{432}\u{441}\u{43d}\u{43a}-\u{43c}\u{440}\u{442}\u{445}", "BCHK-MPTX"),
            ("\u{392}\u{397}\u{39a}\u{39c}\u{39d}\u{3a1}\u{3a4}\u{3a7}", "BHKM-NPTX"),
            (
                "\u{ff22}\u{ff23}\u{ff24}\u{ff26}\u{30fc}\u{ff47}\u{ff48}\u{ff4a}\u{ff4b}",
                "BCDF-GHJK",
            ),
        ] {
            let read = UserCode::read(typed).map(|code| code.to_string());
            assert_eq!(read.as_deref(), Some(shown), "{typed}");
        }
        for typed in
            ["", "BCDF", "BCDF-GHJ", "BCDF-GHJKL", "ABCD-FGHJ", "BCDF-GHJ\u{df}", "????????"]
        {
            assert_eq!(UserCode::read(typed), None, "{typed}");
        }
        let mut looks = BTreeSet::new();
        for (look, letter) in LOOK_ALIKE {
            assert!(
                looks.insert(look) && !LETTERS.contains(&(look as u32 as u8)) || look as u32 > 255
            );
            assert!(LETTERS.contains(&(letter as u8)), "{letter}");
        }
    }

    #[test]
    fn codes_differ_in_every_place() {
        let env = Env::system();
        let codes: Vec<_> = (0..2000).map(|_| UserCode::random(&env)).collect();
        for place in 0..LENGTH {
            let letters: BTreeSet<u8> = codes.iter().map(|code| code.0[place]).collect();
            assert_eq!(letters.len(), LETTERS.len(), "place {place}");
        }
    }
}
