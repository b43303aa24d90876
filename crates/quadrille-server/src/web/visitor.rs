//! Who is in front of the browser.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::http::HeaderMap;
use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use quadrille::provider::{
    Authentication,
    store::{SecretHash, Session, Store as _, StoreError},
};

use crate::users::User;

use super::{App, cookies::Cookie};

/// Somebody who is signed in.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Who.
    pub user: User,
    /// Since when, how and until when.
    pub session: Arc<Session>,
}

impl Visitor {
    /// What the provider wants to know of them.
    pub fn authentication(&self) -> Authentication {
        self.session.authentication.clone()
    }
}

impl App {
    /// Who sent a request with these headers, if they are signed in.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn visitor(&self, headers: &HeaderMap) -> Result<Option<Visitor>, StoreError> {
        let Some(id) = self.cookies.read(headers, Cookie::Session).and_then(session_id) else {
            return Ok(None);
        };
        let Some(session) = self.store.session(self.issuer_id, &id).await? else { return Ok(None) };
        if session.expires <= self.env.now() {
            return Ok(None);
        }
        let user = self.users.by_subject(&session.authentication.subject).await?;
        // Sessions are kept in seconds.
        let signed_in = session.authentication.auth_time.seconds();
        let user = user.filter(|user| user.password_set.seconds() <= signed_in);
        Ok(user.map(|user| Visitor { user, session }))
    }

    /// Opens a session for `user`, in the place of the one that `headers` bring. Its cookie goes
    /// into `answer`.
    pub(super) async fn open_session(
        &self,
        user: &User,
        headers: &HeaderMap,
        answer: &mut HeaderMap,
    ) -> Result<(), StoreError> {
        let secret: [u8; 32] = self.env.random();
        let now = self.env.now();
        let mut authentication = Authentication::new(Arc::clone(&user.subject), now);
        authentication.amr = vec!["pwd".into()];
        let session =
            Session { id: hash(&secret), authentication, expires: now + self.session_lifetime };
        let before = self.cookies.read(headers, Cookie::Session).and_then(session_id);
        self.store.put_session(self.issuer_id, session, before).await?;
        let value = BASE64_URL_SAFE_NO_PAD.encode(secret);
        self.cookies.set(answer, Cookie::Session, &value, Some(self.session_lifetime));
        Ok(())
    }
}

/// The id of the session in a cookie: the hash of what it holds, so that the database cannot be
/// used to sign in.
pub(super) fn session_id(cookie: &str) -> Option<SecretHash> {
    let secret = BASE64_URL_SAFE_NO_PAD.decode(cookie).ok()?;
    (secret.len() == 32).then(|| hash(&secret))
}

fn hash(secret: &[u8]) -> SecretHash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, secret).as_ref());
    hash
}
