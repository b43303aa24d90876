//! What an operator must know of the secrets that are sealed in a database.

use quadrille::provider::ResealProgress;

/// Sentences about secrets that keep an older key in the ring, or whose key is not in it.
pub fn remarks(counted: &ResealProgress) -> Vec<String> {
    let mut remarks = Vec::new();
    if counted.older > 0 {
        remarks.push(format!(
            "secrets that are sealed under an older key of the ring: {}; run `quadrille keys reseal` before \
             you remove it",
            counted.older
        ));
    }
    if counted.bound > 0 {
        remarks.push(bound(counted.bound));
    }
    if counted.unreadable > 0 {
        remarks.push(unreadable(counted.unreadable));
    }
    remarks
}

/// The sentence about token credentials that end with their key.
pub fn bound(count: u64) -> String {
    format!(
        "token credentials of OAuth 1.0a that were issued under an older key of the ring: {count}; they end \
         when it is removed, and their users allow the client again"
    )
}

/// The sentence about secrets that do not open.
pub fn unreadable(count: u64) -> String {
    format!(
        "secrets of clients and token credentials that cannot be opened: {count}; if a key was removed from \
         the ring, put it back behind the others and run `quadrille keys reseal`; if the issuer was \
         renamed, give these clients new secrets"
    )
}
