//! Checks of a client's scopes, APIs, grants and redirect URIs, for several commands.

use quadrille::{
    Scopes,
    oauth2::Resources,
    provider::{Client, GrantType},
};

use crate::{config::Settings, data::Known, failure::Refused, output::Output, words::nearest};

/// Warns of the client's grants that the provider does not offer, and of passwords that the client
/// sees.
pub(super) fn warn_of_grants_off(
    client: &Client,
    (settings, known): (&Settings, &Known),
    output: Output,
) {
    let needs = |offered: &str| {
        output.note(&format!("This application needs a provider that offers {offered}."));
    };
    if client.oauth1.is_some() && !known.oauth1 {
        needs("OAuth 1.0a: `quadrille serve --oauth1`");
    }
    for offer in known.off(settings, client) {
        match offer.grant_type {
            GrantType::DeviceCode => needs("device codes: `quadrille serve --device`"),
            grant => needs(&format!(
                "the grant {}: see the setting {}",
                grant.as_str(),
                offer.setting
            )),
        }
    }
    if client.grant_types.contains(&GrantType::Password) {
        output.note("This application sees the passwords of its users.");
    }
}

/// Warns of redirect URIs whose scheme any other program can claim.
pub(super) fn warn_of_claimable(client: &Client, output: Output) {
    for uri in client.redirect_uris.iter().filter(|uri| uri.can_be_claimed_by_other_programs()) {
        output.note(&format!(
            "Any other program on a user's device can claim the scheme of {uri}. A domain name in \
             reverse belongs to its owner: com.example.app:/callback."
        ));
    }
}

/// Reads scopes. One flag may name several, separated by spaces as in messages.
pub(super) fn parse_scopes(names: &[String]) -> Result<Scopes, Refused> {
    let text = names.join(" ");
    Scopes::parse(&text).map_err(|_| Refused::Scope(text))
}

/// Checks that the provider has these scopes. With a mistyped scope, the client would get no token.
pub(super) fn known_scopes(scopes: &Scopes, known: &Known) -> Result<(), Refused> {
    let known = &known.scopes;
    let Some(name) = scopes.iter().find(|name| !known.contains_key(*name)) else { return Ok(()) };
    let nearest = nearest(name, known.keys().map(String::as_str)).map(str::to_owned);
    Err(Refused::UnknownScope { name: name.to_owned(), nearest })
}

/// Checks that the provider has these APIs.
pub(super) fn known_resources(apis: &Resources, known: &Known) -> Result<(), Refused> {
    let known = &known.resources;
    let Some(uri) = apis.iter().find(|uri| !known.contains(uri)) else { return Ok(()) };
    let nearest = nearest(uri, known.iter()).map(str::to_owned);
    Err(Refused::UnknownResource { uri: uri.to_owned(), nearest })
}
