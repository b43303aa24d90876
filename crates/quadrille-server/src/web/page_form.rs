//! The forms of pages that people see before they go on to an application: sign-in, and the choice of an
//! account.

use axum::{
    body::Body,
    http::{HeaderMap, Response},
};

use super::{
    account_form::Sealed,
    app::App,
    forms::{FormRefusal, Purpose},
    sent::{Sent, Unreadable},
};

/// A form that is not taken.
pub(super) enum NotTaken<T> {
    /// Another site sent it, or nobody can read it.
    Answered(Box<Response<Body>>),
    /// It was made for another browser, or long ago: its page comes again.
    Old(T),
}

impl App {
    /// A form that a page of this site made for the browser with this cookie.
    pub(super) fn page_form<T: Sealed>(
        &self,
        sent: Result<Sent<T>, Unreadable>,
        headers: &HeaderMap,
        (purpose, cookie): (Purpose, Option<&str>),
    ) -> Result<T, NotTaken<T>> {
        let answered = |answer| NotTaken::Answered(Box::new(answer));
        let Sent(form) = sent.map_err(|why| answered(self.bad_form(&why)))?;
        let Err(refusal) = self.forms.check(purpose, headers, cookie, form.seal()) else {
            return Ok(form);
        };
        tracing::info!(%refusal, form = purpose.name(), "a form was refused");
        Err(match refusal {
            FormRefusal::Foreign => answered(self.foreign_form()),
            FormRefusal::Unbound | FormRefusal::Missing | FormRefusal::Old => NotTaken::Old(form),
        })
    }
}
