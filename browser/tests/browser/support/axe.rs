//! The rules of accessibility that a machine can check: axe-core, of WCAG 2.2 up to level AA.

use std::{fmt::Write as _, path::Path, sync::LazyLock};

use serde_json::Value;
use thirtyfour::prelude::*;

static AXE: LazyLock<String> = LazyLock::new(|| {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../interop/node_modules/axe-core/axe.min.js");
    std::fs::read_to_string(path)
        .expect("npm's axe-core is missing; install it: npm ci --prefix interop")
});

/// Style sheets are not fetched again: the policy of the pages forbids it, and the rules read them
/// from the document.
const RUN: &str = r"
    const [done] = arguments;
    const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
    axe.run(document, { preload: false, resultTypes: ['violations'], runOnly: { type: 'tag', values: tags } })
        .then(result => done(result.violations), error => done([{ id: String(error), nodes: [] }]));
";

/// Returns the rules that the page breaks, with the elements: empty for a good page.
pub(super) async fn violations(window: &WebDriver) -> String {
    let is_there = window.execute("return 'axe' in window", vec![]).await.unwrap();
    if is_there.json() != &Value::Bool(true) {
        window.execute(AXE.as_str(), vec![]).await.unwrap();
    }
    let found = window.execute_async(RUN, vec![]).await.unwrap();
    let mut report = String::new();
    for rule in found.json().as_array().unwrap() {
        for node in rule["nodes"].as_array().unwrap() {
            let (rule, help) = (&rule["id"], &rule["help"]);
            let (html, summary) = (&node["html"], &node["failureSummary"]);
            let _ = writeln!(report, "{rule} ({help}): {html}: {summary}");
        }
        if rule["nodes"].as_array().unwrap().is_empty() {
            let _ = writeln!(report, "{}", rule["id"]);
        }
    }
    report
}
