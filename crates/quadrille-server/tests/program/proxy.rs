//! A network between the program and its database, which may drop packets, and may lead elsewhere.

use std::{
    io::{Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU16, AtomicUsize, Ordering},
    },
};

pub(crate) struct Network {
    pub(crate) port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    to: AtomicU16,
    connections: AtomicUsize,
    drops: Mutex<bool>,
    mended: Condvar,
    /// The text of the prepared statement from which on packets are dropped, and whether it still
    /// arrives.
    until: Mutex<Option<(&'static str, bool)>>,
}

impl Network {
    /// A network to this port.
    pub(crate) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let here = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            to: AtomicU16::new(port),
            connections: AtomicUsize::new(0),
            drops: Mutex::new(false),
            mended: Condvar::new(),
            until: Mutex::new(None),
        });
        let accepting = Arc::clone(&shared);
        // They end with the process of the tests.
        std::thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                accepting.connections.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(&accepting);
                std::thread::spawn(move || shared.carry(near));
            }
        });
        Self { port: here, shared }
    }

    /// Leads new connections to another port.
    pub(crate) fn leads_to(&self, port: u16) {
        self.shared.to.store(port, Ordering::Relaxed);
    }

    /// Nothing arrives any more, in neither direction, and nobody is told.
    pub(crate) fn drops_packets(&self) {
        *self.shared.drops.lock().unwrap() = true;
    }

    /// Nothing arrives any more as soon as a statement with this text is sent, which still arrives or
    /// does not. No connection may have prepared it before.
    pub(crate) fn drops_packets_at(&self, text: &'static str, arrives: bool) {
        *self.shared.until.lock().unwrap() = Some((text, arrives));
    }

    /// Whether packets are dropped.
    pub(crate) fn is_dropping(&self) -> bool {
        *self.shared.drops.lock().unwrap()
    }

    /// What was sent meanwhile arrives.
    pub(crate) fn is_mended(&self) {
        *self.shared.drops.lock().unwrap() = false;
        self.shared.mended.notify_all();
    }

    /// The number of connections that were begun.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn carry(self: Arc<Self>, near: TcpStream) {
        self.pass();
        let Ok(far) = TcpStream::connect(("127.0.0.1", self.to.load(Ordering::Relaxed))) else {
            return;
        };
        let (back_from, back_to) = (far.try_clone().unwrap(), near.try_clone().unwrap());
        let shared = Arc::clone(&self);
        std::thread::spawn(move || shared.forward(back_from, back_to, |_| {}));
        let mut name = None;
        let shared = Arc::clone(&self);
        self.forward(near, far, move |sent| shared.look_for_the_last(sent, &mut name));
    }

    /// Drops packets from now on if these are the values of the prepared statement. `name` is that of
    /// the statement, once it was prepared: `Parse` has it before the text, and `Bind` between zeros.
    fn look_for_the_last(&self, sent: &[u8], name: &mut Option<Vec<u8>>) {
        let Some((text, arrives)) = *self.until.lock().unwrap() else { return };
        let place = sent.windows(text.len()).position(|part| part == text.as_bytes());
        if let Some(place) = place {
            let parse = b"sqlx_s_";
            let begins = sent[..place].windows(parse.len()).rposition(|part| part == parse);
            let named = &sent[begins.unwrap()..place];
            let length = named.iter().position(|byte| *byte == 0).unwrap();
            *name = Some([b"\0", &named[..length], b"\0"].concat());
            return;
        }
        let is_bind = |name: &Vec<u8>| sent.windows(name.len()).any(|part| part == &name[..]);
        if name.as_ref().is_some_and(is_bind) {
            *self.until.lock().unwrap() = None;
            *self.drops.lock().unwrap() = true;
            if !arrives {
                self.pass();
            }
        }
    }

    fn forward(&self, mut from: TcpStream, mut to: TcpStream, mut look: impl FnMut(&[u8])) {
        let mut bytes = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            self.pass();
            let sent = &bytes[..length];
            look(sent);
            if to.write_all(sent).is_err() {
                break;
            }
        }
        self.pass();
        let _ = (to.shutdown(Shutdown::Both), from.shutdown(Shutdown::Both));
    }

    /// Waits while packets are dropped.
    fn pass(&self) {
        let drops = self.drops.lock().unwrap();
        drop(self.mended.wait_while(drops, |drops| *drops).unwrap());
    }
}
