//! The consent page.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{HeaderMap, Response, StatusCode},
    response::IntoResponse as _,
};
use quadrille::{
    RemoteAddress,
    page::accepted_languages,
    provider::{Authorization, Back, ConsentPage, Decision, ScopeInfo, Step},
};
use serde::{Deserialize, Serialize};

use super::{
    super::{app::App, audit, claim_lines::ClaimLine, visitor::Visitor},
    brief::{initial, minute},
    choice::{Wish, typed_name},
    client_view::ClientView,
    scope_line::ScopeLine,
    templates::{FormsLead, Link, Message},
};

/// The scopes by which a client learns who the user is (OpenID Connect Core, sections 3.1.2.1 and 5.4).
const IDENTITY: [&str; 5] = ["openid", "profile", "email", "address", "phone"];

/// The fields of the consent page beside its ticket.
#[derive(Debug, Deserialize)]
pub(in crate::web) struct ConsentForm {
    /// The ticked boxes.
    #[serde(default)]
    scope: Vec<String>,
    /// The ticked boxes of claims.
    #[serde(default)]
    claim: Vec<String>,
    /// The button.
    decision: Choice,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Allow,
    Deny,
}

#[derive(Serialize)]
struct Page<'a> {
    client: ClientView,
    user: &'a str,
    user_initial: String,
    /// `true` if all scopes are about the user's identity, and give access to nothing else.
    signs_in_only: bool,
    /// The scopes that are asked for.
    scopes: Vec<Asked<'a>>,
    /// The scopes that the user has granted before, which stay granted.
    granted: Vec<ScopeLine>,
    /// `true` if the user has allowed this application something before.
    is_known: bool,
    /// The claims that are requested by name.
    claims: Vec<ClaimLine>,
    resources: Vec<&'a str>,
    action: &'a str,
    fields: Vec<Field<'a>>,
    /// `None` if the answer is a code that the user types in at the application, or if a device
    /// waits.
    destination: Option<&'a str>,
    device: Option<DeviceView<'a>>,
    switch: String,
}

/// The device that waits for the answer.
#[derive(Serialize)]
struct DeviceView<'a> {
    user_code: &'a str,
    address: Option<String>,
    requested: String,
}

/// A scope that is asked for, with a box.
#[derive(Serialize)]
struct Asked<'a> {
    name: &'a str,
    description: String,
    details: Option<String>,
    ticked: bool,
    /// What the client learns of the user by it.
    learns: Vec<ClaimLine>,
}

#[derive(Serialize)]
struct Field<'a> {
    name: &'a str,
    value: &'a str,
}

/// `GET` and `POST /oauth/authorize`
pub(in crate::web) async fn ask(
    State(app): State<App>,
    headers: HeaderMap,
    request: Authorization,
) -> Response<Body> {
    let visitor = match app.visitor(&headers).await {
        Ok(visitor) => visitor,
        Err(error) => return app.store_failed(&error),
    };
    let wished = || app.pages.texts().wished_by(&request.hints().ui_locales);
    // Of such a client nothing counts that it has not signed (RFC 9101, section 6.3).
    let languages = match request.client().openid.require_signed_request_object {
        true => app.pages.texts().accepted(accepted_languages(&headers)).sync_scope(wished),
        false => wished(),
    };
    languages.scope(answer_to(&app, request, visitor)).await
}

/// The answer, in the language that the application wishes for.
async fn answer_to(app: &App, request: Authorization, visitor: Option<Visitor>) -> Response<Body> {
    let hint = request.hints().login_hint.clone();
    let user = visitor.as_ref().map(|user| app.authentication(user, request.acr_values()));
    match request.step(user).await {
        Step::SignIn(back) => app.see_other(&app.sign_in_url(&Wish {
            next: back.path_and_query(),
            hint: hint.as_deref().and_then(typed_name),
            is_choice: back.is_choice(),
        })),
        Step::Consent(page) => {
            let Some(visitor) = visitor else { return app.failed() };
            app.consent_page(&page, &visitor).await
        }
        Step::Done(reply) => {
            let answer = reply.into_response();
            if let Some(visitor) = visitor {
                app.join(&visitor, answer.extensions()).await;
            }
            answer
        }
    }
}

/// `POST /oauth/consent`
pub(in crate::web) async fn answer(
    State(app): State<App>,
    Extension(address): Extension<RemoteAddress>,
    headers: HeaderMap,
    decision: Decision<ConsentForm>,
) -> Response<Body> {
    if let Err(refusal) = app.forms.same_origin(&headers) {
        tracing::info!(%refusal, "a consent form was refused");
        return app.foreign_form();
    }
    let visitor = match app.visitor(&headers).await {
        Ok(Some(visitor)) => visitor,
        Ok(None) => return app.signed_out_meanwhile(decision.again().as_ref()),
        Err(error) => return app.store_failed(&error),
    };
    let user = app.authentication(&visitor, decision.acr_values());
    let by = decision.by(user).claims(&decision.form.claim);
    let (allowed, reply) = match decision.form.decision {
        Choice::Allow => (Some(decision.form.scope.join(" ")), by.only(&decision.form.scope).await),
        Choice::Deny => (None, by.deny().await),
    };
    let answer = reply.into_response();
    app.join(&visitor, answer.extensions()).await;
    // A failed decision is a page that says so.
    if answer.status().is_redirection() || answer.status().is_success() {
        let (client, asked) = (decision.client(), decision.scopes().as_str());
        audit::answered(&visitor.user, address, client, asked, allowed.as_deref());
    }
    answer
}

impl App {
    pub(super) async fn consent_page(
        &self,
        page: &ConsentPage,
        visitor: &Visitor,
    ) -> Response<Body> {
        let client = match self.client_view(page, visitor).await {
            Ok(client) => client,
            Err(error) => return self.server_failed(&error, "consents cannot be listed"),
        };
        let user = visitor.user.name.as_str();
        let fields = page.form_fields().into_iter().map(|(name, value)| Field { name, value });
        let is_granted = |scope: &&ScopeInfo| page.granted.contains(&scope.name);
        // A device has nothing yet: the user decides again on each scope.
        let (granted, asked): (Vec<_>, Vec<_>) = match page.device {
            Some(_) => (Vec::new(), page.scopes.iter().collect()),
            None => page.scopes.iter().partition(is_granted),
        };
        let asked = asked.into_iter().map(|scope| Asked {
            name: &scope.name,
            description: self.scope_in_words(&scope.name, &scope.description),
            details: self.pages.texts().details_of_scope(&scope.name),
            // The user may have unticked the others.
            ticked: !page.has_consented || is_granted(&scope),
            learns: self.claims_of_scope(&visitor.user, &scope.name),
        });
        let granted = granted.into_iter().map(|scope| ScopeLine {
            name: scope.name.to_string(),
            description: self.scope_in_words(&scope.name, &scope.description),
            details: self.pages.texts().details_of_scope(&scope.name),
        });
        let claims = page.claims.iter().filter_map(|name| self.claim_line(&visitor.user, name));
        let view = Page {
            client,
            user,
            user_initial: initial(user),
            signs_in_only: page.scopes.iter().all(|scope| IDENTITY.contains(&&*scope.name)),
            scopes: asked.collect(),
            granted: granted.collect(),
            is_known: page.has_consented,
            claims: claims.collect(),
            resources: page.resources.iter().collect(),
            action: &page.action,
            fields: fields.collect(),
            destination: page.destination.as_deref(),
            device: page.device.as_ref().map(|device| DeviceView {
                user_code: &device.user_code,
                address: device.address.map(|address| address.to_string()),
                requested: minute(device.requested),
            }),
            switch: self.pages.sign_in_for(page.back.path_and_query()),
        };
        self.pages.render(StatusCode::OK, "consent.html", &view, FormsLead::On)
    }

    fn signed_out_meanwhile(&self, again: Option<&Back>) -> Response<Body> {
        let sign_in = again.map(|back| self.pages.sign_in_for(back.path_and_query()));
        self.pages.message(
            StatusCode::FORBIDDEN,
            &Message {
                title: "signed-out-title",
                key: "signed-out-meanwhile",
                client: None,
                code: None,
                link: sign_in.as_ref().map(|href| Link::to(href, "sign-in")),
                alert: true,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{issuer::Issuer, web::Pages};

    fn html(host: Option<&str>) -> String {
        let issuer = Issuer::parse("https://id.example").unwrap();
        let view = Page {
            client: ClientView {
                name: "Your <bank>".to_owned(),
                initial: "Y".to_owned(),
                host: host.map(str::to_owned),
                registered_itself: false,
                learns_user_name: true,
                logo: None,
                owner: None,
                page: None,
                policy: None,
                terms: None,
                contacts: Vec::new(),
                known_since: String::new(),
                last_consent: None,
                lasts: None,
                lookalike: None,
            },
            user: "ada",
            user_initial: "A".to_owned(),
            signs_in_only: true,
            scopes: Vec::new(),
            granted: Vec::new(),
            is_known: false,
            claims: Vec::new(),
            resources: Vec::new(),
            action: "/oauth/consent",
            fields: Vec::new(),
            destination: None,
            device: None,
            switch: String::new(),
        };
        let pages = Pages::load("Id", &issuer, None).unwrap();
        let answer = pages.render_bytes(StatusCode::OK, "consent.html", &view, FormsLead::On);
        String::from_utf8(answer.into_body().to_vec()).unwrap()
    }

    #[test]
    fn a_client_that_nobody_added_is_shown_with_the_host_that_vouches_for_it() {
        let shown = html(Some("evil.example:8443"));
        assert!(shown.contains(r#"<strong class="origin">evil.example:8443</strong>"#), "{shown}");
        assert!(shown.contains("Nobody here knows") && !shown.contains("<bank>"));
        assert!(!html(None).contains("Nobody here knows"));
    }
}
