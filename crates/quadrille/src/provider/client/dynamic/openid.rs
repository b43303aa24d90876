//! The OpenID Connect metadata of a client that registers itself (OpenID Connect Dynamic Client
//! Registration, section 2; RP-Initiated, Front-Channel and Back-Channel Logout).

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::{
    jose::{Algorithm, ContentEncryption, KeyManagement},
    oauth2::RegistrationRequestError,
    provider::{
        client::{
            logout_uris::LogoutUriError,
            redirect_uri::{RedirectUri, RedirectUriError},
        },
        openid::{
            client::{ApplicationType, ClientOpenId, SubjectType},
            messages::{MessageEncryption, RequestObjectSigning},
        },
    },
};

use super::{described::Hosts, error::ClientRegistrationError};

/// The greatest number of addresses after a logout, and of other values in a list.
const ADDRESSES: usize = 32;

/// The greatest length of such a value, in bytes.
const LONGEST_TEXT: usize = 255;

/// The members about encrypted answers. On a server without them a client that asks for encryption is
/// refused: it must not get its answers in the clear.
const ENCRYPTED: [[&str; 2]; 2] = [
    ["id_token_encrypted_response_alg", "id_token_encrypted_response_enc"],
    ["userinfo_encrypted_response_alg", "userinfo_encrypted_response_enc"],
];

/// The member by which all requests must be in signed objects (RFC 9101, section 10.5).
const REQUIRE_SIGNED: &str = "require_signed_request_object";

/// The members about encrypted request objects.
const OBJECT: [&str; 2] = ["request_object_encryption_alg", "request_object_encryption_enc"];

/// The parts of a server that decide which members it reads.
pub(super) struct Offered<'a> {
    /// The algorithms that the server signs with.
    pub(super) algorithms: &'a [Algorithm],
    pub(super) has_pairwise: bool,
    /// `true` if clients may send request objects. Otherwise they are refused there, and the members
    /// about them ignored.
    pub(super) has_objects: bool,
    /// `true` if answers are encrypted for clients that want it.
    pub(super) has_encryption: bool,
    pub(super) hosts: Hosts,
}

/// Reads the members beside those of RFC 7591.
pub(super) fn read(
    members: &Map<String, Value>,
    offered: &Offered<'_>,
) -> Result<ClientOpenId, ClientRegistrationError> {
    let unsupported = ENCRYPTED.into_iter().filter(|_| !offered.has_encryption);
    if let Some(name) = unsupported.flatten().find(|name| members.contains_key(*name)) {
        return Err(ClientRegistrationError::Unsupported(name));
    }
    let subject_type = match text(members, "subject_type")? {
        None | Some("public") => SubjectType::Public,
        Some("pairwise") if offered.has_pairwise => SubjectType::Pairwise,
        Some(_) => return Err(ClientRegistrationError::Unsupported("subject_type")),
    };
    let application_type = text(members, "application_type")?.map(|name| {
        ApplicationType::parse(name).ok_or(ClientRegistrationError::Unsupported("application_type"))
    });
    let sector = text(members, "sector_identifier_uri")?;
    let algorithm = |name| {
        let Some(text) = text(members, name)? else { return Ok(None) };
        let known = Algorithm::parse(text).filter(|it| offered.algorithms.contains(it));
        known.map(Some).ok_or(ClientRegistrationError::ResponseAlgorithm(name))
    };
    let uri = |name| {
        let invalid = |reason| LogoutUriError::Syntax(name, reason);
        let uri = text(members, name)?.map(|text| RedirectUri::parse(text).map_err(invalid));
        uri.transpose().map_err(ClientRegistrationError::from)
    };
    let login = text(members, "initiate_login_uri")?;
    let [id_token, userinfo] = ENCRYPTED;
    let objects = match offered.has_objects {
        true => Objects::read(members, offered.hosts)?,
        false => Objects::default(),
    };
    Ok(ClientOpenId {
        keys: None,
        application_type: application_type.transpose()?,
        id_token_encrypted_response: encryption(members, id_token)?,
        userinfo_encrypted_response: encryption(members, userinfo)?,
        require_signed_request_object: flag(members, REQUIRE_SIGNED)?,
        request_object_signing_alg: objects.signing,
        request_object_encryption: objects.encryption,
        request_uris: objects.uris,
        id_token_signed_response_alg: algorithm("id_token_signed_response_alg")?,
        userinfo_signed_response_alg: algorithm("userinfo_signed_response_alg")?,
        response_types: Vec::new(),
        subject_type,
        sector_identifier_uri: offered.hosts.address("sector_identifier_uri", sector)?,
        default_max_age: seconds(members, "default_max_age")?,
        default_acr_values: texts(members, "default_acr_values")?,
        require_auth_time: flag(members, "require_auth_time")?,
        initiate_login_uri: offered.hosts.address("initiate_login_uri", login)?,
        post_logout_redirect_uris: addresses(members, "post_logout_redirect_uris")?,
        frontchannel_logout_uri: uri("frontchannel_logout_uri")?,
        frontchannel_logout_session_required: flag(
            members,
            "frontchannel_logout_session_required",
        )?,
        backchannel_logout_uri: uri("backchannel_logout_uri")?,
        backchannel_logout_session_required: flag(members, "backchannel_logout_session_required")?,
    })
}

/// Reads the members of a client of a server without OpenID Connect: that they concern plain OAuth, too.
pub(super) fn of_oauth(
    members: &Map<String, Value>,
) -> Result<ClientOpenId, ClientRegistrationError> {
    let require_signed_request_object = flag(members, REQUIRE_SIGNED)?;
    Ok(ClientOpenId { require_signed_request_object, ..ClientOpenId::default() })
}

/// Writes the members that a client has.
pub(super) fn write(openid: &ClientOpenId, members: &mut Map<String, Value>) {
    let algorithm = |it: Option<Algorithm>| it.map(|it| it.as_str().into());
    let uri = |it: &Option<RedirectUri>| it.as_ref().map(|it| it.as_str().into());
    let flag = |it: bool| it.then(|| Value::from(true));
    let addresses: Vec<&str> =
        openid.post_logout_redirect_uris.iter().map(RedirectUri::as_str).collect();
    let subject_type = Some(openid.subject_type).filter(|it| *it != SubjectType::Public);
    let all: [(&str, Option<Value>); 15] = [
        ("application_type", openid.application_type.map(|it| it.as_str().into())),
        ("subject_type", subject_type.map(|it| it.as_str().into())),
        ("sector_identifier_uri", openid.sector_identifier_uri.as_deref().map(Value::from)),
        ("id_token_signed_response_alg", algorithm(openid.id_token_signed_response_alg)),
        ("userinfo_signed_response_alg", algorithm(openid.userinfo_signed_response_alg)),
        (
            "request_object_signing_alg",
            openid.request_object_signing_alg.map(|it| it.as_str().into()),
        ),
        (REQUIRE_SIGNED, flag(openid.require_signed_request_object)),
        ("default_max_age", openid.default_max_age.map(Value::from)),
        ("require_auth_time", flag(openid.require_auth_time)),
        ("initiate_login_uri", openid.initiate_login_uri.as_deref().map(Value::from)),
        (
            "post_logout_redirect_uris",
            (!addresses.is_empty()).then(|| Value::from(addresses.as_slice())),
        ),
        ("frontchannel_logout_uri", uri(&openid.frontchannel_logout_uri)),
        ("frontchannel_logout_session_required", flag(openid.frontchannel_logout_session_required)),
        ("backchannel_logout_uri", uri(&openid.backchannel_logout_uri)),
        ("backchannel_logout_session_required", flag(openid.backchannel_logout_session_required)),
    ];
    for (name, value) in all {
        members.extend(value.map(|value| (name.to_owned(), value)));
    }
    if !openid.default_acr_values.is_empty() {
        let values: Vec<&str> = openid.default_acr_values.iter().map(|acr| &**acr).collect();
        members.insert("default_acr_values".to_owned(), values.into());
    }
    let [id_token, userinfo] = ENCRYPTED;
    for ([alg, enc], encryption) in [
        (OBJECT, openid.request_object_encryption),
        (id_token, openid.id_token_encrypted_response),
        (userinfo, openid.userinfo_encrypted_response),
    ] {
        let Some(encryption) = encryption else { continue };
        members.insert(alg.to_owned(), encryption.alg.as_str().into());
        members.insert(enc.to_owned(), encryption.enc.as_str().into());
    }
    if !openid.request_uris.is_empty() {
        let uris: Vec<&str> = openid.request_uris.iter().map(|uri| &**uri).collect();
        members.insert("request_uris".to_owned(), uris.into());
    }
}

/// The members about request objects.
#[derive(Default)]
struct Objects {
    signing: Option<RequestObjectSigning>,
    encryption: Option<MessageEncryption>,
    uris: Vec<Arc<str>>,
}

impl Objects {
    fn read(members: &Map<String, Value>, hosts: Hosts) -> Result<Self, ClientRegistrationError> {
        const SIGNING: &str = "request_object_signing_alg";
        let signing = text(members, SIGNING)?.map(|name| {
            RequestObjectSigning::parse(name).ok_or(ClientRegistrationError::Unsupported(SIGNING))
        });
        let uris = members.get("request_uris").map_or(Ok(&[][..]), |value| {
            value.as_array().map(Vec::as_slice).ok_or(malformed("request_uris"))
        })?;
        let uri = |value: &Value| {
            let uri = value.as_str().ok_or(malformed("request_uris"))?;
            hosts.address("request_uris", Some(uri))?.ok_or(malformed("request_uris"))
        };
        Ok(Self {
            signing: signing.transpose()?,
            encryption: encryption(members, OBJECT)?,
            uris: uris.iter().map(uri).collect::<Result<_, _>>()?,
        })
    }
}

/// The encryption in two members, whose second one is optional (section 2).
fn encryption(
    members: &Map<String, Value>,
    [alg, enc]: [&'static str; 2],
) -> Result<Option<MessageEncryption>, ClientRegistrationError> {
    let unsupported = ClientRegistrationError::Unsupported;
    let found = text(members, enc)?;
    let Some(name) = text(members, alg)? else {
        return match found {
            // Nothing says how the key is encrypted.
            Some(_) => Err(malformed(alg)),
            None => Ok(None),
        };
    };
    let default = MessageEncryption::by(KeyManagement::parse(name).ok_or(unsupported(alg))?);
    let Some(name) = found else { return Ok(Some(default)) };
    let enc = ContentEncryption::parse(name).ok_or(unsupported(enc))?;
    Ok(Some(MessageEncryption { enc, ..default }))
}

fn malformed(name: &'static str) -> ClientRegistrationError {
    RegistrationRequestError::Member(name).into()
}

/// A text; an empty one counts as omitted (RFC 7592, section 2.2).
fn text<'m>(
    members: &'m Map<String, Value>,
    name: &'static str,
) -> Result<Option<&'m str>, ClientRegistrationError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let text = value.as_str().ok_or(malformed(name))?;
    Ok(Some(text).filter(|text| !text.is_empty()))
}

/// A list of texts, not too long.
fn texts(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Vec<Arc<str>>, ClientRegistrationError> {
    let Some(value) = members.get(name) else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or(malformed(name))?;
    let text = |value: &Value| match value.as_str() {
        Some(text) if text.len() <= LONGEST_TEXT => Ok(text.into()),
        Some(_) => Err(ClientRegistrationError::Text(name)),
        None => Err(malformed(name)),
    };
    match list.len() > ADDRESSES {
        true => Err(ClientRegistrationError::Text(name)),
        false => list.iter().map(text).collect(),
    }
}

fn flag(members: &Map<String, Value>, name: &'static str) -> Result<bool, ClientRegistrationError> {
    members.get(name).map_or(Ok(false), |value| value.as_bool().ok_or(malformed(name)))
}

fn seconds(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<u32>, ClientRegistrationError> {
    let Some(value) = members.get(name) else { return Ok(None) };
    let seconds = value.as_u64().and_then(|seconds| seconds.try_into().ok());
    seconds.map(Some).ok_or(malformed(name))
}

fn addresses(
    members: &Map<String, Value>,
    name: &'static str,
) -> Result<Vec<RedirectUri>, ClientRegistrationError> {
    let Some(value) = members.get(name) else { return Ok(Vec::new()) };
    let list = value.as_array().ok_or(malformed(name))?;
    if list.len() > ADDRESSES {
        return Err(ClientRegistrationError::Text(name));
    }
    list.iter()
        .map(|value| {
            let uri = RedirectUri::parse(value.as_str().ok_or(malformed(name))?);
            let uri = uri.map_err(ClientRegistrationError::PostLogoutRedirectUri)?;
            match uri.can_be_claimed_by_other_programs() {
                true => {
                    Err(ClientRegistrationError::PostLogoutRedirectUri(RedirectUriError::Scheme))
                }
                false => Ok(uri),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(members: Value) -> Result<ClientOpenId, ClientRegistrationError> {
        read_on(members, true)
    }

    fn read_on(
        members: Value,
        has_encryption: bool,
    ) -> Result<ClientOpenId, ClientRegistrationError> {
        let Value::Object(members) = members else { panic!("an object") };
        let algorithms = [Algorithm::Rs256, Algorithm::Es256];
        read(
            &members,
            &Offered {
                algorithms: &algorithms,
                has_pairwise: true,
                has_objects: true,
                has_encryption,
                hosts: Hosts::Public,
            },
        )
    }

    #[test]
    fn what_a_client_registers_is_what_it_reads_back() {
        let whole = json!({
            "id_token_signed_response_alg": "ES256",
            "userinfo_signed_response_alg": "RS256",
            "application_type": "native",
            "subject_type": "pairwise",
            "sector_identifier_uri": "https://app.example/sector.json",
            "id_token_encrypted_response_alg": "ECDH-ES",
            "id_token_encrypted_response_enc": "A128CBC-HS256",
            "userinfo_encrypted_response_alg": "dir",
            "userinfo_encrypted_response_enc": "A256CBC-HS512",
            "request_object_signing_alg": "none",
            "request_object_encryption_alg": "RSA-OAEP",
            "request_object_encryption_enc": "A256GCM",
            "request_uris": ["https://app.example/request.jwt#1"],
            "default_max_age": 600,
            "default_acr_values": ["urn:two-factors"],
            "require_auth_time": true,
            "initiate_login_uri": "https://app.example/login",
            "post_logout_redirect_uris": ["https://app.example/bye", "com.example.app:/bye"],
            "frontchannel_logout_uri": "https://app.example/front",
            "frontchannel_logout_session_required": true,
            "backchannel_logout_uri": "https://app.example/back",
            "backchannel_logout_session_required": true,
        });
        let mut written = Map::new();
        write(&read_json(whole.clone()).unwrap(), &mut written);
        assert_eq!(Value::Object(written), whole);
        let (alg, missing) =
            ("id_token_encrypted_response_alg", ClientRegistrationError::Unsupported);
        assert_eq!(read_on(json!({ alg: "ECDH-ES" }), false), Err(missing(alg)));
        assert_eq!(read_json(json!({ "frontchannel_logout_uri": "" })), Ok(Default::default()));
    }

    #[test]
    fn what_the_server_does_not_do_is_refused_and_types_are_checked() {
        use ClientRegistrationError as E;
        let member = |name| E::Request(RegistrationRequestError::Member(name));
        for (members, error) in [
            (
                json!({ "id_token_signed_response_alg": "none" }),
                E::ResponseAlgorithm("id_token_signed_response_alg"),
            ),
            (
                json!({ "userinfo_signed_response_alg": "PS256" }),
                E::ResponseAlgorithm("userinfo_signed_response_alg"),
            ),
            (
                json!({ "id_token_encrypted_response_alg": "RSA1_5" }),
                E::Unsupported("id_token_encrypted_response_alg"),
            ),
            (
                json!({ "userinfo_encrypted_response_enc": "A128GCM" }),
                member("userinfo_encrypted_response_alg"),
            ),
            (
                json!({ "request_object_signing_alg": "RS1" }),
                E::Unsupported("request_object_signing_alg"),
            ),
            (
                json!({ "request_object_encryption_enc": "A256GCM" }),
                member("request_object_encryption_alg"),
            ),
            (json!({ "request_uris": ["http://app.example/"] }), E::Url("request_uris")),
            (json!({ "request_uris": [7] }), member("request_uris")),
            (json!({ "subject_type": "secret" }), E::Unsupported("subject_type")),
            (
                json!({ "sector_identifier_uri": "http://app.example/" }),
                E::Url("sector_identifier_uri"),
            ),
            (json!({ "default_max_age": -1 }), member("default_max_age")),
            (json!({ "default_acr_values": "urn:a" }), member("default_acr_values")),
            (json!({ "default_acr_values": ["a".repeat(256)] }), E::Text("default_acr_values")),
            (json!({ "require_auth_time": "yes" }), member("require_auth_time")),
            (json!({ "post_logout_redirect_uris": "x" }), member("post_logout_redirect_uris")),
            (json!({ "frontchannel_logout_uri": 7 }), member("frontchannel_logout_uri")),
            (
                json!({ "post_logout_redirect_uris": ["photos:/bye"] }),
                E::PostLogoutRedirectUri(RedirectUriError::Scheme),
            ),
            (
                json!({ "backchannel_logout_uri": "http://app.example/" }),
                LogoutUriError::Syntax("backchannel_logout_uri", RedirectUriError::Insecure).into(),
            ),
            (
                json!({ "frontchannel_logout_uri": "https://app.example/?iss=x" }),
                LogoutUriError::Syntax("frontchannel_logout_uri", RedirectUriError::Reserved)
                    .into(),
            ),
            (
                json!({ "initiate_login_uri": "https://localhost/" }),
                E::Inward("initiate_login_uri"),
            ),
        ] {
            assert_eq!(read_json(members.clone()), Err(error), "{members}");
        }
    }
}
