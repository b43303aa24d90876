//! The OpenID Connect metadata of a client that registers itself (OpenID Connect Dynamic Client
//! Registration, section 2; RP-Initiated, Front-Channel and Back-Channel Logout).

use serde_json::{Map, Value};

use crate::{
    jose::Algorithm,
    oauth2::RegistrationRequestError,
    provider::{
        client::{
            logout_uris::LogoutUriError,
            redirect_uri::{RedirectUri, RedirectUriError},
        },
        openid::client::{ClientOpenId, SubjectType},
    },
};

use super::{described::address, error::ClientRegistrationError};

/// The greatest number of addresses after a logout.
const ADDRESSES: usize = 32;

/// Members for what this server does not do. A client that asks for encryption must not get its
/// answers in the clear.
const UNSUPPORTED: [&str; 4] = [
    "id_token_encrypted_response_alg",
    "id_token_encrypted_response_enc",
    "userinfo_encrypted_response_alg",
    "userinfo_encrypted_response_enc",
];

/// Reads the members beside those of RFC 7591. `algorithms` are those that the server signs with.
pub(super) fn read(
    members: &Map<String, Value>,
    algorithms: &[Algorithm],
    has_pairwise: bool,
) -> Result<ClientOpenId, ClientRegistrationError> {
    if let Some(name) = UNSUPPORTED.into_iter().find(|name| members.contains_key(*name)) {
        return Err(ClientRegistrationError::Unsupported(name));
    }
    let subject_type = match text(members, "subject_type")? {
        None | Some("public") => SubjectType::Public,
        Some("pairwise") if has_pairwise => SubjectType::Pairwise,
        Some(_) => return Err(ClientRegistrationError::Unsupported("subject_type")),
    };
    let sector = text(members, "sector_identifier_uri")?;
    let algorithm = |name| {
        let Some(text) = text(members, name)? else { return Ok(None) };
        let known = Algorithm::parse(text).filter(|it| algorithms.contains(it));
        known.map(Some).ok_or(ClientRegistrationError::ResponseAlgorithm(name))
    };
    let uri = |name| {
        let invalid = |reason| LogoutUriError::Syntax(name, reason);
        let uri = text(members, name)?.map(|text| RedirectUri::parse(text).map_err(invalid));
        uri.transpose().map_err(ClientRegistrationError::from)
    };
    let login = text(members, "initiate_login_uri")?;
    Ok(ClientOpenId {
        id_token_signed_response_alg: algorithm("id_token_signed_response_alg")?,
        userinfo_signed_response_alg: algorithm("userinfo_signed_response_alg")?,
        response_types: Vec::new(),
        subject_type,
        sector_identifier_uri: address("sector_identifier_uri", sector)?,
        default_max_age: seconds(members, "default_max_age")?,
        require_auth_time: flag(members, "require_auth_time")?,
        initiate_login_uri: address("initiate_login_uri", login)?,
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

/// Writes the members that a client has.
pub(super) fn write(openid: &ClientOpenId, members: &mut Map<String, Value>) {
    let algorithm = |it: Option<Algorithm>| it.map(|it| it.as_str().into());
    let uri = |it: &Option<RedirectUri>| it.as_ref().map(|it| it.as_str().into());
    let flag = |it: bool| it.then(|| Value::from(true));
    let addresses: Vec<&str> =
        openid.post_logout_redirect_uris.iter().map(RedirectUri::as_str).collect();
    let subject_type = Some(openid.subject_type).filter(|it| *it != SubjectType::Public);
    let all: [(&str, Option<Value>); 12] = [
        ("subject_type", subject_type.map(|it| it.as_str().into())),
        ("sector_identifier_uri", openid.sector_identifier_uri.as_deref().map(Value::from)),
        ("id_token_signed_response_alg", algorithm(openid.id_token_signed_response_alg)),
        ("userinfo_signed_response_alg", algorithm(openid.userinfo_signed_response_alg)),
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
        let Value::Object(members) = members else { panic!("an object") };
        read(&members, &[Algorithm::Rs256, Algorithm::Es256], true)
    }

    #[test]
    fn what_a_client_registers_is_what_it_reads_back() {
        let whole = json!({
            "id_token_signed_response_alg": "ES256",
            "userinfo_signed_response_alg": "RS256",
            "subject_type": "pairwise",
            "sector_identifier_uri": "https://app.example/sector.json",
            "default_max_age": 600,
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
                json!({ "id_token_encrypted_response_alg": "RSA-OAEP" }),
                E::Unsupported("id_token_encrypted_response_alg"),
            ),
            (json!({ "subject_type": "secret" }), E::Unsupported("subject_type")),
            (
                json!({ "sector_identifier_uri": "http://app.example/" }),
                E::Url("sector_identifier_uri"),
            ),
            (json!({ "default_max_age": -1 }), member("default_max_age")),
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
