//! The part of the contract that is about sealed secrets.

use crate::data::Sealed;

use super::world::Tested;

pub(in crate::data) async fn a_sealed_secret_is_replaced_and_forgotten_as_it_was_read(
    backend: Tested,
) {
    let (first, second) = (b"first".to_vec(), b"second".to_vec());
    let replace = |before: Option<&Vec<u8>>, after: &Vec<u8>| {
        backend.replace_sealed(Sealed::Moved, before.cloned(), after.clone())
    };
    assert!(!replace(Some(&first), &second).await.unwrap(), "there is none");
    assert!(replace(None, &first).await.unwrap());
    assert!(!replace(None, &second).await.unwrap());
    assert!(!backend.forget_sealed(Sealed::Moved, second.clone()).await.unwrap());
    assert!(!backend.forget_sealed(Sealed::Move, first.clone()).await.unwrap());
    assert!(replace(Some(&first), &second).await.unwrap());
    assert_eq!(backend.sealed(Sealed::Moved).await.unwrap().as_ref(), Some(&second));
    assert!(backend.forget_sealed(Sealed::Moved, second.clone()).await.unwrap());
    assert!(!backend.forget_sealed(Sealed::Moved, second).await.unwrap());
    assert_eq!(backend.sealed(Sealed::Moved).await.unwrap(), None);
}
