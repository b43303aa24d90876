//! The fuzz targets as ordinary functions of bytes. `fuzz_targets/` passes them to libFuzzer,
//! `tests/` replays the inputs in `corpus/`.

mod book;
mod consumer;
mod documents;
mod nature;
mod oauth1;
mod oauth2;
mod races;
mod readers;
mod redirects;
mod registrations;
mod signed;
mod tokens;
mod world;

use std::sync::LazyLock;

use arbitrary::{Arbitrary, Unstructured};

pub use consumer::consumer_routes;
pub use documents::documents;
pub use oauth1::oauth1_sequences;
pub use oauth2::{oauth2_sequences, sqlite_sequences};
pub use races::races;
pub use readers::readers;
pub use redirects::redirects;
pub use registrations::registrations;
pub use signed::{base_strings, signatures};
pub use tokens::tokens;

/// The name of a target, and its function.
pub type Target = (&'static str, fn(&[u8]));

pub const TARGETS: &[Target] = &[
    ("base_strings", base_strings),
    ("consumer_routes", consumer_routes),
    ("documents", documents),
    ("oauth1_sequences", oauth1_sequences),
    ("oauth2_sequences", oauth2_sequences),
    ("races", races),
    ("readers", readers),
    ("redirects", redirects),
    ("registrations", registrations),
    ("signatures", signatures),
    ("sqlite_sequences", sqlite_sequences),
    ("tokens", tokens),
];

/// Prints the actions of an input if the variable `TELL` is set.
fn tell(what: &dyn std::fmt::Debug) {
    static TELLS: LazyLock<bool> = LazyLock::new(|| std::env::var_os("TELL").is_some());
    if *TELLS {
        eprintln!("{what:?}");
    }
}

/// The acts of a sequence, at most `most` of them, read from the input as long as it lasts.
fn acts<'a, A: Arbitrary<'a> + std::fmt::Debug>(
    input: &mut Unstructured<'a>,
    most: usize,
) -> impl Iterator<Item = A> {
    let next = move || {
        let act = if input.is_empty() { None } else { A::arbitrary(input).ok() };
        act.inspect(|act| tell(act))
    };
    std::iter::from_fn(next).take(most)
}

/// Runs a future to its end on this thread.
fn block_on<F: Future>(future: F) -> F::Output {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime");
    }
    RUNTIME.with(|runtime| runtime.block_on(future))
}
