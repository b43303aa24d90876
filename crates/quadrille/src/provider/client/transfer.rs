//! Clients as lines of JSON, which move them from one provider to another.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    sync::Arc,
};

use serde_json::{Map, Value};

use crate::{
    Secret, Timestamp,
    json::read_object,
    provider::{
        error::Error,
        guessing::VerifierError,
        oauth1::new_key::{self, NewKey, NewKeyError, NewRegistration},
        server::{AuthorizationServer, Inner},
        store::RowId,
    },
};

use super::{
    assertion,
    new::NewClient,
    record::{Client, ClientSecret, ClientType, SecretVerifier},
    registered_auth::RegisteredAuth,
    registration::RegistrationError,
    secrets,
};

/// The members whose names on a line are those of RFC 7591, with their names in the record.
const NAMES: [(&str, &str); 5] = [
    ("client_id", "id"),
    ("client_name", "name"),
    ("scope", "scopes"),
    ("default_scope", "default_scopes"),
    ("redirect_uri_patterns", "redirect_patterns"),
];

/// The members of a line.
const MEMBERS: &[&str] = &[
    "access_token_format",
    "auth",
    "client_id",
    "client_name",
    "client_secret",
    "client_type",
    "created",
    "default_scope",
    "first_party",
    "grant_types",
    "lifetimes",
    "longest_use_before",
    "oauth1",
    "oauth1_secret",
    "redirect_uri_patterns",
    "redirect_uris",
    "registration",
    "requires_pkce",
    "resource_server",
    "scope",
    "secrets",
    "without_pkce",
    "without_rotation",
];

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

/// The reason why a line is not imported.
///
/// ```
/// use quadrille::provider::LineError;
///
/// let error = LineError::UnknownMember("client_nam".to_owned());
/// assert_eq!(error.to_string(), r#"there is no member "client_nam""#);
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line is no JSON object, or a member is repeated.
    #[error("the line is no JSON object with each member once")]
    Json,
    /// A member is unknown.
    #[error("there is no member {0:?}")]
    UnknownMember(String),
    /// A member has another type than it should.
    #[error("a member is malformed: {0}")]
    Malformed(String),
    /// The verifier of a secret is not accepted.
    #[error(transparent)]
    Verifier(#[from] VerifierError),
    /// A secret is sealed under other keys.
    #[error(
        "a secret is sealed under other keys, or for another issuer: export it in plain text there"
    )]
    Sealed,
    /// A confidential client has neither a secret nor another proof of its identity.
    #[error("a confidential client needs a secret: client_secret, or secrets with verifiers")]
    NoSecret,
    /// Another line has this `client_id`.
    #[error("line {0} has this client_id, too")]
    Repeated(usize),
    /// Another client has this `client_id`.
    #[error("there is another client with this client_id, which differs from the line")]
    Exists,
    /// The client breaks a rule of registration.
    #[error(transparent)]
    Registration(#[from] RegistrationError),
}

/// The reason why nothing was imported.
///
/// ```
/// use quadrille::provider::ImportError;
///
/// fn show(error: &ImportError) {
///     if let ImportError::Lines(lines) = error {
///         for (line, reason) in lines {
///             eprintln!("line {line}: {reason}");
///         }
///     }
/// }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// Lines are wrong, by their numbers from 1.
    #[error("{} lines are wrong", .0.len())]
    Lines(Vec<(usize, LineError)>),
    /// The server failed.
    #[error(transparent)]
    Server(#[from] Error),
}

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
}

/// A line that passed the checks.
struct Checked {
    line: usize,
    client: Client,
    /// Secrets in plain text, which are yet to be hashed.
    plain: Vec<(ClientSecret, Secret)>,
}

impl LineError {
    /// The members that a line may have, so that a mistyped one can be told from them.
    pub const MEMBERS: &[&str] = MEMBERS;
}

impl AuthorizationServer {
    /// The client as one line of JSON, for [`import_clients`](Self::import_clients). Members have
    /// the names of RFC 7591 where it has one; times are milliseconds, lifetimes seconds. `None`
    /// for a client that describes itself in a document, and for one with a secret that this
    /// server's keys do not open.
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
        for (member, field) in NAMES {
            if let Some(value) = record.remove(field) {
                record.insert(member.to_owned(), value);
            }
        }
        if form == ExportedSecrets::InPlainText {
            for secret in array(record.get_mut("secrets")) {
                reveal(secret.get_mut("verifier"), "sealed", |text| assertion::open(inner, text))?;
            }
            let keys = record.get_mut("oauth1").and_then(|oauth1| oauth1.get_mut("keys"));
            for key in array(keys) {
                reveal(key.get_mut("credential"), "shared_secret", |text| {
                    new_key::open(inner, text)
                })?;
            }
        }
        serde_json::to_string(&record).ok()
    }

    /// Imports clients, one from each line of JSON: those of
    /// [`export_client`](Self::export_client), or of another provider. Either all lines are
    /// imported, after the checks of a registration, or none. The same lines can be imported again:
    /// a client that is there with the same settings remains, with its secrets.
    ///
    /// Only `client_id` and `client_name` are required. `client_secret` and `oauth1_secret` are
    /// secrets in plain text; `secrets` has objects with `verifier` in one of the forms of
    /// [`SecretVerifier::parse`], and `expires`.
    ///
    /// # Errors
    /// [`ImportError`], which names all wrong lines. Nothing was imported then.
    pub async fn import_clients(&self, text: &str) -> Result<ImportedClients, ImportError> {
        let inner = self.inner();
        let issuer = inner.issuer_id().await?;
        let (mut wrong, mut checked, mut known) = (Vec::new(), Vec::new(), Vec::new());
        let mut lines: BTreeMap<Arc<str>, usize> = BTreeMap::new();
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let read = match read(inner, number, line) {
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
                Some(there) if has_same_settings(&there, &read.client) => {
                    known.push(Arc::clone(&there.id));
                }
                Some(_) => wrong.push((number, LineError::Exists)),
            }
        }
        if !wrong.is_empty() {
            return Err(ImportError::Lines(wrong));
        }
        let mut added: Vec<Client> = Vec::new();
        for Checked { line, mut client, plain } in checked {
            for (secret, text) in plain {
                let verifier = match &client.auth {
                    Some(RegisteredAuth::ClientSecretJwt { .. }) => assertion::seal(inner, &text),
                    _ => {
                        let hash = inner.kdf.hash(&inner.env, text).await.map_err(Error::from)?;
                        SecretVerifier::Argon2id(hash)
                    }
                };
                client.secrets.push(ClientSecret { verifier, ..secret });
            }
            client.number = inner.newer_row().await?;
            let put = inner.store.put_client(issuer, client.clone(), None).await;
            match put.map_err(Error::from) {
                Ok(true) => added.push(client),
                failed => {
                    // Another client has taken the id meanwhile, or the store failed.
                    for client in &added {
                        inner.store.remove_client(issuer, &client.id).await.map_err(Error::from)?;
                    }
                    failed?;
                    return Err(ImportError::Lines(vec![(line, LineError::Exists)]));
                }
            }
        }
        tracing::info!(added = added.len(), known = known.len(), "clients imported");
        Ok(ImportedClients { added, known })
    }
}

/// Reads and checks a line.
fn read(inner: &Inner, line: usize, text: &str) -> Result<Checked, LineError> {
    let mut record = read_object(text.as_bytes()).map_err(|_| LineError::Json)?;
    if let Some(name) = record.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(LineError::UnknownMember(name.clone()));
    }
    let now = inner.now();
    let plain = plain_secrets(inner, &mut record, now)?;
    seal_oauth1(inner, &mut record)?;
    let uris = texts(&record, "redirect_uris")?;
    let patterns = texts(&record, "redirect_uri_patterns")?;
    let grants =
        match (&*uris, record.contains_key("oauth1") || record.contains_key("resource_server")) {
            (_, true) => serde_json::json!([]),
            ([], false) if patterns.is_empty() => serde_json::json!(["client_credentials"]),
            _ => serde_json::json!(["authorization_code", "refresh_token"]),
        };
    for (member, value) in [
        ("client_type", Value::from("confidential")),
        ("secrets", serde_json::json!([])),
        ("redirect_uris", serde_json::json!([])),
        ("scope", Value::from("")),
        ("grant_types", grants),
        ("first_party", Value::from(false)),
        ("created", Value::from(now.millis())),
        ("number", Value::from(0)),
    ] {
        record.entry(member).or_insert(value);
    }
    for (member, field) in NAMES {
        if let Some(value) = record.remove(member) {
            record.insert(field.to_owned(), value);
        }
    }
    let read = serde_json::from_value(Value::Object(record));
    let mut client: Client = read.map_err(|error| LineError::Malformed(error.to_string()))?;
    client.name = client.name.trim().to_owned();
    check(inner, &client, uris, patterns, &plain)?;
    Ok(Checked { line, client, plain })
}

/// Checks the client as at its registration.
fn check(
    inner: &Inner,
    client: &Client,
    uris: Vec<String>,
    patterns: Vec<String>,
    plain: &[(ClientSecret, Secret)],
) -> Result<(), LineError> {
    let oauth1 = client.oauth1.as_ref().map(NewRegistration::again);
    let mut new = NewClient::again(client, oauth1).id(&*client.id).redirect_uris(uris);
    new.redirect_patterns = patterns;
    new.check(inner.scopes.known(), &inner.resources)?;
    if client.oauth1.as_ref().is_some_and(|oauth1| oauth1.keys.is_empty()) {
        return Err(RegistrationError::from(NewKeyError::Missing).into());
    }
    let secrets = client.secrets.len() + plain.len();
    let proves_otherwise = matches!(client.auth, Some(RegisteredAuth::PrivateKeyJwt { .. }))
        || client.oauth1.is_some() && client.grant_types.is_empty();
    match client.client_type {
        ClientType::Public if secrets > 0 => {
            return Err(RegistrationError::SecretOfPublicClient.into());
        }
        ClientType::Confidential if secrets == 0 && !proves_otherwise => {
            return Err(LineError::NoSecret);
        }
        _ => {}
    }
    let opens = |secret: &ClientSecret| match &secret.verifier {
        SecretVerifier::Sealed(text) => assertion::open(inner, text).is_some(),
        _ => true,
    };
    if client.secrets.iter().all(opens) { Ok(()) } else { Err(LineError::Sealed) }
}

/// Takes the secrets in plain text out of a line, and reads verifiers that are texts.
fn plain_secrets(
    inner: &Inner,
    record: &mut Map<String, Value>,
    now: Timestamp,
) -> Result<Vec<(ClientSecret, Secret)>, LineError> {
    let mut secrets = match record.remove("secrets") {
        None => Vec::new(),
        Some(Value::Array(secrets)) => secrets,
        Some(_) => return Err(LineError::Malformed("secrets is no array".to_owned())),
    };
    if let Some(text) = record.remove("client_secret") {
        secrets.push(serde_json::json!({ "verifier": { "plain": text } }));
    }
    let mut plain = Vec::new();
    let mut kept = Vec::new();
    for mut secret in secrets {
        let Some(members) = secret.as_object_mut() else {
            return Err(LineError::Malformed("a secret is no object".to_owned()));
        };
        members.entry("id").or_insert_with(|| Value::from(&*secrets::new_id(inner, &[])));
        members.entry("created").or_insert_with(|| Value::from(now.millis()));
        members.entry("expires").or_insert(Value::Null);
        let text = match members.get("verifier") {
            Some(Value::String(text)) => {
                let verifier = SecretVerifier::parse(text)?;
                let verifier = serde_json::to_value(verifier);
                members.insert(
                    "verifier".to_owned(),
                    verifier.map_err(|error| LineError::Malformed(error.to_string()))?,
                );
                None
            }
            Some(Value::Object(verifier)) => verifier.get("plain").cloned(),
            _ => return Err(LineError::Malformed("a secret has no verifier".to_owned())),
        };
        match text {
            None => {
                if let Some(text) = ["argon2id", "imported"]
                    .iter()
                    .find_map(|form| members.get("verifier")?.get(form)?.as_str())
                {
                    SecretVerifier::parse(text)?;
                }
                kept.push(secret);
            }
            Some(text) => {
                let text = plain_text(&text)?;
                // Replaced by the hash of the text.
                let none = SecretVerifier::Sha256([0; 32]);
                let verifier = serde_json::to_value(none);
                members.insert("verifier".to_owned(), verifier.unwrap_or_default());
                let read = serde_json::from_value(secret);
                let read: ClientSecret =
                    read.map_err(|error| LineError::Malformed(error.to_string()))?;
                plain.push((read, text));
            }
        }
    }
    record.insert("secrets".to_owned(), Value::Array(kept));
    Ok(plain)
}

/// Seals shared-secrets of OAuth 1.0a that are in plain text, and opens the sealed ones.
fn seal_oauth1(inner: &Inner, record: &mut Map<String, Value>) -> Result<(), LineError> {
    if let Some(text) = record.remove("oauth1_secret") {
        let oauth1 = record.entry("oauth1").or_insert_with(|| serde_json::json!({ "keys": [] }));
        let keys = oauth1.get_mut("keys").and_then(Value::as_array_mut);
        let keys = keys.ok_or_else(|| LineError::Malformed("oauth1 has no keys".to_owned()))?;
        keys.push(serde_json::json!({ "credential": { "plain": text }, "expires": null }));
    }
    let keys = record.get_mut("oauth1").and_then(|oauth1| oauth1.get_mut("keys"));
    for key in array(keys) {
        let Some(credential) = key.get_mut("credential") else { continue };
        if let Some(text) = credential.get("plain") {
            let sealed = new_key::seal(inner, &plain_text(text)?);
            *credential = serde_json::json!({ "shared_secret": sealed });
        } else if let Some(text) = credential.get("shared_secret").and_then(Value::as_str)
            && new_key::open(inner, text).is_none()
        {
            return Err(LineError::Sealed);
        } else {
            let pem = |form| credential.get(form).and_then(Value::as_str).map(str::to_owned);
            let long = pem("rsa_public_key").map(NewKey::RsaPublicKey);
            let short = pem("short_rsa_public_key")
                .map(NewKey::RsaPublicKeyOf1024BitsAndUpAsOldInstallationsHaveThem);
            if let Some(key) = long.or(short) {
                key.check().map_err(RegistrationError::from)?;
            }
        }
    }
    Ok(())
}

/// A secret in plain text: VSCHAR of RFC 6749, appendix A.2.
fn plain_text(value: &Value) -> Result<Secret, LineError> {
    let is_text = |text: &&str| {
        (1..=1024).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    };
    let text = value.as_str().filter(is_text);
    text.map(Secret::from).ok_or_else(|| {
        LineError::Malformed("a secret has 1 to 1024 printable ASCII characters".to_owned())
    })
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

fn array(value: Option<&mut Value>) -> impl Iterator<Item = &mut Value> {
    value.and_then(Value::as_array_mut).into_iter().flatten()
}

fn texts(record: &Map<String, Value>, member: &str) -> Result<Vec<String>, LineError> {
    let malformed = || LineError::Malformed(format!("{member} is no array of texts"));
    let Some(value) = record.get(member) else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(malformed)?.iter();
    items.map(|item| item.as_str().map(str::to_owned).ok_or_else(malformed)).collect()
}

/// `true` if the clients differ in nothing but secrets, keys and times.
fn has_same_settings(there: &Client, line: &Client) -> bool {
    let plain = |client: &Client| {
        let mut client = client.clone();
        client.number = RowId(0);
        client.created = Timestamp::default();
        client.longest_use_before = None;
        client.secrets.clear();
        if let Some(oauth1) = &mut client.oauth1 {
            oauth1.keys.clear();
        }
        client
    };
    plain(there) == plain(line)
}
