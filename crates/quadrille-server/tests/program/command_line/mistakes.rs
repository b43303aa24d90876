//! The mistakes that people make, and what they are told: which word is wrong, and what to do.

use serde_json::Value;

use crate::process::{Folder, Program, quadrille, run, text};

/// A command, the exit code, and what the message has.
struct Mistake<'a> {
    arguments: &'a [&'a str],
    input: &'a str,
    code: i32,
    said: &'a [&'a str],
}

#[test]
fn twelve_typical_mistakes_are_told_with_what_is_wrong_and_what_to_do() {
    let (folder, empty) = (Folder::new(), Folder::new());
    let program = Program::start_with(&folder, &["--set", "scopes=photos:read"]);
    program.add_user("Ada", "correct horse battery");
    let at = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(at("q.toml"), "acess_token_lifetime = \"10m\"\n").unwrap();
    std::fs::create_dir(at("pages")).unwrap();
    std::fs::write(at("pages/signin.html"), "Hello").unwrap();
    let (file, pages) = (at("q.toml"), format!("templates={}", at("pages")));
    let listening = program.listening.as_str();
    let printer = ["client", "add", "Printer", "--redirect-uri"];
    let with_scope = [&printer[..], &["https://a.example/", "--scope", "fotos:read"]].concat();
    let bad_uri = [&printer[..], &["http://printer.example/callback"]].concat();
    let mistakes = [
        Mistake {
            arguments: &["serve", "--lisen", "127.0.0.1:0"],
            input: "",
            code: 2,
            said: &[
                "there is no option \"--lisen\"; did you mean \"--listen\"?",
                "Usage: quadrille serve",
            ],
        },
        Mistake {
            arguments: &["client", "add", "Printer"],
            input: "",
            code: 2,
            said: &["a client needs --redirect-uri", "--grant client_credentials"],
        },
        Mistake {
            arguments: &with_scope,
            input: "",
            code: 2,
            said: &["there is no scope \"fotos:read\"", "did you mean \"photos:read\"?"],
        },
        Mistake {
            arguments: &["client", "show", "printer"],
            input: "",
            code: 6,
            said: &["there is no client \"printer\""],
        },
        Mistake {
            arguments: &["config", "--set", &pages],
            input: "",
            code: 0,
            said: &["signin.html: no page has this name; did you mean \"sign-in.html\"?"],
        },
        Mistake {
            arguments: &bad_uri,
            input: "",
            code: 2,
            said: &["http://printer.example/callback: the URI is neither https"],
        },
        Mistake {
            arguments: &["config", "--config", &file],
            input: "",
            code: 3,
            said: &[
                "q.toml: there is no setting \"acess_token_lifetime\"",
                "did you mean \"access_token_lifetime\"?",
            ],
        },
        Mistake {
            arguments: &["serve", "--listen", listening],
            input: "",
            code: 5,
            said: &["cannot listen on", listening, "another program listens there"],
        },
        Mistake {
            arguments: &["user", "add", "bob", "--password-stdin"],
            input: "secret\n",
            code: 2,
            said: &["a password needs at least 8 characters"],
        },
        Mistake {
            arguments: &["user", "remove", "ada"],
            input: "",
            code: 2,
            said: &["Ada is removed for good", "nothing was done", "--yes"],
        },
        Mistake {
            arguments: &["serve", "--listen", "127.0.0.1:0", "--issuer", "https://other.example"],
            input: "",
            code: 2,
            said: &["another process serves", "with the issuer http://localhost"],
        },
    ];
    let told = |data: &std::path::Path, mistake: &Mistake<'_>| {
        let output = run(data, mistake.arguments, mistake.input);
        let said = text(&output.stderr);
        let arguments = mistake.arguments;
        assert_eq!(output.status.code(), Some(mistake.code), "{arguments:?}: {said}");
        for words in mistake.said {
            assert!(said.contains(words), "{arguments:?}: {words}: {said}");
        }
        if mistake.code == 0 {
            return;
        }
        // One look for people, and one for programs.
        let line = said.lines().next().unwrap();
        assert!(line.starts_with("quadrille: "), "{said}");
        assert!(!said.contains("error:") && !said.contains("tip:"), "{said}");
        let output = run(data, &[arguments, &["--json"]].concat(), mistake.input);
        let line = text(&output.stderr);
        let line: Value = serde_json::from_str(line.lines().last().unwrap()).unwrap();
        let message = line["message"].as_str().unwrap();
        assert!(line["error"].is_string(), "{line}");
        assert!(said.contains(message.lines().next().unwrap()), "{line}");
    };
    for mistake in &mistakes {
        told(&program.data, mistake);
    }
    let missing = Mistake {
        arguments: &["client", "list"],
        input: "",
        code: 4,
        said: &["has no data of a provider", "--data-dir", "`quadrille serve`"],
    };
    told(&empty.path().join("nothing"), &missing);
    assert_eq!(mistakes.len() + 1, 12);
    program.stop();
}

#[test]
fn a_misspelt_command_is_named_with_the_nearest_one() {
    for (arguments, said) in [
        (&["serv"][..], "there is no command \"serv\"; did you mean \"serve\"?"),
        (&["client", "ad"], "there is no command \"ad\"; did you mean \"add\"?"),
        (&["user", "list", "ada"], "there is no argument \"ada\""),
        (&["client", "--json"], "`quadrille client` needs one of its commands: add"),
        (&["completions", "csh"], "<SHELL> takes no \"csh\" (one of bash"),
        (&["user", "add"], "<NAME> is required"),
    ] {
        let output = quadrille(arguments).output().unwrap();
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{told}");
        assert!(told.contains(said), "{said}: {told}");
    }
}
