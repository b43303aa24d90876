//! The client that waits while a user signs in.

use std::sync::Arc;

use crate::{
    form::Params,
    provider::{
        client::record::Client,
        error::Error,
        oauth1,
        server::{AuthorizationServer, Inner},
    },
};

impl AuthorizationServer {
    /// The client to which a user goes back after a sign-in, for the words "to continue to" on its page.
    /// `back` is the path and query of [`Step::SignIn`](crate::provider::Step::SignIn). `None` for another
    /// address, or a request that is refused.
    ///
    /// ```
    /// # use quadrille::provider::{AuthorizationServer, Error};
    /// async fn lead(server: &AuthorizationServer, back: &str) -> Result<String, Error> {
    ///     let client = server.client_that_waits(back).await?;
    ///     Ok(client.map(|client| format!("to continue to {}", client.name)).unwrap_or_default())
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error`] if the store fails.
    pub async fn client_that_waits(&self, back: &str) -> Result<Option<Arc<Client>>, Error> {
        waiting(self.inner(), back).await
    }
}

async fn waiting(inner: &Inner, back: &str) -> Result<Option<Arc<Client>>, Error> {
    let Some((path, query)) = back.split_once('?') else { return Ok(None) };
    if *path != *inner.paths.authorize {
        return Ok(None);
    }
    let Ok(params) = Params::parse(query.as_bytes()) else { return Ok(None) };
    if inner.oauth1.is_offered() && params.many("oauth_token").next().is_some() {
        return match oauth1::authorize::asked(inner, &params).await {
            Ok(asked) => Ok(Some(asked.client)),
            Err(error @ Error::Operator(_)) => Err(error),
            Err(_) => Ok(None),
        };
    }
    let Ok(Some(id)) = params.one("client_id") else { return Ok(None) };
    let issuer = inner.issuer_id().await?;
    Ok(inner.store.client(issuer, id).await?)
}
