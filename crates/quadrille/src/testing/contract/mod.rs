//! The contract of a [`Store`](crate::provider::store::Store), as tests.
//!
//! ```
//! # mod tests {
//! use quadrille::{provider::store::MemoryStore, testing::store_contract};
//!
//! // Makes an empty store, and what must live as long as it (a folder, a container).
//! store_contract!(memory, |env| (MemoryStore::new(env), ()));
//! # }
//! ```
//!
//! A failing test names the verb, the broken rule, the value found and the value required. The
//! verbs of [`Store`](crate::provider::store::Store) document the rules.
//!
//! Each behaviour is also a public function, in a module for its group of verbs, and one test of
//! the generated module.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, in the library so that others can run them"
)]

pub mod access;
mod checked;
pub mod clients;
pub mod codes;
pub mod consents;
pub mod issuers;
pub mod keys;
pub mod known;
pub mod oauth1;
pub mod passwords;
pub mod pending;
pub mod races;
pub mod refresh;
pub mod registration;
pub mod revoking;
pub mod rows;
pub mod sweeping;
pub mod tables;
pub mod transfer;
pub mod values;
mod world;

/// Makes a module that tests a store against the [contract](self). Takes a name for the module, and
/// a function from an [`Env`](crate::Env) to an empty store and values that must live as long as
/// the store.
#[macro_export]
macro_rules! store_contract {
    ($module:ident, $make:expr) => {
        $crate::store_contract! { @with $module, $make,
            oauth1 { credentials_that_expired_are_given_back }
            sweeping { what_expired_is_given_back_by_sweeping }
        }
    };
    (@with $module:ident, $make:expr, $($counted:tt)*) => {
        $crate::store_contract! { @tests $module, $make,
            $($counted)*
            issuers {
                an_issuer_keeps_its_number
                changes_are_told_in_order_to_their_issuer
                changes_are_told_from_a_position_or_with_a_gap
                many_changes_are_told_page_by_page_or_with_a_gap
            }
            clients {
                clients_are_found_by_their_exact_id
                a_client_is_replaced_and_removed
                no_change_of_a_client_undoes_another
                clients_are_added_all_or_none
                a_removed_client_takes_its_tokens_with_it
            }
            consents {
                a_page_is_answered_once
                answers_are_known_since_before_the_first_one
                an_answer_given_again_says_what_became_of_the_first
                a_consent_is_of_one_person_to_one_client
                a_consent_is_for_certain_apis
                a_consent_changes_only_what_was_asked_about
            }
            codes {
                a_code_comes_back_as_it_was_put
                a_code_is_redeemed_once
                a_code_of_a_revoked_grant_buys_nothing
            }
            access {
                an_access_token_comes_back_as_it_was_issued
                an_access_token_needs_its_own_hash_row_and_issuer
                a_token_that_others_made_is_found_by_its_hash
                a_dropped_future_leaves_all_or_nothing
            }
            refresh {
                a_refresh_token_turns_only_as_it_was_read
                a_refresh_token_of_a_revoked_grant_is_gone
            }
            pending {
                a_pending_request_comes_back_as_it_was_put
                a_pending_request_is_found_by_a_foreign_identifier_and_by_its_user_code
                a_pending_request_that_is_put_again_stays_as_it_is
                a_user_code_leads_to_one_request
                a_pending_request_is_answered_once
                a_pending_request_is_redeemed_once
                a_pending_request_of_a_revoked_grant_buys_nothing
            }
            registration {
                an_initial_token_comes_back_as_it_was_put
                a_client_is_admitted_once_for_each_use
                unused_clients_are_told_until_they_are_used
                a_client_is_admitted_instead_of_others
                unused_clients_and_tokens_that_expired_are_swept
            }
            oauth1 {
                token_credentials_come_back_as_they_were_bought
                token_credentials_with_a_foreign_identifier_are_found_by_its_hash
                token_credentials_stay_revoked_for_ever
            }
            revoking {
                a_grant_is_revoked_once_and_with_all_it_gave
                a_grant_can_be_revoked_before_anything_is_issued
                a_person_is_cut_off_from_what_was_granted_so_far
                a_person_is_cut_off_from_what_is_under_way
                a_subject_that_is_given_again_begins_anew
                a_person_withdraws_one_consent
                the_live_grants_of_a_person_are_listed
            }
            values {
                long_texts_come_back_whole
                texts_that_differ_anywhere_are_different
            }
            keys {
                a_key_is_remembered_once_until_it_expires
                keys_are_known_since_before_the_first_one
                a_key_outlives_a_clock_that_was_ahead
            }
            sweeping {
                what_expired_is_given_back_by_storing_more
                a_refresh_token_that_turned_is_given_back_when_its_successor_expires
                what_is_listed_of_a_user_is_given_back_when_the_last_token_expired
                sweeping_forgets_no_revocation_that_still_counts
            }
            races {
                one_of_many_redeems_a_code
                one_of_many_turns_a_refresh_token
                one_of_many_answers_a_page
                one_of_many_answers_a_pending_request
                one_of_many_redeems_a_pending_request
                one_of_many_puts_a_user_code
                one_of_many_is_told_that_it_did_it
                one_of_many_changes_a_client
                one_of_many_is_admitted_by_a_token
                all_of_many_get_different_worker_numbers
            }
            rows {
                no_two_hold_the_same_worker_number
                a_worker_number_is_free_again_when_its_lease_ends
                row_numbers_rise_and_never_repeat
                the_newest_number_is_known_for_ever
                the_newest_number_counts_what_every_verb_stores
            }
        }
    };
    (@part $module:ident, $make:expr, $part:ident) => {
        $crate::store_contract!($module, |env| {
            let make: fn($crate::Env) -> _ = $make;
            let (part, alive) = make(env.clone());
            let rest = std::sync::Arc::new($crate::provider::store::MemoryStore::new(env));
            ($crate::provider::store::Parts::of(rest).$part(part), alive)
        });
    };
    (@tests $module:ident, $make:expr, $($group:ident { $($name:ident)* })*) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the store")]
            use super::*;
            $($(
                #[test]
                fn $name() {
                    let clock = $crate::testing::ManualClock::new();
                    let make: fn($crate::Env) -> _ = $make;
                    let (store, _alive) = make(clock.env());
                    $crate::testing::contract::run(
                        $crate::testing::contract::$group::$name(&store, &clock),
                    );
                }
            )*)*
        }
    };
}

/// Makes a module that tests a store whose short-lived records are in a cache
/// ([`VolatileStore`](crate::provider::store::VolatileStore)). Its `sweep` counts as the cache does,
/// so its counts are not compared. Takes the same as [`store_contract!`](crate::store_contract).
#[macro_export]
macro_rules! volatile_store_contract {
    ($module:ident, $make:expr) => {
        $crate::store_contract! { @with $module, $make, }
    };
}

/// Makes a module that tests the part of a store that keeps consents, codes, tokens and pending
/// requests ([`Grants`](crate::provider::store::Grants)). It makes a store of the part and of memory
/// for the rest, and tests that against the [contract](self), besides what concerns the part alone.
/// Takes the same as [`store_contract!`](crate::store_contract).
#[macro_export]
macro_rules! grants_contract {
    ($module:ident, $make:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the part")]
            use super::*;
            $crate::store_contract! { @part with_the_rest, $make, grants }
            $crate::store_contract! { @tests alone, $make,
                known {
                    a_client_that_is_kept_elsewhere_is_known_by_its_number
                    a_client_that_is_gone_elsewhere_loses_its_grants
                }
            }
        }
    };
}

/// Makes a module that tests the part of a store that keeps clients
/// ([`Registrations`](crate::provider::store::Registrations)), with memory for the rest, as
/// [`grants_contract!`](crate::grants_contract) does.
#[macro_export]
macro_rules! clients_contract {
    ($module:ident, $make:expr) => {
        $crate::store_contract! { @part $module, $make, clients }
    };
}

/// Makes a module that tests the part of a store that keeps keys that are used once
/// ([`OnceKeys`](crate::provider::store::OnceKeys)), with memory for the rest, as
/// [`grants_contract!`](crate::grants_contract) does.
#[macro_export]
macro_rules! once_contract {
    ($module:ident, $make:expr) => {
        $crate::store_contract! { @part $module, $make, once }
    };
}

/// Makes a module that tests the move of all rows into a store and out of it
/// ([`Transfer`](crate::provider::store::Transfer)). Takes the same as
/// [`store_contract!`](crate::store_contract).
#[macro_export]
macro_rules! transfer_contract {
    ($module:ident, $make:expr) => {
        $crate::store_contract! { @tests $module, $make,
            transfer {
                everything_moves_with_all_its_values
                what_was_moved_goes_on_in_the_other_store
                rows_are_read_page_by_page
                rows_that_are_there_stay_as_they_are
                rows_of_another_shape_are_refused
                numbers_go_on_above_those_that_were_moved
                a_sealed_secret_is_swapped_as_it_was_read
            }
        }
    };
}

/// Makes a module that tests a [`ClientTable`](crate::provider::store::ClientTable). Takes a name for
/// the module, and a function to a table, the ids of some clients in it, and values that must live
/// as long as the table.
#[macro_export]
macro_rules! client_table_contract {
    ($module:ident, $make:expr) => {
        $crate::client_table_contract! { @tests $module, $make, tables,
            a_client_is_found_by_its_exact_id
            a_client_stays_the_same
            clients_are_listed_once_or_not_at_all
        }
    };
    (@tests $module:ident, $make:expr, $group:ident, $($name:ident)*) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the table")]
            use super::*;
            $(
                #[test]
                fn $name() {
                    let clock = $crate::testing::ManualClock::new();
                    let make: fn() -> _ = $make;
                    let (table, known, _alive) = make();
                    $crate::testing::contract::run(
                        $crate::testing::contract::$group::$name(&table, &known, &clock),
                    );
                }
            )*
        }
    };
}

/// Makes a module that tests a [`UserTable`](crate::provider::store::UserTable), as
/// [`client_table_contract!`](crate::client_table_contract) does: with the subjects of some users.
#[macro_export]
macro_rules! user_table_contract {
    ($module:ident, $make:expr) => {
        $crate::client_table_contract! { @tests $module, $make, tables,
            a_user_is_found_by_the_exact_subject
        }
    };
}

/// Makes a module that tests a [`PasswordVerifier`](crate::provider::PasswordVerifier). Takes a name
/// for the module, and a function to a verifier, the names and passwords of some users, and values
/// that must live as long as the verifier.
///
/// A verifier that [limits guesses
/// itself](crate::provider::PasswordVerifier::limits_guesses_itself) must get its time from the
/// system's clock moved ahead, or be made without limits: the tests guess often.
#[macro_export]
macro_rules! password_verifier_contract {
    ($module:ident, $make:expr) => {
        $crate::client_table_contract! { @tests $module, $make, passwords,
            the_right_password_tells_the_subject
            any_other_password_is_refused
            a_name_leads_to_one_user
            any_text_is_a_name_and_a_password
        }
    };
}

/// Runs one behaviour to its end.
pub fn run(behaviour: impl Future<Output = ()>) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // A store may use timers and sockets.
    runtime.enable_all().build().unwrap().block_on(behaviour);
}
