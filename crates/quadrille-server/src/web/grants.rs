//! The grants that the settings decide on.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::provider::{Asserted, AuthorizationServer, Granted, NotGranted};

use crate::{
    config::{Purpose, Subjects, TrustedIssuer},
    data::Backend,
    users::UserName,
};

/// The server with the grants for JWTs of these issuers. The JWT bearer grant is on exactly if an
/// issuer is trusted for it.
pub(super) fn offered(
    mut server: AuthorizationServer,
    backend: &Arc<dyn Backend>,
    issuers: Vec<TrustedIssuer>,
) -> AuthorizationServer {
    let mut asserting = BTreeMap::new();
    for issuer in issuers {
        if let (true, Some(subjects)) = (issuer.is_for(Purpose::JwtBearer), issuer.subjects) {
            asserting.insert(issuer.issuer.clone(), subjects);
        }
        if let Some(trusted) = issuer.trusted {
            server = server.trusted_issuer(trusted);
        }
    }
    if asserting.is_empty() {
        return server;
    }
    let (asserting, backend) = (Arc::new(asserting), backend.clone());
    server.jwt_bearer(move |asserted: Asserted| {
        let (asserting, backend) = (asserting.clone(), backend.clone());
        async move {
            let subjects = asserting.get(asserted.issuer());
            let user = user(&*backend, subjects, asserted.subject()).await?;
            Ok(Granted::to_user(user))
        }
    })
}

/// The user that a subject of an issuer is.
async fn user(
    backend: &dyn Backend,
    subjects: Option<&Subjects>,
    subject: &str,
) -> Result<Arc<str>, NotGranted> {
    let subjects =
        subjects.ok_or_else(|| NotGranted::refused("the issuer is not trusted for this grant"))?;
    let name = subjects.user_name(subject).and_then(|name| UserName::parse(name).ok());
    let found = match &name {
        Some(name) => backend.user_by_name(name).await.map_err(NotGranted::unavailable)?,
        None => None,
    };
    let unknown = || NotGranted::refused("the subject is not a user of this server");
    found.map(|user| user.subject).ok_or_else(unknown)
}
