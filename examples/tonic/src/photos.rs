//! The messages of the service, and the code that tonic generates for it (see `build.rs`).

#![allow(
    clippy::all,
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    reason = "generated code, of which each side uses its half"
)]

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct ListRequest {}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Photo {
    #[prost(string, tag = "1")]
    pub(crate) title: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub(crate) struct Album {
    #[prost(string, tag = "1")]
    pub(crate) of: String,
    #[prost(string, repeated, tag = "2")]
    pub(crate) titles: Vec<String>,
}

include!(concat!(env!("OUT_DIR"), "/photos.Photos.rs"));
