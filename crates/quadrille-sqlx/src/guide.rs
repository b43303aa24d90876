//! The guide's pages, whose examples are compiled and run.

#![doc = include_str!("../../../docs/src/consumer/sql.md")]
#![cfg_attr(
    all(feature = "postgres", feature = "provider"),
    doc = include_str!("../../../docs/src/provider/sql.md")
)]
