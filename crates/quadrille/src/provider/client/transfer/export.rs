//! The export of clients.

use serde_json::Value;

use crate::{
    Secret,
    provider::{
        client::{oauth1::new_key, own_keys, record::Client},
        server::AuthorizationServer,
    },
};

use super::{
    members::{NAMES, array},
    times,
};

/// The form in which secrets that the server must know itself are exported: shared-secrets of OAuth
/// 1.0a, and secrets for `client_secret_jwt`. All others are hashes.
///
/// ```
/// use quadrille::provider::ExportedSecrets;
///
/// // For a server with the same keys and the same issuer.
/// let form = ExportedSecrets::Sealed;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExportedSecrets {
    /// Sealed under the key ring of the server, for a server with the same keys and issuer.
    Sealed,
    /// In plain text: anyone who reads a line can act as its client.
    InPlainText,
}

impl AuthorizationServer {
    /// The client as one line of JSON, for [`import_clients`](Self::import_clients). Members have
    /// the names of RFC 7591 where it has one; times are seconds since 1970, lifetimes seconds. `None`
    /// for a client that describes itself in a document, for one with a secret that this server's
    /// keys do not open, and for one of OAuth 1.0a in a table of the application's own.
    ///
    /// ```
    /// # use quadrille::{Env, provider::{AuthorizationServer, NewClient, store::MemoryStore}};
    /// use quadrille::provider::ExportedSecrets;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = || MemoryStore::new(Env::system());
    /// # let server = AuthorizationServer::new("https://id.example", store())?;
    /// # let other = AuthorizationServer::new("https://id.example", store())?;
    /// let client = server.register(NewClient::confidential("Job")).await?.client;
    /// let line = server.export_client(&client, ExportedSecrets::Sealed).ok_or("it has one")?;
    /// let imported = other.import_clients(&line).await?;
    /// assert_eq!(imported.added.len(), 1); // with the same id and secret
    /// # Ok(())
    /// # }
    /// ```
    pub fn export_client(&self, client: &Client, form: ExportedSecrets) -> Option<String> {
        let inner = self.inner();
        if client.from_document {
            return None;
        }
        let Ok(Value::Object(mut record)) = serde_json::to_value(client) else { return None };
        record.remove("number");
        times::of_line(&mut record);
        for (member, field) in NAMES {
            if let Some(value) = record.remove(field) {
                record.insert(member.to_owned(), value);
            }
        }
        if form == ExportedSecrets::InPlainText {
            for secret in array(record.get_mut("secrets")) {
                reveal(secret.get_mut("verifier"), "sealed", |text| {
                    own_keys::open(inner, &client.id, text)
                })?;
            }
            let keys = record.get_mut("oauth1").and_then(|oauth1| oauth1.get_mut("keys"));
            for key in array(keys) {
                reveal(key.get_mut("credential"), "shared_secret", |text| {
                    new_key::open(inner, &client.id, text)
                })?;
            }
        }
        serde_json::to_string(&record).ok()
    }
}

/// Replaces a sealed secret by the secret. `None` if it cannot be opened.
fn reveal(
    place: Option<&mut Value>,
    form: &str,
    open: impl Fn(&str) -> Option<Secret>,
) -> Option<()> {
    let Some(place) = place else { return Some(()) };
    if let Some(sealed) = place.get(form).and_then(Value::as_str) {
        *place = serde_json::json!({ "plain": open(sealed)?.expose() });
    }
    Some(())
}
