//! The load: keep-alive HTTP/1.1 connections on one thread. It must cost less per request than the
//! server, so the server's core is the bottleneck. Requests are prepared bytes, and a response is
//! read only as far as a script needs.

pub(crate) mod message;
pub(crate) mod oauth1;
pub(crate) mod script;

use std::{
    io::{Read as _, Write as _},
    net::SocketAddr,
    time::{Duration, Instant},
};

use mio::{Events, Interest, Poll, Token, net::TcpStream};

use crate::{Result, process::Server, stats::Sample};
use message::Answer;
use script::{Progress, Script};

/// Runs one script per connection against the server: for `warm_up` without counting, then for
/// `window`.
pub(crate) fn run(
    server: &Server,
    scripts: Vec<Box<dyn Script>>,
    warm_up: Duration,
    window: Duration,
) -> Result<Sample> {
    run_at(vec![(server, scripts)], warm_up, window)
}

/// [`run`] against several servers at the same time, whose CPU times are added.
pub(crate) fn run_at(
    all: Vec<(&Server, Vec<Box<dyn Script>>)>,
    warm_up: Duration,
    window: Duration,
) -> Result<Sample> {
    let servers: Vec<_> = all.iter().map(|(server, _)| *server).collect();
    let cpu = || servers.iter().map(|server| server.cpu()).sum::<Result<Duration>>();
    let mut crew = Crew::new()?;
    for (server, scripts) in all {
        crew.connect(server.address, scripts)?;
    }
    crew.drive(Until::Time(Instant::now() + warm_up))?;
    let (before, begun) = (cpu()?, Instant::now());
    let operations = crew.drive(Until::Time(begun + window))?;
    let (elapsed, cpu) = (begun.elapsed(), cpu()?.saturating_sub(before));
    if operations == 0 {
        return Err(format!("nothing came to an end in {elapsed:?}").into());
    }
    Ok(Sample::new(operations, elapsed, cpu))
}

/// Runs the scripts until `operations` operations are complete.
pub(crate) fn run_count(
    server: &Server,
    scripts: Vec<Box<dyn Script>>,
    operations: u64,
) -> Result<()> {
    let mut crew = Crew::new()?;
    crew.connect(server.address, scripts)?;
    crew.drive(Until::Count(operations)).map(drop)
}

#[derive(Clone, Copy)]
enum Until {
    Time(Instant),
    Count(u64),
}

/// The connections.
struct Crew {
    poll: Poll,
    events: Events,
    members: Vec<Connection>,
}

struct Connection {
    stream: TcpStream,
    script: Box<dyn Script>,
    request: Vec<u8>,
    answer: Vec<u8>,
    filled: usize,
}

/// The size of the buffer. No response in these workloads is larger.
const ANSWER_LEN: usize = 64 * 1024;

impl Crew {
    fn new() -> Result<Self> {
        let (poll, events) = (Poll::new()?, Events::with_capacity(256));
        Ok(Self { poll, events, members: Vec::new() })
    }

    fn connect(&mut self, address: SocketAddr, scripts: Vec<Box<dyn Script>>) -> Result<()> {
        for script in scripts {
            let index = self.members.len();
            let stream = std::net::TcpStream::connect(address)?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            self.poll.registry().register(&mut stream, Token(index), Interest::READABLE)?;
            let mut member = Connection {
                stream,
                script,
                request: Vec::with_capacity(1024),
                answer: vec![0; ANSWER_LEN],
                filled: 0,
            };
            member.send()?;
            self.members.push(member);
        }
        Ok(())
    }

    /// The number of completed operations.
    fn drive(&mut self, until: Until) -> Result<u64> {
        let mut done = 0;
        let stalled = Duration::from_secs(10);
        loop {
            let patience = match until {
                Until::Time(end) => match end.checked_duration_since(Instant::now()) {
                    Some(left) => left.min(stalled),
                    None => return Ok(done),
                },
                Until::Count(wanted) if done >= wanted => return Ok(done),
                Until::Count(_) => stalled,
            };
            self.poll.poll(&mut self.events, Some(patience))?;
            if self.events.is_empty() && patience == stalled {
                return Err("the server has not answered for ten seconds".into());
            }
            for event in &self.events {
                if let Some(member) = self.members.get_mut(event.token().0) {
                    done += member.readable()?;
                }
            }
        }
    }
}

impl Connection {
    fn send(&mut self) -> Result<()> {
        self.request.clear();
        self.script.request(&mut self.request);
        let sent = self.stream.write(&self.request)?;
        if sent != self.request.len() {
            return Err("a request did not fit into the socket's buffer".into());
        }
        Ok(())
    }

    /// The number of completed operations: none or one. One read is enough if it brings the whole
    /// response, since nothing else is under way on the connection.
    fn readable(&mut self) -> Result<u64> {
        loop {
            let room = self.answer.get_mut(self.filled..).unwrap_or_default();
            match self.stream.read(room) {
                Ok(0) => {
                    return Err(if room.is_empty() {
                        "an answer is too long".into()
                    } else {
                        self.failure("the server closed the connection")
                    });
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(0),
                Err(error) => return Err(error.into()),
            }
            let received = self.answer.get(..self.filled).unwrap_or_default();
            let Some((answer, length)) = Answer::parse(received)? else { continue };
            if length != self.filled {
                return Err(self.failure("more came than the answer"));
            }
            let progress =
                self.script.answer(&answer).map_err(|what| self.failure(&what.to_string()))?;
            self.filled = 0;
            self.send()?;
            return Ok(u64::from(progress == Progress::Done));
        }
    }

    fn failure(&self, what: &str) -> crate::Error {
        let received = self.answer.get(..self.filled).unwrap_or_default();
        format!(
            "{what}\n--- asked\n{}\n--- answered\n{}",
            String::from_utf8_lossy(&self.request),
            String::from_utf8_lossy(received)
        )
        .into()
    }
}
