//! What the examples have in common: the address of the application, and the service to log in
//! with. An application of your own needs neither.

use std::{env, error::Error};

use quadrille::{
    consumer::Client,
    testing::{Emulated, FakeService},
};
use tokio::net::TcpListener;

/// The application as registered at `S`: from the environment, as in
/// [`client_from_env`](quadrille::Service::client_from_env), or at an emulator of `S` that runs
/// until the program ends.
pub(crate) async fn client<S: Emulated>() -> Result<Client<S>, Box<dyn Error>> {
    let missing = match S::client_from_env() {
        Ok(client) => return Ok(client),
        Err(missing) => missing,
    };
    let service = FakeService::of::<S>("an-example", "a-secret");
    let url = service.listen(0).await?;
    println!("{} is emulated at {url}, because {missing}.", S::SPEC.title);
    Ok(S::client("an-example", "a-secret").hosted_at(url))
}

/// A socket on port 3000, or on `PORT`, and the address of the application on it.
pub(crate) async fn listen() -> Result<(TcpListener, String), Box<dyn Error>> {
    let port = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let url = format!("http://localhost:{}", listener.local_addr()?.port());
    println!("Open {url}");
    Ok((listener, url))
}
