//! A line of an import, read and checked.

use serde_json::{Map, Value};

use crate::{
    Secret, Timestamp,
    json::read_object,
    provider::{
        client::{
            dynamic::sector,
            grant_type::GrantType,
            new::NewClient,
            oauth1::new_key::{self, NewKey, NewKeyError, NewRegistration, is_secret},
            own_keys,
            personal::ClientOfPersonalTokens,
            record::{Client, ClientSecret, ClientType, SecretVerifier},
            registered_auth::RegisteredAuth,
            registration::{RegistrationError, check_methods},
            secrets::{self, MOST_SECRETS},
        },
        server::Inner,
    },
};

use super::{
    error::LineError,
    members::{self, NAMES, array},
    times,
    weak::{self, Weakness},
};

/// A line that passed the checks.
pub(super) struct Checked {
    pub(super) client: Client,
    /// Secrets in plain text, which are yet to be hashed.
    pub(super) plain: Vec<(ClientSecret, Secret)>,
    /// The reason why its secrets are easy to find out.
    pub(super) weaknesses: Vec<Weakness>,
}

/// Reads and checks a line.
pub(super) fn read(inner: &Inner, text: &str) -> Result<Checked, LineError> {
    let mut record = read_object(text.as_bytes())?;
    members::check(&record)?;
    times::of_record(&mut record)?;
    if let Some(name) =
        ["client_id", "client_name"].into_iter().find(|it| !record.contains_key(*it))
    {
        return Err(LineError::Missing(name));
    }
    let now = inner.now();
    let weaknesses = weak::of(&record);
    let plain = plain_secrets(inner, &mut record, now)?;
    seal_oauth1(inner, &mut record)?;
    let uris = texts(&record, "redirect_uris")?;
    let patterns = texts(&record, "redirect_uri_patterns")?;
    let grants = match record.contains_key("oauth1") || record.contains_key("resource_server") {
        true => serde_json::json!([]),
        false => serde_json::json!(["authorization_code", "refresh_token"]),
    };
    let has_way_back = !uris.is_empty() || !patterns.is_empty();
    if !has_way_back && grants != serde_json::json!([]) && !record.contains_key("grant_types") {
        return Err(LineError::NoRedirectUri);
    }
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
    let is_unknown = |it: &&GrantType| matches!(it, GrantType::Extension(_)) && !inner.offers(it);
    if let Some(unknown) = client.grant_types.iter().find(is_unknown) {
        return Err(LineError::UnknownGrantType(unknown.as_str().to_owned()));
    }
    check(inner, &client, uris, patterns, &plain)?;
    Ok(Checked { client, plain, weaknesses })
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
    // Personal access tokens belong to a client without grants, which is exported, too.
    if ClientOfPersonalTokens::is(client) {
        new = new.without_grants();
    }
    new.check(inner.scopes.known(), &inner.resources)?;
    new.check_served(inner)?;
    if sector::is_unproven(None, client) {
        return Err(RegistrationError::SectorUnproven.into());
    }
    if client.oauth1.as_ref().is_some_and(|oauth1| oauth1.keys.is_empty()) {
        return Err(RegistrationError::from(NewKeyError::Missing).into());
    }
    check_methods(client, inner.now()).map_err(RegistrationError::from)?;
    let secrets = client.secrets.len() + plain.len();
    if secrets > MOST_SECRETS {
        return Err(RegistrationError::TooManySecrets.into());
    }
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
        SecretVerifier::Sealed(text) => own_keys::open(inner, &client.id, text).is_some(),
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
    let client = record.get("client_id").and_then(Value::as_str).unwrap_or_default().to_owned();
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
            let sealed = new_key::seal(inner, &client, &plain_text(text)?);
            *credential = serde_json::json!({ "shared_secret": sealed });
        } else if let Some(text) = credential.get("shared_secret").and_then(Value::as_str)
            && new_key::open(inner, &client, text).is_none()
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

/// A secret in plain text.
fn plain_text(value: &Value) -> Result<Secret, LineError> {
    let text = value.as_str().filter(|text| is_secret(text));
    text.map(Secret::from).ok_or_else(|| {
        LineError::Malformed("a secret has 1 to 1024 printable ASCII characters".to_owned())
    })
}

fn texts(record: &Map<String, Value>, member: &str) -> Result<Vec<String>, LineError> {
    let malformed = || LineError::Malformed(format!("{member} is no array of texts"));
    let Some(value) = record.get(member) else { return Ok(Vec::new()) };
    let items = value.as_array().ok_or_else(malformed)?.iter();
    items.map(|item| item.as_str().map(str::to_owned).ok_or_else(malformed)).collect()
}
