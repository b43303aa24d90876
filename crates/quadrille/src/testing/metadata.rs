//! The metadata of a fake service that is an OpenID Provider.

use bytes::Bytes;
use http::Request;
use serde_json::{Map, Value, json};

use crate::{
    consumer::{OAuth2, Protocol, Revocation, Spec},
    oauth2::AuthMethod,
};

use super::{
    client_secret::methods,
    openid::{OpenId, TENANT, tenant_of},
    openid_fault::OpenIdFault,
    scene::{Scene, path_of},
};

impl OpenId {
    /// The metadata (OpenID Connect Discovery, section 3): those of an emulated service have what the
    /// fake one does in its place.
    pub(super) fn metadata(&self, scene: &Scene, request: &Request<Bytes>) -> Value {
        let issuer = scene.placed(self.issuer());
        let issuer = match (self.tenants, tenant_of(request)) {
            (Some((placeholder, _)), Some(tenant)) => issuer.replace(placeholder, tenant),
            _ => issuer,
        };
        let methods = methods(scene).into_iter().map(AuthMethod::as_str).collect::<Vec<_>>();
        let mut metadata = match scene.spec {
            Some(spec) if !spec.authorize.is_empty() => match &spec.protocol {
                Protocol::OAuth2(oauth2) => of_service(scene, &spec, oauth2),
                Protocol::OAuth1(_) => json!({}),
            },
            _ => self.of_standard(scene, &issuer),
        };
        let common = json!({
            "issuer": match self.has(OpenIdFault::MetadataOfAnother) {
                true => "https://evil.example",
                false => &issuer,
            },
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": [self.algorithm],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": methods,
        });
        let common = common.as_object().cloned().unwrap_or_default();
        metadata.as_object_mut().unwrap_or(&mut Map::new()).extend(common);
        metadata
    }

    /// The endpoints of a service that follows the specifications: below its issuer.
    fn of_standard(&self, scene: &Scene, issuer: &str) -> Value {
        let below = issuer.trim_end_matches('/');
        let own = |path: &str| [below, path].concat();
        let origin = issuer.strip_suffix(path_of(issuer)).unwrap_or(issuer);
        let mut metadata = json!({
            "authorization_endpoint": own("/authorize"),
            "token_endpoint": own("/token"),
            "userinfo_endpoint": own("/userinfo"),
            "revocation_endpoint": own("/revoke"),
            "end_session_endpoint": own("/logout"),
            "check_session_iframe": own("/session"),
            "jwks_uri": format!("{origin}{}", self.keys_path),
            "authorization_response_iss_parameter_supported": true,
            "token_endpoint_auth_signing_alg_values_supported": ["ES256", "RS256", "HS256"],
            "request_parameter_supported": true,
            "request_object_signing_alg_values_supported": ["ES256"],
            "request_object_encryption_alg_values_supported": ["ECDH-ES+A256KW"],
            "request_object_encryption_enc_values_supported": ["A256GCM"],
        });
        if let Some(members) = metadata.as_object_mut().filter(|_| scene.spec.is_none()) {
            members.insert("device_authorization_endpoint".to_owned(), own("/device").into());
        }
        metadata
    }

    /// The issuer for a client that is told one: that of the tenant of all users, at a service with
    /// tenants.
    pub(super) fn issuer_to_tell(&self, scene: &Scene) -> String {
        let issuer = scene.placed(self.issuer());
        match self.tenants {
            Some((placeholder, _)) => issuer.replace(placeholder, TENANT),
            None => issuer,
        }
    }
}

/// The endpoints of an emulated service.
fn of_service(scene: &Scene, spec: &Spec, oauth2: &OAuth2) -> Value {
    let mut metadata = json!({
        "authorization_endpoint": scene.placed(spec.authorize),
        "token_endpoint": scene.placed(spec.token),
        "authorization_response_iss_parameter_supported": oauth2.issuer.is_some(),
    });
    let userinfo = spec.identity.filter(|(_, member)| *member == "sub").map(|(path, _)| match path
        .contains("://")
    {
        true => scene.placed(path),
        false => format!("{}/{path}", scene.placed(spec.api).trim_end_matches('/')),
    });
    let revocation = oauth2
        .revocation
        .filter(|(_, kind)| matches!(kind, Revocation::Standard | Revocation::WithoutSecret));
    let further = [
        ("jwks_uri", oauth2.openid.keys.map(|keys| scene.placed(keys))),
        ("userinfo_endpoint", userinfo),
        ("revocation_endpoint", revocation.map(|(endpoint, _)| scene.placed(endpoint))),
        (
            "device_authorization_endpoint",
            oauth2.device_authorization.map(|endpoint| scene.placed(endpoint)),
        ),
        ("end_session_endpoint", oauth2.openid.end_session.map(|end| scene.placed(end))),
    ];
    if let Some(members) = metadata.as_object_mut() {
        let further = further.into_iter();
        members.extend(further.filter_map(|(name, url)| Some((name.to_owned(), url?.into()))));
    }
    metadata
}
