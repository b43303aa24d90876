//! The faults of a fake service that is an OpenID Provider, by name.

/// A fault of an OpenID Provider, which a test turns on
/// ([`FakeService::misidentifies`](super::FakeService::misidentifies)). An application that logs
/// users in must not be taken in by any of them.
///
/// ```
/// use quadrille::{KeyRing, Login, Owner, SpecBuf, consumer::MemoryStorage};
/// use quadrille::testing::{FakeService, OpenIdFault};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let service = FakeService::openid("https://id.example", "our-id", "our-secret");
/// let spec = SpecBuf::oidc("acme", "https://id.example");
/// let login = Login::new(KeyRing::ephemeral(), "https://app.example")
///     .with(spec.client("our-id", "our-secret"))
///     .storage(MemoryStorage::new())
///     .http(service.clone());
/// let account = service.link(&login, "acme", &Owner::user("ada"), 7).await;
/// assert_eq!(&*account.subject, "https://id.example#7");
/// service.misidentifies(OpenIdFault::NonceOther); // and the next login fails
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum OpenIdFault {
    /// Responses have no ID token.
    IdTokenMissing,
    /// ID tokens have no `nonce`.
    NonceMissing,
    /// ID tokens have the `nonce` of another login.
    NonceOther,
    /// ID tokens are of another issuer.
    IssuerOther,
    /// ID tokens are of the same issuer with a slash at its end.
    IssuerWithSlash,
    /// ID tokens are for another client.
    AudienceOther,
    /// ID tokens are for another client, too, without `azp`.
    AudienceShared,
    /// ID tokens were issued to another client.
    AuthorizedPartyOther,
    /// ID tokens have no subject.
    SubjectMissing,
    /// ID tokens are about another user than the one who approved.
    SubjectOther,
    /// ID tokens have expired.
    Expired,
    /// ID tokens were issued in the future.
    IssuedInFuture,
    /// ID tokens do not say when they were issued.
    IssuedNever,
    /// ID tokens have the `at_hash` of another access token.
    AccessTokenHashOther,
    /// ID tokens have no `at_hash`.
    AccessTokenHashMissing,
    /// ID tokens beside a code have the `c_hash` of another one.
    CodeHashOther,
    /// ID tokens beside a code have no `c_hash`.
    CodeHashMissing,
    /// ID tokens beside a code have the `s_hash` of another `state`.
    StateHashOther,
    /// ID tokens beside a code are about another user than those of the token endpoint.
    SubjectOtherBesideCode,
    /// ID tokens do not say when the user authenticated.
    AuthTimeMissing,
    /// ID tokens are signed by another key under the name of the right one.
    SignatureWrong,
    /// ID tokens are signed by a key that is not published.
    KeyUnknown,
    /// ID tokens are not signed (`none`).
    Unsecured,
    /// ID tokens have an HMAC, whose secret is the public key.
    HmacWithPublicKey,
    /// ID tokens are signed by a published key, and an algorithm that the metadata do not name.
    AlgorithmOther,
    /// The keys are not found.
    KeysGone,
    /// The metadata are of another issuer.
    MetadataOfAnother,
    /// The userinfo endpoint has the claims of another user.
    UserinfoOfAnother,
}

impl OpenIdFault {
    /// All faults, for a test that walks them.
    pub const ALL: [Self; 28] = [
        Self::IdTokenMissing,
        Self::NonceMissing,
        Self::NonceOther,
        Self::IssuerOther,
        Self::IssuerWithSlash,
        Self::AudienceOther,
        Self::AudienceShared,
        Self::AuthorizedPartyOther,
        Self::SubjectMissing,
        Self::SubjectOther,
        Self::Expired,
        Self::IssuedInFuture,
        Self::IssuedNever,
        Self::AccessTokenHashOther,
        Self::AccessTokenHashMissing,
        Self::CodeHashOther,
        Self::CodeHashMissing,
        Self::StateHashOther,
        Self::SubjectOtherBesideCode,
        Self::AuthTimeMissing,
        Self::SignatureWrong,
        Self::KeyUnknown,
        Self::Unsecured,
        Self::HmacWithPublicKey,
        Self::AlgorithmOther,
        Self::KeysGone,
        Self::MetadataOfAnother,
        Self::UserinfoOfAnother,
    ];
}
