//! Quadrille as a program would use it, beside the bare handlers: the same accept loop, runtime,
//! allocator and profile.
use axum::{
    Router,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
    serve::ListenerExt as _,
};

type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let port: u16 = std::env::var("PORT")?.parse()?;
    let app = Router::new().route("/hello", get(hello));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, app).await?)
}

async fn hello() -> Response {
    json("{\"ok\":true}")
}

fn json(body: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (headers, body).into_response()
}
