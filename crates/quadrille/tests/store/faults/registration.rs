//! Faults in dynamic registrations.

use super::*;

catches! {
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
}
