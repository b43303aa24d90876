//! All that the provider knows about a user, as a file for the user. It has no hash and no token.

use axum::{
    body::Body,
    extract::{OriginalUri, State},
    http::{HeaderMap, HeaderValue, Response, header},
};
use quadrille::{
    Secret,
    oauth2::Resources,
    provider::{ClientAccess, store::LiveGrant},
};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{sessions::Session, users::User, words::when};

use super::super::{
    account_form::{AccountForm, Sealed},
    app::App,
    audit,
};

const PAGE: &str = "export.html";

/// The form that gets the file.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct Export {
    #[serde(default)]
    form: String,
    /// The password, from the page that asks for it.
    password: Option<Secret>,
}

impl Sealed for Export {
    fn seal(&self) -> &str {
        &self.form
    }
}

/// `GET /account/export`
pub(in crate::web) async fn page(
    State(app): State<App>,
    OriginalUri(uri): OriginalUri,
    headers: HeaderMap,
) -> Response<Body> {
    app.proof_page(PAGE, &headers, &uri).await
}

/// `POST /account/export`
pub(in crate::web) async fn export(
    State(app): State<App>,
    asked: AccountForm<Export>,
) -> Response<Body> {
    // A session alone, in a browser left open or by a stolen cookie, does not suffice for long.
    if !app.is_recent(&asked.visitor) {
        let Some(password) = &asked.form.password else {
            return app.see_other(&app.pages.site().export);
        };
        match app.prove(PAGE, &asked, password).await {
            Ok(attempt) => app.passwords.withdraw(&attempt).await,
            Err(answer) => return *answer,
        }
    }
    let AccountForm { visitor, address, .. } = asked;
    let user = &visitor.user;
    let (applications, tokens) = match tokio::try_join!(
        app.server.consents(&user.subject),
        app.server.personal_tokens(&user.subject)
    ) {
        Ok(found) => found,
        Err(error) => return app.server_failed(&error, "consents cannot be listed"),
    };
    let sessions = match app.sessions(&visitor).await {
        Ok(sessions) => sessions,
        Err(error) => return app.store_failed(&error),
    };
    let known = json!({
        "issuer": app.issuer.as_str(),
        "exported": when(app.env.now()),
        "user": of_user(user),
        "applications": applications.iter().map(of_application).collect::<Vec<_>>(),
        "personal_access_tokens": tokens.iter().map(of_token).collect::<Vec<_>>(),
        "sessions": sessions.iter().map(of_session).collect::<Vec<_>>(),
    });
    audit::exported(user, address);
    file(&known)
}

fn file(known: &Value) -> Response<Body> {
    let mut answer = Response::new(Body::from(format!("{known:#}\n")));
    for (name, value) in [
        (header::CONTENT_TYPE, "application/json"),
        (header::CONTENT_DISPOSITION, "attachment; filename=\"account.json\""),
        (header::CACHE_CONTROL, "no-store"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

fn of_user(user: &User) -> Value {
    json!({
        "username": user.name.as_str(),
        "subject": user.subject,
        "created": when(user.created),
        "claims": user.claims,
    })
}

fn of_application(access: &ClientAccess) -> Value {
    let consents = access.consents.iter().map(|consent| {
        json!({
            "scope": consent.scopes.to_string(),
            "audience": audience(&consent.resources),
            "given": when(consent.given),
            "data": consent.data,
        })
    });
    let sign_ins = access.grants.iter().map(|listed| {
        json!({
            "scope": listed.grant.scopes.to_string(),
            "audience": audience(&listed.grant.resources),
            "began": when(listed.grant.id.time()),
            "refreshed": listed.refreshed.map(when),
            "expires": when(listed.expires),
            "data": listed.grant.data(),
        })
    });
    json!({
        "client_id": access.client.id,
        "name": access.client.name,
        "destinations": access.client.destinations(),
        "consents": consents.collect::<Vec<_>>(),
        "sign_ins": sign_ins.collect::<Vec<_>>(),
    })
}

fn of_token(listed: &LiveGrant) -> Value {
    let grant = &listed.grant;
    json!({
        "name": grant.details.as_ref().and_then(|details| details.name.as_deref()),
        "scope": grant.scopes.to_string(),
        "audience": audience(&grant.resources),
        "issued": when(grant.id.time()),
        "expires": when(listed.expires),
    })
}

fn of_session(session: &Session) -> Value {
    json!({
        "session": session.name,
        "browser": session.browser,
        "address": session.address,
        "signed_in": when(session.signed_in),
        "used": when(session.used),
        "expires": when(session.expires),
        "applications": session.clients,
    })
}

fn audience(resources: &Resources) -> Vec<&str> {
    resources.iter().collect()
}
