//! The consumer as its users see it: an application, a browser, a service.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::string_slice,
    clippy::unreachable,
    reason = "a test may fail"
)]

mod support;

mod adopt;
mod answers;
mod api;
mod attempts;
mod bad_input;
#[cfg(feature = "memory-cache")]
mod cached_storage;
mod calls;
mod canary;
mod cookies;
mod cross_site;
mod data;
mod defects;
mod errors;
mod examples;
mod facts;
mod fakes;
mod faults;
mod file_storage;
mod files;
mod form_post;
mod guide;
mod hooks;
mod identity;
mod library;
mod logout;
mod many;
mod native;
mod network;
mod oauth1;
mod odd_answers;
mod openid;
mod options;
mod owners;
mod pages;
mod parameters;
mod popup;
mod problems;
mod programs;
mod refresh;
mod repeated;
mod revoked;
mod running;
mod same_token;
mod scopes;
mod scripts;
mod servers;
mod services;
mod settings;
#[cfg(feature = "sqlite")]
mod shared;
mod storage_faults;
mod storages;
mod tenants;
mod unwritten;
mod users;
mod visit;
mod whole_site;
