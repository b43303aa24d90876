//! OAuth 2.0 with PKCE: a code, and bearer tokens.

mod cards;
mod words;

use std::sync::Arc;

use serde::Deserialize;

use super::{
    Act, Card, Chapter, Step, Telling, Words,
    book::{Notes, Remarks},
    common::Chapters,
    shared::Shared,
};
use crate::{dance::Dance, message::Message, value::Kind};

/// The telling of OAuth 2.
#[derive(Debug)]
pub(super) struct OAuth2 {
    own: Own,
    shared: Arc<Shared>,
}

/// The words of `words/oauth2.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Own {
    client_authentication: String,
    chapters: Chapters,
    asked: words::Asked,
    answered: words::Answered,
    notes: Notes,
    remarks: Remarks,
    cards: cards::Cards,
}

impl OAuth2 {
    pub(super) fn new(own: Own, shared: Arc<Shared>) -> Self {
        Self { own, shared }
    }

    #[cfg(test)]
    pub(super) fn notes(&self) -> &Notes {
        &self.own.notes
    }

    #[cfg(test)]
    pub(super) fn shared_notes(&self) -> &Notes {
        &self.shared.notes
    }
}

impl Telling for OAuth2 {
    fn lead(&self) -> &str {
        ""
    }

    fn chapter(&self, act: Act) -> &Chapter {
        self.own.chapters.find(act)
    }

    fn asked(&self, step: Step, act: Option<Act>, request: &Message, again: bool) -> Words {
        let own = self.own.asked.find(step, act, again).cloned();
        own.unwrap_or_else(|| self.shared.asked(step, act, request))
    }

    fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words {
        let own = self.own.answered.find(step, response).cloned();
        own.unwrap_or_else(|| self.shared.answered(step, act, response))
    }

    fn note(&self, name: &str, message: &Message) -> &str {
        let has = |name| message.parameter(name).is_some();
        if name == "authorization"
            && (has("grant_type") || (message.is_back_channel() && has("token")))
        {
            return &self.own.client_authentication;
        }
        let own = self.own.notes.find(name, message);
        own.unwrap_or_else(|| self.shared.note(name, message))
    }

    fn remark(&self, kind: Kind) -> &str {
        self.own.remarks.get(&kind).map_or_else(|| self.shared.remark(kind), String::as_str)
    }

    fn cards(&self, dance: &Dance) -> Vec<Card> {
        self.own.cards.of(dance, &self.shared.password)
    }
}
