//! The part of the contract that is about claims of users.

use quadrille::provider::UserClaims;

use crate::data::backend::Removed;

use super::world::{ISSUER, Tested, add};

pub(in crate::data) async fn changes_of_claims_at_once_are_all_made(backend: Tested) {
    let (ada, bob) = (add(&backend, "ada").await, add(&backend, "bob").await);
    let changes: Vec<_> = (0..16)
        .map(|number: usize| {
            let (backend, subject) = (backend.clone(), ada.subject.clone());
            tokio::spawn(async move {
                let add = move |claims: &UserClaims| {
                    let mut claims = claims.clone();
                    claims.insert(format!("claim {number}"), number.into());
                    claims
                };
                backend.change_claims(&subject, Box::new(add)).await.unwrap().unwrap()
            })
        })
        .collect();
    for change in changes {
        assert!(!change.await.unwrap().claims.is_empty());
    }
    let ada = backend.user_by_subject(&ada.subject).await.unwrap().unwrap();
    assert_eq!((ada.claims.len(), &ada.claims["claim 7"]), (16, &7.into()));
    assert_eq!(backend.user_by_subject(&bob.subject).await.unwrap(), Some(bob));
    assert_eq!(backend.change_claims("nobody", Box::new(Clone::clone)).await.unwrap(), None);
    // Another database gets them with the user.
    backend.remove_user(Removed::Named(&ada.name), ISSUER).await.unwrap();
    backend.put_users(vec![ada.clone()]).await.unwrap();
    assert_eq!(backend.user_by_name(&ada.name).await.unwrap(), Some(ada));
}
