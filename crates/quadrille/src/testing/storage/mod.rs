//! The contract of a [`TokenStorage`](crate::consumer::TokenStorage), as tests.
//!
//! ```
//! # mod tests {
//! use quadrille::{consumer::{CookieStorage, MemoryStorage}, testing::storage_contract};
//!
//! // Makes an empty storage, and what must live as long as it (a folder, a container). A storage
//! // that must do everything leaves out the groups.
//! storage_contract!(memory, || (MemoryStorage::new(), ()));
//! storage_contract!(cookies, || (CookieStorage, ()), [one_account]);
//! # }
//! ```
//!
//! A failing test names the verb, the broken rule, the value found and the value required. The
//! verbs of [`TokenStorage`](crate::consumer::TokenStorage) document the rules.
//!
//! Each behaviour is also a public function, in a module for its group, and one test of the
//! generated module.

#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "these are tests, in the library so that others can run them"
)]

mod checked;
pub mod many_accounts;
pub mod one_account;
pub mod refreshes;
pub mod several_processes;
mod watched;
mod world;

pub use watched::{Verb, Watch, WatchedStorage};

/// Makes a module that tests a token storage against the [contract](self). Takes a name for the
/// module, a function to an empty storage and values that must live as long as the storage, and the
/// groups that apply: all of them by default.
///
/// `one_account` is for every storage except one that stores nothing, `many_accounts` for those
/// that hold several accounts of an owner and work outside of requests, `several_processes` for
/// those that processes can share, `refreshes` for these, too: whole logins over them.
#[macro_export]
macro_rules! storage_contract {
    ($module:ident, $make:expr) => {
        $crate::storage_contract!(
            $module,
            $make,
            [one_account, many_accounts, several_processes, refreshes]
        );
    };
    ($module:ident, $make:expr, [$($group:ident),+ $(,)?]) => {
        mod $module {
            #[allow(unused_imports, reason = "what is needed depends on the storage")]
            use super::*;
            $($crate::storage_contract!(@ $group $make);)+
        }
    };
    (@ one_account $make:expr) => {
        $crate::storage_contract! { @tests one_account $make,
            what_was_linked_comes_back_as_it_was
            an_account_is_its_owners_own
            linking_again_takes_the_place_of_what_was_there
            only_what_was_seen_is_replaced
            an_account_that_needs_linking_again_is_kept
            an_account_is_unlinked_once
        }
    };
    (@ many_accounts $make:expr) => {
        $crate::storage_contract! { @tests many_accounts $make,
            accounts_are_told_apart_byte_by_byte
            without_a_subject_the_one_linked_last_is_found
            changing_one_leaves_the_others
            accounts_come_page_by_page_in_the_order_of_their_keys
            one_of_many_replaces_what_all_have_seen
        }
    };
    (@ several_processes $make:expr) => {
        $crate::storage_contract! { @tests several_processes $make,
            a_lease_is_held_by_one
            a_lease_that_was_given_back_is_free
            a_lease_ends_by_itself
            one_of_many_gets_the_lease
        }
    };
    (@ refreshes $make:expr) => {
        $crate::storage_contract! { @tests refreshes $make,
            two_processes_refresh_a_token_once
            a_process_that_dies_with_a_token_blocks_nobody
            an_account_that_is_gone_does_not_come_back
        }
    };
    (@tests $group:ident $make:expr, $($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                let (storage, _alive) = ($make)();
                let storage = ::std::sync::Arc::new(storage);
                $crate::testing::storage::run($crate::testing::storage::$group::$name(&storage));
            }
        )*
    };
}

/// Runs one behaviour to its end.
pub fn run(behaviour: impl Future<Output = ()>) {
    // A storage may use timers and sockets. Connections of a pool belong to the runtime that made
    // them, which therefore has threads of its own: they serve all threads of a behaviour.
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    runtime.worker_threads(2).enable_all().build().unwrap().block_on(behaviour);
}

/// Runs a future on each of `count` threads at the same time, in the runtime of the caller.
pub(super) fn at_once<T: Send>(count: u64, ask: impl AsyncFn(u64) -> T + Sync) -> Vec<T> {
    let runtime = tokio::runtime::Handle::current();
    std::thread::scope(|threads| {
        let threads: Vec<_> = (0..count)
            .map(|number| {
                let (runtime, ask) = (&runtime, &ask);
                threads.spawn(move || runtime.block_on(ask(number)))
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
