//! The import of clients.

use std::{
    collections::{BTreeMap, BTreeSet, btree_map::Entry},
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::{
    Timestamp,
    provider::{
        client::{
            own_keys,
            record::{Client, ClientSecret, SecretVerifier},
            registered_auth::RegisteredAuth,
        },
        error::Error,
        server::AuthorizationServer,
        store::RowId,
    },
};

use super::{
    error::{ImportError, LineError},
    line::{Checked, read},
    members::NAMES,
    times,
    weak::WeakSecret,
};

/// The clients of an import.
///
/// ```
/// use quadrille::provider::ImportedClients;
///
/// fn was_done_before(imported: &ImportedClients) -> bool {
///     imported.added.is_empty()
/// }
/// ```
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct ImportedClients {
    /// The clients that were added.
    pub added: Vec<Client>,
    /// The `client_id`s of lines whose client was there already, with the same settings.
    pub known: Vec<Arc<str>>,
    /// The secrets of added clients that are easy to find out.
    pub weak: Vec<WeakSecret>,
}

impl AuthorizationServer {
    /// Imports clients, one from each line of JSON: those of
    /// [`export_client`](Self::export_client), or of another provider. Either all lines are
    /// imported, after the checks of a registration, or none. The same lines can be imported again:
    /// a client that is there with the same settings remains, with its secrets.
    ///
    /// Only `client_id` and `client_name` are required, and `redirect_uris` or `grant_types`. `client_secret` and `oauth1_secret` are
    /// secrets in plain text; `secrets` has objects with `verifier` in one of the forms of
    /// [`SecretVerifier::parse`], and `expires`. Times are seconds since 1970. Grant types of the application's own are those that
    /// it offers ([`AuthorizationServer::grant`]).
    ///
    /// # Errors
    /// [`ImportError`], which names all wrong lines. Nothing was imported then.
    pub async fn import_clients(&self, text: &str) -> Result<ImportedClients, ImportError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        let (mut wrong, mut checked, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let mut lines: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        // Editors on Windows put a byte order mark first (RFC 8259, section 8.1).
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let read = match read(inner, line) {
                Ok(read) => read,
                Err(error) => {
                    wrong.push((number, error));
                    continue;
                }
            };
            match lines.entry(Arc::clone(&read.client.id)) {
                Entry::Occupied(other) => {
                    wrong.push((number, LineError::Repeated(*other.get())));
                    continue;
                }
                Entry::Vacant(place) => place.insert(number),
            };
            match self.client(&read.client.id).await? {
                None => checked.push(read),
                Some(there) => match differing(&there, &read.client) {
                    members if members.is_empty() => known.push(Arc::clone(&there.id)),
                    members => wrong.push((number, LineError::Exists { members })),
                },
            }
        }
        if !wrong.is_empty() {
            return Err(ImportError::Lines(wrong));
        }
        let (mut added, mut weak): (Vec<Client>, _) = (Vec::new(), Vec::new());
        for Checked { mut client, plain, weaknesses } in checked {
            let of_client = |weakness| WeakSecret { client: Arc::clone(&client.id), weakness };
            weak.extend(weaknesses.into_iter().map(of_client));
            for (secret, text) in plain {
                let verifier = match &client.auth {
                    Some(RegisteredAuth::ClientSecretJwt { .. }) => {
                        own_keys::seal(inner, &client.id, &text)
                    }
                    _ => {
                        let hash = inner.kdf.hash(&inner.env, text).await.map_err(Error::from)?;
                        SecretVerifier::Argon2id(hash)
                    }
                };
                client.secrets.push(ClientSecret { verifier, ..secret });
            }
            client.number = inner.newer_row().await?;
            added.push(client);
        }
        let taken = inner.store.add_clients(issuer, added.clone()).await.map_err(Error::from)?;
        if let Some(id) = taken {
            // Another client has taken the id meanwhile.
            let line = lines.get(&id).copied().unwrap_or_default();
            let error = LineError::Exists { members: Vec::new() };
            return Err(ImportError::Lines(vec![(line, error)]));
        }
        tracing::info!(added = added.len(), known = known.len(), "clients imported");
        Ok(ImportedClients { added, known, weak })
    }
}

/// The members in which the clients differ, apart from secrets, keys and times.
fn differing(there: &Client, line: &Client) -> Vec<String> {
    let plain = |client: &Client| {
        let mut client = client.clone();
        client.number = RowId(0);
        client.created = Timestamp::default();
        client.longest_use_before = None;
        client.secrets.clear();
        if let Some(oauth1) = &mut client.oauth1 {
            oauth1.keys.clear();
        }
        let Ok(Value::Object(mut members)) = serde_json::to_value(client) else {
            return Map::new();
        };
        times::of_line(&mut members);
        members
    };
    let (there, line) = (plain(there), plain(line));
    let all: BTreeSet<_> = there.keys().chain(line.keys()).collect();
    let named = |field: &String| {
        let known = NAMES.iter().find(|(_, known)| known == field);
        known.map_or_else(|| field.clone(), |(member, _)| (*member).to_owned())
    };
    all.into_iter().filter(|field| there.get(*field) != line.get(*field)).map(named).collect()
}
