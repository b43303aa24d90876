//! `quadrille login`.

use std::{path::PathBuf, time::Duration};

use clap::Args;
use quadrille::{Spec, consumer::Protocol};
use serde_json::{Value, json};

use crate::{
    Failure,
    login::{Flow, LoggedIn, LoginError, Registration, Request},
    output::Output,
};

use super::table::{self, when};

#[derive(Args, Debug)]
#[command(after_help = "\
The token is printed alone on standard output, and everything else on standard error. The identifier
and the secret of your application come from variables such as GITHUB_OAUTH_CLIENT_ID and
GITHUB_OAUTH_CLIENT_SECRET, and so do options such as AZURE_OAUTH_TENANT; without a secret, the
client is public. Register http://127.0.0.1/callback as its redirect URI.

Examples:
  TOKEN=$(quadrille login github)
  quadrille login github --device --client-id Iv1.0123 --scope gist
  quadrille login gitlab --base-url https://git.example --port 8017 --save token
  quadrille login azure --option tenant=contoso.example --json")]
pub(super) struct LoginArgs {
    /// The service: github, google, azure and so on; --list lists them
    #[arg(required_unless_present = "list")]
    service: Option<String>,
    /// List the services
    #[arg(long, conflicts_with = "service")]
    list: bool,
    /// The application's identifier at the service [env: GITHUB_OAUTH_CLIENT_ID, for example]
    #[arg(long, value_name = "ID")]
    client_id: Option<String>,
    /// Read the application's secret from this file [env: GITHUB_OAUTH_CLIENT_SECRET, for example]
    #[arg(long, value_name = "FILE")]
    client_secret_file: Option<PathBuf>,
    /// Request this scope in place of the usual ones; may be repeated
    #[arg(long, value_name = "SCOPE")]
    scope: Vec<String>,
    /// The URL of your installation of the service
    #[arg(long, value_name = "URL")]
    base_url: Option<String>,
    /// Set an option of the service, such as tenant=contoso.example; may be repeated
    #[arg(long, value_name = "KEY=VALUE")]
    option: Vec<String>,
    /// Show a code to type in on any device, instead of waiting for the browser of this machine
    #[arg(long)]
    device: bool,
    /// Listen on this port, as registered at the service, instead of a free one
    #[arg(long, conflicts_with = "device")]
    port: Option<u16>,
    /// The path of the redirect URI, as registered at the service
    #[arg(long, default_value = "/callback", conflicts_with = "device")]
    path: String,
    /// Put localhost into the redirect URI instead of 127.0.0.1: this machine's configuration decides
    /// where that name leads
    #[arg(long, conflicts_with = "device")]
    localhost_because_the_service_accepts_no_address: bool,
    /// The time to log in in the browser, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600, conflicts_with = "device")]
    timeout: u64,
    /// Save the token in this file, which only you can read, instead of printing it
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

pub(super) async fn run(args: &LoginArgs, output: Output) -> Result<(), Failure> {
    let Some(service) = &args.service else { return list(output) };
    let request = args.request(service)?;
    let tell = move |text: &str| output.note(text);
    let logging_in = request.log_in(tell);
    let mut done = tokio::select! {
        done = logging_in => done?,
        interrupted = tokio::signal::ctrl_c() => {
            interrupted?;
            return Err(Failure::Interrupted);
        }
    };
    let json = shown(service, &done);
    let text = match output.is_json() {
        true => json.to_string(),
        false => done.token.access_token.expose().to_owned(),
    };
    match done.save(&text)? {
        Some(path) => {
            output.note(&format!("The token is saved in {}.", path.display()));
            Ok(())
        }
        None => output.result(&json, || text),
    }
}

impl LoginArgs {
    fn request(&self, service: &str) -> Result<Request, LoginError> {
        let mut registration = Registration::from_environment(service)?;
        if let Some(id) = &self.client_id {
            registration.set("client_id", id);
        }
        if let Some(file) = &self.client_secret_file {
            registration.read_secret(file)?;
        }
        if !self.scope.is_empty() {
            registration.set("scopes", &self.scope.join(" "));
        }
        if let Some(url) = &self.base_url {
            registration.set("base_url", url);
        }
        for option in &self.option {
            registration.set_option(option)?;
        }
        let flow = match self.device {
            true => Flow::Device,
            false => Flow::Loopback {
                port: self.port,
                path: self.path.clone(),
                localhost: self.localhost_because_the_service_accepts_no_address,
                lasts: Duration::from_secs(self.timeout),
            },
        };
        Ok(Request { registration, flow, save: self.save.clone() })
    }
}

/// The result for programs.
fn shown(service: &str, done: &LoggedIn) -> Value {
    let token = &done.token;
    let mut shown = json!({
        "service": service,
        "subject": &*done.subject,
        "access_token": token.access_token.expose(),
        "scopes": token.scopes.iter().collect::<Vec<_>>(),
    });
    if let Value::Object(members) = &mut shown {
        if let Some(refresh) = &token.refresh_token {
            members.insert("refresh_token".to_owned(), refresh.expose().into());
        }
        if let Some(expires) = token.expires {
            members.insert("expires".to_owned(), when(expires).into());
        }
        if let Some(api) = &token.api {
            members.insert("api".to_owned(), (**api).into());
        }
    }
    shown
}

/// `quadrille login --list`.
fn list(output: Output) -> Result<(), Failure> {
    let services: Vec<_> = Spec::known()
        .iter()
        .filter_map(|spec| match spec.protocol {
            Protocol::OAuth2(oauth2) => Some((spec, oauth2)),
            _ => None,
        })
        .collect();
    let as_json: Vec<_> = services
        .iter()
        .map(|(spec, oauth2)| {
            json!({
                "service": spec.name,
                "title": spec.title,
                "device_flow": oauth2.device_authorization.is_some(),
                "any_port": oauth2.any_loopback_port,
            })
        })
        .collect();
    output.result(&as_json, || {
        let head = ["SERVICE", "NAME", "--device", "--port"];
        let rows = services.iter().map(|(spec, oauth2)| {
            let device = if oauth2.device_authorization.is_some() { "yes" } else { "" };
            let port = if oauth2.any_loopback_port { "any" } else { "registered" };
            [spec.name, spec.title, device, port]
        });
        table::list(head, rows)
    })
}
