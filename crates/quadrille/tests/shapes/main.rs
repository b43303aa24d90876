//! The compiler's error for a wrong shape names the right one.
//!
//! Each file of `wrong/` is compiled against this build of the crate and must fail with the lines
//! that its first comment lists. `right.rs` must compile: it also finds the library to compile
//! against, of all that are in the folder of the build.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which these lints do not know for such"
)]

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/shapes");

fn compile(file: &Path, library: &Path) -> Output {
    let out = tempfile::tempdir().unwrap();
    let library = library.to_str().unwrap();
    let folder = library.rsplit_once('/').unwrap().0;
    Command::new(env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
        .args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "--out-dir"])
        .arg(out.path())
        .args(["-L", &format!("dependency={folder}"), "--extern", &format!("quadrille={library}")])
        .arg(file)
        .output()
        .unwrap()
}

/// The library of this build: the newest with all that `right.rs` uses.
fn library() -> PathBuf {
    let this = env::current_exe().unwrap();
    let mut found: Vec<_> = fs::read_dir(this.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("libquadrille-") && name.ends_with(".rlib")
        })
        .collect();
    found.sort_by_key(|path| std::cmp::Reverse(fs::metadata(path).unwrap().modified().unwrap()));
    let right = PathBuf::from(FOLDER).join("right.rs");
    let tried: Vec<_> = found.iter().map(|library| compile(&right, library)).collect();
    match tried.iter().position(|tried| tried.status.success()) {
        Some(index) => found.swap_remove(index),
        None => panic!("{}", String::from_utf8_lossy(&tried.first().unwrap().stderr)),
    }
}

#[test]
fn a_wrong_shape_is_told_the_right_one() {
    let library = library();
    let mut wrong: Vec<_> = fs::read_dir(format!("{FOLDER}/wrong"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    wrong.sort();
    assert!(!wrong.is_empty());
    for file in wrong {
        let source = fs::read_to_string(&file).unwrap();
        let told = compile(&file, &library);
        let errors = String::from_utf8_lossy(&told.stderr).replace(char::is_whitespace, "");
        assert!(!told.status.success(), "{} compiles", file.display());
        for line in source.lines().map_while(|line| line.strip_prefix("//! ")) {
            let said = errors.contains(&line.replace(char::is_whitespace, ""));
            assert!(said, "{line:?} is not in:\n{}", String::from_utf8_lossy(&told.stderr));
        }
    }
}
