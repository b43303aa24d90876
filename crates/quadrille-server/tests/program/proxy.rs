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
        std::thread::spawn(move || shared.forward(back_from, back_to));
        self.forward(near, far);
    }

    fn forward(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut bytes = [0; 16_384];
        while let Ok(length @ 1..) = from.read(&mut bytes) {
            self.pass();
            if to.write_all(&bytes[..length]).is_err() {
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
