//! The API of a fake service of OAuth 2.

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header};
use serde_json::{Value, json};

use crate::{
    form::Params,
    oauth2::{ErrorCode, bearer},
};

use super::{
    accounts::put,
    openid_fault::OpenIdFault,
    scene::{Scene, json_answer, path_of},
    service::{OAuth2, is_at},
};

impl OAuth2 {
    /// Whether a call has the headers that the service requires, at the account's own origin.
    fn is_well_placed(&self, scene: &Scene, request: &Request<Bytes>) -> bool {
        let Some((spec, _)) = self.spec else { return true };
        let has = |(name, value): &(&str, &str)| {
            let value = value.replace("{client_id}", &self.id);
            request.headers().get(*name).is_some_and(|is| is.as_bytes() == value.as_bytes())
        };
        let is_claims = spec.identity.is_some_and(|(path, _)| path.contains("://"));
        let is_at_home = scene.api_origin().is_none_or(|origin| {
            is_claims || request.uri().to_string().starts_with(&format!("{origin}/"))
        });
        is_at_home && spec.call_headers.iter().all(has)
    }

    /// The part of a protocol that a request is for and the service does not have.
    fn lacks(&self, request: &Request<Bytes>) -> Option<&'static str> {
        let path = request.uri().path();
        let is_post = *request.method() == Method::POST;
        if request.headers().contains_key(header::AUTHORIZATION) {
            return None;
        }
        match path {
            _ if path.contains("/.well-known/") => Some("metadata: it is no OpenID Provider"),
            _ if is_post && path.ends_with("/revoke") => Some("token revocation (RFC 7009)"),
            _ if is_post && path.contains("/device") => Some("device logins (RFC 8628)"),
            _ if is_post && path.ends_with("/introspect") => Some("introspection (RFC 7662)"),
            _ if is_post && path.ends_with("/register") => {
                Some("registration of clients (RFC 7591)")
            }
            _ => None,
        }
    }

    pub(super) fn resource(&self, scene: &Scene, request: &Request<Bytes>) -> Response<Bytes> {
        if let Some(what) = self.lacks(request) {
            let title = self.spec.map_or("the service", |(spec, _)| spec.title);
            let (method, path) = (request.method().as_str(), request.uri().path());
            tracing::warn!("{title} has no {what}: {method} {path} is answered with 404");
            let told = format!("{title} has no {what}");
            let mut answer =
                json_answer(&json!({ "error": "not_offered", "error_description": told }));
            *answer.status_mut() = StatusCode::NOT_FOUND;
            return answer;
        }
        if !self.is_well_placed(scene, request) {
            let mut answer = json_answer(&json!({ "error": "misplaced" }));
            *answer.status_mut() = StatusCode::BAD_REQUEST;
            return answer;
        }
        let in_body = self.token_in_body(request);
        let Some(user) = self.user(scene, request).or(in_body) else {
            return bearer::Challenge::new()
                .error(ErrorCode::InvalidToken, "no such token")
                .to_response();
        };
        let spec = self.spec.map(|(spec, _)| spec);
        let path =
            self.identity_path().map(|path| path_of(path).replace("{subject}", &user.to_string()));
        let by_post = spec.and_then(|spec| spec.identity_by_post);
        let method = if by_post.is_some() { Method::POST } else { Method::GET };
        let is_asked = in_body.is_some()
            || (*request.method() == method && request.body() == by_post.unwrap_or(""));
        let mut claims = scene.claims(user);
        if path.is_some_and(|path| is_at(request, &path)) && is_asked {
            if let Some(openid) = &self.openid {
                let is_another = openid.has(OpenIdFault::UserinfoOfAnother);
                let member = scene.identity_member();
                // Of the claims, a subject alone is always a text (OpenID Connect Core, section 2).
                if is_another || member == "sub" {
                    let subject = openid.subject(scene, if is_another { user + 1 } else { user });
                    put(&mut claims, member, subject.into());
                }
            }
            let signed = self.openid.as_ref().and_then(|openid| openid.userinfo(&self.id, &claims));
            return signed.unwrap_or_else(|| json_answer(&claims));
        }
        if spec.and_then(|spec| spec.email_list).is_some_and(|path| is_at(request, path_of(path))) {
            let own = claims.get("email").and_then(Value::as_str).unwrap_or("ada@example.com");
            return json_answer(&json!([
                { "email": "other@example.com", "primary": false, "verified": false },
                { "email": own, "primary": true, "verified": true },
            ]));
        }
        json_answer(&json!({
            "user": user,
            "method": request.method().as_str(),
            "path": request.uri().path(),
            "query": request.uri().query(),
            "body": String::from_utf8_lossy(request.body()),
        }))
    }

    /// The user of the token in the `Authorization` header, or in the query where the service accepts
    /// that.
    pub(super) fn user(&self, scene: &Scene, request: &Request<Bytes>) -> Option<u64> {
        let Some(value) = request.headers().get(header::AUTHORIZATION) else {
            let query = request.uri().query().filter(|_| scene.own_manners.token_in_query)?;
            let params = Params::parse(query.as_bytes()).ok()?;
            return self.access.get(params.one("access_token").ok()??).copied();
        };
        let own = self.spec.map_or("Bearer", |(_, oauth2)| oauth2.token_scheme);
        let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
        let mut accepted =
            [Some(own), scene.own_manners.further_token_scheme].into_iter().flatten();
        let is_accepted = accepted.any(|accepted| accepted.eq_ignore_ascii_case(scheme));
        self.access.get(token).copied().filter(|_| is_accepted)
    }

    /// The user of the token in the form of a request for claims, and of no header beside it (RFC 6750,
    /// section 2.2).
    fn token_in_body(&self, request: &Request<Bytes>) -> Option<u64> {
        let path = self.identity_path().filter(|path| is_at(request, path_of(path)));
        let is_alone = !request.headers().contains_key(header::AUTHORIZATION);
        path.filter(|_| is_alone && *request.method() == Method::POST)?;
        let params = Params::of_body(request).ok()?;
        self.access.get(params.one("access_token").ok()??).copied()
    }

    /// The path of an account's claims.
    pub(super) fn identity_path(&self) -> Option<&'static str> {
        match self.spec.and_then(|(spec, _)| spec.identity) {
            Some((path, _)) => Some(path),
            None if self.openid.is_some() => Some("userinfo"),
            None if self.spec.is_none() => Some("user"),
            None => None,
        }
    }
}
