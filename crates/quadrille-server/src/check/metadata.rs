//! The metadata of a provider (OpenID Connect Discovery 1.0, section 3; RFC 8414, section 2).

use serde_json::{Map, Value};
use url::Url;

use crate::words::quoted;

use super::{
    ask::is_here,
    report::{Findings, Found, Part, Quote as _, Report},
};

const DISCOVERY_3: &str = "OpenID Connect Discovery 1.0, section 3";
const DISCOVERY_4_2: &str = "OpenID Connect Discovery 1.0, section 4.2";
const DISCOVERY_4_3: &str = "OpenID Connect Discovery 1.0, section 4.3";
const RFC_8414_2: &str = "RFC 8414, section 2";
const RFC_8414_3_2: &str = "RFC 8414, section 3.2";
const RFC_8414_3_3: &str = "RFC 8414, section 3.3";
const RFC_9207_3: &str = "RFC 9207, section 3";
const PKCE: &str = "RFC 9700, section 2.1.1";
const IMPLICIT: &str = "RFC 9700, section 2.1.2";
const PASSWORD: &str = "RFC 9700, section 2.4";

/// Members whose value is `true` or `false`.
const SWITCHES: [&str; 9] = [
    "claims_parameter_supported",
    "request_parameter_supported",
    "request_uri_parameter_supported",
    "require_request_uri_registration",
    "authorization_response_iss_parameter_supported",
    "frontchannel_logout_supported",
    "frontchannel_logout_session_supported",
    "backchannel_logout_supported",
    "backchannel_logout_session_supported",
];

/// Members that both documents have, and that decide where clients send something.
const SHARED: [&str; 9] = [
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "registration_endpoint",
    "revocation_endpoint",
    "introspection_endpoint",
    "response_types_supported",
    "grant_types_supported",
];

/// The document of OpenID Connect Discovery.
pub(super) fn openid(document: &Map<String, Value>, issuer: &str, report: &mut Report) {
    let mut part = report.part(Part::Metadata);
    let part = &mut part;
    same_issuer(document, issuer, DISCOVERY_4_3, part);
    shapes(document, DISCOVERY_3, DISCOVERY_4_2, part);
    for name in ["authorization_endpoint", "jwks_uri"] {
        has(document, name, DISCOVERY_3, part);
    }
    for name in [
        "response_types_supported",
        "subject_types_supported",
        "id_token_signing_alg_values_supported",
    ] {
        has(document, name, DISCOVERY_3, part);
    }
    let types = list(document, "response_types_supported");
    if types.iter().any(|one| one.split(' ').any(|word| word == "code")) {
        has(document, "token_endpoint", DISCOVERY_3, part);
    }
    recommended(document, "userinfo_endpoint", part);
    recommended(document, "scopes_supported", part);
    recommended(document, "claims_supported", part);
    if document.contains_key("scopes_supported") {
        includes(document, "scopes_supported", "openid", DISCOVERY_3, part);
    }
    includes(document, "id_token_signing_alg_values_supported", "RS256", DISCOVERY_3, part);
    let subjects = list(document, "subject_types_supported");
    let odd = subjects.iter().find(|one| !["public", "pairwise"].contains(*one));
    let requirement = "`subject_types_supported` has `public` or `pairwise` only";
    part.must(DISCOVERY_3, requirement, found(odd));
    if document.contains_key("registration_endpoint") {
        for one in ["code", "id_token", "id_token token"] {
            let has = types.iter().any(|other| same_words(one, other));
            let requirement =
                format!("`response_types_supported` has `{one}`, as clients may register");
            part.should(DISCOVERY_3, requirement, Found::is(has, || shown(&types)));
        }
    }
    let algorithms = list(document, "id_token_signing_alg_values_supported");
    let requirement = "`id_token_signing_alg_values_supported` has no `none`";
    part.should(
        DISCOVERY_3,
        requirement,
        Found::is(!algorithms.contains(&"none"), || "none".quote()),
    );
    let requirement = "`request_uri_parameter_supported` is there: omitted, it means true";
    let is_said = document.contains_key("request_uri_parameter_supported");
    part.should(DISCOVERY_3, requirement, Found::is(is_said, || "nothing".to_owned()));
    safe(document, part);
}

/// The document of RFC 8414.
pub(super) fn oauth(document: &Map<String, Value>, issuer: &str, report: &mut Report) {
    let mut part = report.part(Part::OAuthMetadata);
    let part = &mut part;
    same_issuer(document, issuer, RFC_8414_3_3, part);
    shapes(document, RFC_8414_2, RFC_8414_3_2, part);
    has(document, "response_types_supported", RFC_8414_2, part);
    if !list(document, "response_types_supported").is_empty() {
        has(document, "authorization_endpoint", RFC_8414_2, part);
    }
    safe(document, part);
}

/// Two documents of one issuer must not lead clients to two places.
pub(super) fn agree(openid: &Map<String, Value>, oauth: &Map<String, Value>, report: &mut Report) {
    let mut part = report.part(Part::OAuthMetadata);
    for name in SHARED {
        if let (Some(one), Some(other)) = (openid.get(name), oauth.get(name)) {
            let requirement = format!("`{name}` is the same in both documents");
            let found = Found::is(is_same(one, other), || told(other));
            part.should(RFC_8414_2, requirement, found);
        }
    }
}

/// Lists are compared without their order.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one.as_array(), other.as_array()) {
        (Some(one), Some(other)) => {
            one.len() == other.len() && one.iter().all(|value| other.contains(value))
        }
        _ => one == other,
    }
}

fn same_issuer(document: &Map<String, Value>, issuer: &str, section: &str, part: &mut Findings) {
    let told = document.get("issuer").map_or_else(|| "nothing".into(), told);
    let is_same = is_of(document, issuer);
    let requirement = format!("`issuer` is {}, character by character", issuer.quote());
    let found = || match other_name(document, issuer) {
        Some(other) => format!("{told}. Check it by that name: quadrille check {other}"),
        None => told,
    };
    part.must(section, requirement, Found::is(is_same, found));
}

/// The issuer of the document, if that is another name of the same server of this machine.
fn other_name(document: &Map<String, Value>, issuer: &str) -> Option<String> {
    let told = document.get("issuer")?.as_str()?;
    let (one, other) = (Url::parse(issuer).ok()?, Url::parse(told).ok()?);
    let place = |url: &Url| (url.port_or_known_default(), url.path().to_owned());
    let is_same = is_here(&one) && is_here(&other) && place(&one) == place(&other);
    (is_same && other.as_str().trim_end_matches('/') == told).then(|| quoted(told))
}

/// Whether a member is a list by its name. Other specifications have members that end with
/// `_supported` and are `true` or `false`.
fn is_list(name: &str) -> bool {
    const WHAT: [&str; 7] =
        ["_values", "_methods", "_types", "_modes", "_locales", "scopes", "claims"];
    let what = name.strip_suffix("_supported");
    what.is_some_and(|what| WHAT.iter().any(|end| what.ends_with(end)))
        && name != "verified_claims_supported"
}

/// The types of all members.
fn shapes(document: &Map<String, Value>, section: &str, empty: &str, part: &mut Findings) {
    let issuer = document.get("issuer").and_then(Value::as_str);
    let issuer = issuer.and_then(|issuer| Url::parse(issuer).ok());
    let is_right = |value: &Value| {
        let url = value.as_str().and_then(|text| Url::parse(text).ok());
        url.zip(issuer.as_ref()).is_some_and(|(url, issuer)| is_address(&url, issuer))
    };
    for (name, value) in document {
        if name.ends_with("_endpoint") || name.ends_with("_uri") || name == "check_session_iframe" {
            let requirement = format!("`{name}` is a URL of https without fragment and user");
            part.must(section, requirement, Found::is(is_right(value), || told(value)));
        } else if SWITCHES.contains(&name.as_str()) {
            let requirement = format!("`{name}` is true or false");
            part.must(section, requirement, Found::is(value.is_boolean(), || told(value)));
        } else if is_list(name) {
            let texts = value.as_array().is_some_and(|all| all.iter().all(Value::is_string));
            let requirement = format!("`{name}` is a list of texts");
            part.must(section, requirement, Found::is(texts, || told(value)));
            let is_empty = value.as_array().is_some_and(Vec::is_empty);
            let requirement = format!("`{name}` is omitted or has an element");
            part.must(empty, requirement, Found::is(!is_empty, || "[]".quote()));
        }
    }
    for endpoint in ["token_endpoint", "revocation_endpoint", "introspection_endpoint"] {
        let methods = list(document, &format!("{endpoint}_auth_methods_supported"));
        let signs = |one: &&str| ["private_key_jwt", "client_secret_jwt"].contains(one);
        let name = format!("{endpoint}_auth_signing_alg_values_supported");
        let algorithms = list(document, &name);
        if methods.iter().any(signs) {
            let requirement = format!("`{name}` is there, as clients may sign");
            part.must(
                RFC_8414_2,
                requirement,
                Found::is(!algorithms.is_empty(), || "nothing".into()),
            );
        }
        let requirement = format!("`{name}` has no `none`");
        part.must(
            RFC_8414_2,
            requirement,
            Found::is(!algorithms.contains(&"none"), || "none".quote()),
        );
    }
}

/// Recommendations of RFC 9700 and RFC 9207.
fn safe(document: &Map<String, Value>, part: &mut Findings) {
    if document.contains_key("authorization_endpoint") {
        let challenges = list(document, "code_challenge_methods_supported");
        let requirement = "`code_challenge_methods_supported` has `S256`";
        part.should(
            PKCE,
            requirement,
            Found::is(challenges.contains(&"S256"), || shown(&challenges)),
        );
        let requirement = "`code_challenge_methods_supported` has no `plain`";
        part.should(
            PKCE,
            requirement,
            Found::is(!challenges.contains(&"plain"), || "plain".quote()),
        );
        let name = "authorization_response_iss_parameter_supported";
        let requirement = format!("`{name}` is true, so that clients notice a mix-up");
        let is_on = document.get(name) == Some(&Value::Bool(true));
        part.should(RFC_9207_3, requirement, Found::is(is_on, || "nothing, or false".into()));
        let types = list(document, "response_types_supported");
        let leaking = types.iter().find(|one| one.split(' ').any(|word| word == "token"));
        let requirement = "no response type sends access tokens in redirects";
        part.should(IMPLICIT, requirement, found(leaking));
        // Omitted, it means the code grant and the implicit one.
        let uses_implicit =
            types.iter().any(|one| one.split(' ').any(|word| word != "code" && word != "none"));
        let requirement = "`grant_types_supported` is there: omitted, it has `implicit`";
        let is_said = document.contains_key("grant_types_supported") || uses_implicit;
        part.should(RFC_8414_2, requirement, Found::is(is_said, || "nothing".into()));
    }
    let grants = list(document, "grant_types_supported");
    let requirement = "the password grant is off";
    part.should(PASSWORD, requirement, Found::is(!grants.contains(&"password"), || shown(&grants)));
}

fn has(document: &Map<String, Value>, name: &str, section: &str, part: &mut Findings) {
    let has = document.get(name).is_some_and(|value| !value.is_null());
    part.must(section, format!("`{name}` is there"), Found::is(has, || "nothing".into()));
}

fn recommended(document: &Map<String, Value>, name: &str, part: &mut Findings) {
    let found = Found::is(document.contains_key(name), || "nothing".into());
    part.should(DISCOVERY_3, format!("`{name}` is there"), found);
}

fn includes(
    document: &Map<String, Value>,
    name: &str,
    value: &str,
    section: &str,
    part: &mut Findings,
) {
    let all = list(document, name);
    let found = Found::is(all.contains(&value), || shown(&all));
    part.must(section, format!("`{name}` has `{value}`"), found);
}

/// A member that is a URL to which a request is sent. A provider elsewhere must not have this machine
/// send requests to itself, nor credentials to anybody.
pub(super) fn url(document: &Map<String, Value>, name: &str) -> Option<Url> {
    let of = |name: &str| Url::parse(document.get(name)?.as_str()?).ok();
    let (url, issuer) = (of(name)?, of("issuer")?);
    (is_address(&url, &issuer) && (is_here(&issuer) || !is_here(&url))).then_some(url)
}

/// Whether the document is the issuer's.
pub(super) fn is_of(document: &Map<String, Value>, issuer: &str) -> bool {
    document.get("issuer").and_then(Value::as_str) == Some(issuer)
}

/// The texts in a list.
pub(super) fn list<'d>(document: &'d Map<String, Value>, name: &str) -> Vec<&'d str> {
    let all = document.get(name).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).collect()
}

/// A value, as text.
fn told(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned).quote()
}

fn shown(all: &[&str]) -> String {
    all.join(", ").quote()
}

fn found(odd: Option<&&str>) -> Found {
    odd.map_or_else(|| Found::is(true, String::new), |odd| Found::wrong(odd.quote()))
}

/// Response types are sets of words (OAuth 2.0 Multiple Response Types, section 3).
fn same_words(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        let mut words: Vec<_> = text.split(' ').map(str::to_owned).collect();
        words.sort();
        words
    };
    words(one) == words(other)
}

fn is_address(url: &Url, issuer: &Url) -> bool {
    let is_plain = url.scheme() == "http" && is_here(url) && is_here(issuer);
    let is_bare = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
    is_bare && (url.scheme() == "https" || is_plain)
}

#[cfg(test)]
mod tests;
