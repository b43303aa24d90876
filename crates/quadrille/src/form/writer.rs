//! Writing parameters.

use std::fmt;

use super::encode_into;

/// Writes parameters for a form body or a query.
///
/// ```
/// use quadrille::form::FormWriter;
///
/// let mut body = FormWriter::new();
/// body.append("grant_type", "refresh_token").append("scope", "a b/c");
/// assert_eq!(body.finish(), "grant_type=refresh_token&scope=a+b%2Fc");
///
/// // A query that is there already is kept (RFC 6749, section 3.1).
/// let mut url = FormWriter::after_url("https://id.example/authorize?tenant=7");
/// url.append("client_id", "web");
/// assert_eq!(url.finish(), "https://id.example/authorize?tenant=7&client_id=web");
/// ```
#[derive(Clone, Default)]
pub struct FormWriter {
    text: String,
    /// The separator before the next pair.
    separator: Option<char>,
}

impl FormWriter {
    /// An empty form.
    pub const fn new() -> Self {
        Self { text: String::new(), separator: None }
    }

    /// An empty form with room for this many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self { text: String::with_capacity(bytes), separator: None }
    }

    /// Appends to `url`, after its query if it has one. The URL must have no fragment.
    pub fn after_url(url: &str) -> Self {
        let mut text = String::with_capacity(url.len() + 256);
        text.push_str(url);
        let separator = match url.split_once('?') {
            None => Some('?'),
            Some((_, query)) if query.is_empty() || query.ends_with('&') => None,
            Some(_) => Some('&'),
        };
        Self { text, separator }
    }

    /// Appends to `url` as its fragment. The URL must have none.
    pub fn after_fragment_of(url: &str) -> Self {
        let mut text = String::with_capacity(url.len() + 256);
        text.push_str(url);
        Self { text, separator: Some('#') }
    }

    /// Adds a parameter, encoded.
    pub fn append(&mut self, name: &str, value: &str) -> &mut Self {
        if let Some(separator) = self.separator {
            self.text.push(separator);
        }
        self.separator = Some('&');
        encode_into(&mut self.text, name);
        self.text.push('=');
        encode_into(&mut self.text, value);
        self
    }

    /// Adds a parameter if it has a value.
    pub fn append_some(&mut self, name: &str, value: Option<&str>) -> &mut Self {
        if let Some(value) = value {
            self.append(name, value);
        }
        self
    }

    /// The encoded text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// Only the length: values may be secrets.
impl fmt::Debug for FormWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FormWriter({} bytes)", self.text.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::form::Params;

    #[test]
    fn a_url_goes_on_with_the_right_separator() {
        for (url, expected) in [
            ("https://a/", "https://a/?k=v"),
            ("https://a/?", "https://a/?k=v"),
            ("https://a/?x", "https://a/?x&k=v"),
            ("https://a/?x=1&", "https://a/?x=1&k=v"),
            ("app:/cb", "app:/cb?k=v"),
        ] {
            let mut writer = FormWriter::after_url(url);
            writer.append("k", "v");
            assert_eq!(writer.finish(), expected);
        }
    }

    #[test]
    fn values_never_show_in_debug_output() {
        let params = Params::parse(b"client_secret=canary").unwrap();
        let mut writer = FormWriter::new();
        writer.append("client_secret", "canary");
        assert_eq!(format!("{params:?}"), r#"Params["client_secret"]"#);
        assert!(!format!("{writer:?}").contains("canary"));
    }
}
