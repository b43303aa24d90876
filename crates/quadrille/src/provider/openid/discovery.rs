//! The metadata of OpenID Connect (OpenID Connect Discovery, section 3), beside that of OAuth 2.

use serde_json::Value;

use crate::{
    jose::{Algorithm, ContentEncryption, KeyManagement},
    oauth2::metadata::ServerMetadata,
    provider::server::Inner,
};

use super::{client::SubjectType, request_object::options::RequestObjects};

/// Writes the members that a server with OpenID Connect has, each exactly as it works. Where the
/// specification has a feature on if its member is missing, the member says that it is off.
pub(crate) fn describe(inner: &Inner, metadata: &mut ServerMetadata) {
    let Some(openid) = &inner.openid else { return };
    let algorithms = algorithms(inner);
    let claims = ["sub", "auth_time", "acr", "amr"].into_iter();
    let claims = claims.chain(openid.supported.iter().map(|name| &**name));
    let mut prompts = vec!["none", "login", "consent", "select_account"];
    prompts.extend(openid.creates_accounts.then_some("create"));
    let mut subject_types = vec![SubjectType::Public.as_str()];
    subject_types.extend(openid.pairwise.as_ref().map(|_| SubjectType::Pairwise.as_str()));
    let objects = openid.objects.as_ref();
    let has_references = objects.is_some_and(RequestObjects::has_references);
    let members: [(&str, Value); 9] = [
        ("subject_types_supported", subject_types.into()),
        ("id_token_signing_alg_values_supported", algorithms.clone()),
        ("userinfo_signing_alg_values_supported", algorithms),
        ("claim_types_supported", ["normal"].as_slice().into()),
        ("claims_supported", claims.collect::<Vec<_>>().into()),
        ("claims_parameter_supported", true.into()),
        ("prompt_values_supported", prompts.into()),
        ("request_parameter_supported", objects.is_some().into()),
        ("request_uri_parameter_supported", has_references.into()),
    ];
    metadata.extra.extend(members.map(|(name, value)| (name.to_owned(), value)));
    let displays: Vec<_> = openid.displays.iter().map(|kind| kind.as_str()).collect();
    if !displays.is_empty() {
        metadata.extra.insert("display_values_supported".to_owned(), displays.into());
    }
    let locales: Vec<_> = openid.ui_locales.iter().map(|tag| (**tag).to_owned()).collect();
    metadata.ui_locales_supported = Some(locales).filter(|tags| !tags.is_empty());
    let objects = objects.map(request_objects).into_iter().flatten();
    let encrypted = if openid.encrypts { encrypted_responses() } else { Vec::new() };
    let further = objects.chain(encrypted);
    metadata.extra.extend(further.map(|(name, value)| (name.to_owned(), value)));
    let Some(logout) = &openid.logout else { return };
    let front = ["frontchannel_logout_supported", "frontchannel_logout_session_supported"];
    let back = ["backchannel_logout_supported", "backchannel_logout_session_supported"];
    let back = back.into_iter().filter(|_| logout.has_back_channel());
    metadata.extra.extend(front.into_iter().chain(back).map(|name| (name.to_owned(), true.into())));
}

/// The members about encrypted answers.
fn encrypted_responses() -> Vec<(&'static str, Value)> {
    let algs = || Value::from(KeyManagement::ALL.map(KeyManagement::as_str).as_slice());
    vec![
        ("id_token_encryption_alg_values_supported", algs()),
        ("id_token_encryption_enc_values_supported", encryption_methods()),
        ("userinfo_encryption_alg_values_supported", algs()),
        ("userinfo_encryption_enc_values_supported", encryption_methods()),
    ]
}

fn encryption_methods() -> Value {
    ContentEncryption::ALL.map(ContentEncryption::as_str).as_slice().into()
}

/// The members about request objects.
fn request_objects(objects: &RequestObjects) -> Vec<(&'static str, Value)> {
    let mut members =
        vec![("request_object_signing_alg_values_supported", objects.signing_algorithms().into())];
    if objects.has_references() {
        members.push(("require_request_uri_registration", true.into()));
    }
    let algorithms = objects.encryption_algorithms();
    if !algorithms.is_empty() {
        let algs: Vec<_> = algorithms.into_iter().map(KeyManagement::as_str).collect();
        members.push(("request_object_encryption_alg_values_supported", algs.into()));
        members.push(("request_object_encryption_enc_values_supported", encryption_methods()));
    }
    members
}

fn algorithms(inner: &Inner) -> Value {
    inner
        .signing
        .algorithms(inner.now())
        .into_iter()
        .map(Algorithm::as_str)
        .collect::<Vec<_>>()
        .into()
}
