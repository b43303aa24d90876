//! The result of a hook.

use axum::response::{IntoResponse, Response};
use serde_json::Value;

use crate::consumer::{Begin, IntoOwner, Owner};

/// The result of a hook: whether to store the account, for which owner, and the response. `()` is
/// [`After::go_on`].
///
/// ```
/// use axum::response::Redirect;
/// use quadrille::After;
///
/// let usual = After::go_on();
/// let welcome = After::answer(Redirect::to("/welcome"));
/// let signed_in = After::go_on().for_owner(7);
/// let only_a_look = After::answer("Thank you").without_storing();
/// ```
#[derive(Debug, Default)]
pub struct After {
    pub(super) answer: Option<Response>,
    pub(super) keep: Keep,
    pub(super) parameters: Vec<(String, String)>,
    pub(super) data: Option<Value>,
}

#[derive(Debug, Default)]
pub(super) enum Keep {
    #[default]
    Usual,
    For(Owner),
    Not,
}

impl After {
    /// The usual: the account is stored for the user signed in, who is redirected to the requested
    /// page. For `before_login`: to the service. For `on_error`: the usual page.
    pub fn go_on() -> Self {
        Self::default()
    }

    /// Responds with this. After `on_authorized` the account is stored nevertheless; after
    /// `before_login` the user is not redirected to the service.
    pub fn answer(answer: impl IntoResponse) -> Self {
        Self { answer: Some(answer.into_response()), ..Self::default() }
    }

    /// For `on_authorized`: stores the account for this user, for example one whom the hook has
    /// just signed in.
    ///
    /// Required if no user was signed in when the login began and one is now (in another tab):
    /// otherwise the account is not linked to them.
    #[must_use]
    pub fn for_owner(mut self, owner: impl IntoOwner) -> Self {
        self.keep = owner.into_owner().map_or(Keep::Usual, Keep::For);
        self
    }

    /// For `on_authorized`: does not store the account.
    #[must_use]
    pub fn without_storing(mut self) -> Self {
        self.keep = Keep::Not;
        self
    }

    /// For `before_login`: adds a parameter to the authorization request, such as `login_hint`, in
    /// place of one with this name.
    #[must_use]
    pub fn with_parameter(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// For `before_login`: carries data of the application through the login, to
    /// [`Authorized::data`](crate::Authorized::data). As in [`Begin::data`](crate::consumer::Begin::data), at most 512 bytes
    /// as JSON.
    #[must_use]
    pub fn with_data(mut self, data: impl Into<Value>) -> Self {
        self.data = Some(data.into());
        self
    }

    pub(crate) fn into_answer(self) -> Option<Response> {
        self.answer
    }

    /// The login with the parameters and the data, and the response in its place, if there is one.
    pub(crate) fn apply(self, mut begin: Begin<'_>) -> (Begin<'_>, Option<Response>) {
        for (name, value) in self.parameters {
            begin = begin.parameter(name, value);
        }
        if let Some(data) = self.data {
            begin = begin.data(data);
        }
        (begin, self.answer)
    }

    /// The owner to store the account for, if it is stored; `usual` is the user signed in.
    pub(crate) fn owner(&self, usual: impl FnOnce() -> Owner) -> Option<Owner> {
        match &self.keep {
            Keep::Usual => Some(usual()),
            Keep::For(owner) => Some(owner.clone()),
            Keep::Not => None,
        }
    }

    pub(crate) fn names_owner(&self) -> bool {
        !matches!(self.keep, Keep::Usual)
    }
}

/// Values that a hook may return.
///
/// ```
/// use quadrille::{After, web::consumer::IntoAfter};
///
/// let nothing_else: After = ().into_after();
/// # let _ = nothing_else;
/// ```
pub trait IntoAfter {
    /// The result of the hook.
    fn into_after(self) -> After;
}

impl IntoAfter for After {
    fn into_after(self) -> After {
        self
    }
}

impl IntoAfter for () {
    fn into_after(self) -> After {
        After::go_on()
    }
}

/// An error is the response, and nothing is stored.
impl<T: IntoAfter, E: IntoResponse> IntoAfter for Result<T, E> {
    fn into_after(self) -> After {
        match self {
            Ok(after) => after.into_after(),
            Err(error) => After::answer(error).without_storing(),
        }
    }
}
