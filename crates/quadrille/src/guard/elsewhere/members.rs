//! The members of an introspection response and the claims of a JWT that mean the same.

use std::{borrow::Cow, sync::Arc};

use serde_json::{Map, Value};

use crate::{
    Binding,
    actor::{Act, Actor},
    guard::error::AccessError,
    oauth2::Resources,
};

/// The actor behind a token of `client`.
pub(super) fn actor(sub: Option<Cow<'_, str>>, client: &Arc<str>) -> Result<Actor, AccessError> {
    match sub {
        // Some issuers name the client as the subject if it acts for itself (RFC 9068, section
        // 2.2).
        Some(subject) if !subject.is_empty() && *subject != **client => {
            Ok(Actor::User(subject.into()))
        }
        _ if client.is_empty() => Err(AccessError::Unknown),
        _ => Ok(Actor::Client(client.clone())),
    }
}

/// The audience of a token. An audience that is no URI cannot be that of a guard here.
pub(super) fn audience(aud: &[impl AsRef<str>]) -> Result<Resources, AccessError> {
    let uris = aud.iter().map(AsRef::as_ref).filter(|uri| Resources::of([*uri]).is_ok());
    let audience = Resources::of(uris).map_err(|_| AccessError::OtherAudience)?;
    match audience.is_empty() && !aud.is_empty() {
        true => Err(AccessError::OtherAudience),
        false => Ok(audience),
    }
}

/// The party that acts for the user (RFC 8693, section 4.1). A delegation that is not understood
/// must not look like none.
pub(super) fn act(members: &Map<String, Value>) -> Result<Option<Act>, AccessError> {
    let read = |act| Act::read(act).ok_or(AccessError::Unknown);
    members.get("act").map(read).transpose()
}

/// The binding of a token (RFC 7800). One that is not understood cannot be proven.
pub(super) fn binding(cnf: &Map<String, Value>) -> Result<Binding, AccessError> {
    Binding::of_confirmation(cnf).ok_or(AccessError::Unproven)
}
