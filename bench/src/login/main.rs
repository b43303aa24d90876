//! Quadrille's login alone, as the handwritten one is a program of its own: neither a database nor a
//! provider is in it.

#[path = "../page.rs"]
mod page;
#[path = "../serving.rs"]
mod serving;
mod site;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let mode = std::env::args().nth(1).ok_or("what is to be served?")?;
    let (port, origin) = serving::place()?;
    let service = std::env::var("STUB")?;
    let app = match mode.as_str() {
        "cookie" => site::in_cookies(&origin, &service)?,
        "sessions" => site::with_sessions(&origin, &service)?,
        "openid" => site::by_openid(&origin, &service)?,
        "linked" => page::attach(&page::login(&origin, &service)?)?,
        other => return Err(format!("there is no {other}").into()),
    };
    serving::serve(port, app).await
}
