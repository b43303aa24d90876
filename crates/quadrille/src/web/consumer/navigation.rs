//! The kind of a request: for a page, or by a script.

use http::{HeaderMap, HeaderName, header};

/// `Sec-Fetch-Mode` (Fetch Metadata Request Headers, section 2.2).
static FETCH_MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
/// The headers of scripts in browsers without it, of jQuery and others, and of htmx.
static SCRIPTS: [HeaderName; 2] =
    [HeaderName::from_static("x-requested-with"), HeaderName::from_static("hx-request")];

/// Whether the response is for a person, including the response to a form, and not for a script.
pub(super) fn is_for_a_page(headers: &HeaderMap) -> bool {
    // One pass costs less than a look-up of each name: a request has few headers.
    let (mut mode, mut accepts) = (None, false);
    for (name, value) in headers {
        if *name == header::ACCEPT {
            accepts = true;
        } else if SCRIPTS.contains(name) && value.to_str().is_ok() {
            return false;
        } else if *name == FETCH_MODE {
            mode = mode.or(value.to_str().ok());
        }
    }
    match mode {
        Some(mode) => mode == "navigate",
        None => !accepts || accepts_a_page(headers),
    }
}

/// Whether `Accept` (RFC 9110, section 12.5.1) wants HTML, and JSON not more; without one of them,
/// whether it says nothing else than "anything".
fn accepts_a_page(headers: &HeaderMap) -> bool {
    let (mut html, mut json, mut anything) = (None, None, true);
    for line in headers.get_all(header::ACCEPT) {
        // What cannot be read says nothing.
        let Ok(line) = line.to_str() else { continue };
        for range in line.split(',').map(str::trim).filter(|range| !range.is_empty()) {
            let mut parts = range.split(';').map(str::trim);
            let kind = parts.next().unwrap_or("").to_ascii_lowercase();
            let weight = parts
                .find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")))
                .map_or(1.0, |weight| weight.parse().unwrap_or(1.0));
            let known = match &*kind {
                "text/html" => &mut html,
                json_kind if json_kind == "application/json" || json_kind.ends_with("+json") => {
                    &mut json
                }
                "*/*" => continue,
                _ => {
                    anything = false;
                    continue;
                }
            };
            *known = Some(f64::max(weight, known.unwrap_or(0.0)));
        }
    }
    match (html, json) {
        (Some(html), json) => html > 0.0 && html >= json.unwrap_or(0.0),
        (None, Some(_)) => false,
        (None, None) => anything,
    }
}
