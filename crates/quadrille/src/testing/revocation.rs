//! The revocation endpoint of a fake service of OAuth 2.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{consumer::Revocation, form::Params, oauth2::PresentedClient};

use super::{
    scene::{Scene, json_answer, path_of},
    service::OAuth2,
};

impl OAuth2 {
    /// The kind of a request to the revocation endpoint; `None` for other requests.
    pub(super) fn revocation(&self, request: &Request<Bytes>) -> Option<Revocation> {
        let (endpoint, kind) = match self.spec.and_then(|(_, oauth2)| oauth2.revocation) {
            Some(own) => own,
            None if self.openid.is_some() => ("/revoke", Revocation::Standard),
            None => return None,
        };
        let path = path_of(endpoint).replace("{client_id}", &self.id);
        let (start, end) = path.split_once("{subject}").unwrap_or((&path, ""));
        let is_its = request.uri().path().contains(start) && request.uri().path().ends_with(end);
        let method = match kind {
            Revocation::DeleteByClient | Revocation::DeleteBearer => Method::DELETE,
            _ => Method::POST,
        };
        (is_its && request.method() == method).then_some(kind)
    }

    /// Revokes the token of a request to the revocation endpoint.
    pub(super) fn revoke(
        &mut self,
        scene: &Scene,
        kind: Revocation,
        request: &Request<Bytes>,
    ) -> Response<Bytes> {
        let mut answer = json_answer(&json!({}));
        *answer.status_mut() = match self.revoked_user(scene, kind, request) {
            Some(user) => {
                self.access.retain(|_, of| *of != user);
                self.refresh.retain(|_, of| *of != user);
                StatusCode::OK
            }
            None => StatusCode::FORBIDDEN,
        };
        answer
    }

    /// The user whose tokens a request revokes; `None` if the request is invalid.
    fn revoked_user(
        &mut self,
        scene: &Scene,
        kind: Revocation,
        request: &Request<Bytes>,
    ) -> Option<u64> {
        let params = Params::of_body(request).ok();
        let in_form = |name| params.as_ref()?.one(name).ok()?;
        let is_known = match kind {
            Revocation::Standard => {
                let client = PresentedClient::parse(request.headers(), params.as_ref()?).ok()?;
                *client.id == *self.id && self.is_proved(scene, request, &client.proof)
            }
            _ => false,
        };
        let known = |token: &str| self.access.get(token).or_else(|| self.refresh.get(token));
        match kind {
            Revocation::Standard => known(in_form("token")?).copied().filter(|_| is_known),
            Revocation::WithoutSecret => {
                let is_bare = in_form("client_id") == Some(&self.id)
                    && in_form("client_secret").is_none()
                    && !request.headers().contains_key(header::AUTHORIZATION);
                known(in_form("token")?).copied().filter(|_| is_bare)
            }
            Revocation::DeleteByClient => {
                let empty = Params::parse(b"").ok()?;
                let client = PresentedClient::parse(request.headers(), &empty).ok()?;
                let is_known = client.id == self.id && client.proof.secret() == Some(&self.secret);
                let body: Value = serde_json::from_slice(request.body()).ok()?;
                known(body.get("access_token")?.as_str()?).copied().filter(|_| is_known)
            }
            Revocation::PostAccessToken => known(in_form("access_token")?).copied(),
            Revocation::PostBearer | Revocation::DeleteBearer => self.user(scene, request),
        }
    }
}
