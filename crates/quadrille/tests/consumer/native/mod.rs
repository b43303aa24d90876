//! Logins of programs: the device flow and the loopback flow.

mod device;
mod loopback;

use quadrille::{GitHub, KeyRing, Login, consumer::MemoryStorage, testing::FakeService};

use crate::support::SECRET;

/// A program with GitHub, and the service behind it.
struct World {
    service: FakeService,
    login: Login,
}

impl World {
    fn new() -> Self {
        let service = FakeService::of::<GitHub>("our-id", SECRET);
        let login = Login::new(KeyRing::ephemeral(), "http://localhost")
            .with(GitHub::new("our-id", SECRET))
            .storage(MemoryStorage::new())
            .http(service.clone());
        Self { service, login }
    }
}
