//! The route of the login box for many organizations.

use axum::{Router, response::Response};

use crate::{
    Login, Owner, Result,
    consumer::{Trail, error::BrowserError},
    form::{FormWriter, Params},
};

use super::{
    frame::{Asked, Routes},
    leave::LIMITS,
    pages::hop,
};

impl Login {
    /// The route of the login box of [`Login::with_organizations`], beside those of
    /// [`Login::attach`](crate::Login::attach): `app.merge(login.organization_routes())`.
    ///
    /// `POST /login/{service}/organization` takes a form of this site with the e-mail address or URL that
    /// the user typed (`identifier`) and the path to return to (`next`), finds the organization
    /// ([`Login::find_organization`]), and goes on to its login. An e-mail address goes along as
    /// `login_hint`.
    ///
    /// ```
    /// use axum::Router;
    /// use quadrille::{KeyRing, Login, consumer::{MemoryStorage, Organizations}};
    ///
    /// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
    ///     .storage(MemoryStorage::new())
    ///     .with_organizations(Organizations::new("work").allow_issuer("https://id.acme.example"));
    /// let app: Router = login.attach(Router::new()).merge(login.organization_routes());
    /// # login.check()?;
    /// # Ok::<(), quadrille::Error>(())
    /// ```
    pub fn organization_routes<St: Clone + Send + Sync + 'static>(&self) -> Router<St> {
        Routes::of(self).post("/organization", find).finish()
    }
}

/// `POST {mount}/{service}/organization`.
async fn find(mut asked: Asked) -> Response {
    let language = asked.language();
    match found(&mut asked).await {
        Ok(path) => hop(language, &path),
        Err(error) => asked.failed(error, Trail::default()).await,
    }
}

/// The path of the organization's login.
async fn found(asked: &mut Asked) -> Result<String> {
    asked.visit.check_place()?;
    let form = asked.form().await.ok_or(BrowserError::LoginMalformed)?;
    let login = &asked.visit.login;
    // It sends requests to hosts that the form names.
    if login.must_ask(&asked.parts.headers, &Owner::NOBODY, true) {
        return Err(BrowserError::NotThisOrigin.into());
    }
    let params = Params::parse_within(form.as_bytes(), LIMITS);
    let params = params.map_err(|_| BrowserError::LoginMalformed)?;
    let one = |name| params.one(name).map_err(|_| BrowserError::LoginMalformed);
    let typed = one("identifier")?.ok_or(BrowserError::IdentifierMalformed)?;
    let next = one("next")?.unwrap_or_default();
    let organization = login.find_organization(&asked.service, typed).await?;
    let path = login.login_path(&organization.service, next, "");
    let typed = typed.trim();
    let is_address = typed.contains('@') && !typed.contains(['/', ':']);
    let mut path = FormWriter::after_url(&path);
    path.append_some("login_hint", is_address.then_some(typed));
    Ok(path.finish())
}
