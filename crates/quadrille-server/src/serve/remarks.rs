//! Remarks on settings and clients at the start.

use std::{collections::BTreeSet, net::SocketAddr, sync::Arc};

use quadrille::{
    oauth2::Resources,
    provider::{Client, SubjectType},
};

use crate::{
    config::Settings,
    issuer::Issuer,
    refused::setting_of,
    words::{Quoted, did_you_mean, nearest, quoted},
};

/// Warns of settings without effect, of clients that have what the settings do not, and of clients that
/// the settings name and that do not exist.
pub(super) fn point_out(settings: &Settings, clients: &[Arc<Client>]) {
    for remark in settings.remarks() {
        tracing::warn!("{remark}");
    }
    for remark in settings.brand.colors.remarks() {
        tracing::info!("{remark}");
    }
    if !settings.openid.enabled && settings.is_default("openid") {
        tracing::info!("OpenID Connect is off for an issuer elsewhere: openid = true offers it");
    }
    let all = settings.grants();
    for offer in all.iter().filter(|offer| !offer.is_on) {
        let wants = |client: &&Arc<Client>| client.grant_types.contains(&offer.grant_type);
        let wanting: Vec<_> = clients.iter().filter(wants).collect();
        let Some(who) = named(&wanting, "is", "are") else { continue };
        let (grant, setting) = (offer.grant_type.as_str(), offer.setting);
        tracing::warn!("{who} registered for {grant}, which is off: {setting}");
    }
    let known = |name: &str| settings.scopes.contains_key(name);
    let scopes = clients.iter().flat_map(|client| client.scopes.iter());
    for scope in scopes.filter(|name| !known(name)).collect::<BTreeSet<_>>() {
        let having: Vec<_> =
            clients.iter().filter(|client| client.scopes.contains(scope)).collect();
        let Some(who) = named(&having, "has", "have") else { continue };
        let command = taken_away(&having, "--remove-scope", scope);
        let hint = match setting_of(scope) {
            Some(setting) => format!("{setting} = true adds it, and {command}"),
            None => {
                let nearest = nearest(scope, settings.scopes.keys().map(String::as_str));
                format!("{command}{}", did_you_mean(nearest))
            }
        };
        let scope = Quoted(scope);
        tracing::warn!("{who} the scope {scope}, which the setting scopes has not: {hint}");
    }
    audiences_lost(settings, clients);
    let is_pairwise = |client: &&Arc<Client>| client.openid.subject_type == SubjectType::Pairwise;
    let pairwise: Vec<_> = clients.iter().filter(is_pairwise).collect();
    if let (Some(who), None) = (named(&pairwise, "is", "are"), &settings.openid.pairwise_secret) {
        tracing::warn!("{who} registered for pairwise subjects, which need openid_pairwise_secret");
    }
    let ruled = settings.token_exchange.iter().flat_map(|(client, rule)| {
        std::iter::once(&**client).chain(rule.tokens_of.iter().map(String::as_str))
    });
    for id in ruled.collect::<BTreeSet<_>>() {
        if !clients.iter().any(|client| *client.id == *id) {
            tracing::warn!("token_exchange names the client {}, which does not exist", Quoted(id));
        }
    }
}

/// Warns that clients look for the provider at another port of this machine than it listens on: the
/// issuer was given at an earlier start, and is remembered.
pub(super) fn point_out_elsewhere(issuer: &Issuer, listening: SocketAddr) {
    let here = Issuer::loopback(listening);
    if issuer.is_https() || issuer.origin() == here.origin() {
        return;
    }
    tracing::warn!(
        "clients look for this provider at {issuer}, the issuer that was given before, and it listens at \
         {listening}: give that port to --listen, or make {here} the issuer by --issuer {here} \
         --rename-issuer, which ends all tokens"
    );
}

/// Warns of resource servers for APIs that the settings do not know.
fn audiences_lost(settings: &Settings, clients: &[Arc<Client>]) {
    let known = || settings.resources.iter();
    let all: BTreeSet<&str> = clients.iter().flat_map(|client| audiences(client)).collect();
    for audience in all.into_iter().filter(|audience| !known().any(|uri| uri == *audience)) {
        let has = |client: &&Arc<Client>| audiences(client).any(|uri| uri == audience);
        let having: Vec<_> = clients.iter().filter(has).collect();
        let Some(who) = named(&having, "has", "have") else { continue };
        let hint = did_you_mean(nearest(audience, known()));
        let command = taken_away(&having, "--remove-audience", audience);
        let audience = Quoted(audience);
        tracing::warn!(
            "{who} the audience {audience}, which the setting resources has not: {command}{hint}"
        );
    }
}

fn audiences(client: &Client) -> impl Iterator<Item = &str> {
    client.resource_server.iter().flat_map(Resources::iter)
}

/// The command that takes a value away from the first of these clients.
fn taken_away(clients: &[&Arc<Client>], flag: &str, value: &str) -> String {
    let id = clients.first().map(|client| quoted(&client.id)).unwrap_or_default();
    format!("`quadrille client edit {id} {flag} {}` takes it away", quoted(value))
}

/// The clients in words, with a verb; `None` if there are none.
fn named(clients: &[&Arc<Client>], is: &str, are: &str) -> Option<String> {
    let (first, others) = clients.split_first()?;
    Some(match others.len() {
        0 => format!("the client {} {is}", first.id),
        further => format!("the client {} and {further} more {are}", first.id),
    })
}
