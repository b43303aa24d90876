//! [`Jar`] as an extractor and in a response, for applications with login routes of their own.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    response::{IntoResponseParts, ResponseParts},
};
use http::{header, request::Parts};

use crate::consumer::Jar;

use super::layer::Visit;

/// The jar of this request. Behind [`Login::attach`](crate::Login::attach), the layer adds its
/// cookies to the response.
impl<St: Send + Sync> FromRequestParts<St> for Jar {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &St) -> Result<Self, Infallible> {
        if let Ok(visit) = Visit::of(parts) {
            return Ok(visit.jar.clone());
        }
        if let Some(jar) = parts.extensions.get::<Self>() {
            return Ok(jar.clone());
        }
        // Every extractor of one request gets the same jar.
        let jar = Self::new(&parts.headers);
        parts.extensions.insert(jar.clone());
        Ok(jar)
    }
}

/// Sets the cookies, and closes the jar: return it beside the response.
impl IntoResponseParts for Jar {
    type Error = Infallible;

    fn into_response_parts(self, mut answer: ResponseParts) -> Result<ResponseParts, Infallible> {
        for cookie in self.close() {
            answer.headers_mut().append(header::SET_COOKIE, cookie);
        }
        Ok(answer)
    }
}
