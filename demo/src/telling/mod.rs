//! The telling of a dance: what each step is, why it is, and which section defines it.
//!
//! Both dances use the same pages. A [`Telling`] of each holds the differences. The words are in
//! `words/`: a file for each dance, and one for both.

mod book;
mod cards;
mod common;
mod oauth1;
mod oauth2;
mod shared;
pub(super) mod steps;

use std::sync::Arc;

use super::{
    dance::Dance,
    message::Message,
    value::{Kind, Protocol},
};

pub(super) use book::{Chapter, Link, Words};
pub(super) use cards::{Card, Seen, seen};

/// A chapter of the dance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Act {
    Ask,
    /// The temporary credentials of OAuth 1.0a.
    Prepare,
    SignIn,
    Consent,
    Redeem,
    Use,
    Later,
    Revoke,
}

/// The purpose of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A page of the website.
    Page,
    /// The website begins a login.
    Begin,
    /// The website requests temporary credentials.
    Temporary,
    /// The authorization request.
    Authorize,
    SignInPage,
    SignIn,
    /// The answer on the consent page.
    Decide,
    /// The authorization response, with a code or a verifier.
    Callback,
    /// The authorization response without a code or a verifier.
    Refused,
    /// The exchange of the code, or of the temporary credentials, for a token.
    Redeem,
    Refresh,
    Revoke,
    /// A call of the provider's API.
    Call,
    /// The clock is moved forward.
    Later,
    Disconnect,
    Other,
}

/// The telling of one of the two dances.
pub(super) trait Telling {
    /// The introduction of this dance, at the top of the page.
    fn lead(&self) -> &str;
    /// The words about a chapter.
    fn chapter(&self, act: Act) -> &Chapter;
    /// The words about the request of an exchange. `again` means that the same request was sent
    /// before.
    fn asked(&self, step: Step, act: Option<Act>, request: &Message, again: bool) -> Words;
    /// The words about the response of an exchange.
    fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words;
    /// The note on a parameter, header or member.
    fn note(&self, name: &str, message: &Message) -> &str;
    /// The remark about a value in the table of who saw it.
    fn remark(&self, kind: Kind) -> &str;
    /// The cards about protections.
    fn cards(&self, dance: &Dance) -> Vec<Card>;
}

/// The tellings of both dances.
#[derive(Debug)]
pub(super) struct Book {
    oauth1: oauth1::OAuth1,
    oauth2: oauth2::OAuth2,
}

const SHARED: &str = include_str!("../../words/shared.toml");
const OAUTH1: &str = include_str!("../../words/oauth1.toml");
const OAUTH2: &str = include_str!("../../words/oauth2.toml");

impl Book {
    /// Parses the words that are compiled in.
    pub(super) fn read() -> Result<Self, toml::de::Error> {
        Self::parse(SHARED, OAUTH1, OAUTH2)
    }

    fn parse(shared: &str, oauth1: &str, oauth2: &str) -> Result<Self, toml::de::Error> {
        let shared: Arc<shared::Shared> = Arc::new(toml::from_str(shared)?);
        Ok(Self {
            oauth1: oauth1::OAuth1::new(toml::from_str(oauth1)?, Arc::clone(&shared)),
            oauth2: oauth2::OAuth2::new(toml::from_str(oauth2)?, shared),
        })
    }

    /// The telling of this dance.
    pub(super) fn of(&self, protocol: Protocol) -> &dyn Telling {
        match protocol {
            Protocol::OAuth1 => &self.oauth1,
            Protocol::OAuth2 => &self.oauth2,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mask::is_known;

    #[test]
    fn a_sentence_too_few_or_too_many_is_noticed() {
        assert!(Book::read().is_ok());
        let files = [SHARED, OAUTH1, OAUTH2];
        let parse = |which: usize, text: &str| {
            let mut files = files;
            files[which] = text;
            let [shared, oauth1, oauth2] = files;
            Book::parse(shared, oauth1, oauth2)
        };
        for (which, file) in files.iter().enumerate() {
            let more = format!("{file}\n[asked.nobody]\ntitle = \"\"\ntext = \"\"\n");
            assert!(parse(which, &more).is_err(), "nobody asks this: {which}");
            let kind = file.replace("[remarks]", "[remarks]\nnobody = \"\"");
            assert!(parse(which, &kind).is_err(), "no value is of this kind: {which}");
            for (at, _) in file.match_indices("\ntitle = ") {
                let table = file[..at].rfind("\n[").map_or(0, |start| start + 1);
                let end = file[at..].find("\n[").map_or(file.len(), |length| at + length);
                let fewer = format!("{}{}", &file[..table], &file[end..]);
                assert!(parse(which, &fewer).is_err(), "{} is not missed", &file[table..at]);
            }
        }
    }

    #[test]
    fn every_note_is_about_something_that_is_said() {
        let book = Book::read().unwrap();
        let notes = [book.oauth1.notes(), book.oauth2.notes(), book.oauth2.shared_notes()];
        for name in notes.into_iter().flat_map(book::Notes::names) {
            assert!(is_known(name), "{name}");
        }
    }
}
