//! The account page: the applications that may act for the user, the user's personal access tokens,
//! and the browsers that the user is signed in with.

use std::time::Duration;

use axum::{
    body::Body,
    extract::{Query, State, rejection::QueryRejection},
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::provider::store::{LiveGrant, RowId, StoreError};
use serde::{Deserialize, Serialize};

use crate::{
    sessions::{Session, SomeSessions},
    words::Span,
};

use super::{
    super::{
        account_form::{AccountForm, Bound, Sealed},
        app::App,
        audit,
        cookies::Cookie,
        forms::Purpose,
        visitor::Visitor,
    },
    applications::Application,
    brief::{day, minute},
    new_token::{Answer, Made, Offer},
    profile::{NotChanged, Profile},
    scope_line::ScopeLine,
};

/// The time in which a note must reach its page: the browser follows the redirect at once.
const NOTE_LIFETIME: Duration = Duration::from_secs(60);

/// The keys of the notes after a form.
const NOTES: [(Purpose, &str); 8] = [
    (Purpose::Withdrawn, "note-withdrawn"),
    (Purpose::NothingWithdrawn, "note-nothing-withdrawn"),
    (Purpose::SessionEnded, "note-session-ended"),
    (Purpose::OthersEnded, "note-others-ended"),
    (Purpose::PasswordChanged, "note-password-changed"),
    (Purpose::TokenRevoked, "note-token-revoked"),
    (Purpose::ProfileChanged, "note-profile-changed"),
    (Purpose::EndedBefore, "note-ended-before"),
];

/// The query of the page.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Asked {
    /// The number of applications before the first one on the page.
    #[serde(default)]
    from: usize,
}

/// The form that ends a session.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct EndSession {
    #[serde(default)]
    form: String,
    session: String,
}

/// The form that revokes a personal access token.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct RevokeToken {
    #[serde(default)]
    form: String,
    token: i64,
}

impl Sealed for EndSession {
    fn seal(&self) -> &str {
        &self.form
    }
}

impl Sealed for RevokeToken {
    fn seal(&self) -> &str {
        &self.form
    }
}

#[derive(Serialize)]
struct Page<'a> {
    notice: Option<&'static str>,
    applications: Vec<Application>,
    /// The address of the page with further applications.
    further: Option<String>,
    tokens: Vec<TokenLine>,
    /// The form that makes a token, if users may make some.
    offer: Option<Offer>,
    /// The answer to that form.
    answer: Answer<'a>,
    /// A new token, which is shown once.
    made: Option<&'a Made>,
    /// What is known about the user.
    profile: Option<Profile>,
    sessions: Vec<SessionLine>,
    /// Whether users delete their accounts.
    may_delete: bool,
}

/// A browser that the user is signed in with.
#[derive(Serialize)]
struct SessionLine {
    id: String,
    browser: String,
    address: String,
    /// Whether the browser is the one that sent this request.
    here: bool,
    signed_in: String,
    used: String,
    /// The time since the last request.
    ago: Span,
}

/// A personal access token of the user.
#[derive(Serialize)]
struct TokenLine {
    number: i64,
    name: String,
    scopes: Vec<ScopeLine>,
    resources: Vec<String>,
    issued: String,
    expires: String,
}

/// `GET /`
pub(in crate::web) async fn page(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
    headers: HeaderMap,
) -> Response<Body> {
    let visitor = match app.visitor(&headers).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return app.see_other(&app.pages.site().sign_in),
        Err(error) => return app.store_failed(&error),
    };
    let from = asked.map_or(0, |Query(asked)| asked.from);
    app.account_page(&headers, &visitor, from, Answer::default(), None).await
}

/// `POST /sessions/end`
pub(in crate::web) async fn end_session(
    State(app): State<App>,
    asked: AccountForm<EndSession>,
) -> Response<Body> {
    let AccountForm { form, visitor, address, headers } = asked;
    let sessions = match app.sessions(&visitor).await {
        Ok(sessions) => sessions,
        Err(error) => return app.store_failed(&error),
    };
    let named = |session: &Session| *session.name == *form.session;
    let Some(session) = sessions.into_iter().find(named) else {
        return app.home_with_note(&headers, Purpose::EndedBefore);
    };
    let one = SomeSessions::One(session.name.clone());
    match app.backend.end_sessions_of(visitor.user.subject.clone(), one).await {
        Ok(true) => {
            audit::session_ended(&visitor.user, address, &session);
            app.ended.notify_one();
            app.home_with_note(&headers, Purpose::SessionEnded)
        }
        Ok(false) => app.home_with_note(&headers, Purpose::EndedBefore),
        Err(error) => app.store_failed(&error),
    }
}

/// `POST /sessions/end-others`
pub(in crate::web) async fn end_other_sessions(
    State(app): State<App>,
    AccountForm { visitor, address, headers, .. }: AccountForm<Bound>,
) -> Response<Body> {
    let others = SomeSessions::Others(visitor.session.name.clone());
    match app.backend.end_sessions_of(visitor.user.subject.clone(), others).await {
        Ok(true) => {
            audit::others_signed_out(&visitor.user, address);
            app.ended.notify_one();
            app.home_with_note(&headers, Purpose::OthersEnded)
        }
        Ok(false) => app.home_with_note(&headers, Purpose::EndedBefore),
        Err(error) => app.store_failed(&error),
    }
}

/// `POST /tokens/revoke`
pub(in crate::web) async fn revoke_token(
    State(app): State<App>,
    asked: AccountForm<RevokeToken>,
) -> Response<Body> {
    let AccountForm { form, visitor, address, headers } = asked;
    let subject = &visitor.user.subject;
    let named = |token: &LiveGrant| token.grant.id == RowId(form.token);
    let token = match app.server.personal_tokens(subject).await {
        Ok(tokens) => tokens.into_iter().find(named),
        Err(error) => return app.server_failed(&error, "access tokens cannot be listed"),
    };
    let Some(token) = token else {
        return app.home_with_note(&headers, Purpose::EndedBefore);
    };
    match app.server.revoke_grant(subject, token.grant.id).await {
        Ok(_) => {
            audit::token_revoked(&visitor.user, address, &token);
            app.home_with_note(&headers, Purpose::TokenRevoked)
        }
        Err(error) => app.server_failed(&error, "an access token was not revoked"),
    }
}

/// `POST /sign-out/everywhere`
pub(in crate::web) async fn sign_out_everywhere(
    State(app): State<App>,
    AccountForm { visitor, address, headers, .. }: AccountForm<Bound>,
) -> Response<Body> {
    match app.backend.end_sessions_of(visitor.user.subject.clone(), SomeSessions::All).await {
        Ok(_) => {
            audit::signed_out(&visitor.user, address, true);
            app.ended.notify_one();
            app.signed_out(&headers, "signed-out-everywhere-title")
        }
        Err(error) => app.store_failed(&error),
    }
}

impl App {
    /// The account page with the applications from this one on, and with the answer to the form that makes
    /// a token, or to the one that changes the profile.
    pub(super) async fn account_page(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
        from: usize,
        answer: Answer<'_>,
        profile: Option<NotChanged<'_>>,
    ) -> Response<Body> {
        let (applications, further) = match self.applications(visitor, from).await {
            Ok(applications) => applications,
            Err(error) => return self.server_failed(&error, "consents cannot be listed"),
        };
        let tokens = match self.server.personal_tokens(&visitor.user.subject).await {
            Ok(tokens) => tokens.iter().map(|token| self.token_line(token)).collect(),
            Err(error) => return self.server_failed(&error, "access tokens cannot be listed"),
        };
        let sessions = match self.session_lines(visitor).await {
            Ok(sessions) => sessions,
            Err(error) => return self.store_failed(&error),
        };
        // Every user in a browser has a cookie of a session.
        let Some(cookie) = self.session_cookie(headers) else { return self.failed() };
        let notice = self.note(headers, cookie);
        let made = self.made(headers, cookie);
        let status = match profile {
            Some(_) => StatusCode::BAD_REQUEST,
            None => answer.status(),
        };
        let page = Page {
            notice,
            applications,
            further: further.map(|from| format!("{}?from={from}", self.pages.site().home)),
            tokens,
            offer: self.offer_of_tokens(visitor),
            profile: self.profile(&visitor.user, profile.as_ref()),
            answer,
            made: made.as_ref(),
            sessions,
            may_delete: self.users_delete_their_accounts,
        };
        let page_of = (status, "applications.html");
        let mut response = self.user_page(page_of, headers, visitor, page);
        if notice.is_some() {
            self.cookies.clear(response.headers_mut(), Cookie::Note);
        }
        if made.is_some() {
            self.cookies.clear(response.headers_mut(), Cookie::Token);
        }
        response
    }

    /// A redirect to the account page, which will show this note once. The note is bound to the
    /// session, so no link and no other site can make the page show one.
    pub(super) fn home_with_note(&self, headers: &HeaderMap, note: Purpose) -> Response<Body> {
        match self.session_cookie(headers) {
            Some(session) => self.home_of(session, note),
            None => self.see_other(&self.pages.site().home),
        }
    }

    /// [`home_with_note`](Self::home_with_note) for the browser that has this cookie from now on.
    pub(super) fn home_of(&self, session: &str, note: Purpose) -> Response<Body> {
        let mut response = self.see_other(&self.pages.site().home);
        let note = self.forms.field(note, session);
        self.cookies.set(response.headers_mut(), Cookie::Note, &note, Some(NOTE_LIFETIME));
        response
    }

    /// The note in a request of this session, if there is one.
    fn note(&self, headers: &HeaderMap, session: &str) -> Option<&'static str> {
        let is_there = |purpose| {
            let is_ours =
                |note: &str| self.forms.is_bound(purpose, Some(session), note) == Ok(true);
            self.cookies.read(headers, Cookie::Note, is_ours).is_some()
        };
        NOTES.iter().find(|(purpose, _)| is_there(*purpose)).map(|(_, text)| *text)
    }

    /// The sessions of the user that are valid.
    pub(super) async fn sessions(&self, visitor: &Visitor) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.backend.sessions_of(&visitor.user.subject).await?;
        let now = self.env.now();
        sessions.retain(|session| session.is_good_for(&visitor.user, now));
        Ok(sessions)
    }

    async fn session_lines(&self, visitor: &Visitor) -> Result<Vec<SessionLine>, StoreError> {
        let now = self.env.now();
        let line = |session: Session| SessionLine {
            id: session.name.to_string(),
            here: session.id == visitor.session.id,
            browser: session.browser,
            address: session.address,
            signed_in: minute(session.signed_in),
            used: minute(session.used),
            ago: Span::of(now.since(session.used)),
        };
        Ok(self.sessions(visitor).await?.into_iter().map(line).collect())
    }

    fn token_line(&self, token: &LiveGrant) -> TokenLine {
        let LiveGrant { grant, expires, .. } = token;
        let name = grant.details.as_ref().and_then(|details| details.name.as_deref());
        TokenLine {
            number: grant.id.0,
            name: name.unwrap_or_default().to_owned(),
            scopes: self.scope_lines(grant.scopes.iter()),
            resources: grant.resources.iter().map(str::to_owned).collect(),
            issued: day(grant.id.time()),
            expires: minute(*expires),
        }
    }
}
