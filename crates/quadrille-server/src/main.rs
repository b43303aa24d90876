//! The `quadrille` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    quadrille_server::run()
}
