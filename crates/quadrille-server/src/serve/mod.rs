//! `quadrille serve`.

use clap::Args;

use crate::{
    Failure,
    config::{Flags, Settings},
    output::Output,
};

/// Arguments of `quadrille serve`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  quadrille serve                                       http://localhost:4004, for a first try
  quadrille serve --data-dir /var/lib/quadrille --issuer https://id.example \\
      --trusted-proxy 127.0.0.1                         behind a proxy that speaks TLS

Several processes on one machine share a data directory, and with it the key ring in DIR/keys.
Where they cannot share the file, give each the same QUADRILLE_KEYS (newest first, separated by
commas; make a key with `openssl rand -base64 32`). Rotate by putting a new key in front.")]
pub struct ServeArgs {
    /// Where to listen; port 0 takes a free one [env: QUADRILLE_LISTEN] [default: 127.0.0.1:4004]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Believe Forwarded and X-Forwarded-For headers from this address or network; repeatable
    /// [env: QUADRILLE_TRUSTED_PROXIES]
    #[arg(long = "trusted-proxy", value_name = "CIDR")]
    trusted_proxies: Vec<String>,
    /// Take pages from this folder instead of the built-in ones [env: QUADRILLE_TEMPLATES]
    #[arg(long, value_name = "DIR")]
    templates: Option<String>,
}

impl ServeArgs {
    /// What was given, as settings.
    pub(crate) fn flags(&self, flags: &mut Flags) {
        flags.give("listen", "--listen", self.listen.as_deref());
        flags.give_all("trusted_proxies", "--trusted-proxy", &self.trusted_proxies);
        flags.give("templates", "--templates", self.templates.as_deref());
    }
}

/// Runs the provider until a signal ends it.
///
/// # Errors
/// [`Failure`] when it cannot start.
pub fn run(_settings: &Settings, _output: Output) -> Result<(), Failure> {
    Ok(())
}
