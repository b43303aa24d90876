//! The service that an example logs in with.

use std::error::Error;

use quadrille::{
    consumer::Client,
    testing::{Emulated, FakeService},
};

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
    println!("{} is emulated at {url}, unless you {missing}.", S::SPEC.title);
    Ok(S::client("an-example", "a-secret").hosted_at(url))
}
