//! Faults in pending requests, and in token credentials that they buy.

use super::*;

catches! {
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
        PutPendingBeginsAnew => a_pending_request_that_is_put_again_stays_as_it_is,
            "says `false` of a request that is there already";
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
    token_credentials_that_go_wrong_are_caught {
        MixesIssuers("credential") => token_credentials_come_back_as_they_were_bought,
            "of another issuer";
        Also("redeem_pending", "UPDATE quadrille_token_credentials SET secret = x'00'") => token_credentials_come_back_as_they_were_bought,
            "as `redeem_pending` stored them";
        Also("redeem_pending", "UPDATE quadrille_token_credentials SET is_foreign = 0") => token_credentials_with_a_foreign_identifier_are_found_by_its_hash,
            "by its hash";
    }
}
