//! Subjects that differ from client to client (OpenID Connect Core, section 8.1).

use std::{fmt, sync::Arc};

use aws_lc_rs::hmac;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use url::Url;

use crate::provider::{
    client::{record::Client, redirect_uri::RedirectUri},
    error::OperatorError,
};

use super::client::{ClientOpenId, SubjectType};

/// The secret of pairwise subjects.
#[derive(Clone)]
pub(crate) struct PairwiseKey(hmac::Key);

impl PairwiseKey {
    pub(super) fn new(secret: &[u8; 32]) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, secret))
    }

    /// The subject of a user for the clients of a sector. It does not lead back to the user's own.
    fn subject(&self, sector: &str, subject: &str) -> String {
        let text = [sector, subject].join("\n");
        BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&self.0, text.as_bytes()))
    }
}

impl fmt::Debug for PairwiseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairwiseKey")
    }
}

/// `true` if a client would know its users by other subjects after a change: those of another sector,
/// perhaps, which are the clients' there. `sub` never changes (OpenID Connect Core, sections 2 and
/// 12.2).
pub(crate) fn are_other_subjects(before: &Client, after: &Client) -> bool {
    let sector = |client: &Client| match client.openid.subject_type {
        SubjectType::Public => None,
        SubjectType::Pairwise => Some(sector(&client.openid, &client.redirect_uris)),
    };
    sector(before) != sector(after)
}

/// The subject of a user as a client knows it.
pub(crate) fn subject(
    key: Option<&PairwiseKey>,
    client: &Client,
    subject: &Arc<str>,
) -> Result<Arc<str>, OperatorError> {
    match client.openid.subject_type {
        SubjectType::Public => Ok(subject.clone()),
        SubjectType::Pairwise => {
            let sector = sector(&client.openid, &client.redirect_uris);
            let (key, sector) = key.zip(sector).ok_or(OperatorError::NoPairwiseSubjects)?;
            Ok(key.subject(&sector, subject).into())
        }
    }
}

/// The sector of a client (section 8.1): the host of its `sector_identifier_uri`, or the only host of
/// its redirect URIs. `None` if there is no such host.
pub(crate) fn sector(openid: &ClientOpenId, redirect_uris: &[RedirectUri]) -> Option<String> {
    let host = |uri: &str| Some(Url::parse(uri).ok()?.host_str()?.to_owned());
    if let Some(uri) = &openid.sector_identifier_uri {
        return host(uri);
    }
    let (first, others) = redirect_uris.split_first()?;
    let only = host(first.as_str())?;
    let is_same = |uri: &RedirectUri| host(uri.as_str()).as_ref() == Some(&only);
    others.iter().all(is_same).then_some(only)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::client::record::tests::client;

    fn pairwise(redirect_uris: &[&str], sector_identifier_uri: Option<&str>) -> Client {
        let mut client = client("app", redirect_uris[0]);
        client.redirect_uris = redirect_uris.iter().map(|uri| uri.parse().unwrap()).collect();
        client.openid.subject_type = SubjectType::Pairwise;
        client.openid.sector_identifier_uri = sector_identifier_uri.map(Into::into);
        client
    }

    #[test]
    fn a_user_is_the_same_within_a_sector_and_another_beyond_it() {
        let key = PairwiseKey::new(&[7; 32]);
        let of = |client: &Client, user: &str| {
            subject(Some(&key), client, &user.into()).unwrap().to_string()
        };
        let one = pairwise(&["https://app.example/cb", "https://app.example:8443/"], None);
        let known = of(&one, "ada");
        assert!(known.len() == 43 && known.is_ascii());
        assert_eq!(of(&pairwise(&["https://app.example/other"], None), "ada"), known);
        assert_ne!(of(&pairwise(&["https://other.example/cb"], None), "ada"), known);
        assert_ne!(of(&one, "bob"), known);
        let uris = ["https://a.example/cb", "https://b.example/cb"];
        let several = pairwise(&uris, Some("https://app.example/sector.json"));
        assert_eq!(of(&several, "ada"), known);
        let other = PairwiseKey::new(&[8; 32]);
        assert_ne!(*subject(Some(&other), &one, &"ada".into()).unwrap(), *known);
        let public = client("app", "https://app.example/cb");
        assert_eq!(of(&public, "ada"), "ada");
    }

    #[test]
    fn another_sector_or_type_is_another_subject() {
        let one = pairwise(&["https://app.example/cb"], None);
        let same = pairwise(&["https://app.example/new", "https://app.example/cb"], None);
        let named = pairwise(&["https://b.example/cb"], Some("https://app.example/sector.json"));
        assert!(!are_other_subjects(&one, &same) && !are_other_subjects(&one, &named));
        let public = client("app", "https://app.example/cb");
        let moved = client("app", "https://other.example/cb");
        assert!(!are_other_subjects(&public, &moved));
        for other in [&public, &pairwise(&["https://victim.example/cb"], None)] {
            assert!(are_other_subjects(&one, other) && are_other_subjects(other, &one));
        }
    }

    #[test]
    fn nobody_is_told_the_own_subject_of_a_user_in_place_of_a_pairwise_one() {
        let key = PairwiseKey::new(&[7; 32]);
        let one = pairwise(&["https://app.example/cb"], None);
        assert!(subject(None, &one, &"ada".into()).is_err());
        for uris in [&["https://a.example/cb", "https://b.example/cb"][..], &["com.app.a:/cb"]] {
            assert!(subject(Some(&key), &pairwise(uris, None), &"ada".into()).is_err());
        }
    }
}
