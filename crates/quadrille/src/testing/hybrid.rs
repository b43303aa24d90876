//! The tokens beside a code, of a fake service that is an OpenID Provider.

use bytes::Bytes;
use http::Request;

use crate::{
    Secret,
    form::FormWriter,
    oauth2::{AuthorizationRequest, AuthorizationResponse, TokenResponse},
};

use super::{openid::Signed, scene::Scene, service::OAuth2};

impl OAuth2 {
    /// The form of a response with this code and the tokens that the request wants beside it (OpenID
    /// Connect Core, section 3.3.2.5).
    pub(super) fn hybrid(
        &mut self,
        scene: &Scene,
        request: &AuthorizationRequest<'_>,
        code: &str,
        user: u64,
        iss: Option<String>,
    ) -> Option<String> {
        let asked = request.response_type;
        let access = asked.has_token().then(|| [code, "-beside"].concat());
        if let Some(access) = &access {
            self.access.insert(access.clone(), user);
        }
        let openid = self.openid.as_ref()?;
        let signed = Signed {
            client: &self.id,
            secret: &self.secret,
            user,
            nonce: request.extra("nonce"),
            access_token: access.as_deref().unwrap_or_default(),
            beside: Some((code, request.state.as_deref())),
            auth_time: openid.now(),
            request: &Request::<Bytes>::default(),
            endpoint: "",
        };
        let id_token = if asked.has_id_token() { openid.issue(scene, &signed) } else { None };
        let response = AuthorizationResponse::OpenId {
            code: Some(code.into()),
            token: access.map(|access| Box::new(TokenResponse::new(access))),
            id_token: id_token.map(Secret::from),
            state: request.state.as_deref().map(str::to_owned),
            iss,
            session_state: None,
        };
        let mut form = FormWriter::new();
        for (name, value) in response.fields() {
            form.append(&name, &value);
        }
        Some(form.finish())
    }
}
