//! The content of a client's metadata document, and its check.

use std::sync::Arc;

use serde::{Deserialize, de::IgnoredAny};
use serde_json::value::RawValue;
use url::Url;

use crate::{
    Scopes, Timestamp,
    oauth2::answer,
    provider::{
        client::{
            about::ClientAbout,
            metadata::{CheckedMetadata, ClientMetadata},
            name::ReservedNames,
            policy::MetadataPolicy,
            record::Client,
        },
        openid::client::ClientOpenId,
        store::RowId,
    },
};

use super::{error::ClientDocumentError, members::Members};

/// The number of a client that is not stored yet, since no user has consented to it. No row has
/// this number.
pub(crate) const NOT_STORED: RowId = RowId(0);

/// The greatest length of a URL as a `client_id`, in bytes.
const URL: usize = 1000;

/// The members that this server uses (RFC 7591, section 2). An unreadable element of a list does
/// not affect the others.
#[derive(Deserialize)]
struct Document<'d> {
    client_id: String,
    client_name: Option<String>,
    #[serde(borrow)]
    redirect_uris: Option<Vec<&'d RawValue>>,
    token_endpoint_auth_method: Option<String>,
    #[serde(borrow)]
    grant_types: Option<Vec<&'d RawValue>>,
    #[serde(borrow)]
    response_types: Option<Vec<&'d RawValue>>,
    scope: Option<String>,
    client_secret: Option<IgnoredAny>,
    client_secret_expires_at: Option<IgnoredAny>,
    #[serde(borrow)]
    subject_type: Option<&'d RawValue>,
    #[serde(borrow)]
    client_uri: Option<&'d RawValue>,
    #[serde(borrow)]
    logo_uri: Option<&'d RawValue>,
    #[serde(borrow)]
    tos_uri: Option<&'d RawValue>,
    #[serde(borrow)]
    policy_uri: Option<&'d RawValue>,
    #[serde(borrow)]
    contacts: Option<&'d RawValue>,
}

/// A client, as its document describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Described {
    id: Arc<str>,
    metadata: CheckedMetadata,
    openid: ClientOpenId,
    about: ClientAbout,
}

/// The URL of the document of a client with this id: https, written as browsers write it, with a
/// path, without user name, password and fragment. `None` if the id is no such URL.
pub(crate) fn url_of(client_id: &str) -> Option<Url> {
    if client_id.len() > URL || !client_id.starts_with("https://") {
        return None;
    }
    let url = Url::parse(client_id).ok()?;
    let is_bare = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    // Equal to the character, hence without dot segments, for example.
    (url.as_str() == client_id && is_bare && url.path() != "/").then_some(url)
}

/// The host that vouches for a client that describes itself: that of its `client_id`, with the port
/// unless it is the default.
pub(crate) fn host_of(client: &Client) -> Option<String> {
    let url = url_of(&client.id).filter(|_| client.from_document)?;
    url.origin().ascii_serialization().strip_prefix("https://").map(ToOwned::to_owned)
}

/// Reads the document from `url`. `openid` reads the metadata of OpenID Connect.
pub(super) fn read(
    url: &Url,
    json: &[u8],
    reserved: &ReservedNames,
    openid: impl FnOnce(&Members, &CheckedMetadata) -> Result<ClientOpenId, ClientDocumentError>,
) -> Result<Described, ClientDocumentError> {
    // An invalid character in a text, such as a name, affects no other.
    let json = answer::text(json);
    let malformed = |_| ClientDocumentError::Malformed;
    let document: Document<'_> = serde_json::from_str(&json).map_err(malformed)?;
    let members: Members = serde_json::from_str(&json).map_err(malformed)?;
    if document.client_id != url.as_str() {
        return Err(ClientDocumentError::OtherClient);
    }
    if document.client_secret.is_some() || document.client_secret_expires_at.is_some() {
        return Err(ClientDocumentError::Secret);
    }
    let is_pairwise = document.subject_type.is_some_and(|value| value.get() != "\"public\"");
    if let Some(name) = members.unheeded.or(is_pairwise.then_some("subject_type")) {
        return Err(ClientDocumentError::NotOffered(name));
    }
    if document.client_name.as_deref().is_some_and(|name| reserved.has(name)) {
        return Err(ClientDocumentError::ReservedName);
    }
    let about = document.about(url.as_str());
    let metadata = document.metadata()?;
    let policy = MetadataPolicy::document(url.host_str().unwrap_or_default());
    let metadata = metadata.check(&policy)?;
    let openid = openid(&members, &metadata)?;
    Ok(Described { id: url.as_str().into(), metadata, openid, about })
}

impl Document<'_> {
    fn about(&self, at: &str) -> ClientAbout {
        let url = |member: Option<&RawValue>| member.map(text).map(Into::into);
        let contacts: Option<Vec<&RawValue>> =
            self.contacts.and_then(|list| serde_json::from_str(list.get()).ok());
        let contacts = contacts.into_iter().flatten().map(text);
        ClientAbout {
            owner: None,
            client_uri: url(self.client_uri),
            logo_uri: url(self.logo_uri),
            tos_uri: url(self.tos_uri),
            policy_uri: url(self.policy_uri),
            contacts: contacts.map(Into::into).collect(),
        }
        .of_document(at)
    }

    fn metadata(self) -> Result<ClientMetadata, ClientDocumentError> {
        let list = |elements: Vec<&RawValue>| elements.into_iter().map(text).collect();
        let scope = self.scope.map(|scope| Scopes::parse(&scope)).transpose();
        Ok(ClientMetadata {
            redirect_uris: self.redirect_uris.map(list).unwrap_or_default(),
            token_endpoint_auth_method: self.token_endpoint_auth_method,
            grant_types: self.grant_types.map(list),
            response_types: self.response_types.map(list),
            client_name: self.client_name,
            scope: scope.map_err(|_| ClientDocumentError::Scope)?,
            ..ClientMetadata::default()
        })
    }
}

/// The text of an element of a list; for any other element an empty one, which no check accepts.
fn text(element: &RawValue) -> String {
    serde_json::from_str(element.get()).unwrap_or_default()
}

impl Described {
    /// The client, whose scopes end at `ceiling`. Its number and the time of its first consent are
    /// those of the `stored` client, if there is one.
    pub(crate) fn client(
        &self,
        ceiling: &Scopes,
        stored: Option<&Client>,
        now: Timestamp,
    ) -> Client {
        let scopes = match &self.metadata.scopes {
            Some(scopes) => ceiling.iter().filter(|name| scopes.contains(name)).collect(),
            None => ceiling.clone(),
        };
        let number = stored.map_or(NOT_STORED, |stored| stored.number);
        let created = stored.map_or(now, |stored| stored.created);
        let client = self.metadata.client(self.id.clone(), number, scopes, created);
        let response_types = client.openid.response_types.clone();
        let openid = ClientOpenId { response_types, ..self.openid.clone() };
        let about = self.about.clone().member();
        Client { from_document: true, openid, about, ..client }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    use crate::provider::client::{
        dynamic::{described::Hosts, self_described::Server},
        grant_type::GrantType,
        name::LONGEST_NAME,
        policy::MOST_REDIRECT_URIS as REDIRECT_URIS,
        record::ClientType,
    };
    use crate::{jose::Algorithm, provider::openid::options::OpenId};

    const ID: &str = "https://app.example/client.json";

    fn read(url: &Url, json: &[u8]) -> Result<Described, ClientDocumentError> {
        let openid = OpenId::new();
        let algorithms = vec![Algorithm::Es256];
        let hosts = Hosts::Public;
        let server = Server { openid: Some(&openid), algorithms, fetches_keys: false, hosts };
        let read = |members: &_, beside: &_| super::super::openid::read(&server, members, beside);
        let mut reserved = ReservedNames::default();
        reserved.add("Acme");
        super::read(url, json, &reserved, read)
    }

    fn document(change: &Value) -> Result<Described, ClientDocumentError> {
        let mut document = json!({
            "client_id": ID,
            "client_name": "Photo app",
            "client_uri": "https://app.example",
            "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        });
        for (name, value) in change.as_object().unwrap() {
            document[name] = value.clone();
        }
        read(&Url::parse(ID).unwrap(), document.to_string().as_bytes())
    }

    fn client(change: &Value, ceiling: &str) -> Client {
        let ceiling = Scopes::parse(ceiling).unwrap();
        document(change).unwrap().client(&ceiling, None, Timestamp::default())
    }

    #[test]
    fn a_client_id_is_a_documents_url_only_to_the_character() {
        for id in [ID, "https://app.example:8443/c", "https://app.example/c?v=1"] {
            assert!(url_of(id).is_some(), "{id}");
        }
        for id in [
            "app",
            "http://app.example/client.json",
            "https://app.example",
            "https://app.example/",
            "https://App.example/client.json",
            "https://app.example:443/client.json",
            "https://app.example/a/../client.json",
            "https://app.example/./client.json",
            "https://app.example/client.json#x",
            "https://user@app.example/client.json",
            "https://user:x@app.example/client.json",
            "https://app.example\\client.json",
            " https://app.example/client.json",
            "https:app.example/client.json",
            "https://127.1/client.json",
        ] {
            assert!(url_of(id).is_none(), "{id}");
        }
        assert!(url_of(&format!("https://app.example/{}", "x".repeat(1000))).is_none());
    }

    #[test]
    fn a_good_document_describes_a_public_client() {
        let client = client(&json!({}), "a b");
        assert_eq!((&*client.id, client.name.as_str()), (ID, "Photo app"));
        assert_eq!(client.client_type, ClientType::Public);
        assert!(client.secrets.is_empty() && !client.first_party && client.from_document);
        assert_eq!(client.redirect_uris, ["https://app.example/cb", "http://127.0.0.1/cb"]);
        assert_eq!(
            client.grant_types,
            [GrantType::AuthorizationCode, GrantType::RefreshToken].into()
        );
        assert_eq!(client.number, NOT_STORED);
        assert_eq!(host_of(&client).as_deref(), Some("app.example"));
    }

    #[test]
    fn what_cannot_be_used_here_costs_the_client_nothing_else() {
        let uris = ["editor://callback", "https://app.example/cb", "a.b:", "http://x.example/"];
        let odd = client(
            &json!({"redirect_uris": uris, "grant_types": ["authorization_code", 7, "x"],
                   "response_types": [null, "code"], "jwks": "x", "contacts": 7}),
            "a",
        );
        assert_eq!(odd.redirect_uris, ["https://app.example/cb"]);

        let text = format!(
            r#"{{"client_id":"{ID}","client_name":"Ren?e",
                 "redirect_uris":["https://app.example/cb"],"policy_uri":"?"}}"#
        );
        let latin: Vec<u8> = text.bytes().map(|b| if b == b'?' { 0xe9 } else { b }).collect();
        let marked = [b"\xef\xbb\xbf", &latin[..]].concat();
        for json in [latin, marked] {
            let read = read(&Url::parse(ID).unwrap(), &json).unwrap();
            assert_eq!(read.metadata.name, "Ren\u{fffd}e");
        }
    }

    #[test]
    fn one_redirect_uri_that_cannot_be_read_costs_the_client_no_other_one() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        for odd in [
            r#""\ud800""#,
            r#""https://app.example/\ud800""#,
            r#""https://app.example/\udfff\ud83e""#,
            r#""https://app.example/\u0000""#,
            r#""\ufeffhttps://app.example/a""#,
            "\"https://app.example/Ren\u{e9}\"",
            "1e999",
            "-0",
            "null",
            "{\"\\ud800\":\"\\ud800\"}",
            "{\"a\":1,\"a\":2}",
            &deep,
        ] {
            for json in [
                format!(
                    r#"{{"client_id":"{ID}",
                         "redirect_uris":[{odd},"https://app.example/cb",{odd}]}}"#
                ),
                format!(
                    r#"{{"client_id":"{ID}","redirect_uris":["https://app.example/cb"],
                       "grant_types":[{odd},"authorization_code"],"response_types":[{odd},"code"],
                       "x":{odd},"x":{odd},"\ud800":{odd},"jwks":{{"keys":[{odd}]}}}}"#
                ),
            ] {
                let read = read(&Url::parse(ID).unwrap(), json.as_bytes());
                let read = read.unwrap_or_else(|error| panic!("{error}: {json}"));
                assert_eq!(read.metadata.redirect_uris, ["https://app.example/cb"], "{json}");
            }
        }
        let named = |name: &str| {
            let uris = r#"["https://app.example/cb"]"#;
            let json =
                format!(r#"{{"client_id":"{ID}","client_name":"{name}","redirect_uris":{uris}}}"#);
            read(&Url::parse(ID).unwrap(), json.as_bytes()).map(|read| read.metadata.name)
        };
        assert_eq!(named(r"Ren\ud800e").as_deref(), Ok("Ren\u{fffd}e"), "as another encoding is");
        assert_eq!(named(r"Ren\ud83e\udd80e").as_deref(), Ok("Ren\u{1f980}e"));
        assert_eq!(named(r"Ren\u0000e"), Err(ClientDocumentError::Name));
    }

    #[test]
    fn what_decides_is_read_exactly() {
        use ClientDocumentError::{AuthMethod, GrantType, OtherClient, Scope};
        let uris = r#""redirect_uris":["https://app.example/cb"]"#;
        for (members, error) in [
            (format!(r#""client_id":"{ID}\ud800""#), OtherClient),
            (
                format!(r#""client_id":"{ID}","token_endpoint_auth_method":"none\ud800""#),
                AuthMethod,
            ),
            (format!(r#""client_id":"{ID}","scope":"a\ud800""#), Scope),
            (
                format!(r#""client_id":"{ID}","grant_types":["authorization_code\ud800"]"#),
                GrantType,
            ),
        ] {
            let json = format!("{{{members},{uris}}}");
            assert_eq!(read(&Url::parse(ID).unwrap(), json.as_bytes()), Err(error), "{json}");
        }
    }

    #[test]
    fn what_is_left_out_widens_nothing() {
        let plain = client(
            &json!({"client_name": null, "grant_types": null, "response_types": null,
                   "token_endpoint_auth_method": null}),
            "a b",
        );
        assert_eq!(plain.name, "app.example");
        assert_eq!(plain.grant_types, [GrantType::AuthorizationCode].into());
    }

    #[test]
    fn a_client_gets_no_more_than_the_ceiling_whatever_it_says() {
        let scopes = |change| client(&change, "a b").scopes.as_str().to_owned();
        assert_eq!(scopes(json!({})), "a b");
        assert_eq!(scopes(json!({"scope": "b c"})), "b");
        assert_eq!(scopes(json!({"scope": "admin"})), "");
        let machine = json!({"grant_types": ["authorization_code", "client_credentials", "x"]});
        assert_eq!(client(&machine, "a").grant_types, [GrantType::AuthorizationCode].into());
        assert!(!client(&json!({"first_party": true, "from_document": false}), "a").first_party);
    }

    #[test]
    fn a_bad_document_is_not_taken() {
        use ClientDocumentError::*;
        let long = "x".repeat(LONGEST_NAME + 1);
        let many = vec!["https://app.example/cb"; REDIRECT_URIS + 1];
        for (change, error) in [
            (json!({"client_id": "https://app.example/client.json/"}), OtherClient),
            (json!({"client_id": "https://APP.example/client.json"}), OtherClient),
            (json!({"client_id": "https://evil.example/client.json"}), OtherClient),
            (json!({"client_id": null}), Malformed),
            (json!({"client_id": 7}), Malformed),
            (json!({"redirect_uris": "https://app.example/cb"}), Malformed),
            (json!({"client_secret": "x"}), Secret),
            (json!({"client_secret": ""}), Secret),
            (json!({"client_secret_expires_at": 0}), Secret),
            (json!({"token_endpoint_auth_method": "client_secret_basic"}), AuthMethod),
            (json!({"token_endpoint_auth_method": "client_secret_post"}), AuthMethod),
            (json!({"token_endpoint_auth_method": "client_secret_jwt"}), AuthMethod),
            (json!({"token_endpoint_auth_method": "private_key_jwt"}), AuthMethod),
            (json!({"token_endpoint_auth_method": ""}), AuthMethod),
            (json!({"redirect_uris": null}), NoRedirectUri),
            (json!({"redirect_uris": []}), NoRedirectUri),
            (json!({"redirect_uris": many}), NoRedirectUri),
            (json!({"redirect_uris": ["javascript:alert(1)", "a.b:", 7]}), NoRedirectUri),
            (json!({"grant_types": ["refresh_token"]}), GrantType),
            (json!({"grant_types": []}), GrantType),
            (json!({"response_types": ["token"]}), Member("response_types")),
            (json!({"scope": "a \" b"}), Scope),
            (
                json!({"id_token_encrypted_response_alg": "RSA-OAEP"}),
                NotOffered("id_token_encrypted_response_alg"),
            ),
            (json!({"subject_type": "pairwise"}), NotOffered("subject_type")),
            (json!({"dpop_bound_access_tokens": true}), NotOffered("dpop_bound_access_tokens")),
            (
                json!({"require_signed_request_object": true}),
                NotOffered("require_signed_request_object"),
            ),
            (
                json!({"id_token_signed_response_alg": "PS512"}),
                NotOffered("id_token_signed_response_alg"),
            ),
            (json!({"default_max_age": "1"}), Member("default_max_age")),
            (
                json!({"backchannel_logout_uri": "http://app.example/"}),
                Member("backchannel_logout_uri"),
            ),
            (json!({"client_name": " "}), Name),
            (json!({"client_name": "Photo\napp"}), Name),
            (json!({"client_name": "\u{410}dmin"}), Lookalike),
            (json!({"client_name": "\u{1d5d4}dmin"}), Lookalike),
            (json!({"client_name": "acme"}), ReservedName),
            (json!({"client_name": "ACME Photos"}), ReservedName),
            (json!({"client_name": "Photo \u{202e}ppa"}), Name),
            (json!({"client_name": long}), Name),
        ] {
            assert_eq!(document(&change), Err(error), "{change}");
        }
        let url = Url::parse(ID).unwrap();
        for malformed in ["", "[]", "null", "<html>", "{}"] {
            assert_eq!(read(&url, malformed.as_bytes()), Err(Malformed), "{malformed}");
        }
        let twice = format!(r#"{{"client_id":"{ID}","client_id":"{ID}"}}"#);
        assert_eq!(read(&url, twice.as_bytes()), Err(Malformed));
    }
}
