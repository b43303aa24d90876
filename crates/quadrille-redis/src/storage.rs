//! The verbs of a storage.

use std::{fmt, sync::Arc, time::Duration};

use quadrille::{
    Owner, Result,
    consumer::{Account, Change, Context, Replaced, StorageError, Stored, Token, TokenStorage},
};
use redis::{Script, aio::ConnectionLike};

use crate::{
    fault::logged,
    keys::{ServiceKeys, account, member, pack, unpack},
};

/// Accounts, order, index; subject, value, member.
const LINK: &str = "
    local last = redis.call('ZREVRANGE', KEYS[2], 0, 0, 'WITHSCORES')
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    redis.call('ZADD', KEYS[2], tonumber(last[2] or 0) + 1, ARGV[1])
    redis.call('ZADD', KEYS[3], 0, ARGV[3])
    return 1";
/// Accounts, order.
const CURRENT: &str = "
    local last = redis.call('ZREVRANGE', KEYS[2], 0, 0)[1]
    if not last then return {} end
    return {last, redis.call('HGET', KEYS[1], last)}";
/// Accounts; subject, version, value. The value of now, unless it is replaced.
const REPLACE: &str = "
    local now = redis.call('HGET', KEYS[1], ARGV[1])
    if not now then return {0, false} end
    if string.sub(now, 1, 8) ~= ARGV[2] then return {0, now} end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
    return {1, false}";
/// Accounts; subject, version, sealed token. The flag after the version stays.
pub(crate) const RESEAL: &str = "
    local now = redis.call('HGET', KEYS[1], ARGV[1])
    if not now or string.sub(now, 1, 8) ~= ARGV[2] then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], string.sub(now, 1, 9) .. ARGV[3])
    return 1";
/// Accounts, order, index; subject, member.
const UNLINK: &str = "
    redis.call('ZREM', KEYS[2], ARGV[1])
    redis.call('ZREM', KEYS[3], ARGV[2])
    return redis.call('HDEL', KEYS[1], ARGV[1])";
/// Lease; holder, end, now, and the time after which Redis removes it.
const LEASE: &str = "
    local held = redis.call('GET', KEYS[1])
    if held and string.sub(held, 1, 8) ~= ARGV[1]
        and tonumber(string.sub(held, 9)) > tonumber(ARGV[3]) then return 0 end
    redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[4])
    return 1";
/// Lease; holder.
const RELEASE: &str = "
    local held = redis.call('GET', KEYS[1])
    if held and string.sub(held, 1, 8) == ARGV[1] then redis.call('DEL', KEYS[1]) end
    return 1";
/// The time for which a lease stays behind a process that died, for clocks that differ.
const LEFT_BEHIND: Duration = Duration::from_secs(60);

/// A storage of linked accounts in Redis or Valkey. Any number of processes may share the server.
/// Cheap to clone, as its connection is.
///
/// ```no_run
/// use quadrille_redis::RedisStorage;
///
/// # async fn open() -> Result<(), redis::RedisError> {
/// let client = redis::Client::open("redis://cache.internal/")?;
/// let storage = RedisStorage::new(client.get_connection_manager().await?);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct RedisStorage<C> {
    pub(crate) connection: C,
    prefix: Arc<str>,
    scripts: Arc<Scripts>,
}

struct Scripts {
    link: Script,
    current: Script,
    replace: Script,
    unlink: Script,
    lease: Script,
    release: Script,
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> RedisStorage<C> {
    /// A storage in keys that begin with `quadrille:`, on a connection that clones share: a
    /// connection manager, a multiplexed connection, or one to a cluster.
    pub fn new(connection: C) -> Self {
        Self::with_prefix(connection, "quadrille:")
    }

    /// A storage in keys with another prefix, for a second login on one server. The prefix has no
    /// braces, which would put all services into one slot of a cluster.
    pub fn with_prefix(connection: C, prefix: &str) -> Self {
        let scripts = Scripts {
            link: Script::new(LINK),
            current: Script::new(CURRENT),
            replace: Script::new(REPLACE),
            unlink: Script::new(UNLINK),
            lease: Script::new(LEASE),
            release: Script::new(RELEASE),
        };
        Self { connection, prefix: prefix.into(), scripts: Arc::new(scripts) }
    }

    pub(crate) fn keys(&self, service: &str) -> ServiceKeys {
        ServiceKeys::new(&self.prefix, service)
    }

    /// The next accounts of a service, with their values.
    pub(crate) async fn page(
        &self,
        verb: &'static str,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<(Account, Vec<u8>)>, StorageError> {
        let mut page = Vec::new();
        let mut last = after.cloned();
        // Accounts that are removed meanwhile make no page shorter: a short one is the last.
        while page.len() < limit {
            let left = limit - page.len();
            let members = self.members(verb, service, last.as_ref(), left).await?;
            let accounts: Vec<_> =
                members.iter().map(|member| account(service, member)).collect::<Result<_, _>>()?;
            let Some(newest) = accounts.last() else { break };
            last = Some(newest.clone());
            let values = self.values(verb, service, &accounts).await?;
            page.extend(accounts.into_iter().zip(values).filter_map(|(a, v)| Some((a, v?))));
        }
        Ok(page)
    }

    /// The next members of the index of a service.
    async fn members(
        &self,
        verb: &'static str,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let start = after.map_or(b"-".to_vec(), |after| [b"(", &*member(after)].concat());
        let mut command = redis::cmd("ZRANGEBYLEX");
        command.arg(self.keys(service).index()).arg(start).arg("+");
        command.arg("LIMIT").arg(0).arg(i64::try_from(limit).unwrap_or(i64::MAX));
        let members = command.query_async(&mut self.connection.clone()).await;
        members.map_err(|error| logged(verb, &error))
    }

    /// The values of these accounts, of one service.
    pub(crate) async fn values(
        &self,
        verb: &'static str,
        service: &str,
        accounts: &[Account],
    ) -> Result<Vec<Option<Vec<u8>>>, StorageError> {
        let keys = self.keys(service);
        let mut pipe = redis::pipe();
        for Account { owner, subject, .. } in accounts {
            pipe.cmd("HGET").arg(keys.accounts(owner.as_str())).arg(subject.as_bytes());
        }
        let values = pipe.query_async(&mut self.connection.clone()).await;
        values.map_err(|error| logged(verb, &error))
    }
}

impl<C> fmt::Debug for RedisStorage<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStorage").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl<C: ConnectionLike + Clone + Send + Sync + 'static> TokenStorage for RedisStorage<C> {
    fn is_durable(&self) -> bool {
        true
    }

    async fn link(&self, cx: &Context<'_>, account: &Account, token: &Token) -> Result<()> {
        let Account { owner, service, subject } = account;
        let (keys, owner) = (self.keys(service), owner.as_str());
        let sealed = cx.seal_token(account, token);
        let mut script = self.scripts.link.key(keys.accounts(owner));
        script.key(keys.order(owner)).key(keys.index()).arg(subject.as_bytes());
        script.arg(pack(draw_version(cx), false, &sealed)).arg(member(account));
        let linked: Result<i64, _> = script.invoke_async(&mut self.connection.clone()).await;
        linked.map_err(|error| logged("link", &error))?;
        Ok(())
    }

    async fn load(
        &self,
        cx: &Context<'_>,
        owner: &Owner,
        service: &str,
        subject: Option<&str>,
    ) -> Result<Option<Stored>> {
        if let Some(subject) = subject {
            let account = cx.account(owner, service, subject);
            let mut found = self.values("load", service, std::slice::from_ref(&account)).await?;
            let value = found.pop().flatten();
            return value.map(|value| open(cx, account, &value)).transpose();
        }
        let keys = self.keys(service);
        let mut script = self.scripts.current.key(keys.accounts(owner.as_str()));
        script.key(keys.order(owner.as_str()));
        let found: Result<Vec<Vec<u8>>, _> =
            script.invoke_async(&mut self.connection.clone()).await;
        match &*found.map_err(|error| logged("load", &error))? {
            [subject, value] => {
                let subject = std::str::from_utf8(subject).map_err(|_| StorageError::Unreadable)?;
                open(cx, cx.account(owner, service, subject), value).map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn replace(
        &self,
        cx: &Context<'_>,
        seen: &Stored,
        change: Change<'_>,
    ) -> Result<Replaced> {
        let changed = change.applied_to(seen, draw_version(cx));
        let account = &changed.account;
        let sealed = cx.seal_token(account, &changed.token);
        let accounts = self.keys(&account.service).accounts(account.owner.as_str());
        let mut script = self.scripts.replace.key(accounts);
        script.arg(account.subject.as_bytes()).arg(&seen.version.to_be_bytes()[..]);
        script.arg(pack(changed.version, changed.needs_linking_again, &sealed));
        let done: Result<(bool, Option<Vec<u8>>), _> =
            script.invoke_async(&mut self.connection.clone()).await;
        match done.map_err(|error| logged("replace", &error))? {
            (true, _) => Ok(Replaced::Done(changed)),
            (false, Some(now)) => Ok(Replaced::Changed(Some(open(cx, changed.account, &now)?))),
            (false, None) => Ok(Replaced::Changed(None)),
        }
    }

    async fn unlink(&self, _: &Context<'_>, account: &Account) -> Result<bool> {
        let (keys, owner) = (self.keys(&account.service), account.owner.as_str());
        let mut script = self.scripts.unlink.key(keys.accounts(owner));
        script.key(keys.order(owner)).key(keys.index());
        script.arg(account.subject.as_bytes()).arg(member(account));
        let removed = script.invoke_async(&mut self.connection.clone()).await;
        Ok(removed.map_err(|error| logged("unlink", &error))?)
    }

    async fn accounts(
        &self,
        cx: &Context<'_>,
        service: &str,
        after: Option<&Account>,
        limit: usize,
    ) -> Result<Vec<Stored>> {
        let page = self.page("accounts", service, after, limit).await?;
        page.into_iter().map(|(account, value)| open(cx, account, &value)).collect()
    }

    async fn lease(
        &self,
        cx: &Context<'_>,
        account: &Account,
        holder: u64,
        lease: Duration,
    ) -> Result<bool> {
        let now = cx.env().now();
        let removed = u64::try_from((lease + LEFT_BEHIND).as_millis()).unwrap_or(u64::MAX);
        let mut script = self.scripts.lease.key(self.keys(&account.service).lease(account));
        script.arg(&holder.to_be_bytes()[..]).arg((now + lease).millis());
        script.arg(now.millis()).arg(removed);
        let leased = script.invoke_async(&mut self.connection.clone()).await;
        Ok(leased.map_err(|error| logged("lease", &error))?)
    }

    async fn release(&self, _: &Context<'_>, account: &Account, holder: u64) -> Result<()> {
        let mut script = self.scripts.release.key(self.keys(&account.service).lease(account));
        script.arg(&holder.to_be_bytes()[..]);
        let released: Result<i64, _> = script.invoke_async(&mut self.connection.clone()).await;
        released.map_err(|error| logged("release", &error))?;
        Ok(())
    }
}

/// Random, so that no version comes twice, and nothing counts them for all processes.
fn draw_version(cx: &Context<'_>) -> u64 {
    u64::from_be_bytes(cx.env().random())
}

fn open(cx: &Context<'_>, account: Account, value: &[u8]) -> Result<Stored> {
    let (version, needs_linking_again, sealed) = unpack(value)?;
    let token = cx.open_token(&account, sealed)?;
    Ok(Stored { account, token, version, needs_linking_again })
}
