//! `quadrille fake`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use clap::Args;
use quadrille::{
    consumer::Protocol,
    testing::{Fault, SERVICES},
};
use serde_json::{Value, json};
use url::Url;

use crate::{
    Failure,
    fake::{self, Running, Wanted},
    output::Output,
    refused::Refused,
    serve::stop_signal,
};

use super::table;

/// Arguments of `quadrille fake`.
#[derive(Args, Debug)]
#[command(after_help = "\
The service listens on this machine alone, and is for tests: it has no passwords. With --json, one line
says where it is as soon as it answers. A test changes it at the URL `control`:
  GET /           its faults, and the requests that it got
  PUT /faults     the faults from now on, such as [\"slow\"]; [] ends all
  POST /users     an account, such as {\"login\": \"ada\"}
  POST /answers   the next answer, such as {\"for\": \"api\", \"status\": 500, \"body\": {}}

Examples:
  quadrille fake github --port 4010 --user '{\"login\": \"ada\"}'
  quadrille fake google --json --approve-as 1 --callback http://localhost:3000/callback
  quadrille fake gitlab --fault denied
  quadrille fake --tape tests/tapes/login.json --port 4010")]
pub(super) struct FakeArgs {
    /// The service: github, google, twitter and so on; --list lists them
    #[arg(required_unless_present_any = ["list", "tape"])]
    service: Option<String>,
    /// List the services and the faults
    #[arg(long, conflicts_with = "service")]
    list: bool,
    /// Play this tape, which `quadrille::testing` has recorded at a real service, instead of a fake
    #[arg(long, value_name = "FILE", conflicts_with_all = ["service", "list", "client_id", "client_secret", "users", "approve_as", "callbacks", "faults"])]
    tape: Option<PathBuf>,
    /// Listen on this port instead of a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// The identifier of the application that is registered at it
    #[arg(long, value_name = "ID", default_value = "a-client")]
    client_id: String,
    /// The secret of that application: for tests, and in no way secret
    #[arg(long, value_name = "SECRET", default_value = "a-secret")]
    client_secret: String,
    /// An account, by its claims as the API of the service names them; repeatable [default: Ada Lovelace]
    #[arg(long = "user", value_name = "JSON")]
    users: Vec<String>,
    /// Approve each request at once as the account of this number, without a page; the first --user is 1
    #[arg(long, value_name = "NUMBER")]
    approve_as: Option<u64>,
    /// Callback of the application, all others are refused; repeatable [default: any]
    #[arg(long = "callback", value_name = "URL")]
    callbacks: Vec<String>,
    /// Fault that it has from the beginning; repeatable
    #[arg(long = "fault", value_name = "NAME")]
    faults: Vec<String>,
}

/// Runs a fake service until SIGTERM or Ctrl-C.
pub(super) async fn run(args: &FakeArgs, output: Output) -> Result<(), Failure> {
    if let Some(path) = &args.tape {
        return play(path, args.port, output).await;
    }
    let Some(name) = &args.service else { return list(output) };
    let unknown = |what, name: &str, nearest: Option<&str>| {
        let (name, nearest) = (name.to_owned(), nearest.map(str::to_owned));
        Refused::NothingToFake { what, name, nearest }
    };
    let row = fake::service(name).map_err(|nearest| unknown("service", name, nearest))?;
    let faults = args
        .faults
        .iter()
        .map(|name| fake::fault(name).map_err(|nearest| unknown("fault", name, nearest)));
    let faults = faults.collect::<Result<Vec<Fault>, Refused>>()?;
    let users = args.users.iter().map(|user| match serde_json::from_str(user) {
        Ok(claims @ Value::Object(_)) => Ok(claims),
        _ => Err(Refused::FakeUser),
    });
    let users = users.collect::<Result<Vec<Value>, Refused>>()?;
    for (option, value) in
        [("--client-id", &args.client_id), ("--client-secret", &args.client_secret)]
    {
        if value.is_empty() {
            return Err(Refused::FakeClient(option).into());
        }
    }
    if args.approve_as == Some(0) {
        return Err(Refused::FakeAccount.into());
    }
    if let Some(callback) = args.callbacks.iter().find(|callback| !is_callback(callback)) {
        return Err(Refused::FakeCallback(callback.clone()).into());
    }
    let stop = stop_signal()?;
    let started = fake::start(Wanted {
        row,
        client_id: &args.client_id,
        client_secret: &args.client_secret,
        users: &users,
        callbacks: &args.callbacks,
        approves_as: args.approve_as,
        faults: &faults,
        port: args.port,
    });
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, args.port));
    let running = started.await.map_err(|error| Failure::Listen { address, error })?;
    output.result(&running, || text(&running))?;
    stop.await;
    Ok(())
}

/// Plays a tape until SIGTERM or Ctrl-C.
async fn play(path: &Path, port: u16, output: Output) -> Result<(), Failure> {
    let stop = stop_signal()?;
    let url = fake::play(path, port).await?;
    let tape = path.display();
    output.result(&json!({ "tape": path, "url": url }), || {
        format!("The tape {tape} is played at {url}, until Ctrl-C.")
    })?;
    stop.await;
    Ok(())
}

/// Whether an application can be reached at a callback: an absolute URL, or `oob` (OAuth 1.0a).
fn is_callback(callback: &str) -> bool {
    // `localhost:3000/callback` would be a URL with the scheme `localhost`.
    let is_absolute =
        |url: Url| url.has_host() || url.scheme().contains('.') || url.scheme() == "urn";
    callback == "oob" || Url::parse(callback).is_ok_and(is_absolute)
}

/// The service for people.
fn text(running: &Running) -> String {
    let Running { service, url, client_id, client_secret, control, .. } = running;
    let rows = [
        ("client_id", Some(client_id)),
        ("client_secret", Some(client_secret)),
        ("temporary credentials", running.temporary_credentials_endpoint.as_ref()),
        ("authorization", running.authorization_endpoint.as_ref()),
        ("tokens", running.token_endpoint.as_ref()),
        ("device logins", running.device_authorization_endpoint.as_ref()),
        ("account", running.account.as_ref()),
        ("issuer", running.issuer.as_ref()),
        ("control", Some(control)),
    ];
    let rows = rows.iter().filter_map(|(name, value)| Some([*name, value.as_ref()?.as_str()]));
    format!("A fake {service} answers at {url}, until Ctrl-C.\n{}", table::table(rows))
}

/// `quadrille fake --list`.
fn list(output: Output) -> Result<(), Failure> {
    let faults: Vec<_> = Fault::ALL.iter().map(|fault| fault.name()).collect();
    let services: Vec<_> = SERVICES
        .iter()
        .map(|row| {
            let protocol = match &row.spec.protocol {
                Protocol::OAuth1(_) => "OAuth 1.0a",
                Protocol::OAuth2(oauth2) if oauth2.openid.issuer.is_some() => "OpenID Connect",
                _ => "OAuth 2",
            };
            [row.spec.name, row.spec.title, protocol]
        })
        .collect();
    let as_json = services.iter().map(|[service, title, protocol]| {
        json!({ "service": service, "title": title, "protocol": protocol })
    });
    let as_json = json!({ "services": as_json.collect::<Vec<_>>(), "faults": faults });
    output.result(&as_json, || {
        let services = table::list(["SERVICE", "NAME", "PROTOCOL"], services.iter().copied());
        format!("{services}\n\nFaults: {}", faults.join(", "))
    })
}
