//! The grants that the application decides on, as values.

pub(crate) mod asserted;
pub(crate) mod exchange;
pub(crate) mod exchanged_tokens;
pub(crate) mod extension;
pub(crate) mod granted;
pub(crate) mod password;
pub(crate) mod trusted;

use std::{collections::BTreeMap, sync::Arc};

use crate::provider::client::grant_type::ExtensionGrantType;

use self::{
    asserted::OnAsserted, exchange::OnExchange, extension::ErasedGrant, password::ErasedVerifier,
    trusted::TrustedIssuer,
};

/// The grants that the application decides on.
#[derive(Clone, Default)]
pub(crate) struct DecidedGrants {
    pub(crate) extensions: BTreeMap<ExtensionGrantType, Arc<dyn ErasedGrant>>,
    /// Issuers elsewhere whose JWTs are accepted.
    pub(crate) issuers: Vec<TrustedIssuer>,
    pub(crate) jwt_bearer: Option<OnAsserted>,
    pub(crate) exchange: Option<OnExchange>,
    /// The check of passwords that clients see.
    pub(crate) password: Option<Arc<dyn ErasedVerifier>>,
}
