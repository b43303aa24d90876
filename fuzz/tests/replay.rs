//! Every target without libFuzzer: on its corpus, and on generated inputs that are the same in
//! every run.

use std::{fs, path::Path};

use quadrille_fuzz::{TARGETS, Target};

/// The length of the longest input.
const LONGEST: u64 = 600;

fn target(name: &str) -> &'static Target {
    TARGETS.iter().find(|target| target.0 == name).expect("a target")
}

/// `made` is the number of generated inputs beside the corpus.
fn replay(name: &str, made: u64) {
    let (name, run) = target(name);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(name);
    let mut files: Vec<_> =
        fs::read_dir(&folder).into_iter().flatten().map(|file| file.unwrap().path()).collect();
    files.sort();
    for file in files {
        println!("{}", file.display());
        run(&fs::read(file).unwrap());
    }
    let inputs = std::env::var("INPUTS").map_or(made, |inputs| inputs.parse().unwrap());
    for number in 0..inputs {
        println!("input {number} of {inputs}");
        run(&input(number));
    }
}

/// Bytes that follow from a number (xorshift64*).
fn input(number: u64) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32
    };
    let length = next() % LONGEST;
    (0..length).map(|_| next().to_le_bytes()[0]).collect()
}

macro_rules! replay {
    ($($name:ident $made:literal)*) => {
        $(#[test] fn $name() { replay(stringify!($name), $made); })*

        #[test]
        fn none_is_left_out() {
            let named = [$(stringify!($name)),*];
            assert!(TARGETS.iter().all(|(name, _)| named.contains(name)));
        }
    };
}

replay! {
    base_strings 3000
    consumer_routes 100
    documents 300
    oauth1_sequences 200
    oauth2_sequences 200
    races 500
    readers 3000
    redirects 3000
    registrations 200
    signatures 3000
    sqlite_sequences 30
    tokens 1000
}
