//! WebFinger: the issuer of a user (RFC 7033; OpenID Connect Discovery, section 2).

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use serde_json::json;
use url::Url;

use crate::{
    form::{FormError, Params},
    oauth2::RequestError,
    provider::{
        error::ClientError,
        paths::EndpointPath,
        refusal,
        route::Route,
        server::{AuthorizationServer, Inner},
        wire::{self, Methods},
    },
};

use super::row::{self, Endpoint};

/// The relation of a user to the issuer (OpenID Connect Discovery, section 2).
const ISSUER: &str = "http://openid.net/specs/connect/1.0/issuer";

pub(super) static WEBFINGER: Endpoint = Endpoint {
    route: Route {
        is_offered: |inner| inner.openid.as_ref().is_some_and(|openid| openid.has_webfinger),
        ..Route::new("webfinger", EndpointPath::OfOrigin("webfinger"), Methods::GET_HEAD)
    },
    is_for_any_origin: true,
    handler: |server, request| Box::pin(async move { answer(server.inner(), &request) }),
    refuse: row::refuse,
};

impl AuthorizationServer {
    /// The WebFinger endpoint (RFC 7033; OpenID Connect Discovery, section 2), at
    /// `/.well-known/webfinger`: says that this server is the issuer of users at its host.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, OpenId, store::MemoryStore}};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = MemoryStore::new(Env::system());
    /// let server = AuthorizationServer::new("https://id.example", store)?
    ///     .openid(OpenId::new().webfinger());
    /// let request = http::Request::get("/.well-known/webfinger?resource=acct:ada@id.example");
    /// let response = server.webfinger(request.body(bytes::Bytes::new())?).await;
    /// assert_eq!(response.headers()["content-type"], "application/jrd+json");
    /// # Ok(())
    /// # }
    /// ```
    pub async fn webfinger(&self, request: Request<Bytes>) -> Response<Bytes> {
        WEBFINGER.answer(self, request).await
    }
}

fn answer(inner: &Inner, request: &Request<Bytes>) -> Response<Bytes> {
    let found = Params::of_query(request).and_then(|params| found(inner.issuer.as_str(), &params));
    match found {
        Ok(Found::Known { resource, is_wanted }) => {
            let link = json!({ "rel": ISSUER, "href": inner.issuer.as_str() });
            let links = if is_wanted { vec![link] } else { Vec::new() };
            let document = json!({ "subject": resource, "links": links });
            let mut response = Response::new(Bytes::from(document.to_string()));
            let kind = HeaderValue::from_static("application/jrd+json");
            response.headers_mut().insert(header::CONTENT_TYPE, kind);
            response
        }
        Ok(Found::Unknown) => {
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
        Ok(Found::Missing) => refuse(request, RequestError::Missing("resource")),
        Err(error) => refuse(request, error.into()),
    }
}

fn refuse(request: &Request<Bytes>, reason: RequestError) -> Response<Bytes> {
    let error = ClientError::from(reason).into();
    refusal::log_unread(WEBFINGER.route.name, &error, request);
    wire::error(&error)
}

/// The result of a look-up.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    /// The issuer is that of this resource.
    Known {
        resource: String,
        /// `true` if the request is about issuers, or about all relations.
        is_wanted: bool,
    },
    /// The resource is of another host, or no user.
    Unknown,
    /// The request names no resource.
    Missing,
}

/// Decides whose issuer a server is: that of every name at its host.
fn found(issuer: &str, params: &Params<'_>) -> Result<Found, FormError> {
    let Some(resource) = params.one("resource")? else { return Ok(Found::Missing) };
    let Ok(issuer) = Url::parse(issuer) else { return Ok(Found::Unknown) };
    let is_here = match resource.split_at_checked("acct:".len()) {
        Some((scheme, account)) if scheme.eq_ignore_ascii_case("acct:") => {
            let host = account.rsplit_once('@').filter(|(user, _)| !user.is_empty());
            host.is_some_and(|(_, host)| {
                Url::parse(&format!("{}://{host}", issuer.scheme()))
                    .is_ok_and(|url| url.origin() == issuer.origin() && url.path() == "/")
            })
        }
        _ => Url::parse(resource).is_ok_and(|url| url.origin() == issuer.origin()),
    };
    let mut relations = params.many("rel").peekable();
    let is_wanted = relations.peek().is_none() || relations.any(|relation| relation == ISSUER);
    Ok(match is_here {
        true => Found::Known { resource: resource.to_owned(), is_wanted },
        false => Found::Unknown,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found_at(issuer: &str, query: &str) -> Result<Found, FormError> {
        found(issuer, &Params::parse(query.as_bytes()).unwrap())
    }

    #[test]
    fn every_name_at_the_host_of_the_issuer_and_no_other_is_known() {
        let is_known = |issuer: &str, resource: &str| {
            let found = found_at(issuer, &format!("resource={resource}")).unwrap();
            found == Found::Known { resource: resource.to_owned(), is_wanted: true }
        };
        let issuer = "https://id.example/tenant";
        for resource in [
            "acct:ada@id.example",
            "ACCT:ada@ID.example",
            "acct:nobody@id.example",
            "acct:a@b@id.example",
            "https://id.example/ada",
            "https://id.example",
        ] {
            assert!(is_known(issuer, resource), "{resource}");
        }
        for resource in [
            "acct:ada@other.example",
            "acct:ada@id.example:8443",
            "acct:ada@id.example/x",
            "acct:@id.example",
            "acct:id.example",
            "http://id.example/ada",
            "mailto:ada@id.example",
            "ada",
        ] {
            assert!(!is_known(issuer, resource), "{resource}");
        }
        assert!(is_known("http://localhost:4004", "acct:ada@localhost:4004"));
    }

    #[test]
    fn a_request_is_about_one_resource_and_perhaps_about_another_relation() {
        let issuer = "https://id.example";
        let about = |rel: &str| {
            let query = format!("resource=acct:ada@id.example{rel}");
            match found_at(issuer, &query) {
                Ok(Found::Known { is_wanted, .. }) => is_wanted,
                other => panic!("{other:?}"),
            }
        };
        assert!(about("") && about(&format!("&rel=x&rel={ISSUER}")));
        assert!(!about("&rel=http://webfinger.net/rel/avatar"));
        assert_eq!(found_at(issuer, "rel=x"), Ok(Found::Missing));
        assert!(found_at(issuer, "resource=a&resource=b").is_err());
    }
}
