//! The metadata of a client for signed and encrypted messages (OpenID Connect Dynamic Client
//! Registration, section 2).

use crate::{
    jose::{Algorithm, KeySet},
    provider::openid::{
        client::ClientOpenId,
        messages::{MessageEncryption, RequestObjectSigning},
        options::OpenId,
        request_object::{options::RequestObjects, reference::is_request_uri},
    },
};

use super::{
    message_error::MessageMetadataError,
    policy::MOST_REDIRECT_URIS,
    registered_auth::{ClientKeys, RegisteredAuth},
};

/// The other metadata of a client, and the server.
pub(super) struct Beside<'a> {
    pub(super) auth: Option<&'a RegisteredAuth>,
    /// The request objects that the server offers.
    pub(super) objects: Option<&'a RequestObjects>,
    /// `true` if the server encrypts answers.
    pub(super) encrypts: bool,
}

impl<'a> Beside<'a> {
    pub(super) fn of(auth: Option<&'a RegisteredAuth>, openid: Option<&'a OpenId>) -> Self {
        let objects = openid.and_then(|openid| openid.objects.as_ref());
        Self { auth, objects, encrypts: openid.is_some_and(|openid| openid.encrypts) }
    }
}

/// Checks the metadata.
pub(super) fn check(
    openid: &ClientOpenId,
    beside: &Beside<'_>,
) -> Result<(), MessageMetadataError> {
    let own = match beside.auth {
        Some(RegisteredAuth::PrivateKeyJwt { .. }) if openid.keys.is_some() => {
            return Err(MessageMetadataError::KeysTwice);
        }
        Some(RegisteredAuth::PrivateKeyJwt { keys, .. }) => Some(keys),
        _ => openid.keys.as_ref(),
    };
    let keys = Keys {
        read: own.map(ClientKeys::read).transpose()?,
        has_secret: matches!(beside.auth, Some(RegisteredAuth::ClientSecretJwt { .. })),
    };
    if openid.require_signed_request_object {
        check_required(openid, &keys, beside.objects)?;
    }
    if let Some(signing) = openid.request_object_signing_alg {
        check_signing(signing, &keys, beside.objects)?;
    }
    if let Some(encryption) = openid.request_object_encryption {
        check_object_encryption(encryption, &keys, beside.objects)?;
    }
    for (member, encryption) in [
        ("id_token_encrypted_response_alg", openid.id_token_encrypted_response),
        ("userinfo_encrypted_response_alg", openid.userinfo_encrypted_response),
    ] {
        let Some(MessageEncryption { alg, .. }) = encryption else { continue };
        if !beside.encrypts {
            return Err(MessageMetadataError::NotOffered(member));
        }
        match alg.is_symmetric() {
            true => keys.check_secret(member)?,
            false => keys.check_public(member, |keys| keys.encrypting_by(alg).is_some())?,
        }
    }
    if openid.request_uris.len() > MOST_REDIRECT_URIS {
        return Err(MessageMetadataError::TooManyRequestUris);
    }
    if !openid.request_uris.iter().all(|uri| is_request_uri(uri)) {
        return Err(MessageMetadataError::RequestUri);
    }
    let has_references = beside.objects.is_some_and(RequestObjects::has_references);
    match openid.request_uris.is_empty() || has_references {
        true => Ok(()),
        false => Err(MessageMetadataError::NotOffered("request_uris")),
    }
}

/// The keys of a client.
struct Keys {
    /// `None` without public keys, `Some(None)` for those that are fetched.
    read: Option<Option<KeySet>>,
    /// `true` if the server keeps the secret itself.
    has_secret: bool,
}

impl Keys {
    /// Checks that a public key may be for this use: those that are fetched may.
    fn check_public(
        &self,
        member: &'static str,
        fits: impl Fn(&KeySet) -> bool,
    ) -> Result<(), MessageMetadataError> {
        let may_fit = |keys: &Option<KeySet>| keys.as_ref().is_none_or(fits);
        match self.read.as_ref().is_some_and(may_fit) {
            true => Ok(()),
            false => Err(MessageMetadataError::KeyMissing(member)),
        }
    }

    fn check_secret(&self, member: &'static str) -> Result<(), MessageMetadataError> {
        match self.has_secret {
            true => Ok(()),
            false => Err(MessageMetadataError::SecretNotKept(member)),
        }
    }
}

/// Checks that a client can send what it requires of itself.
fn check_required(
    openid: &ClientOpenId,
    keys: &Keys,
    objects: Option<&RequestObjects>,
) -> Result<(), MessageMetadataError> {
    const MEMBER: &str = "require_signed_request_object";
    let is_unsigned = openid.request_object_signing_alg == Some(RequestObjectSigning::Unsigned);
    match objects.is_some() && !is_unsigned {
        false => Err(MessageMetadataError::NotOffered(MEMBER)),
        true if keys.has_secret => Ok(()),
        true => keys.check_public(MEMBER, |keys| keys.iter().next().is_some()),
    }
}

fn check_signing(
    signing: RequestObjectSigning,
    keys: &Keys,
    objects: Option<&RequestObjects>,
) -> Result<(), MessageMetadataError> {
    const MEMBER: &str = "request_object_signing_alg";
    let objects = objects.ok_or(MessageMetadataError::NotOffered(MEMBER))?;
    let verifies =
        |algorithm: Algorithm| move |keys: &KeySet| keys.iter().any(|key| key.verifies(algorithm));
    match signing {
        RequestObjectSigning::Unsigned if objects.accepts_unsigned() => Ok(()),
        RequestObjectSigning::Unsigned => Err(MessageMetadataError::NotOffered(MEMBER)),
        RequestObjectSigning::Signed(algorithm) if algorithm.is_symmetric() => {
            keys.check_secret(MEMBER)
        }
        RequestObjectSigning::Signed(algorithm) => keys.check_public(MEMBER, verifies(algorithm)),
    }
}

fn check_object_encryption(
    encryption: MessageEncryption,
    keys: &Keys,
    objects: Option<&RequestObjects>,
) -> Result<(), MessageMetadataError> {
    const MEMBER: &str = "request_object_encryption_alg";
    let offered = objects.map(RequestObjects::encryption_algorithms);
    match offered.is_some_and(|algorithms| algorithms.contains(&encryption.alg)) {
        true if encryption.alg.is_symmetric() => keys.check_secret(MEMBER),
        true => Ok(()),
        false => Err(MessageMetadataError::NotOffered(MEMBER)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        fetch::{FetchError, Fetched, TokenFetcher},
        jose::{DecryptingKey, KeyManagement, SigningKey},
    };
    use url::Url;

    struct Nowhere;

    impl TokenFetcher for Nowhere {
        async fn fetch_token(&self, _: &Url) -> Result<Fetched, FetchError> {
            Err(FetchError::Unreachable)
        }
    }

    fn jwks(algorithm: Algorithm) -> ClientKeys {
        let key = SigningKey::generate(algorithm).unwrap();
        ClientKeys::Jwks(KeySet::from_iter([key.verifying_key().clone()]).to_json().into())
    }

    fn checked(
        change: impl FnOnce(&mut ClientOpenId),
        auth: Option<&RegisteredAuth>,
        objects: Option<&RequestObjects>,
    ) -> Result<(), MessageMetadataError> {
        let mut openid = ClientOpenId::default();
        change(&mut openid);
        check(&openid, &Beside { auth, objects, encrypts: false })
    }

    #[test]
    fn an_answer_is_encrypted_by_a_key_that_the_server_has() {
        use MessageMetadataError as E;
        const MEMBER: &str = "userinfo_encrypted_response_alg";
        let by_secret = RegisteredAuth::ClientSecretJwt { alg: None };
        let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
        let set = KeySet::default().with_encrypting([key.encrypting_key().clone()]).to_json();
        let (keys, verifying) = (ClientKeys::Jwks(set.into()), jwks(Algorithm::EdDsa));
        let encrypted = |alg, keys: Option<&ClientKeys>, auth, encrypts| {
            let openid = ClientOpenId {
                userinfo_encrypted_response: Some(MessageEncryption::by(alg)),
                keys: keys.cloned(),
                ..ClientOpenId::default()
            };
            check(&openid, &Beside { auth, objects: None, encrypts })
        };
        let (alg, other) = (KeyManagement::EcdhEs, KeyManagement::RsaOaep256);
        assert_eq!(encrypted(alg, Some(&keys), None, true), Ok(()));
        assert_eq!(encrypted(alg, Some(&keys), None, false), Err(E::NotOffered(MEMBER)));
        for (alg, keys) in [(alg, None), (alg, Some(&verifying)), (other, Some(&keys))] {
            assert_eq!(encrypted(alg, keys, None, true), Err(E::KeyMissing(MEMBER)));
        }
        let dir = KeyManagement::Direct;
        assert_eq!(encrypted(dir, None, Some(&by_secret), true), Ok(()));
        assert_eq!(encrypted(dir, Some(&keys), None, true), Err(E::SecretNotKept(MEMBER)));
    }

    #[test]
    fn an_algorithm_of_request_objects_needs_a_key_that_the_server_has() {
        use MessageMetadataError as E;
        use RequestObjectSigning::{Signed, Unsigned};
        const MEMBER: &str = "request_object_signing_alg";
        let plain = RequestObjects::new();
        let unsigned = RequestObjects::new().accept_unsigned_ones_that_anybody_can_have_written();
        let signing = |signing, keys: Option<ClientKeys>, auth: Option<&RegisteredAuth>, on| {
            let set = |openid: &mut ClientOpenId| {
                openid.request_object_signing_alg = Some(signing);
                openid.keys = keys;
            };
            checked(set, auth, on)
        };
        let es = Signed(Algorithm::Es256);
        let keys = || Some(jwks(Algorithm::Es256));
        assert_eq!(signing(es, keys(), None, Some(&plain)), Ok(()));
        assert_eq!(signing(es, keys(), None, None), Err(E::NotOffered(MEMBER)));
        assert_eq!(signing(es, None, None, Some(&plain)), Err(E::KeyMissing(MEMBER)));
        let other = Signed(Algorithm::Es384);
        assert_eq!(signing(other, keys(), None, Some(&plain)), Err(E::KeyMissing(MEMBER)));
        let fetched = ClientKeys::JwksUri("https://app.example/jwks".into());
        assert_eq!(signing(other, Some(fetched), None, Some(&plain)), Ok(()));
        let signs = RegisteredAuth::PrivateKeyJwt { alg: None, keys: jwks(Algorithm::Es256) };
        assert_eq!(signing(es, None, Some(&signs), Some(&plain)), Ok(()));
        assert_eq!(signing(es, keys(), Some(&signs), Some(&plain)), Err(E::KeysTwice));
        let hs = Signed(Algorithm::Hs256);
        let by_secret = RegisteredAuth::ClientSecretJwt { alg: None };
        assert_eq!(signing(hs, None, Some(&by_secret), Some(&plain)), Ok(()));
        assert_eq!(signing(hs, keys(), None, Some(&plain)), Err(E::SecretNotKept(MEMBER)));
        assert_eq!(signing(Unsigned, None, None, Some(&unsigned)), Ok(()));
        assert_eq!(signing(Unsigned, None, None, Some(&plain)), Err(E::NotOffered(MEMBER)));
    }

    #[test]
    fn a_client_that_must_sign_its_requests_can() {
        use MessageMetadataError as E;
        const MEMBER: &str = "require_signed_request_object";
        let objects = RequestObjects::new().accept_unsigned_ones_that_anybody_can_have_written();
        let by_secret = RegisteredAuth::ClientSecretJwt { alg: None };
        let required = |keys: Option<ClientKeys>, auth, signing, objects| {
            let set = |openid: &mut ClientOpenId| {
                openid.require_signed_request_object = true;
                openid.request_object_signing_alg = signing;
                openid.keys = keys;
            };
            checked(set, auth, objects)
        };
        let (keys, on) = (|| Some(jwks(Algorithm::Es256)), Some(&objects));
        let unsigned = Some(RequestObjectSigning::Unsigned);
        assert_eq!(required(keys(), None, None, on), Ok(()));
        assert_eq!(required(None, Some(&by_secret), None, on), Ok(()));
        assert_eq!(required(None, None, None, on), Err(E::KeyMissing(MEMBER)));
        assert_eq!(required(keys(), None, None, None), Err(E::NotOffered(MEMBER)));
        assert_eq!(required(keys(), None, unsigned, on), Err(E::NotOffered(MEMBER)));
    }

    #[test]
    fn what_the_server_does_not_do_is_not_registered() {
        use MessageMetadataError as E;
        let key = DecryptingKey::generate(KeyManagement::EcdhEs).unwrap();
        let on = RequestObjects::new().by_reference(Nowhere).encrypted_to([key]);
        let encrypted = |alg, on| {
            let set = |openid: &mut ClientOpenId| {
                openid.request_object_encryption = Some(MessageEncryption::by(alg));
            };
            checked(set, None, on)
        };
        let missing = Err(E::NotOffered("request_object_encryption_alg"));
        assert_eq!(encrypted(KeyManagement::EcdhEs, Some(&on)), Ok(()));
        let by_secret = Err(E::SecretNotKept("request_object_encryption_alg"));
        assert_eq!(encrypted(KeyManagement::Direct, Some(&on)), by_secret);
        let plain = RequestObjects::new();
        assert_eq!(encrypted(KeyManagement::Direct, Some(&plain)), missing);
        assert_eq!(encrypted(KeyManagement::RsaOaep256, Some(&on)), missing);
        assert_eq!(encrypted(KeyManagement::EcdhEs, None), missing);
        let uris = |uris: &[&str], on| {
            let uris = uris.iter().map(|uri| (*uri).into()).collect();
            checked(|openid| openid.request_uris = uris, None, on)
        };
        let (known, by_value) = ("https://app.example/request.jwt#1", RequestObjects::new());
        assert_eq!(uris(&[known], Some(&on)), Ok(()));
        assert_eq!(uris(&[known], Some(&by_value)), Err(E::NotOffered("request_uris")));
        assert_eq!(uris(&["http://app.example/"], Some(&on)), Err(E::RequestUri));
        assert_eq!(uris(&[known; 33], Some(&on)), Err(E::TooManyRequestUris));
    }
}
