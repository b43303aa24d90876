//! The frame of the provider (OpenID Connect Session Management, section 3.2).

use std::future::ready;

use bytes::Bytes;
use http::{Request, Response};

use crate::provider::{
    openid::session_management::{browser_state, iframe},
    paths::EndpointPath,
    route::Route,
    server::AuthorizationServer,
    wire::Methods,
};

use super::row::{self, Endpoint};

pub(super) static CHECK_SESSION: Endpoint = Endpoint {
    route: Route {
        is_offered: browser_state::is_offered,
        describe: |_, url, metadata| {
            metadata.extra.insert("check_session_iframe".to_owned(), url.into());
        },
        ..Route::new("check session", EndpointPath::Below("/check_session"), Methods::GET_HEAD)
    },
    is_for_any_origin: false,
    handler: |server, _| Box::pin(ready(iframe::page(server.inner()))),
    refuse: row::refuse,
};

impl AuthorizationServer {
    /// The frame of the provider (`check_session_iframe`, OpenID Connect Session Management, section 3.3):
    /// a page without content for frames of clients. A page posts the text
    /// `client_id session_state` to it and gets `unchanged`, `changed` or `error`.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, OpenId, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .openid(OpenId::new().session_management());
    /// let request = http::Request::get("/oauth/check_session").body(bytes::Bytes::new())?;
    /// let page = server.check_session(request).await;
    /// assert_eq!(page.headers()["content-type"], "text/html; charset=utf-8");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn check_session(&self, request: Request<Bytes>) -> Response<Bytes> {
        CHECK_SESSION.answer(self, request).await
    }
}
