//! The data directory.

use crate::{Failure, config::Settings, output::Output};

/// `quadrille migrate`.
pub(crate) fn migrate(_settings: &Settings, _output: Output) -> Result<(), Failure> {
    Ok(())
}
