//! Software statements (RFC 7591, section 2.3).

use serde_json::Map;

use crate::{
    Env,
    jose::{ClaimsError, ClaimsPolicy, TokenType, Unverified},
    oauth2::ClientMetadata,
    provider::token::decided::trusted::TrustedIssuer,
};

use super::error::ClientRegistrationError;

/// The longest software statement, in bytes: it is stored with the client.
const LONGEST: usize = 8 * 1024;

/// The metadata in a software statement, if it is of a trusted issuer and valid. A statement that
/// names recipients must name `server` among them.
pub(super) async fn read(
    statement: &str,
    trusted: &[TrustedIssuer],
    server: &str,
    env: &Env,
) -> Result<ClientMetadata, ClientRegistrationError> {
    use ClientRegistrationError as E;
    let unverified = Unverified::parse_up_to(statement, LONGEST).map_err(E::StatementToken)?;
    let claims = unverified.claims_of_anybody().map_err(E::StatementClaims)?;
    let of_issuer = |known: &&TrustedIssuer| claims.iss.as_deref() == Some(&**known.issuer());
    let issuer = trusted.iter().find(of_issuer).ok_or(E::StatementUnapproved)?;
    let keys = issuer.keys_for(&unverified, env).await.map_err(|_| E::StatementKeysUnknown)?;
    // Statements have no registered type.
    let rules = issuer.rules(TokenType::Plain);
    let verified = unverified.verify(&rules, &keys).map_err(E::StatementToken)?;
    let policy = ClaimsPolicy::without_audience(&**issuer.issuer()).expiry_may_be_missing();
    let claims = verified.claims(&policy, env.now()).map_err(E::StatementClaims)?;
    if !claims.aud.is_empty() && !claims.aud.iter().any(|audience| audience == server) {
        return Err(E::StatementClaims(ClaimsError::Audience));
    }
    let mut metadata = ClientMetadata::from_members(claims.extra).map_err(E::StatementMember)?;
    if !is_about_software(&metadata) {
        return Err(E::StatementEmpty);
    }
    metadata.software_statement = Some(statement.to_owned());
    Ok(metadata)
}

/// `true` if the claims describe a client. Other tokens of the same issuer, such as the assertion of a
/// user, have `scope` at most (RFC 8725, section 3.12).
fn is_about_software(metadata: &ClientMetadata) -> bool {
    let others = ClientMetadata { scope: None, extra: Map::new(), ..metadata.clone() };
    others != ClientMetadata::default()
}

/// The metadata of a request, with the values of a statement in their place.
pub(super) fn overridden(request: ClientMetadata, statement: ClientMetadata) -> ClientMetadata {
    let list = |wins: Vec<String>, other| if wins.is_empty() { other } else { wins };
    let mut all = request;
    all.redirect_uris = list(statement.redirect_uris, all.redirect_uris);
    all.contacts = list(statement.contacts, all.contacts);
    all.token_endpoint_auth_method =
        statement.token_endpoint_auth_method.or(all.token_endpoint_auth_method);
    all.token_endpoint_auth_signing_alg =
        statement.token_endpoint_auth_signing_alg.or(all.token_endpoint_auth_signing_alg);
    all.grant_types = statement.grant_types.or(all.grant_types);
    all.response_types = statement.response_types.or(all.response_types);
    all.client_name = statement.client_name.or(all.client_name);
    all.client_uri = statement.client_uri.or(all.client_uri);
    all.logo_uri = statement.logo_uri.or(all.logo_uri);
    all.scope = statement.scope.or(all.scope);
    all.tos_uri = statement.tos_uri.or(all.tos_uri);
    all.policy_uri = statement.policy_uri.or(all.policy_uri);
    if statement.jwks.is_some() || statement.jwks_uri.is_some() {
        (all.jwks, all.jwks_uri) = (statement.jwks, statement.jwks_uri);
    }
    all.software_id = statement.software_id.or(all.software_id);
    all.software_version = statement.software_version.or(all.software_version);
    all.software_statement = statement.software_statement;
    all.extra.extend(statement.extra);
    all
}
