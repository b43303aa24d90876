//! Quadrille in an application, beside the bare handlers: the same accept loop, runtime, allocator
//! and profile.

mod provider;
#[path = "../serving.rs"]
mod serving;

use quadrille::{
    Env,
    provider::{AuthorizationServer, store::MemoryStore},
};

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

/// A provider that loses its data when it ends.
fn in_memory(origin: &str) -> Result<AuthorizationServer> {
    Ok(AuthorizationServer::new(origin, MemoryStore::new(Env::system()))?)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mode = std::env::args().nth(1).ok_or("what is to be served?")?;
    let (port, origin) = serving::place()?;
    let app = match mode.as_str() {
        "memory" => provider::application(in_memory(&origin)?).await?,
        "sqlite" => provider::on_sqlite(&origin, &std::env::var("DATA_DIR")?).await?,
        other => return Err(format!("there is no {other}").into()),
    };
    serving::serve(port, app).await
}
