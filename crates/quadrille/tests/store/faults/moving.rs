//! Faults in rows that move to another store.

use super::*;

catches! {
    moves_that_lose_or_change_something_are_caught {
        RowsSkipOne => rows_are_read_page_by_page,
            "each row after the given one once";
        RowsRepeatOne => rows_are_read_page_by_page,
            "come to an end";
        RowsIgnoreTheLimit => rows_are_read_page_by_page,
            "at most as many rows";
        MixesIssuers("rows") => rows_are_read_page_by_page,
            "no rows of another issuer";
        PutRowsOverwrites => rows_that_are_there_stay_as_they_are,
            "`put_rows` returns the number of new rows";
        PutRowsCountsAll => rows_that_are_there_stay_as_they_are,
            "`put_rows` returns the number of new rows";
        First("put_rows", "DELETE FROM quadrille_consents") => rows_that_are_there_stay_as_they_are,
            "`put_rows` returns the number of new rows";
        Also("put_rows", "UPDATE quadrille_families SET generation = 0") => rows_that_are_there_stay_as_they_are,
            "leaves rows whose keys are there";
        PutRowsTakesAnyShape => rows_of_another_shape_are_refused,
            "with other columns";
        PutRowsStopsInTheMiddle => rows_of_another_shape_are_refused,
            "stores none of the rows";
        RaiseNewestDoesNothing => numbers_go_on_above_those_that_were_moved,
            "raises the newest number";
        RaiseNewestLowers => numbers_go_on_above_those_that_were_moved,
            "lowers no number";
        RaiseKnownSinceDoesNothing => numbers_go_on_above_those_that_were_moved,
            "raises the moment";
        SwapSecretIgnoresTheSecret => a_sealed_secret_is_swapped_as_it_was_read,
            "if the secret is another one";
        SwapSecretSaysYes => a_sealed_secret_is_swapped_as_it_was_read,
            "if the secret is another one";
        MixesIssuers("swap_secret") => a_sealed_secret_is_swapped_as_it_was_read,
            "nothing of another issuer";
        Also("swap_secret", "UPDATE quadrille_token_credentials SET expires = 0") => a_sealed_secret_is_swapped_as_it_was_read,
            "replaces the secret that was read";
        Also("swap_secret", "UPDATE quadrille_token_credentials SET is_foreign = is_foreign, scopes = ''") => a_sealed_secret_is_swapped_as_it_was_read,
            "replaces the secret that was read";
        Also("swap_secret", "INSERT INTO quadrille_changes (issuer, change) SELECT number, '{\"Client\":\"app\"}' FROM quadrille_issuers") => a_sealed_secret_is_swapped_as_it_was_read,
            "`swap_secret` tells no change";
        Also("put_rows", "INSERT INTO quadrille_changes (issuer, change) SELECT number, '{\"Client\":\"app\"}' FROM quadrille_issuers") => numbers_go_on_above_those_that_were_moved,
            "tells no change";
        Also("put_rows", "UPDATE quadrille_codes SET challenge = coalesce(challenge, '')") => everything_moves_with_all_its_values,
            "keeps every value of codes";
        Also("put_rows", "UPDATE quadrille_cut SET client = ''") => everything_moves_with_all_its_values,
            "keeps every value of cut";
        Also("put_rows", "UPDATE quadrille_families SET previous = NULL") => everything_moves_with_all_its_values,
            "keeps every value of families";
        Also("put_rows", "DELETE FROM quadrille_tickets") => everything_moves_with_all_its_values,
            "keeps every value of tickets";
        Also("put_rows", "DELETE FROM quadrille_once") => what_was_moved_goes_on_in_the_other_store,
            "knows the keys that were used before";
        Also("put_rows", "DELETE FROM quadrille_revoked") => what_was_moved_goes_on_in_the_other_store,
            "unless it was revoked";
        Also("put_rows", "UPDATE quadrille_codes SET redeemed = 1") => what_was_moved_goes_on_in_the_other_store,
            "`redeem` redeems a code";
        Also("put_rows", "DELETE FROM quadrille_removed") => what_was_moved_goes_on_in_the_other_store,
            "a removal that was moved";
        Also("put_rows", "UPDATE quadrille_pending SET user_code = NULL") => what_was_moved_goes_on_in_the_other_store,
            "by its user code";
        Also("put_rows", "DELETE FROM quadrille_token_credentials") => what_was_moved_goes_on_in_the_other_store,
            "token credentials that were moved";
        Also("put_rows", "DELETE FROM quadrille_foreign_tokens") => what_was_moved_goes_on_in_the_other_store,
            "finds a token that was moved";
    }
}
