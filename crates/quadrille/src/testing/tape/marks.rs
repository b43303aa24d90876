//! The secrets in a text that need no name: those of URLs, and private keys.

use super::{
    names::is_random,
    scan::{Scan, is_name, run},
};

impl Scan<'_> {
    /// The user information of a URL: the password, or a token alone.
    pub(super) fn user_info(&mut self, start: usize) {
        let is_part = |char: char| {
            !char.is_whitespace()
                && !matches!(char, '/' | '?' | '#' | '"' | '\'' | '<' | '>' | '\\' | ',')
        };
        let authority = start..run(self.text, start, is_part);
        let Some(at) = self.get(authority.clone()).rfind('@').map(|at| start + at) else { return };
        match self.get(start..at).find(':') {
            Some(colon) => self.add("password", start + colon + 1..at),
            None if is_random(self.get(start..at)) => self.add("token", start..at),
            None => {}
        }
    }

    /// A private key (RFC 7468, section 10).
    pub(super) fn private_key(&mut self, at: usize) {
        let head = run(self.text, at + 11, |char| char != '-');
        if !self.get(at..head).contains("PRIVATE KEY") {
            return;
        }
        let start = run(self.text, head, |char| char == '-');
        let end = self.from(start).find("-----END").map_or(self.text.len(), |end| start + end);
        let body = self.get(start..end);
        let is_around = |char: char| char.is_whitespace();
        let from = start + (body.len() - body.trim_start_matches(is_around).len());
        // A line break may be escaped, as in JSON.
        let body = self.get(from..end).trim_end_matches(is_around);
        let (skip, body) = match body.strip_prefix("\\n") {
            Some(rest) => (2, rest),
            None => (0, body),
        };
        let length = body.strip_suffix("\\n").unwrap_or(body).len();
        self.add("private_key", from + skip..from + skip + length);
    }

    /// The addresses that are secrets by themselves.
    pub(super) fn webhooks(&mut self) {
        let is_word = |char: char| is_name(char) || char == '/';
        let addresses = [
            "hooks.slack.com/services/",
            "discord.com/api/webhooks/",
            "discordapp.com/api/webhooks/",
        ];
        for address in addresses {
            let starts: Vec<_> =
                self.text.match_indices(address).map(|(at, _)| at + address.len()).collect();
            for start in starts {
                self.add("webhook", start..run(self.text, start, is_word));
            }
        }
        let bots: Vec<_> = self.text.match_indices("/bot").map(|(at, _)| at + 4).collect();
        for start in bots {
            let colon = run(self.text, start, |char| char.is_ascii_digit());
            if colon > start && self.from(colon).starts_with(':') {
                self.add(
                    "token",
                    colon + 1..run(self.text, colon + 1, |char| is_name(char) && char != '.'),
                );
            }
        }
    }
}
