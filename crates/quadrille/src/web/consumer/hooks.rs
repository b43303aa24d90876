//! Hooks: ordinary handlers of the application, called around a login.

use std::{any::Any, fmt, pin::Pin, sync::Arc};

use axum::extract::FromRequestParts;
use http::{Request, request::Parts};
use tracing::warn;

use crate::{
    Error, Login,
    consumer::{Authorized, ErasedHooks, IntoOwner, Owner, Refreshed, SessionEnded},
};

use super::after::{After, IntoAfter};

/// The event of [`Hooks::before_login`]: a user is about to be redirected to a service.
///
/// ```
/// use quadrille::{After, BeforeLogin, Hooks};
///
/// async fn begin(login: BeforeLogin) -> After {
///     match &*login.service {
///         "google" => After::go_on().with_parameter("prompt", "select_account"),
///         _ => After::go_on(),
///     }
/// }
/// let hooks = Hooks::new(()).before_login(begin);
/// # let _ = hooks;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BeforeLogin {
    /// The service's name.
    pub service: Arc<str>,
    /// The path of this site to return to.
    pub next: String,
    /// The user signed in.
    pub owner: Owner,
    /// The parameters of the authorization request that the request to log in chose, of those in
    /// [`Client::allow_parameters`](crate::consumer::Client::allow_parameters).
    pub parameters: Vec<(String, String)>,
}

/// The event of [`Hooks::on_error`]: a login failed.
///
/// ```
/// use axum::response::Html;
/// use quadrille::{After, Failed, Hooks};
///
/// async fn failed(failed: Failed) -> After {
///     let again = failed.retry_url.unwrap_or_else(|| "/".to_owned());
///     let code = failed.error.code();
///     After::answer(Html(format!("<p>{code}</p><a href=\"{again}\">Try again</a>")))
/// }
/// let hooks = Hooks::new(()).on_error(failed);
/// # let _ = hooks;
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Failed {
    /// The reason.
    pub error: Error,
    /// The service's name, if it is known.
    pub service: Option<Arc<str>>,
    /// The requested page, if it is known.
    pub next: Option<String>,
    /// The path for another attempt, if that may succeed.
    pub retry_url: Option<String>,
}

/// An `async fn` that takes the event first and then up to six extractors of the application, whose
/// state is `St`.
///
/// ```
/// use axum::extract::State;
/// use quadrille::{Authorized, Hooks};
///
/// async fn greet(new: Authorized, State(site): State<&'static str>) {
///     println!("A user of {site} goes on to {}", new.next());
/// }
/// let hooks = Hooks::new("app.example").on_authorized(greet);
/// # let _ = hooks;
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a hook for `{Event}` with the state `{St}`",
    label = "a hook is an `async fn` whose first argument is `{Event}`",
    note = "its shape is `async fn(event: {Event}, ...) -> After`, and each further argument is an \
            extractor that implements `FromRequestParts<{St}>`, at most six",
    note = "it may return `After`, `()`, or a `Result` of them whose error implements \
            `IntoResponse`"
)]
pub trait Hook<Event, Args, St>: Clone + Send + Sync + 'static {
    /// Calls the hook.
    fn call(
        self,
        event: Event,
        parts: &mut Parts,
        state: &St,
    ) -> impl Future<Output = After> + Send;
}

macro_rules! hooks {
    ($($arg:ident),*) => {
        impl<F, Fut, Out, Event, St, $($arg),*> Hook<Event, ($($arg,)*), St> for F
        where
            F: FnOnce(Event, $($arg),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future<Output = Out> + Send,
            Out: IntoAfter,
            Event: Send,
            St: Send + Sync,
            $($arg: FromRequestParts<St> + Send,)*
        {
            #[allow(non_snake_case, unused_variables, reason = "as many as there are types")]
            async fn call(self, event: Event, parts: &mut Parts, state: &St) -> After {
                $(
                    let $arg = match $arg::from_request_parts(parts, state).await {
                        Ok(argument) => argument,
                        Err(rejection) => return After::answer(rejection).without_storing(),
                    };
                )*
                self(event, $($arg),*).await.into_after()
            }
        }
    };
}
hooks!();
hooks!(A);
hooks!(A, B);
hooks!(A, B, C);
hooks!(A, B, C, D);
hooks!(A, B, C, D, E);
hooks!(A, B, C, D, E, G);

type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;
type Erased<Event> = Arc<dyn Fn(Event, Parts) -> BoxFuture<'static, (After, Parts)> + Send + Sync>;
type ErasedOwner = Arc<dyn for<'a> Fn(&'a mut Parts) -> BoxFuture<'a, Option<Owner>> + Send + Sync>;

/// The hooks of an application, which are handlers, and the state that their extractors need: for
/// [`Login::hooks`].
///
/// ```
/// use axum::{extract::{FromRequestParts, State}, http::{StatusCode, request::Parts}};
/// use quadrille::{After, Authorized, GitHub, Hooks, KeyRing, Login, Result};
///
/// # #[derive(Clone)] struct App;
/// # impl App { async fn user_for(&self, subject: &str) -> i64 { 7 } }
/// # struct CurrentUser { id: i64 }
/// # impl FromRequestParts<App> for CurrentUser {
/// #     type Rejection = StatusCode;
/// #     async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, StatusCode> {
/// #         Ok(Self { id: 7 })
/// #     }
/// # }
/// async fn signed_in(new: Authorized, State(app): State<App>) -> Result<After> {
///     let Some(claims) = new.claims().await? else { return Ok(After::go_on()) };
///     let user = app.user_for(claims.subject()).await;
///     // ... sign the user in to the application's session here ...
///     Ok(After::go_on().for_owner(user))
/// }
///
/// # let app = App;
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(GitHub::new("our-id", "our-secret"))
///     .hooks(
///         Hooks::new(app.clone())
///             .owner(|user: &CurrentUser| user.id)
///             .on_authorized(signed_in),
///     );
/// ```
#[derive(Clone)]
#[must_use = "hooks are called once they are given to `Login::hooks`"]
pub struct Hooks<St> {
    state: St,
    handlers: Handlers,
}

/// The hooks of a [`Login`], with the types of their states erased.
#[derive(Clone)]
pub(super) struct Handlers {
    owner: Option<ErasedOwner>,
    before_login: Option<Erased<BeforeLogin>>,
    authorized: Option<Erased<Authorized>>,
    error: Option<Erased<Failed>>,
    refreshed: Option<Erased<Refreshed>>,
    session_ended: Option<Erased<SessionEnded>>,
}

impl<St: Clone + Send + Sync + 'static> Hooks<St> {
    /// No hooks yet, with the application's state: `()` if no extractor needs one.
    pub fn new(state: St) -> Self {
        Self { state, handlers: NONE.clone() }
    }

    /// Sets the owner of accounts: the user who is signed in to the application, from any extractor
    /// of the application. Without it, accounts belong to browsers.
    ///
    /// The owner is part of what is sealed and of what storages are keyed by: after Alice signs
    /// out, Bob never sees her account in the same browser.
    pub fn owner<U, O>(mut self, owner: impl Fn(&U) -> O + Clone + Send + Sync + 'static) -> Self
    where
        U: FromRequestParts<St> + Send,
        O: IntoOwner,
    {
        let state = self.state.clone();
        self.handlers.owner = Some(Arc::new(move |parts| {
            let (state, owner) = (state.clone(), owner.clone());
            Box::pin(async move {
                let user = U::from_request_parts(parts, &state).await.ok()?;
                owner(&user).into_owner()
            })
        }));
        self
    }

    /// Calls this before a visitor is sent to a service: `async fn(BeforeLogin, ...)`.
    pub fn before_login<Args: 'static>(mut self, hook: impl Hook<BeforeLogin, Args, St>) -> Self {
        self.handlers.before_login = Some(erase(&self.state, hook));
        self
    }

    /// Calls this when a visitor returns with a token, before anything is stored:
    /// `async fn(Authorized, ...)`.
    pub fn on_authorized<Args: 'static>(mut self, hook: impl Hook<Authorized, Args, St>) -> Self {
        self.handlers.authorized = Some(erase(&self.state, hook));
        self
    }

    /// Calls this when a login failed, for any reason: `async fn(Failed, ...)`. Its answer replaces
    /// the usual page.
    pub fn on_error<Args: 'static>(mut self, hook: impl Hook<Failed, Args, St>) -> Self {
        self.handlers.error = Some(erase(&self.state, hook));
        self
    }

    /// Calls this when a provider has ended sessions of a user: `async fn(SessionEnded, ...)`, to end
    /// those of the application. The provider's server sends that request, or a frame in the browser,
    /// and not the user: see [`Login::logout_routes`]. An answer, such as that of an error, means that
    /// the sessions could not be ended.
    pub fn on_session_ended<Args: 'static>(
        mut self,
        hook: impl Hook<SessionEnded, Args, St>,
    ) -> Self {
        self.handlers.session_ended = Some(erase(&self.state, hook));
        self
    }

    /// Calls this when a token was refreshed: `async fn(Refreshed, ...)`. A refresh serves many
    /// requests, or none, so the hook runs outside of any: of the extractors, only those that need
    /// the state alone work.
    pub fn on_refreshed<Args: 'static>(mut self, hook: impl Hook<Refreshed, Args, St>) -> Self {
        self.handlers.refreshed = Some(erase(&self.state, hook));
        self
    }
}

impl<St> fmt::Debug for Hooks<St> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

/// The hooks of a login without any.
static NONE: Handlers = Handlers {
    owner: None,
    before_login: None,
    authorized: None,
    error: None,
    refreshed: None,
    session_ended: None,
};

impl Login {
    /// Sets the hooks of the application, and the owner of accounts. `Login` works beside any state
    /// type, so the state of their extractors is given here.
    ///
    /// Hooks of an earlier call remain unless these replace them, so parts of an application with
    /// states of their own can have hooks.
    #[must_use]
    pub fn hooks<St>(self, hooks: Hooks<St>) -> Self {
        let (new, old) = (hooks.handlers, Handlers::of(&self).clone());
        let handlers = Handlers {
            owner: new.owner.or(old.owner),
            before_login: new.before_login.or(old.before_login),
            authorized: new.authorized.or(old.authorized),
            error: new.error.or(old.error),
            refreshed: new.refreshed.or(old.refreshed),
            session_ended: new.session_ended.or(old.session_ended),
        };
        self.change(|inner| inner.hooks = Arc::new(handlers))
    }
}

impl Handlers {
    pub(super) fn of(login: &Login) -> &Self {
        let hooks: &dyn Any = &*login.0.hooks;
        hooks.downcast_ref().unwrap_or(&NONE)
    }

    /// Whether a hook may read the application's session.
    pub(crate) fn look_at_the_visitor(&self) -> bool {
        self.owner.is_some() || self.authorized.is_some() || self.error.is_some()
    }

    pub(crate) async fn find_owner(&self, parts: &mut Parts) -> Owner {
        match &self.owner {
            Some(owner) => owner(parts).await.unwrap_or(Owner::NOBODY),
            None => Owner::NOBODY,
        }
    }

    pub(crate) async fn before_login(&self, event: BeforeLogin, parts: &mut Parts) -> After {
        call(self.before_login.as_ref(), event, parts).await
    }

    pub(crate) fn wants_before_login(&self) -> bool {
        self.before_login.is_some()
    }

    pub(crate) fn has_authorized(&self) -> bool {
        self.authorized.is_some()
    }

    pub(crate) async fn authorized(&self, event: Authorized, parts: &mut Parts) -> After {
        call(self.authorized.as_ref(), event, parts).await
    }

    pub(crate) async fn session_ended(&self, event: SessionEnded, parts: &mut Parts) -> After {
        call(self.session_ended.as_ref(), event, parts).await
    }

    pub(crate) async fn error(&self, event: Failed, parts: &mut Parts) -> After {
        call(self.error.as_ref(), event, parts).await
    }
}

impl ErasedHooks for Handlers {
    fn refreshed(&self, event: Refreshed) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(hook) = &self.refreshed else { return };
            let (mut parts, ()) = Request::new(()).into_parts();
            let service = Arc::clone(&event.service);
            if call(Some(hook), event, &mut parts).await.answer.is_some() {
                warn!(
                    service = &*service,
                    "on_refreshed failed, or returned a response, which nobody gets"
                );
            }
        })
    }
}

fn erase<Event: Send + 'static, Args: 'static, St: Clone + Send + Sync + 'static>(
    state: &St,
    hook: impl Hook<Event, Args, St>,
) -> Erased<Event> {
    let state = state.clone();
    Arc::new(move |event, mut parts| {
        let (state, hook) = (state.clone(), hook.clone());
        Box::pin(async move {
            let after = hook.call(event, &mut parts, &state).await;
            (after, parts)
        })
    })
}

async fn call<Event>(hook: Option<&Erased<Event>>, event: Event, parts: &mut Parts) -> After {
    let Some(hook) = hook else { return After::go_on() };
    let (empty, ()) = Request::new(()).into_parts();
    let (after, back) = hook(event, std::mem::replace(parts, empty)).await;
    *parts = back;
    after
}
