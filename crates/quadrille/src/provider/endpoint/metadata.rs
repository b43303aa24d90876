//! What clients can learn of this server (RFC 8414).

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};

use crate::{
    oauth2::{AuthMethod, metadata::ServerMetadata, pkce::Challenge},
    provider::{
        client::record::GrantType,
        refusal,
        server::{AuthorizationServer, Inner},
        wire,
    },
};

impl AuthorizationServer {
    /// The metadata document: exactly what is enabled. It is served at both well-known addresses.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, store::MemoryStore}};
    /// # let server = AuthorizationServer::new("https://id.example", MemoryStore::new(Env::system()))?;
    /// let request = http::Request::get("/.well-known/oauth-authorization-server");
    /// let response = server.metadata(&request.body(bytes::Bytes::new())?);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn metadata(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if let Some(answer) = wire::preflight(request, "GET") {
            return answer;
        }
        wire::for_any_origin(self.described(request))
    }

    fn described(&self, request: &Request<Bytes>) -> Response<Bytes> {
        if let Err(error) = wire::admit(request, &[Method::GET, Method::HEAD], "GET, HEAD") {
            let error = error.into();
            refusal::log("metadata", &error, request);
            return wire::error(&error);
        }
        let inner = self.inner();
        let document = inner.metadata.get_or_init(|| {
            // Nothing in it can fail to be written as JSON.
            serde_json::to_vec(&describe(inner)).unwrap_or_default().into()
        });
        let mut response = Response::new(document.clone());
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
        response
    }
}

fn describe(inner: &Inner) -> ServerMetadata {
    let url = |path: &str| Some(format!("{}{path}", inner.issuer.origin()));
    let has_code = inner.grant_types.contains(&GrantType::AuthorizationCode);
    let confidential = [AuthMethod::ClientSecretBasic, AuthMethod::ClientSecretPost];
    let methods = |and_public: bool| {
        let public = and_public.then_some(AuthMethod::None);
        let methods = confidential.into_iter().chain(public);
        Some(methods.map(|method| method.as_str().to_owned()).collect())
    };
    let name = |grant: &GrantType| grant.as_str().to_owned();
    let scopes: Vec<String> = inner.scopes.names().map(ToOwned::to_owned).collect();
    let one = |text: &str| vec![text.to_owned()];
    ServerMetadata {
        issuer: inner.issuer.as_str().to_owned(),
        authorization_endpoint: url(&inner.paths.authorize).filter(|_| has_code),
        token_endpoint: url(&inner.paths.token),
        revocation_endpoint: url(&inner.paths.revoke),
        introspection_endpoint: url(&inner.paths.introspect),
        scopes_supported: (!scopes.is_empty()).then_some(scopes),
        response_types_supported: if has_code { one("code") } else { Vec::new() },
        response_modes_supported: has_code.then(|| one("query")),
        grant_types_supported: Some(inner.grant_types.iter().map(name).collect()),
        token_endpoint_auth_methods_supported: methods(has_code),
        revocation_endpoint_auth_methods_supported: methods(has_code),
        introspection_endpoint_auth_methods_supported: methods(false),
        code_challenge_methods_supported: has_code.then(|| one(Challenge::METHOD)),
        authorization_response_iss_parameter_supported: has_code,
        client_id_metadata_document_supported: has_code && inner.documents.is_some(),
        ..ServerMetadata::default()
    }
}
