//! What a service manager is told.

use std::{
    os::{
        linux::net::SocketAddrExt as _,
        unix::net::{SocketAddr, UnixDatagram},
    },
    path::Path,
    time::Duration,
};

use crate::process::{Folder, Program};

/// The next message to the service manager.
fn message(socket: &UnixDatagram) -> String {
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut room = [0; 64];
    let length = socket.recv(&mut room).unwrap();
    String::from_utf8_lossy(&room[..length]).into_owned()
}

fn start(folder: &Folder, name: &Path) -> Program {
    Program::start_by(folder, &[], |command| {
        command.env("NOTIFY_SOCKET", name);
    })
}

#[test]
fn a_service_manager_is_told_when_connections_are_accepted_and_when_the_program_stops() {
    let folder = Folder::new();
    let name = folder.path().join("notify");
    let socket = UnixDatagram::bind(&name).unwrap();
    let program = start(&folder, &name);
    assert_eq!(message(&socket), "READY=1");
    assert!(std::net::TcpStream::connect(&program.listening).is_ok());
    program.stop();
    assert_eq!(message(&socket), "STOPPING=1");
}

#[test]
fn the_socket_of_a_service_manager_may_be_abstract_and_its_absence_stops_nothing() {
    let folder = Folder::new();
    let name = format!("quadrille-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    let program = start(&folder, Path::new(&format!("@{name}")));
    assert_eq!(message(&socket), "READY=1");
    program.stop();
    let program = start(&folder, Path::new("/nowhere/notify"));
    program.signal("-TERM");
    let (status, log) = program.ended();
    assert!(status.success(), "{log}");
    assert!(log.contains("the service manager cannot be told STOPPING=1"), "{log}");
}
