//! Linked accounts over each storage, and the service of a crowd that logs in. A program of its own, so that
//! the provider's has no databases of accounts in it, as an application with a provider has none.

mod linked;
#[path = "../page.rs"]
mod page;
mod service;
#[path = "../serving.rs"]
mod serving;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mode = arguments.next().ok_or("what is to be served?")?;
    let (port, origin) = serving::place()?;
    let storage = arguments.next().unwrap_or_default();
    let app = match mode.as_str() {
        "linked" => linked::site(&origin, &std::env::var("STUB")?, &storage).await?,
        "crowd" => linked::crowd(&origin, &std::env::var("STUB")?, &storage).await?,
        "service" => service::routes(),
        other => return Err(format!("there is no {other}").into()),
    };
    serving::serve(port, app).await
}
