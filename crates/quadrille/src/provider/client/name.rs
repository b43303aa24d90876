//! The names of clients (`client_name`, RFC 7591, section 2): which of them users can read.

use icu_properties::{
    CodePointMapData,
    props::{GeneralCategory, GeneralCategoryGroup},
};

use unicode_security::confusable_detection::skeleton;

use crate::page::is_unseen;

/// The greatest length of a client's name, in characters.
pub(crate) const LONGEST_NAME: usize = 100;

/// The greatest number of combining marks in a row: letters of living languages have up to three.
const MOST_MARKS: usize = 4;

/// `true` if pages can show a client by this name: users see all of it, and it does not change the
/// text around it. It has a letter, a number or a symbol, and begins and ends with what users see.
pub(crate) fn is_shown(name: &str) -> bool {
    let mut marks = 0;
    let mut has_base = false;
    let mut has_sign = false;
    for c in name.chars() {
        let category = CodePointMapData::<GeneralCategory>::new().get(c);
        let is = |group: GeneralCategoryGroup| group.contains(category);
        let is_selector = matches!(c, '\u{fe00}'..='\u{fe0f}');
        if is_selector || is(GeneralCategoryGroup::Mark) {
            marks += 1;
            if !has_base || marks > MOST_MARKS || is_unseen(c) {
                return false;
            }
            continue;
        }
        marks = 0;
        let is_sign = is(GeneralCategoryGroup::Letter)
            || is(GeneralCategoryGroup::Number)
            || is(GeneralCategoryGroup::Symbol);
        let is_space = is(GeneralCategoryGroup::SpaceSeparator);
        if is_unseen(c)
            || is_empty(c)
            || !(is_sign || is_space || is(GeneralCategoryGroup::Punctuation))
        {
            return false;
        }
        has_base = !is_space;
        has_sign |= is_sign;
    }
    has_sign && name.trim() == name && name.chars().count() <= LONGEST_NAME
}

/// `true` for symbols without ink, which have the category of others: the Braille pattern without
/// dots, the musical notehead without a head, and the place of an object.
const fn is_empty(c: char) -> bool {
    matches!(c, '\u{2800}' | '\u{1d159}' | '\u{fffc}')
}

/// `true` if a word of the name has letters of several scripts that look alike, or letters in a
/// style of their own (fullwidth, mathematical, small capitals, raised): they pass for the letters
/// of another name.
pub(super) fn is_lookalike(name: &str) -> bool {
    let is_styled = |c: char| {
        matches!(
            c,
            '\u{262}' | '\u{26a}' | '\u{274}' | '\u{280}' | '\u{281}' | '\u{28f}'
                | '\u{299}' | '\u{29b}' | '\u{29c}' | '\u{29f}' | '\u{2b0}'..='\u{2b8}'
                | '\u{2e0}'..='\u{2e4}' | '\u{1d00}'..='\u{1dbf}' | '\u{2071}' | '\u{207f}'
                | '\u{2090}'..='\u{209c}' | '\u{a730}' | '\u{a731}' | '\u{2100}'..='\u{2121}' | '\u{2123}'..='\u{214f}' | '\u{2460}'..='\u{24ff}'
                | '\u{ff01}'..='\u{ff5e}' | '\u{1d400}'..='\u{1d7ff}'
                | '\u{1f100}'..='\u{1f1e5}'
        )
    };
    let is_mixed = |word: &str| {
        let scripts = word.chars().filter_map(script);
        let mut scripts: Vec<_> = scripts.collect();
        scripts.dedup();
        scripts.len() > 1
    };
    name.contains(is_styled) || name.split(|c: char| !c.is_alphanumeric()).any(is_mixed)
}

/// Names that are reserved for others than the clients that describe themselves, by their looks.
#[derive(Clone, Default)]
pub(super) struct ReservedNames(Vec<Looks>);

impl ReservedNames {
    /// Reserves a name; one without letters and digits reserves nothing.
    pub(super) fn add(&mut self, name: &str) {
        let looks = Looks::of(name);
        if !looks.0.iter().any(String::is_empty) {
            self.0.push(looks);
        }
    }

    /// `true` if a name passes for a reserved one, or has words that do: as users read it, in any
    /// case, with or without accents, and with or without spaces. A sign such as `|` is a letter or
    /// the end of a word.
    pub(super) fn has(&self, name: &str) -> bool {
        self.has_words(name) || self.has_words(&signs_as_letters(name))
    }

    fn has_words(&self, name: &str) -> bool {
        let words = name.split(|c| !is_of_a_word(c)).filter(|word| !word.is_empty());
        let words: Vec<_> = words.map(Looks::of).collect();
        self.0.iter().any(|reserved| {
            let mut starts = (0..words.len()).filter_map(|start| words.get(start..));
            starts.any(|rest| (0..2).any(|which| reserved.begins(rest, which)))
        })
    }
}

/// What readers take a text for (UTS 39, section 4): of its letters as they are, and of its small
/// ones. `PayPaI` and `paypal` look the same as they are, `DIRECT` and `direct` in small letters.
#[derive(Clone)]
struct Looks([String; 2]);

impl Looks {
    fn of(text: &str) -> Self {
        let look =
            |text: &str| -> String { skeleton(text).filter(|c| c.is_alphanumeric()).collect() };
        Self([look(&look(text).to_lowercase()), look(&text.to_lowercase())])
    }

    /// `true` if the first of the words make up this text.
    fn begins(&self, words: &[Self], which: usize) -> bool {
        let Some(mut rest) = self.0.get(which).map(String::as_str) else { return false };
        for word in words {
            let word = word.0.get(which).map_or("", String::as_str);
            match rest.strip_prefix(word) {
                Some("") => return true,
                Some(after) => rest = after,
                None => return false,
            }
        }
        false
    }
}

/// The name with a letter in place of each sign that looks like one: by UTS 39, or for readers who
/// know the name that it stands for.
fn signs_as_letters(name: &str) -> String {
    let mut letters = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            '@' | '\u{2206}' => letters.push('a'),
            '\u{a2}' => letters.push('c'),
            '\u{20ac}' => letters.push('e'),
            '!' | '\u{a1}' | '\u{a3}' | '\u{1175}' | '\u{23fd}' | '\u{2502}' | '\u{2503}'
            | '\u{3163}' | '\u{4e28}' => letters.push('l'),
            '\u{20b1}' => letters.push('p'),
            '$' => letters.push('s'),
            '\u{a5}' => letters.push('y'),
            _ if is_of_a_word(c) => letters.push(c),
            _ => {
                let looks: String = skeleton(c.encode_utf8(&mut [0; 4])).collect();
                let is_like_letters = !looks.is_empty() && looks.chars().all(char::is_alphanumeric);
                letters.push_str(if is_like_letters { &looks } else { " " });
            }
        }
    }
    letters
}

/// `true` for letters, digits and the marks on them.
fn is_of_a_word(c: char) -> bool {
    let category = CodePointMapData::<GeneralCategory>::new().get(c);
    c.is_alphanumeric() || GeneralCategoryGroup::Mark.contains(category)
}

/// The script of a letter, among those whose letters look alike.
fn script(c: char) -> Option<&'static str> {
    if !c.is_alphabetic() {
        return None;
    }
    match c {
        'a'..='z'
        | 'A'..='Z'
        | '\u{aa}'..='\u{24f}'
        | '\u{250}'..='\u{2af}'
        | '\u{1e00}'..='\u{1eff}' => Some("Latin"),
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some("Greek"),
        '\u{400}'..='\u{52f}'
        | '\u{1c80}'..='\u{1c8f}'
        | '\u{2de0}'..='\u{2dff}'
        | '\u{a640}'..='\u{a69f}' => Some("Cyrillic"),
        '\u{530}'..='\u{58f}' => Some("Armenian"),
        '\u{13a0}'..='\u{13ff}' | '\u{ab70}'..='\u{abbf}' => Some("Cherokee"),
        '\u{a4d0}'..='\u{a4ff}' => Some("Lisu"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_show_nothing_or_paint_over_their_surroundings_are_not_shown() {
        let stacked = format!("a{}", "\u{301}".repeat(99));
        for name in [
            "",
            " ",
            "\u{2800}",
            "a\u{2800}b",
            "\u{1d159}",
            "\u{e000}",
            "a\u{f8ff}",
            "\u{100000}",
            "\u{fffe}",
            "\u{fffc}",
            "\u{378}",
            "\u{fe0f}",
            "\u{301}",
            "a \u{301}",
            "\u{3000}App",
            "\u{2003}App",
            "App ",
            "...",
            "a\u{ad}b",
            "a\u{200b}b",
            "a\u{202e}b",
            "a\tb",
            &stacked,
            &"a".repeat(101),
        ] {
            assert!(!is_shown(name), "{name:?}");
        }
        for name in [
            "Photo printer",
            "7",
            "C++ & C# (beta) 1.0!",
            "Caf\u{65}\u{301}",
            "Vi\u{65}\u{302}\u{301}t",
            "\u{5199}\u{771f}\u{3000}App",
            "\u{1f4f7} Photos",
            "\u{2764}\u{fe0f}",
            "1\u{fe0f}\u{20e3}",
            "\u{1f44d}\u{1f3fd}",
            "\u{1f1e9}\u{1f1ea}",
            "\u{5e6}\u{5b0}\u{5dc}\u{5dc}\u{5b4}\u{5d9}",
            "\u{62a}\u{637}\u{628}\u{64a}\u{642}",
            "\u{e17}\u{e35}\u{e48}",
            "\u{928}\u{92e}\u{938}\u{94d}\u{924}\u{947}",
            "Ren\u{fffd}e",
        ] {
            assert!(is_shown(name), "{name:?}");
        }
    }

    #[test]
    fn names_with_letters_that_pass_for_others_are_found() {
        for name in [
            "G\u{43e}\u{43e}gle",
            "\u{410}pple",
            "Photo p\u{3c1}inter",
            "P\u{430}yPal checkout",
            "\u{ff27}\u{ff4f}\u{ff4f}\u{ff47}\u{ff4c}\u{ff45}",
            "\u{1d406}oogle",
            "\u{24bc}oogle",
            "\u{13aa}oogle",
            "\u{1d18}\u{1d00}\u{28f}\u{1d18}\u{1d00}\u{29f}",
            "G\u{1d52}\u{1d52}gle",
        ] {
            assert!(is_lookalike(name), "{name}");
        }
        for name in [
            "Photo printer",
            "\u{424}\u{43e}\u{442}\u{43e} Online",
            "\u{41f}\u{435}\u{447}\u{430}\u{442}\u{44c}",
            "\u{3a6}\u{3c9}\u{3c4}\u{3cc}",
            "Caf\u{e9} & B\u{e4}r\u{2122}",
            "\u{5199}\u{771f} App",
            "3D-Drucker (beta) 1.0",
            "\u{1f4f7} Photos",
            "\u{190}\u{25b}we \u{254}k\u{254}",
        ] {
            assert!(!is_lookalike(name), "{name}");
        }
    }

    #[test]
    fn names_that_pass_for_reserved_ones_are_found() {
        let mut reserved = ReservedNames::default();
        for name in
            ["PayPal", "Acme Direct", "", "...", "\u{425}\u{43e}\u{440}\u{43e}\u{448}\u{43e}"]
        {
            reserved.add(name);
        }
        for name in [
            "PayPal",
            "paypal",
            "PAYPAL",
            "PayPaI",
            "Pay Pal",
            "Pay-Pal",
            "P\u{e0}yP\u{e2}l",
            "Pa\u{301}ypal",
            "PayPal Checkout",
            "The PayPal App",
            // Wholly Cyrillic.
            "\u{440}\u{430}\u{443}\u{440}\u{430}\u{4cf}",
            "\u{420}\u{410}\u{423}\u{420}\u{410}\u{4c0}",
            "\u{440}\u{430}\u{443}\u{440}\u{430}\u{4cf} \u{43e}\u{43f}\u{43b}\u{430}\u{442}\u{430}",
            "ACME DIRECT",
            "acme direct",
            "Acrne Direct",
            "acmedirect",
            "\u{445}\u{43e}\u{440}\u{43e}\u{448}\u{43e}",
            // Signs that look like letters, or end words.
            "PayPa|",
            "PayPa\u{2223}",
            "PayPa\u{ffe8}",
            "PayPa\u{23fd}",
            "PayPa\u{2502} Checkout",
            "PayPa!",
            "PayPa\u{4e28}",
            "PayPa\u{3163}",
            "P\u{237a}yPal",
            "\u{20b1}ayPal",
            "P@yP@l",
            "\u{2206}cme Direct",
            "A\u{a2}me Direct",
            "PayPal|Checkout",
            "Acme|Direct",
        ] {
            assert!(reserved.has(name), "{name}");
        }
        for name in [
            "",
            "Photo printer",
            "Acme",
            "Direct Acme",
            "PayPals",
            "Papaya",
            "\u{424}\u{43e}\u{442}\u{43e} Online",
            "\u{420}\u{430}\u{441}\u{447}\u{451}\u{442}\u{44b}",
            "\u{5199}\u{771f} App",
        ] {
            assert!(!reserved.has(name), "{name}");
        }
        assert!(!ReservedNames::default().has("PayPal"));
    }
}
