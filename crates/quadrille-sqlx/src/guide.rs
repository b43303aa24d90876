//! The guide's page, whose examples are compiled and run.

#![doc = include_str!("../../../docs/src/consumer/sql.md")]
