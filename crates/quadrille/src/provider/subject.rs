//! Subjects and their users: whether a sign-in still counts.

use crate::actor::Authentication;

use super::{error::Error, server::Inner, store::RowId};

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
