//! The command line for a person at a terminal: questions, rules before a password, headers, and progress.

use std::{
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::json;

use crate::process::{Folder, Program, failure, json, quadrille, run, text};

/// Runs a command on a pseudo-terminal of util-linux, which gets `typed`. Returns its exit code, and what
/// the terminal shows.
fn at_a_terminal(data: &Path, arguments: &[&str], typed: &str) -> (i32, String) {
    let command = quadrille(arguments);
    let words = [command.get_program()].into_iter().chain(command.get_args());
    let words: Vec<_> = words.map(|word| format!("'{}'", word.to_str().unwrap())).collect();
    let line = format!("exec {} --data-dir '{}'", words.join(" "), data.display());
    let mut terminal = Command::new("script");
    terminal.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => terminal.env(name, value),
            None => terminal.env_remove(name),
        };
    }
    terminal.env("TERM", "xterm").env_remove("NO_COLOR");
    terminal.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = terminal.spawn().unwrap();
    let mut keyboard = child.stdin.take().unwrap();
    keyboard.write_all(typed.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    drop(keyboard);
    (output.status.code().unwrap(), text(&output.stdout).replace('\r', ""))
}

#[test]
fn something_is_removed_after_a_yes_only_and_the_question_says_what_ends() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let data = &program.data;
    program.add_user("Ada", "correct horse battery");
    let scopes = ["--set", "scopes=photos"];
    let token = ["user", "token", "add", "ada", "backups", "--scope", "photos"];
    json(data, &[&token[..], &scopes].concat(), "");
    let add = ["client", "add", "Printer", "--redirect-uri", "https://printer.example/callback"];
    let id = program.json(&add)["client_id"].as_str().unwrap().to_owned();

    let (code, said) = failure(data, &["user", "remove", "ada"]);
    assert!(code == 2 && said.contains("nothing was done") && said.contains("--yes"), "{said}");
    for answer in ["\n", "y\n", "no\n"] {
        let (code, said) = at_a_terminal(data, &["user", "remove", "ada"], answer);
        assert_eq!(code, 2, "{said}");
        assert!(said.contains("0 clients and 1 personal access token."), "{said}");
    }
    assert_eq!(program.json(&["user", "list"])[0]["username"], "Ada");
    let (code, said) = at_a_terminal(data, &["user", "remove", "ada"], "yes\n");
    assert!(code == 0 && said.contains("Ada was removed."), "{said}");
    assert_eq!(program.json(&["user", "list"]), json!([]));

    let (code, said) = at_a_terminal(data, &["client", "remove", &id], "\n");
    assert!(code == 2 && said.contains("Printer") && said.contains("its tokens"), "{said}");
    let (code, said) = at_a_terminal(data, &["client", "remove", &id, "--yes"], "");
    assert!(code == 0 && !said.contains("Type yes"), "{said}");
}

#[test]
fn what_a_password_must_be_is_said_before_it_is_typed() {
    let folder = Folder::new();
    let data = folder.data();
    let typed = "correct horse\ncorrect horse\n";
    let (code, said) = at_a_terminal(&data, &["user", "add", "ada"], typed);
    assert_eq!(code, 0, "{said}");
    let rules = said.find("at least 8 characters").unwrap();
    assert!(rules < said.find("Password: ").unwrap(), "{said}");
    // A program that hands a password over is told when it is wrong only.
    let output = run(&data, &["user", "add", "bob", "--password-stdin"], "correct horse\n");
    assert_eq!(text(&output.stderr), "");
}

#[test]
fn a_forgotten_redirect_uri_is_asked_for_and_never_makes_a_machine() {
    let folder = Folder::new();
    let data = folder.data();
    let add = ["client", "add", "Printer"];
    let (code, said) = failure(&data, &add);
    assert!(code == 2 && said.contains("--redirect-uri"), "{said}");
    assert!(said.contains("--grant client_credentials"), "{said}");
    let (code, said) = at_a_terminal(&data, &add, "\n");
    assert!(code == 2 && said.contains("--grant client_credentials"), "{said}");
    assert!(!data.exists());
    let (code, said) = at_a_terminal(&data, &add, "https://printer.example/callback\n");
    assert!(code == 0 && said.contains("Redirect URI, such as"), "{said}");
    let added = json(&data, &["client", "list"], "")[0].clone();
    assert_eq!(added["redirect_uris"], json!(["https://printer.example/callback"]));
    assert_eq!(added["grant_types"], json!(["authorization_code", "refresh_token"]));
    // A machine is named as one, and is not asked.
    let machine = ["client", "add", "Job", "--grant", "client_credentials"];
    let (code, said) = at_a_terminal(&data, &machine, "");
    assert!(code == 0 && !said.contains("Redirect URI, such as"), "{said}");
}

#[test]
fn lists_have_headers_for_people_and_rows_alone_for_programs() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let data = &program.data;
    program.add_user("Ada", "correct horse battery");
    let added = program.json(&["client", "add", "Job", "--grant", "client_credentials"]);
    let id = added["client_id"].as_str().unwrap();
    program.json(&["user", "token", "add", "ada", "backups"]);
    program.json(&["registration", "add-token", "Printers"]);
    program.json(&["keys", "rotate"]);
    for (list, head, of_row) in [
        (&["user", "list"][..], "NAME  SUBJECT ", "Ada"),
        (&["client", "list"], "CLIENT ID  ", "Job"),
        (&["client", "secret", "list", id], "SECRET  ", "generated"),
        (&["user", "token", "list", "ada"], "NUMBER  ", "backups"),
        (&["user", "access", "ada"], "NUMBER  ", "backups"),
        (&["registration", "list"], "NUMBER  ", "Printers"),
        (&["keys", "list"], "KEY  ", "ES256"),
        (&["login", "--list"], "SERVICE  ", "GitHub"),
    ] {
        let (code, shown) = at_a_terminal(data, list, "");
        let words = |line: &str| line.split_whitespace().next().map(str::to_owned);
        let expected = words(head);
        assert!(code == 0 && shown.lines().any(|line| words(line) == expected), "{shown}");
        assert!(shown.contains(of_row), "{shown}");
        let piped = text(&run(data, list, "").stdout);
        assert!(!piped.lines().any(|line| words(line) == expected), "{piped}");
        assert!(piped.contains(of_row), "{piped}");
    }
}

#[test]
fn every_error_looks_the_same_whoever_finds_it() {
    let folder = Folder::new();
    let data = folder.data();
    let (ours, clap) = (["user", "remove", "nobody", "--yes"], ["user", "remvoe", "nobody"]);
    json(&data, &["migrate"], "");
    for (arguments, expected) in [(&ours[..], 6), (&clap, 2)] {
        let (code, said) = failure(&data, arguments);
        assert!(code == expected && said.starts_with("quadrille: "), "{said}");
        assert!(!said.contains('\u{1b}'), "{said}");
        let (code, shown) = at_a_terminal(&data, arguments, "");
        assert_eq!(code, expected);
        assert!(shown.starts_with("\u{1b}[1m\u{1b}[31mquadrille:\u{1b}[0m "), "{shown:?}");
    }
    let (_, said) = failure(&data, &clap);
    assert!(said.contains("did you mean \"remove\"?") && said.contains("--help"), "{said}");
    // Without a command the help is shown, which is no error message.
    let output = quadrille(&["user"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).starts_with("Manage users"), "{}", text(&output.stderr));
}
