//! The metadata of an API (RFC 9728), which its guard publishes.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, uri::PathAndQuery};

use crate::{
    cross_origin,
    oauth2::{
        InvalidResource,
        metadata::{ResourceMetadata, resource_metadata_url},
    },
    public_uri,
};

const METHODS: &str = "GET, HEAD";

/// Metadata ready to be sent.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) url: Arc<str>,
    at: PathAndQuery,
    document: Bytes,
    metadata: ResourceMetadata,
}

impl Published {
    /// Completes the metadata by the issuer and the place of tokens, unless it has them.
    pub(super) fn new(
        mut metadata: ResourceMetadata,
        issuer: &str,
    ) -> Result<Self, InvalidResource> {
        if metadata.authorization_servers.is_empty() {
            metadata.authorization_servers = vec![issuer.to_owned()];
        }
        metadata.bearer_methods_supported = Some(vec!["header".to_owned()]);
        let url = resource_metadata_url(&metadata.resource).ok_or(InvalidResource)?;
        let at = &url[url::Position::BeforePath..];
        Ok(Self {
            at: at.parse().map_err(|_| InvalidResource)?,
            document: serde_json::to_vec(&metadata).map_err(|_| InvalidResource)?.into(),
            url: url.as_str().into(),
            metadata,
        })
    }

    /// Names a further way in which tokens may come (RFC 9728, section 2).
    pub(super) fn allow(&mut self, way: &str) {
        let ways = self.metadata.bearer_methods_supported.get_or_insert_default();
        ways.push(way.to_owned());
        if let Ok(document) = serde_json::to_vec(&self.metadata) {
            self.document = document.into();
        }
    }

    /// The path of the URL.
    #[cfg(feature = "axum")]
    pub(super) fn path(&self) -> &str {
        self.at.path()
    }

    /// The response to a request at the URL; `None` for a request elsewhere.
    pub(super) fn answer<B>(&self, request: &Request<B>) -> Option<Response<Bytes>> {
        let uri = public_uri::of(request.extensions()).unwrap_or(request.uri());
        if uri.path_and_query() != Some(&self.at) {
            return None;
        }
        if let Some(response) = cross_origin::preflight(request, METHODS) {
            return Some(response);
        }
        let mut response = Response::new(Bytes::new());
        let headers = response.headers_mut();
        if [Method::GET, Method::HEAD].contains(request.method()) {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            let fresh = HeaderValue::from_static("public, max-age=300");
            headers.insert(header::CACHE_CONTROL, fresh);
            *response.body_mut() = self.document.clone();
        } else {
            headers.insert(header::ALLOW, HeaderValue::from_static(METHODS));
            *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        }
        Some(cross_origin::for_any_origin(response))
    }
}
