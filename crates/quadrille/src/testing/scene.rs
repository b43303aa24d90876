//! The properties of a fake service that do not depend on the protocol.

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use serde_json::Value;

use crate::consumer::{
    Spec,
    presets::manners::{Manners, Refresh},
};

use super::{accounts::Accounts, fault::Fault};

/// The properties of a fake service that do not depend on the protocol.
pub(super) struct Scene {
    /// The service that is emulated.
    pub(super) spec: Option<Spec>,
    /// The manners without any fault.
    pub(super) own_manners: Manners,
    pub(super) faults: Vec<Fault>,
    pub(super) accounts: Accounts,
    /// The URL of the server, if it is one.
    pub(super) base: Option<String>,
    /// The account that approves without a page.
    pub(super) approves_as: Option<u64>,
    /// The registered callbacks; `None` accepts all.
    pub(super) callbacks: Option<Vec<String>>,
    /// Whether the service is an OpenID Provider.
    pub(super) is_openid: bool,
    /// Whether calls of an API that is not emulated are answered with 404.
    pub(super) has_nothing_else: bool,
}

/// A request for authorization, for a page.
#[derive(Debug)]
pub(super) struct Asks {
    /// The identifier of the application.
    pub(super) application: String,
    pub(super) scopes: Vec<String>,
    /// The callback, or `oob`.
    pub(super) callback: String,
    /// Whether the response is a form that the browser posts.
    pub(super) by_post: bool,
}

impl Scene {
    pub(super) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// `true` if a callback is registered. An out-of-band one (OAuth 1) needs no registration.
    pub(super) fn is_registered(&self, callback: &str) -> bool {
        let is_known = self.callbacks.as_ref().is_none_or(|known| {
            callback == "oob" || known.iter().any(|registered| registered == callback)
        });
        is_known && !self.has(Fault::CallbackUnregistered)
    }

    /// The manners with those faults that are manners.
    pub(super) fn manners(&self) -> Manners {
        let mut manners = self.own_manners;
        if self.has(Fault::ScopesDropped) {
            manners.scopes = Some("");
        }
        if self.has(Fault::RefreshRotated) {
            manners.refresh = Refresh::Rotating;
        }
        manners.errors_under_200 |= self.has(Fault::ErrorsUnder200);
        manners
    }

    /// The path of the identifier in an account's claims.
    pub(super) fn identity_member(&self) -> &'static str {
        let usual = if self.is_openid { "sub" } else { "id" };
        self.spec.and_then(|spec| spec.identity).map_or(usual, |(_, member)| member)
    }

    /// The claims of an account.
    pub(super) fn claims(&self, user: u64) -> Value {
        self.accounts.claims(self.own_manners.account, self.identity_member(), user)
    }

    /// The path of an endpoint with the place of this service before it.
    pub(super) fn placed(&self, endpoint: &str) -> String {
        match &self.base {
            Some(base) => [base, path_of(endpoint)].concat(),
            None => endpoint.to_owned(),
        }
    }

    /// The origin that calls must be sent to, for a service with many hosts.
    pub(super) fn api_origin(&self) -> Option<&str> {
        let origin = self.own_manners.api_origin?;
        Some(self.base.as_deref().unwrap_or(origin))
    }
}

/// A JSON response.
pub(super) fn json_answer(json: &Value) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(json.to_string()));
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

/// The path of an endpoint, a path or a URL.
pub(super) fn path_of(endpoint: &str) -> &str {
    let path = endpoint.split('?').next().unwrap_or(endpoint);
    path.split_once("://").map_or(path, |(_, rest)| rest.trim_start_matches(|char| char != '/'))
}
