//! Tests of code that uses or extends this crate: a manual clock, a fake of each service to log in
//! with, tapes of the real ones, a whole provider in the process, a browser, and the contracts of
//! stores and token storages.

#[cfg(feature = "consumer")]
mod accounts;
#[cfg(feature = "consumer")]
mod approves;
#[cfg(feature = "consumer")]
mod assertions;
#[cfg(feature = "consumer")]
mod authorization;
#[cfg(all(feature = "axum", feature = "consumer"))]
mod browser;
#[cfg(feature = "provider")]
mod cached;
#[cfg(all(feature = "axum", feature = "consumer", feature = "provider"))]
mod client;
#[cfg(feature = "consumer")]
mod client_secret;
mod clock;
#[cfg(feature = "provider")]
pub mod contract;
#[cfg(feature = "consumer")]
mod device;
#[cfg(feature = "consumer")]
mod fake;
#[cfg(feature = "consumer")]
mod fake_openid;
#[cfg(feature = "consumer")]
mod fault;
#[cfg(all(feature = "axum", feature = "consumer"))]
mod forms;
#[cfg(feature = "consumer")]
mod handler;
#[cfg(feature = "consumer")]
mod hybrid;
#[cfg(feature = "consumer")]
mod key;
#[cfg(all(feature = "axum", feature = "consumer"))]
mod lack;
#[cfg(feature = "consumer")]
mod mannered;
#[cfg(feature = "consumer")]
mod metadata;
#[cfg(feature = "consumer")]
mod oauth1_service;
#[cfg(feature = "consumer")]
mod openid;
#[cfg(feature = "consumer")]
mod openid_fault;
#[cfg(all(feature = "axum", feature = "consumer"))]
mod page;
#[cfg(all(feature = "axum", feature = "consumer", feature = "provider"))]
mod provider;
#[cfg(feature = "consumer")]
mod request_object;
#[cfg(feature = "consumer")]
mod resource;
#[cfg(feature = "consumer")]
mod revocation;
#[cfg(feature = "consumer")]
mod rsa_key;
#[cfg(any(feature = "consumer", feature = "provider"))]
mod rules;
#[cfg(feature = "consumer")]
mod scene;
#[cfg(feature = "consumer")]
mod script;
#[cfg(all(feature = "axum", feature = "consumer"))]
mod server;
#[cfg(feature = "consumer")]
mod service;
#[cfg(feature = "consumer")]
pub mod storage;
#[cfg(feature = "consumer")]
mod tape;
#[cfg(feature = "consumer")]
pub mod users;
#[cfg(feature = "provider")]
pub mod volatile;

#[cfg(feature = "consumer")]
pub use crate::consumer::presets::manners::{Answers, Denial, Emulated, Manners, Refresh, Row};
#[cfg(all(feature = "axum", feature = "consumer"))]
pub use browser::{Browser, Page};
#[cfg(feature = "provider")]
pub use cached::cached;
#[cfg(all(feature = "axum", feature = "consumer", feature = "provider"))]
pub use client::{Granted, TestClient};
pub use clock::ManualClock;
#[cfg(all(feature = "axum", feature = "consumer", feature = "provider"))]
pub use provider::TestProvider;
#[cfg(feature = "consumer")]
pub use {
    approves::Approves,
    fake::FakeService,
    fault::Fault,
    openid_fault::OpenIdFault,
    script::Asked,
    tape::{NotIssued, Tape, TapeError, TapeMode},
};

/// The services that this crate describes.
///
/// ```
/// use quadrille::testing::SERVICES;
///
/// assert!(SERVICES.iter().any(|row| row.type_name == "GitHub"));
/// ```
#[cfg(feature = "consumer")]
pub static SERVICES: &[Row] = crate::consumer::presets::ROWS;

#[cfg(feature = "consumer")]
#[doc(inline)]
pub use crate::users_contract;
#[cfg(feature = "provider")]
#[doc(inline)]
pub use crate::{
    client_table_contract, clients_contract, grants_contract, once_contract,
    password_verifier_contract, store_contract, transfer_contract, user_table_contract,
    volatile_contract, volatile_store_contract,
};
#[cfg(feature = "consumer")]
#[doc(inline)]
pub use crate::{storage_contract, tape};
