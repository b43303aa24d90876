//! Requests as bytes, and a parser for the few parts of a response that scripts read.

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::Result;

/// A complete response.
pub(crate) struct Answer<'a> {
    /// The status.
    pub(crate) status: u16,
    /// The body.
    pub(crate) body: &'a [u8],
    head: &'a [u8],
}

impl<'a> Answer<'a> {
    /// The response at the start of `received` and its length. `None` if it is incomplete.
    pub(crate) fn parse(received: &'a [u8]) -> Result<Option<(Self, usize)>> {
        let mut fields = [httparse::EMPTY_HEADER; 32];
        let mut parser = httparse::Response::new(&mut fields);
        let httparse::Status::Complete(head_len) = parser.parse(received)? else {
            return Ok(None);
        };
        let mut body_len = None;
        for field in parser.headers.iter() {
            if field.name.eq_ignore_ascii_case("content-length") {
                body_len = Some(std::str::from_utf8(field.value)?.trim().parse::<usize>()?);
            }
        }
        let status = parser.code.unwrap_or(0);
        let (head, rest) = received.split_at(head_len);
        let Some(body_len) = body_len else {
            return Err(format!("no Content-Length: {}", String::from_utf8_lossy(head)).into());
        };
        match rest.get(..body_len) {
            Some(body) => Ok(Some((Self { status, body, head }, head_len + body_len))),
            None => Ok(None),
        }
    }

    /// The values of a header field, in order.
    pub(crate) fn headers<'n>(&self, name: &'n str) -> impl Iterator<Item = &'a str> + use<'a, 'n> {
        self.head.split(|byte| *byte == b'\n').skip(1).filter_map(move |line| {
            let (field, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
            field.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }

    /// The `Location`.
    pub(crate) fn location(&self) -> Result<&'a str> {
        self.headers("location").next().ok_or_else(|| "no Location".into())
    }

    /// The text at `"name":"..."` in a JSON body. Tokens contain no escapes.
    pub(crate) fn json_text(&self, name: &str) -> Result<&'a str> {
        let body = std::str::from_utf8(self.body)?;
        body.split_once(name)
            .and_then(|(_, rest)| rest.strip_prefix("\":\""))
            .and_then(|rest| rest.split_once('"'))
            .map(|(text, _)| text)
            .ok_or_else(|| format!("no {name}").into())
    }

    /// The value of `name` in a form-encoded body, still encoded.
    pub(crate) fn form_text(&self, name: &str) -> Result<&'a str> {
        form_value(std::str::from_utf8(self.body)?, name)
    }

    /// Fails unless the status is `status`.
    pub(crate) fn expect(&self, status: u16) -> Result<()> {
        if self.status == status {
            return Ok(());
        }
        Err(format!("status {} instead of {status}", self.status).into())
    }
}

/// The value of `name` in the query of `url`, still encoded.
pub(crate) fn query<'u>(url: &'u str, name: &str) -> Result<&'u str> {
    form_value(url.split_once('?').map_or("", |(_, query)| query), name)
}

fn form_value<'f>(form: &'f str, name: &str) -> Result<&'f str> {
    form.split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .ok_or_else(|| format!("no {name} in {form}").into())
}

/// A GET request, with further header lines.
pub(crate) fn get(target: &str, headers: &[(&str, &str)]) -> Vec<u8> {
    let mut request = Vec::with_capacity(256);
    write_get(&mut request, target, headers);
    request
}

/// Appends a GET request.
pub(crate) fn write_get(out: &mut Vec<u8>, target: &str, headers: &[(&str, &str)]) {
    for part in ["GET ", target, " HTTP/1.1\r\nHost: 127.0.0.1\r\n"] {
        out.extend_from_slice(part.as_bytes());
    }
    for (name, value) in headers {
        for part in [name, ": ", value, "\r\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }
    out.extend_from_slice(b"\r\n");
}

/// A POST request of a form, authenticated by `authorization`.
pub(crate) fn post(target: &str, authorization: &str, form: &[&str]) -> Vec<u8> {
    let mut request = Vec::with_capacity(512);
    write_post(&mut request, target, authorization, form);
    request
}

/// Appends a POST request of a form, authenticated by `authorization`.
pub(crate) fn write_post(out: &mut Vec<u8>, target: &str, authorization: &str, form: &[&str]) {
    let length = form.iter().map(|part| part.len()).sum::<usize>().to_string();
    for part in [
        "POST ",
        target,
        " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: ",
        authorization,
        "\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ",
        &length,
        "\r\n\r\n",
    ] {
        out.extend_from_slice(part.as_bytes());
    }
    for part in form {
        out.extend_from_slice(part.as_bytes());
    }
}

/// The value of an `Authorization` header (RFC 6749, section 2.3.1; nothing here needs encoding).
pub(crate) fn basic(client: &str, secret: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(format!("{client}:{secret}")))
}
