//! The metadata of this server (RFC 8414).

use bytes::Bytes;
use http::{HeaderValue, Response, header};

use crate::{
    oauth2::{metadata::ServerMetadata, pkce::Challenge},
    provider::{
        authorize::mode::response_modes, client::grant_type::GrantType, error::OperatorError,
        openid::discovery, route::Route, server::Inner,
    },
};

/// The metadata document of a server whose endpoints have these routes.
pub(super) fn answer(
    inner: &Inner,
    routes: impl Iterator<Item = &'static Route>,
) -> Result<Response<Bytes>, OperatorError> {
    let document = inner.metadata.after(inner.signing.changes(), || {
        let document = serde_json::to_vec(&describe(inner, routes));
        document.map(Bytes::from).map_err(|_| OperatorError::Metadata)
    })?;
    let mut response = Response::new(document);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=300"));
    Ok(response)
}

fn describe(inner: &Inner, routes: impl Iterator<Item = &'static Route>) -> ServerMetadata {
    let has_code = inner.gives_codes();
    let response_types = inner.response_types();
    let response_modes = response_modes(&response_types, inner.openid.is_some());
    let modes: Vec<_> = response_modes.map(|mode| mode.as_str().to_owned()).collect();
    let name = |grant: GrantType| grant.as_str().to_owned();
    let scopes: Vec<String> = inner.scopes.names().map(ToOwned::to_owned).collect();
    let one = |text: &str| vec![text.to_owned()];
    let mut metadata = ServerMetadata {
        issuer: inner.issuer.as_str().to_owned(),
        scopes_supported: (!scopes.is_empty()).then_some(scopes),
        response_types_supported: response_types.iter().map(|it| it.as_str().to_owned()).collect(),
        response_modes_supported: (!modes.is_empty()).then_some(modes),
        grant_types_supported: Some(inner.offered_grant_types().map(name).collect()),
        code_challenge_methods_supported: has_code.then(|| one(Challenge::METHOD)),
        authorization_response_iss_parameter_supported: !response_types.is_empty(),
        client_id_metadata_document_supported: has_code && inner.documents.is_some(),
        ..ServerMetadata::default()
    };
    if !response_types.is_empty() && !inner.policy.acr_values.is_empty() {
        let values = inner.policy.acr_values.iter().map(|acr| &**acr).collect::<Vec<_>>();
        metadata.extra.insert("acr_values_supported".to_owned(), values.into());
    }
    discovery::describe(inner, &mut metadata);
    for route in routes.filter(|route| (route.is_offered)(inner)) {
        let url = format!("{}{}", inner.issuer.origin(), inner.paths.of(route.path));
        (route.describe)(inner, url, &mut metadata);
    }
    metadata
}
