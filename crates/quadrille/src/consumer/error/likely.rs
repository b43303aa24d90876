//! The likely cause of each error, in a sentence for logs. The guide has a section per code.

use crate::{
    jose::{ClaimsError, TokenError},
    oidc::{DiscoveryError, IdTokenRejected},
};

/// The likely cause why an ID token is rejected.
pub(super) const fn of_id_token(reason: IdTokenRejected) -> &'static str {
    use IdTokenRejected as R;
    match reason {
        R::Token(TokenError::KeyUnknown) => {
            "the service has just replaced its keys, or its jwks_uri lacks this one or has it in a \
             form that cannot be used, or the token is of another service"
        }
        R::Token(TokenError::KeyUnusable | TokenError::KeyAmbiguous) => {
            "the service's keys do not say which tokens they sign (kid, alg)"
        }
        R::Token(
            TokenError::AlgorithmNotAccepted | TokenError::AlgorithmUnknown | TokenError::Unsecured,
        ) => {
            "the service signs by another algorithm than the registered one, or than its metadata name"
        }
        R::Token(TokenError::Encrypted) | R::Encrypted(_) => {
            "the registration at the service has another encryption of ID tokens than the settings"
        }
        R::Token(TokenError::Signature) => {
            "the service gave a new key the identifier of an old one, or somebody forged the token"
        }
        R::Token(_) => {
            "the service, or the party that presented the token, sent something else than a JWT"
        }
        R::Claims(ClaimsError::Issuer) => {
            "the issuer in the settings is not written as the service writes it, or somebody presented \
             a token of another service"
        }
        R::Claims(ClaimsError::Audience | ClaimsError::SharedAudience)
        | R::AudienceNotTrusted
        | R::AuthorizedPartyMissing
        | R::AuthorizedPartyOther => {
            "the client id is another one than in the settings, or the token is one of another site"
        }
        R::Claims(
            ClaimsError::Expired
            | ClaimsError::NotYetValid
            | ClaimsError::IssuedInFuture
            | ClaimsError::TooOld
            | ClaimsError::TooLong,
        )
        | R::AuthTimeInFuture => {
            "the clocks of this machine and of the service differ, or somebody presented an old token"
        }
        R::Claims(_) | R::IdToken(_) => {
            "the service writes ID tokens otherwise than OpenID Connect says: its operator can mend it"
        }
        R::NonceMissing => {
            "the service forgets the nonce (Spec::without_nonce_because_the_service_forgets_it)"
        }
        R::NonceOther
        | R::NonceUnexpected
        | R::AccessTokenHash
        | R::CodeHash
        | R::StateHash
        | R::OtherUserThanBeside => {
            "somebody exchanged a code or a token, or the service confuses its logins"
        }
        R::AuthTimeMissing | R::AuthTooLongAgo | R::Acr => {
            "the service does not heed max_age, or acr in claims"
        }
        R::Changed(_) => "the service confuses its users or its logins at a refresh",
    }
}

/// The likely cause why signed claims of the userinfo endpoint are rejected.
pub(super) fn of_userinfo(reason: IdTokenRejected) -> &'static str {
    use TokenError as E;
    match reason {
        IdTokenRejected::Claims(_)
        | IdTokenRejected::Token(E::KeyUnknown | E::KeyUnusable | E::KeyAmbiguous | E::Signature) => {
            of_id_token(reason)
        }
        _ => cause_of("userinfo_rejected"),
    }
}

/// The likely cause why the metadata of a provider cannot be used.
pub(super) fn of_metadata(reason: DiscoveryError) -> &'static str {
    match reason {
        DiscoveryError::Issuer | DiscoveryError::OtherIssuer => {
            cause_of("provider_metadata_unusable")
        }
        DiscoveryError::Malformed => {
            "the issuer in the settings is no OpenID Provider's, or a proxy answers in its place"
        }
        DiscoveryError::Endpoint(_) => {
            "the provider does not know that it is reached by https: its public URL, or its proxy"
        }
        DiscoveryError::Missing(_) | DiscoveryError::WrongType(..) => {
            "the provider's metadata are not what OpenID Connect says: its operator can mend them"
        }
    }
}

/// The likely cause of errors with this code. A test holds that each code has one.
pub(super) fn cause_of(code: &str) -> &'static str {
    match code {
        "access_denied" => "the user chose to refuse at the service",
        "account_changed" => "the browser is logged in at the service as someone else",
        "account_not_allowed" => "the user chose a private account instead of the organization's",
        "account_of_another_user" => "the user has two users here, or shares a browser",
        "answer_has_left" => "a stream or task outlives the response: call Linked::detach before",
        "api_error" => "the path is wrong, a scope is missing, or a limit is reached",
        "attempt_cookie_missing" => {
            "the login began at another host name than the public URL's, or the browser keeps no \
             cookies"
        }
        "attempt_expired" => "the user waited for an hour, or the keys were replaced",
        "authorization_refused" => "a scope or the redirect URI is not registered at the service",
        "base_malformed" => "the base lacks https://, or has a query",
        "call_malformed" => "a space or a line break in a path, a header or a token",
        "callback_malformed" => "a proxy rewrites the callback's query",
        "callback_not_confirmed" => "the service has OAuth 1.0 without the repair of 1.0a",
        "client_id_malformed" => {
            "the identifier was read with its quotation marks or a line break, or is empty"
        }
        "client_keys_missing" => "the keys are set at another login than the service",
        "client_refused" => "the secret is of another registration, was replaced, or was cut",
        "cookie_too_large" => "many accounts, or long tokens: store tokens on the server",
        "credential_mismatch" => "a secret was given where the service requires a private key",
        "data_too_large" => "whole records were carried along instead of their identifiers",
        "domain_malformed" => "an address or a URL was given in place of its domain",
        "endpoint_malformed" => "an endpoint lacks https://, or its tenant",
        "ephemeral_keys" => "KeyRing::ephemeral beside a storage that outlives the process",
        "foreign_origin" => "the call's URL is on another host than the service's API",
        "http_client" => "the system has no root certificates",
        "identifier_malformed" => "the user typed a name in place of an address",
        "id_token_missing" => "the scope openid is not allowed for this application there",
        "id_token_rejected" => {
            "the issuer or the client id is another one than in the settings, or the clocks differ, \
             or somebody presented a forged token"
        }
        "issuer_other" => "the issuer in the link is another one than in the settings",
        "id_tokens_not_accepted" => "the client of the service lacks Client::accept_id_tokens",
        "io" => "a file is missing, or the user of the process may not read it",
        "json_callback_malformed" => "the callback lacks https://, or its scheme has no dot",
        "key_unknown" => "an old key was removed from the ring, or the database is another's",
        "keys_malformed" => "the variable of the key ring is not set, or was cut",
        "loopback_listen" => "another program listens on the port, or the port needs a privilege",
        "loopback_path_malformed" => "the path lacks its slash at the beginning, or has a query",
        "loopback_port_missing" => "the service compares the port with the registered one",
        "login_loop" => {
            "the service grants fewer scopes than the page requires, or no cookie stays"
        }
        "login_malformed" => "a link to the login was built without percent-encoding",
        "logout_token_rejected" => {
            "the service repeats a logout, the clocks differ, or somebody else sent it"
        }
        "member_malformed" => "a path of a member has two dots, or one at an end",
        "mount_malformed" => "the path lacks its slash at the beginning",
        "nested_elsewhere" => "the public URL lacks the path at which the router is nested",
        "no_device_flow" => "the service has no device flow: use the loopback flow",
        "no_services" => "Login::with is not called, or no variable of a service is set",
        "not_attached" => "the handler's router was not passed to Login::attach",
        "not_for_programs" => "the service has OAuth 1, whose programs show a PIN",
        "not_linked" => "the user has not logged in, or the service ended the token",
        "organization_unknown" => "the organization has no WebFinger, or its issuer is not allowed",
        "registration_refused" => "the provider wants an initial access token, or other metadata",
        "registration_unusable" => "the provider registers other metadata than it is asked for",
        "registration_unsupported" => "the provider has no registration_endpoint",
        "request_object_unusable" => "the spec asks for more than the provider's metadata have",
        "storage_in_browser" => {
            "Login::with_organizations or RequestObjects::ByReference without Login::storage"
        }
        "userinfo_rejected" => "the userinfo response is registered as another than in the spec",
        "not_openid" => "the service is described by Spec::oauth2 without an issuer",
        "not_out_of_band" => "the service has OAuth 2, which has no PIN",
        "not_this_origin" => "the page is on another host name or port than the public URL",
        "clock_leeway_too_long" => {
            "the setting is in seconds; or a clock is wrong, and can be set right"
        }
        "opener_malformed" => "the origin has a path, or a slash at its end",
        "outside_request" => "tokens are in cookies: store them on the server for background work",
        "parameter_reserved" => "a parameter that the login sets itself has a method of its own",
        "claim_sources_malformed" => "the provider has another form of _claim_sources",
        "provider_keys_unusable" => "the service's jwks_uri leads to something else than keys",
        "provider_metadata_unusable" => {
            "the issuer in the settings is not written as the service writes it: a slash at its end"
        }
        "public_url_insecure" => "the public URL is the proxy's inner address: use its https one",
        "public_url_malformed" => "the public URL lacks https://, or has a query",
        "resource_malformed" => "the resource is no absolute URI, or has a fragment",
        "routes_missing" => "the application has Login::layer without Login::routes",
        "scope_malformed" => "the scope was quoted twice, or has a line break",
        "secret_malformed" => "the secret was read with a line break at its end",
        "secret_missing" => "the variable or setting of the secret is empty",
        "secret_not_made" => "the key that signs the secret cannot be read",
        "section_unknown" => "a typing error, or a service of your own that is not named",
        "service_answer_malformed" => "an endpoint is wrong, or a proxy answered in its place",
        "service_answer_too_large" => "a page or a list is at the endpoint for tokens or claims",
        "service_down" => "the service failed a moment ago",
        "service_interrupted" => "a proxy ends connections earlier than the service responds",
        "service_mismatch" => "the account is of a service known only at run time",
        "service_name_malformed" => "a display name was given instead of a path segment",
        "service_not_added" => "Login::with lacks the service, or the handler has another login",
        "service_page_elsewhere" => "the service has two host names for its API",
        "service_redirected" => "the base of the API is an old address of the service",
        "service_repeated" => "two registrations at one service need different names",
        "service_timed_out" => "the service is slow, or a firewall drops packets",
        "service_unavailable" => "the service is overloaded, or limits this application",
        "service_unknown" => "the link has a typing error, or the service was removed",
        "service_unreachable" => "DNS, firewall, proxy, root certificates or clock of this machine",
        "setting_malformed" => "a value lacks its quotation marks, or has them needlessly",
        "setting_missing" => "the section was not filled in",
        "setting_unknown" => "a typing error, or an option of another service",
        "signing_key_unusable" => "the key is not PEM, is encrypted, or is at another path",
        "state_unknown" => "another process with other keys answered, or the callback is forged",
        "storage_failed" => "the storage is down, full, or lacks its tables",
        "subject_missing" => "a scope is missing without which the service shows no identity",
        "target_elsewhere" => "the link has another host name than the public URL",
        "tenant_lookup_failed" => "the database of tenants is down",
        "tenant_unknown" => "the link has a typing error, or the tenant was removed",
        "token_refused" => {
            "the redirect URI or the clock differs from the service's, or the code was used"
        }
        "token_secret_missing" => "an account of OAuth 1 was imported without its secret",
        "token_type_unknown" => "the service has its own word for bearer tokens",
        "too_many_lookups" => "somebody tries addresses, or many users of one organization arrive",
        "user_changed" => "a sign-in in another tab, or no session at the login's routes",
        "user_unknown" => "the user was removed while a session lived on",
        "userinfo_of_another_subject" => "the service confuses its users, or a cache there does",
        "variable_missing" => "the .env file was not read, or another shell has the variable",
        "wrong_issuer" => "the issuer has another spelling, or the callback is another server's",
        _ => "",
    }
}
