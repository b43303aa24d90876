//! The faults of a tape.

use std::{io, path::PathBuf};

/// A fault of a tape, or of a request that it does not have. No variant contains a secret.
///
/// ```
/// use quadrille::testing::{Tape, TapeError, TapeMode};
///
/// # let folder = tempfile::tempdir()?;
/// let path = folder.path().join("github_user.json");
/// std::fs::write(&path, "{\n  \"quadrille_tape\": 1,\n  \"exchanges\": nothing\n}")?;
/// let error = Tape::open_as(&path, TapeMode::ReplayOrFail).unwrap_err();
/// assert!(matches!(error, TapeError::Damaged { line: 3, .. }));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TapeError {
    /// The tape has no such exchange, or all of them have been played.
    #[error(
        "the tape {} lacks the exchange {request}{}; QUADRILLE_TAPE=record records the tape again",
        path.display(),
        nearest.as_ref().map(|it| format!(", the nearest is {it}")).unwrap_or_default()
    )]
    Lacks {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// The exchange on the tape that is most like it, and the difference.
        nearest: Option<String>,
    },
    /// The tape has this request with another body.
    #[error(
        "the tape {} has another body of {request}: {difference}; QUADRILLE_TAPE=record records \
         the tape again",
        path.display()
    )]
    OtherBody {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// The first difference, without secrets.
        difference: String,
    },
    /// The tape has this exchange at another place ([`Tape::in_order`](super::Tape::in_order)).
    #[error("the next exchange on the tape {} is {next}, and the request is {request}", path.display())]
    OutOfOrder {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// Those of the next exchange on the tape.
        next: String,
    },
    /// The file is no tape.
    #[error("the tape {} is damaged at line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The fault there.
        reason: String,
    },
    /// The file contains a secret: it was written by hand, or by another program.
    #[error(
        "the tape {} contains a secret: the member {member} of exchange {exchange}; if it is none, add \
         its name to the list \"public\" of the file",
        path.display()
    )]
    ContainsSecret {
        /// The file.
        path: PathBuf,
        /// The number of the exchange, from 1.
        exchange: usize,
        /// The path of the member.
        member: String,
    },
    /// An exchange would put a secret on the tape, so it is not written.
    #[error(
        "{request} is not written to the tape {}: a secret is left in the member {member} of \
         exchange {exchange}; if it is none, declare its name by Tape::public",
        path.display()
    )]
    SecretLeft {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// The number of the exchange that would contain it, from 1.
        exchange: usize,
        /// The path of the member.
        member: String,
    },
    /// A value looks random, and its name does not say whether it is a secret, so the exchange is not
    /// written.
    #[error(
        "{request} is not written to the tape {}: the member {member} of exchange {exchange} may be a \
         secret; declare its value by Tape::secret({name:?}, value), or, if it is none, its name by \
         Tape::public({name:?})",
        path.display()
    )]
    Unclear {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// The number of the exchange that would contain it, from 1.
        exchange: usize,
        /// The path of the member.
        member: String,
        /// The name of the value.
        name: String,
    },
    /// The tape lacks the exchange, and the request has a placeholder as its credentials, which no
    /// service accepts. Nothing was sent.
    #[error(
        "{}, to record {request} on the tape {}: the request has a placeholder as its credentials",
        match variable {
            Some(variable) => format!("set {variable} to an access token"),
            None => "set QUADRILLE_TAPE=record".to_owned(),
        },
        path.display()
    )]
    Placeholder {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// The environment variable of [`Tape::token`](super::Tape::token).
        variable: Option<String>,
    },
    /// The tape lacks the exchange, and the network did not answer the request, either.
    #[error("{fault}; the network: {cause}")]
    Unreached {
        /// The fault of the tape.
        fault: Box<Self>,
        /// The fault of the network.
        cause: String,
    },
    /// A body has more than 16 MiB.
    #[error("{request} has a body that is too long for the tape {}", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
    },
    /// An ID token on the tape cannot be issued again.
    #[error(
        "the tape {} cannot issue the ID token in the response to {request}: {reason}",
        path.display()
    )]
    NotIssued {
        /// The file.
        path: PathBuf,
        /// The method and the URL of the request, without secrets.
        request: String,
        /// The reason.
        reason: NotIssued,
    },
    /// The file cannot be read or written.
    #[error("the tape {}: {error}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The fault of the file.
        error: io::ErrorKind,
    },
    /// `QUADRILLE_TAPE` is none of the modes.
    #[error("QUADRILLE_TAPE is {0:?}: it must be record, replay or replay-or-fail")]
    Mode(String),
}

/// The reason why a replay cannot issue an ID token.
///
/// ```
/// use quadrille::testing::NotIssued;
///
/// assert!(NotIssued::NonceUnknown.to_string().contains("Browser::log_in(&tape"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotIssued {
    /// The login has not begun at the tape, so its `nonce` is not known.
    #[error(
        "its nonce is not known, because the login has not begun at the tape; begin it by \
         `Browser::log_in(&tape, ...)` or `Tape::approve`"
    )]
    NonceUnknown,
    /// The service signs by the client secret, which the request does not contain, or a shorter one
    /// than the algorithm requires.
    #[error(
        "it is signed by the client secret, and the request contains none that is long enough \
         for the algorithm"
    )]
    SecretUnknown,
    /// The token on the tape is not `{"alg": ..., "claims": {...}}`.
    #[error(
        "the member id_token on the tape must be {{\"alg\": ..., \"claims\": {{...}}}}, with an \
         algorithm that is known"
    )]
    Malformed,
}
