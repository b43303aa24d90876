//! The telling of the parts that both dances have: the pages of both sites, and the user who signs
//! in and decides.

use serde::Deserialize;

use super::{
    Act, Step, Words,
    book::{CardWords, Notes, Remarks},
};
use crate::{
    message::{Head, Message},
    value::Kind,
};

/// The words of `words/shared.toml`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shared {
    asked: Asked,
    answered: Answered,
    other: Words,
    pub(super) notes: Notes,
    remarks: Remarks,
    pub(super) password: CardWords,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    disconnect: Words,
    later: Words,
    page_again: Words,
    page: Words,
    sign_in_page: Words,
    deny: Words,
    allow: Words,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Answered {
    broken: Words,
    to_login: Words,
    sent_on: Words,
    page: Words,
    answered_already: Words,
    refused: Words,
    sign_in_page: Words,
    signed_in: Words,
    sign_in_failed: Words,
}

impl Shared {
    /// The words of [`Telling::asked`](super::Telling::asked).
    pub(super) fn asked(&self, step: Step, act: Option<Act>, request: &Message) -> Words {
        let asked = &self.asked;
        let words = match (step, act) {
            (Step::Disconnect, _) => &asked.disconnect,
            (Step::Later, _) => &asked.later,
            (Step::Page, Some(Act::Use)) => &asked.page_again,
            (Step::Page, _) => &asked.page,
            (Step::SignInPage, _) => &asked.sign_in_page,
            (Step::Decide, _) if request.parameter("decision").as_deref() == Some("deny") => {
                &asked.deny
            }
            (Step::Decide, _) => &asked.allow,
            _ => &self.other,
        };
        words.clone()
    }

    /// The words of [`Telling::answered`](super::Telling::answered).
    pub(super) fn answered(&self, step: Step, act: Option<Act>, response: &Message) -> Words {
        let answered = &self.answered;
        let Head::Response { status } = response.head else { return self.other.clone() };
        let words = match (step, status) {
            (_, 500..) => &answered.broken,
            (Step::Page, 300..400) if act == Some(Act::Ask) => &answered.to_login,
            (Step::Page | Step::Later | Step::Disconnect, 300..400) => &answered.sent_on,
            (Step::Page | Step::Later | Step::Disconnect, _) => &answered.page,
            (Step::Decide, 409) => &answered.answered_already,
            (Step::Refused, _) => &answered.refused,
            (Step::SignInPage, _) => &answered.sign_in_page,
            (Step::SignIn, 300..400) => &answered.signed_in,
            (Step::SignIn, _) => &answered.sign_in_failed,
            _ => &self.other,
        };
        words.clone()
    }

    /// The note of [`Telling::note`](super::Telling::note).
    pub(super) fn note(&self, name: &str, message: &Message) -> &str {
        self.notes.find(name, message).unwrap_or_default()
    }

    /// The remark of [`Telling::remark`](super::Telling::remark).
    pub(super) fn remark(&self, kind: Kind) -> &str {
        self.remarks.get(&kind).map_or("", String::as_str)
    }
}
