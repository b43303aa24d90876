//! Forms with files: `multipart/form-data` (RFC 7578).

use std::{
    collections::VecDeque,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_core::Stream;
use http::HeaderValue;

use crate::{
    consumer::error::OperatorError,
    transport::{Body, NetworkError},
};

/// A form with files: `multipart/form-data` (RFC 7578).
///
/// If every part is whole, so is the body, and the call may be sent again after a redirect or a
/// refresh. A part that streams makes the body a stream, in pieces as they are produced. Its length
/// is declared if the length of each stream is known: many services require it.
///
/// ```
/// use http::Method;
/// use quadrille::{Result, consumer::{Api, Multipart, Part}, transport::Body};
///
/// async fn upload(album: &Api, photo: Body, length: u64) -> Result<serde_json::Value> {
///     let form = Multipart::new()
///         .text("title", "The Rhine")
///         .part("photo", Part::new(photo).length(length).file_name("rhine.jpg", "image/jpeg"));
///     album.request(Method::POST, "photos").multipart_body(form).json().await
/// }
/// ```
#[derive(Debug, Default)]
pub struct Multipart(Vec<(String, Part)>);

impl Multipart {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a field of text, in UTF-8.
    #[must_use]
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name, Part::new(Bytes::from(value.into())))
    }

    /// Adds a part. Parts of one name are sent in this order (section 4.3).
    #[must_use]
    pub fn part(mut self, name: impl Into<String>, part: Part) -> Self {
        self.0.push((name.into(), part));
        self
    }

    /// The body with parts between this boundary, and its length if that must be declared.
    pub(super) fn finish(self, boundary: &str) -> Result<(Body, Option<u64>), OperatorError> {
        let mut pieces = VecDeque::new();
        let mut between = String::new();
        let mut length = Some(0_u64);
        for (name, part) in self.0 {
            let content_type = part.content_type.map(HeaderValue::try_from).transpose();
            let content_type = content_type.map_err(|_| OperatorError::CallMalformed)?;
            between += &["--", boundary, "\r\ncontent-disposition: form-data; name=\""].concat();
            between += &escaped(&name);
            between.push('"');
            if let Some(file_name) = &part.file_name {
                between += &["; filename=\"", &escaped(file_name), "\""].concat();
            }
            if let Some(content_type) = &content_type {
                let text = content_type.to_str().map_err(|_| OperatorError::CallMalformed)?;
                between += &["\r\ncontent-type: ", text].concat();
            }
            between += "\r\n\r\n";
            length = sum(length, Some(between.len() as u64));
            pieces.push_back(Body::from(Bytes::from(std::mem::take(&mut between))));
            match part.body {
                Body::Whole(bytes) => {
                    length = sum(length, Some(bytes.len() as u64));
                    pieces.push_back(Body::Whole(bytes));
                }
                Body::Stream(stream) => {
                    length = sum(length, part.length);
                    pieces.push_back(match part.length {
                        Some(left) => Body::stream(Measured { stream, left }),
                        None => Body::Stream(stream),
                    });
                }
            }
            between += "\r\n";
        }
        between += &["--", boundary, "--\r\n"].concat();
        length = sum(length, Some(between.len() as u64));
        pieces.push_back(Body::from(Bytes::from(between)));
        let whole: Option<Vec<&Bytes>> = pieces
            .iter()
            .map(|piece| match piece {
                Body::Whole(bytes) => Some(bytes),
                Body::Stream(_) => None,
            })
            .collect();
        Ok(match whole {
            Some(whole) => {
                let bytes: Vec<u8> = whole.into_iter().flatten().copied().collect();
                (Bytes::from(bytes).into(), None)
            }
            None => (Body::stream(Chain(pieces)), length),
        })
    }
}

/// One part of a [`Multipart`] form.
///
/// ```
/// use bytes::Bytes;
/// use quadrille::consumer::Part;
///
/// let part = Part::new(Bytes::from_static(b"{}")).content_type("application/json");
/// ```
#[derive(Debug)]
pub struct Part {
    body: Body,
    length: Option<u64>,
    file_name: Option<String>,
    content_type: Option<String>,
}

impl Part {
    /// A part with this body, whole or a stream.
    pub fn new(body: impl Into<Body>) -> Self {
        Self { body: body.into(), length: None, file_name: None, content_type: None }
    }

    /// Makes this part a file with a name and a media type (`application/octet-stream` if it is
    /// unknown). The name is written as browsers do: in UTF-8, with `%22`, `%0D` and `%0A` for
    /// quotation marks and line breaks (section 4.2; HTML, section 4.10.21.8).
    #[must_use]
    pub fn file_name(mut self, name: impl Into<String>, content_type: impl Into<String>) -> Self {
        self.file_name = Some(name.into());
        self.content_type(content_type)
    }

    /// Sets the `Content-Type` of this part.
    #[must_use]
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        self.content_type = Some(content_type.into());
        self
    }

    /// Says how many bytes a stream has. With more or fewer, the call fails with
    /// [`NetworkError::Interrupted`].
    #[must_use]
    pub fn length(mut self, bytes: u64) -> Self {
        self.length = Some(bytes);
        self
    }
}

/// A name between quotation marks.
fn escaped(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

fn sum(one: Option<u64>, other: Option<u64>) -> Option<u64> {
    one?.checked_add(other?)
}

/// Bodies in a row.
struct Chain(VecDeque<Body>);

impl Stream for Chain {
    type Item = Result<Bytes, NetworkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            let Some(first) = self.0.front_mut() else { return Poll::Ready(None) };
            match Pin::new(first).poll_next(cx) {
                Poll::Ready(None) => self.0.pop_front(),
                other => return other,
            };
        }
    }
}

/// A stream that must have as many bytes as declared.
struct Measured {
    stream: Pin<Box<dyn Stream<Item = Result<Bytes, NetworkError>> + Send>>,
    left: u64,
}

impl Stream for Measured {
    type Item = Result<Bytes, NetworkError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.stream.as_mut().poll_next(cx).map(|piece| match piece {
            None if self.left == 0 => None,
            None => Some(Err(NetworkError::Interrupted)),
            Some(Ok(piece)) => match self.left.checked_sub(piece.len() as u64) {
                Some(left) => {
                    self.left = left;
                    Some(Ok(piece))
                }
                None => Some(Err(NetworkError::Interrupted)),
            },
            error => error,
        })
    }
}
