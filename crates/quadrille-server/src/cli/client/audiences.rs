//! The arguments for the APIs whose tokens a client introspects.

use clap::{ArgAction, Args};
use quadrille::{
    oauth2::Resources,
    provider::{Client, NewClient},
};

use crate::{Failure, data::Known, refused::Refused, words::nearest};

use super::super::checks::known_resources;

/// The changes of a resource server (RFC 7662) and of its audiences.
#[derive(Args, Debug)]
pub(super) struct AudienceArgs {
    /// Whether the client is an API that introspects tokens (RFC 7662): without an audience those that
    /// name no API
    #[arg(long, value_name = "YES", action = ArgAction::Set)]
    resource_server: Option<bool>,
    /// API whose tokens the client may introspect, to add, by its URI as in the setting resources;
    /// repeatable
    #[arg(long = "add-audience", value_name = "URI")]
    add_audiences: Vec<String>,
    /// API whose tokens the client may introspect, to remove; repeatable
    #[arg(long = "remove-audience", value_name = "URI")]
    remove_audiences: Vec<String>,
}

/// The ids of these arguments, for the group of changes.
pub(super) const AUDIENCES: [&str; 3] = ["resource_server", "add_audiences", "remove_audiences"];

/// The changes, checked.
pub(super) struct Audiences {
    is_resource_server: Option<bool>,
    added: Resources,
    removed: Resources,
}

impl AudienceArgs {
    /// Checks the changes of this client. An audience that it has not is a mistake in typing. Without its
    /// last one, it would introspect other tokens, which the operator has to say.
    pub(super) fn check(&self, client: &Client, known: &Known) -> Result<Audiences, Failure> {
        let read = |uris: &[String]| {
            Resources::of(uris.iter().map(String::as_str)).map_err(|_| Refused::Audience)
        };
        let audiences = Audiences {
            is_resource_server: self.resource_server,
            added: read(&self.add_audiences)?,
            removed: read(&self.remove_audiences)?,
        };
        known_resources(&audiences.added, known)?;
        let Audiences { added, removed, .. } = &audiences;
        let before = client.resource_server.as_ref();
        let is_one = self.resource_server.unwrap_or(before.is_some());
        if !is_one && !added.is_empty() {
            return Err(Refused::NoResourceServer.into());
        }
        let Some(before) = before else {
            if let Some(uri) = removed.iter().next() {
                return Err(no_audience(uri, &Resources::EMPTY));
            }
            return Ok(audiences);
        };
        if let Some(uri) = removed.iter().find(|uri| !before.contains(uri)) {
            return Err(no_audience(uri, before));
        }
        let is_last = !before.is_empty() && audiences.after(before).is_empty();
        match is_last && self.resource_server.is_none() {
            true => Err(Refused::LastAudience.into()),
            false => Ok(audiences),
        }
    }
}

fn no_audience(uri: &str, before: &Resources) -> Failure {
    let nearest = nearest(uri, before.iter()).map(str::to_owned);
    Refused::NotOfTheClient { what: "audience", name: uri.to_owned(), nearest }.into()
}

impl Audiences {
    /// The client with these changes.
    pub(super) fn apply(&self, new: NewClient, client: &Client) -> NewClient {
        match (self.is_resource_server, &client.resource_server) {
            (Some(false), _) => new.without_resource_server(),
            (None, None) => new,
            (_, before) => {
                new.resource_server(self.after(before.as_ref().unwrap_or(&Resources::EMPTY)))
            }
        }
    }

    /// The audiences after the changes.
    fn after(&self, before: &Resources) -> Resources {
        let kept = before.iter().filter(|uri| !self.removed.contains(uri));
        // All of them were read before.
        Resources::of(kept.chain(self.added.iter())).unwrap_or_else(|_| before.clone())
    }
}
