//! Quadrille in an application, beside the bare handlers: the same accept loop, runtime, allocator
//! and profile.

mod linked;
mod login;
mod provider;
mod service;

use axum::{
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt as _,
};

use quadrille::Env;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().ok_or("what is to be served?")?;
    let storage = arguments.next().unwrap_or_default();
    let port: u16 = std::env::var("PORT")?.parse()?;
    let origin = format!("http://127.0.0.1:{port}");
    let app = match mode.as_str() {
        "memory" => provider::in_memory(&origin).await?,
        "sqlite" => provider::on_sqlite(&origin, &std::env::var("DATA_DIR")?).await?,
        "login" => login::site(&origin, &std::env::var("STUB")?)?,
        "sessions" => login::site_with_sessions(&origin, &std::env::var("STUB")?)?,
        "linked" => linked::site(&origin, &std::env::var("STUB")?, &storage).await?,
        "crowd" => linked::crowd(&origin, &std::env::var("STUB")?, &storage).await?,
        "service" => service::routes(),
        other => return Err(format!("there is no {other}").into()),
    };
    let app = app.route("/hello", get(hello));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}

async fn hello() -> Response {
    json("{\"ok\":true}")
}

/// The response of `/hello`, as in the bare handlers.
fn json(body: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

/// The id of a session.
fn new_id(env: &Env) -> String {
    env.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a cookie. `name` ends with `=`.
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|pair| pair.strip_prefix(name))
}
