//! OAuth 1.0a (RFC 5849): every request is signed, and a token alone opens nothing.

mod cards;
mod words;

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Act, Card, Chapter, Step, Telling, Words,
    book::{Notes, Remarks, Rfc},
    common::{self, Chapters},
    shared::Shared,
};
use crate::{dance::Dance, message::Message, value::Kind};

/// The telling of OAuth 1.0a.
#[derive(Debug)]
pub(super) struct OAuth1 {
    own: Own,
    shared: Arc<Shared>,
}

/// The words of `words/oauth1.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    lead: String,
    sections: Sections,
    prepare: Chapter,
    chapters: Chapters,
    asked: words::Asked,
    answered: words::Answered,
    notes: Notes,
    remarks: Remarks,
    cards: cards::Cards,
}

/// The sections of RFC 5849 for the parts that both dances have.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sections {
    decide: Rfc,
    sign_in_page: Rfc,
    password: Rfc,
}

impl OAuth1 {
    pub(super) fn new(own: Own, shared: Arc<Shared>) -> Self {
        Self { own, shared }
    }

    #[cfg(test)]
    pub(super) fn notes(&self) -> &Notes {
        &self.own.notes
    }
}

impl Telling for OAuth1 {
    fn lead(&self) -> &str {
        &self.own.lead
    }

    fn chapter(&self, act: Act) -> &Chapter {
        match act {
            Act::Prepare => &self.own.prepare,
            _ => self.own.chapters.find(act),
        }
    }

    fn asked(&self, step: Step, act: Option<Act>, request: &Message, again: bool) -> Words {
        match (self.own.asked.find(step, act, again), step) {
            (Some(words), _) => words.clone(),
            (None, Step::Decide) => {
                let rfc = Some(self.own.sections.decide.clone());
                Words { rfc, ..self.shared.asked(step, act, request) }
            }
            (None, _) => self.shared.asked(step, act, request),
        }
    }

    fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words {
        match (self.own.answered.find(step, response), step) {
            (Some(words), _) => words.clone(),
            (None, Step::SignInPage) if common::status(response).is_some() => {
                let rfc = Some(self.own.sections.sign_in_page.clone());
                Words { rfc, ..self.shared.answered(step, act, response) }
            }
            (None, _) => self.shared.answered(step, act, response),
        }
    }

    fn note(&self, name: &str, message: &Message) -> &str {
        let own = self.own.notes.find(name, message);
        own.unwrap_or_else(|| self.shared.note(name, message))
    }

    fn remark(&self, kind: Kind) -> &str {
        self.own.remarks.get(&kind).map_or_else(|| self.shared.remark(kind), String::as_str)
    }

    fn cards(&self, dance: &Dance) -> Vec<Card> {
        self.own.cards.of(dance, &self.shared.password, &self.own.sections.password)
    }
}
