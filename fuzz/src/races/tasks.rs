//! The tasks of a race, and their objects.

use std::{sync::Arc, time::Duration};

use arbitrary::Arbitrary;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, header};
use quadrille::{
    Authentication, Env, Secret,
    form::FormWriter,
    oauth1::{Credentials, SignatureMethod, Signer},
    oauth2::{AuthorizationRequest, pkce::Verifier},
};

use crate::{
    nature::Nature,
    world::{Answer, Browser, CLIENTS, ISSUER, Process, USERS},
};

/// A task. Each is correct by itself.
#[derive(Arbitrary, Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    Redeem,
    Refresh,
    SayYes,
    SayNo,
    Call,
    /// Introspection.
    Ask,
    Exchange,
    /// The same request for every task, from any sender.
    SendSigned,
    RevokeAccess,
    RevokeRefresh,
    RevokeSigned,
    RevokeUser,
    RevokeConsent,
    RemoveClient,
    RotateSecret,
}

impl What {
    /// Whether the task ends all grants of the user.
    pub(super) fn ends_all(self) -> bool {
        matches!(self, Self::RevokeUser | Self::RevokeConsent | Self::RemoveClient)
    }

    /// Whether the task ends the tokens from before the race.
    pub(super) fn ends_tokens(self) -> bool {
        self.ends_all() || matches!(self, Self::RevokeAccess | Self::RevokeRefresh)
    }

    /// Whether the task ends the token credentials from before the race.
    pub(super) fn ends_credentials(self) -> bool {
        self.ends_all() || self == Self::RevokeSigned
    }

    pub(super) fn takes_away(self) -> bool {
        self.ends_tokens() || self.ends_credentials()
    }
}

/// The outcome of a task.
#[derive(Debug, Default)]
pub(super) struct Did {
    pub(super) is_done: bool,
    pub(super) access: Option<String>,
    pub(super) refresh: Option<String>,
    pub(super) code: Option<String>,
    pub(super) credentials: Option<Credentials>,
    pub(super) secret: Option<String>,
}

/// The objects from before the race, all of one client and one user.
pub(super) struct Things {
    env: Env,
    secret: String,
    code: String,
    pub(super) access: String,
    pub(super) refresh: String,
    browser: Browser,
    ticket: String,
    temporary: Credentials,
    verifier: String,
    credentials: Credentials,
    signed: Request<Bytes>,
}

const URI: &str = CLIENTS[0].redirect_uris[0];
const FORM: &str = "application/x-www-form-urlencoded";

impl Things {
    pub(super) async fn prepare(nature: &Nature, process: &Process) -> Arc<Self> {
        let secret = process.server.rotate_secret(CLIENTS[0].id, Duration::ZERO).await;
        let user = Some(Authentication::new(USERS[0], nature.now()));
        let mut browser = Browser { user, ..Browser::default() };
        let mut things = Self {
            env: nature.env(),
            secret: secret.expect("a secret").expose().to_owned(),
            code: String::new(),
            access: String::new(),
            refresh: String::new(),
            browser: Browser::default(),
            ticket: String::new(),
            temporary: Credentials::token("", Secret::default()),
            verifier: String::new(),
            credentials: Credentials::token("", Secret::default()),
            signed: Request::default(),
        };
        things.code = things.new_code(process, &mut browser).await;
        let bought = things.redeem(process).await;
        things.access = bought.access.expect("a token");
        things.refresh = bought.refresh.expect("a token");
        things.code = things.new_code(process, &mut browser).await;
        things.temporary = things.begin(process).await;
        things.verifier = things.approve(process, &mut browser).await;
        let bought = things.exchange(process).await;
        things.credentials = bought.credentials.expect("credentials");
        things.temporary = things.begin(process).await;
        things.verifier = things.approve(process, &mut browser).await;
        things.signed = things.signed(Some(&things.credentials), "GET", "/here/any", &[]);
        let page = things.page(process, &mut browser, true).await;
        things.ticket = page.lines("field=ticket=").next().expect("a ticket").to_owned();
        things.browser = browser;
        Arc::new(things)
    }

    async fn page(&self, process: &Process, browser: &mut Browser, asks: bool) -> Answer {
        let mut request = AuthorizationRequest::new(CLIENTS[0].id);
        request.redirect_uri = Some(URI.into());
        request.code_challenge = Some(Verifier::from_bytes(&[1; 32]).challenge());
        let url = request.to_url("https://id.example/oauth/authorize").expect("a URL");
        let path = url.strip_prefix(ISSUER).expect("its own");
        let prompt = if asks { "&prompt=consent" } else { "" };
        browser.get(process, &format!("{path}{prompt}")).await
    }

    async fn new_code(&self, process: &Process, browser: &mut Browser) -> String {
        let mut answer = self.page(process, browser, false).await;
        let form = answer.lines("field=ticket=").next().map(yes);
        if let Some(form) = form {
            answer = browser.post(process, "/oauth/consent", form).await;
        }
        answer.parameter(URI, "code").expect("a code")
    }

    async fn post(&self, process: &Process, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.post_with(process, path, fields, &self.secret).await
    }

    async fn post_with(
        &self,
        process: &Process,
        path: &str,
        fields: &[(&str, &str)],
        secret: &str,
    ) -> Answer {
        let mut form = FormWriter::new();
        for (name, value) in fields {
            form.append(name, value);
        }
        let basic = BASE64_STANDARD.encode(format!("{}:{secret}", CLIENTS[0].id));
        let request = Request::post(path)
            .header(header::AUTHORIZATION, format!("Basic {basic}"))
            .header(header::CONTENT_TYPE, FORM)
            .body(Bytes::from(form.finish()));
        process.send(request.expect("a request")).await
    }

    fn bought(answer: &Answer) -> Did {
        if answer.status != 200 {
            return Did::default();
        }
        let (access, refresh) = (answer.member("access_token"), answer.member("refresh_token"));
        Did { is_done: true, access, refresh, ..Did::default() }
    }

    async fn redeem(&self, process: &Process) -> Did {
        let verifier = Verifier::from_bytes(&[1; 32]);
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", &self.code),
            ("redirect_uri", URI),
            ("code_verifier", verifier.expose()),
        ];
        Self::bought(&self.post(process, "/oauth/token", &fields).await)
    }

    async fn refresh(&self, process: &Process, refresh: &str) -> Did {
        let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
        Self::bought(&self.post(process, "/oauth/token", &fields).await)
    }

    pub(super) async fn refreshes(&self, process: &Process, refresh: &str) -> bool {
        self.refresh(process, refresh).await.is_done
    }

    pub(super) async fn is_valid(&self, process: &Process, access: &str) -> bool {
        let bearer = format!("Bearer {access}");
        let request = Request::get("/here/any").header(header::AUTHORIZATION, bearer);
        process.send(request.body(Bytes::new()).expect("a token")).await.status == 200
    }

    pub(super) async fn authenticates(&self, process: &Process, secret: &str) -> bool {
        let fields = [("token", "none")];
        self.post_with(process, "/oauth/introspect", &fields, secret).await.status == 200
    }

    fn signed(
        &self,
        token: Option<&Credentials>,
        method: &str,
        path: &str,
        further: &[(&str, &str)],
    ) -> Request<Bytes> {
        let secret = Secret::from(CLIENTS[0].oauth1.expect("a secret"));
        let signer = Signer::hmac(SignatureMethod::HmacSha256, CLIENTS[0].id, &secret);
        let mut signer = signer.expect("a key");
        if let Some(token) = token {
            signer = signer.token(&token.token, &token.secret);
        }
        let request = Request::builder().method(method).uri(format!("{ISSUER}{path}"));
        let request = request.body(Bytes::new()).expect("a request");
        let mut request = signer.sign(&self.env, request, further).expect("signed");
        *request.uri_mut() = path.parse().expect("a path");
        request.headers_mut().insert(header::HOST, "id.example".parse().expect("a host"));
        request
    }

    async fn begin(&self, process: &Process) -> Credentials {
        let further = [("oauth_callback", URI)];
        let request = self.signed(None, "POST", "/oauth/request_token", &further);
        Credentials::parse(process.send(request).await.response()).expect("credentials")
    }

    async fn approve(&self, process: &Process, browser: &mut Browser) -> String {
        let mut query = FormWriter::after_url("/oauth/authorize");
        query.append("oauth_token", &self.temporary.token);
        let mut answer = browser.get(process, &query.finish()).await;
        let form = answer.lines("field=ticket=").next().map(yes);
        if let Some(form) = form {
            answer = browser.post(process, "/oauth/consent", form).await;
        }
        answer.parameter(URI, "oauth_verifier").expect("a verifier")
    }

    async fn exchange(&self, process: &Process) -> Did {
        let further = [("oauth_verifier", &*self.verifier)];
        let request = self.signed(Some(&self.temporary), "POST", "/oauth/access_token", &further);
        let answer = process.send(request).await;
        let credentials = Credentials::parse(answer.response()).ok();
        Did { is_done: answer.status == 200, credentials, ..Did::default() }
    }

    pub(super) async fn credentials_are_valid(&self, process: &Process) -> bool {
        self.are_valid(process, &self.credentials).await
    }

    pub(super) async fn are_valid(&self, process: &Process, credentials: &Credentials) -> bool {
        let request = self.signed(Some(credentials), "GET", "/here/any", &[]);
        process.send(request).await.status == 200
    }
}

fn yes(ticket: &str) -> String {
    let mut form = FormWriter::new();
    form.append("ticket", ticket).append("decision", "all");
    form.finish()
}

pub(super) async fn run(what: What, process: &Process, things: &Things) -> Did {
    let server = &process.server;
    let done = |is_done: bool| Did { is_done, ..Did::default() };
    match what {
        What::Redeem => things.redeem(process).await,
        What::Refresh => things.refresh(process, &things.refresh).await,
        What::SayYes => {
            let form = yes(&things.ticket);
            let answer = things.browser.clone().post(process, "/oauth/consent", form).await;
            let code = answer.parameter(URI, "code");
            Did { is_done: code.is_some(), code, ..Did::default() }
        }
        What::SayNo => {
            let mut form = FormWriter::new();
            form.append("ticket", &things.ticket).append("decision", "no");
            let form = form.finish();
            let answer = things.browser.clone().post(process, "/oauth/consent", form).await;
            done(answer.parameter(URI, "error").is_some())
        }
        What::Call => done(things.is_valid(process, &things.access).await),
        What::Ask => {
            let fields = [("token", &*things.access)];
            let answer = things.post(process, "/oauth/introspect", &fields).await;
            done(answer.status == 200 && answer.json()["active"] == true)
        }
        What::Exchange => things.exchange(process).await,
        What::SendSigned => done(process.send(things.signed.clone()).await.status == 200),
        What::RevokeAccess | What::RevokeRefresh => {
            let is_access = what == What::RevokeAccess;
            let token = if is_access { &things.access } else { &things.refresh };
            let answer = things.post(process, "/oauth/revoke", &[("token", token)]).await;
            done(answer.status == 200)
        }
        What::RevokeSigned => {
            let request = things.signed(Some(&things.credentials), "POST", "/oauth/revoke", &[]);
            done(process.send(request).await.status == 200)
        }
        What::RevokeUser => done(server.revoke_subject(USERS[0]).await.is_ok()),
        What::RevokeConsent => done(server.revoke_consent(USERS[0], CLIENTS[0].id).await.is_ok()),
        What::RemoveClient => done(server.remove_client(CLIENTS[0].id).await.expect("no fault")),
        What::RotateSecret => {
            let overlap = Duration::from_secs(3600);
            let secret = server.rotate_secret(CLIENTS[0].id, overlap).await.ok();
            let secret = secret.map(|secret| secret.expose().to_owned());
            Did { is_done: secret.is_some(), secret, ..Did::default() }
        }
    }
}
