//! A server with a thousand grants.

use std::{hint::black_box, pin::Pin};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{Request, Response, header, request::Builder};
use quadrille::{
    Authentication, Env, Scopes,
    guard::Guard,
    provider::{AuthorizationServer, NewClient, Step},
};

use crate::timing::Result;

pub(crate) type Visit<'s> = Pin<Box<dyn Future<Output = Result<()>> + 's>>;

/// The number of grants.
pub(crate) const GRANTS: usize = 1000;

/// The verifier and challenge of RFC 7636, appendix B.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const REDIRECT_URI: &str = "https%3A%2F%2Fapp.example%2Fcallback";

/// A server whose grants are of one user and client, or each of its own.
pub(crate) struct Site {
    server: AuthorizationServer,
    guard: Guard,
    is_of_one: bool,
    /// The value of the `Authorization` header of each client.
    clients: Vec<String>,
    /// Access token and refresh token of each grant.
    tokens: Vec<(String, String)>,
}

impl Site {
    /// A server with the grants.
    pub(crate) async fn new(server: AuthorizationServer, is_of_one: bool) -> Result<Self> {
        let server = server.scopes([("read", "See things"), ("write", "Change things")]);
        let mut clients = Vec::new();
        for number in 0..GRANTS {
            let client = NewClient::confidential("Bench")
                .id(format!("client-{number}"))
                .redirect_uri("https://app.example/callback")
                .scopes(Scopes::parse("read write")?)
                .first_party();
            let registered = server.register(client).await?;
            let secret = registered.secret.ok_or("no secret")?;
            let pair = format!("client-{number}:{}", secret.expose());
            clients.push(format!("Basic {}", BASE64_STANDARD.encode(pair)));
        }
        let guard = Guard::new(&server);
        let mut site = Self { server, guard, is_of_one, clients, tokens: Vec::new() };
        for at in 0..GRANTS {
            let tokens = site.tokens(at).await?;
            site.tokens.push(tokens);
        }
        Ok(site)
    }

    /// A grant more.
    pub(crate) async fn dance(&mut self, at: usize) -> Result<()> {
        black_box(self.tokens(at).await?);
        Ok(())
    }

    pub(crate) async fn check(&mut self, at: usize) -> Result<()> {
        let token = format!("Bearer {}", self.held(at)?.0);
        let request = Request::get("/things").header(header::AUTHORIZATION, token).body(())?;
        let checked = self.guard.check(&request.into_parts().0, b"").await?;
        black_box(checked.ok_or("no token")?);
        Ok(())
    }

    pub(crate) async fn introspect(&mut self, at: usize) -> Result<()> {
        let form = format!("token={}", self.held(at)?.0);
        let answer = self.server.introspect(self.form("/oauth/introspect", at, form)?).await;
        match answer.body().starts_with(b"{\"active\":true") {
            true => Ok(()),
            false => Err(told("introspection", &answer)),
        }
    }

    pub(crate) async fn refresh(&mut self, at: usize) -> Result<()> {
        let form = format!("grant_type=refresh_token&refresh_token={}", self.held(at)?.1);
        let tokens = self.issued(at, form).await?;
        *self.tokens.get_mut(at).ok_or("no grant")? = tokens;
        Ok(())
    }

    /// A grant more, and its end.
    pub(crate) async fn revoke(&mut self, at: usize) -> Result<()> {
        let form = format!("token={}", self.tokens(at).await?.1);
        let answer = self.server.revoke(self.form("/oauth/revoke", at, form)?).await;
        if answer.status() == 200 { Ok(()) } else { Err(told("revocation", &answer)) }
    }

    fn held(&self, at: usize) -> Result<&(String, String)> {
        self.tokens.get(at).ok_or_else(|| "no such grant".into())
    }

    /// The number of user and client.
    fn number(&self, at: usize) -> usize {
        if self.is_of_one { 0 } else { at }
    }

    /// The tokens of a new grant.
    async fn tokens(&self, at: usize) -> Result<(String, String)> {
        let number = self.number(at);
        let request = Request::get(format!(
            "/oauth/authorize?response_type=code&client_id=client-{number}&redirect_uri={REDIRECT_URI}\
             &scope=read%20write&state=af0ifjsldkj\
             &code_challenge={CHALLENGE}&code_challenge_method=S256"
        ));
        let asked = self.server.authorize(request.body(Bytes::new())?).await;
        let asked = asked.map_err(|reply| told("authorization", &reply.into()))?;
        let user = Authentication::new(format!("user-{number}"), Env::system().now());
        let Step::Done(reply) = asked.step(Some(user)).await else {
            return Err("a page for the user".into());
        };
        let answer = Response::<Bytes>::from(reply);
        let location = answer.headers().get(header::LOCATION).and_then(|url| url.to_str().ok());
        let query = location.and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        let code = query.split('&').find_map(|pair| pair.strip_prefix("code="));
        let code = code.ok_or_else(|| told("authorization", &answer))?;
        let form = format!(
            "grant_type=authorization_code&code={code}&code_verifier={VERIFIER}\
             &redirect_uri={REDIRECT_URI}"
        );
        self.issued(at, form).await
    }

    async fn issued(&self, at: usize, form: String) -> Result<(String, String)> {
        let answer = self.server.token(self.form("/oauth/token", at, form)?).await;
        let tokens: serde_json::Value = serde_json::from_slice(answer.body())?;
        let text = |name: &str| tokens.get(name).and_then(|text| text.as_str()).map(str::to_owned);
        let both = text("access_token").zip(text("refresh_token"));
        both.ok_or_else(|| told("token", &answer))
    }

    fn form(&self, path: &str, at: usize, form: String) -> Result<Request<Bytes>> {
        let client = self.clients.get(self.number(at)).ok_or("no such client")?;
        let request: Builder = Request::post(path)
            .header(header::AUTHORIZATION, client)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        Ok(request.body(form.into())?)
    }
}

/// An answer that was not expected.
fn told(request: &str, answer: &Response<Bytes>) -> Box<dyn std::error::Error> {
    let (status, body) = (answer.status(), String::from_utf8_lossy(answer.body()));
    format!("{request}: {status} {body}").into()
}
