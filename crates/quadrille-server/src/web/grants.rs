//! The grants that the settings decide on.

use std::{collections::BTreeMap, sync::Arc};

use quadrille::provider::{
    ActorToken, Asserted, AuthorizationServer, Exchanging, Granted, NotGranted,
};

use crate::{
    config::{ExchangeRules, Purpose, Subjects, TrustedIssuer},
    data::Backend,
    users::UserName,
};

/// The users that the subjects of issuers are.
type Known = BTreeMap<Arc<str>, Subjects>;

/// The server with the grants for JWTs of these issuers, and with token exchange by these rules.
/// The JWT bearer grant is on exactly if an issuer is trusted for it, and token exchange if there
/// is a rule.
pub(super) fn offered(
    mut server: AuthorizationServer,
    backend: &Arc<dyn Backend>,
    issuers: Vec<TrustedIssuer>,
    rules: ExchangeRules,
) -> AuthorizationServer {
    let [mut asserting, mut exchanged] = [Known::new(), Known::new()];
    for issuer in issuers {
        for (purpose, known) in
            [(Purpose::JwtBearer, &mut asserting), (Purpose::TokenExchange, &mut exchanged)]
        {
            if let (true, Some(subjects)) = (issuer.is_for(purpose), &issuer.subjects) {
                known.insert(issuer.issuer.clone(), subjects.clone());
            }
        }
        if issuer.is_for_grants() {
            server = server.trusted_issuer(issuer.trusted);
        }
    }
    if !asserting.is_empty() {
        server = asserted(server, backend.clone(), asserting);
    }
    match rules.is_empty() {
        true => server,
        false => exchanging(server, backend.clone(), exchanged, rules),
    }
}

fn asserted(
    server: AuthorizationServer,
    backend: Arc<dyn Backend>,
    known: Known,
) -> AuthorizationServer {
    let known = Arc::new(known);
    server.jwt_bearer(move |asserted: Asserted| {
        let (known, backend) = (known.clone(), backend.clone());
        async move {
            let subjects = known.get(asserted.issuer());
            let user = user(&*backend, subjects, asserted.subject()).await?;
            Ok(Granted::to_user(user))
        }
    })
}

fn exchanging(
    server: AuthorizationServer,
    backend: Arc<dyn Backend>,
    known: Known,
    rules: ExchangeRules,
) -> AuthorizationServer {
    let (known, rules) = (Arc::new(known), Arc::new(rules));
    server.token_exchange(move |exchanging: Exchanging| {
        let (known, rules, backend) = (known.clone(), rules.clone(), backend.clone());
        async move {
            let claims = exchanging.subject_claims();
            let issuer = claims.and_then(|claims| claims.iss.as_deref());
            let refused = || NotGranted::refused("token_exchange does not allow this exchange");
            let rule = rules.get(&exchanging.client().id).ok_or_else(refused)?;
            if !rule.allows(exchanging.subject_client(), issuer) {
                return Err(refused());
            }
            let actor = exchanging.actor().and_then(ActorToken::claims);
            if actor.is_some_and(|claims| !rule.allows(None, claims.iss.as_deref())) {
                return Err(NotGranted::refused("token_exchange does not allow this actor"));
            }
            let exchanged = rule.exchanged();
            let (Some(issuer), Some(claims)) = (issuer, claims) else { return Ok(exchanged) };
            let subject = claims.sub.as_deref().ok_or_else(refused)?;
            Ok(exchanged.for_user(user(&*backend, known.get(issuer), subject).await?))
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
    // The look-up folds names as users type them.
    let found = found.filter(|user| subjects.is(subject, user.name.as_str()));
    let unknown = || NotGranted::refused("the subject is not a user of this server");
    found.map(|user| user.subject).ok_or_else(unknown)
}
