//! The brand of a site: colors that are readable wherever the pages have them.

use std::fmt;

/// The least contrast of text and its ground (WCAG 2.2, success criterion 1.4.3).
const TEXT: f64 = 4.5;

/// The least contrast of a mark, such as the ring of the focus, and its ground (1.4.11).
const MARK: f64 = 3.0;

const BLACK: Color = Color([0; 3]);
const WHITE: Color = Color([255; 3]);

/// The grounds of `style.css` in light and in dark: paper, card, notice.
const LIGHT: [Color; 3] =
    [Color([0xf4, 0xf0, 0xe8]), Color([0xff, 0xfd, 0xf9]), Color([0xe3, 0xf0, 0xea])];
const DARK: [Color; 3] =
    [Color([0x14, 0x18, 0x1b]), Color([0x1d, 0x23, 0x27]), Color([0x1c, 0x33, 0x2d])];

/// A color in sRGB.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Color([u8; 3]);

impl Color {
    /// Reads `#1f6f66`.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
        let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let number = u32::from_str_radix(digits, 16).ok().filter(|_| is_hexadecimal)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Some(Self([red, green, blue]))
    }

    /// The color with a share of another one.
    fn mixed(self, other: Self, share: f64) -> Self {
        let [red, green, blue] = self.0;
        let [other_red, other_green, other_blue] = other.0;
        let mix = |from: u8, to: u8| {
            let mixed = f64::from(from) + (f64::from(to) - f64::from(from)) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two bytes"
            )]
            let byte = mixed.round() as u8;
            byte
        };
        Self([mix(red, other_red), mix(green, other_green), mix(blue, other_blue)])
    }

    /// The relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast with another color (WCAG 2.2).
    fn contrast(self, other: Self) -> f64 {
        let (one, other) = (self.luminance(), other.luminance());
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    /// The nearest color on the way to `end` that has the contrast with all of these grounds.
    fn readable_on(self, grounds: &[Self], least: f64, end: Self) -> Self {
        let steps = (0..=50).map(|step| self.mixed(end, f64::from(step) / 50.0));
        let mut steps =
            steps.skip_while(|color| grounds.iter().any(|ground| color.contrast(*ground) < least));
        steps.next().unwrap_or(end)
    }

    /// The color of text on this one: of black and white, one always has the contrast.
    fn ink(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) { WHITE } else { BLACK }
    }
}

impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Debug for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

/// The two colors of a brand; `None` for those of the built-in pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BrandColors {
    /// The color of buttons and links.
    pub first: Option<Color>,
    /// The color of tiles and of the ring around what has the focus.
    pub second: Option<Color>,
}

/// A color as it is shown in one of the two schemes.
struct Shown {
    color: Color,
    ink: Color,
    deep: Color,
}

impl BrandColors {
    /// The rules that give the pages these colors, to put behind the style sheet; empty without colors.
    pub(crate) fn rules(&self) -> String {
        if *self == Self::default() {
            return String::new();
        }
        let (light, dark) = (self.of_scheme(&LIGHT, BLACK), self.of_scheme(&DARK, WHITE));
        format!(":root {{{light}}}\n@media (prefers-color-scheme: dark) {{ :root {{{dark}}} }}\n")
    }

    fn of_scheme(&self, grounds: &[Color], end: Color) -> String {
        let first = self.first.map(|color| shown(color, grounds, TEXT, end));
        let second = self.second.map(|color| shown(color, grounds, MARK, end));
        let mut rules = String::new();
        if let Some(Shown { color, ink, deep }) = first {
            rules += &format!(" --accent: {color}; --accent-ink: {ink}; --accent-deep: {deep};");
        }
        if let Some(Shown { color, ink, .. }) = second {
            rules += &format!(" --second: {color}; --second-ink: {ink};");
        }
        rules
    }

    /// Sentences about colors that are shown otherwise than they were given.
    pub(crate) fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        for (key, color, least) in
            [("brand_color", self.first, TEXT), ("brand_second_color", self.second, MARK)]
        {
            let Some(color) = color else { continue };
            for (scheme, grounds, end) in [("light", &LIGHT, BLACK), ("dark", &DARK, WHITE)] {
                let other = color.readable_on(grounds, least, end);
                if other != color {
                    remarks.push(format!(
                        "{key} is {other} on {scheme} pages, since {color} could hardly be read there"
                    ));
                }
            }
        }
        remarks
    }
}

fn shown(color: Color, grounds: &[Color], least: f64, end: Color) -> Shown {
    let color = color.readable_on(grounds, least, end);
    Shown { color, ink: color.ink(), deep: color.mixed(end, 0.25) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_color_is_a_hash_and_six_hexadecimal_digits() {
        assert_eq!(Color::parse("#1F6f66").map(|color| color.to_string()).unwrap(), "#1f6f66");
        for wrong in ["", "#", "1f6f66", "#1f6f6", "#1f6f667", "#+f6f66", "red", "#1f6f6\u{e9}"] {
            assert_eq!(Color::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((WHITE.contrast(BLACK) - 21.0).abs() < 1e-9);
        let grey = Color::parse("#767676").unwrap();
        assert!((grey.contrast(WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn whatever_the_colors_are_text_on_them_and_in_them_can_be_read() {
        let bytes = [0, 0x33, 0x66, 0x99, 0xcc, 0xff];
        for red in bytes {
            for green in bytes {
                for blue in bytes {
                    let color = Color([red, green, blue]);
                    for (grounds, end) in [(&LIGHT, BLACK), (&DARK, WHITE)] {
                        for least in [TEXT, MARK] {
                            let Shown { color, ink, deep } = shown(color, grounds, least, end);
                            assert!(ink.contrast(color) >= TEXT, "{color} {ink}");
                            assert!(grounds.iter().all(|it| it.contrast(color) >= least));
                            if least == TEXT {
                                assert!(ink.contrast(deep) >= TEXT, "{deep} {ink}");
                                assert!(grounds.iter().all(|it| it.contrast(deep) >= least));
                            }
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_color_that_can_be_read_stays_and_another_one_is_told() {
        let teal = Color::parse("#1f6f66");
        let colors = BrandColors { first: teal, second: None };
        assert!(colors.rules().starts_with(":root { --accent: #1f6f66; --accent-ink: #ffffff;"));
        assert!(!colors.rules().contains("--second"));
        let remarks = colors.remarks();
        let [remark] = &remarks[..] else { panic!("{remarks:?}") };
        assert!(
            remark.starts_with("brand_color is #") && remark.contains("on dark pages"),
            "{remark}"
        );
        assert_eq!(BrandColors::default().rules(), "");
    }
}
