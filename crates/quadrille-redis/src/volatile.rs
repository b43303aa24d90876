//! A cache of a provider's short-lived records.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};

use quadrille::{
    Env, Timestamp,
    provider::store::{
        RowId, StoreError, VolatileCache, VolatileEntry, VolatileFound, VolatileKey,
    },
};
use redis::{
    Cmd, ErrorKind, FromRedisValue, RedisError, Script, ScriptInvocation, ServerErrorKind,
    aio::ConnectionLike,
};

/// The time for which Redis keeps an entry that has expired, for clocks that differ.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// The time by which the clocks of the processes may differ from those of the clients.
const SKEW: Duration = Duration::from_secs(5);

/// The longest time by which Redis keeps an entry beyond its lifetime, if the clock of the process that adds
/// it is ahead: the entry is there until it has expired by the server's clock, too.
const SLOWER: Duration = Duration::from_hours(2);

/// An error that comes within this time is that of an attempt to connect from before.
const AT_ONCE: Duration = Duration::from_millis(50);

/// The shortest time between two lines in the log about losses, in milliseconds.
const LOG_AGAIN: i64 = 60_000;

/// After [`READ_ONLY`], the next call finds that the connection has ended.
const REPEATS: u32 = 2;

/// The error of a replica.
const READ_ONLY: ErrorKind = ErrorKind::Server(ServerErrorKind::ReadOnly);

/// The answer of [`ADD`] and [`REPLACE`] after a loss.
const LOST: i64 = 2;

/// The digits before a value: the mark of its run, its version, its expiry in seconds.
const MARK: usize = 16;
const VERSION: usize = 16;
const EXPIRES: usize = 20;

/// The head of each script, which begins with the key of the run: what the server is, how many
/// keys it has evicted, since when nothing is lost, and the mark of entries; a random number for the last loss,
/// and when it was noticed by the server's clock, in milliseconds. The server has another
/// `run_id` after each restart, and another `master_replid` after each promotion and each data set
/// that it took from a primary: so a primary that gets the data of its replica, and is promoted
/// again, is not what it was. A server that tells neither cannot notice its losses.
macro_rules! script {
    ($rest:literal) => {
        concat!(
            "local function server()
                local run = string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')
                local history = redis.call('INFO', 'replication')
                history = string.match(history, 'master_replid:(%x+)')
                if not run or not history then error('no run_id and master_replid in INFO') end
                return run .. history
            end
            local function evicted()
                return string.match(redis.call('INFO', 'stats'), 'evicted_keys:(%d+)') or '0'
            end
            local function clock()
                local time = redis.call('TIME')
                return time[1] * 1000 + math.floor(time[2] / 1000)
            end
            local function begin(id, evictions, since, mark, loss, lost)
                local run = id .. ' ' .. evictions .. ' ' .. since .. ' ' .. loss .. ' '
                redis.call('SET', KEYS[1], run .. string.format('%.0f', lost) .. ' ' .. mark)
            end
            local run = redis.call('GET', KEYS[1]) or ''
            local id, evictions, since, loss, lost, mark =
                string.match(run, '^(%x+) (%d+) (%d+) (%x+) (%d+) (%x+)$')
            local now, new_since, new_mark = tonumber(ARGV[1]), ARGV[2], ARGV[3]",
            $rest
        )
    };
}

/// Run, entry, newest; now, since, mark; version, expiry, value, lifetime, row, and the milliseconds of
/// `SLOWER` and `LEFT_BEHIND`. 2 after a loss. An entry with this version is there if this call was answered to nobody.
const ADD: &str = script!(
    "
    local added = 1
    if not mark then
        added = 2
        mark = new_mark
        begin(server(), evicted(), new_since, mark, new_mark, clock())
    end
    local there = redis.call('GET', KEYS[2])
    if there and mark == string.sub(there, 1, 16) and ARGV[4] == string.sub(there, 17, 32) then
        return 1
    end
    if there and tonumber(string.sub(there, 33, 52)) >= now then return 0 end
    if ARGV[8] ~= '' and ARGV[8] > (redis.call('GET', KEYS[3]) or '') then
        redis.call('SET', KEYS[3], ARGV[8])
    end
    local left = ARGV[5] * 1000 - clock() + ARGV[10]
    left = math.max(ARGV[7], math.min(left, ARGV[7] + ARGV[9]))
    left = string.format('%.0f', left)
    redis.call('SET', KEYS[2], mark .. ARGV[4] .. ARGV[5] .. ARGV[6], 'PX', left)
    return added"
);

/// Run, entry; now, since, mark; version as it was found, the next one, value. 2 after a loss. The
/// next version is there if this call was answered to nobody.
const REPLACE: &str = script!(
    "
    local there = redis.call('GET', KEYS[2])
    if not there or tonumber(string.sub(there, 33, 52)) < now then return 0 end
    local version = string.sub(there, 17, 32)
    if version ~= ARGV[4] and version ~= ARGV[5] then return 0 end
    local here = server()
    if id ~= here then
        begin(here, evicted(), new_since, new_mark, new_mark, clock())
        return 2
    end
    if mark ~= string.sub(there, 1, 16) then return 0 end
    if version == ARGV[5] then return 1 end
    local value = mark .. ARGV[5] .. string.sub(there, 33, 52) .. ARGV[6]
    redis.call('SET', KEYS[2], value, 'KEEPTTL')
    return 1"
);

/// Run; now, since, mark; the number of the last loss that the process has seen. The time since which nothing
/// is lost, in milliseconds, and the number of the last loss.
///
/// The process that notices a loss may have a clock that is behind. So each process, when it sees a loss for
/// the first time, raises the time to that of the loss by its own clock, which the server's clock tells: the
/// greatest of them counts.
const SINCE: &str = script!(
    "
    local here, gone = server(), evicted()
    local is_lost = id ~= here or evictions ~= gone
    if not is_lost and loss == ARGV[4] then return {since, loss} end
    local by_ours = tonumber(new_since)
    if not is_lost then by_ours = by_ours - math.max(0, clock() - lost) end
    if since and by_ours <= tonumber(since) and not is_lost then return {since, loss} end
    if is_lost then loss, lost = new_mark, clock() end
    if id ~= here then mark = new_mark end
    since = string.format('%.0f', math.max(by_ours, since or 0))
    begin(here, gone, since, mark, loss, lost)
    return {since, loss}"
);

/// A cache of short-lived records in Redis or Valkey, for a
/// [`VolatileStore`](quadrille::provider::store::VolatileStore) whose processes share it. Cheap to
/// clone, as its connection is.
///
/// It notices when the server loses what it had: when it is emptied, evicts keys, restarts, or when
/// a replica takes its place, which may not have got everything. What was made before that is
/// accepted no more: its user, or its client, begins again. So it keeps marks of used keys, too. A
/// server that never had a replica counts as another one when it gets its first. The clocks of the
/// processes may differ: each takes account of a loss by its own clock, and entries are there until they have
/// expired by the server's clock, too, if it is behind by two hours at most. The server's clock must not be
/// set forward by more than a minute.
///
/// All keys are in one slot of a cluster. The user needs the commands `GET`, `MGET`, `SET`, `DEL`,
/// `EVALSHA`, `SCRIPT LOAD`, `INFO` and `TIME`.
///
/// ```no_run
/// use quadrille::{Env, KeyRing, provider::store::{MemoryStore, VolatileStore}};
/// use quadrille_redis::VolatileRedis;
///
/// # async fn open(store: MemoryStore, keys: KeyRing) -> Result<(), Box<dyn std::error::Error>> {
/// let client = redis::Client::open("redis://cache.internal/")?;
/// let cache = VolatileRedis::new(client.get_connection_manager().await?, Env::system());
/// if cache.evicts().await? {
///     return Err("configure it with maxmemory-policy noeviction".into());
/// }
/// let store = VolatileStore::new(store, cache, keys, Env::system());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VolatileRedis<C> {
    connection: C,
    env: Env,
    prefix: Arc<str>,
    scripts: Arc<Scripts>,
    losses: Arc<Losses>,
}

/// What this process knows of losses, in milliseconds.
#[derive(Default)]
struct Losses {
    /// The moment since which nothing is lost.
    since: AtomicI64,
    /// That moment in the last line of the log.
    logged: AtomicI64,
    /// The number of the last loss that was seen.
    seen: AtomicU64,
}

struct Scripts {
    add: Script,
    replace: Script,
    since: Script,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> VolatileRedis<C> {
    /// A cache in keys that begin with `{quadrille-volatile}:`, on a connection that clones share.
    /// Its time-outs decide how long a request waits for a server that is slow.
    pub fn new(connection: C, env: Env) -> Self {
        Self::with_prefix(connection, env, "{quadrille-volatile}:")
    }

    /// A cache in keys with another prefix, for several stores on one server. Braces in it name the
    /// slot of a cluster.
    pub fn with_prefix(connection: C, env: Env, prefix: &str) -> Self {
        let scripts = Scripts {
            add: Script::new(ADD),
            replace: Script::new(REPLACE),
            since: Script::new(SINCE),
        };
        let (scripts, losses) = (Arc::new(scripts), Arc::default());
        Self { connection, env, prefix: prefix.into(), scripts, losses }
    }

    /// `true` if the server removes keys when its memory is full (`maxmemory-policy`). Each eviction
    /// then ends what is under way: see [`VolatileRedis`].
    ///
    /// # Errors
    /// [`StoreError::CacheUnavailable`].
    pub async fn evicts(&self) -> Result<bool, StoreError> {
        let mut info = redis::cmd("INFO");
        info.arg("memory");
        let info: String = self.run(&info).await?;
        let field = |name: &str| info.lines().find_map(|line| line.strip_prefix(name));
        let is_bounded = field("maxmemory:").is_none_or(|bytes| bytes.trim() != "0");
        let is_kept = field("maxmemory_policy:").is_some_and(|name| name.trim() == "noeviction");
        Ok(is_bounded && !is_kept)
    }

    fn key(&self, name: &str) -> String {
        [&self.prefix, name].concat()
    }

    /// The key of the run. No kind of entry has this name.
    fn key_of_run(&self) -> String {
        self.key("run")
    }

    /// A call of a script, with the arguments that all have.
    fn call<'a>(&self, script: &'a Script, now: Timestamp) -> ScriptInvocation<'a> {
        let since = (now + SKEW).millis().max(0);
        let mut call = script.key(self.key_of_run());
        call.arg(now.seconds()).arg(since).arg(self.digits());
        call
    }

    /// Random digits, which come never again.
    fn digits(&self) -> String {
        digits(u64::from_be_bytes(self.env.random()))
    }

    async fn answer<T: FromRedisValue>(
        &self,
        call: &ScriptInvocation<'_>,
    ) -> Result<T, StoreError> {
        self.repeat(|| async { call.invoke_async(&mut self.connection.clone()).await }).await
    }

    async fn run<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, StoreError> {
        self.repeat(|| async { command.query_async(&mut self.connection.clone()).await }).await
    }

    /// Does it again if the connection had ended, as one does that was idle, or could not be made before, or
    /// leads to a replica: its name may lead to the primary by now. Each verb may be repeated.
    async fn repeat<T, F: Future<Output = Result<T, RedisError>>>(
        &self,
        verb: impl Fn() -> F,
    ) -> Result<T, StoreError> {
        let clock = Env::system();
        let mut begun = clock.steady();
        let mut answer = verb().await;
        for _ in 0..REPEATS {
            let is_at_once = clock.steady().since(begun) < AT_ONCE;
            match &answer {
                Err(error) if error.kind() == READ_ONLY => {
                    // The server ends the connection.
                    let quit = redis::cmd("QUIT");
                    let _: Result<(), _> = quit.query_async(&mut self.connection.clone()).await;
                }
                Err(error) if error.is_connection_dropped() && !error.is_connection_refusal() => {}
                // The connection is made only now, and the server may be back.
                Err(error) if error.is_io_error() && is_at_once => {}
                _ => break,
            }
            begun = clock.steady();
            answer = verb().await;
        }
        answer.map_err(unavailable)
    }
}

impl Losses {
    /// `since` is the moment since which nothing is lost.
    fn know(&self, since: i64, now: Timestamp) {
        let known = self.since.fetch_max(since, Ordering::AcqRel);
        // A process that starts knows of a loss if it is now.
        if known < since && (known != 0 || now.millis() < since) {
            self.log(since);
        }
    }

    /// Logs a loss, not each one of a server that evicts all the time.
    fn log(&self, since: i64) {
        let logged = self.logged.load(Ordering::Acquire);
        let may = since >= logged + LOG_AGAIN;
        if may
            && self
                .logged
                .compare_exchange(logged, since, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
        {
            tracing::warn!(
                "the cache in Redis has lost what it had: it is new, was emptied, restarted or \
                 promoted, or evicted keys; logins under way begin again, and what clients signed \
                 before is refused (OAuth 1.0a: for the window of timestamps)"
            );
        }
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> VolatileCache for VolatileRedis<C> {
    async fn add(
        &self,
        key: &VolatileKey,
        entry: VolatileEntry,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut call = self.call(&self.scripts.add, now);
        call.key(self.key(key.as_str())).key(self.key("newest"));
        let lifetime = entry.expires.since(now) + LEFT_BEHIND;
        call.arg(self.digits()).arg(format!("{:020}", entry.expires.seconds().max(0)));
        call.arg(entry.value).arg(u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX / 4));
        call.arg(entry.row.map_or(String::new(), |row| format!("{:019}", row.0.max(0))));
        for time in [SLOWER, LEFT_BEHIND] {
            call.arg(u64::try_from(time.as_millis()).unwrap_or(u64::MAX / 4));
        }
        let answer: i64 = self.answer(&call).await?;
        if answer == LOST {
            self.losses.log((now + SKEW).millis());
        }
        Ok(answer != 0)
    }

    async fn find(
        &self,
        key: &VolatileKey,
        now: Timestamp,
    ) -> Result<Option<VolatileFound>, StoreError> {
        let mut get = redis::cmd("MGET");
        get.arg(self.key_of_run()).arg(self.key(key.as_str()));
        let (run, held): (Option<Vec<u8>>, Option<Vec<u8>>) = self.run(&get).await?;
        let (Some(run), Some(held)) = (run, held) else { return Ok(None) };
        let found = unpack(&held).ok_or(StoreError::Corrupt("an entry of the cache"))?;
        let is_of_run = held.get(..MARK).is_some_and(|mark| run.ends_with(mark));
        let is_there = is_of_run && found.expires.seconds() >= now.seconds();
        Ok(is_there.then_some(found))
    }

    async fn replace(
        &self,
        key: &VolatileKey,
        found: &VolatileFound,
        value: Vec<u8>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut call = self.call(&self.scripts.replace, now);
        call.key(self.key(key.as_str()));
        call.arg(format!("{:016x}", found.version)).arg(self.digits()).arg(value);
        let answer: i64 = self.answer(&call).await?;
        if answer == LOST {
            self.losses.log((now + SKEW).millis());
        }
        Ok(answer == 1)
    }

    async fn remove(&self, key: &VolatileKey) -> Result<(), StoreError> {
        let mut delete = redis::cmd("DEL");
        delete.arg(self.key(key.as_str()));
        self.run(&delete).await
    }

    async fn newest(&self) -> Result<RowId, StoreError> {
        let mut get = redis::cmd("GET");
        get.arg(self.key("newest"));
        let found: Option<i64> = self.run(&get).await?;
        Ok(RowId(found.unwrap_or(0)))
    }

    fn keeps_marks(&self) -> bool {
        true
    }

    async fn lost_nothing_since(&self, now: Timestamp) -> Result<Timestamp, StoreError> {
        let mut call = self.call(&self.scripts.since, now);
        call.arg(digits(self.losses.seen.load(Ordering::Acquire)));
        let (millis, loss): (i64, String) = self.answer(&call).await?;
        let loss = u64::from_str_radix(&loss, 16);
        let loss = loss.map_err(|_| StoreError::Corrupt("the last loss of the cache"))?;
        self.losses.seen.store(loss, Ordering::Release);
        self.losses.know(millis, now);
        Ok(Timestamp::from_millis(millis))
    }

    async fn server_time(&self, _now: Timestamp) -> Result<Timestamp, StoreError> {
        let (seconds, micros): (i64, i64) = self.run(&redis::cmd("TIME")).await?;
        Ok(Timestamp::from_millis(seconds * 1000 + micros / 1000))
    }

    /// Writes, since a replica or a server without memory only reads.
    async fn check(&self) -> Result<(), StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(self.key("check")).arg(1).arg("PX").arg(1000);
        let _: () = self.run(&set).await?;
        self.newest().await.map(drop)
    }
}

fn digits(number: u64) -> String {
    format!("{number:016x}")
}

fn unpack(held: &[u8]) -> Option<VolatileFound> {
    let (_, held) = held.split_at_checked(MARK)?;
    let (version, held) = held.split_at_checked(VERSION)?;
    let (expires, value) = held.split_at_checked(EXPIRES)?;
    let version = u64::from_str_radix(std::str::from_utf8(version).ok()?, 16).ok()?;
    let expires = std::str::from_utf8(expires).ok()?.parse().ok()?;
    Some(VolatileFound::new(value.to_vec(), Timestamp::from_seconds(expires), version))
}

fn unavailable(error: RedisError) -> StoreError {
    tracing::error!(%error, "Redis failed");
    StoreError::cache_unavailable(error)
}

impl<C> fmt::Debug for VolatileRedis<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VolatileRedis").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}
