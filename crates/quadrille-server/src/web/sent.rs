//! The fields of a form that a browser sent.

use axum::{
    Form, RequestExt as _,
    body::{Body, Bytes},
    extract::{
        FromRequest, Request,
        rejection::{BytesRejection, FormRejection},
    },
    http::StatusCode,
    response::{IntoResponse, Response},
};
use quadrille::form::{FormError, Params};
use serde::de::DeserializeOwned;

/// The fields of a form. The type of the body follows the rule of the OAuth endpoints
/// ([`Params::of_body`]): there is one `Content-Type`, and every reader takes it for a form.
#[derive(Debug)]
pub(super) struct Sent<T>(pub(super) T);

/// The reason for rejecting a body.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// The body did not arrive.
    #[error(transparent)]
    Body(#[from] BytesRejection),
    /// The body is not declared as a form, or not as one that the program reads.
    #[error(transparent)]
    Form(#[from] FormError),
    /// A field is missing, repeated or no text.
    #[error(transparent)]
    Fields(#[from] FormRejection),
}

impl Unreadable {
    /// The status of the answer.
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Body(rejection) => rejection.status(),
            Self::Form(FormError::ContentType | FormError::ContentEncoding) => {
                StatusCode::UNSUPPORTED_MEDIA_TYPE
            }
            Self::Form(_) => StatusCode::BAD_REQUEST,
            Self::Fields(rejection) => rejection.status(),
        }
    }
}

impl IntoResponse for Unreadable {
    fn into_response(self) -> Response {
        (self.status(), self.to_string()).into_response()
    }
}

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Sent<T> {
    type Rejection = Unreadable;

    async fn from_request(request: Request, state: &S) -> Result<Self, Unreadable> {
        let (head, body) = request.into_parts();
        let body: Bytes = Request::new(body).extract().await?;
        let request = Request::from_parts(head, body);
        Params::of_body(&request)?;
        let Form(fields) = Form::from_request(request.map(Body::from), state).await?;
        Ok(Self(fields))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    struct Named {
        name: String,
    }

    async fn read(types: &[&str], body: &'static str) -> Result<String, StatusCode> {
        let mut request = Request::post("/sign-in");
        for declared in types {
            request = request.header("content-type", *declared);
        }
        let request = request.body(Body::from(body)).unwrap();
        let sent = Sent::<Named>::from_request(request, &()).await;
        sent.map(|Sent(fields)| fields.name).map_err(|unreadable| unreadable.status())
    }

    #[tokio::test]
    async fn a_form_that_some_readers_take_for_something_else_is_refused() {
        const FORM: &str = "application/x-www-form-urlencoded";
        let refused = Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        assert_eq!(read(&[FORM], "name=ada").await.as_deref(), Ok("ada"));
        assert_eq!(
            read(&["application/x-www-form-urlencoded; charset=utf-8"], "name=ada")
                .await
                .as_deref(),
            Ok("ada")
        );
        for types in [
            &[][..],
            &[FORM, "text/plain"],
            &["text/plain", FORM],
            &[FORM, FORM],
            &["application/x-www-form-urlencoded, text/plain"],
            &["application/x-www-form-urlencodedx"],
            &["text/plain; a=application/x-www-form-urlencoded"],
        ] {
            assert_eq!(read(types, "name=ada").await, refused, "{types:?}");
        }
        for body in ["", "name=ada&name=bob", "other=x"] {
            assert!(read(&[FORM], body).await.is_err_and(|status| status.is_client_error()));
        }
    }
}
