//! `quadrille serve`.

mod checks;
mod logouts;
#[cfg(target_os = "linux")]
mod notify;
mod object_keys;
mod pages;
mod private;
mod remarks;
mod seals;
mod socket;
mod waiting;

use std::{future::Future, net::SocketAddr, sync::Arc, time::Duration};

use clap::Args;
use quadrille::{jose::Rotation, provider::ClientMetadataDocuments};

use crate::{
    Failure, audit,
    config::{Flags, Settings},
    data::{Data, DataError, SigningKeysWatch, rotation},
    http::{Limits, Served, Server, reserve},
    issuer::Issuer,
    output::Output,
    standing::Standing,
    traces,
    web::{App, AppError, Parts, Phase},
    words::quoted,
};
pub(crate) use checks::{audit_log_fails, check};
use logouts::Teller;
pub(crate) use object_keys::object_keys;
use pages::pages;
use remarks::{point_out, point_out_elsewhere};
use socket::{BACKLOG, bind};

/// The longest time between two looks at the signing keys.
const WATCH: Duration = Duration::from_secs(2);

/// The time for which a key signs that only commands replace: a thousand years.
const BY_COMMAND: Duration = Duration::from_secs(1000 * 365 * 24 * 3600);

/// Arguments of `quadrille serve`.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  quadrille serve                                       http://localhost:4004, for a first try
  quadrille serve --data-dir /var/lib/quadrille --issuer https://id.example \\
      --trusted-proxy 127.0.0.1                         behind a proxy that speaks TLS

Several processes on one machine share a data directory, and with it the key ring in DIR/keys.
Processes on several machines share a --database on a server; give each the same QUADRILLE_KEYS
(newest first, separated by commas; make a key with `openssl rand -base64 32`).")]
pub struct ServeArgs {
    /// Address and port to listen on; port 0 picks a free port [env: QUADRILLE_LISTEN] [default: 127.0.0.1:4004]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<String>,
    /// Trust the X-Forwarded-For header from this address or network, or the Forwarded header with
    /// --set proxy_header=forwarded; repeatable
    /// [env: QUADRILLE_TRUSTED_PROXIES]
    #[arg(long = "trusted-proxy", value_name = "CIDR")]
    trusted_proxies: Vec<String>,
    /// Look access tokens up in this streaming standby of the database; repeatable
    /// [env: QUADRILLE_READ_FROM]
    #[arg(long, value_name = "URL")]
    read_from: Vec<String>,
    /// Use pages from this folder instead of the built-in ones [env: QUADRILLE_TEMPLATES]
    #[arg(long, value_name = "DIR")]
    templates: Option<String>,
    /// Keep codes, and requests that wait for users, in a cache: memory, files:DIR, redis://HOST,
    /// rediss://HOST or memcached://HOST [env: QUADRILLE_CACHE] [default: none]
    #[arg(long, value_name = "CACHE")]
    cache: Option<String>,
    /// Also offer the device authorization grant, for devices without a browser, to clients that are
    /// registered for it [env: QUADRILLE_DEVICE_ENABLED]
    #[arg(long)]
    device: bool,
    /// Also offer OAuth 1.0a, to clients that are registered for it
    /// [env: QUADRILLE_OAUTH1_ENABLED]
    #[arg(long)]
    oauth1: bool,
    /// Rename the issuer of the data directory: existing tokens become invalid, and every client
    /// needs the new issuer
    #[arg(long)]
    rename_issuer: bool,
    /// Accept another openid_pairwise_secret than before: clients with pairwise subjects take every
    /// user for a new one
    #[arg(long)]
    replace_pairwise_secret: bool,
    /// Serve data although it was moved into another database, which is given up: codes and tokens that
    /// were used or revoked there are valid again. Once is enough
    #[arg(long)]
    serve_data_that_was_moved_away_so_that_revoked_tokens_are_valid_again: bool,
}

impl ServeArgs {
    /// The given flags, as settings.
    pub(crate) fn flags(&self, flags: &mut Flags) {
        flags.give("listen", "--listen", self.listen.as_deref());
        flags.give_all("trusted_proxies", "--trusted-proxy", &self.trusted_proxies);
        flags.give("cache", "--cache", self.cache.as_deref());
        flags.give_all("read_from", "--read-from", &self.read_from);
        flags.give("templates", "--templates", self.templates.as_deref());
        flags.give("device.enabled", "--device", self.device.then_some("true"));
        flags.give("oauth1.enabled", "--oauth1", self.oauth1.then_some("true"));
    }
}

/// Runs the provider until a signal ends it. `again` has the flags that other commands need to work
/// on the same provider.
///
/// # Errors
/// [`Failure`] if the provider cannot start.
pub fn run(
    args: &ServeArgs,
    settings: &Settings,
    again: &str,
    output: Output,
) -> Result<(), Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        // New connections wait in the global queue. In a flood, a processor would look there too
        // rarely to get through a thousand of them within seconds.
        .global_queue_interval(2)
        .build()?
        .block_on(serve(args, settings, again, output))
}

async fn serve(
    args: &ServeArgs,
    settings: &Settings,
    again: &str,
    output: Output,
) -> Result<(), Failure> {
    settings.registration.check(settings)?;
    let address = settings.listen;
    let failure = |error| Failure::Listen { address, error };
    let socket = bind(address).map_err(failure)?;
    let listening = socket.local_addr().map_err(failure)?;
    let private = settings.metrics_listen.map(private::listen).transpose()?;
    let data = waiting::open(settings).await?;
    let nevertheless = args.serve_data_that_was_moved_away_so_that_revoked_tokens_are_valid_again;
    data.refuse_moved(nevertheless).await?;
    let settings = &*settings.for_issuer(data.known_issuer().await?.as_ref());
    let keys = data.keys(settings).await?;
    let place = data.signing(settings).await?;
    // The first start makes an RSA key, which may take seconds. Meanwhile connections wait to be accepted.
    let signing = tokio::spawn(place.clone().keys_to_serve(settings.clone(), data.env().clone()));
    let (issuer, serving) = data.serve_as(settings, listening, args.rename_issuer).await?;
    if settings.issuer.is_none() {
        point_out_elsewhere(&issuer, listening);
    }
    data.served_with(settings).await?;
    data.served_with_pairwise_secret(settings, args.replace_pairwise_secret).await?;
    data.join(settings)?;
    let taking_signed = data.take_signed(&settings.oauth1)?;
    let cache = data.cache(settings, &keys).await?;
    data.record_cache(settings).await?;
    let listener = socket.listen(BACKLOG).map_err(failure)?;
    let name = settings.name.as_deref().unwrap_or(issuer.authority());
    let pages = pages(name, &issuer, settings)?;
    let signing = signing.await.map_err(|_| DataError::Stopped)??;
    let app = App::new(Parts {
        env: data.env().clone(),
        policy: settings.policy.clone(),
        endpoints: settings.paths.endpoints.clone(),
        device: settings.device.offer().map(|device| device.page(&settings.paths.device)),
        redirects_tokens: settings.send_access_tokens_in_redirects_so_that_they_can_leak,
        clients_see_passwords: settings.let_clients_see_passwords_of_users,
        oauth1: settings.oauth1.offer(),
        scopes: settings.scopes.clone(),
        openid: settings.openid.clone(),
        object_keys: object_keys(settings)?,
        resources: settings.resources.clone(),
        signing_keys: signing.clone(),
        access_token_format: settings.access_token_format,
        token_prefixes: settings.token_prefixes.clone(),
        jwt_resources: settings.jwt_resources.clone(),
        client_documents: client_documents(settings, name)?,
        registration: settings.registration.offer(name, &settings.trusted_issuers),
        grant_types: Some(settings.grant_types.clone()),
        trusted_issuers: settings.trusted_issuers.clone(),
        token_exchange: settings.token_exchange.clone(),
        session_lifetime: settings.session_lifetime,
        fetches: settings.fetches.clone(),
        personal_tokens: settings.personal_tokens.clone(),
        users_delete_their_accounts: settings.let_users_delete_their_accounts,
        cache,
        ..Parts::new(issuer.clone(), data.backend().clone(), keys.clone(), pages)
    })
    .await?;
    data.still_to_serve().await?;
    let limits = Limits {
        header_timeout: settings.header_timeout,
        body_timeout: settings.body_timeout,
        write_timeout: settings.write_timeout,
        shutdown_timeout: settings.shutdown_timeout,
        max_connections: reserve(settings.max_connections),
        max_connections_per_address: settings.max_connections_per_address,
        trusted_proxies: settings.trusted_proxies.clone(),
        proxy_header: settings.proxy_header,
    };
    let watched = SigningKeysWatch::new(place, data.env().clone(), signing.as_ref());
    watch(watched, settings.clone(), app.clone());
    reopen_on_hangup()?;
    // The handler is installed before the program announces itself, so a stop at once is heard.
    let stop = stop_signal()?;
    let standing = Standing::default();
    let served = Served {
        standing: standing.clone(),
        router: app.router(),
        pages: Some(app.served_pages()),
        endpoints: settings.paths.endpoints.clone(),
    };
    let server = Server::new(data.env().clone(), issuer.clone(), limits, served);
    let clients = app.server().clients().await?;
    point_out(settings, &clients);
    seals::look(Arc::clone(data.backend()), app.server().clone());
    let aside = private.as_ref().map(|private| private.address);
    let listening = (listening, aside);
    announce(&data, &app, (settings, again), (listening, !clients.is_empty()), output).await?;
    if let Some(private) = &private {
        private.routes.started(app.clone());
    }
    #[cfg(target_os = "linux")]
    notify::ready();
    let teller = Teller::start(app.clone());
    let mut replaced = None;
    let mut time_left = None;
    let stop = async {
        tokio::select! {
            () = draining(stop, app.phase().clone(), settings.drain_time) => {}
            error = data.replaced((&issuer, &keys), app.server(), &standing) => replaced = Some(error),
        }
        time_left = Some(tokio::time::sleep(settings.shutdown_timeout));
    };
    if !server.run(listener, stop).await {
        tracing::warn!("some requests were not answered in time");
    }
    if let Some(time_left) = time_left {
        teller.finish(app.server(), time_left).await;
    }
    data.close(app.server().clone()).await;
    drop((serving, taking_signed));
    tracing::info!("stopped");
    traces::flush().await;
    replaced.map_or(Ok(()), |error| Err(error.into()))
}

/// Rotates the signing keys when they are due, and has the server sign with them also after a command or another process changed them.
fn watch(mut watch: SigningKeysWatch, settings: Settings, app: App) {
    let server = app.server().clone();
    tokio::spawn(async move {
        let mut has_failed = false;
        // Clients with long lifetimes make the overlap longer: they are listed if a key may be due.
        let mut known: Option<Rotation> = None;
        loop {
            watch.pause(WATCH).await;
            let period = settings.signing_keys_rotate_every.unwrap_or(BY_COMMAND);
            let shortest = || rotation(&settings, &[], period);
            let listed = match watch.is_due(&known.unwrap_or_else(shortest)).await {
                true => server.clients().await.ok(),
                false => None,
            };
            if let Some(clients) = listed {
                let rotation = rotation(&settings, &clients, period);
                known = Some(rotation);
                let rotated = watch.rotate(&rotation).await;
                if let (Err(error), false) = (&rotated, has_failed) {
                    tracing::error!(%error, "the signing keys cannot be rotated");
                }
                has_failed = rotated.is_err();
                app.phase().keys_rotate(!has_failed);
            }
            if let Some(keys) = watch.changed().await {
                server.replace_signing_keys(keys);
                tracing::info!("the signing keys were changed");
            }
        }
    });
}

/// The settings of client ID metadata documents at a site of this name, if they are on.
fn client_documents(
    settings: &Settings,
    name: &str,
) -> Result<Option<ClientMetadataDocuments>, AppError> {
    if !settings.client_metadata_documents {
        return Ok(None);
    }
    let documents = ClientMetadataDocuments::fetched_by(settings.fetches.fetcher()?)
        .reserved_names([name])
        .reserved_names(&settings.registration.reserved_names);
    Ok(Some(match &settings.client_metadata_document_scopes {
        Some(scopes) => documents.scopes(scopes.clone()),
        None => documents,
    }))
}

/// Waits for SIGTERM or Ctrl-C.
///
/// # Errors
/// [`Failure::System`] if the system does not deliver signals.
pub fn stop_signal() -> Result<impl Future<Output = ()>, Failure> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let (mut term, mut int) =
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        Ok(async move {
            tokio::select! {
                _ = term.recv() => {}
                _ = int.recv() => {}
            }
            tracing::info!("stopping: requests under way are answered");
        })
    }
    #[cfg(not(unix))]
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
        tracing::info!("stopping: requests under way are answered");
    })
}

/// Waits for the signal, and then for as long as a load balancer needs to see that this process
/// stops. A second signal ends that.
async fn draining(stop: impl Future<Output = ()>, phase: Phase, time: Duration) {
    stop.await;
    #[cfg(target_os = "linux")]
    notify::stopping();
    phase.drain();
    if time.is_zero() {
        return;
    }
    tracing::info!("requests are accepted for {} more seconds", time.as_secs());
    let Ok(again) = stop_signal() else { return };
    tokio::select! {
        () = tokio::time::sleep(time) => {}
        () = again => {}
    }
}

/// Opens the audit log again at SIGHUP, which programs that rotate logs send after renaming it.
///
/// # Errors
/// [`Failure::System`] if the system does not deliver signals.
fn reopen_on_hangup() -> Result<(), Failure> {
    #[cfg(unix)]
    if audit::has_file() {
        use tokio::signal::unix::{SignalKind, signal};
        let mut hangup = signal(SignalKind::hangup())?;
        tokio::spawn(async move {
            while hangup.recv().await.is_some() {
                audit::reopen();
            }
        });
    }
    Ok(())
}

/// Reports that the provider runs and its URL, and tells a person the next step.
async fn announce(
    data: &Data,
    app: &App,
    (settings, again): (&Settings, &str),
    ((listening, aside), has_clients): ((SocketAddr, Option<SocketAddr>), bool),
    output: Output,
) -> Result<(), Failure> {
    let issuer = app.issuer();
    let mut ready =
        serde_json::json!({ "issuer": issuer.as_str(), "listening": listening.to_string() });
    if let (Some(ready), Some(aside)) = (ready.as_object_mut(), aside) {
        ready.insert("metrics_listening".to_owned(), aside.to_string().into());
    }
    let text = if output.is_json() {
        String::new()
    } else {
        let has_users = data.backend().has_users().await.map_err(|error| data.failure(error))?;
        let mut text = format!("Serving {issuer}\n");
        if issuer.origin() != Issuer::loopback(listening).origin() {
            text.push_str(&format!("Listening at {listening}\n"));
        }
        text.push_str(&format!("Data in {}\n", data.shown()));
        if let Some(aside) = aside {
            text.push_str(&format!("Measurements at http://{aside}/metrics\n"));
        }
        text.push_str(&next_steps(settings, again, has_users, has_clients));
        text.push_str(&endpoints(issuer, app.server().device_path(), settings));
        text.push_str(&for_others(issuer, settings));
        text.push_str("Stop with Ctrl-C.");
        text
    };
    output.result(&ready, || text)
}

/// The first steps, in commands that can be pasted into a shell.
fn next_steps(settings: &Settings, again: &str, has_users: bool, has_clients: bool) -> String {
    let mut text = String::new();
    if !has_users || !has_clients {
        text.push_str("\nNext, in another terminal:\n");
    }
    if !has_users {
        text.push_str(&format!("  quadrille user add ada{again}\n"));
    }
    if !has_clients {
        let names: Vec<_> = match settings.openid.enabled {
            true => vec!["openid", "profile", "email"],
            false => settings.scopes.keys().next().map(String::as_str).into_iter().collect(),
        };
        let scope: String = names.iter().map(|name| format!(" --scope {}", quoted(name))).collect();
        let site = "http://localhost:3000/login/quadrille";
        text.push_str(&format!(
            "  quadrille client add 'My application'{again} \\\n      --redirect-uri \
             {site}/authorized{scope}"
        ));
        if settings.openid.enabled {
            text.push_str(&format!(" \\\n      --post-logout-redirect-uri {site}/logged-out"));
        }
        text.push('\n');
    }
    text
}

/// The URLs that applications need.
fn endpoints(issuer: &Issuer, device: Option<&str>, settings: &Settings) -> String {
    let mut text = String::new();
    text.push_str(&format!("\nClients find the endpoints at\n  {}\n", issuer.metadata_url()));
    if settings.openid.enabled {
        text.push_str(&format!("  {issuer}/.well-known/openid-configuration\n"));
    }
    if let Some(path) = device {
        text.push_str(&format!(
            "Users type the codes of their devices in at\n  {}{path}\n",
            issuer.origin()
        ));
    }
    if settings.oauth1.enabled {
        let above = &settings.paths.endpoints;
        // OAuth 1.0a has no metadata.
        text.push_str("Clients that sign their requests (OAuth 1.0a) need these URLs\n");
        for endpoint in ["request_token", "authorize", "access_token"] {
            text.push_str(&format!("  {issuer}{above}/{endpoint}\n"));
        }
    }
    text
}

/// What a provider of this machine lacks for other people.
fn for_others(issuer: &Issuer, settings: &Settings) -> String {
    if !issuer.is_of_this_machine() {
        return String::new();
    }
    let openid = match settings.is_default("openid") {
        true => ", --set openid=true",
        false => "",
    };
    format!(
        "Only this machine reaches it. For other people, a proxy that speaks TLS goes in front:\n  \
         quadrille serve --issuer https://... --trusted-proxy ADDRESS{openid}\n"
    )
}
