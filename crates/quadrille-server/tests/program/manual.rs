//! What the program writes about itself: completions, manual pages, and its built-in pages.

use std::process::Command;

use crate::process::{Folder, Program, failure, quadrille, text};

/// The standard output of a command that needs neither data nor settings.
fn said(arguments: &[&str]) -> String {
    let output = quadrille(arguments).env_remove("HOME").output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
}

#[test]
fn shells_complete_commands_and_options() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = said(&["completions", shell]);
        for word in ["rotate-secret", "redirect-uri", "although-clients-lose-their-algorithm"] {
            assert!(script.contains(word), "{shell}: {word}");
        }
    }
    let folder = Folder::new();
    let script = folder.path().join("quadrille.bash");
    std::fs::write(&script, said(&["completions", "bash"])).unwrap();
    // What bash proposes after `quadrille client rem`.
    let propose = format!(
        "source '{}'; COMP_WORDS=(quadrille client rem); COMP_CWORD=2; \
         _quadrille quadrille rem client; echo \"${{COMPREPLY[@]}}\"",
        script.display()
    );
    let proposed = Command::new("bash").args(["-c", &propose]).output().unwrap();
    assert_eq!(text(&proposed.stdout).trim(), "remove", "{}", text(&proposed.stderr));
    assert_eq!(quadrille(&["completions", "cmd"]).output().unwrap().status.code(), Some(2));
}

#[test]
fn the_manual_has_a_page_for_each_command() {
    let page = said(&["man"]);
    assert!(page.contains(".TH quadrille 1") && page.contains(".SH \"EXIT CODES\""), "{page}");
    let folder = Folder::new();
    let pages = folder.path().join("new/man1");
    said(&["man", "--output", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("quadrille-client-add.1")).unwrap();
    let foot = format!("\"quadrille {}\" Quadrille", env!("CARGO_PKG_VERSION"));
    let title = page.lines().find(|line| line.starts_with(".TH")).unwrap();
    assert!(title.ends_with(&foot), "{title}");
    assert!(
        page.contains(".SH SYNOPSIS\n.nf\nquadrille client add [OPTIONS] <NAME>\n.fi\n"),
        "{page}"
    );
    // Lines that can be copied.
    let example = ".SH EXAMPLES\n.nf\nquadrille client add \"Photo printer\" \\-\\-redirect\\-uri";
    assert!(page.contains(example), "{page}");
    assert!(pages.join("quadrille.1").exists());
    assert!(pages.join("quadrille-user-token-revoke.1").exists());
}

#[test]
fn the_built_in_pages_are_written_with_their_values_and_nothing_is_overwritten() {
    let folder = Folder::new();
    let pages = folder.path().join("my pages");
    let path = pages.to_str().unwrap();
    let next = said(&["templates", "export", path]);
    assert!(next.contains(&format!("--templates '{path}'")), "{next}");
    let consent = std::fs::read_to_string(pages.join("consent.html")).unwrap();
    let (head, page) = consent.split_once("#}").unwrap();
    assert!(head.contains("client.host ") && page.contains("{% extends \"base.html\" %}"));

    std::fs::write(pages.join("consent.html"), "mine").unwrap();
    std::fs::remove_file(pages.join("style.css")).unwrap();
    let (code, why) = failure(&folder.data(), &["templates", "export", path]);
    assert!(code == 7 && why.contains("exists already"), "{why}");
    assert!(!pages.join("style.css").exists(), "all of them, or none");
    assert_eq!(std::fs::read_to_string(pages.join("consent.html")).unwrap(), "mine");
    assert!(!folder.data().exists());
}

#[tokio::test]
async fn exported_pages_are_served_as_the_built_in_ones() {
    let (plain, exported, pages) = (Folder::new(), Folder::new(), Folder::new());
    let folder = pages.path().join("pages");
    let folder = folder.to_str().unwrap();
    said(&["templates", "export", folder]);
    let built_in = Program::start(&plain);
    let own = Program::start_with(&exported, &["--templates", folder]);
    assert!(!own.log().contains("no page has this name"), "{}", own.log());
    let page = async |program: &Program| {
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = http.get(program.url("/sign-in")).send().await.unwrap().text().await.unwrap();
        // The token of the form, and the port, differ.
        let lines = page.lines().filter(|line| !line.contains("name=\"form\""));
        let lines = lines.map(|line| line.replace(&program.issuer, ""));
        let port = program.issuer.rsplit(':').next().unwrap();
        lines.map(|line| line.replace(port, "")).collect::<Vec<_>>()
    };
    assert_eq!(page(&own).await, page(&built_in).await);
    assert!(page(&own).await[0].starts_with("<!doctype html>"), "the comment is not sent");
}

/// The beginning of a picture is what tells its kind.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and the rest";

#[tokio::test]
async fn a_brand_of_name_colors_and_logo_needs_no_templates() {
    let (folder, files) = (Folder::new(), Folder::new());
    let logo = files.path().join("logo.png");
    std::fs::write(&logo, PNG).unwrap();
    let logo = format!("brand_logo={}", logo.display());
    let set = ["--set", "name=Acme", "--set", "brand_color=#7a1fa2", "--set", &logo];
    let program = Program::start_with(&folder, &set);
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let get = async |path: &str| http.get(program.url(path)).send().await.unwrap();
    let page = get("/sign-in").await.text().await.unwrap().replace("&#x2f;", "/");
    let path_of = |ending: &str| {
        let (before, _) = page.split_once(&format!(".{ending}\"")).unwrap();
        format!("{}.{ending}", before.rsplit('"').next().unwrap())
    };
    assert!(page.contains("<span>Acme</span>") && !page.contains("dancer-a"), "{page}");
    let picture = get(&path_of("png")).await;
    assert_eq!(picture.headers()["content-type"], "image/png");
    assert_eq!(picture.headers()["x-content-type-options"], "nosniff");
    assert_eq!(picture.bytes().await.unwrap(), PNG);
    let style = get(&path_of("css")).await.text().await.unwrap();
    assert!(style.contains("--accent: #7a1fa2; --accent-ink: #ffffff;"), "{style}");
    assert!(program.log().contains("brand_color is #"), "it is too dark for dark pages");
    program.stop();

    let svg = files.path().join("logo.svg");
    std::fs::write(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\"><script/></svg>").unwrap();
    let svg = format!("brand_logo={}", svg.display());
    for command in ["config", "serve"] {
        let (code, said) = failure(&folder.data(), &[command, "--set", &svg]);
        assert!(code == 3 && said.contains("save the logo as PNG"), "{said}");
        let (code, said) = failure(&folder.data(), &[command, "--set", "brand_color=red"]);
        assert!(code == 3 && said.contains("#rrggbb"), "{said}");
    }
}
