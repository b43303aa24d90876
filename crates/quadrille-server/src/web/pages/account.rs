//! The account page: the applications that may act for the user, the user's personal access tokens,
//! and the browsers that the user is signed in with.

use std::{collections::BTreeSet, time::Duration};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::{
    oauth2::Resources,
    provider::{
        self,
        store::{LiveGrant, RowId, StoreError},
    },
};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::sessions::Session;

use super::{
    super::{
        account_form::{AccountForm, Bound, Sealed},
        app::App,
        audit,
        cookies::Cookie,
        forms::Purpose,
        visitor::Visitor,
    },
    new_token::{Answer, Made, Offer},
    profile::{NotChanged, Profile},
    scope_line::ScopeLine,
    templates::FormsLead,
};

/// The time in which a note must reach its page: the browser follows the redirect at once.
const NOTE_LIFETIME: Duration = Duration::from_secs(60);

/// The notes after a form.
const NOTES: [(Purpose, &str); 6] = [
    (Purpose::Withdrawn, "Withdrawn. The application can no longer act for you."),
    (Purpose::NothingWithdrawn, "There was nothing to withdraw. Nothing was changed."),
    (Purpose::SessionEnded, "Signed out there. That browser has to sign in again."),
    (Purpose::TokenRevoked, "Revoked. Programs that have the token can no longer act for you."),
    (Purpose::ProfileChanged, "Your profile was changed."),
    (Purpose::EndedBefore, "It had ended before. Nothing was changed."),
];

/// The form that withdraws a consent.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Withdraw {
    #[serde(default)]
    form: String,
    client_id: String,
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

impl Sealed for Withdraw {
    fn seal(&self) -> &str {
        &self.form
    }
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
    user: &'a str,
    form: String,
    notice: Option<&'static str>,
    applications: Vec<Application>,
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

#[derive(Serialize)]
struct Application {
    id: String,
    name: String,
    initial: String,
    /// The host of a client that describes itself.
    host: Option<String>,
    /// The destinations of a client that registered itself.
    registered_for: Option<Vec<String>>,
    /// The day on which the client changed its name or a redirect URI, if the user allowed it before.
    changed: Option<String>,
    scopes: Vec<ScopeLine>,
    resources: Vec<String>,
    given: String,
    /// The time of its last token, if one is valid.
    used: Option<String>,
    /// The address at which the application begins a login.
    open: Option<String>,
}

/// `GET /`
pub(in crate::web) async fn page(State(app): State<App>, headers: HeaderMap) -> Response<Body> {
    let visitor = match app.visitor(&headers).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return app.see_other(&app.pages.site().sign_in),
        Err(error) => return app.store_failed(&error),
    };
    app.account_page(&headers, &visitor, Answer::default(), None).await
}

/// `POST /applications/withdraw`
pub(in crate::web) async fn withdraw(
    State(app): State<App>,
    asked: AccountForm<Withdraw>,
) -> Response<Body> {
    let AccountForm { form, visitor, address, headers } = asked;
    let subject = &visitor.user.subject;
    let given = match app.server.consents(subject).await {
        Ok(granted) => granted.iter().any(|access| *access.client.id == *form.client_id),
        Err(error) => return app.server_failed(&error, "consents cannot be listed"),
    };
    if !given {
        return app.home_with_note(&headers, Purpose::NothingWithdrawn);
    }
    match app.server.revoke_consent(subject, &form.client_id).await {
        Ok(()) => {
            audit::withdrawn(&visitor.user, address, &form.client_id);
            app.home_with_note(&headers, Purpose::Withdrawn)
        }
        Err(error) => app.server_failed(&error, "a consent was not withdrawn"),
    }
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
    let only = Some(session.name.clone());
    match app.backend.end_sessions_of(visitor.user.subject.clone(), only).await {
        Ok(true) => {
            audit::session_ended(&visitor.user, address, &session);
            app.ended.notify_one();
            app.home_with_note(&headers, Purpose::SessionEnded)
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
    match app.backend.end_sessions_of(visitor.user.subject.clone(), None).await {
        Ok(_) => {
            audit::signed_out(&visitor.user, address, true);
            app.ended.notify_one();
            app.signed_out(&headers, "You are signed out everywhere")
        }
        Err(error) => app.store_failed(&error),
    }
}

impl App {
    /// The account page, with the answer to the form that makes a token, or to the one that changes the
    /// profile.
    pub(super) async fn account_page(
        &self,
        headers: &HeaderMap,
        visitor: &Visitor,
        answer: Answer<'_>,
        profile: Option<NotChanged<'_>>,
    ) -> Response<Body> {
        let applications = match self.applications(visitor).await {
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
            user: visitor.user.name.as_str(),
            form: self.forms.field(Purpose::Account, cookie),
            notice,
            applications,
            tokens,
            offer: self.offer_of_tokens(visitor),
            profile: self.profile(&visitor.user, profile.as_ref()),
            answer,
            made: made.as_ref(),
            sessions,
        };
        let mut response = self.pages.render(status, "applications.html", &page, FormsLead::Here);
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
        let mut response = self.see_other(&self.pages.site().home);
        if let Some(session) = self.session_cookie(headers) {
            let note = self.forms.field(note, session);
            self.cookies.set(response.headers_mut(), Cookie::Note, &note, Some(NOTE_LIFETIME));
        }
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
    async fn sessions(&self, visitor: &Visitor) -> Result<Vec<Session>, StoreError> {
        let mut sessions = self.backend.sessions_of(&visitor.user.subject).await?;
        let now = self.env.now();
        sessions.retain(|session| session.is_good_for(&visitor.user, now));
        Ok(sessions)
    }

    async fn session_lines(&self, visitor: &Visitor) -> Result<Vec<SessionLine>, StoreError> {
        let line = |session: Session| SessionLine {
            id: session.name.to_string(),
            here: session.id == visitor.session.id,
            browser: session.browser,
            address: session.address,
            signed_in: minute(session.signed_in),
            used: minute(session.used),
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

    async fn applications(&self, visitor: &Visitor) -> Result<Vec<Application>, provider::Error> {
        let mut applications = Vec::new();
        for access in self.server.consents(&visitor.user.subject).await? {
            let consents = access.consents.iter().map(|consent| &consent.resources);
            let grants = access.grants.iter().map(|listed| &listed.grant.resources);
            let resources = consents.chain(grants).flat_map(Resources::iter);
            let resources: BTreeSet<_> = resources.map(str::to_owned).collect();
            // The name of one that registered itself may be that of another site.
            let leads_to = |url: &Url| {
                let origin = url.origin().ascii_serialization();
                !access.client.registered_itself()
                    || access.client.destinations().contains(&origin.as_str())
            };
            let open = self.server.initiate_login(&access.client);
            // A user who has not seen the change is not led to another site.
            let is_as_allowed =
                !access.client.registered_itself() || access.changed_since().is_none();
            let open = open.filter(|login| is_as_allowed && leads_to(login.url()));
            applications.push(Application {
                open: open.map(|login| login.url().to_string()),
                id: access.client.id.to_string(),
                name: access.client.name.clone(),
                initial: initial(&access.client.name),
                host: access.client_host(),
                registered_for: access
                    .client
                    .registered_itself()
                    .then(|| access.client.destinations().into_iter().map(str::to_owned).collect()),
                changed: access.changed_since().map(day),
                scopes: self.scope_lines(access.scopes().iter()),
                resources: resources.into_iter().collect(),
                given: day(access.given()),
                used: access.last_issue().map(minute),
            });
        }
        applications.sort_by_cached_key(|application| application.name.to_lowercase());
        Ok(applications)
    }
}

/// The initial of `name`, for a small square.
pub(in crate::web) fn initial(name: &str) -> String {
    name.chars()
        .find(|c| c.is_alphanumeric())
        .map_or_else(|| "?".to_owned(), |c| c.to_uppercase().collect())
}

/// A time to the minute, in UTC.
pub(in crate::web) fn minute(time: quadrille::Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds())
        .map(|time| time.strftime("%Y-%m-%d %H:%M").to_string())
        .unwrap_or_default()
}

/// The day of a time, in UTC.
fn day(time: quadrille::Timestamp) -> String {
    jiff::Timestamp::from_second(time.seconds())
        .map(|time| time.strftime("%Y-%m-%d").to_string())
        .unwrap_or_default()
}
