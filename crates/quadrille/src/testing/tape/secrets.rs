//! The secrets of an exchange, and the placeholders that a tape has in their place.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    fmt,
    sync::Arc,
};

use url::{Url, form_urlencoded};

use super::{
    disguise::{self, Needles},
    names::{self, About, Rule, is_placeholder, is_random, number_of, plain},
    scan::scheme,
};

/// The fewest bytes of a secret that is looked for inside other texts. A shorter one is a part of
/// too many words, and is only compared with whole values.
const FINDABLE: usize = 8;

/// The fewest bytes of a secret that is compared with whole values.
const COMPARABLE: usize = 4;

/// Whether a placeholder stands for a secret that no tape has: one of a request that is compared.
fn is_any(text: &str) -> bool {
    matches!(number_of(text), Some((_, 0)))
}

/// Whether a value on a tape and a value of a request are the same but for secrets, of which the
/// request has some of its own.
pub(super) fn is_alike(on_tape: &str, sent: &str) -> bool {
    if on_tape == sent {
        return true;
    }
    let is_same = |(one, other): (&str, &str)| {
        let (one_word, other_word) = (one.trim_end_matches(is_end), other.trim_end_matches(is_end));
        let after = |text: &'_ str, word: &str| text.get(word.len()..).map(str::to_owned);
        one == other
            || (is_placeholder(one_word)
                && is_any(other_word)
                && after(one, one_word) == after(other, other_word))
    };
    let (one, other) = (on_tape.split_inclusive(is_end), sent.split_inclusive(is_end));
    one.clone().count() == other.clone().count() && one.zip(other).all(is_same)
}

/// Whether a character ends a placeholder.
const fn is_end(char: char) -> bool {
    !(char.is_ascii_alphanumeric() || matches!(char, '-' | '_'))
}

/// A secret that is known.
#[derive(Clone)]
struct Known {
    placeholder: String,
    /// The secret as it stands in texts.
    spellings: Arc<[String]>,
}

/// The secrets that are known, with their placeholders.
#[derive(Clone, Default)]
pub(super) struct Secrets {
    known: BTreeMap<String, Known>,
    counts: BTreeMap<String, u64>,
    /// Whether secrets get no placeholders of their own, because the request is only compared.
    is_comparing: bool,
    /// The names that are declared to be no names of secrets.
    public: BTreeSet<String>,
}

impl Secrets {
    /// Declares that a name is not the name of a secret.
    pub(super) fn declare_public(&mut self, name: &str) {
        self.public.insert(name.to_owned());
    }

    /// The names that are declared to be no names of secrets.
    pub(super) const fn public(&self) -> &BTreeSet<String> {
        &self.public
    }

    /// The number of the secrets that are known.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// The rule for values with this name.
    pub(super) fn rule(&self, name: &str, about: About) -> Option<Rule> {
        let is_public = || self.public.iter().any(|public| plain(public) == plain(name));
        names::rule(name, about).filter(|_| !is_public())
    }

    /// Whether the value of a member or a header with this name is a secret.
    pub(super) fn hides(&self, name: &str, about: About) -> bool {
        matches!(self.rule(name, about), Some(Rule::Whole | Rule::Text))
    }

    /// The placeholder for the value of a member, with the scheme of the credentials before it.
    pub(super) fn stand_in_value(&mut self, name: &str, value: &str) -> String {
        match scheme(value).and_then(|length| value.split_at_checked(length)) {
            Some((scheme, value)) => format!("{scheme}{}", self.stand_in(name, value)),
            None => self.stand_in(name, value),
        }
    }

    /// The same secrets, for a request that is compared.
    pub(super) fn comparing(&self) -> Self {
        Self { is_comparing: true, ..self.clone() }
    }

    /// Leaves the numbers of the placeholders in this text to them.
    pub(super) fn passes_over(&mut self, text: &str) {
        for (name, number) in text.split(is_end).filter_map(number_of) {
            let count = self.counts.entry(name.to_owned()).or_default();
            *count = number.max(*count);
        }
    }

    /// The placeholder for the value of a member.
    pub(super) fn stand_in(&mut self, name: &str, value: &str) -> String {
        if value.is_empty() || is_placeholder(value) {
            return value.to_owned();
        }
        if let Some(known) = self.known.get(value) {
            return known.placeholder.clone();
        }
        let name: String = name
            .chars()
            .map(|char| if char.is_ascii_alphanumeric() { char.to_ascii_lowercase() } else { '_' })
            .collect();
        if self.is_comparing {
            return format!("tape-{name}-0");
        }
        let count = self.counts.entry(name.clone()).or_default();
        *count += 1;
        let placeholder = format!("tape-{name}-{count}");
        if value.len() >= COMPARABLE {
            self.insert(value, &placeholder);
        }
        placeholder
    }

    /// Remembers a secret that the test declares, however short it is.
    pub(super) fn declare(&mut self, name: &str, value: &str) {
        let placeholder = self.stand_in(name, value);
        if !value.is_empty() && placeholder != value {
            self.insert(value, &placeholder);
        }
    }

    fn insert(&mut self, secret: &str, placeholder: &str) {
        let spellings = disguise::spellings(secret).into();
        self.known
            .insert(secret.to_owned(), Known { placeholder: placeholder.to_owned(), spellings });
    }

    /// A text in which the secrets that are known are replaced.
    pub(super) fn known_in(&self, text: &str) -> String {
        if let Some(known) = self.known.get(text) {
            return known.placeholder.clone();
        }
        let mut clean = text.to_owned();
        for (_, known) in self.findable().into_iter().filter(|_| text.len() >= FINDABLE) {
            for secret in known.spellings.iter().filter(|secret| !secret.is_empty()) {
                if clean.contains(&**secret) {
                    clean = clean.replace(&**secret, &known.placeholder);
                }
            }
        }
        clean
    }

    /// The secrets that are looked for in texts, a token before its signature.
    fn findable(&self) -> Vec<(&str, &Known)> {
        let known = self.known.iter().filter(|(secret, _)| secret.len() >= FINDABLE);
        let mut known: Vec<_> = known.map(|(secret, known)| (&**secret, known)).collect();
        known.sort_by_key(|(secret, _)| Reverse(secret.len()));
        known
    }

    /// The secrets that are looked for in texts, in any disguise.
    pub(super) fn needles(&self) -> Needles {
        Needles::of(self.findable().into_iter().map(|(secret, _)| secret))
    }

    /// Whether a text is a secret.
    pub(super) fn knows(&self, text: &str) -> bool {
        self.known.contains_key(text)
    }
}

/// Omits the secrets.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// A value without the encoding of a form.
fn decoded(value: &str) -> String {
    let pair = format!("v={value}");
    let mut pairs = form_urlencoded::parse(pair.as_bytes());
    pairs.next().map_or_else(|| value.to_owned(), |(_, value)| value.into_owned())
}

/// A URL in which secrets are replaced.
pub(super) fn clean_url(secrets: &mut Secrets, url: &str, about: About) -> String {
    let Ok(mut parsed) = Url::parse(url) else { return secrets.clean(url, about) };
    if let Some(password) = parsed.password().map(decoded) {
        let placeholder = secrets.stand_in("password", &password);
        if parsed.set_password(Some(&placeholder)).is_err() {
            return secrets.clean(url, about);
        }
    }
    if parsed.password().is_none() && is_random(parsed.username()) {
        let placeholder = secrets.stand_in("token", &decoded(parsed.username()));
        if parsed.set_username(&placeholder).is_err() {
            return secrets.clean(url, about);
        }
    }
    if parsed.query().is_some() {
        let pairs: Vec<_> = parsed
            .query_pairs()
            .map(|(name, value)| {
                let value = match secrets.hides(&name, about) {
                    true => secrets.stand_in(&name, &value),
                    false => secrets.clean(&value, about),
                };
                (name.into_owned(), value)
            })
            .collect();
        parsed.set_query(None);
        if !pairs.is_empty() {
            parsed.query_pairs_mut().extend_pairs(pairs);
        }
    }
    if let Some(fragment) = parsed.fragment().map(str::to_owned) {
        parsed.set_fragment(Some(&secrets.clean(&fragment, About::Credentials)));
    }
    secrets.clean(parsed.as_str(), about)
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, prelude::BASE64_STANDARD};

    use super::*;

    #[test]
    fn a_secret_has_one_placeholder_wherever_it_stands() {
        let mut secrets = Secrets::default();
        assert_eq!(secrets.stand_in("access_token", "s3cret/token"), "tape-access_token-1");
        let text = "see https://api.example/?access_token=s3cret%2Ftoken&page=2 (s3cret/token)";
        assert_eq!(
            secrets.clean(text, About::Data),
            "see https://api.example/?access_token=tape-access_token-1&page=2 (tape-access_token-1)",
        );
        assert_eq!(secrets.stand_in("access_token", "another"), "tape-access_token-2");
        assert_eq!(secrets.stand_in("code", "tape-code-7"), "tape-code-7");
    }

    #[test]
    fn a_signed_token_is_a_secret_without_a_name() {
        let mut secrets = Secrets::default();
        let text = "the proof is eyJhbGciOiJub25lIn0.eyJzdWIiOiI3In0.c2lnbmF0dXJl, he said";
        assert_eq!(secrets.clean(text, About::Data), "the proof is tape-token-1, he said");
    }

    #[test]
    fn a_token_is_replaced_before_its_signature() {
        let mut secrets = Secrets::default();
        secrets.stand_in("id_token", "eyJh.eyJi.AAAAAAAAAAAA");
        secrets.stand_in("signature", "AAAAAAAAAAAA");
        let text = "hint:eyJh.eyJi.AAAAAAAAAAAA, signature:AAAAAAAAAAAA";
        assert_eq!(secrets.known_in(text), "hint:tape-id_token-1, signature:tape-signature-1");
    }

    #[test]
    fn a_secret_is_found_in_disguise() {
        let mut secrets = Secrets::default();
        secrets.stand_in("client_secret", "our secret/7");
        let basic = BASE64_STANDARD.encode("our-id:our secret/7");
        for text in ["our secret/7", "a=our%20secret%2F7", &basic, &format!("[{basic}]")] {
            assert!(secrets.needles().are_in(text), "{text}");
        }
        assert!(!secrets.needles().are_in("our-secret"));
    }

    #[test]
    fn urls_lose_the_secrets_of_each_part() {
        let mut secrets = Secrets::default();
        let url = "https://ada:p4ssw0rd-7@api.example/a?state=open&api_key=k3y-k3y-k3y#code=abc";
        assert_eq!(
            clean_url(&mut secrets, url, About::Data),
            "https://ada:tape-password-1@api.example/a?state=open&api_key=tape-api_key-1#code=tape-code-1",
        );
    }

    #[test]
    fn a_name_that_is_declared_public_hides_nothing() {
        let mut secrets = Secrets::default();
        secrets.declare_public("Next-Token");
        let text = "next_token=page-two-1&token=X1-a";
        assert_eq!(secrets.clean(text, About::Data), "next_token=page-two-1&token=tape-token-1");
    }

    #[test]
    fn a_known_secret_is_replaced_in_the_spellings_of_texts() {
        let mut secrets = Secrets::default();
        secrets.stand_in("token", "1//0g+a&b/c");
        for text in [r#"{t:"1\/\/0g+a&b\/c"}"#, "1//0g+a&amp;b/c", "1%2f%2f0g%2Ba%26b%2fc"] {
            let clean = secrets.known_in(text);
            assert!(clean.contains("tape-token-1") || secrets.needles().are_in(&clean), "{clean}");
        }
    }

    #[test]
    fn texts_are_alike_but_for_their_secrets() {
        let on_tape = "POST /services/tape-webhook-1/x <pwd>tape-pwd-2</pwd>";
        for (sent, is) in [
            (on_tape, true),
            ("POST /services/tape-webhook-0/x <pwd>tape-pwd-0</pwd>", true),
            ("POST /services/tape-webhook-0/y <pwd>tape-pwd-0</pwd>", false),
            ("POST /services/tape-webhook-3/x <pwd>tape-pwd-0</pwd>", false),
            ("POST /services/tape-webhook-0/x", false),
        ] {
            assert_eq!(is_alike(on_tape, sent), is, "{sent}");
        }
    }
}
