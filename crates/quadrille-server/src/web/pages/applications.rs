//! The part of the account page with the applications that may act for the user, and the page on which
//! the user withdraws the access of one.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    body::Body,
    extract::{OriginalUri, Query, State, rejection::QueryRejection},
    http::{HeaderMap, Response, StatusCode},
};
use quadrille::{
    oauth2::Resources,
    provider::{self, ClientAccess},
};
use serde::{Deserialize, Serialize};
use url::Url;

use super::{
    super::{
        account_form::{AccountForm, Sealed},
        app::App,
        audit,
        forms::Purpose,
        visitor::Visitor,
    },
    brief::{day, initial, minute},
    scope_line::ScopeLine,
};

/// The most applications on a page.
const AT_ONCE: usize = 50;

/// The query of the page.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Asked {
    client_id: String,
}

/// The form that withdraws a consent.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Withdraw {
    #[serde(default)]
    form: String,
    client_id: String,
}

impl Sealed for Withdraw {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// The values of the page.
#[derive(Serialize)]
struct Page {
    application: Application,
}

/// An application that may act for the user.
#[derive(Serialize)]
pub(super) struct Application {
    id: String,
    name: String,
    initial: String,
    /// The path of the logo, if it is here.
    logo: Option<String>,
    owner: Option<String>,
    /// The host of a client that describes itself.
    host: Option<String>,
    /// The destinations of a client that registered itself.
    registered_for: Option<Vec<String>>,
    /// The destinations of all others.
    destinations: Vec<String>,
    /// Whether another application in the list has the same name.
    has_namesake: bool,
    /// The day since which the client is known here.
    known_since: String,
    /// The day on which the client changed its name or a redirect URI, if the user allowed it before.
    changed: Option<String>,
    scopes: Vec<ScopeLine>,
    resources: Vec<String>,
    /// The day of the first consent or sign-in that still counts.
    first: String,
    /// The day of the last consent or sign-in.
    given: String,
    /// The time of its last token, if one is valid.
    used: Option<String>,
    /// The time at which its last token expires, if one is valid.
    expires: Option<String>,
    /// The number of its sign-ins whose tokens are valid.
    sign_ins: usize,
    /// The address at which the application begins a login.
    open: Option<String>,
}

/// `GET /applications/withdraw`
pub(in crate::web) async fn page(
    State(app): State<App>,
    asked: Result<Query<Asked>, QueryRejection>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response<Body> {
    let visitor = match app.signed_in(&headers, &uri).await {
        Ok(visitor) => visitor,
        Err(answer) => return answer,
    };
    let Ok(Query(asked)) = asked else { return app.see_other(&app.pages.site().home) };
    let granted = match app.server.consents(&visitor.user.subject).await {
        Ok(granted) => granted,
        Err(error) => return app.server_failed(&error, "consents cannot be listed"),
    };
    let Some(access) = granted.iter().find(|access| *access.client.id == *asked.client_id) else {
        return app.home_with_note(&headers, Purpose::NothingWithdrawn);
    };
    let mut application = app.application(access).await;
    application.has_namesake = has_namesake(&names(&granted), &application.name);
    let page = (StatusCode::OK, "withdraw.html");
    app.user_page(page, &headers, &visitor, Page { application })
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

/// How many applications have each name.
fn names(granted: &[ClientAccess]) -> BTreeMap<String, usize> {
    let mut named: BTreeMap<String, usize> = BTreeMap::new();
    for access in granted {
        *named.entry(access.client.name.to_lowercase()).or_default() += 1;
    }
    named
}

fn has_namesake(named: &BTreeMap<String, usize>, name: &str) -> bool {
    named.get(&name.to_lowercase()).is_some_and(|number| *number > 1)
}

impl App {
    /// The applications that may act for a user, by their names, from this one on, and the number of those
    /// before the next page, if there is one. A user may have allowed any number, and a page is made of few.
    pub(super) async fn applications(
        &self,
        visitor: &Visitor,
        from: usize,
    ) -> Result<(Vec<Application>, Option<usize>), provider::Error> {
        let mut granted = self.server.consents(&visitor.user.subject).await?;
        granted.sort_by_cached_key(|access| access.client.name.to_lowercase());
        let named = names(&granted);
        let mut applications = Vec::with_capacity(granted.len().min(AT_ONCE));
        for access in granted.iter().skip(from).take(AT_ONCE) {
            let mut application = self.application(access).await;
            application.has_namesake = has_namesake(&named, &application.name);
            applications.push(application);
        }
        let next = from.saturating_add(AT_ONCE);
        Ok((applications, (next < granted.len()).then_some(next)))
    }

    async fn application(&self, access: &ClientAccess) -> Application {
        let client = &access.client;
        let consents = access.consents.iter().map(|consent| &consent.resources);
        let grants = access.grants.iter().map(|listed| &listed.grant.resources);
        let resources = consents.chain(grants).flat_map(Resources::iter);
        let resources: BTreeSet<_> = resources.map(str::to_owned).collect();
        // The name of one that registered itself may be that of another site.
        let leads_to = |url: &Url| {
            let origin = url.origin().ascii_serialization();
            !client.registered_itself() || client.destinations().contains(&origin.as_str())
        };
        let open = self.server.initiate_login(client);
        // A user who has not seen the change is not led to another site.
        let is_as_allowed = !client.registered_itself() || access.changed_since().is_none();
        let open = open.filter(|login| is_as_allowed && leads_to(login.url()));
        let destinations = client.destinations().into_iter().map(str::to_owned).collect();
        let (registered_for, destinations) = match client.registered_itself() {
            true => (Some(destinations), Vec::new()),
            false => (None, destinations),
        };
        let about = client.about();
        Application {
            logo: self.logo_of(&client.id, &about).await,
            owner: about.owner.as_deref().map(str::to_owned),
            open: open.map(|login| login.url().to_string()),
            id: client.id.to_string(),
            name: client.name.clone(),
            initial: initial(&client.name),
            host: access.client_host(),
            registered_for,
            destinations,
            has_namesake: false,
            known_since: day(client.created),
            changed: access.changed_since().map(day),
            scopes: self.scope_lines(access.scopes().iter()),
            resources: resources.into_iter().collect(),
            first: day(access.first_given()),
            given: day(access.given()),
            used: access.last_issue().map(minute),
            expires: access.expires().map(minute),
            sign_ins: access.grants.len(),
        }
    }
}
