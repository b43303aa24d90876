//! The modules by which the OpenID Foundation certifies relying parties, and the tests here that see the
//! same: happy, wrong and missing parts of what a provider sends.

use std::{fs, path::Path};

/// The tests of a module: a file, below `tests/` or `src/`, and a function in it.
type Tests = &'static [(&'static str, &'static str)];

const FAULTS: &str = "tests/consumer/openid/faults.rs";
const HYBRID: &str = "tests/consumer/openid/hybrid.rs";
const DISCOVERY: &str = "tests/consumer/openid/discovery.rs";
const CLIENT: &str = "tests/consumer/openid/client_authentication.rs";
const SIGNATURES: &str = "tests/consumer/openid/signatures.rs";
const OBJECTS: &str = "tests/consumer/openid/request_objects.rs";
const ORGANIZATIONS: &str = "tests/consumer/openid/organizations/mod.rs";
const REFRESHES: &str = "tests/consumer/openid/refreshes.rs";
const SIGN_OUT: &str = "tests/consumer/openid/sign_out.rs";
const LOGOUT: &str = "tests/consumer/openid/logout.rs";
const RULES: &str = "src/oidc/verification/tests.rs";
const LOGOUT_RULES: &str = "src/oidc/verification/logout.rs";
const WEBFINGER: &str = "src/oidc/webfinger.rs";
const ALGORITHMS: &str = "tests/interop/openid/algorithms.rs";

const SESSION_STATE: &str = "tests/consumer/openid/session_state.rs";
const SOURCES: &str = "tests/consumer/openid/claim_sources.rs";

const OTHERS: &str = "claims_of_others_are_those_that_their_issuers_have_signed";
const NO_FAULT: &str = "no_fault_of_a_provider_logs_anybody_in";
const BESIDE: &str = "a_token_beside_a_code_that_breaks_a_rule_uses_no_code_up";
const CLAIMS: &str = "claims_that_anybody_could_send_are_rejected_one_by_one";
const SIGNED: &str = "a_token_that_no_key_of_the_issuer_signed_is_rejected";
const EACH_SIGNATURE: &str = "a_user_is_who_tokens_of_each_signature_say";
const LOGOUT_RULE: &str = "each_rule_of_the_specification_rejects_what_breaks_it";
const ADDRESS: &str = "an_address_leads_to_the_login_of_its_organization";
const SESSION: &str = "a_logout_of_a_session_ends_it_and_tells_the_application";

/// The modules of the plans for codes, hybrid answers and answers by form, configuration, dynamic
/// registration, refreshes, the logouts and session management, without their prefix
/// `oidcc-client-test-`.
const MODULES: &[(&str, Tests)] = &[
    ("", &[(DISCOVERY, "an_issuer_is_all_that_an_application_needs_to_know")]),
    ("nonce-invalid", &[(FAULTS, NO_FAULT), (HYBRID, BESIDE)]),
    ("invalid-iss", &[(FAULTS, NO_FAULT), (RULES, CLAIMS)]),
    ("invalid-aud", &[(FAULTS, NO_FAULT), (RULES, CLAIMS)]),
    ("missing-aud", &[(RULES, CLAIMS)]),
    ("missing-sub", &[(FAULTS, NO_FAULT), (RULES, CLAIMS)]),
    ("missing-iat", &[(FAULTS, NO_FAULT), (RULES, CLAIMS)]),
    (
        "kid-absent-single-jwks",
        &[(RULES, "of_two_keys_without_an_identifier_the_one_that_signed_is_found")],
    ),
    (
        "kid-absent-multiple-jwks",
        &[(RULES, "of_two_keys_without_an_identifier_the_one_that_signed_is_found")],
    ),
    ("idtoken-sig-rs256", &[(ALGORITHMS, EACH_SIGNATURE)]),
    (
        "idtoken-sig-es256",
        &[(ALGORITHMS, EACH_SIGNATURE), (SIGNATURES, "the_registered_algorithm_is_the_only_one")],
    ),
    ("idtoken-sig-hs256", &[(ALGORITHMS, EACH_SIGNATURE)]),
    ("idtoken-sig-none", &[(FAULTS, NO_FAULT), (RULES, SIGNED)]),
    ("invalid-sig-rs256", &[(FAULTS, NO_FAULT), (RULES, SIGNED)]),
    ("invalid-sig-es256", &[(FAULTS, NO_FAULT), (RULES, SIGNED)]),
    (
        "invalid-sig-hs256",
        &[(RULES, "the_client_secret_signs_only_where_the_client_says_so_and_then_alone")],
    ),
    ("missing-athash", &[(HYBRID, BESIDE)]),
    ("invalid-athash", &[(FAULTS, NO_FAULT), (HYBRID, BESIDE)]),
    ("missing-chash", &[(HYBRID, BESIDE)]),
    ("invalid-chash", &[(HYBRID, BESIDE)]),
    ("userinfo-invalid-sub", &[(FAULTS, NO_FAULT)]),
    (
        "userinfo-bearer-header",
        &[(DISCOVERY, "an_issuer_is_all_that_an_application_needs_to_know")],
    ),
    (
        "userinfo-bearer-body",
        &[(
            "tests/consumer/openid/userinfo.rs",
            "the_token_of_a_userinfo_request_is_in_the_header_unless_the_service_wants_a_form",
        )],
    ),
    (
        "userinfo-signed",
        &[(SIGNATURES, "signed_claims_of_the_userinfo_endpoint_have_an_algorithm_of_their_own")],
    ),
    (
        "scope-userinfo-claims",
        &[(DISCOVERY, "endpoints_that_the_application_names_stay_where_they_are")],
    ),
    ("aggregated-claims", &[(SOURCES, OTHERS)]),
    ("distributed-claims", &[(SOURCES, OTHERS)]),
    (
        "client-secret-basic",
        &[(CLIENT, "a_secret_is_sent_in_the_header_or_the_body_and_a_public_client_has_none")],
    ),
    (
        "request-uri-signed-rs256",
        &[(OBJECTS, "a_request_at_a_url_of_the_site_is_there_once_for_two_minutes")],
    ),
    (
        "request-uri-signed-none",
        &[(OBJECTS, "an_unsigned_request_is_at_a_url_of_the_site_where_the_provider_takes_such")],
    ),
    ("formpost-error", &[(HYBRID, "a_response_has_what_was_requested_and_comes_by_post")]),
    (
        "discovery-openid-config",
        &[(DISCOVERY, "an_issuer_is_all_that_an_application_needs_to_know")],
    ),
    (
        "discovery-jwks-uri-keys",
        &[(DISCOVERY, "an_issuer_is_all_that_an_application_needs_to_know")],
    ),
    ("discovery-issuer-mismatch", &[(FAULTS, NO_FAULT)]),
    (
        "discovery-webfinger-acct",
        &[
            (ORGANIZATIONS, ADDRESS),
            (WEBFINGER, "what_users_type_is_normalized_by_the_specification"),
        ],
    ),
    (
        "discovery-webfinger-url",
        &[(WEBFINGER, "what_users_type_is_normalized_by_the_specification")],
    ),
    ("dynamic-registration", &[(ORGANIZATIONS, ADDRESS)]),
    (
        "signing-key-rotation",
        &[(FAULTS, "a_new_key_is_fetched_when_a_token_names_it_but_not_at_each_token")],
    ),
    (
        "signing-key-rotation-just-before-signing",
        &[(FAULTS, "a_new_key_is_fetched_when_a_token_names_it_but_not_at_each_token")],
    ),
    ("refresh-token", &[(REFRESHES, "the_claims_are_those_of_the_last_id_token")]),
    (
        "refresh-token-invalid-issuer",
        &[(REFRESHES, "an_id_token_that_is_of_another_user_stores_nothing")],
    ),
    (
        "refresh-token-invalid-sub",
        &[(REFRESHES, "an_id_token_that_is_of_another_user_stores_nothing")],
    ),
    (
        "3rd-party-init-login",
        &[("tests/flows/openid.rs", "the_provider_sends_a_user_to_a_client_where_they_log_in")],
    ),
    (
        "rp-init-logout",
        &[(SIGN_OUT, "a_form_leads_to_the_provider_and_back_to_the_page_that_was_wanted")],
    ),
    (
        "rp-init-logout-other-state",
        &[(SIGN_OUT, "the_way_back_is_that_of_this_browser_and_this_logout")],
    ),
    (
        "rp-init-logout-no-state",
        &[(SIGN_OUT, "the_way_back_is_that_of_this_browser_and_this_logout")],
    ),
    ("rp-backchannel-rpinitlogout", &[(LOGOUT, SESSION)]),
    (
        "rp-backchannel-rpinitlogout-alg-none",
        &[(SIGNATURES, "logout_tokens_have_the_algorithm_of_id_tokens")],
    ),
    ("rp-backchannel-rpinitlogout-no-event", &[(LOGOUT_RULES, LOGOUT_RULE)]),
    ("rp-backchannel-rpinitlogout-wrong-event", &[(LOGOUT_RULES, LOGOUT_RULE)]),
    ("rp-backchannel-rpinitlogout-with-nonce", &[(LOGOUT_RULES, LOGOUT_RULE)]),
    (
        "rp-backchannel-rpinitlogout-wrong-alg",
        &[(SIGNATURES, "logout_tokens_have_the_algorithm_of_id_tokens")],
    ),
    ("rp-backchannel-rpinitlogout-wrong-aud", &[(LOGOUT_RULES, LOGOUT_RULE)]),
    ("rp-backchannel-rpinitlogout-wrong-iss", &[(LOGOUT_RULES, LOGOUT_RULE)]),
    (
        "session-management",
        &[
            (SESSION_STATE, "a_page_of_the_site_frames_that_of_the_provider_and_asks_it"),
            (
                SESSION_STATE,
                "after_a_change_a_login_without_pages_says_whether_the_user_is_still_there",
            ),
        ],
    ),
    (
        "rp-frontchannel-rpinitlogout",
        &[(LOGOUT, "a_frame_ends_the_session_whose_identifier_it_has")],
    ),
];

#[test]
fn each_module_of_the_foundation_is_seen_by_a_test_that_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (module, tests) in MODULES {
        assert!(!tests.is_empty(), "{module}");
        for (file, test) in *tests {
            let text = fs::read_to_string(root.join(file)).unwrap();
            assert!(text.contains(&format!("fn {test}(")), "{module}: {file} has no {test}");
        }
    }
}
