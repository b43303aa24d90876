//! The facts behind a token of an issuer elsewhere, or of a test.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    Binding, Scopes, Timestamp,
    actor::{Act, Actor, Authentication},
    oauth2::Resources,
};

use super::verified::Facts;

/// The facts behind a token, as the issuer elsewhere or the test reports them.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) client: Arc<str>,
    pub(super) actor: Actor,
    pub(super) scopes: Scopes,
    pub(super) audience: Resources,
    pub(super) authentication: Option<Arc<Authentication>>,
    pub(super) expires: Timestamp,
    pub(super) binding: Option<Binding>,
    pub(super) act: Option<Act>,
    pub(super) data: Map<String, Value>,
}

impl Facts for Told {
    fn actor(&self) -> &Actor {
        &self.actor
    }

    fn client(&self) -> &Arc<str> {
        &self.client
    }

    fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    fn audience(&self) -> &Resources {
        &self.audience
    }

    fn authentication(&self) -> Option<&Arc<Authentication>> {
        self.authentication.as_ref()
    }

    fn expires(&self) -> Timestamp {
        self.expires
    }

    fn binding(&self) -> Option<Binding> {
        self.binding
    }

    fn act(&self) -> Option<&Act> {
        self.act.as_ref()
    }

    fn data(&self) -> Option<&Map<String, Value>> {
        Some(&self.data).filter(|data| !data.is_empty())
    }
}
