//! Tells a dance: what each step is, why it is, and where it is written down.
//!
//! Both dances go the same way through the same pages; what differs is told by a [`Telling`] of each.
//! The words are in `words/`, a file for each and one for both.

mod book;
mod cards;
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

/// What an exchange is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A page of the website.
    Page,
    /// The website begins a login.
    Begin,
    /// The website asks for temporary credentials.
    Temporary,
    /// The authorization request.
    Authorize,
    SignInPage,
    SignIn,
    /// The answer on the consent page.
    Decide,
    /// The authorization response, with something to redeem,
    Callback,
    /// or without.
    Refused,
    /// The code, or the temporary credentials, for a token.
    Redeem,
    Refresh,
    Revoke,
    /// A call of the provider's API.
    Call,
    /// The clock is put forward.
    Later,
    Disconnect,
    Other,
}

/// How one of the two dances is told.
pub(super) trait Telling {
    /// What is special about it, on top of the page.
    fn lead(&self) -> &str;
    /// What is said about a chapter.
    fn chapter(&self, act: Act) -> &Chapter;
    /// What is said about the request of an exchange. `again`: the same had been asked before.
    fn asked(&self, step: Step, act: Option<Act>, request: &Message, again: bool) -> Words;
    /// What is said about the response of an exchange.
    fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words;
    /// What a parameter, header or member is for.
    fn note(&self, name: &str, message: &Message) -> &str;
    /// What is said about a value where it is told who saw it.
    fn remark(&self, kind: Kind) -> &str;
    /// What kept it safe.
    fn cards(&self, dance: &Dance) -> Vec<Card>;
}

/// How both dances are told.
#[derive(Debug)]
pub(super) struct Book {
    oauth1: oauth1::OAuth1,
    oauth2: oauth2::OAuth2,
}

const SHARED: &str = include_str!("../../words/shared.toml");
const OAUTH1: &str = include_str!("../../words/oauth1.toml");
const OAUTH2: &str = include_str!("../../words/oauth2.toml");

impl Book {
    /// Reads the words that were compiled in.
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

    /// How this dance is told.
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
