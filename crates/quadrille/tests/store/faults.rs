//! Faults planted in a store that passes, one at a time: the contract catches each, and its message
//! names the rule.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Env, Scopes, Timestamp,
    oauth2::Resources,
    provider::{
        Client,
        store::{
            AccessRecord, Admission, Admitted, Answer, Answered, Bought, Changes, Clients,
            CodeRecord, Consent, CredentialRecord, FamilyRecord, Grants, InitialTokenRecord, Issue,
            IssuerId, Issuers, LiveGrant, OnceKeys, Outcome, Part, PendingRecord, PendingRef,
            Redeemed, Registrations, RevokeAll, Rotated, Rotation, RowId, SecretHash, SqliteStore,
            StoreError, TokenRef, UnusedClient, Worker,
        },
    },
    testing::{
        ManualClock,
        contract::{
            access::*, clients::*, codes::*, consents::*, issuers::*, keys::*, known::*, oauth1::*,
            pending::*, races::*, refresh::*, registration::*, revoking::*, rows::*, run,
            sweeping::*,
        },
    },
};
use tempfile::{TempDir, tempdir, tempdir_in};

use crate::world::open;

type Stored<T> = Result<T, StoreError>;

/// What is wrong with a store. Verbs go by their names; `*` is every verb that writes but `sweep`.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// No row of this table goes by this verb.
    Keeps(&'static str, &'static str),
    /// No row of this table ever goes.
    NeverGoes(&'static str),
    /// The verb does this as well.
    Also(&'static str, &'static str),
    /// The verb does this first.
    First(&'static str, &'static str),
    /// The verb tells no change.
    TellsNothing(&'static str),
    /// The verb tells the last change again when it did nothing.
    TellsAgain(&'static str),
    /// The verb takes all issuers for the first.
    MixesIssuers(&'static str),
    IssuersIgnoreASlash,
    ClientsIgnoreCase,
    ClientsIgnoreSpaces,
    ClientsAreUnordered,
    PutClientOverwrites,
    PutClientRevives,
    AddClientsStopsInTheMiddle,
    AdmitIsNotAtomic,
    HashIsNotCompared,
    ImportKeepsTheOld,
    AdmitComparesOnlyTheNumber,
    AdmitComparesOnlyTheId,
    RotateAlwaysTurns,
    RotateKeepsTheExpiry,
    RevokeGrantSaysYesTwice,
    SpacesAreOne,
    KeysAreKnownForEver,
    DenialsLoseTheConsent,
    DenialsOfRequestsLoseTheConsent,
    DeadApprovalsLeaveAConsent,
    UntickedScopesStay,
    ConsentsAreReplacedWhole,
    ConsentsIgnoreResources,
    ConsentsIgnoreCase,
    RedeemIsNotAtomic,
    RememberIsNotAtomic,
    ReplayNamesNoGrant,
    ReplayIssues,
    PendingIsFoundByAnyHash,
    PendingIsFoundByAnyUserCode,
    PutPendingOverwrites,
    PutPendingSaysYes,
    ApprovalIsNotAtomic,
    RedeemPendingIsNotAtomic,
    LosersStoreTheirs,
    RotateIssuesTwice,
    RotateIgnoresTheSecret,
    AnswerCountsTwice,
    ChangesAreReversed,
    ChangesHaveNoGaps,
    SweepSaysNothing,
    SweepIsASecondEarly,
    LeasesAreShared,
    RenewalIgnoresTheHolder,
    LeaseForgetsTheTimeBefore,
    IssueBeginsLate,
    IssueIsTwoWrites,
}

use Fault::{
    AddClientsStopsInTheMiddle, AdmitComparesOnlyTheId, AdmitComparesOnlyTheNumber,
    AdmitIsNotAtomic, Also, AnswerCountsTwice, ApprovalIsNotAtomic, ChangesAreReversed,
    ChangesHaveNoGaps, ClientsAreUnordered, ClientsIgnoreCase, ClientsIgnoreSpaces,
    ConsentsAreReplacedWhole, ConsentsIgnoreCase, ConsentsIgnoreResources,
    DeadApprovalsLeaveAConsent, DenialsLoseTheConsent, DenialsOfRequestsLoseTheConsent, First,
    HashIsNotCompared, ImportKeepsTheOld, IssueBeginsLate, IssueIsTwoWrites, IssuersIgnoreASlash,
    Keeps, KeysAreKnownForEver, LeaseForgetsTheTimeBefore, LeasesAreShared, LosersStoreTheirs,
    MixesIssuers, NeverGoes, PendingIsFoundByAnyHash, PendingIsFoundByAnyUserCode,
    PutClientOverwrites, PutClientRevives, PutPendingOverwrites, PutPendingSaysYes,
    RedeemIsNotAtomic, RedeemPendingIsNotAtomic, RememberIsNotAtomic, RenewalIgnoresTheHolder,
    ReplayIssues, ReplayNamesNoGrant, RevokeGrantSaysYesTwice, RotateAlwaysTurns,
    RotateIgnoresTheSecret, RotateIssuesTwice, RotateKeepsTheExpiry, SpacesAreOne,
    SweepIsASecondEarly, SweepSaysNothing, TellsAgain, TellsNothing, UntickedScopesStay,
};

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
        Also("sweep", "DELETE FROM quadrille_cut WHERE last > 1000000") => sweeping_forgets_no_revocation_that_still_counts,
            "`sweep` forgets nobody who was removed for ever";
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
        DeadApprovalsLeaveAConsent => a_person_who_is_removed_is_cut_off_for_ever,
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
        Also("issue", "DELETE FROM quadrille_revoked") => a_grant_can_be_revoked_before_anything_is_issued,
            "revoked before is dead";
        Also("revoke_all", "UPDATE quadrille_cut SET last = 9000") => a_person_is_cut_off_from_what_was_granted_so_far,
            "up to the number";
        Also("revoke_all", "INSERT OR IGNORE INTO quadrille_cut SELECT issuer, 'uAlice', client, last FROM quadrille_cut") => a_person_is_cut_off_from_what_was_granted_so_far,
            "exactly this person";
        First("revoke_all", "DELETE FROM quadrille_cut") => a_person_is_cut_off_from_what_was_granted_so_far,
            "brings nothing back";
        MixesIssuers("revoke_all") => a_person_is_cut_off_from_what_was_granted_so_far,
            "nothing of another issuer";
        Also("put_code", "DELETE FROM quadrille_cut") => a_person_who_is_removed_is_cut_off_for_ever,
            "ends also what is granted later";
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
        Also("revoke_all", "UPDATE quadrille_newest SET number = 0") => the_newest_number_is_known_for_ever,
            "up to where something was revoked";
    }
    pending_requests_that_are_found_wrongly_are_caught {
        MixesIssuers("pending") => a_pending_request_comes_back_as_it_was_put,
            "a request of another issuer";
        MixesIssuers("pending") => a_pending_request_is_found_by_a_foreign_identifier_and_by_its_user_code,
            "a request of another issuer";
        PendingIsFoundByAnyHash => a_pending_request_comes_back_as_it_was_put,
            "compares the whole identifier";
        PendingIsFoundByAnyUserCode => a_pending_request_comes_back_as_it_was_put,
            "by a user code only what has it";
        Also("put_pending", "UPDATE quadrille_pending SET kind = replace(kind, ':\"00', ':\"01')") => a_pending_request_comes_back_as_it_was_put,
            "as it was put";
        Also("put_pending", "UPDATE quadrille_pending SET resources = asked_resources") => a_pending_request_comes_back_as_it_was_put,
            "as it was put";
        Also("put_pending", "UPDATE quadrille_pending SET proof = zeroblob(32) WHERE proof IS NULL") => a_pending_request_comes_back_as_it_was_put,
            "as it was put";
        Also("put_pending", "UPDATE quadrille_pending SET user_code = NULL") => a_user_code_leads_to_one_request,
            "where another request has the user code";
        PutPendingOverwrites => a_user_code_leads_to_one_request,
            "where another request has the user code";
        PutPendingSaysYes => a_user_code_leads_to_one_request,
            "where another request has the user code";
        PutPendingSaysYes => one_of_many_puts_a_user_code,
            "one puts a request";
    }
    pending_requests_that_are_answered_or_redeemed_wrongly_are_caught {
        First("answer", "UPDATE quadrille_pending SET state = 0 WHERE state = 1") => a_pending_request_is_answered_once,
            "gives that of then";
        First("answer", "UPDATE quadrille_pending SET state = 0 WHERE state = 3") => a_pending_request_is_answered_once,
            "denied stays so";
        MixesIssuers("answer") => a_pending_request_is_answered_once,
            "no pending request of another issuer";
        Also("answer", "DELETE FROM quadrille_consents") => a_pending_request_is_answered_once,
            "the consent that goes with a pending request";
        ApprovalIsNotAtomic => one_of_many_answers_a_pending_request,
            "one is the first";
        First("redeem_pending", "UPDATE quadrille_pending SET state = 1 WHERE state = 2") => a_pending_request_is_redeemed_once,
            "the grant to be revoked";
        First("redeem_pending", "UPDATE quadrille_pending SET state = 1 WHERE state = 2") => one_of_many_redeems_a_pending_request,
            "one issues";
        RedeemPendingIsNotAtomic => one_of_many_redeems_a_pending_request,
            "one issues";
        First("redeem_pending", "UPDATE quadrille_pending SET state = 1, proof = identifier, grant_id = 201, actor = 'ualice', scopes = '', resources = '' WHERE state = 0") => a_pending_request_is_redeemed_once,
            "nobody approved";
        LosersStoreTheirs => a_pending_request_is_redeemed_once,
            "refused stores nothing";
        LosersStoreTheirs => one_of_many_redeems_a_pending_request,
            "one stores a token";
        ReplayNamesNoGrant => a_pending_request_is_redeemed_once,
            "the grant to be revoked";
        MixesIssuers("redeem_pending") => a_pending_request_is_redeemed_once,
            "no request of another issuer";
        Also("redeem_pending", "DELETE FROM quadrille_families") => a_pending_request_is_redeemed_once,
            "stores what the request buys";
        Also("redeem_pending", "DELETE FROM quadrille_pending WHERE state = 2") => a_pending_request_is_redeemed_once,
            "still shows it";
        First("redeem_pending", "DELETE FROM quadrille_revoked") => a_pending_request_of_a_revoked_grant_buys_nothing,
            "a grant that was revoked";
        Also("redeem_pending", "UPDATE quadrille_pending SET state = 2 WHERE state = 1") => a_pending_request_of_a_revoked_grant_buys_nothing,
            "does not mark the request";
    }
    registrations_that_go_wrong_are_caught {
        MixesIssuers("initial_token") => an_initial_token_comes_back_as_it_was_put,
            "a token of another issuer";
        MixesIssuers("initial_tokens") => an_initial_token_comes_back_as_it_was_put,
            "all tokens of this issuer";
        MixesIssuers("remove_initial_token") => an_initial_token_comes_back_as_it_was_put,
            "removes no token of another issuer";
        Also("put_initial_token", "UPDATE quadrille_initial_tokens SET uses = 1") => an_initial_token_comes_back_as_it_was_put,
            "as it was put";
        MixesIssuers("admit") => a_client_is_admitted_once_for_each_use,
            "no token of another issuer";
        First("admit", "UPDATE quadrille_initial_tokens SET uses = uses - 1 WHERE uses > 1") => a_client_is_admitted_once_for_each_use,
            "takes no use of the token";
        Also("admit", "UPDATE quadrille_initial_tokens SET uses = 2") => a_client_is_admitted_once_for_each_use,
            "takes one use of the token";
        Keeps("admit", "quadrille_initial_tokens") => a_client_is_admitted_once_for_each_use,
            "removes a token without further uses";
        TellsNothing("admit") => a_client_is_admitted_once_for_each_use,
            "`changes` tells a client that was admitted";
        AdmitIsNotAtomic => one_of_many_is_admitted_by_a_token,
            "one registers";
        MixesIssuers("unused_clients") => unused_clients_are_told_until_they_are_used,
            "the clients of this issuer";
        Keeps("put_client", "quadrille_unused_clients") => unused_clients_are_told_until_they_are_used,
            "whose record says that it was used";
        Also("admit", "UPDATE quadrille_unused_clients SET number = -number") => unused_clients_are_told_until_they_are_used,
            "by number";
        Keeps("admit", "quadrille_clients") => a_client_is_admitted_instead_of_others,
            "still unused";
        Also("admit", "DELETE FROM quadrille_clients WHERE id = 'used'") => a_client_is_admitted_instead_of_others,
            "used since it was loaded";
        AdmitComparesOnlyTheNumber => a_client_is_admitted_instead_of_others,
            "whose time has changed";
        AdmitComparesOnlyTheId => a_client_is_admitted_instead_of_others,
            "registered since the other of its id";
        Keeps("admit", "quadrille_consents") => a_client_is_admitted_instead_of_others,
            "tokens and consents";
        Keeps("sweep", "quadrille_clients") => unused_clients_and_tokens_that_expired_are_swept,
            "not used in time";
        Also("sweep", "DELETE FROM quadrille_clients WHERE id = 'now'") => unused_clients_and_tokens_that_expired_are_swept,
            "no client that need not be used before now";
        NeverGoes("quadrille_initial_tokens") => unused_clients_and_tokens_that_expired_are_swept,
            "an initial access token that expired";
    }
    token_credentials_that_go_wrong_are_caught {
        MixesIssuers("credential") => token_credentials_come_back_as_they_were_bought,
            "of another issuer";
        Also("redeem_pending", "UPDATE quadrille_token_credentials SET secret = x'00'") => token_credentials_come_back_as_they_were_bought,
            "as `redeem_pending` stored them";
        Also("redeem_pending", "UPDATE quadrille_token_credentials SET is_foreign = 0") => token_credentials_with_a_foreign_identifier_are_found_by_its_hash,
            "by its hash";
    }
}

/// A store that is right but for one thing.
struct Faulty {
    inner: SqliteStore,
    fault: Fault,
    /// How many have looked before they write.
    looked: AtomicUsize,
}

impl Faulty {
    fn new(fault: Fault, env: Env) -> (Self, TempDir) {
        // What counts here is not that it is durable.
        let memory = Path::new("/dev/shm");
        let folder = if memory.is_dir() { tempdir_in(memory) } else { tempdir() }.unwrap();
        let inner = open(folder.path(), env);
        if let NeverGoes(table) = fault {
            let path = folder.path().join("quadrille.db");
            let trigger = format!(
                "CREATE TRIGGER never BEFORE DELETE ON {table} BEGIN SELECT RAISE(IGNORE); END"
            );
            rusqlite::Connection::open(path).unwrap().execute_batch(&trigger).unwrap();
        }
        (Self { inner, fault, looked: AtomicUsize::new(0) }, folder)
    }

    async fn sql(&self, sql: impl Into<String>) -> Stored<()> {
        let sql = sql.into();
        self.inner.write(move |tx| Ok(tx.execute_batch(&sql)?)).await
    }

    /// So that two of those who race look before either writes, however slow the machine is.
    async fn until_another_looks_too(&self) {
        self.looked.fetch_add(1, Ordering::SeqCst);
        for _ in 0..2000 {
            if self.looked.load(Ordering::SeqCst) > 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    /// One number.
    async fn number(&self, sql: &'static str) -> Stored<i64> {
        self.inner.read(|db| Ok(db.query_row(sql, [], |row| row.get(0))?)).await
    }

    /// The state of a pending request.
    async fn state(&self, row: RowId) -> Stored<i64> {
        let sql = "SELECT state FROM quadrille_pending WHERE row = ?1";
        self.inner.read(|db| Ok(db.query_row(sql, [row.0], |row| row.get(0))?)).await
    }

    fn is(&self, fault: Fault) -> bool {
        self.fault == fault
    }

    fn issuer(&self, verb: &str, issuer: IssuerId) -> IssuerId {
        if matches!(self.fault, MixesIssuers(mixed) if mixed == verb) {
            IssuerId(1)
        } else {
            issuer
        }
    }

    /// Does what the fault does before and after the verb.
    async fn around<T>(&self, verb: &str, done: impl Future<Output = Stored<T>>) -> Stored<T> {
        let is_meant = |faulty: &str| faulty == verb || (faulty == "*" && verb != "sweep");
        match self.fault {
            Keeps(faulty, table) if is_meant(faulty) => {
                self.sql(format!("CREATE TABLE kept AS SELECT * FROM {table}")).await?;
                let done = done.await;
                let back =
                    format!("INSERT OR IGNORE INTO {table} SELECT * FROM kept; DROP TABLE kept");
                self.sql(back).await?;
                done
            }
            First(faulty, sql) if is_meant(faulty) => {
                self.sql(sql).await?;
                done.await
            }
            Also(faulty, sql) if is_meant(faulty) => {
                let done = done.await;
                self.sql(sql).await?;
                done
            }
            TellsNothing(faulty) | TellsAgain(faulty) if is_meant(faulty) => {
                let newest = "SELECT coalesce(max(position), 0) FROM quadrille_changes";
                let before = self.number(newest).await?;
                let done = done.await;
                let has_told = self.number(newest).await? > before;
                match self.fault {
                    TellsNothing(_) if has_told => {
                        let newest = "(SELECT max(position) FROM quadrille_changes)";
                        self.sql(format!(
                            "DELETE FROM quadrille_changes WHERE position = {newest}"
                        ))
                        .await?;
                    }
                    TellsAgain(_) if !has_told => {
                        let again = "INSERT INTO quadrille_changes (issuer, change) SELECT issuer,
                            change FROM quadrille_changes ORDER BY position DESC LIMIT 1";
                        self.sql(again).await?;
                    }
                    _ => {}
                }
                done
            }
            _ => done.await,
        }
    }
}

/// A ticket beside this one.
fn beside(answer: &Answer) -> Answer {
    let mut beside = answer.clone();
    if let Outcome::Ticket(used, code) = &mut beside.outcome {
        used.ticket[15] ^= 0x80;
        *code = None;
    }
    beside
}

impl Part for Faulty {
    async fn newest(&self) -> Stored<RowId> {
        self.inner.newest().await
    }

    async fn changes(&self, issuer: IssuerId, position: i64) -> Stored<Changes> {
        let mut told = self.inner.changes(self.issuer("changes", issuer), position).await?;
        if self.is(ChangesAreReversed) {
            told.changes.reverse();
        }
        if self.is(ChangesHaveNoGaps) {
            told.gap = false;
        }
        Ok(told)
    }

    async fn sweep(&self, now: Timestamp) -> Stored<u64> {
        let early = Duration::from_secs(self.is(SweepIsASecondEarly).into());
        let gone = self.around("sweep", self.inner.sweep(now + early)).await?;
        Ok(if self.is(SweepSaysNothing) { 0 } else { gone })
    }
}

impl Issuers for Faulty {
    async fn issuer(&self, issuer: &str) -> Stored<IssuerId> {
        let issuer =
            if self.is(IssuersIgnoreASlash) { issuer.trim_end_matches('/') } else { issuer };
        self.inner.issuer(issuer).await
    }

    async fn lease(
        &self,
        renew: Option<Worker>,
        holder: [u8; 16],
        now: Timestamp,
        expires: Timestamp,
    ) -> Stored<Worker> {
        if let (Some(renew), true) = (renew, self.is(RenewalIgnoresTheHolder)) {
            return Ok(Worker { holder, expires, ..renew });
        }
        let mut worker = self.inner.lease(renew, holder, now, expires).await?;
        if self.is(LeasesAreShared) {
            worker.number = 0;
        }
        if self.is(LeaseForgetsTheTimeBefore) {
            worker.not_before = Timestamp::default();
        }
        Ok(worker)
    }
}

impl Clients for Faulty {
    async fn client(&self, issuer: IssuerId, id: &str) -> Stored<Option<Arc<Client>>> {
        let issuer = self.issuer("client", issuer);
        let found = self.inner.client(issuer, id).await?;
        if self.is(ClientsIgnoreCase) {
            let all = self.inner.clients(issuer).await?;
            return Ok(all.into_iter().find(|client| client.id.eq_ignore_ascii_case(id)));
        }
        if self.is(ClientsIgnoreSpaces) && found.is_none() {
            return self.inner.client(issuer, id.trim_end()).await;
        }
        Ok(found)
    }

    async fn clients(&self, issuer: IssuerId) -> Stored<Vec<Arc<Client>>> {
        let mut clients = self.inner.clients(issuer).await?;
        if self.is(ClientsAreUnordered) {
            clients.reverse();
        }
        Ok(clients)
    }

    async fn put_client(
        &self,
        issuer: IssuerId,
        client: Client,
        mut before: Option<Arc<Client>>,
    ) -> Stored<bool> {
        let held = self.inner.client(issuer, &client.id).await?;
        if self.is(PutClientOverwrites) || (self.is(PutClientRevives) && held.is_none()) {
            before = held;
        }
        self.around("put_client", self.inner.put_client(issuer, client, before)).await
    }

    async fn add_clients(
        &self,
        issuer: IssuerId,
        clients: Vec<Client>,
    ) -> Stored<Option<Arc<str>>> {
        let issuer = self.issuer("add_clients", issuer);
        if self.is(AddClientsStopsInTheMiddle) {
            for client in clients {
                let id = Arc::clone(&client.id);
                if !self.inner.put_client(issuer, client, None).await? {
                    return Ok(Some(id));
                }
            }
            return Ok(None);
        }
        self.around("add_clients", self.inner.add_clients(issuer, clients)).await
    }

    async fn remove_client(&self, issuer: IssuerId, id: &str) -> Stored<bool> {
        let issuer = self.issuer("remove_client", issuer);
        self.around("remove_client", self.inner.remove_client(issuer, id)).await
    }
}

impl Registrations for Faulty {
    async fn unused_clients(&self, issuer: IssuerId) -> Stored<Vec<UnusedClient>> {
        self.inner.unused_clients(self.issuer("unused_clients", issuer)).await
    }

    async fn admit(&self, issuer: IssuerId, mut admission: Admission) -> Stored<Admitted> {
        let issuer = self.issuer("admit", issuer);
        for held in self.inner.unused_clients(issuer).await? {
            for other in admission.instead_of.iter_mut().filter(|other| other.id == held.id) {
                let is_same = other.number == held.number;
                if self.is(AdmitComparesOnlyTheNumber) && is_same
                    || self.is(AdmitComparesOnlyTheId) && !is_same
                {
                    *other = held.clone();
                }
            }
        }
        if self.is(AdmitIsNotAtomic) {
            let hash = admission.token.unwrap();
            let found = self.inner.initial_token(issuer, &hash).await?;
            self.until_another_looks_too().await;
            let Some(found) = found else { return Ok(Admitted::TokenSpent) };
            self.inner.remove_initial_token(issuer, found.row).await?;
            self.inner.put_client(issuer, admission.client, None).await?;
            return Ok(Admitted::Registered);
        }
        self.around("admit", self.inner.admit(issuer, admission)).await
    }

    async fn put_initial_token(&self, issuer: IssuerId, token: InitialTokenRecord) -> Stored<()> {
        self.around("put_initial_token", self.inner.put_initial_token(issuer, token)).await
    }

    async fn initial_token(
        &self,
        issuer: IssuerId,
        hash: &SecretHash,
    ) -> Stored<Option<InitialTokenRecord>> {
        self.inner.initial_token(self.issuer("initial_token", issuer), hash).await
    }

    async fn initial_tokens(&self, issuer: IssuerId) -> Stored<Vec<InitialTokenRecord>> {
        self.inner.initial_tokens(self.issuer("initial_tokens", issuer)).await
    }

    async fn remove_initial_token(&self, issuer: IssuerId, row: RowId) -> Stored<bool> {
        let issuer = self.issuer("remove_initial_token", issuer);
        self.around("remove_initial_token", self.inner.remove_initial_token(issuer, row)).await
    }
}

impl Grants for Faulty {
    async fn known_client(&self, issuer: IssuerId, id: &str) -> Stored<Option<RowId>> {
        self.inner.known_client(self.issuer("known_client", issuer), id).await
    }

    async fn know_client(&self, issuer: IssuerId, number: Option<RowId>, id: &str) -> Stored<bool> {
        self.around("know_client", self.inner.know_client(issuer, number, id)).await
    }

    async fn answer(&self, issuer: IssuerId, mut answer: Answer) -> Stored<Answered> {
        let issuer = self.issuer("answer", issuer);
        let loses = match answer.outcome {
            Outcome::Ticket(_, None) => self.is(DenialsLoseTheConsent),
            Outcome::Pending(_, None) => self.is(DenialsOfRequestsLoseTheConsent),
            _ => false,
        };
        if loses {
            answer.consent = None;
        }
        if self.is(ConsentsAreReplacedWhole) {
            answer.asked = Scopes::of(["photos", "profile", "albums"]);
        }
        if self.is(UntickedScopesStay) {
            answer.asked = answer.consent.as_ref().unwrap().scopes.clone();
        }
        let is_late = match answer.outcome {
            Outcome::Pending(row, _) if self.is(ApprovalIsNotAtomic) => {
                let state = self.state(row).await?;
                self.until_another_looks_too().await;
                state == 0
            }
            _ => false,
        };
        let beside = beside(&answer);
        let answered = self.around("answer", self.inner.answer(issuer, answer)).await?;
        if self.is(DeadApprovalsLeaveAConsent) {
            self.inner.answer(issuer, beside).await?;
        }
        match answered {
            Answered::Code(_) if self.is(AnswerCountsTwice) => Ok(Answered::First),
            Answered::Pending(_) | Answered::Denied if is_late => Ok(Answered::First),
            answered => Ok(answered),
        }
    }

    async fn put_code(&self, issuer: IssuerId, code: CodeRecord) -> Stored<()> {
        self.around("put_code", self.inner.put_code(issuer, code)).await
    }

    async fn code(&self, issuer: IssuerId, row: RowId) -> Stored<Option<Arc<CodeRecord>>> {
        self.inner.code(self.issuer("code", issuer), row).await
    }

    async fn redeem(&self, issuer: IssuerId, code: RowId, issue: Issue) -> Stored<Redeemed> {
        let issuer = self.issuer("redeem", issuer);
        if self.is(RedeemIsNotAtomic) {
            let found = self.inner.code(issuer, code).await?.unwrap();
            self.until_another_looks_too().await;
            if found.redeemed {
                return Ok(Redeemed::Replayed(found.grant.id));
            }
            self.sql("UPDATE quadrille_codes SET redeemed = 1").await?;
            self.inner.issue(issuer, issue).await?;
            return Ok(Redeemed::Issued);
        }
        let again = issue.clone();
        let redeemed = self.around("redeem", self.inner.redeem(issuer, code, issue)).await?;
        match redeemed {
            Redeemed::Replayed(_) if self.is(ReplayNamesNoGrant) => Ok(Redeemed::Unknown),
            Redeemed::Replayed(grant) if self.is(ReplayIssues) => {
                self.inner.issue(issuer, again).await?;
                Ok(Redeemed::Replayed(grant))
            }
            redeemed => Ok(redeemed),
        }
    }

    async fn issue(&self, issuer: IssuerId, issue: Issue) -> Stored<()> {
        if self.is(IssueBeginsLate) {
            tokio::task::yield_now().await;
        }
        if self.is(IssueIsTwoWrites) {
            let access = issue.access.clone();
            self.inner.issue(issuer, Issue { access, family: None }).await?;
            // However quick the first write is, the second comes later.
            tokio::task::yield_now().await;
            let mut rest = issue;
            rest.access.row = RowId(rest.access.row.0 + 500_000);
            return self.inner.issue(issuer, rest).await;
        }
        self.around("issue", self.inner.issue(issuer, issue)).await
    }

    async fn import(&self, issuer: IssuerId, access: AccessRecord) -> Stored<()> {
        let known = TokenRef::Foreign { hash: access.hash };
        if self.is(ImportKeepsTheOld) && self.inner.access(issuer, &known).await?.is_some() {
            return Ok(());
        }
        self.around("import", self.inner.import(issuer, access)).await
    }

    async fn access(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Stored<Option<Arc<AccessRecord>>> {
        let issuer = self.issuer("access", issuer);
        if let (TokenRef::Row { row, .. }, true) = (token, self.is(HashIsNotCompared)) {
            let sql = "SELECT hash FROM quadrille_access_tokens WHERE row = ?1";
            let hash = |db: &rusqlite::Connection| db.query_row(sql, [row.0], |row| row.get(0));
            let hash = self.inner.read(|db| Ok::<_, StoreError>(hash(db).ok())).await?;
            let Some(hash) = hash else { return Ok(None) };
            return self.inner.access(issuer, &TokenRef::Row { row: *row, hash }).await;
        }
        self.inner.access(issuer, token).await
    }

    async fn family(&self, issuer: IssuerId, row: RowId) -> Stored<Option<Arc<FamilyRecord>>> {
        self.inner.family(self.issuer("family", issuer), row).await
    }

    async fn rotate(&self, issuer: IssuerId, mut rotation: Rotation) -> Stored<Rotated> {
        let issuer = self.issuer("rotate", issuer);
        if self.is(RotateIgnoresTheSecret)
            && let Some(family) = self.inner.family(issuer, rotation.family).await?
        {
            rotation.presented = family.current;
        }
        if let (None, Some(family)) =
            (rotation.successor, self.inner.family(issuer, rotation.family).await?)
        {
            if self.is(RotateAlwaysTurns) {
                rotation.successor = Some(family.current);
            }
            if self.is(RotateKeepsTheExpiry) {
                rotation.expires = family.expires;
            }
        }
        let rotated = self.around("rotate", self.inner.rotate(issuer, rotation)).await?;
        match rotated {
            Rotated::Lost(_) if self.is(RotateIssuesTwice) => Ok(Rotated::Issued),
            rotated => Ok(rotated),
        }
    }

    async fn put_pending(&self, issuer: IssuerId, pending: PendingRecord) -> Stored<bool> {
        if let (Some(code), true) = (pending.user_code, self.is(PutPendingOverwrites)) {
            let code: String = code.iter().map(|byte| format!("{byte:02x}")).collect();
            self.sql(format!("DELETE FROM quadrille_pending WHERE user_code = x'{code}'")).await?;
        }
        let put = self.around("put_pending", self.inner.put_pending(issuer, pending)).await?;
        Ok(put || self.is(PutPendingSaysYes))
    }

    async fn pending(
        &self,
        issuer: IssuerId,
        reference: &PendingRef,
    ) -> Stored<Option<Arc<PendingRecord>>> {
        let issuer = self.issuer("pending", issuer);
        let found = self.inner.pending(issuer, reference).await?;
        let hash = |sql: &'static str| async move {
            let hash = |db: &rusqlite::Connection| db.query_row(sql, [], |row| row.get(0));
            self.inner.read(|db| Ok::<_, StoreError>(hash(db).ok())).await
        };
        let newest = match reference {
            PendingRef::Identifier(TokenRef::Row { row, .. })
                if self.is(PendingIsFoundByAnyHash) =>
            {
                let sql = "SELECT identifier FROM quadrille_pending ORDER BY row DESC";
                let row = *row;
                hash(sql).await?.map(|hash| PendingRef::Identifier(TokenRef::Row { row, hash }))
            }
            PendingRef::UserCode(_) if self.is(PendingIsFoundByAnyUserCode) => {
                let sql = "SELECT user_code FROM quadrille_pending WHERE user_code IS NOT NULL";
                hash(sql).await?.map(PendingRef::UserCode)
            }
            _ => None,
        };
        match (found, newest) {
            (None, Some(newest)) => self.inner.pending(issuer, &newest).await,
            (found, _) => Ok(found),
        }
    }

    async fn redeem_pending(
        &self,
        issuer: IssuerId,
        pending: RowId,
        bought: Bought,
    ) -> Stored<Redeemed> {
        let issuer = self.issuer("redeem_pending", issuer);
        let mut is_late = false;
        if self.is(RedeemPendingIsNotAtomic) {
            is_late = self.state(pending).await? == 1;
            self.until_another_looks_too().await;
        }
        let again = bought.clone();
        let redeem = self.inner.redeem_pending(issuer, pending, bought);
        let redeemed = match self.around("redeem_pending", redeem).await {
            // The second time its row is taken.
            Err(StoreError::Failed(_)) => Ok(Redeemed::Issued),
            redeemed => redeemed,
        };
        match (redeemed?, again) {
            (Redeemed::Replayed(_), _) if self.is(ReplayNamesNoGrant) => Ok(Redeemed::Unknown),
            (Redeemed::Replayed(_), _) if is_late => Ok(Redeemed::Issued),
            (Redeemed::Replayed(grant), Bought::Tokens(issue)) if self.is(LosersStoreTheirs) => {
                self.inner.issue(issuer, *issue).await?;
                Ok(Redeemed::Replayed(grant))
            }
            (redeemed, _) => Ok(redeemed),
        }
    }

    async fn credential(
        &self,
        issuer: IssuerId,
        token: &TokenRef,
    ) -> Stored<Option<Arc<CredentialRecord>>> {
        self.inner.credential(self.issuer("credential", issuer), token).await
    }

    async fn revoke_grant(&self, issuer: IssuerId, grant: RowId, until: Timestamp) -> Stored<bool> {
        let issuer = self.issuer("revoke_grant", issuer);
        let revoke = self.inner.revoke_grant(issuer, grant, until);
        let revoked = self.around("revoke_grant", revoke).await?;
        Ok(revoked || self.is(RevokeGrantSaysYesTwice))
    }

    async fn revoke_all(&self, issuer: IssuerId, what: RevokeAll, last: RowId) -> Stored<()> {
        let issuer = self.issuer("revoke_all", issuer);
        let verb = match (&what, self.fault) {
            (_, Keeps(..) | Also(..) | First(..)) => "revoke_all",
            (RevokeAll::Consent { .. }, _) => "revoke_all consent",
            (RevokeAll::Subject(_), _) => "revoke_all subject",
        };
        self.around(verb, self.inner.revoke_all(issuer, what, last)).await
    }

    async fn consent(
        &self,
        issuer: IssuerId,
        subject: &str,
        client: &str,
        resources: &Resources,
    ) -> Stored<Option<Consent>> {
        let issuer = self.issuer("consent", issuer);
        let lower = subject.to_lowercase();
        let subject = if self.is(ConsentsIgnoreCase) { &lower } else { subject };
        let resources =
            if self.is(ConsentsIgnoreResources) { &Resources::EMPTY } else { resources };
        self.inner.consent(issuer, subject, client, resources).await
    }

    async fn consents(&self, issuer: IssuerId, subject: &str) -> Stored<Vec<Consent>> {
        self.inner.consents(issuer, subject).await
    }

    async fn grants(&self, issuer: IssuerId, subject: &str) -> Stored<Vec<LiveGrant>> {
        self.inner.grants(issuer, subject).await
    }
}

impl OnceKeys for Faulty {
    async fn remember_once(
        &self,
        issuer: IssuerId,
        space: &'static str,
        key: SecretHash,
        expires: Timestamp,
    ) -> Stored<bool> {
        let issuer = self.issuer("remember_once", issuer);
        let space = if self.is(SpacesAreOne) { "one" } else { space };
        let mut wide = expires;
        if self.is(KeysAreKnownForEver) {
            wide = expires + Duration::from_hours(24);
        }
        if self.is(RememberIsNotAtomic) {
            let before = self.number("SELECT count(*) FROM quadrille_once").await?;
            self.until_another_looks_too().await;
            let new = self.inner.remember_once(issuer, space, key, wide).await?;
            return Ok(new || before == 0);
        }
        self.around("remember_once", self.inner.remember_once(issuer, space, key, wide)).await
    }
}
