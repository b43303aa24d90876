//! A login with GitHub in an application of actix-web, without axum:
//! `cargo run --package quadrille-example-actix`.
//!
//! With `GITHUB_OAUTH_CLIENT_ID` and `GITHUB_OAUTH_CLIENT_SECRET` set it is the real GitHub. The
//! callback to register there is <http://localhost:3000/login/github/authorized>.

#![allow(clippy::print_stdout, reason = "an example says where it is")]

#[path = "../../../crates/quadrille/examples/shared/mod.rs"]
mod shared;

use std::{error::Error as StdError, fmt};

use actix_web::{
    App, HttpMessage as _, HttpRequest, HttpResponse, HttpServer, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header},
    middleware::{Next, from_fn},
    web::{Data, ReqData, get, post, resource},
};
use http::{HeaderMap, HeaderName, HeaderValue};
use quadrille::{
    Error, GitHub, KeyRing, Login, Owner,
    consumer::{Begin, BrowserError, Jar},
    page::Page,
};

/// A handler's result.
type Answer = Result<HttpResponse, Problem>;

/// This application has no users of its own: an account belongs to a browser.
const NOBODY: Owner = Owner::NOBODY;

#[tokio::main]
async fn main() -> Result<(), Box<dyn StdError>> {
    let (listener, url) = shared::listen().await?;
    let login = Login::new(KeyRing::ephemeral(), url).with(shared::client::<GitHub>().await?);
    login.check()?;
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(login.clone()))
            .wrap(from_fn(with_cookies))
            .route("/", get().to(home))
            .service(
                resource("/login/github").route(get().to(leave)).route(post().to(leave_by_form)),
            )
            .route("/login/github/authorized", get().to(come_back))
            .route("/log-out", post().to(log_out))
    });
    Ok(server.listen(listener.into_std()?)?.run().await?)
}

/// The request's headers, in the types that Quadrille reads: those of http 1.
#[derive(Clone)]
struct Headers(HeaderMap);

/// Gives each request its jar, and adds the jar's cookies to the response, also of an error.
async fn with_cookies(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let header = |(name, value): (&header::HeaderName, &header::HeaderValue)| {
        let name = HeaderName::from_bytes(name.as_str().as_bytes()).ok()?;
        Some((name, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    let headers: HeaderMap = request.headers().iter().filter_map(header).collect();
    let jar = Jar::new(&headers);
    request.extensions_mut().insert(jar.clone());
    request.extensions_mut().insert(Headers(headers));
    let mut response = next.call(request).await?;
    for cookie in jar.close() {
        let cookie = header::HeaderValue::from_bytes(cookie.as_bytes())?;
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

/// For everybody; with an account, a call of the service.
async fn home(login: Data<Login>, jar: ReqData<Jar>) -> Answer {
    let github = match login.linked_in_request::<GitHub>(&jar, &NOBODY).await {
        Ok(github) => github,
        Err(Error::NotLinked(who)) => {
            return Ok(page(&Page::new("Welcome").link("Log in with GitHub", &who.login_url)));
        }
        Err(error) => return Err(error.into()),
    };
    let me = github.profile().await?;
    let name = me.user_name.unwrap_or_else(|| me.subject.clone());
    Ok(page(&Page::new(format!("You are {name} on GitHub")).form("Log out", "/log-out", &[])))
}

/// A link to the login. If another site sent the visitor, a page asks first.
async fn leave(login: Data<Login>, jar: ReqData<Jar>, headers: ReqData<Headers>) -> Answer {
    if login.must_ask(&headers.0, &NOBODY, false) {
        let asking = Page::new("Log in with GitHub?").form("Go on", "/login/github", &[]);
        return Ok(page(&asking.link("Back", "/")));
    }
    let url = login.begin(&jar, &Begin::new("github").next("/")).await?;
    Ok(redirect(&url))
}

/// The form of the page that asks. Browsers refuse a redirect to another site in response to a
/// form, so a page goes on.
async fn leave_by_form(login: Data<Login>, jar: ReqData<Jar>, headers: ReqData<Headers>) -> Answer {
    check_origin(&login, &headers)?;
    let url = login.begin(&jar, &Begin::new("github").next("/")).await?;
    Ok(page(&Page::new("GitHub").link("Go on", &url)))
}

/// The callback.
async fn come_back(login: Data<Login>, jar: ReqData<Jar>, request: HttpRequest) -> Answer {
    let finished = login.finish(&jar, "github", request.query_string(), &NOBODY).await?;
    Ok(redirect(&finished.next))
}

/// Revokes the token at the service, and removes the account.
async fn log_out(login: Data<Login>, jar: ReqData<Jar>, headers: ReqData<Headers>) -> Answer {
    check_origin(&login, &headers)?;
    match login.linked_in_request::<GitHub>(&jar, &NOBODY).await {
        Ok(github) => drop(github.log_out().await?),
        Err(Error::NotLinked(_)) => {}
        Err(error) => return Err(error.into()),
    }
    Ok(redirect("/"))
}

/// Refuses forms of other sites.
fn check_origin(login: &Login, headers: &Headers) -> Result<(), Error> {
    match login.must_ask(&headers.0, &NOBODY, true) {
        true => Err(BrowserError::NotThisOrigin.into()),
        false => Ok(()),
    }
}

fn redirect(url: &str) -> HttpResponse {
    HttpResponse::SeeOther().insert_header((header::LOCATION, url)).finish()
}

fn page(page: &Page) -> HttpResponse {
    page_with(StatusCode::OK, page)
}

/// A page with its headers, in the types of actix-web.
fn page_with(status: StatusCode, page: &Page) -> HttpResponse {
    let (parts, body) = page.to_response(http::StatusCode::OK).into_parts();
    let mut response = HttpResponse::build(status);
    for (name, value) in &parts.headers {
        response.insert_header((name.as_str(), value.as_bytes()));
    }
    response.body(body)
}

/// A login or a call that failed.
#[derive(Debug)]
struct Problem(Error);

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.0.status().as_u16()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn error_response(&self) -> HttpResponse {
        let problem = Page::new("That did not work").code(self.0.code());
        page_with(self.status_code(), &problem.link("Back", "/"))
    }
}
