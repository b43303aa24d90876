//! A provider on SQLite, PostgreSQL or MariaDB. A program of its own, so that the one without a server of a
//! database has no driver in it.

mod databases;
#[path = "../server/provider.rs"]
mod provider;
#[path = "../serving.rs"]
mod serving;

type Error = Box<dyn std::error::Error + Send + Sync>;
type Result<T, E = Error> = std::result::Result<T, E>;

#[tokio::main]
async fn main() -> Result<()> {
    let mode = std::env::args().nth(1).ok_or("what is to be served?")?;
    let (port, origin) = serving::place()?;
    let app = match mode.as_str() {
        "sqlite" => provider::on_sqlite(&origin, &std::env::var("DATA_DIR")?).await?,
        "postgres" => databases::on_postgres(&origin, &std::env::var("PG_URL")?).await?,
        "mariadb" => databases::on_mariadb(&origin, &std::env::var("MY_URL")?).await?,
        other => return Err(format!("there is no {other}").into()),
    };
    serving::serve(port, app).await
}
