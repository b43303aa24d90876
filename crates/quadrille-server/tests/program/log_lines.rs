//! Texts of strangers in the lines of the log.

use std::{io::Write as _, net::TcpStream};

use quadrille::page::is_unseen;
use serde_json::Value;

use crate::process::{Folder, Program, rest_of};

/// What a terminal, a viewer of logs or a reader of lines obeys.
const ODD: &str = "a\u{9b}2J\u{2028}b\u{202e}\u{200b}";

fn send(program: &Program, head: &str) {
    let mut stream = TcpStream::connect(&program.listening).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    rest_of(&mut stream);
}

#[test]
fn no_line_of_the_log_has_a_character_that_nobody_sees() {
    for (format, shown) in [("text", r"\u{202e}"), ("json", r"\u202e")] {
        let folder = Folder::new();
        let program = Program::start_with(&folder, &["--log-format", format, "--log", "trace"]);
        let rest = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        send(&program, &format!("GET /{ODD} {rest}"));
        send(&program, &format!("GET /oauth/authorize?client_id={ODD}&scope={ODD} {rest}"));
        let rest = rest.replace("localhost", ODD);
        send(&program, &format!("GET /{ODD} {rest}"));
        let log = program.log();
        program.stop();
        assert!(log.contains(shown), "{log}");
        let unseen: Vec<_> = log.split('\n').filter(|line| line.contains(is_unseen)).collect();
        assert!(unseen.is_empty(), "{unseen:?}");
        if format == "json" {
            let read = |line: &str| serde_json::from_str::<Value>(line).unwrap();
            let lines: Vec<_> = log.lines().map(read).collect();
            let is_of_path = |line: &&Value| line["path"] == format!("/{ODD}");
            assert!(lines.iter().any(|line| is_of_path(&line)), "the value itself remains: {log}");
        }
    }
}
