//! The methods of [`Spec`] and [`SpecBuf`] for a fact about a service that is an OpenID Provider.

use std::borrow::Cow;

use crate::jose::{Algorithm, ContentEncryption, KeyManagement};

use super::{
    facts::{argument, facts, kept},
    hybrid::Hybrid,
    protocol::{OAuth2, OAuth2Buf, OpenIdAccount},
    request_objects::RequestObjects,
    spec::Spec,
    spec_buf::SpecBuf,
};

type Text = Cow<'static, str>;

facts! { for Spec<OAuth2>, SpecBuf<OAuth2Buf>:
    /// Declares that the service is an OpenID Provider (OpenID Connect Core) with this issuer, whose
    /// keys are at this URL (`jwks_uri`). A login requests the scope `openid` and sends a `nonce`; it
    /// succeeds only with a valid ID token, which has the account's claims, so that they need no
    /// request. [`Spec::identity`] is then the userinfo endpoint, for profiles.
    ///
    /// [`Spec::oidc`] finds all of it by itself.
    fn openid(issuer: text, keys: text) {
        protocol.openid.issuer = Some(issuer);
        protocol.openid.keys = Some(keys);
    }

    /// The end session endpoint (OpenID Connect RP-Initiated Logout), to which a user who logs out can
    /// be redirected: [`Login::log_out_at_service`](crate::Login::log_out_at_service).
    /// [`Spec::oidc`] finds it by itself.
    fn end_session(endpoint: text) {
        protocol.openid.end_session = Some(endpoint);
    }

    /// Declares that each tenant of the service has an issuer of its own: the placeholder in the
    /// issuer, such as `{tenantid}`, stands for this claim of each ID token.
    fn issuer_of_each_tenant(placeholder: text, claim: text) {
        protocol.openid.tenants = Some((placeholder, claim));
    }

    /// Knows accounts by their subject alone, for a service that has one issuer forever. By default
    /// the issuer is part of an account's identifier, as only both together are unique (OpenID
    /// Connect Core, section 5.7).
    fn accounts_by_subject_since_the_issuer_never_changes() {
        protocol.openid.account = OpenIdAccount::Subject;
    }

    /// Knows accounts by another claim of the ID token, for a service with an identifier that is
    /// unique at all its issuers and never reused.
    fn accounts_by_claim(claim: text) {
        protocol.openid.account = OpenIdAccount::Claim(claim);
    }

    /// Accepts ID tokens and logout tokens that are signed by this algorithm, which was registered at
    /// the service (`id_token_signed_response_alg`), and no others (OpenID Connect Core, section
    /// 3.1.3.7, items 7 and 8). The key of an HMAC is the client secret, which must be as long as the
    /// hash and known to nobody else.
    ///
    /// By default those algorithms with public keys are accepted that the metadata of the provider
    /// name, and where no metadata are fetched, all of them.
    fn id_tokens_signed_by(algorithm: Algorithm) {
        protocol.openid.id_token_algorithm = Some(algorithm);
    }

    /// Declares that the service signs ID tokens and then encrypts them for this site, by these
    /// algorithms, which were registered there (`id_token_encrypted_response_alg` and `_enc`). Any other
    /// token is rejected. The keys are those of [`ClientKeys::decrypting`](crate::consumer::ClientKeys::decrypting),
    /// or for `A128KW`, `A256KW` and `dir` the client secret. Logout tokens may be encrypted then, too.
    fn encrypted_id_tokens(algorithm: KeyManagement, encryption: ContentEncryption) {
        protocol.openid.id_token_encryption = Some((algorithm, encryption));
    }

    /// Declares that the service signs the claims of its userinfo endpoint, by an algorithm with public
    /// keys that its metadata name (`userinfo_signing_alg_values_supported`), if they name any. Others are
    /// rejected.
    fn signed_userinfo() {
        protocol.openid.signed_userinfo = true;
    }

    /// Declares that the service signs the claims of its userinfo endpoint by this algorithm, which was
    /// registered there (`userinfo_signed_response_alg`). Others are rejected. The key of an HMAC is the
    /// client secret, as in [`id_tokens_signed_by`](Spec::id_tokens_signed_by).
    fn userinfo_signed_by(algorithm: Algorithm) {
        protocol.openid.signed_userinfo = true;
        protocol.openid.userinfo_algorithm = Some(algorithm);
    }

    /// Declares that the service signs the claims of its userinfo endpoint and then encrypts them for
    /// this site, by these algorithms (`userinfo_encrypted_response_alg` and `_enc`), as in
    /// [`encrypted_id_tokens`](Spec::encrypted_id_tokens). Others are rejected.
    fn encrypted_userinfo(algorithm: KeyManagement, encryption: ContentEncryption) {
        protocol.openid.signed_userinfo = true;
        protocol.openid.userinfo_encryption = Some((algorithm, encryption));
    }

    /// Requests the claims of the userinfo endpoint by POST with the access token in a form (OpenID
    /// Connect Core, section 5.3.1; RFC 6750, section 2.2), for a provider that reads no
    /// `Authorization` header. Gives up: bodies of requests end up in logs more often than that header.
    fn userinfo_token_in_body() {
        protocol.openid.userinfo_token_in_body = true;
    }

    /// Sends each authorization request as a request object, which the keys of the site sign
    /// ([`Login::client_keys`](crate::Login::client_keys)), so that nobody can change it in the browser
    /// (RFC 9101). The provider's metadata must say that it takes such.
    fn request_objects(delivery: RequestObjects) {
        protocol.openid.request_objects = Some(delivery);
    }

    /// Encrypts request objects to a key of the provider, by these algorithms, so that nobody reads
    /// them in the browser. The provider's metadata must name both.
    fn encrypted_request_objects(algorithm: KeyManagement, encryption: ContentEncryption) {
        protocol.openid.request_encryption = Some((algorithm, encryption));
    }

    /// Accepts ID tokens without the `nonce` that was sent, for a service that does not repeat it.
    /// Gives up: only PKCE, if the service has it, keeps a code out that was stolen from another
    /// login.
    fn without_nonce_because_the_service_forgets_it() {
        protocol.openid.forgets_nonce = true;
    }

    /// Accepts front-channel logouts without the `iss`, which Front-Channel Logout 1.0, section 3,
    /// requires, for a service that sends the `sid` alone. The `sid` must be unique at all its issuers.
    fn front_channel_logout_without_issuer() {
        protocol.openid.forgets_issuer_in_front_channel = true;
    }

    /// Requests tokens beside the code (OpenID Connect Core, section 3.3), for an OpenID Provider that
    /// expects it. They arrive by POST, so a parameter `response_mode` is
    /// [`OperatorError::ParameterReserved`](crate::consumer::OperatorError::ParameterReserved). An ID
    /// token beside the code must have its hash (`c_hash`), that of an access token beside it
    /// (`at_hash`), and the issuer and subject of the token endpoint's. A login that a script or a
    /// program finishes, where nothing takes a form, requests a code alone.
    fn hybrid(flow: Hybrid) {
        protocol.openid.hybrid = Some(flow);
    }
}
