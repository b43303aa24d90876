//! `quadrille keys`.

use std::{sync::Arc, time::Duration};

use clap::Subcommand;
use quadrille::{
    Timestamp,
    jose::{Algorithm, Algorithms, SigningKey, SigningKeys, SigningKeysError},
    provider::{Client, ResealProgress},
};
use serde_json::{Value, json};

use super::{
    beginning::{open_to_change, open_to_read},
    confirm::Yes,
    progress::Progress,
    table::{list, when},
};
use crate::{
    Failure,
    audit::{Event, record},
    config::Settings,
    data::{Data, ResealWork, first_algorithm, rotation, seals, sweep},
    output::Output,
    refused::Refused,
    words::counted,
};

#[derive(Subcommand, Debug)]
pub(super) enum KeysCommand {
    /// List the keys that sign tokens
    List,
    /// Make a key that signs from tomorrow on, after APIs have fetched it
    #[command(after_help = "\
The key is published at once and signs in a day, whatever its algorithm; the old one is published for
a day more, so that its last tokens stay valid. Keys that are over are removed. Processes that serve
notice within seconds.

Examples:
  quadrille keys rotate
  quadrille keys rotate --at-once                       after a theft; then: keys remove OLD")]
    Rotate {
        /// Algorithm of the key: ES256, ES384, ES512, EdDSA, RS256, PS256 and so on; that of the
        /// newest key by default
        #[arg(long, value_name = "NAME", value_parser = algorithm)]
        algorithm: Option<Algorithm>,
        /// Sign with the new key at once, although APIs may not have fetched it. It replaces keys
        /// that have not signed yet
        #[arg(long)]
        at_once: bool,
        /// Rotate to another algorithm, although clients are registered for the one before: their
        /// logins fail from then on
        #[arg(long)]
        although_clients_lose_their_algorithm: bool,
    },
    /// End every session and every token, and accept the key ring of this process in place of one that
    /// is lost or stolen
    #[command(after_help = "\
There is no way back. Sessions, access tokens, refresh tokens, token credentials of OAuth 1.0a, codes,
consent pages and initial access tokens end; the keys that sign tokens are made anew; secrets that are sealed under the old ring
(client_secret_jwt, OAuth 1.0a) cannot be opened, so their clients need new ones. Users, clients and
consents stay. Processes that serve a database on a server stop within seconds; stop those of a folder first. A
ring with the old key is refused from then on.

Examples:
  quadrille keys replace-ring-and-end-all-tokens
  quadrille keys replace-ring-and-end-all-tokens --yes      in a script")]
    ReplaceRingAndEndAllTokens {
        #[command(flatten)]
        yes: Yes,
    },
    /// Seal the secrets in the database again under the newest key of the ring, so that older keys can
    /// be removed
    #[command(after_help = "\
These are the secrets of clients that sign with them (client_secret_jwt, OAuth 1.0a), and on a server
the keys that sign tokens. Token credentials of OAuth 1.0a end with the key under which they were
issued, and are counted. Run it when every process has the ring
with the new key in front; they go on meanwhile. It can be stopped and begun again. What else a key seals
expires: the guide has a list.

Examples:
  quadrille keys reseal
  QUADRILLE_KEYS=NEW,OLD quadrille keys reseal --database postgres://db.internal/id")]
    Reseal,
    /// Remove a key: tokens that it signed are rejected by APIs that verify, once they fetch the
    /// keys again. Asks first
    Remove {
        /// Identifier of the key
        // One in 64 begins with a hyphen.
        #[arg(allow_hyphen_values = true)]
        kid: String,
        /// Remove the key, although clients are registered for its algorithm and no other key has it:
        /// their logins fail from then on
        #[arg(long)]
        although_clients_lose_their_algorithm: bool,
        #[command(flatten)]
        yes: Yes,
    },
}

pub(super) async fn run(
    command: &KeysCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    let data = match command {
        KeysCommand::List => open_to_read(settings, output).await?,
        _ => open_to_change(settings).await?,
    };
    data.finish(run_on(&data, command, settings, output).await).await
}

async fn run_on(
    data: &Data,
    command: &KeysCommand,
    settings: &Settings,
    output: Output,
) -> Result<(), Failure> {
    if let KeysCommand::ReplaceRingAndEndAllTokens { yes } = command {
        yes.or_confirm(async {
            Ok(format!(
                "This ends every session and every token of {}, for ever: all users and clients begin \
                 again.",
                data.shown()
            ))
        })
        .await?;
        return replace_ring(data, settings, output).await;
    }
    if let KeysCommand::Reseal = command {
        return reseal(data, settings, output).await;
    }
    let now = data.env().now();
    let place = data.signing(settings).await?;
    let keys = match command {
        KeysCommand::ReplaceRingAndEndAllTokens { .. } | KeysCommand::Reseal => None,
        KeysCommand::List => {
            remark_on_seals(data, settings, output).await?;
            place.keys().await?
        }
        KeysCommand::Rotate { algorithm, at_once, although_clients_lose_their_algorithm } => {
            let (clients, first) = (data.clients().await?, first_algorithm(settings));
            let (algorithm, at_once) = (*algorithm, *at_once);
            let next = move |keys: Option<&SigningKeys>| {
                algorithm.or(keys.and_then(SigningKeys::algorithm)).unwrap_or(first)
            };
            let keys = place.keys().await?;
            let losing = losing(&in_use(keys.as_ref(), now), &[next(keys.as_ref())], &clients);
            check_losing(&losing, *although_clients_lose_their_algorithm, output)?;
            // The new key signs as soon as it was published for a day.
            let rotation = rotation(settings, &clients, Duration::ZERO);
            let line = Progress::begin("Making a key", output);
            let changed = place.change(move |keys| {
                let key = SigningKey::generate(next(keys.as_ref()))?;
                let Some(mut keys) = keys else { return SigningKeys::new(key, now) };
                match at_once {
                    true => keys.add_at_once(key, now)?,
                    false => keys.add(key, now, &rotation)?,
                }
                sweep(&mut keys, now, &rotation);
                Ok(keys)
            });
            let changed = changed.await?;
            drop(line);
            let newest = changed.iter().last().and_then(|(key, _)| key.kid());
            let event = Event::by_operator("keys_rotated", "the signing keys were rotated");
            record(&Event { name: newest, at_once: Some(at_once), ..event });
            Some(changed)
        }
        KeysCommand::Remove { kid, although_clients_lose_their_algorithm, yes } => {
            let (removed, first) = (kid.clone(), first_algorithm(settings));
            let keys = place.keys().await?;
            let mut after = keys.clone();
            if !after.as_mut().is_some_and(|keys| keys.remove(kid)) {
                return Err(Failure::NotFound { what: "key", name: removed });
            }
            let mut left = in_use(after.as_ref(), now);
            if left.is_empty() {
                left.push(first);
            }
            let clients = data.clients().await?;
            let losing = losing(&in_use(keys.as_ref(), now), &left, &clients);
            check_losing(&losing, *although_clients_lose_their_algorithm, output)?;
            yes.or_confirm(async {
                Ok(format!(
                    "The key {kid} is removed for good, and with it end the tokens that it signed: APIs \
                     reject them once they fetch the keys again."
                ))
            })
            .await?;
            let changed = place.change(move |keys| {
                let mut keys = keys.ok_or(SigningKeysError::Malformed)?;
                keys.remove(&removed);
                match keys.iter().count() {
                    // A file without keys is none: the last one is replaced.
                    0 => SigningKeys::new(SigningKey::generate(first)?, now),
                    _ => Ok(keys),
                }
            });
            let changed = changed.await?;
            let event = Event::by_operator("key_removed", "a signing key was removed");
            record(&Event { name: Some(kid), ..event });
            remark_on_successor(keys.as_ref(), &changed, now, output);
            Some(changed)
        }
    };
    let newest = keys.as_ref().and_then(SigningKeys::algorithm);
    if settings.openid.enabled && newest.is_some_and(|newest| newest != Algorithm::Rs256) {
        output.note(
            "The newest key is not for RS256, which every OpenID Provider must have: clients without an \
             algorithm of their own get ID tokens by the newest key, too. `quadrille keys rotate \
             --algorithm RS256` makes one.",
        );
    }
    show(keys.as_ref(), now, output)
}

/// The algorithms of the key that signs, and of those that will.
fn in_use(keys: Option<&SigningKeys>, now: Timestamp) -> Vec<Algorithm> {
    let Some(keys) = keys else { return Vec::new() };
    let coming = keys.iter().filter(|(_, from)| now < *from).map(|(key, _)| key);
    keys.signing(now).into_iter().chain(coming).map(SigningKey::algorithm).collect()
}

/// The clients that lose their algorithm: each is answered by the registered one alone (OpenID Connect
/// Dynamic Client Registration, section 2).
fn losing<'a>(
    before: &[Algorithm],
    after: &[Algorithm],
    clients: &'a [Arc<Client>],
) -> Vec<(&'a Client, Algorithm)> {
    let is_lost = |named: &Algorithm| before.contains(named) && !after.contains(named);
    let lost = |client: &Client| {
        let openid = &client.openid;
        let named = [openid.id_token_signed_response_alg, openid.userinfo_signed_response_alg];
        named.into_iter().flatten().find(is_lost)
    };
    clients.iter().filter_map(|client| Some((&**client, lost(client)?))).collect()
}

/// Refuses to take the algorithm of the operator's own clients away. Those that registered or described
/// themselves are only counted, or any stranger could keep the operator from rotating.
fn check_losing(
    losing: &[(&Client, Algorithm)],
    although: bool,
    output: Output,
) -> Result<(), Failure> {
    let is_own = |client: &Client| !client.registered_itself() && !client.from_document;
    let (own, others): (Vec<_>, Vec<_>) =
        losing.iter().copied().partition(|(client, _)| is_own(client));
    if let (Some((client, algorithm)), false) = (own.first(), although) {
        let (client, others) = (client.id.to_string(), own.len() - 1);
        return Err(Refused::AlgorithmOfClients { algorithm: *algorithm, client, others }.into());
    }
    if let Some((_, algorithm)) = others.first() {
        let clients = counted(others.len(), "client that", "clients that");
        let (lose, their) = if others.len() == 1 { ("loses", "its") } else { ("lose", "their") };
        output.note(&format!(
            "{clients} registered or described {themselves} {lose} the algorithm {name}, and {their} \
             logins fail until another one is registered.",
            themselves = if others.len() == 1 { "itself" } else { "themselves" },
            name = algorithm.as_str(),
        ));
    }
    Ok(())
}

/// Says which key signs after one was removed that did.
fn remark_on_successor(
    before: Option<&SigningKeys>,
    after: &SigningKeys,
    now: Timestamp,
    output: Output,
) {
    let signing = |keys: &SigningKeys| keys.signing(now)?.kid().map(str::to_owned);
    let Some(successor) =
        signing(after).filter(|kid| before.and_then(signing).as_ref() != Some(kid))
    else {
        return;
    };
    let from = after.iter().find(|(key, _)| key.kid() == Some(&*successor)).map(|(_, from)| from);
    let early = match from.is_some_and(|from| now <= from) {
        true => {
            ". It was to sign later: APIs that have not fetched it reject its tokens until they do"
        }
        false => "",
    };
    output.note(&format!("The key {successor} signs now{early}."));
}

async fn replace_ring(data: &Data, settings: &Settings, output: Output) -> Result<(), Failure> {
    let replaced = data.give_ring_up(settings).await?;
    if replaced {
        let text = "the key ring was replaced, and every token ended";
        record(&Event { is_warning: true, ..Event::by_operator("key_ring_replaced", text) });
    }
    output.result(&json!({ "replaced": replaced }), || {
        match replaced {
            true => {
                "Every session and every token has ended. The key ring of this process is that of the \
                 database now: start all processes with it."
            }
            false => "This key ring is that of the database already: nothing has ended.",
        }
        .to_owned()
    })
}

/// Seals all secrets again. A log has a line for every ten thousand.
async fn reseal(data: &Data, settings: &Settings, output: Output) -> Result<(), Failure> {
    let server = data.server(settings).await?;
    data.signing(settings).await?.seal_again().await?;
    let mut lines = 0;
    let line = Progress::begin("Sealing secrets again", output);
    let mut told = |progress: ResealProgress| {
        line.is_at(format!("{} of {}", progress.older, progress.seen));
        let due = progress.seen / 10_000;
        if due > lines && !line.is_shown() {
            lines = due;
            output.note(&format!("secrets: {}; sealed again: {}", progress.seen, progress.older));
        }
    };
    let done = data.backend().reseal(&server, ResealWork::Seal, &mut told).await?;
    drop(line);
    let event = Event::by_operator("secrets_resealed", "the secrets were sealed again");
    record(&event);
    let ResealProgress { seen, older, bound, unreadable, .. } = done;
    let result = json!({
        "secrets": seen, "resealed": older, "bound_to_older_keys": bound, "unreadable": unreadable
    });
    output.result(&result, || {
        let mut text = format!("Secrets: {seen}; sealed again: {older}.");
        if bound > 0 {
            text = format!("{text}\n{}", seals::bound(bound));
        }
        if unreadable > 0 {
            text = format!("{text}\n{}", seals::unreadable(unreadable));
        }
        if bound == 0 && unreadable == 0 {
            text.push_str(" All are under the newest key of the ring.");
        }
        text
    })
}

/// Says if the ring cannot lose its older keys, or has lost one too early.
async fn remark_on_seals(data: &Data, settings: &Settings, output: Output) -> Result<(), Failure> {
    let recorded = data.backend().issuer().await.map_err(|error| data.failure(error))?;
    if recorded.is_none() {
        return Ok(());
    }
    let server = data.server(settings).await?;
    let counted = data.backend().reseal(&server, ResealWork::Count, &mut |_| {}).await?;
    for remark in seals::remarks(&counted) {
        output.note(&remark);
    }
    Ok(())
}

fn algorithm(name: &str) -> Result<Algorithm, String> {
    let known = Algorithm::parse(name).filter(|one| Algorithms::PUBLIC_KEY.contains(*one));
    let names = || Algorithms::PUBLIC_KEY.names().collect::<Vec<_>>().join(", ");
    known.ok_or_else(|| format!("one of {}", names()))
}

fn show(keys: Option<&SigningKeys>, now: Timestamp, output: Output) -> Result<(), Failure> {
    let rows: Vec<[String; 4]> = keys
        .into_iter()
        .flat_map(|keys| keys.iter().map(|(key, from)| row(keys, key, from, now)))
        .collect();
    let shown: Vec<Value> = rows
        .iter()
        .map(|[kid, algorithm, state, from]| {
            json!({ "kid": kid, "algorithm": algorithm, "state": state, "signs_from": from })
        })
        .collect();
    output.result(&json!({ "keys": shown }), || match rows.is_empty() {
        true => "There are no signing keys: access tokens are opaque.".to_owned(),
        false => list(
            ["KEY", "ALGORITHM", "STATE", "SIGNS FROM"],
            rows.iter().map(|row| row.each_ref().map(String::as_str)),
        ),
    })
}

fn row(keys: &SigningKeys, key: &SigningKey, from: Timestamp, now: Timestamp) -> [String; 4] {
    let signing = keys.signing(now).and_then(SigningKey::kid);
    let state = match (signing == key.kid(), now < from) {
        (true, _) => "signs",
        (false, true) => "next",
        (false, false) => "signed",
    };
    // The next key signs early if the one before was removed.
    let from = if state == "signs" { from.min(now) } else { from };
    let kid = key.kid().unwrap_or_default().to_owned();
    [kid, key.algorithm().as_str().to_owned(), state.to_owned(), when(from)]
}
