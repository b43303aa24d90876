//! Requests without a user: HEAD, and prefetching browsers.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode, header};

/// The headers of prefetching browsers: the standard one, and older ones.
static NAMES: [HeaderName; 4] = [
    HeaderName::from_static("sec-purpose"),
    HeaderName::from_static("purpose"),
    HeaderName::from_static("x-purpose"),
    HeaderName::from_static("x-moz"),
];

/// The response to a request that must have no effect, since no user sent it: 204 to HEAD; 503 to a
/// prefetching browser, which ignores a failure and asks again when its user navigates.
pub(crate) fn probed(method: &Method, headers: &HeaderMap) -> Option<Response<Bytes>> {
    let status = if reads_ahead(headers) {
        StatusCode::SERVICE_UNAVAILABLE
    } else if method == Method::HEAD {
        StatusCode::NO_CONTENT
    } else {
        return None;
    };
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Some(response)
}

/// Whether a browser prefetches, prerenders or previews.
fn reads_ahead(headers: &HeaderMap) -> bool {
    let words = [&b"prefetch"[..], b"prerender", b"preview"];
    // One pass costs less than a look-up of each name.
    headers.iter().filter(|(name, _)| NAMES.contains(name)).any(|(_, value)| {
        value
            .as_bytes()
            .split(|byte| matches!(byte, b';' | b','))
            .any(|word| words.iter().any(|known| word.trim_ascii().eq_ignore_ascii_case(known)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &Method, header: Option<(&'static str, &'static str)>) -> Option<u16> {
        let mut headers = HeaderMap::new();
        if let Some((name, value)) = header {
            headers.insert(name, HeaderValue::from_static(value));
        }
        Some(probed(method, &headers)?.status().as_u16())
    }

    #[test]
    fn a_browser_that_reads_ahead_is_known_by_any_of_the_names() {
        for header in [
            ("sec-purpose", "prefetch"),
            ("sec-purpose", "prefetch;prerender"),
            ("sec-purpose", "prefetch;anonymous-client-ip"),
            ("sec-purpose", "Prefetch ; prerender"),
            ("purpose", "prefetch"),
            ("purpose", "preview"),
            ("x-purpose", "preview"),
            ("x-moz", "prefetch"),
            ("X-Moz", "PREFETCH"),
        ] {
            let (name, value) = header;
            let name: &'static str = if name == "X-Moz" { "x-moz" } else { name };
            assert_eq!(status(&Method::GET, Some((name, value))), Some(503), "{header:?}");
            assert_eq!(status(&Method::HEAD, Some((name, value))), Some(503), "{header:?}");
        }
        for header in [("sec-purpose", ""), ("purpose", "prefetching"), ("x-moz", "no")] {
            assert_eq!(status(&Method::GET, Some(header)), None, "{header:?}");
        }
        assert_eq!(status(&Method::GET, None), None);
        assert_eq!(status(&Method::HEAD, None), Some(204));
    }
}
