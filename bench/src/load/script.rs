//! The scripts: the requests that a connection repeats. Both sides get the same scripts.

use std::{cell::RefCell, collections::BTreeMap, rc::Rc};

use super::{
    message::{Answer, get, post, query, write_get, write_post},
    oauth1::Signer,
};
use crate::Result;

/// Whether a response completed an operation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// The operation is complete.
    Done,
    /// The operation needs more requests, or the request was preparation.
    Ongoing,
}

/// A state machine that writes a request, reads the response, and so on without end. A wrong
/// response is an error and fails the run.
pub(crate) trait Script {
    /// Appends the next request.
    fn request(&mut self, out: &mut Vec<u8>);
    /// Reads the response.
    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress>;
}

/// The `redirect_uri` of the client.
pub(crate) const REDIRECT_URI: &str = "http%3A%2F%2F127.0.0.1%3A9%2Fcallback";
/// The verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// The same requests in turn. Each response must have this status and completes an operation.
#[derive(Clone)]
pub(crate) struct Repeat {
    requests: Vec<Vec<u8>>,
    next: usize,
    status: u16,
    mark: &'static str,
}

impl Repeat {
    /// `/hello`.
    pub(crate) fn hello() -> Self {
        Self::new(vec![get("/hello", &[])], 200, "ok")
    }

    /// The metadata of OpenID Connect.
    pub(crate) fn discovery(document: &str) -> Self {
        Self::new(vec![get(document, &[])], 200, "userinfo_endpoint")
    }

    /// Client credentials.
    pub(crate) fn client_credentials(endpoint: &str, authorization: &str) -> Self {
        let form = ["grant_type=client_credentials&scope=read%20write"];
        Self::new(vec![post(endpoint, authorization, &form)], 200, "access_token")
    }

    /// Client credentials for an API whose tokens are JWTs.
    pub(crate) fn client_credentials_for_jwts(endpoint: &str, authorization: &str) -> Self {
        let form =
            ["grant_type=client_credentials&scope=read%20write", "&resource=urn%3Abench%3Ajwt"];
        // The header of each of our JWTs begins so.
        Self::new(vec![post(endpoint, authorization, &form)], 200, "\"access_token\":\"ey")
    }

    /// Introspection of these tokens in turn.
    pub(crate) fn introspection(endpoint: &str, authorization: &str, tokens: &[String]) -> Self {
        let request = |token: &String| post(endpoint, authorization, &["token=", token]);
        Self::new(tokens.iter().map(request).collect(), 200, "\"active\":true")
    }

    /// Exchange of these access tokens in turn (RFC 8693).
    pub(crate) fn token_exchange(endpoint: &str, authorization: &str, tokens: &[String]) -> Self {
        let request = |token: &String| {
            let form = [
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange",
                "&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aaccess_token",
                "&subject_token=",
                token,
            ];
            post(endpoint, authorization, &form)
        };
        Self::new(tokens.iter().map(request).collect(), 200, "issued_token_type")
    }

    /// Requests for device codes (RFC 8628).
    pub(crate) fn device_authorization(endpoint: &str, authorization: &str) -> Self {
        Self::new(vec![post(endpoint, authorization, &["scope=read%20write"])], 200, "device_code")
    }

    /// Polls with these device codes in turn, of which no user has approved any.
    pub(crate) fn device_polls(endpoint: &str, authorization: &str, codes: &[String]) -> Self {
        let request = |code: &String| {
            let form = [
                "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Adevice_code",
                "&device_code=",
                code,
            ];
            post(endpoint, authorization, &form)
        };
        Self::new(codes.iter().map(request).collect(), 400, "authorization_pending")
    }

    /// A protected route, with these bearer tokens in turn.
    pub(crate) fn bearer(route: &str, tokens: &[String]) -> Self {
        let request = |token| get(route, &[("Authorization", &format!("Bearer {token}"))]);
        Self::new(tokens.iter().map(request).collect(), 200, "ok")
    }

    /// A page that names the user whom a cookie names: these users in turn.
    pub(crate) fn page_of_users(page: &str, users: u32) -> Self {
        let request = |user| get(page, &[("Cookie", &format!("user={user}"))]);
        Self::new((0..users).map(request).collect(), 200, "octo")
    }

    /// The first step of a login, by a visitor without cookies.
    pub(crate) fn login_redirect(start: &str) -> Self {
        Self::new(vec![get(start, &[])], 302, "")
    }

    fn new(requests: Vec<Vec<u8>>, status: u16, mark: &'static str) -> Self {
        Self { requests, next: 0, status, mark }
    }
}

impl Script for Repeat {
    fn request(&mut self, out: &mut Vec<u8>) {
        self.next = if self.next + 1 < self.requests.len() { self.next + 1 } else { 0 };
        out.extend(self.requests.get(self.next).into_iter().flatten());
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        answer.expect(self.status)?;
        if !std::str::from_utf8(answer.body)?.contains(self.mark) {
            return Err(format!("no {:?} in the answer", self.mark).into());
        }
        Ok(Progress::Done)
    }
}

/// A protected route with a newly signed request each time.
pub(crate) struct Signed {
    route: String,
    signer: Signer,
}

impl Signed {
    /// `signer` is for this route.
    pub(crate) fn new(route: &str, signer: Signer) -> Self {
        Self { route: route.to_owned(), signer }
    }
}

impl Script for Signed {
    fn request(&mut self, out: &mut Vec<u8>) {
        for part in ["GET ", &self.route, " HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: "] {
            out.extend_from_slice(part.as_bytes());
        }
        self.signer.sign(out);
        out.extend_from_slice(b"\r\n\r\n");
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        answer.expect(200)?;
        Ok(Progress::Done)
    }
}

/// Another script, with a member of the last answer of each operation kept.
pub(crate) struct Collect<S> {
    script: S,
    member: &'static str,
    kept: Rc<RefCell<Vec<String>>>,
}

impl<S> Collect<S> {
    /// Keeps the member of this name in `kept`.
    pub(crate) fn new(script: S, member: &'static str, kept: Rc<RefCell<Vec<String>>>) -> Self {
        Self { script, member, kept }
    }
}

impl<S: Script> Script for Collect<S> {
    fn request(&mut self, out: &mut Vec<u8>) {
        self.script.request(out);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        let progress = self.script.answer(answer)?;
        if progress == Progress::Done {
            self.kept.borrow_mut().push(answer.json_text(self.member)?.to_owned());
        }
        Ok(progress)
    }
}

/// The authorization code flow with PKCE for a user who is signed in and needs no consent page:
/// authorization request and token request. Two requests are one operation.
#[derive(Clone)]
pub(crate) struct Dance {
    authorize: Vec<u8>,
    token: String,
    authorization: String,
    /// Whether an ID token comes with the access token.
    has_id_token: bool,
    code: Option<String>,
    refresh_token: Option<String>,
}

impl Dance {
    /// `session` is the cookie of the signed-in user.
    pub(crate) fn new(authorize: &str, token: &str, authorization: &str, session: &str) -> Self {
        let target = format!("{}&scope=read%20write", Self::target(authorize));
        Self {
            authorize: get(&target, &[("Cookie", session)]),
            token: token.to_owned(),
            authorization: authorization.to_owned(),
            has_id_token: false,
            code: None,
            refresh_token: None,
        }
    }

    /// The same for an ID token beside the tokens.
    pub(crate) fn with_id_token(
        authorize: &str,
        token: &str,
        authorization: &str,
        session: &str,
    ) -> Self {
        let nonce = "n-0S6_WzA2Mj";
        let target =
            format!("{}&scope=openid%20read%20write&nonce={nonce}", Self::target(authorize));
        let authorize = get(&target, &[("Cookie", session)]);
        let dance = Self::new("", token, authorization, session);
        Self { authorize, has_id_token: true, ..dance }
    }

    fn target(authorize: &str) -> String {
        format!(
            "{authorize}?response_type=code&client_id=bench&redirect_uri={REDIRECT_URI}\
             &state=af0ifjsldkj&code_challenge={CHALLENGE}&code_challenge_method=S256"
        )
    }
}

impl Script for Dance {
    fn request(&mut self, out: &mut Vec<u8>) {
        let Some(code) = &self.code else {
            out.extend_from_slice(&self.authorize);
            return;
        };
        write_post(
            out,
            &self.token,
            &self.authorization,
            &[
                "grant_type=authorization_code&code=",
                code,
                "&code_verifier=",
                VERIFIER,
                "&redirect_uri=",
                REDIRECT_URI,
            ],
        );
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        if self.code.take().is_none() {
            if !(302..=303).contains(&answer.status) {
                answer.expect(302)?;
            }
            self.code = Some(query(answer.location()?, "code")?.to_owned());
            return Ok(Progress::Ongoing);
        }
        answer.expect(200)?;
        if self.has_id_token {
            answer.json_text("id_token")?;
        }
        self.refresh_token = Some(answer.json_text("refresh_token")?.to_owned());
        Ok(Progress::Done)
    }
}

/// A refresh token that rotates, after one flow that issues the first.
pub(crate) struct Refresh {
    dance: Dance,
}

impl Refresh {
    /// `dance` issues the first refresh token.
    pub(crate) fn new(dance: Dance) -> Self {
        Self { dance }
    }
}

impl Script for Refresh {
    fn request(&mut self, out: &mut Vec<u8>) {
        let Some(token) = &self.dance.refresh_token else {
            return self.dance.request(out);
        };
        let form = ["grant_type=refresh_token&refresh_token=", token];
        write_post(out, &self.dance.token, &self.dance.authorization, &form);
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        if self.dance.refresh_token.is_none() {
            self.dance.answer(answer)?;
            return Ok(Progress::Ongoing);
        }
        answer.expect(200)?;
        self.dance.refresh_token = Some(answer.json_text("refresh_token")?.to_owned());
        Ok(Progress::Done)
    }
}

/// A visitor without cookies who logs in: to the start of the login, back with the code that the
/// other service would give, then by the application's redirects (or a page that continues by
/// itself) until a page names the visitor.
pub(crate) struct Visit {
    start: String,
    target: String,
    code: String,
    /// Whether the visitor asks for the last page again, instead of a new visitor who logs in.
    stays: bool,
    cookies: BTreeMap<String, String>,
}

impl Visit {
    /// `start` begins the login.
    pub(crate) fn new(start: &str) -> Self {
        Self::with_code(start, "stubcode")
    }

    /// A visitor for whom the other service has this code.
    pub(crate) fn with_code(start: &str, code: &str) -> Self {
        let (start, code) = (start.to_owned(), code.to_owned());
        Self { target: start.clone(), start, code, stays: false, cookies: BTreeMap::new() }
    }

    /// Asks for the page again and again after one login.
    pub(crate) fn staying(start: &str) -> Self {
        Self { stays: true, ..Self::new(start) }
    }

    /// Continues with another page.
    pub(crate) fn open(&mut self, target: &str) {
        target.clone_into(&mut self.target);
    }

    /// Reads a response. Returns whether it is a page, which ends the redirects.
    pub(crate) fn follow(&mut self, answer: &Answer<'_>) -> Result<bool> {
        self.keep_cookies(answer);
        let hop = answer.headers("refresh").find_map(|refresh| refresh.strip_prefix("0;url="));
        if answer.status == 200 && hop.is_none() {
            return Ok(true);
        }
        if hop.is_none() && !(302..=303).contains(&answer.status) {
            answer.expect(302)?;
        }
        let location = hop.map_or_else(|| answer.location(), Ok)?;
        self.target = if location.contains("/stub/authorize?") {
            // The other service is played here: it would redirect back with a code.
            let back = percent_decoded(query(location, "redirect_uri")?)?;
            let join = if back.contains('?') { '&' } else { '?' };
            let state = query(location, "state")?;
            // The code of an OpenID Provider is the nonce, so that it need not remember anything.
            let code = query(location, "nonce").unwrap_or(&self.code);
            format!("{}{join}code={code}&state={state}", path(&back))
        } else {
            path(location).to_owned()
        };
        Ok(false)
    }

    fn keep_cookies(&mut self, answer: &Answer<'_>) {
        for cookie in answer.headers("set-cookie") {
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() || attributes.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Script for Visit {
    fn request(&mut self, out: &mut Vec<u8>) {
        let mut cookies = String::with_capacity(512);
        for (name, value) in &self.cookies {
            for part in [if cookies.is_empty() { "" } else { "; " }, name, "=", value] {
                cookies.push_str(part);
            }
        }
        let header = [("Cookie", cookies.as_str())];
        write_get(out, &self.target, if cookies.is_empty() { &[] } else { &header });
    }

    fn answer(&mut self, answer: &Answer<'_>) -> Result<Progress> {
        if !self.follow(answer)? {
            return Ok(Progress::Ongoing);
        }
        if !std::str::from_utf8(answer.body)?.contains("octo") {
            return Err("the visitor came out as nobody".into());
        }
        if !self.stays {
            self.cookies.clear();
            self.target.clone_from(&self.start);
        }
        Ok(Progress::Done)
    }
}

/// The path and query of a URL, or of a text that is only these.
fn path(url: &str) -> &str {
    let Some((_, rest)) = url.split_once("://") else { return url };
    rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")
}

fn percent_decoded(text: &str) -> Result<String> {
    let form = format!("v={text}");
    let value = url::form_urlencoded::parse(form.as_bytes()).next().ok_or("nothing to decode")?.1;
    Ok(value.into_owned())
}
