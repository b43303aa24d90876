//! Records as rows, and back.

use std::sync::Arc;

use rusqlite::Row;
use serde::{Deserialize, Serialize};

use crate::{
    Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        actor::{Actor, Authentication},
        store::{
            AccessRecord, CodeRecord, FamilyRecord, Grant, IssuerId, RowId, SecretHash, StoreError,
        },
    },
};

/// The columns of a grant, in the order in which [`grant`] reads them.
macro_rules! grant_columns {
    () => {
        "grant_id, client, actor, scopes, resources, auth"
    };
}
pub(super) use grant_columns;

/// Whether the grant of the row `t` is alive: its client is there and not younger, and nobody
/// revoked it.
macro_rules! alive {
    () => {
        "EXISTS (SELECT 1 FROM quadrille_clients c
            WHERE c.issuer = t.issuer AND c.id = t.client AND c.number <= t.grant_id)
        AND NOT EXISTS (SELECT 1 FROM quadrille_revoked r
            WHERE r.grant_id = t.grant_id AND r.issuer = t.issuer)
        AND (t.actor IS NULL OR NOT EXISTS (SELECT 1 FROM quadrille_cut cut
            WHERE cut.issuer = t.issuer AND cut.actor = t.actor
            AND cut.client IN ('', t.client) AND cut.last >= t.grant_id))"
    };
}
pub(super) use alive;

/// The key of what is found by 16 or 32 random bytes.
pub(super) fn key(issuer: IssuerId, space: &str, id: &[u8]) -> Vec<u8> {
    [&issuer.0.to_be_bytes(), space.as_bytes(), id].concat()
}

/// A grant as its columns hold it.
pub(super) struct GrantRow<'a> {
    pub(super) id: i64,
    pub(super) client: &'a str,
    pub(super) actor: Option<String>,
    pub(super) scopes: &'a str,
    pub(super) resources: &'a str,
    pub(super) auth: Option<String>,
}

impl<'a> GrantRow<'a> {
    pub(super) fn of(grant: &'a Grant) -> Result<Self, StoreError> {
        let subject = match &grant.actor {
            Actor::User(subject) => Some(&**subject),
            Actor::Client(_) => None,
        };
        let actor = match &grant.actor {
            Actor::User(subject) => Some(user(subject)),
            Actor::Client(id) if *id == grant.client => None,
            Actor::Client(id) => Some(format!("c{id}")),
        };
        let auth = match &grant.authentication {
            Some(authentication) => Some(auth(authentication, subject)?),
            None => None,
        };
        Ok(Self {
            id: grant.id.0,
            client: &grant.client,
            actor,
            scopes: grant.scopes.as_str(),
            resources: grant.resources.as_str(),
            auth,
        })
    }
}

/// A person in an `actor` column.
pub(super) fn user(subject: &str) -> String {
    format!("u{subject}")
}

/// Reads [`grant_columns`] from column `first` on.
pub(super) fn grant(row: &Row<'_>, first: usize) -> Result<Grant, StoreError> {
    let client: Arc<str> = row.get(first + 1)?;
    let actor = row.get_ref(first + 2)?.as_str_or_null().map_err(|_| bad("an actor"))?;
    let actor = match actor.map(|actor| actor.split_at_checked(1)) {
        None => Actor::Client(Arc::clone(&client)),
        Some(Some(("u", subject))) => Actor::User(subject.into()),
        Some(Some(("c", id))) => Actor::Client(id.into()),
        Some(_) => return Err(bad("an actor")),
    };
    let subject = match &actor {
        Actor::User(subject) => Some(subject),
        Actor::Client(_) => None,
    };
    let auth = row.get_ref(first + 5)?.as_str_or_null().map_err(|_| bad("an authentication"))?;
    let authentication = match auth {
        Some(auth) => Some(Arc::new(authentication(auth, subject)?)),
        None => None,
    };
    Ok(Grant {
        id: RowId(row.get(first)?),
        client,
        actor,
        scopes: scopes(row, first + 3)?,
        resources: resources(row, first + 4)?,
        authentication,
    })
}

/// Reads [`CODE`].
pub(super) fn code(row: &Row<'_>) -> Result<CodeRecord, StoreError> {
    Ok(CodeRecord {
        row: RowId(row.get(0)?),
        grant: grant(row, 1)?,
        hash: row.get(7)?,
        expires: seconds(row, 8)?,
        redirect_uri: row.get(9)?,
        challenge: row.get(10)?,
        redeemed: row.get(11)?,
    })
}

/// The columns that [`code`] reads.
macro_rules! code_columns {
    () => {
        concat!("row, ", grant_columns!(), ", hash, expires, redirect_uri, challenge, redeemed")
    };
}
pub(super) use code_columns;

/// Reads row, grant, hash and expiry.
pub(super) fn access(row: &Row<'_>) -> Result<AccessRecord, StoreError> {
    Ok(AccessRecord {
        row: RowId(row.get(0)?),
        grant: grant(row, 1)?,
        hash: row.get(7)?,
        expires: seconds(row, 8)?,
    })
}

/// Reads the columns of [`family_columns`].
pub(super) fn family(row: &Row<'_>) -> Result<FamilyRecord, StoreError> {
    Ok(FamilyRecord {
        row: RowId(row.get(0)?),
        grant: grant(row, 1)?,
        generation: row.get(7)?,
        current: row.get(8)?,
        previous: row.get::<_, Option<SecretHash>>(9)?,
        rotated: seconds(row, 10)?,
        rotated_scopes: scopes(row, 11)?,
        rotated_resources: resources(row, 12)?,
        expires: seconds(row, 13)?,
        ends: seconds(row, 14)?,
    })
}

/// The columns that [`family`] reads.
macro_rules! family_columns {
    () => {
        concat!(
            "row, ",
            grant_columns!(),
            ", generation, current, previous, rotated, rotated_scopes, rotated_resources, \
             expires, ends"
        )
    };
}
pub(super) use family_columns;

pub(super) fn seconds(row: &Row<'_>, column: usize) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_seconds(row.get(column)?))
}

pub(super) fn scopes(row: &Row<'_>, column: usize) -> Result<Scopes, StoreError> {
    let text = row.get_ref(column)?.as_str().map_err(|_| bad("scopes"))?;
    Scopes::parse(text).map_err(|_| bad("scopes"))
}

pub(super) fn resources(row: &Row<'_>, column: usize) -> Result<Resources, StoreError> {
    let text = row.get_ref(column)?.as_str().map_err(|_| bad("resources"))?;
    Resources::parse(text).map_err(|_| bad("resources"))
}

pub(super) fn bad(what: &'static str) -> StoreError {
    StoreError::Corrupt(what)
}

/// An [`Authentication`] in few bytes.
#[derive(Serialize, Deserialize)]
struct Auth<'a> {
    /// Left out where another column has it.
    #[serde(rename = "sub", default, skip_serializing_if = "Option::is_none", borrow)]
    subject: Option<std::borrow::Cow<'a, str>>,
    #[serde(rename = "at")]
    auth_time: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    acr: Option<Arc<str>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    amr: Vec<Arc<str>>,
    #[serde(rename = "sid", default, skip_serializing_if = "Option::is_none")]
    session: Option<Arc<str>>,
}

pub(super) fn auth(
    authentication: &Authentication,
    subject: Option<&str>,
) -> Result<String, StoreError> {
    let auth = Auth {
        subject: (subject != Some(&*authentication.subject))
            .then(|| (&*authentication.subject).into()),
        auth_time: authentication.auth_time.seconds(),
        acr: authentication.acr.clone(),
        amr: authentication.amr.clone(),
        session: authentication.session.clone(),
    };
    serde_json::to_string(&auth).map_err(|_| bad("an authentication"))
}

fn authentication(text: &str, subject: Option<&Arc<str>>) -> Result<Authentication, StoreError> {
    let auth: Auth<'_> = serde_json::from_str(text).map_err(|_| bad("an authentication"))?;
    let subject = match (auth.subject, subject) {
        (Some(own), _) => (&*own).into(),
        (None, Some(actor)) => Arc::clone(actor),
        (None, None) => return Err(bad("an authentication")),
    };
    Ok(Authentication {
        subject,
        auth_time: Timestamp::from_seconds(auth.auth_time),
        acr: auth.acr,
        amr: auth.amr,
        session: auth.session,
    })
}
