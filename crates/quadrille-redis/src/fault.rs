//! The errors of Redis, as the reasons of a storage.

use quadrille::consumer::StorageError;
use redis::{ErrorKind, RedisError, ServerErrorKind};
use tracing::error;

/// The reason, after a line in the log.
pub(crate) fn logged(verb: &'static str, error: &RedisError) -> StorageError {
    let reason = reason(error);
    error!(verb, %error, %reason, "Redis failed");
    reason
}

fn reason(error: &RedisError) -> StorageError {
    match (error.kind(), error.code()) {
        (ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::NoPerm), _) => {
            StorageError::Unwritable
        }
        // Out of memory, its disk cannot be written, too few replicas.
        (_, Some("OOM" | "MISCONF" | "NOREPLICAS")) => StorageError::Unwritable,
        // A key that somebody else uses.
        (_, Some("WRONGTYPE")) | (ErrorKind::UnexpectedReturnType, _) => StorageError::Unreadable,
        _ => StorageError::Unavailable,
    }
}
