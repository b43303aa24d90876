//! Faults planted in a store that passes, one at a time: the contract catches each, and its message
//! names the rule.

mod fault;
mod faulty;
mod grants;
mod transfer;

use std::panic::{AssertUnwindSafe, catch_unwind};

use quadrille::testing::{
    ManualClock,
    contract::{
        access::*, clients::*, codes::*, consents::*, issuers::*, keys::*, known::*, oauth1::*,
        pending::*, races::*, refresh::*, registration::*, revoking::*, rows::*, run, sweeping::*,
        transfer::*, values::*,
    },
};

use fault::Fault::{self, *};
use faulty::Faulty;

/// Runs a behaviour on a store with the fault, and on one without.
macro_rules! catches {
    ($($name:ident { $($fault:expr => $behaviour:ident, $rule:literal;)* })*) => {
        $(
            #[test]
            fn $name() {
                $({
                    let clock = ManualClock::new();
                    let (faulty, _folder) = Faulty::new($fault, clock.env());
                    let said = verdict($behaviour(&faulty, &clock));
                    check($fault, stringify!($behaviour), said, $rule);
                })*
            }
        )*
    };
}

fn check(fault: Fault, behaviour: &str, said: Result<(), String>, rule: &str) {
    let Err(said) = said else { panic!("{behaviour} does not catch {fault:?}") };
    assert!(said.starts_with("a rule is broken: "), "{fault:?}: {said}");
    assert!(said.contains(rule), "{fault:?} is called something else than {rule:?}:\n{said}");
}

fn verdict(behaviour: impl Future<Output = ()>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(|| run(behaviour))).map_err(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap()
    })
}

catches! {
    a_change_that_other_processes_do_not_hear_of_is_caught {
        TellsNothing("revoke_all consent") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells a consent that was withdrawn";
        TellsNothing("revoke_all subject") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells a person who was cut off";
        TellsNothing("revoke_all removed") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells a person who was removed";
        TellsNothing("revoke_grant") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells a grant that was revoked";
        TellsNothing("put_client") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells a client that was added";
        TellsNothing("remove_client") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells a client that was removed";
        TellsAgain("revoke_grant") => changes_are_told_in_order_to_their_issuer,
            "`changes` does not tell a repeated revocation again";
        TellsAgain("remove_client") => changes_are_told_in_order_to_their_issuer,
            "`changes` does not tell a client that was removed before";
        MixesIssuers("changes") => changes_are_told_in_order_to_their_issuer,
            "`changes` tells each issuer its own changes only";
        ChangesAreReversed => changes_are_told_from_a_position_or_with_a_gap,
            "in the order in which it did";
        ChangesHaveNoGaps => changes_are_told_from_a_position_or_with_a_gap,
            "with a gap";
    }
    rows_that_are_kept_for_ever_are_caught {
        NeverGoes("quadrille_access_tokens") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back access tokens that `issue` put";
        NeverGoes("quadrille_families") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back families of refresh tokens";
        NeverGoes("quadrille_codes") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back authorization codes";
        NeverGoes("quadrille_tickets") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back tickets that `answer` used up";
        NeverGoes("quadrille_once") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back keys of `remember_once`";
        NeverGoes("quadrille_revoked") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back what `revoke_grant` remembers";
        NeverGoes("quadrille_pending") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back pending requests";
        NeverGoes("quadrille_token_credentials") => what_expired_is_given_back_by_sweeping,
            "`sweep` gives back token credentials";
        Keeps("*", "quadrille_access_tokens") => what_expired_is_given_back_by_storing_more,
            "access tokens that `issue` put that expired are given back as others are stored";
        Keeps("*", "quadrille_families") => what_expired_is_given_back_by_storing_more,
            "families of refresh tokens, when they `expire`, that expired are given back as others are stored";
        Keeps("*", "quadrille_codes") => what_expired_is_given_back_by_storing_more,
            "authorization codes that expired are given back as others are stored";
        Keeps("*", "quadrille_tickets") => what_expired_is_given_back_by_storing_more,
            "tickets that `answer` used up that expired are given back as others are stored";
        Keeps("*", "quadrille_once") => what_expired_is_given_back_by_storing_more,
            "keys of `remember_once` that expired are given back as others are stored";
        Keeps("*", "quadrille_revoked") => what_expired_is_given_back_by_storing_more,
            "what `revoke_grant` remembers that expired are given back as others are stored";
        Keeps("*", "quadrille_pending") => what_expired_is_given_back_by_storing_more,
            "pending requests that expired are given back as others are stored";
        Keeps("*", "quadrille_token_credentials") => what_expired_is_given_back_by_storing_more,
            "token credentials that expired are given back as others are stored";
        Keeps("rotate", "quadrille_access_tokens") => what_expired_is_given_back_by_storing_more,
            "access tokens that `rotate` put that expired are given back as others";
        Keeps("import", "quadrille_access_tokens") => what_expired_is_given_back_by_storing_more,
            "access tokens that `import` put that expired are given back as others";
        NeverGoes("quadrille_families") => a_refresh_token_that_turned_is_given_back_when_its_successor_expires,
            "`sweep` gives back a family whose refresh token turned";
        Keeps("sweep", "quadrille_once") => what_expired_is_given_back_by_sweeping,
            "says zero when there is no more";
        SweepSaysNothing => what_expired_is_given_back_by_sweeping,
            "says how many rows went";
    }
    sweeping_too_much_is_caught {
        Also("sweep", "DELETE FROM quadrille_cut") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` forgets nobody whom `revoke_all` cut off";
        Also("sweep", "DELETE FROM quadrille_cut WHERE last > 9000") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` forgets nobody who was removed";
        Also("sweep", "DELETE FROM quadrille_cut WHERE client <> ''") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` forgets no consent that was withdrawn";
        Also("issue", "DELETE FROM quadrille_cut") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` forgets nobody";
        Also("sweep", "DELETE FROM quadrille_revoked") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` leaves what `revoke_grant` remembers";
        Also("sweep", "DELETE FROM quadrille_consents") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` forgets no consent";
        Also("sweep", "DELETE FROM quadrille_clients WHERE id = 'other'") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` withdraws no consent";
        Also("sweep", "DELETE FROM quadrille_tickets") => what_expired_is_given_back_by_sweeping,
            "tickets that `answer` used up";
        SweepIsASecondEarly => what_expired_is_given_back_by_sweeping,
            "for a while after they expired";
        SweepsWithoutDelay => what_expired_is_given_back_by_sweeping,
            "that expire now or later";
        Also("rotate", "UPDATE quadrille_families SET expires = rotated + 60") => a_refresh_token_that_turned_is_given_back_when_its_successor_expires,
            "until its successor expires";
        Also("sweep", "DELETE FROM quadrille_token_credentials") => credentials_that_expired_are_given_back,
            "pending requests and token credentials that expired";
        Also("sweep", "DELETE FROM quadrille_pending") => what_expired_is_given_back_by_sweeping,
            "pending requests";
    }
    clients_that_are_mixed_up_or_leave_something_behind_are_caught {
        IssuersIgnoreASlash => an_issuer_keeps_its_number,
            "issuers that differ in a slash";
        ClientsIgnoreCase => clients_are_found_by_their_exact_id,
            "exactly this id: case and spaces count";
        ClientsIgnoreSpaces => clients_are_found_by_their_exact_id,
            "more spaces at its end";
        ClientsAreUnordered => clients_are_found_by_their_exact_id,
            "ordered by the bytes of their ids";
        MixesIssuers("client") => clients_are_found_by_their_exact_id,
            "a client of another issuer";
        MixesIssuers("remove_client") => a_client_is_replaced_and_removed,
            "removes no client of another issuer";
        PutClientOverwrites => no_change_of_a_client_undoes_another,
            "refused where";
        PutClientRevives => no_change_of_a_client_undoes_another,
            "brings no client back";
        AddClientsStopsInTheMiddle => clients_are_added_all_or_none,
            "adds none if an id is taken";
        MixesIssuers("add_clients") => clients_are_added_all_or_none,
            "the ids of another issuer";
        TellsNothing("add_clients") => clients_are_added_all_or_none,
            "tells each client that was added";
        Also("add_clients", "UPDATE quadrille_clients SET record = json_set(record, '$.name', '')") => clients_are_added_all_or_none,
            "replaces no client";
        Also("add_clients", "UPDATE quadrille_newest SET number = 0") => clients_are_added_all_or_none,
            "the number of a client that was added";
        Keeps("put_client", "quadrille_consents") => a_removed_client_takes_its_tokens_with_it,
            "a client loses with a changed `Client::number`, the consents";
        Also("put_client", "DELETE FROM quadrille_consents") => a_removed_client_takes_its_tokens_with_it,
            "with the same `Client::number` keeps, the consents";
        Also("put_client", "UPDATE quadrille_clients SET number = 1") => a_removed_client_takes_its_tokens_with_it,
            "a client loses with a changed `Client::number`, its access tokens";
        Keeps("remove_client", "quadrille_consents") => a_removed_client_takes_its_tokens_with_it,
            "`remove_client` removes the consents";
        Keeps("remove_client", "quadrille_clients") => a_removed_client_takes_its_tokens_with_it,
            "tokens of a client that was removed are dead";
        Keeps("put_client", "quadrille_token_credentials") => token_credentials_stay_revoked_for_ever,
            "a changed `Client::number` removes the client's token credentials";
        Keeps("remove_client", "quadrille_token_credentials") => token_credentials_stay_revoked_for_ever,
            "inherits none";
    }
    clients_elsewhere_that_are_mixed_up_are_caught {
        TellsNothing("know_client") => a_client_that_is_kept_elsewhere_is_known_by_its_number,
            "`changes` tells a client that `know_client` changed";
        Keeps("know_client", "quadrille_consents") => a_client_that_is_kept_elsewhere_is_known_by_its_number,
            "another number removes the client's consents";
        Also("know_client", "DELETE FROM quadrille_consents") => a_client_that_is_kept_elsewhere_is_known_by_its_number,
            "with the same number keeps the client's consents";
        Also("know_client", "UPDATE quadrille_clients SET number = 1") => a_client_that_is_kept_elsewhere_is_known_by_its_number,
            "`known_client` has the number";
        Keeps("know_client", "quadrille_token_credentials") => a_client_that_is_gone_elsewhere_loses_its_grants,
            "token credentials for ever";
        Keeps("know_client", "quadrille_clients") => a_client_that_is_gone_elsewhere_loses_its_grants,
            "a client that is gone are dead";
    }
    answers_and_consents_that_go_wrong_are_caught {
        DenialsLoseTheConsent => a_removed_client_takes_its_tokens_with_it,
            "a denial may carry a consent";
        DenialsLoseTheConsent => a_consent_is_of_one_person_to_one_client,
            "also with a denial";
        DenialsOfRequestsLoseTheConsent => a_pending_request_is_answered_once,
            "a denial of a pending request may carry a consent";
        DeadApprovalsLeaveAConsent => a_person_is_cut_off_from_what_is_under_way,
            "`answer` remembers none with what is dead";
        ConsentsAreReplacedWhole => a_consent_changes_only_what_was_asked_about,
            "all that the page did not ask about";
        UntickedScopesStay => a_consent_changes_only_what_was_asked_about,
            "was not granted";
        ConsentsIgnoreResources => a_consent_is_for_certain_apis,
            "exactly the APIs";
        ConsentsIgnoreCase => a_consent_is_of_one_person_to_one_client,
            "exactly this person and client";
        MixesIssuers("consent") => a_consent_is_of_one_person_to_one_client,
            "a consent of another issuer";
        Also("issue", "DELETE FROM quadrille_grants WHERE grant_id = 560") => the_live_grants_of_a_person_are_listed,
            "`grants` lists the grants of exactly this person";
        Keeps("revoke_all", "quadrille_consents") => a_person_withdraws_one_consent,
            "`revoke_all` of a consent forgets it";
        Also("revoke_all", "DELETE FROM quadrille_consents") => a_person_withdraws_one_consent,
            "forgets no other";
        AnswerCountsTwice => a_page_is_answered_once,
            "gives the code of then";
        AnswerCountsTwice => one_of_many_answers_a_page,
            "one is the first";
        MixesIssuers("answer") => a_page_is_answered_once,
            "new to another";
        First("answer", "DELETE FROM quadrille_tickets") => a_page_is_answered_once,
            "gives the code of then";
    }
    codes_and_tokens_that_go_wrong_are_caught {
        Also("put_code", "UPDATE quadrille_codes SET redirect_uri = coalesce(redirect_uri, '')") => a_code_comes_back_as_it_was_put,
            "absent, not empty";
        MixesIssuers("code") => a_code_comes_back_as_it_was_put,
            "a code of another issuer";
        MixesIssuers("redeem") => a_code_is_redeemed_once,
            "redeems no code of another issuer";
        ReplayNamesNoGrant => a_code_is_redeemed_once,
            "the grant to be revoked";
        ReplayIssues => a_code_is_redeemed_once,
            "refused writes nothing";
        Also("redeem", "DELETE FROM quadrille_families") => a_code_is_redeemed_once,
            "`redeem` puts the family";
        Also("redeem", "UPDATE quadrille_codes SET redeemed = 1") => a_code_of_a_revoked_grant_buys_nothing,
            "does not mark the code";
        RedeemIsNotAtomic => one_of_many_redeems_a_code,
            "one issues";
        HashIsNotCompared => an_access_token_needs_its_own_hash_row_and_issuer,
            "compares the whole hash";
        MixesIssuers("access") => an_access_token_needs_its_own_hash_row_and_issuer,
            "a token of another issuer";
        Also("issue", "UPDATE quadrille_access_tokens SET auth = NULL") => an_access_token_comes_back_as_it_was_issued,
            "as `issue` put it";
        Also("issue", "UPDATE quadrille_access_tokens SET exchange = NULL") => an_access_token_comes_back_as_it_was_issued,
            "gives back the exchange";
        ImportKeepsTheOld => a_token_that_others_made_is_found_by_its_hash,
            "replaces a token with the same hash";
        IssueBeginsLate => a_dropped_future_leaves_all_or_nothing,
            "runs to its end";
        IssueIsTwoWrites => a_dropped_future_leaves_all_or_nothing,
            "the access token and the family, or neither";
        RotateIssuesTwice => a_refresh_token_turns_only_as_it_was_read,
            "of another generation";
        RotateIssuesTwice => one_of_many_turns_a_refresh_token,
            "one turns it";
        RotateIgnoresTheSecret => a_refresh_token_turns_only_as_it_was_read,
            "another secret than was presented";
        RotateAlwaysTurns => a_refresh_token_turns_only_as_it_was_read,
            "without a successor keeps the token";
        RotateKeepsTheExpiry => a_refresh_token_turns_only_as_it_was_read,
            "without a successor keeps the token, and moves its expiry";
        MixesIssuers("rotate") => a_refresh_token_turns_only_as_it_was_read,
            "of another issuer";
        MixesIssuers("family") => a_refresh_token_turns_only_as_it_was_read,
            "a family of another issuer";
        Also("rotate", "UPDATE quadrille_families SET previous = NULL") => a_refresh_token_turns_only_as_it_was_read,
            "the secret before it";
        Also("rotate", "DELETE FROM quadrille_access_tokens") => a_refresh_token_turns_only_as_it_was_read,
            "puts the access token";
    }
    revocations_that_go_wrong_are_caught {
        RevokeGrantSaysYesTwice => a_grant_is_revoked_once_and_with_all_it_gave,
            "says whether this call revoked";
        RevokeGrantSaysYesTwice => one_of_many_is_told_that_it_did_it,
            "one is told that it revoked";
        MixesIssuers("revoke_grant") => a_grant_is_revoked_once_and_with_all_it_gave,
            "ends nothing of another issuer";
        First("issue", "DELETE FROM quadrille_revoked") => a_grant_can_be_revoked_before_anything_is_issued,
            "`issue` says that a grant was revoked before";
        IssueSaysYes => a_grant_can_be_revoked_before_anything_is_issued,
            "`issue` says that a grant was revoked before";
        IssueStoresTheDead => a_client_that_is_kept_elsewhere_is_known_by_its_number,
            "so its row is free";
        Also("revoke_all", "UPDATE quadrille_cut SET last = 9000") => a_person_is_cut_off_from_what_was_granted_so_far,
            "up to the number";
        Also("revoke_all", "INSERT OR IGNORE INTO quadrille_cut SELECT issuer, 'uAlice', client, last FROM quadrille_cut") => a_person_is_cut_off_from_what_was_granted_so_far,
            "exactly this person";
        First("revoke_all", "DELETE FROM quadrille_cut") => a_person_is_cut_off_from_what_was_granted_so_far,
            "brings nothing back";
        MixesIssuers("revoke_all") => a_person_is_cut_off_from_what_was_granted_so_far,
            "nothing of another issuer";
        Also("put_code", "DELETE FROM quadrille_cut") => a_person_is_cut_off_from_what_is_under_way,
            "ends also what is stored later";
        SubjectsAreRemovedForEver => a_subject_that_is_given_again_begins_anew,
            "whose subject is given again";
        First("revoke_all", "DELETE FROM quadrille_removed") => a_subject_that_is_given_again_begins_anew,
            "a removal with a lesser number";
        Also("revoke_all", "INSERT OR IGNORE INTO quadrille_removed SELECT issuer, substr(actor, 2), last FROM quadrille_cut") => a_subject_that_is_given_again_begins_anew,
            "is no removal";
        Also("revoke_all", "INSERT OR IGNORE INTO quadrille_removed SELECT issuer, 'bob', last FROM quadrille_removed") => a_subject_that_is_given_again_begins_anew,
            "of exactly this person";
        Also("revoke_all", "DELETE FROM quadrille_removed") => a_subject_that_is_given_again_begins_anew,
            "the number of the removal";
        MixesIssuers("subject_since") => a_subject_that_is_given_again_begins_anew,
            "is that of its issuer";
        Also("sweep", "DELETE FROM quadrille_removed") => sweeping_forgets_no_revocation_that_still_counts,
            "forgets no removal";
        Keeps("revoke_grant", "quadrille_token_credentials") => token_credentials_stay_revoked_for_ever,
            "are removed by `revoke_grant`";
    }
    keys_and_numbers_that_go_wrong_are_caught {
        SpacesAreOne => a_key_is_remembered_once_until_it_expires,
            "new in another";
        MixesIssuers("remember_once") => a_key_is_remembered_once_until_it_expires,
            "new to another";
        KeysAreKnownForEver => a_key_is_remembered_once_until_it_expires,
            "swept or not";
        Also("sweep", "DELETE FROM quadrille_once") => a_key_is_remembered_once_until_it_expires,
            "until it expires";
        Also("put_client", "INSERT OR REPLACE INTO quadrille_known_since VALUES (1, 9000000000000)") => keys_are_known_since_before_the_first_one,
            "after the making of a store";
        Also("remember_once", "INSERT OR REPLACE INTO quadrille_known_since VALUES (1, 1)") => keys_are_known_since_before_the_first_one,
            "stays while nothing is lost";
        Also("put_client", "INSERT OR REPLACE INTO quadrille_known_since VALUES (1, 9000000000000)") => answers_are_known_since_before_the_first_one,
            "after the making of a store";
        Also("answer", "INSERT OR REPLACE INTO quadrille_known_since VALUES (1, 1)") => answers_are_known_since_before_the_first_one,
            "stays while nothing is lost";
        SweepsWithoutDelay => a_key_outlives_a_clock_that_was_ahead,
            "ahead by an hour";
        Also("sweep", "DELETE FROM quadrille_swept") => a_key_outlives_a_clock_that_was_ahead,
            "had keys removed";
        Also("remember_once", "INSERT OR REPLACE INTO quadrille_swept VALUES (1, 1900000000)") => a_key_outlives_a_clock_that_was_ahead,
            "stays after a clock that was ahead by an hour";
        RememberIsNotAtomic => one_of_many_is_told_that_it_did_it,
            "told that it is new";
        LeasesAreShared => no_two_hold_the_same_worker_number,
            "the same number";
        LeasesAreShared => all_of_many_get_different_worker_numbers,
            "the same number";
        RenewalIgnoresTheHolder => no_two_hold_the_same_worker_number,
            "for nobody but its holder";
        LeaseForgetsTheTimeBefore => no_two_hold_the_same_worker_number,
            "`not_before`";
        Also("put_client", "UPDATE quadrille_newest SET number = 0") => the_newest_number_is_known_for_ever,
            "the number of a client";
        Also("remove_client", "UPDATE quadrille_newest SET number = 0") => the_newest_number_is_known_for_ever,
            "also one that was removed";
        Also("sweep", "UPDATE quadrille_newest SET number = 0") => the_newest_number_is_known_for_ever,
            "`newest` counts up to where something was revoked, also after a sweep";
        Also("revoke_all", "UPDATE quadrille_newest SET number = 0") => the_newest_number_is_known_for_ever,
            "up to where something was revoked";
    }
}

mod beyond;
mod moving;
mod pending;
mod registration;
