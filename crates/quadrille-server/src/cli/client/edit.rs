//! `quadrille client edit`.

use std::sync::Arc;

use clap::{ArgAction, ArgGroup, Args};
use quadrille::{
    Scopes,
    provider::{
        AuthorizationServer, Client, ClientKeys, ClientMetadataError, NewClient, RegistrationError,
    },
};

use crate::{
    Failure,
    config::Settings,
    data::{Backend, Known},
    grant::Grant,
    output::Output,
    refused::Refused,
    words::nearest,
};

use super::{
    super::checks::{known_scopes, parse_scopes, with_nearest},
    about::{ABOUT, AboutArgs},
    audiences::{AUDIENCES, AudienceArgs},
    auth::{AuthArgs, METHODS},
    changed::changed,
    find::{find, not_found},
    logo::forget_logo,
    openid::{OPENID, OpenIdArgs, offering_all},
    remarks::{remark, remark_on_name},
    rules::{RULES, RuleArgs},
    shown::{Secrets, show_secrets},
    without::{WITHOUT, WithoutArgs},
};

/// Arguments of `quadrille client edit`, with at least one change.
#[derive(Args, Debug)]
#[command(group(
    ArgGroup::new("change")
        .required(true)
        .multiple(true)
        .args([
            "name", "add_redirect_uris", "remove_redirect_uris", "add_scopes", "remove_scopes",
            "grants", "first_party", "all_scopes_by_default", "rotate_refresh_tokens",
            "without_grants", "without_redirect_uri_patterns", "all_signature_methods",
        ])
        .args(AUDIENCES)
        .args(WITHOUT)
        .args(RULES)
        .args(OPENID)
        .args(ABOUT)
        .args(METHODS)
))]
pub(in super::super) struct EditArgs {
    /// The client_id
    id: String,
    #[command(flatten)]
    changes: Changes,
}

/// The changes.
#[derive(Args, Debug)]
struct Changes {
    /// The new name, as the consent page shows it
    #[arg(long)]
    name: Option<String>,
    /// Redirect URI to add; repeatable
    #[arg(long = "add-redirect-uri", value_name = "URI")]
    add_redirect_uris: Vec<String>,
    /// Redirect URI to remove; repeatable
    #[arg(long = "remove-redirect-uri", value_name = "URI")]
    remove_redirect_uris: Vec<String>,
    /// Scope to add to those that the client may request; repeatable
    #[arg(long = "add-scope", value_name = "SCOPE")]
    add_scopes: Vec<String>,
    /// Scope to remove from those that the client may request; repeatable. Scopes that were granted
    /// stay: `user withdraw` ends them
    #[arg(long = "remove-scope", value_name = "SCOPE")]
    remove_scopes: Vec<String>,
    /// Grant type; repeatable; these replace the client's
    #[arg(long = "grant", value_name = "GRANT", value_enum)]
    grants: Vec<Grant>,
    /// Remove all grant types, of a client that signs its requests (OAuth 1.0a) or introspects tokens
    #[arg(long, conflicts_with = "grants")]
    without_grants: bool,
    /// Whether the client is your own: users are not asked for consent
    #[arg(long, value_name = "YES", action = ArgAction::Set)]
    first_party: Option<bool>,
    /// A request that names no scope gets all scopes of the client
    #[arg(long, conflicts_with = "default_scopes")]
    all_scopes_by_default: bool,
    /// Refresh tokens rotate again
    #[arg(long, conflicts_with = "without_rotation")]
    rotate_refresh_tokens: bool,
    /// Remove all patterns of redirect URIs, before those of this command are added
    #[arg(long)]
    without_redirect_uri_patterns: bool,
    /// The client may use all signature methods of the setting oauth1.signature_methods
    #[arg(long = "all-oauth1-signature-methods", conflicts_with = "signature_methods")]
    all_signature_methods: bool,
    #[command(flatten)]
    audiences: AudienceArgs,
    #[command(flatten)]
    about: AboutArgs,
    #[command(flatten)]
    openid: OpenIdArgs,
    #[command(flatten)]
    without: WithoutArgs,
    #[command(flatten)]
    rules: RuleArgs,
    #[command(flatten)]
    auth: AuthArgs,
}

pub(super) async fn edit(
    (server, backend): (&AuthorizationServer, &Arc<dyn Backend>),
    args: &EditArgs,
    (settings, known): (&Settings, &Known),
    output: Output,
) -> Result<(), Failure> {
    let client = find(server, &args.id).await?;
    if client.is_of_personal_tokens() {
        return Err(Refused::ClientOfTokensChanged.into());
    }
    let changes = &args.changes;
    let added = parse_scopes(&changes.add_scopes)?;
    known_scopes(&added, known)?;
    let removed = changes.removed_scopes(&client)?;
    changes.check_redirect_uris(&client)?;
    let audiences = changes.audiences.check(&client, known)?;
    let defaults = changes.rules.default_scopes(known)?;
    let auth = changes.auth.read(client.auth.as_ref())?;
    let keys = changes.openid.keys()?;
    let server = offering_all(server, (settings, known))?;
    let edited = server.edit_client(&args.id, |client, new| {
        let defaults = defaults.as_ref();
        let new = changes.change(client, new, (&added, &removed), defaults, keys.as_ref());
        let new = audiences.apply(new, client);
        auth.iter().cloned().fold(new, NewClient::auth)
    });
    match edited.await {
        Ok(edited) => {
            changed("client_changed", "a client was changed", &args.id);
            remark(&edited.client, (settings, known), output);
            if edited.client.about().logo_uri != client.about().logo_uri {
                forget_logo(backend, &client).await;
            }
            if edited.client.name != client.name {
                remark_on_name(&server, &edited.client, output).await?;
            }
            let secrets = Secrets { client: edited.secret.as_ref(), oauth1: None };
            show_secrets(&edited.client, secrets, output)
        }
        Err(RegistrationError::UnknownClient) => Err(not_found(&args.id)),
        Err(RegistrationError::Metadata(ClientMetadataError::UnknownScope(name)))
            if client.scopes.contains(&name) =>
        {
            let nearest = nearest(&name, known.scopes.keys().map(String::as_str));
            let nearest = nearest.map(str::to_owned);
            Err(Refused::LostScope { name, nearest }.into())
        }
        Err(RegistrationError::UnknownResource(uri))
            if client.resource_server.as_ref().is_some_and(|apis| apis.contains(&uri)) =>
        {
            let nearest = nearest(&uri, known.resources.iter()).map(str::to_owned);
            Err(Refused::LostAudience { uri, nearest }.into())
        }
        Err(error) => Err(with_nearest(error, known)),
    }
}

impl Changes {
    fn change(
        &self,
        client: &Client,
        mut new: NewClient,
        (added, removed): (&Scopes, &Scopes),
        defaults: Option<&Scopes>,
        keys: Option<&ClientKeys>,
    ) -> NewClient {
        if let Some(name) = &self.name {
            new = new.name(name.trim());
        }
        let known = client.redirect_uris.iter().map(ToString::to_string);
        let mut uris: Vec<String> =
            known.filter(|uri| !self.remove_redirect_uris.contains(uri)).collect();
        for uri in &self.add_redirect_uris {
            if !uris.contains(uri) {
                uris.push(uri.clone());
            }
        }
        let kept = client.scopes.iter().filter(|name| !removed.contains(name));
        new = new.redirect_uris(uris).scopes(kept.collect::<Scopes>().union(added));
        if !self.grants.is_empty() {
            new = new.grant_types(self.grants.iter().map(|grant| grant.grant_type()));
        }
        if self.without_grants {
            new = new.grant_types([]);
        }
        // A scope that the client loses is no default any more.
        if let Some(before) = &client.default_scopes {
            new =
                new.default_scopes(before.iter().filter(|name| !removed.contains(name)).collect());
        }
        if self.all_scopes_by_default {
            new = new.all_scopes_by_default();
        }
        if self.rotate_refresh_tokens {
            new = new.rotate_refresh_tokens();
        }
        if self.without_redirect_uri_patterns {
            new = new.without_redirect_uri_patterns();
        }
        if self.all_signature_methods {
            new = new.oauth1_methods([]);
        }
        new = self.about.apply(self.rules.apply(new, client.lifetimes, defaults));
        new = self.openid.apply(new, &self.without.apply(&client.openid), keys);
        match self.first_party {
            Some(true) => new.first_party(),
            Some(false) => new.third_party(),
            None => new,
        }
    }

    /// The scopes to remove. One that the client has not is a mistake in typing.
    fn removed_scopes(&self, client: &Client) -> Result<Scopes, Refused> {
        let removed = parse_scopes(&self.remove_scopes)?;
        let Some(name) = removed.iter().find(|name| !client.scopes.contains(name)) else {
            return Ok(removed);
        };
        let nearest = nearest(name, client.scopes.iter()).map(str::to_owned);
        Err(Refused::NotOfTheClient { what: "scope", name: name.to_owned(), nearest })
    }

    fn check_redirect_uris(&self, client: &Client) -> Result<(), Refused> {
        let known: Vec<String> = client.redirect_uris.iter().map(ToString::to_string).collect();
        let Some(uri) = self.remove_redirect_uris.iter().find(|uri| !known.contains(uri)) else {
            return Ok(());
        };
        let nearest = nearest(uri, known.iter().map(String::as_str)).map(str::to_owned);
        Err(Refused::NotOfTheClient { what: "redirect URI", name: uri.clone(), nearest })
    }
}
