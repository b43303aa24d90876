//! A client of OAuth 1.0a.

use axum::body::Body;
use bytes::Bytes;
use http::{Request, Response};
use quadrille::{
    Policy, Secret,
    form::FormWriter,
    oauth1::{Credentials, Placement, SignatureMethod, Signer},
    provider::{
        AuthorizationServer, NewClient,
        oauth1::{NewKey, OAuth1},
    },
};

use crate::support::{Answer, Browser, CALLBACK, ISSUER, World};

pub(crate) const SECRET: &str = "a shared-secret of the client";

/// How most servers that exist would offer it.
pub(crate) fn offered() -> OAuth1 {
    OAuth1::new().allow_hmac_sha1_as_most_clients_sign()
}

/// What the client is: it may do both dances, and acts for itself.
pub(crate) fn client(new: NewClient) -> NewClient {
    new.oauth1(NewKey::ChosenSecret(SECRET.into())).oauth1_out_of_band()
}

pub(crate) async fn world() -> World {
    world_with(offered(), client).await
}

pub(crate) async fn world_with(
    oauth1: OAuth1,
    change: impl FnOnce(NewClient) -> NewClient,
) -> World {
    World::set_up(Policy::safe(), change, |server: AuthorizationServer| server.oauth1(oauth1)).await
}

/// One signed exchange after the other.
#[derive(Clone)]
pub(crate) struct Signing {
    pub(crate) signer: Signer,
}

impl Signing {
    pub(crate) fn new(world: &World) -> Self {
        Self::by(world, SignatureMethod::HmacSha256, SECRET)
    }

    pub(crate) fn by(world: &World, method: SignatureMethod, secret: &str) -> Self {
        let signer = Signer::hmac(method, &world.client.id, &Secret::from(secret)).unwrap();
        Self { signer }
    }

    pub(crate) fn with(&self, credentials: &Credentials) -> Self {
        Self { signer: self.signer.clone().token(&credentials.token, &credentials.secret) }
    }

    pub(crate) fn placed(&self, placement: Placement) -> Self {
        Self { signer: self.signer.clone().placement(placement) }
    }

    /// A request to this path of the server, signed.
    pub(crate) fn request(
        &self,
        world: &World,
        method: &str,
        path: &str,
        form: Option<&str>,
        further: &[(&str, &str)],
    ) -> Request<Body> {
        self.at(world, ISSUER, method, path, form, further)
    }

    /// Signed for `origin`, and sent without it, as servers get requests.
    pub(crate) fn at(
        &self,
        world: &World,
        origin: &str,
        method: &str,
        path: &str,
        form: Option<&str>,
        further: &[(&str, &str)],
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(format!("{origin}{path}"));
        if form.is_some() {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        let body = Bytes::from(form.unwrap_or("").to_owned());
        let request = request.body(body).unwrap();
        let signed = self.signer.sign(&world.env, request, further).unwrap();
        to_server(signed, origin)
    }

    pub(crate) async fn temporary(&self, world: &World, further: &[(&str, &str)]) -> Answer {
        let request = self.request(world, "POST", "/oauth/request_token", None, further);
        world.send(request).await
    }

    pub(crate) async fn token(
        &self,
        world: &World,
        temporary: &Credentials,
        verifier: &str,
    ) -> Answer {
        let further = [("oauth_verifier", verifier)];
        let signing = self.with(temporary);
        world.send(signing.request(world, "POST", "/oauth/access_token", None, &further)).await
    }

    /// Temporary credentials that lead back to the callback.
    pub(crate) async fn begin(&self, world: &World) -> Credentials {
        credentials(&self.temporary(world, &[("oauth_callback", CALLBACK)]).await)
    }

    /// Temporary credentials that a person approved, and the verifier.
    pub(crate) async fn approved(&self, world: &World, subject: &str) -> (Credentials, String) {
        let temporary = self.begin(world).await;
        world.sign_in(subject);
        let verifier = approve(world, &temporary).await;
        (temporary, verifier)
    }

    /// Token credentials of a person who grants everything.
    pub(crate) async fn linked(&self, world: &World, subject: &str) -> Credentials {
        let (temporary, verifier) = self.approved(world, subject).await;
        credentials(&self.token(world, &temporary, &verifier).await)
    }

    /// The photos, asked for with a signed request.
    pub(crate) async fn photos(&self, world: &World) -> Answer {
        world.send(self.request(world, "GET", "/api/photos", None, &[])).await
    }
}

/// The verifier, after the person who is signed in has agreed to everything.
pub(crate) async fn approve(world: &World, temporary: &Credentials) -> String {
    if world.signed_in.lock().unwrap().is_none() {
        world.sign_in("ada");
    }
    let mut browser = Browser::default();
    let mut page = authorize(world, &mut browser, &temporary.token).await;
    if page.status() == 200 {
        page = browser.answer(world, &page, "decision=all").await;
    }
    assert_eq!(page.query("oauth_token"), temporary.token);
    page.query("oauth_verifier")
}

/// As it arrives: without the origin in the request line, with it in the Host header.
pub(crate) fn to_server(request: Request<Bytes>, origin: &str) -> Request<Body> {
    let (mut parts, body) = request.into_parts();
    let host = origin.split_once("://").unwrap().1;
    parts.headers.insert("host", host.parse().unwrap());
    parts.uri = parts.uri.path_and_query().unwrap().as_str().parse().unwrap();
    Request::from_parts(parts, Body::from(body))
}

pub(crate) async fn authorize(world: &World, browser: &mut Browser, token: &str) -> Answer {
    let mut query = FormWriter::new();
    query.append("oauth_token", token);
    browser.get(world, &format!("/oauth/authorize?{}", query.finish())).await
}

pub(crate) fn credentials(answer: &Answer) -> Credentials {
    assert_eq!(answer.status(), 200, "{answer:?}");
    Credentials::parse(&response(answer)).unwrap()
}

pub(crate) fn response(answer: &Answer) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(answer.text().to_owned()));
    *response.status_mut() = http::StatusCode::from_u16(answer.status()).unwrap();
    *response.headers_mut() = answer.headers().clone();
    response
}

/// The word in the challenge of a refusal.
pub(crate) fn problem(answer: &Answer) -> String {
    let challenges = answer.headers().get_all("www-authenticate");
    let challenges = challenges.iter().map(|value| value.to_str().unwrap());
    let ours = challenges.into_iter().find(|value| value.starts_with("OAuth "));
    let ours = ours.unwrap_or_else(|| panic!("no challenge: {answer:?}"));
    let (_, rest) = ours.split_once("oauth_problem=\"").unwrap_or(("", "\""));
    rest.split('"').next().unwrap().to_owned()
}
