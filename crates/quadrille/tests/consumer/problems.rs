//! The guide's page of problems.

use std::collections::BTreeSet;

const GUIDE: &str = include_str!("../../../../docs/src/consumer/problems.md");

/// The files that give errors their codes.
const SOURCES: [&str; 4] = [
    include_str!("../../src/consumer/error/mod.rs"),
    include_str!("../../src/consumer/error/browser.rs"),
    include_str!("../../src/consumer/error/operator_code.rs"),
    include_str!("../../src/consumer/error/service.rs"),
];

/// The texts in the body of `fn code`, of which each is a code.
fn codes(source: &str) -> BTreeSet<&str> {
    let (_, body) = source.split_once("fn code(&self) -> &'static str {").unwrap();
    let (body, _) = body.split_once("\n    }\n").unwrap();
    body.split('"').skip(1).step_by(2).collect()
}

fn sections() -> BTreeSet<&'static str> {
    let titles = GUIDE.lines().filter_map(|line| line.strip_prefix("### `")?.strip_suffix('`'));
    titles.collect()
}

#[test]
fn each_code_has_a_section_and_each_section_is_of_a_code() {
    let codes: BTreeSet<_> = SOURCES.into_iter().flat_map(codes).collect();
    for (known, place) in
        [("api_error", 0), ("login_loop", 1), ("public_url_malformed", 2), ("client_refused", 3)]
    {
        assert!(self::codes(SOURCES[place]).contains(known), "{known} was not read");
    }
    let missing: Vec<_> = codes.difference(&sections()).copied().collect();
    assert!(missing.is_empty(), "codes without a section: {missing:?}");
    let unknown: Vec<_> = sections().difference(&codes).copied().collect();
    assert!(unknown.is_empty(), "sections of no code: {unknown:?}");
}

#[test]
fn each_code_has_a_likely_cause() {
    let causes = include_str!("../../src/consumer/error/likely.rs");
    let arms: BTreeSet<_> = causes
        .lines()
        .filter_map(|line| line.trim().strip_prefix('"')?.split_once("\" =>"))
        .map(|(code, _)| code)
        .collect();
    let codes: BTreeSet<_> = SOURCES.into_iter().flat_map(codes).collect();
    assert_eq!(arms, codes);
}

#[test]
fn each_section_says_something() {
    for section in GUIDE.split("\n### ").skip(1) {
        let (title, text) = section.split_once('\n').unwrap();
        let text = text.split("\n## ").next().unwrap().trim();
        assert!(text.len() > 60, "{title}: {text}");
    }
}
