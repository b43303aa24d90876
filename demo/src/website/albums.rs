//! The album, twice: the same photos at the same provider, over either protocol.

use bytes::Bytes;
use http::{Method, Request, header};
use quadrille::{
    Linked, Secret, Service, Spec, oauth1::SignatureMethod, oauth2::RevocationRequest,
};

use super::Site;
use crate::{pages::Ways, value::Protocol};

/// The album, as a service of one of the protocols.
pub(super) trait Album: Service {
    /// The protocol.
    const PROTOCOL: Protocol;
    /// The paths on the website.
    const WAYS: Ways;

    /// Revokes the token, and tries it once more.
    fn give_back(
        album: &Linked<Self>,
        site: &Site,
    ) -> impl Future<Output = quadrille::Result<()>> + Send
    where
        Self: Sized;
}

/// The album over OAuth 2. Its URLs are set when the demo has started.
#[derive(Debug)]
pub(super) struct ByOAuth2;

impl Service for ByOAuth2 {
    const SPEC: Spec = Spec::oauth2("album", "", "", "")
        .title("Album")
        .scopes("photos:read")
        .rotates_refresh_tokens()
        .build();
}

impl Album for ByOAuth2 {
    const PROTOCOL: Protocol = Protocol::OAuth2;
    const WAYS: Ways = Ways {
        name: Self::PROTOCOL.name(),
        prints: "/prints",
        later: "/later",
        disconnect: "/disconnect",
        dance: "/dance/oauth2",
    };

    /// Token revocation (RFC 7009).
    async fn give_back(album: &Linked<Self>, site: &Site) -> quadrille::Result<()> {
        let token = album.access_token().await?;
        site.revoke(&token).await;
        site.try_once_more(&token).await;
        Ok(())
    }
}

/// The album over OAuth 1.0a.
#[derive(Debug)]
pub(super) struct ByOAuth1;

impl Service for ByOAuth1 {
    const SPEC: Spec = Spec::oauth1("album-oauth1", "", "", "", "")
        .title("Album")
        .scopes("photos:read")
        .signature_method(SignatureMethod::HmacSha256)
        .build();
}

impl Album for ByOAuth1 {
    const PROTOCOL: Protocol = Protocol::OAuth1;
    const WAYS: Ways = Ways {
        name: Self::PROTOCOL.name(),
        prints: "/oauth1/prints",
        later: "/oauth1/later",
        disconnect: "/oauth1/disconnect",
        dance: "/dance/oauth1",
    };

    /// At the same endpoint, with a signed request like every other call: the request revokes the
    /// token that it is signed with.
    async fn give_back(album: &Linked<Self>, site: &Site) -> quadrille::Result<()> {
        let revoke = format!("{}/oauth/revoke", site.provider);
        album.request(Method::POST, &revoke).send().await?;
        // The refusal is the point of this call.
        if album.request(Method::GET, PHOTOS).send().await.is_ok() {
            tracing::error!("the revoked token still opens the album");
        }
        Ok(())
    }
}

/// The API request of the website.
pub(super) const PHOTOS: &str = "photos?limit=6";

impl Site {
    async fn revoke(&self, token: &Secret) {
        let revocation = RevocationRequest { token: token.expose(), token_type_hint: None };
        match revocation.to_request(&format!("{}/oauth/revoke", self.provider), &self.client) {
            Ok(request) => self.http.send(request).await,
            Err(error) => tracing::error!(%error, "the token was not revoked"),
        }
    }

    async fn try_once_more(&self, token: &Secret) {
        let request = Request::builder()
            .method(Method::GET)
            .uri(format!("{}/api/{PHOTOS}", self.provider))
            .header(header::AUTHORIZATION, format!("Bearer {}", token.expose()))
            .body(Bytes::new());
        if let Ok(request) = request {
            self.http.send(request).await;
        }
    }
}
