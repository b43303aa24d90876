//! Checks of scopes and APIs, for several commands.

use quadrille::{
    Scopes,
    oauth2::Resources,
    provider::{ClientMetadataError, RegistrationError},
};

use crate::{Failure, data::Known, refused::Refused, words::nearest};

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

/// The failure of a registration or a change. A client may have a scope or an API that the settings
/// lost meanwhile, which is pointed out with the nearest one.
pub(super) fn with_nearest(error: RegistrationError, known: &Known) -> Failure {
    match error {
        RegistrationError::Metadata(ClientMetadataError::UnknownScope(name)) => {
            let nearest = nearest(&name, known.scopes.keys().map(String::as_str));
            let nearest = nearest.map(str::to_owned);
            Refused::UnknownScope { name, nearest }.into()
        }
        RegistrationError::UnknownResource(uri) => {
            let nearest = nearest(&uri, known.resources.iter()).map(str::to_owned);
            Refused::UnknownResource { uri, nearest }.into()
        }
        error => error.into(),
    }
}
