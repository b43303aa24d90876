//! The demo as a program.

use std::{net::SocketAddr, process::ExitCode};

use clap::Parser;
use quadrille_demo::{Demo, PASSWORD, USER};
use quadrille_server::{
    Failure, cli,
    config::{Flags, Settings, environment},
    logging,
    output::Output,
    serve::stop_signal,
};
use serde_json::json;

/// Shows a whole dance in your browser: a provider, a website, and every message between them
#[derive(Debug, Parser)]
#[command(name = "quadrille-demo", version)]
struct Arguments {
    /// Address of the website, on this machine; port 0 picks a free port [default: 127.0.0.1:8017,
    /// or a free port]
    #[arg(long, value_name = "ADDRESS", value_parser = on_this_machine)]
    listen: Option<SocketAddr>,
    /// Address of the provider, on this machine; port 0 picks a free port [default:
    /// 127.0.0.1:8018, or a free port]
    #[arg(long, value_name = "ADDRESS", value_parser = on_this_machine)]
    provider_listen: Option<SocketAddr>,
    /// Log level: off, error, warn, info, debug or trace [env: QUADRILLE_LOG]
    #[arg(long, value_name = "LEVEL")]
    log: Option<String>,
    /// Log format: text or json [env: QUADRILLE_LOG_FORMAT]
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<String>,
    /// Print the result as a line of JSON on standard output, errors and remarks as JSON on
    /// standard error
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    match cli::parse::<Arguments>(std::env::args_os()) {
        Ok(arguments) => {
            let output = Output::new(arguments.json);
            cli::ended(arguments.run(output), output)
        }
        Err(code) => code,
    }
}

impl Arguments {
    /// Runs the demo until Ctrl-C.
    fn run(&self, output: Output) -> Result<(), Failure> {
        logging::start_for_command(&self.settings(output)?, output);
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let demo = Demo::start(self.listen, self.provider_listen).await?;
            let stop = stop_signal()?;
            let ready = json!({
                "website": demo.website(),
                "provider": demo.provider(),
                "username": USER,
                "password": PASSWORD,
            });
            output.result(&ready, || format!("Open {} in your browser.", demo.website()))?;
            output.note("Press Ctrl-C to stop the demo; it keeps no data.");
            demo.run(stop).await;
            Ok(())
        })
    }

    /// The program's settings. The demo uses those of the log only.
    fn settings(&self, output: Output) -> Result<Settings, Failure> {
        let mut flags = Flags::default();
        flags.give("log", "--log", self.log.as_deref());
        flags.give("log_format", "--log-format", self.log_format.as_deref());
        let (settings, remarks) = Settings::load(flags, environment(), None)?;
        for remark in remarks {
            output.note(&remark.to_string());
        }
        Ok(settings)
    }
}

/// The demo's password is public, so the demo must not be reachable from other machines.
fn on_this_machine(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "not an address such as 127.0.0.1:8017".to_owned())?;
    if !address.ip().is_loopback() {
        return Err("the demo is for this machine only: its password is known".to_owned());
    }
    Ok(address)
}
