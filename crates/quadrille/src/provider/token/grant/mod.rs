//! The grants: the facts, the decision and the commit of each.

pub(crate) mod client_credentials;
pub(crate) mod code;
pub(crate) mod device;
mod direct;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod extension;
pub(crate) mod implicit;
pub(crate) mod jwt_bearer;
mod offer;
pub(crate) mod password;
pub(crate) mod refresh;

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value};

use crate::{
    Policy, Secret, Timestamp,
    actor::Actor,
    oauth2::{Resources, TokenResponse},
    provider::{
        access_format::AccessTokenFormat,
        client::{grant_type::GrantType, personal::ClientOfPersonalTokens, record::Client},
        error::endpoint::TokenError,
        error::{Error, OperatorError},
        openid::{client::SubjectType, offline},
        server::Inner,
        store::{AccessRecord, Exchange, FamilyRecord, Grant, Issue, RowId},
    },
};

use super::{
    format::{Refresh, TokenKind, TokenSecret, sha256},
    jwt::{self, Issued},
    own_text,
    planned::{NotIssued, Occasion, PlannedToken},
    text::TokenText,
};

/// The audience of a token: all granted APIs if the client names none (RFC 8707, section 2.2).
/// `None` if it names one that was not granted.
pub(crate) fn narrowed(granted: &Resources, wanted: &Resources) -> Option<Resources> {
    if wanted.is_empty() {
        return Some(granted.clone());
    }
    granted.narrowed(wanted)
}

/// Tokens to be stored and sent.
pub(crate) struct Minted {
    access: TokenText,
    pub(crate) record: AccessRecord,
    lifetime: Duration,
    members: Map<String, Value>,
}

/// An access token in row `row` for the given scopes of a grant, if the application lets it be
/// issued. All tokens of OAuth 2 come from here.
pub(crate) fn mint(
    inner: &Inner,
    client: &Arc<Client>,
    occasion: Occasion,
    row: RowId,
    grant: Grant,
    now: Timestamp,
) -> impl Future<Output = Result<Minted, Error>> {
    mint_within(inner, client, occasion, row, grant, now, Limits::default())
}

/// The limits of a token, beside those of the policy.
#[derive(Default)]
pub(crate) struct Limits {
    /// The lifetime; `None` for the usual one.
    pub(crate) lifetime: Option<Duration>,
    /// The latest expiry.
    pub(crate) until: Option<Timestamp>,
    /// The exchange that the token comes from.
    pub(crate) exchange: Option<Arc<Exchange>>,
    /// The text of the token, which another server has issued; `None` to make one.
    pub(crate) text: Option<Secret>,
}

/// [`mint`] within limits.
pub(crate) async fn mint_within(
    inner: &Inner,
    client: &Arc<Client>,
    occasion: Occasion,
    row: RowId,
    grant: Grant,
    now: Timestamp,
    limits: Limits,
) -> Result<Minted, Error> {
    let usual = client.policy(&inner.policy).access_token_lifetime;
    let usual = limits.lifetime.unwrap_or(usual);
    let has_scopes = !grant.scopes.is_empty();
    let planned = ask(inner, client, occasion, grant, Some(usual)).await?;
    if has_scopes && planned.grant.scopes.is_empty() {
        return Err(TokenError::NoScopeLeft.into());
    }
    let (minted, is_found_by_hash) = write(inner, client, row, planned, usual, now, limits)?;
    if is_found_by_hash {
        // The futures of all grants are smaller for the box.
        Box::pin(own_text::store(inner, &minted.record)).await?;
    }
    Ok(minted)
}

/// Writes the token that the application lets be issued. Also returns whether it is to be found by
/// its hash.
fn write(
    inner: &Inner,
    client: &Client,
    row: RowId,
    planned: PlannedToken,
    usual: Duration,
    now: Timestamp,
    limits: Limits,
) -> Result<(Minted, bool), Error> {
    let policy = client.policy(&inner.policy);
    let secret = TokenSecret::new(inner.env.random());
    let imported = limits.text.map(|text| TokenText::from(text.expose().to_owned()));
    let text = imported.or_else(|| made_by_application(inner, &planned, &secret));
    let PlannedToken { grant, lifetime, members, format, mut claims, prefix, .. } = planned;
    let lifetime = lifetime.unwrap_or(usual).min(longest(&policy, &grant, now));
    let lifetime = limits.until.map_or(lifetime, |until| lifetime.min(until.since(now)));
    let expires = now + lifetime;
    let act = limits.exchange.as_ref().and_then(|exchange| exchange.act.as_ref());
    claims.extend(act.map(|act| ("act".to_owned(), act.to_json())));
    let is_found_by_hash = text.is_some();
    // The client would read the user's own subject in a JWT.
    let is_pairwise = client.openid.subject_type == SubjectType::Pairwise;
    let (access, hash) = match (text, format, &prefix) {
        (Some(text), ..) => {
            let hash = own_text::check(&inner.tokens, text.as_str());
            (text, hash.map_err(OperatorError::TokenText)?)
        }
        (None, AccessTokenFormat::Jwt, _) if !jwt::is_ambiguous(&grant) && !is_pairwise => {
            let issued = Issued { row, secret: &secret, at: now, expires };
            let access = jwt::write(inner, &grant, &claims, issued)?;
            let hash = sha256(access.as_str().as_bytes());
            (access, hash)
        }
        (None, _, None) => {
            (inner.tokens.write(TokenKind::Access, row, &secret), sha256(&secret[..]))
        }
        (None, _, prefix) => {
            let access = inner.tokens.write(TokenKind::Access, row, &secret);
            let access = access.behind(prefix.as_ref());
            let hash = sha256(access.as_str().as_bytes());
            (access, hash)
        }
    };
    let exchange = limits.exchange;
    let record = AccessRecord { row, hash, grant, expires, binding: None, exchange };
    Ok((Minted { access, record, lifetime, members }, is_found_by_hash))
}

/// The text that the application makes for an opaque token; `None` if it leaves that to the server.
fn made_by_application(
    inner: &Inner,
    planned: &PlannedToken,
    random: &TokenSecret,
) -> Option<TokenText> {
    let generator = inner.generator.as_ref()?;
    let is_opaque = planned.format == AccessTokenFormat::Opaque;
    is_opaque.then(|| generator(planned, random)).flatten().map(TokenText::from)
}

/// Asks the application before a token is issued.
pub(crate) async fn ask(
    inner: &Inner,
    client: &Arc<Client>,
    occasion: Occasion,
    grant: Grant,
    lifetime: Option<Duration>,
) -> Result<PlannedToken, Error> {
    let (number, is_user) = (grant.id, matches!(grant.actor, Actor::User(_)));
    let format = inner.formats.of(client.access_token_format, &grant.resources);
    let (client, members) = (Arc::clone(client), Map::new());
    let claims = grant.data().cloned().unwrap_or_default();
    let prefixes = &inner.prefixes;
    let is_personal = occasion == Occasion::Minted && ClientOfPersonalTokens::is(&client);
    let prefix = if is_personal { &prefixes.personal } else { &prefixes.access }.clone();
    let planned =
        PlannedToken { client, occasion, grant, lifetime, members, format, claims, prefix };
    let Some(hook) = &inner.before_issue else { return Ok(planned) };
    hook(planned).await.map_err(|not| match not {
        NotIssued::Refused(reason) => {
            tracing::info!(grant = number.0, %reason, "the application issues no token");
            match is_user {
                true => TokenError::UserRefused.into(),
                false => TokenError::ClientRefused.into(),
            }
        }
        NotIssued::Unavailable(error) => OperatorError::BeforeIssue(error).into(),
    })
}

/// Issues tokens without a code, unless the user or the client is gone.
pub(crate) async fn store(inner: &Inner, issue: Issue) -> Result<(), Error> {
    match inner.store.issue(inner.issuer_id().await?, issue).await? {
        true => Ok(()),
        false => Err(TokenError::Gone.into()),
    }
}

/// The longest lifetime of a token: while the revocation of its grant is remembered, by
/// [`all_over`].
fn longest(policy: &Policy, grant: &Grant, now: Timestamp) -> Duration {
    let end = grant.id.time() + policy.refresh_token_total_lifetime;
    end.since(now).max(policy.access_token_lifetime)
}

/// The first refresh token for a grant, if the client may have one.
pub(crate) async fn first_refresh(
    inner: &Inner,
    client: &Client,
    grant: &Grant,
    now: Timestamp,
) -> Result<Option<(FamilyRecord, Refresh)>, Error> {
    let has_offline = inner.openid.as_ref().is_some_and(|openid| openid.has_offline_access);
    let is_offered = inner.offers(&GrantType::RefreshToken)
        && (!has_offline || offline::may_refresh(&grant.scopes));
    if !is_offered || !client.grant_types.contains(&GrantType::RefreshToken) {
        return Ok(None);
    }
    let secret = TokenSecret::new(inner.env.random());
    let token = inner.tokens.first_refresh(inner.row().await?, secret);
    let policy = client.policy(&inner.policy);
    let ends = now + policy.refresh_token_total_lifetime;
    let family = FamilyRecord {
        row: token.family,
        grant: grant.clone(),
        generation: 0,
        current: token.hash(),
        previous: None,
        rotated: now,
        expires: ends.min(now + policy.refresh_token_idle_lifetime),
        ends,
    };
    Ok(Some((family, token)))
}

/// The latest time at which a token of a grant to `client` could still be valid: until then its
/// revocation must be remembered.
pub(crate) fn all_over(inner: &Inner, client: Option<&Client>, now: Timestamp) -> Timestamp {
    let policy = &inner.policy;
    let servers = policy.refresh_token_total_lifetime + policy.access_token_lifetime;
    now + client.map_or(servers, |client| client.longest_use(policy))
}

impl Minted {
    /// The access token.
    pub(crate) fn secret(&self) -> Secret {
        self.access.as_str().into()
    }

    /// The answer (RFC 6749, section 5.1).
    pub(crate) fn response(&self, refresh: Option<&TokenText>) -> TokenResponse {
        let mut response = TokenResponse::new(self.access.as_str());
        response.expires_in = Some(self.lifetime);
        response.refresh_token = refresh.map(|refresh| refresh.as_str().into());
        response.scope = Some(self.record.grant.scopes.clone());
        response.extra = self.members.clone();
        response
    }
}
