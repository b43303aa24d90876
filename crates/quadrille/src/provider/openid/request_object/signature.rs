//! By which key the signature of a request object is verified: a pure decision (OpenID Connect Core,
//! section 6.1; OpenID Connect Dynamic Client Registration, section 2).

use crate::jose::Algorithm;

use super::error::RequestObjectError;
use crate::provider::openid::messages::RequestObjectSigning;

/// The facts about a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Signer {
    /// The `request_object_signing_alg`; `None` for any algorithm.
    pub(super) registered: Option<RequestObjectSigning>,
    /// `true` if the client must sign its request objects.
    pub(super) is_required: bool,
    /// `true` if the client has public keys.
    pub(super) has_keys: bool,
    /// `true` if the server knows the client's secret.
    pub(super) has_secret: bool,
}

/// The proof of a request object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// A signature by one of the client's public keys.
    PublicKey(Algorithm),
    /// An HMAC by the client's secret.
    Secret(Algorithm),
    /// None.
    Nothing,
}

/// Decides about an object with this algorithm, `None` for an unsecured one.
pub(super) fn proof(
    signer: Signer,
    algorithm: Option<Algorithm>,
    accepts_unsigned: bool,
) -> Result<Proof, RequestObjectError> {
    let Some(algorithm) = algorithm else {
        let may_be = matches!(signer.registered, None | Some(RequestObjectSigning::Unsigned));
        return match accepts_unsigned && may_be && !signer.is_required {
            true => Ok(Proof::Nothing),
            false => Err(RequestObjectError::Unsigned),
        };
    };
    match signer.registered {
        Some(RequestObjectSigning::Signed(only)) if only == algorithm => {}
        None => {}
        Some(_) => return Err(RequestObjectError::OtherAlgorithm),
    }
    match algorithm.is_symmetric() {
        true if signer.has_secret => Ok(Proof::Secret(algorithm)),
        false if signer.has_keys => Ok(Proof::PublicKey(algorithm)),
        _ => Err(RequestObjectError::KeyMissing),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_is_registered_with_is_the_only_proof() {
        use RequestObjectError as E;
        use RequestObjectSigning::{Signed, Unsigned};
        let (es, hs) = (Algorithm::Es256, Algorithm::Hs256);
        let decide = |registered, algorithm, accepts_unsigned| {
            let signer =
                Signer { registered, is_required: false, has_keys: true, has_secret: true };
            let required = Signer { is_required: true, ..signer };
            let found = proof(signer, algorithm, accepts_unsigned);
            let signed = match found {
                Ok(Proof::Nothing) => Err(E::Unsigned),
                other => other,
            };
            assert_eq!(proof(required, algorithm, accepts_unsigned), signed);
            found
        };
        for registered in [None, Some(Unsigned)] {
            assert_eq!(decide(registered, None, true), Ok(Proof::Nothing));
            assert_eq!(decide(registered, None, false), Err(E::Unsigned));
        }
        assert_eq!(decide(Some(Signed(es)), None, true), Err(E::Unsigned));
        assert_eq!(decide(Some(Signed(es)), Some(es), true), Ok(Proof::PublicKey(es)));
        assert_eq!(decide(Some(Signed(es)), Some(Algorithm::Es384), true), Err(E::OtherAlgorithm));
        assert_eq!(decide(Some(Signed(es)), Some(hs), true), Err(E::OtherAlgorithm));
        assert_eq!(decide(Some(Unsigned), Some(es), true), Err(E::OtherAlgorithm));
        assert_eq!(decide(None, Some(es), false), Ok(Proof::PublicKey(es)));
        assert_eq!(decide(None, Some(hs), false), Ok(Proof::Secret(hs)));
        let bare =
            Signer { registered: None, is_required: false, has_keys: false, has_secret: false };
        for algorithm in [es, hs] {
            assert_eq!(proof(bare, Some(algorithm), true), Err(E::KeyMissing));
        }
    }
}
