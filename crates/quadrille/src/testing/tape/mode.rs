//! What a tape is opened for.

use std::{env, str::FromStr};

use super::error::TapeError;

/// The environment variable with the mode.
const VARIABLE: &str = "QUADRILLE_TAPE";

/// The use of a tape. Without [`Tape::open_as`](super::Tape::open_as) it is that of the environment
/// variable `QUADRILLE_TAPE` (`record`, `replay` or `replay-or-fail`); without the variable
/// [`Replay`](Self::Replay), or [`ReplayOrFail`](Self::ReplayOrFail) where `CI` is set.
///
/// ```
/// use quadrille::testing::TapeMode;
///
/// assert_eq!("replay-or-fail".parse(), Ok(TapeMode::ReplayOrFail));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TapeMode {
    /// Each request goes to the network, and the tape is written anew.
    Record,
    /// Requests are answered from the tape. Those that it lacks go to the network, and are added.
    Replay,
    /// Requests are answered from the tape. One that it lacks is an error that names it.
    ReplayOrFail,
}

impl TapeMode {
    /// The mode of the environment.
    pub(super) fn from_env() -> Result<Self, TapeError> {
        match env::var(VARIABLE) {
            Ok(mode) => mode.parse(),
            Err(_) if env::var_os("CI").is_some_and(|ci| !ci.is_empty()) => Ok(Self::ReplayOrFail),
            Err(_) => Ok(Self::Replay),
        }
    }
}

impl FromStr for TapeMode {
    type Err = TapeError;

    fn from_str(name: &str) -> Result<Self, TapeError> {
        match name {
            "record" => Ok(Self::Record),
            "replay" => Ok(Self::Replay),
            "replay-or-fail" => Ok(Self::ReplayOrFail),
            other => Err(TapeError::Mode(other.to_owned())),
        }
    }
}
