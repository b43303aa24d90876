//! What all servers of Quadrille's side share: the accept loop, `/hello`, cookies.

use axum::{
    Router,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt as _,
};
use quadrille::Env;

use crate::Result;

/// The port in the environment, and the origin at it.
pub(crate) fn place() -> Result<(u16, String)> {
    let port = std::env::var("PORT")?.parse()?;
    Ok((port, format!("http://127.0.0.1:{port}")))
}

/// Serves a site until the process ends.
pub(crate) async fn serve(port: u16, app: Router) -> Result<()> {
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
pub(crate) fn json(body: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}

/// The id of a session.
pub(crate) fn new_id(env: &Env) -> String {
    env.random::<16>().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The value of a cookie. `name` ends with `=`.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split("; ").find_map(|pair| pair.strip_prefix(name))
}
