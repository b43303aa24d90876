//! Requests for something that a service does not have.

use std::fmt;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use serde_json::json;

use crate::{
    consumer::{Protocol, Spec, presets::manners::Refresh},
    form::Params,
    transport::Purpose,
};

use super::{
    fake::Stage,
    scene::{json_answer, path_of},
};

/// Something that a service does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lack {
    /// A path that is none of its endpoints, and none of those of its API that a fake service has.
    Path,
    DeviceLogins,
    RefreshTokens,
}

impl fmt::Display for Lack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Path => {
                "there is nothing at this path: of its API a fake service has the account alone"
            }
            Self::DeviceLogins => "this service has no device logins (RFC 8628)",
            Self::RefreshTokens => "this service issues no refresh tokens",
        })
    }
}

impl Lack {
    /// The answer in the place of the service's own.
    pub(super) fn answer(self) -> Option<Response<Bytes>> {
        match self {
            Self::Path | Self::DeviceLogins => {
                let mut answer =
                    json_answer(&json!({ "error": "not_found", "message": "Not Found" }));
                *answer.status_mut() = StatusCode::NOT_FOUND;
                Some(answer)
            }
            // The token endpoint knows no such token.
            Self::RefreshTokens => None,
        }
    }
}

impl Stage {
    /// What a request asks for that an emulated service does not have.
    pub(super) fn lack(&self, request: &Request<Bytes>, purpose: Purpose) -> Option<Lack> {
        let spec = self.scene.spec?;
        match purpose {
            Purpose::Refresh if self.scene.manners().refresh == Refresh::Never => {
                Some(Lack::RefreshTokens)
            }
            Purpose::PollDevice if !has_devices(&spec) => Some(Lack::DeviceLogins),
            Purpose::Api if is_email_list(&spec, request) => None,
            Purpose::Api if request.uri().path().contains("device") && !has_devices(&spec) => {
                let begins = *request.method() == Method::POST
                    && Params::of_body(request).is_ok_and(|form| form.one("client_id").is_ok());
                Some(if begins { Lack::DeviceLogins } else { Lack::Path })
            }
            Purpose::Api => Some(Lack::Path),
            _ => None,
        }
    }
}

fn has_devices(spec: &Spec) -> bool {
    matches!(&spec.protocol, Protocol::OAuth2(oauth2) if oauth2.device_authorization.is_some())
}

fn is_email_list(spec: &Spec, request: &Request<Bytes>) -> bool {
    let path = request.uri().path();
    spec.email_list.is_some_and(|list| path.ends_with(path_of(list)))
}
