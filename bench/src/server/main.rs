//! Quadrille in an application, beside the bare handlers: the same accept loop, runtime, allocator
//! and profile.

mod linked;
#[path = "../page.rs"]
mod page;
mod provider;
mod service;
#[path = "../serving.rs"]
mod serving;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().ok_or("what is to be served?")?;
    let storage = arguments.next().unwrap_or_default();
    let (port, origin) = serving::place()?;
    let app = match mode.as_str() {
        "memory" => provider::in_memory(&origin).await?,
        "sqlite" => provider::on_sqlite(&origin, &std::env::var("DATA_DIR")?).await?,
        "linked" => linked::site(&origin, &std::env::var("STUB")?, &storage).await?,
        "crowd" => linked::crowd(&origin, &std::env::var("STUB")?, &storage).await?,
        "service" => service::routes(),
        other => return Err(format!("there is no {other}").into()),
    };
    serving::serve(port, app).await
}
