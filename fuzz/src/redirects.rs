//! Redirect URIs, compared with the `url` crate, which parses them as browsers do.

use arbitrary::{Arbitrary, Unstructured};
use http::header;
use quadrille::{
    Authentication,
    form::FormWriter,
    oauth2::{AuthorizationRequest, pkce::Verifier},
    provider::{NewClient, RedirectUri, store::MemoryStore},
};
use url::Url;

use crate::{
    block_on,
    nature::Nature,
    world::{Answer, Browser, ISSUER, Process},
};

/// The parts of most URIs.
const PIECES: [&str; 40] = [
    "https://",
    "http://",
    "https:",
    "com.example.app:",
    "a.b:",
    "javascript:",
    "127.0.0.1",
    "localhost",
    "[::1]",
    "app.example",
    "evil.example",
    ":8080",
    ":443",
    ":",
    "/",
    "//",
    "/cb",
    "?x=1",
    "?",
    "#",
    "@",
    "a:b@",
    "..",
    "/../",
    "%2e",
    "%00",
    "\\",
    "*",
    ";",
    ",",
    " ",
    "'",
    "\"",
    "APP.example",
    "xn--",
    "é",
    "\t",
    "&",
    "=",
    "%",
];

#[derive(Arbitrary, Debug)]
enum Piece<'a> {
    Known(u8),
    KnownToo(u8),
    KnownAsWell(u8),
    Any(&'a str),
}

fn text(pieces: &[Piece<'_>]) -> String {
    let piece = |piece: &Piece<'_>| match piece {
        Piece::Known(n) | Piece::KnownToo(n) | Piece::KnownAsWell(n) => {
            PIECES[usize::from(*n) % PIECES.len()].to_owned()
        }
        Piece::Any(text) => (*text).to_owned(),
    };
    pieces.iter().map(piece).collect()
}

fn pieces<'a>(input: &mut Unstructured<'a>) -> Option<Vec<Piece<'a>>> {
    let count = input.int_in_range(1..=8).ok()?;
    (0..count).map(|_| Piece::arbitrary(input).ok()).collect()
}

/// The target `redirects`.
pub fn redirects(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Some(known) = pieces(&mut input) else { return };
    let uri = text(&known);
    crate::tell(&uri);
    let Ok(checked) = RedirectUri::parse(&uri) else { return };
    check(&checked);

    // The URI of a request: the registered one, with a part replaced.
    let presented = match (u16::arbitrary(&mut input), pieces(&mut input)) {
        (Ok(at), Some(other)) => {
            let at = usize::from(at) % (uri.len() + 1);
            let rest = uri[at..].get(other.len() % 4..).unwrap_or("");
            format!("{}{}{rest}", &uri[..at], text(&other))
        }
        _ => uri.clone(),
    };
    crate::tell(&presented);
    block_on(async {
        let nature = Nature::new(5);
        let process = Process::start(MemoryStore::new(nature.env()), &nature, |server| server);
        let new = NewClient::confidential("App").id("app").redirect_uri(&uri);
        process.server.register(new).await.expect("a checked URI is registered");
        let answer = ask(&process, &presented, None).await;
        match answer.location() {
            Some(location) => leads_to(location, &uri, &presented),
            None => assert!((400..500).contains(&answer.status) && presented != uri),
        }
        let user = Authentication::new("ada", nature.now());
        let page = ask(&process, &uri, Some(user)).await;
        assert_eq!(page.status, 200, "a registered URI can be asked with");
        check_policy(&page);
    });
}

/// Checks that a registered URI leads to the host that it shows, and nowhere else.
fn check(uri: &RedirectUri) {
    let text = uri.as_str();
    let url = Url::parse(text).expect("a browser can read it");
    assert_eq!(url.fragment(), None, "{text}");
    assert!(url.username().is_empty() && url.password().is_none(), "{text}");
    let is_loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    match url.scheme() {
        "https" => assert!(url.has_host()),
        "http" => assert!(is_loopback, "{text}"),
        scheme => {
            let runs_text = ["javascript", "data", "vbscript", "blob", "about", "file"];
            assert!(!runs_text.contains(&scheme), "{text}");
        }
    }
    if matches!(url.scheme(), "http" | "https") {
        assert_eq!(uri.destination(), url.origin().ascii_serialization(), "{text}");
        // The form of browsers, except that an empty path may be left out.
        let mut with_path = url.clone();
        with_path.set_query(None);
        let path = with_path.as_str().trim_end_matches('/');
        assert!(text.starts_with(path), "{text}: {url}");
    } else {
        assert_eq!(uri.destination(), format!("{}:", url.scheme()), "{text}");
    }
}

async fn ask(process: &Process, uri: &str, user: Option<Authentication>) -> Answer {
    let mut request = AuthorizationRequest::new("app");
    request.redirect_uri = Some(uri.into());
    request.code_challenge = Some(Verifier::from_bytes(&[1; 32]).challenge());
    let url = request.to_url("https://id.example/oauth/authorize").expect("an endpoint");
    let mut path = FormWriter::after_url(url.strip_prefix(ISSUER).expect("its own"));
    path.append_some("prompt", user.is_none().then_some("none"));
    let mut browser = Browser { user, ..Browser::default() };
    browser.get(process, &path.finish()).await
}

/// Checks that a browser that follows `location` comes to the registered URI, or to another port of
/// it on this machine.
fn leads_to(location: &str, registered: &str, presented: &str) {
    let (to, known) = (Url::parse(location).expect("a URL"), Url::parse(registered).expect("one"));
    let port = match to.scheme() {
        "http" => known.port_or_known_default() != to.port_or_known_default(),
        _ => false,
    };
    assert!(port || to.port_or_known_default() == known.port_or_known_default());
    let of = |url: &Url| {
        let (scheme, host) = (url.scheme().to_owned(), url.host_str().map(str::to_owned));
        (scheme, host, url.path().to_owned(), url.username().to_owned())
    };
    assert_eq!(of(&to), of(&known), "{presented}");
    let query = known.query().unwrap_or("");
    assert!(to.query().unwrap_or("").starts_with(query), "{location}");
}

/// Checks that the policy of a consent page has the required directives, and no others.
fn check_policy(page: &Answer) {
    let policies = page.response().headers().get_all(header::CONTENT_SECURITY_POLICY);
    let policies: Vec<_> = policies.iter().collect();
    let [policy] = policies[..] else { panic!("one policy: {policies:?}") };
    let policy = policy.to_str().expect("ASCII");
    let names: Vec<&str> = policy
        .split(';')
        .filter_map(|directive| directive.split_ascii_whitespace().next())
        .collect();
    let expected =
        ["default-src", "style-src", "img-src", "form-action", "base-uri", "frame-ancestors"];
    assert!(names.iter().all(|name| expected.contains(name)), "{policy}");
    assert!(!policy.contains(','), "{policy}");
}
