//! A cache in memcached, by the few commands of its meta protocol that are needed.

use std::{
    fmt, io,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
    runtime::{Handle, Id},
};

use crate::{Env, Timestamp};

use super::{VolatileCache, VolatileEntry, VolatileFound, VolatileKey, packed};
use crate::provider::store::{RowId, StoreError};

/// The time for which memcached keeps an entry that has expired, for clocks that differ.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// The longest lifetime that memcached does not take for a date.
const LONGEST: u64 = 30 * 24 * 3600;

/// The time that memcached has for an answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// The connections that are kept.
const KEPT: usize = 64;

/// The longest value: memcached takes a mebibyte by default.
const LONGEST_VALUE: usize = 1 << 20;

/// A cache in memcached 1.6.12 or later, which processes share.
///
/// memcached does not tell what it has lost, so it keeps no marks of used keys. It has no
/// encryption here, and often no password: the network must keep strangers out.
///
/// ```
/// use quadrille::{Env, provider::store::VolatileMemcached};
///
/// let cache = VolatileMemcached::new("cache.internal:11211", "app-", Env::system());
/// ```
pub struct VolatileMemcached {
    address: Box<str>,
    prefix: Box<str>,
    env: Env,
    /// A connection belongs to the runtime that made it.
    idle: Mutex<Vec<(Id, Connection)>>,
}

type Connection = BufReader<TcpStream>;

/// The answer to a command.
struct Line {
    /// `HD`, `VA`, `EN`, `NS`, `EX` or `NF`.
    code: String,
    /// The number that `c` returns.
    cas: u64,
    value: Vec<u8>,
}

impl VolatileMemcached {
    /// A cache on the server at this address, a host with a port, in keys that begin with this
    /// prefix: at most 100 letters, digits and hyphens. It connects when it is first used.
    pub fn new(address: &str, prefix: &str, env: Env) -> Self {
        let is_fit = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
        let prefix: String = prefix.chars().filter(is_fit).take(100).collect();
        Self { address: address.into(), prefix: prefix.into(), env, idle: Mutex::default() }
    }

    /// Sends a command, and a value with it.
    async fn ask(&self, command: String, value: Option<&[u8]>) -> Result<Line, StoreError> {
        let runtime = Handle::current().id();
        let asking = async {
            let mut connection = match self.kept(runtime) {
                Some(connection) => connection,
                None => BufReader::new(TcpStream::connect(&*self.address).await?),
            };
            let answer = exchange(&mut connection, command, value).await?;
            Ok::<_, io::Error>((connection, answer))
        };
        let asked = tokio::time::timeout(PATIENCE, asking).await;
        match asked.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok((connection, answer)) => {
                let mut idle = self.idle();
                if idle.len() < KEPT {
                    idle.push((runtime, connection));
                }
                Ok(answer)
            }
            Err(error) => {
                // The others may be as old.
                self.idle().clear();
                tracing::error!(%error, "memcached failed");
                Err(StoreError::cache_unavailable(error))
            }
        }
    }

    /// An idle connection that the server has not ended.
    fn kept(&self, runtime: Id) -> Option<Connection> {
        let mut idle = self.idle();
        idle.retain(|(made_in, connection)| *made_in != runtime || is_open(connection));
        let kept = idle.iter().rposition(|(made_in, _)| *made_in == runtime)?;
        Some(idle.swap_remove(kept).1)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<(Id, Connection)>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The entry that memcached has, expired or not, and its number.
    async fn get(&self, name: &str) -> Result<Option<(Vec<u8>, u64)>, StoreError> {
        let line = self.ask(format!("mg {} v c", self.key(name)), None).await?;
        match &*line.code {
            "VA" => Ok(Some((line.value, line.cas))),
            "EN" => Ok(None),
            _ => Err(unexpected(&line.code)),
        }
    }

    /// Stores a value where there is none, or in the place of the one with this number.
    async fn set(
        &self,
        name: &str,
        value: &[u8],
        lifetime: Duration,
        instead_of: Option<u64>,
    ) -> Result<bool, StoreError> {
        let (key, length) = (self.key(name), value.len());
        let seconds = lifetime.as_secs().clamp(1, LONGEST);
        let mode = instead_of.map_or("ME".to_owned(), |cas| format!("C{cas}"));
        let command = format!("ms {key} {length} T{seconds} {mode}");
        let line = self.ask(command, Some(value)).await?;
        match &*line.code {
            "HD" => Ok(true),
            "NS" | "EX" | "NF" => Ok(false),
            _ => Err(unexpected(&line.code)),
        }
    }

    async fn raise_newest(&self, row: RowId) -> Result<(), StoreError> {
        loop {
            let held = self.get(NEWEST).await?;
            let newest = held.as_ref().map_or(0, |(value, _)| number(value));
            if row.0 <= newest {
                return Ok(());
            }
            let cas = held.map(|(_, cas)| cas);
            let lifetime = Duration::from_secs(LONGEST);
            if self.set(NEWEST, row.0.to_string().as_bytes(), lifetime, cas).await? {
                return Ok(());
            }
        }
    }

    fn version(&self) -> u64 {
        u64::from_be_bytes(self.env.random())
    }
}

/// The name of what is written to see whether the server takes it. No kind of entry has it.
const CHECK: &str = "check";

/// The name of the greatest number. No kind of entry has it.
const NEWEST: &str = "newest";

impl VolatileCache for VolatileMemcached {
    async fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if let Some(row) = entry.row {
            self.raise_newest(row).await?;
        }
        let value = packed::write(self.version(), entry.expires, &entry.value);
        let lifetime = entry.expires.since(now) + LEFT_BEHIND;
        if self.set(key.as_str(), &value, lifetime, None).await? {
            return Ok(true);
        }
        let Some((held, cas)) = self.get(key.as_str()).await? else { return Ok(false) };
        let is_over = packed::read(&held).is_none_or(|it| it.expires.seconds() < now.seconds());
        Ok(is_over && self.set(key.as_str(), &value, lifetime, Some(cas)).await?)
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        let found = self.get(key.as_str()).await?.and_then(|(held, _)| packed::read(&held));
        Ok(found.filter(|found| found.expires.seconds() >= now.seconds()))
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let Some((held, cas)) = self.get(key.as_str()).await? else { return Ok(false) };
        let is_same = packed::read(&held).is_some_and(|held| {
            held.version == found.version && held.expires.seconds() >= now.seconds()
        });
        let value = packed::write(self.version(), found.expires, &value);
        let lifetime = found.expires.since(now) + LEFT_BEHIND;
        Ok(is_same && self.set(key.as_str(), &value, lifetime, Some(cas)).await?)
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        let line = self.ask(format!("md {}", self.key(key.as_str())), None).await?;
        match &*line.code {
            "HD" | "NF" => Ok(()),
            _ => Err(unexpected(&line.code)),
        }
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        Ok(RowId(self.get(NEWEST).await?.map_or(0, |(value, _)| number(&value))))
    }

    /// Writes, since a server without memory only reads.
    async fn check(&self) -> Result<(), StoreError> {
        let held = self.get(CHECK).await?.map(|(_, cas)| cas);
        // Another process may write at the same time.
        self.set(CHECK, b"1", LEFT_BEHIND, held).await.map(drop)
    }
}

impl fmt::Debug for VolatileMemcached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileMemcached").field("address", &self.address).finish_non_exhaustive()
    }
}

/// `true` if there is nothing to read: neither the end nor what nobody asked for.
fn is_open(connection: &Connection) -> bool {
    let read = connection.get_ref().try_read(&mut [0]);
    read.is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

fn number(value: &[u8]) -> i64 {
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn unexpected(code: &str) -> StoreError {
    tracing::error!(code, "memcached failed");
    StoreError::cache_unavailable(format!("memcached said {code}"))
}

/// One command and its answer.
async fn exchange(
    connection: &mut Connection,
    mut command: String,
    value: Option<&[u8]>,
) -> io::Result<Line> {
    command.push_str("\r\n");
    let mut bytes = command.into_bytes();
    if let Some(value) = value {
        bytes.extend_from_slice(value);
        bytes.extend_from_slice(b"\r\n");
    }
    connection.write_all(&bytes).await?;
    let mut head = String::new();
    let read = (&mut *connection).take(2048).read_line(&mut head).await?;
    if read == 0 || !head.ends_with("\r\n") {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let mut words = head.split_ascii_whitespace();
    let code = words.next().unwrap_or_default().to_owned();
    let mut value = Vec::new();
    if code == "VA" {
        let length = words.next().and_then(|length| length.parse().ok());
        let length = length.filter(|length: &usize| *length <= LONGEST_VALUE);
        value = vec![0; length.ok_or(io::ErrorKind::InvalidData)? + 2];
        connection.read_exact(&mut value).await?;
        value.truncate(value.len() - 2);
    }
    let cas = words.find_map(|word| word.strip_prefix('c')?.parse().ok()).unwrap_or(0);
    Ok(Line { code, cas, value })
}
