//! OpenID Connect messages: the values that both sides read and write (OpenID Connect Core 1.0).
//!
//! As in [`oauth2`](crate::oauth2), everything here is a value or a plain function without I/O;
//! signatures are the business of [`jose`](crate::jose).
//!
//! | message | client | provider |
//! |---|---|---|
//! | ID token (Core, section 2) | [`IdToken::from_claims`] | [`IdToken::to_json`] |
//! | its verification (Core, sections 3.1.3.7 and 12.2) | [`IdTokenRules::verify`] | |
//! | `at_hash`, `c_hash`, `s_hash` (Core, section 3.3.2.11) | [`token_hash_matches`] | [`token_hash`] |
//! | scopes of claims (Core, section 5.4) | [`claims_of_scope`] | [`claims_of_scope`] |
//! | the parameter `claims` (Core, section 5.5) | [`ClaimsRequest::to_json`] | [`ClaimsRequest::parse`] |
//! | aggregated and distributed claims (Core, section 5.6.2) | [`ClaimSource`] | |
//! | logout request (RP-Initiated Logout, section 2) | [`EndSessionRequest`] | |
//! | logout token (Back-Channel Logout, section 2.4) | [`LogoutToken::from_claims`] | [`LogoutToken::to_claims`] |
//! | its verification (Back-Channel Logout, section 2.6) | [`IdTokenRules::verify_logout`] | |
//! | session state (Session Management, section 3.2) | opaque | [`session_state`] |
//! | signed user information (Core, section 5.3.2) | [`IdTokenRules::verify_userinfo`] | |
//! | the issuer of a user (Discovery, section 2) | [`UserIdentifier`], [`issuer_in_webfinger`] | |
//! | metadata (Discovery, sections 3 and 4) | [`configuration_url`], [`ProviderMetadata::parse`] | [`ServerMetadata`](crate::oauth2::metadata::ServerMetadata) |

mod claim_sources;
mod claims_request;
mod discovery;
mod end_session;
mod id_token;
mod logout_token;
mod session_state;
mod standard_claims;
mod token_hash;
mod verification;
mod webfinger;

pub use claim_sources::{ClaimSource, ClaimSourceKind, ClaimSourceRejected, ClaimSourcesError};
pub use claims_request::{ClaimRequest, ClaimsRequest, ClaimsRequestError};
pub use discovery::{DiscoveryError, ProviderMetadata, RequestObjectsSupported, configuration_url};
pub use end_session::EndSessionRequest;
pub use id_token::{IdToken, IdTokenError};
pub use logout_token::{LogoutToken, LogoutTokenError};
pub use session_state::session_state;
pub use standard_claims::{STANDARD_CLAIMS, STANDARD_SCOPES, claims_of_scope};
pub use token_hash::{token_hash, token_hash_matches};
pub use verification::{Expected, IdTokenRejected, IdTokenRules, LogoutTokenRejected};
pub use webfinger::{UserIdentifier, UserIdentifierError, issuer_in_webfinger};
