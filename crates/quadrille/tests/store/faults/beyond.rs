//! Further faults: in texts, numbers, positions, and in what is read after it was written.

use super::*;

catches! {
    texts_that_are_cut_are_caught {
        Also("put_client", "UPDATE quadrille_clients SET record = json_set(record, '$.name', substr(json_extract(record, '$.name'), 1, 255))") => long_texts_come_back_whole,
            "`client` gives back long texts whole";
        Also("issue", "UPDATE quadrille_access_tokens SET scopes = substr(scopes, 1, 1000)") => long_texts_come_back_whole,
            "`access` gives back long texts whole";
        Also("issue", "UPDATE quadrille_families SET resources = substr(resources, 1, 255)") => long_texts_come_back_whole,
            "`family` gives back long texts whole";
        Also("issue", "UPDATE quadrille_grants SET resources = substr(resources, 1, 255)") => long_texts_come_back_whole,
            "`grants` gives back long texts whole";
        Also("put_code", "UPDATE quadrille_codes SET redirect_uri = substr(redirect_uri, 1, 1000)") => long_texts_come_back_whole,
            "`code` gives back long texts whole";
        Also("answer", "UPDATE quadrille_consents SET scopes = substr(scopes, 1, 255)") => long_texts_come_back_whole,
            "`consent` gives back long texts whole";
        Also("put_pending", "UPDATE quadrille_pending SET asked = substr(asked, 1, 4000)") => long_texts_come_back_whole,
            "`pending` gives back long texts whole";
    }
    texts_that_are_taken_for_others_are_caught {
        GrantsIgnoreAccents => texts_that_differ_anywhere_are_different,
            "`grants` lists those of exactly";
        GrantsIgnoreSpaces => texts_that_differ_anywhere_are_different,
            "`grants` lists those of exactly";
        ConsentsIgnoreHowAnAccentIsWritten => texts_that_differ_anywhere_are_different,
            "`consents` tells those of exactly";
        ConsentsCompareTheBeginningOfResources => texts_that_differ_anywhere_are_different,
            "also where they differ at their end";
        RevokeAllCutsSubjects => texts_that_differ_anywhere_are_different,
            "ends what is of exactly this user";
        RevokeAllTakesPatterns => texts_that_differ_anywhere_are_different,
            "ends what is of exactly this user";
        SpacesIgnoreCase => texts_that_differ_anywhere_are_different,
            "a key in exactly the space";
    }
    numbers_that_are_forgotten_are_caught {
        ForgetsTheNumberOf("admit") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the number of a client that `admit` stored";
        ForgetsTheNumberOf("put_initial_token") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of an initial access token";
        ForgetsTheNumberOf("answer") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of a code that `answer` stored";
        ForgetsTheNumberOf("redeem") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of a family that `redeem` stored";
        ForgetsTheNumberOf("issue") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of a family that `issue` stored";
        ForgetsTheNumberOf("rotate") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of an access token that `rotate` stored";
        ForgetsTheNumberOf("import") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of an access token that `import` stored";
        ForgetsTheNumberOf("put_pending") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of a pending request";
        ForgetsTheNumberOf("redeem_pending") => the_newest_number_counts_what_every_verb_stores,
            "`newest` counts the row of a family that `redeem_pending` stored";
        ForgetsTheNumberOf("put_code") => the_newest_number_is_known_for_ever,
            "`newest` counts the row of a code";
        FloorForgetsClients => the_newest_number_is_known_for_ever,
            "`floor` counts the number of a client";
        FloorForgetsRevocations => the_newest_number_is_known_for_ever,
            "`floor` counts up to where something was revoked";
    }
    leases_that_never_or_always_end_are_caught {
        ExpiredLeasesAreKept => a_worker_number_is_free_again_when_its_lease_ends,
            "`lease` gives a number away again";
        LeasesEndLate => a_worker_number_is_free_again_when_its_lease_ends,
            "from the time at which its lease ends";
        LeaseStealsWhenAllAreHeld => a_worker_number_is_free_again_when_its_lease_ends,
            "fails with `StoreError::Busy` while all numbers are held";
    }
    changes_that_are_skipped_or_told_twice_are_caught {
        ChangesSkipARow => many_changes_are_told_page_by_page_or_with_a_gap,
            "page by page, each once and in order";
        ChangesTellARowTwice => many_changes_are_told_page_by_page_or_with_a_gap,
            "page by page, each once and in order";
        ChangesAreAheadOfThemselves => changes_are_told_from_a_position_or_with_a_gap,
            "`changes` after the newest position tells nothing, without a gap";
        TellsNothing("revoke_grant") => many_changes_are_told_page_by_page_or_with_a_gap,
            "`changes` goes on from the position after many changes";
    }
    reads_that_are_older_than_a_write_are_caught {
        IsReadOnce("client") => a_client_is_replaced_and_removed,
            "`put_client` keeps every part of the newest record";
        IsReadOnce("code") => a_code_is_redeemed_once,
            "`redeem` marks the code, and `code` still shows it";
        IsReadOnce("access") => a_grant_is_revoked_once_and_with_all_it_gave,
            "`revoke_grant` ends the grant's access tokens";
        IsReadOnce("family") => a_refresh_token_turns_only_as_it_was_read,
            "`rotate` keeps the successor";
        IsReadOnce("pending") => a_pending_request_is_found_by_a_foreign_identifier_and_by_its_user_code,
            "`pending` shows in every way how a request stands";
        FamiliesOutliveTheirGrant => a_grant_is_revoked_once_and_with_all_it_gave,
            "`revoke_grant` ends the grant's refresh tokens";
        PutClientIsNotAtomic => one_of_many_changes_a_client,
            "one takes the client's place";
    }
    halves_of_a_verb_are_caught {
        Also("redeem", "DELETE FROM quadrille_access_tokens") => a_code_is_redeemed_once,
            "`redeem` puts the access token";
        Also("redeem_pending", "DELETE FROM quadrille_access_tokens") => a_pending_request_is_redeemed_once,
            "stores what the request buys";
        Also("answer", "DELETE FROM quadrille_codes") => a_page_is_answered_once,
            "`answer` puts the code that was approved";
        Also("answer", "DELETE FROM quadrille_tickets") => a_page_is_answered_once,
            "gives the code of then";
        Also("answer", "DELETE FROM quadrille_consents") => a_page_is_answered_once,
            "`answer` remembers the consent that goes with it";
        Also("answer", "UPDATE quadrille_consents SET given = 0") => a_consent_is_of_one_person_to_one_client,
            "and when it was given";
        Also("issue", "DELETE FROM quadrille_families") => a_refresh_token_turns_only_as_it_was_read,
            "`family` gives back a family as `issue` put it";
        Also("put_client", "DELETE FROM quadrille_unused_clients") => unused_clients_are_told_until_they_are_used,
            "`unused_clients` tells no client whose record says that it was used";
        Also("revoke_all", "UPDATE quadrille_token_credentials SET is_foreign = 0") => token_credentials_with_a_foreign_identifier_are_found_by_its_hash,
            "leaves others' token credentials";
    }
    times_that_are_not_kept_are_caught {
        KeysAreKnownForLess(2) => a_key_is_remembered_once_until_it_expires,
            "`remember_once` knows a key until it expires";
        KeysAreKnownForLess(1) => a_key_is_remembered_once_until_it_expires,
            "also in the second in which it expires";
        RevocationsAreBrief => sweeping_forgets_no_revocation_that_still_counts,
            "until the last token would have ended";
        NeverGoes("quadrille_grants") => what_is_listed_of_a_user_is_given_back_when_the_last_token_expired,
            "`sweep` gives back what `grants` lists";
        Also("sweep", "DELETE FROM quadrille_grants") => what_is_listed_of_a_user_is_given_back_when_the_last_token_expired,
            "and no other";
        Also("issue", "UPDATE quadrille_grants SET expires = (SELECT min(expires) FROM quadrille_access_tokens held WHERE held.grant_id = quadrille_grants.grant_id)") => what_is_listed_of_a_user_is_given_back_when_the_last_token_expired,
            "until the last token of the grant expired";
    }
}
