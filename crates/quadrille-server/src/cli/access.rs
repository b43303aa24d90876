//! `quadrille user access`, `withdraw` and `sign-out`: the access that a user has granted, and the
//! browsers that the user is signed in with.

use quadrille::provider::{AuthorizationServer, ClientAccess};
use serde::Serialize;
use serde_json::json;

use crate::{
    Failure,
    audit::{Event, record},
    data::Data,
    output::Output,
    refused::Refused,
    sessions::{Session, SomeSessions},
    users::User,
    words::counted,
};

use super::{
    named::user as found,
    personal::ShownToken,
    table::{self, when},
};

/// The access of a client, as the command shows it.
#[derive(Serialize)]
struct ShownClient {
    client_id: String,
    name: String,
    /// `true` if the client registered itself, and so chose its name.
    registered_itself: bool,
    /// The host of a client that describes itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    destinations: Vec<String>,
    /// The time at which the client changed its name or a redirect URI, if that was after the user's
    /// consent.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
    scope: String,
    given: String,
    /// The time of the last token; absent if no token is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_token: Option<String>,
    /// The number of sign-ins whose tokens are valid.
    grants: usize,
}

impl From<ClientAccess> for ShownClient {
    fn from(access: ClientAccess) -> Self {
        Self {
            client_id: access.client.id.to_string(),
            name: access.client.name.clone(),
            registered_itself: access.client.registered_itself(),
            host: access.client_host(),
            destinations: access.client.destinations().into_iter().map(str::to_owned).collect(),
            changed: access.changed_since().map(when),
            scope: access.scopes().to_string(),
            given: when(access.given()),
            last_token: access.last_issue().map(when),
            grants: access.grants.len(),
        }
    }
}

impl ShownClient {
    /// The remark of the table about a client that chose its name.
    fn remark(&self) -> String {
        let mut remarks = Vec::new();
        if let Some(host) = &self.host {
            remarks.push(format!("described by {host}"));
        }
        if self.registered_itself {
            remarks.push(format!("registered itself, for {}", self.destinations.join(", ")));
        }
        if let Some(changed) = &self.changed {
            remarks.push(format!("changed its name or address on {changed}"));
        }
        remarks.join("; ")
    }
}

/// A browser that the user is signed in with.
#[derive(Serialize)]
struct ShownSession {
    session: String,
    browser: String,
    address: String,
    signed_in: String,
    used: String,
}

impl From<Session> for ShownSession {
    fn from(session: Session) -> Self {
        Self {
            session: session.name.to_string(),
            signed_in: when(session.signed_in),
            used: when(session.used),
            browser: session.browser,
            address: session.address,
        }
    }
}

const CLIENTS: [&str; 5] = ["CLIENT ID", "NAME", "SCOPES", "SINCE", "REMARKS"];
const SESSIONS: [&str; 4] = ["SESSION", "BROWSER", "ADDRESS", "LAST USED"];

/// Lists clients, personal access tokens and sessions.
pub(super) async fn list(
    data: &Data,
    server: &AuthorizationServer,
    name: &str,
    output: Output,
) -> Result<(), Failure> {
    let user = found(data, name).await?;
    let clients = server.consents(&user.subject).await?;
    let clients: Vec<_> = clients.into_iter().map(ShownClient::from).collect();
    let tokens = ShownToken::all(server, &user).await?;
    let sessions = sessions(data, &user).await?;
    let sessions: Vec<_> = sessions.into_iter().map(ShownSession::from).collect();
    let shown = json!({ "clients": &clients, "tokens": &tokens, "sessions": &sessions });
    output.result(&shown, || {
        let remarks: Vec<_> = clients.iter().map(ShownClient::remark).collect();
        let clients = clients
            .iter()
            .zip(&remarks)
            .map(|(it, remark)| [&*it.client_id, &it.name, &it.scope, &it.given, remark]);
        let sessions = sessions.iter().map(|it| [&*it.session, &it.browser, &it.address, &it.used]);
        let none = |lines: String| if lines.is_empty() { "none".to_owned() } else { lines };
        format!(
            "Clients with access:\n{}\n\nPersonal access tokens:\n{}\n\nSigned in with:\n{}",
            none(table::list(CLIENTS, clients)),
            none(ShownToken::table(&tokens)),
            none(table::list(SESSIONS, sessions))
        )
    })
}

/// What ends when this user is removed, in words.
pub(super) async fn ends_with(
    data: &Data,
    server: &AuthorizationServer,
    name: &str,
) -> Result<String, Failure> {
    let user = found(data, name).await?;
    let clients = server.consents(&user.subject).await?.len();
    let tokens = server.personal_tokens(&user.subject).await?.len();
    let sessions = sessions(data, &user).await?.len();
    Ok(format!(
        "{} is removed for good. With the user end {}, the access of {} and {}.",
        user.name,
        counted(sessions, "session", "sessions"),
        counted(clients, "client", "clients"),
        counted(tokens, "personal access token", "personal access tokens"),
    ))
}

/// The sessions of a user that are valid.
async fn sessions(data: &Data, user: &User) -> Result<Vec<Session>, Failure> {
    let sessions = data.backend().sessions_of(&user.subject).await;
    let (mut sessions, now) = (sessions.map_err(|error| data.failure(error))?, data.env().now());
    sessions.retain(|session| session.is_good_for(user, now));
    Ok(sessions)
}

/// Withdraws the access of one client.
pub(super) async fn withdraw(
    data: &Data,
    server: &AuthorizationServer,
    name: &str,
    client: &str,
    output: Output,
) -> Result<(), Failure> {
    let user = found(data, name).await?;
    let granted = server.consents(&user.subject).await?;
    if !granted.iter().any(|access| *access.client.id == *client) {
        let named = granted.iter().find(|access| access.client.name.as_str() == client);
        return Err(match named {
            Some(access) => Refused::NameOfClient { id: access.client.id.to_string() }.into(),
            None => Failure::NotFound { what: "client with access", name: client.to_owned() },
        });
    }
    server.revoke_consent(&user.subject, client).await?;
    let event = Event::by_operator("consent_withdrawn", "a consent was withdrawn").about(&user);
    record(&Event { client: Some(client), ..event });
    output.result(&json!({ "withdrawn": client }), || {
        format!("{client} can no longer act for {}.", user.name)
    })
}

/// Ends all sessions.
pub(super) async fn sign_out(data: &Data, name: &str, output: Output) -> Result<(), Failure> {
    let user = found(data, name).await?;
    let ended = data.backend().end_sessions_of(user.subject.clone(), SomeSessions::All).await;
    ended.map_err(|error| data.failure(error))?;
    record(&Event::by_operator("sign_out_everywhere", "signed out").about(&user));
    output.result(&json!({ "signed_out": user.name.as_str() }), || {
        format!("{} is signed out everywhere.", user.name)
    })
}

/// Ends one session.
pub(super) async fn end_session(
    data: &Data,
    name: &str,
    session: &str,
    output: Output,
) -> Result<(), Failure> {
    let user = found(data, name).await?;
    let mut sessions = sessions(data, &user).await?.into_iter();
    let not_found = || Failure::NotFound { what: "session", name: session.to_owned() };
    let found = sessions.find(|known| *known.name == *session).ok_or_else(not_found)?;
    let one = SomeSessions::One(found.name.clone());
    let ended = data.backend().end_sessions_of(user.subject.clone(), one);
    if !ended.await.map_err(|error| data.failure(error))? {
        return Err(not_found());
    }
    let event = Event::by_operator("session_ended", "a session was ended").about(&user);
    record(&Event { session: Some(session), ..event });
    let shown = json!({ "signed_out": user.name.as_str(), "session": session });
    output.result(&shown, || format!("{} is signed out of {}.", user.name, found.browser))
}
