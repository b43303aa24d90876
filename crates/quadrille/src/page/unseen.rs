//! Characters that no person sees.

/// Whether a character is not seen, or changes the text around it: a control character, which a
/// terminal obeys; an invisible one (`Default_Ignorable_Code_Point` of Unicode, except variation
/// selectors); or one that changes the direction of the text.
///
/// ```
/// use quadrille::page::is_unseen;
///
/// assert!("\u{1b}\u{7f}\u{2028}\u{202e}".chars().all(is_unseen));
/// assert!(!"René 的相片 葛\u{e0100}".contains(is_unseen));
/// ```
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
                | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
                | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
                | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e00ff}'
                | '\u{e01f0}'..='\u{e0fff}'
        )
}
