//! Connections of clients that send requests and do not read the answers.

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    time::Duration,
};

use crate::process::{Folder, Program, rest_of};

const PAGE: &[u8] = b"GET /sign-in HTTP/1.1\r\nhost: x\r\n\r\n";
const LAST: &[u8] = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";

fn connect(program: &Program) -> TcpStream {
    let stream = TcpStream::connect(&program.listening).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// A client that sends requests until the program reads no more of them, and that reads no answer.
fn deaf(program: &Program) -> TcpStream {
    let mut stream = connect(program);
    stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
    let requests = PAGE.repeat(200);
    while stream.write_all(&requests).is_ok() {}
    stream
}

/// Twice as many such clients as there are places.
fn flood(program: &Program) -> Vec<TcpStream> {
    std::thread::scope(|scope| {
        let flood: Vec<_> = (0..16).map(|_| scope.spawn(|| deaf(program))).collect();
        flood.into_iter().map(|client| client.join().unwrap()).collect()
    })
}

/// Whether a client that reads its answers is served.
fn is_served(program: &Program) -> bool {
    let mut stream = connect(program);
    stream.write_all(LAST).unwrap();
    rest_of(&mut stream).starts_with("HTTP/1.1 200")
}

/// Whether the program ends this connection, although nobody reads the answers. The program has
/// stopped reading, so a write waits until the connection is reset.
fn is_ended(mut stream: &TcpStream) -> bool {
    stream.set_write_timeout(Some(Duration::from_secs(20))).unwrap();
    loop {
        if let Err(error) = stream.write_all(PAGE) {
            return matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe);
        }
    }
}

#[test]
fn clients_that_pipeline_and_never_read_shut_nobody_out_not_even_at_their_own_address() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "max_connections=8"]);
    let flood = flood(&program);
    for _ in 0..20 {
        assert!(is_served(&program), "{}", program.log());
    }
    drop(flood);
    program.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn a_flood_of_one_address_that_never_ends_leaves_others_alone() {
    use std::sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    };
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "max_connections=20"]);
    let over = &AtomicBool::new(false);
    let flooded = &program;
    let (came, comes) = mpsc::channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let came = came.clone();
            scope.spawn(move || {
                let mut held = Vec::new();
                while !over.load(Ordering::Relaxed) {
                    let mut stream = connect_from("127.0.0.2", flooded);
                    let _ = stream.write_all(&PAGE.repeat(20));
                    let _ = came.send(());
                    held.push(stream);
                    held.truncate(50);
                }
            });
        }
        let floods = (0..40).all(|_| comes.recv_timeout(Duration::from_secs(20)).is_ok());
        let serves = (0..50).all(|_| is_served(&program));
        over.store(true, Ordering::Relaxed);
        assert!(floods && serves, "{}", program.log());
    });
    program.stop();
}

/// The number of requests from 127.0.0.2 that the program has answered, by its log.
#[cfg(target_os = "linux")]
fn answered_to_the_flood(program: &Program) -> usize {
    program.log().matches("address=127.0.0.2").count()
}

#[cfg(target_os = "linux")]
#[test]
fn a_client_waits_for_few_of_the_requests_that_another_address_has_pipelined() {
    let folder = Folder::new();
    let program = Program::start(&folder);
    let requests = PAGE.repeat(300);
    let flood: Vec<_> = (0..300)
        .map(|_| {
            let mut stream = connect_from("127.0.0.2", &program);
            stream.write_all(&requests).unwrap();
            stream
        })
        .collect();
    assert!(is_served(&program), "{}", program.log());
    // The log is the clock here, so a slow machine changes nothing.
    let before = answered_to_the_flood(&program);
    for _ in 0..5 {
        assert!(is_served(&program), "{}", program.log());
    }
    let meanwhile = answered_to_the_flood(&program) - before;
    assert!(meanwhile < 5 * flood.len(), "{meanwhile} requests of the flood went first");
}

/// A connection from another address of this machine: on Linux, all of 127.0.0.0/8 is local.
#[cfg(target_os = "linux")]
fn connect_from(address: &str, program: &Program) -> TcpStream {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let socket = tokio::net::TcpSocket::new_v4().unwrap();
        socket.bind(format!("{address}:0").parse().unwrap()).unwrap();
        let stream = socket.connect(program.listening.parse().unwrap()).await.unwrap();
        let stream = stream.into_std().unwrap();
        stream.set_nonblocking(false).unwrap();
        stream
    })
}

#[test]
fn a_connection_whose_answers_are_not_read_is_closed_after_a_while() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "write_timeout=1s"]);
    let deaf = deaf(&program);
    assert!(is_ended(&deaf), "{}", program.log());
    // The line follows the end of the connection.
    program.signal("-TERM");
    let (_, log) = program.ended();
    assert!(log.contains("the answer is not read"), "{log}");
}

#[test]
fn silent_slow_idle_and_half_closed_connections_make_room_for_those_who_ask() {
    let folder = Folder::new();
    let program = Program::start_with(&folder, &["--set", "max_connections=8"]);
    let post = "POST /oauth/token HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\ngrant";
    let starts = ["", "GET /health HTTP/1.1\r\nx-slow: ", post];
    for start in starts {
        let mut held: Vec<_> = (0..16).map(|_| connect(&program)).collect();
        for stream in &mut held {
            let _ = stream.write_all(start.as_bytes());
        }
        assert!(is_served(&program), "{start:?}: {}", program.log());
    }
    let idle: Vec<_> = (0..16)
        .map(|_| {
            let mut stream = connect(&program);
            stream.write_all(b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
            assert!(stream.read(&mut [0; 12]).unwrap() > 0);
            stream
        })
        .collect();
    assert!(is_served(&program));
    drop(idle);
    let half_closed = flood(&program);
    for stream in &half_closed {
        let _ = stream.shutdown(std::net::Shutdown::Write);
    }
    assert!(is_served(&program));
    program.stop();
}

#[cfg(target_os = "linux")]
#[test]
fn connections_that_the_system_has_no_descriptors_for_are_not_promised() {
    let folder = Folder::new();
    let program = Program::start_limited(&folder, "ulimit -n 200", &[]);
    assert!(program.log().contains("100 connections are held at most"), "{}", program.log());
    let held: Vec<_> = (0..300).map(|_| connect(&program)).collect();
    assert!(is_served(&program), "{}", program.log());
    assert!(!program.log().contains("cannot accept"), "{}", program.log());
    drop(held);
    program.stop();
    // The limit is raised as far as the system allows.
    let program = Program::start_limited(&folder, "ulimit -S -n 200", &[]);
    assert!(!program.log().contains("too few open files"), "{}", program.log());
    assert!(program.open_files_allowed() >= 4096 + 128, "{}", program.open_files_allowed());
    program.stop();
}
