//! Bodies of signed requests: read before the service behind gets them, and replayed to it.
//!
//! A signature covers the fields of a form (RFC 5849, section 3.4.1.3), so that it cannot be
//! checked without them. Other bodies are left alone, unless their hash was signed.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::{Buf, Bytes, BytesMut};
use http::Request;
use http_body::{Body, Frame, SizeHint};

use crate::oauth1::SignedRequest;

use super::signature::SignatureError;

/// The longest body that is read, in bytes.
pub(crate) const BODY_LIMIT: usize = 64 * 1024;

pin_project_lite::pin_project! {
    /// The body of a request behind a [`Guard`](super::Guard): untouched or, if a signature covers
    /// it, replayed.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http_body_util::{BodyExt, Full};
    /// use quadrille::guard::GuardBody;
    ///
    /// async fn read(request: http::Request<GuardBody<Full<Bytes>>>) -> Option<Bytes> {
    ///     Some(request.into_body().collect().await.ok()?.to_bytes())
    /// }
    /// ```
    #[derive(Debug)]
    #[project = Projected]
    pub enum GuardBody<B> {
        #[doc(hidden)]
        Untouched { #[pin] body: B },
        #[doc(hidden)]
        Replayed { first: Bytes, rest: Option<Pin<Box<B>>> },
    }
}

/// The part of the body that was read, kept among the request's extensions.
#[derive(Clone, Debug)]
pub(crate) struct BodyRead(pub(crate) Result<Bytes, SignatureError>);

/// The body as far as it was read; `None` if no layer read it.
pub(crate) type Seen<'b> = Option<Result<&'b [u8], SignatureError>>;

/// `true` if the signature may cover the body, judged by the headers and the URI.
pub(crate) fn is_covered<B>(request: &Request<B>) -> bool {
    SignedRequest::needs_the_body(request.headers(), request.uri())
}

/// Reads a body up to the limit, and returns it whole.
pub(crate) async fn read<B: Body>(body: B) -> (BodyRead, GuardBody<B>) {
    let mut rest = Box::pin(body);
    let mut first = BytesMut::new();
    while let Some(frame) = poll_fn(|context| rest.as_mut().poll_frame(context)).await {
        match frame.map(Frame::into_data) {
            Ok(Ok(mut data)) => first.extend_from_slice(&data.copy_to_bytes(data.remaining())),
            // Trailers mean nothing to a form.
            Ok(Err(_)) => {}
            Err(_) => return (BodyRead(Err(SignatureError::BodyBroken)), replayed(first, None)),
        }
        if first.len() > BODY_LIMIT {
            return (BodyRead(Err(SignatureError::BodyTooLong)), replayed(first, Some(rest)));
        }
    }
    let first = first.freeze();
    let read = BodyRead(Ok(first.clone()));
    (read, GuardBody::Replayed { first, rest: None })
}

fn replayed<B>(first: BytesMut, rest: Option<Pin<Box<B>>>) -> GuardBody<B> {
    GuardBody::Replayed { first: first.freeze(), rest }
}

impl BodyRead {
    /// An empty body.
    pub(crate) const fn nothing() -> Self {
        Self(Ok(Bytes::new()))
    }
}

impl<B: Body> Body for GuardBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let whole = |mut data: B::Data| data.copy_to_bytes(data.remaining());
        let frame = match self.project() {
            Projected::Untouched { body } => body.poll_frame(context),
            Projected::Replayed { first, .. } if !first.is_empty() => {
                return Poll::Ready(Some(Ok(Frame::data(std::mem::take(first)))));
            }
            Projected::Replayed { rest: Some(rest), .. } => rest.as_mut().poll_frame(context),
            Projected::Replayed { rest: None, .. } => return Poll::Ready(None),
        };
        frame.map(|frame| frame.map(|frame| frame.map(|frame| frame.map_data(whole))))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Untouched { body } => body.is_end_stream(),
            Self::Replayed { first, rest } => {
                first.is_empty() && rest.as_ref().is_none_or(Body::is_end_stream)
            }
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Untouched { body } => body.size_hint(),
            Self::Replayed { first, rest } => {
                let first = first.len() as u64;
                let Some(rest) = rest else { return SizeHint::with_exact(first) };
                let after = rest.size_hint();
                let mut hint = SizeHint::new();
                hint.set_lower(after.lower().saturating_add(first));
                if let Some(upper) = after.upper() {
                    hint.set_upper(upper.saturating_add(first));
                }
                hint
            }
        }
    }
}
