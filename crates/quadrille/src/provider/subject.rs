//! Subjects and their users: whether a sign-in still counts, and by which subject a client knows a user.

use std::sync::Arc;

use crate::actor::Authentication;

use super::{
    client::record::Client,
    error::Error,
    openid::pairwise,
    server::{AuthorizationServer, Inner},
    store::RowId,
};

impl AuthorizationServer {
    /// The subject by which a client knows a user: the user's own, or a [pairwise] one. An API that
    /// tells a client of its user tells it this one.
    ///
    /// ```
    /// use quadrille::{guard::Access, provider::{AuthorizationServer, Error}};
    ///
    /// /// The user of a request, for the client that has sent it.
    /// async fn me(server: &AuthorizationServer, access: &Access) -> Result<Option<String>, Error> {
    ///     let Some(client) = server.client(access.client()).await? else { return Ok(None) };
    ///     let Some(user) = access.user() else { return Ok(None) };
    ///     Ok(Some(server.subject_for(&client, user)?.to_string()))
    /// }
    /// ```
    ///
    /// # Errors
    /// [`Error`] for a client with pairwise subjects on a server without them.
    ///
    /// [pairwise]: crate::provider::OpenId::pairwise_subjects
    pub fn subject_for(&self, client: &Client, subject: &Arc<str>) -> Result<Arc<str>, Error> {
        let openid = self.inner().openid.as_ref();
        let key = openid.and_then(|openid| openid.pairwise.as_ref());
        Ok(pairwise::subject(key, client, subject)?)
    }
}

/// Decides whether a sign-in is of the user to whom the subject belongs: `since` is what
/// [`Grants::subject_since`](super::store::Grants::subject_since) says.
fn counts(authentication: &Authentication, since: Option<RowId>) -> bool {
    since.is_some_and(|since| RowId::last_at(authentication.auth_time) > since)
}

/// Looks whether the user who signed in is still there.
///
/// A grant gets its number first. So a removal before this look is seen here, and a later one has a
/// greater number, which ends the grant.
pub(crate) async fn is_there(
    inner: &Inner,
    authentication: &Authentication,
) -> Result<bool, Error> {
    let issuer = inner.issuer_id().await?;
    let since = inner.store.subject_since(issuer, &authentication.subject).await?;
    Ok(counts(authentication, since))
}

/// The number of a grant of a user who signed in: greater than those of all clients and revocations, also
/// after the clock was set back. `None` if the user is not there any more.
pub(crate) async fn number_of_grant(
    inner: &Inner,
    client: &Client,
    authentication: &Authentication,
) -> Result<Option<RowId>, Error> {
    let mut number = inner.row_above(client.number).await?;
    loop {
        let floor = async { Ok::<_, Error>(inner.store.floor().await?) };
        let (floor, is_there) = tokio::try_join!(floor, is_there(inner, authentication))?;
        if !is_there {
            return Ok(None);
        }
        if number > floor {
            return Ok(Some(number));
        }
        number = inner.row_above(floor.max(client.number)).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Timestamp;

    #[test]
    fn a_sign_in_counts_if_its_user_is_there_and_came_before_it() {
        let at = Timestamp::from_seconds(1_800_000_000);
        let authentication = Authentication::new("ada", at);
        let second = std::time::Duration::from_secs(1);
        let before = RowId::last_before(at);
        for (since, is_counted) in [
            (None, false),
            (Some(RowId(0)), true),
            (Some(before), true),
            (Some(RowId::last_at(at)), false),
            (Some(RowId::last_at(at + second)), false),
        ] {
            assert_eq!(counts(&authentication, since), is_counted, "{since:?}");
        }
    }
}
