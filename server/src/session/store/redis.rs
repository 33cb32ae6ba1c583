//! Sessions in Redis or Valkey: one server, a set watched by Sentinel, or a Cluster.
//!
//! A session is one value under one key, and what is true of it is written there alone: its version, its lease, its tokens. Whatever
//! has to happen whole is a script that touches this one key. Everything else are hints: the sets by which the sessions of a user are
//! found, and the list of what expires. A session is in them from the moment that [`insert`](Store::insert) has answered; a hint that
//! points to nothing belongs to a session that has ended, and is taken out by whoever comes by, because no key is ever used twice.
//!
//! How long a value is kept is what is left of the session at most by this server's clock, and a while longer, for a store that nobody
//! sweeps: a length of time, so that it does not matter whose clock is right. [`sweep`](Store::sweep) is what forgets, by the times of the
//! sessions themselves. Redis's own clock only keeps it from that where this server's is ahead.

mod address;
mod call;
mod cluster;
mod link;
mod listener;
mod names;
mod node;
mod script;
mod stored;

pub use address::{RedisAddress, RedisAddressError};

use super::{CHANGES_KEPT, Change, NamedSessions, Store, StoreError, UserKey};
use crate::{
    clock::Clock,
    entropy::{Entropy, random},
    session::record::{Key, Lease, SessionRecord},
};
use async_trait::async_trait;
use call::{Call, Trouble};
use futures_util::{StreamExt as _, stream};
use jiff::Timestamp;
use link::{Link, PATIENCE};
use listener::{Ear, Listener};
use names::{Due, Names, PARTS};
use redis::{ErrorKind, RedisError, ServerErrorKind, Value};
use std::{
    cmp::Reverse,
    fmt,
    future::{Future, ready},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use stored::Identity;
use thiserror::Error;
use tokio::{
    sync::broadcast,
    task::JoinHandle,
    time::{sleep, timeout},
};

/// How much longer than a session lives its value is kept, for a store that nobody sweeps: longer than two sweeps are apart.
const KEPT_LONGER: Duration = Duration::from_mins(15);

/// Nothing is kept longer than that.
const KEPT_AT_MOST: Duration = Duration::from_hours(10 * 365 * 24);

/// What ended so long ago is no longer in the sets by which a user's sessions are found.
const LONG_OVER_SECONDS: i64 = 24 * 60 * 60;

/// How many sessions are worked at together.
const AT_ONCE: usize = 64;

/// How much of a part is swept together.
const SWEPT_AT_ONCE: usize = 1000;

/// How long a logout token that is being worked at is nobody else's; longer than the work can take.
const TOKEN_HELD: Duration = Duration::from_secs(10);

/// How long to wait before looking again whether somebody else has finished with a logout token.
const TOKEN_POLL: Duration = Duration::from_millis(20);

/// How often it is tried to open a store that is slow to answer; one that is not there is not tried again.
const OPEN_ATTEMPTS: u32 = 4;

/// How long to wait in between.
const OPEN_PAUSE: Duration = Duration::from_millis(500);

/// Redis 6.0 was the first to keep the time to live of a value that is replaced.
const OLDEST_VERSION: (u32, u32) = (6, 0);

/// Why Redis cannot be used.
#[derive(Debug, Error)]
pub enum RedisOpenError {
    /// It does not answer.
    #[error("{address} cannot be reached. Check that it runs, and session.store_url")]
    Unreachable {
        /// Where it should be.
        address: String,
        /// What was said.
        source: StoreError,
    },
    /// It does not know who we are.
    #[error("{address} refuses the user name or password in session.store_url")]
    Refused {
        /// Where it is.
        address: String,
        /// What was said.
        source: StoreError,
    },
    /// It does not let us do what is needed.
    #[error("{address} does not allow the user in session.store_url what sessions need; docs/redis.md has the list")]
    Forbidden {
        /// Where it is.
        address: String,
        /// What was said.
        source: StoreError,
    },
    /// It is too old.
    #[error("{address} runs version {version}, and the sessions need Redis 6.0 or Valkey")]
    Old {
        /// Where it is.
        address: String,
        /// What it runs.
        version: String,
    },
    /// The certificates or the address cannot be used.
    #[error("{address} cannot be used with these certificates")]
    Certificates {
        /// Where it is.
        address: String,
        /// What was said.
        source: StoreError,
    },
}

/// The sessions of a Redis.
pub struct RedisStore {
    link: Arc<Link>,
    names: Names,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    ear: Arc<Ear>,
    listening: JoinHandle<()>,
}

/// A session that has ended, if it can be read what it was.
struct Ended(Option<SessionRecord>);

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedisStore").field("names", &self.names).finish_non_exhaustive()
    }
}

impl RedisStore {
    /// Connects, looks whether it is a Redis that sessions can be kept in, and begins to listen. `root_certificates` are the
    /// authorities to trust in place of the system's, in PEM.
    ///
    /// # Errors
    /// When it cannot be used; see [`RedisOpenError`].
    pub async fn open(
        address: &RedisAddress,
        root_certificates: Option<&[u8]>,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
    ) -> Result<Self, RedisOpenError> {
        let place = address.to_string();
        let link = Link::new(address, root_certificates)
            .map_err(|error| RedisOpenError::Certificates { address: place.clone(), source: StoreError::new(Trouble::from(&error)) })?;
        let link = Arc::new(link);
        let names = Names::new(&address.prefix);
        let ear = Arc::new(Ear::new(CHANGES_KEPT));
        let listener = Listener {
            link: Arc::clone(&link),
            channel: names.channel(),
            nothing: names.nothing(),
            name: random(&*entropy),
            ear: Arc::clone(&ear),
        };
        let begin = async || {
            link.try_run(&write_nothing(&names)).await?;
            listener.begin().await
        };
        let mut attempts = 1..OPEN_ATTEMPTS;
        let first = loop {
            match begin().await {
                // Many servers may be starting at once, on a machine that has much to do.
                Err(error) if error.is_timeout() && attempts.next().is_some() => sleep(OPEN_PAUSE).await,
                opened => break opened.map_err(|error| not_open(place.clone(), &error))?,
            }
        };
        inspect(&link, &place).await?;
        let listening = tokio::spawn(listener.run(first));
        Ok(Self { link, names, clock, entropy, ear, listening })
    }

    /// Ends a session, if it was there. One that cannot be read keeps nobody from ending it.
    async fn remove_one(&self, key: Key) -> Result<Option<Ended>, StoreError> {
        let removed: Option<Vec<u8>> = self
            .link
            .run(Call::script(&script::REMOVE, &self.names.session(key)).arg(self.names.channel()).arg(listener::ended(key)))
            .await?;
        let Some(removed) = removed else { return Ok(None) };
        self.ear.announce(Change::Ended(key));
        let record = stored::decode(key, &removed).ok();
        if let Some(record) = &record {
            self.forget_hints(key, &record.issuer, &record.sub, record.sid.as_deref()).await;
        } else {
            super::warn_of_damaged(1);
            self.forget_due(key, Names::due_session(key)).await;
        }
        Ok(Some(Ended(record)))
    }

    /// Ends several sessions, and answers those that were there.
    async fn remove_all(&self, keys: Vec<Key>) -> Result<Vec<Ended>, StoreError> {
        Ok(at_once(keys, |key| self.remove_one(key)).await?.into_iter().flatten().collect())
    }

    async fn hinted(&self, index: &str) -> Result<Vec<Key>, StoreError> {
        let members: Vec<Vec<u8>> = self.link.run(Call::repeatable("ZRANGE", index).arg(0).arg(-1)).await?;
        Ok(members.into_iter().filter_map(|member| Some(Key(member.try_into().ok()?))).collect())
    }

    /// A session as it is stored.
    async fn stored(&self, key: Key) -> Result<Option<Vec<u8>>, StoreError> {
        self.link.run(Call::repeatable("GET", &self.names.session(key))).await
    }

    /// The sessions that an index points to, as they are stored. Those that are gone are taken out of it.
    async fn indexed(&self, index: &str) -> Result<Vec<(Key, Vec<u8>)>, StoreError> {
        let keys = self.hinted(index).await?;
        let mut sessions = Vec::new();
        for (key, stored) in at_once(keys, async |key| Ok((key, self.stored(key).await?))).await? {
            match stored {
                Some(stored) => sessions.push((key, stored)),
                None => self.forget_hint(index, key).await,
            }
        }
        Ok(sessions)
    }

    async fn add_hint(&self, index: &str, record: &SessionRecord) -> Result<(), StoreError> {
        let call = Call::script(&script::ADD_TO_INDEX, index)
            .arg(record.key.0.as_slice())
            .arg(record.expires_at.as_second())
            .arg(record.created_at.as_second().saturating_sub(LONG_OVER_SECONDS))
            .arg(self.kept(record.expires_at));
        self.link.run(call).await
    }

    /// A hint that stays is found to point to nothing by whoever follows it.
    async fn forget_hint(&self, index: &str, key: Key) {
        let forgotten = self.link.run::<i64>(Call::repeatable("ZREM", index).arg(key.0.as_slice())).await;
        if let Err(error) = forgotten {
            tracing::debug!(error = %error, "a hint to a session that has ended stays for now");
        }
    }

    /// Takes a session that has ended out of wherever it can be found.
    async fn forget_hints(&self, key: Key, issuer: &str, sub: &str, sid: Option<&str>) {
        let user = self.names.user(UserKey { issuer, sub });
        let sid = sid.map(|sid| self.names.sid(issuer, sid));
        let of_sid = async {
            if let Some(sid) = &sid {
                self.forget_hint(sid, key).await;
            }
        };
        tokio::join!(self.forget_hint(&user, key), of_sid, self.forget_due(key, Names::due_session(key)));
    }

    /// Says when something expires, for a sweep to find it.
    async fn add_due(&self, key: Key, due: Vec<u8>, at: Timestamp) -> Result<(), StoreError> {
        self.link.run(Call::repeatable("ZADD", &self.names.due_of(key)).arg(at.as_second()).arg(due)).await
    }

    /// Says when a claim expires; one of which that could not be said goes by itself.
    async fn expect(&self, claim: Key, at: Timestamp) {
        if let Err(error) = self.add_due(claim, Names::due_claim(claim), at).await {
            tracing::debug!(error = %error, "a claim will not be swept");
        }
    }

    async fn forget_due(&self, key: Key, due: Vec<u8>) {
        let forgotten = self.link.run::<i64>(Call::repeatable("ZREM", &self.names.due_of(key)).arg(due)).await;
        if let Err(error) = forgotten {
            tracing::debug!(error = %error, "what has ended stays among what expires for now");
        }
    }

    /// How long something is kept that ends at `end`, in milliseconds.
    fn kept(&self, end: Timestamp) -> u64 {
        let left = end.duration_since(self.clock.now());
        let left = Duration::try_from(left).unwrap_or(Duration::ZERO);
        let kept = left.saturating_add(KEPT_LONGER).min(KEPT_AT_MOST);
        u64::try_from(kept.as_millis()).unwrap_or(u64::MAX)
    }

    /// Whether a token is ours to work at, waiting for whoever else is: `false` when it has been used.
    async fn begin_token(&self, claim: &str, mark: &[u8]) -> Result<bool, StoreError> {
        let begun = async {
            loop {
                let held = u64::try_from(TOKEN_HELD.as_millis()).unwrap_or(u64::MAX);
                match self.link.run(Call::script(&script::BEGIN_TOKEN, claim).arg(mark).arg(held)).await? {
                    0 => return Ok(false),
                    1 => return Ok(true),
                    _somebody_else => sleep(TOKEN_POLL).await,
                }
            }
        };
        timeout(PATIENCE, begun).await.unwrap_or_else(|_| Err(StoreError::new("this logout token is being worked at")))
    }

    async fn remove_pointed_to(&self, named: NamedSessions<'_>) -> Result<usize, StoreError> {
        let keys = match (named.sid, named.sub) {
            (Some(sid), sub) => {
                let sessions = self.indexed(&self.names.sid(named.issuer, sid)).await?;
                // One that cannot be read has no user any more, and nobody can use it.
                let is_of = |sub, (key, stored): &(Key, Vec<u8>)| stored::decode(*key, stored).map_or(true, |record| record.sub == sub);
                sessions.into_iter().filter(|session| sub.is_none_or(|sub| is_of(sub, session))).map(|(key, _)| key).collect()
            }
            (None, Some(sub)) => self.hinted(&self.names.user(UserKey { issuer: named.issuer, sub })).await?,
            (None, None) => Vec::new(),
        };
        Ok(self.remove_all(keys).await?.len())
    }

    /// Forgets what is due in one part, and answers how much.
    async fn sweep_part(&self, part: u8, now: Timestamp) -> Result<u64, StoreError> {
        let due = self.names.due(part);
        let mut forgotten = 0;
        loop {
            let script = Call::repeatable_script(&script::DUE, &due).arg(now.as_second()).arg(SWEPT_AT_ONCE);
            let (now, members): (i64, Vec<Vec<u8>>) = self.link.run(script).await?;
            let all = members.len() < SWEPT_AT_ONCE;
            let swept = at_once(members, |member| self.sweep_one(&due, member, now)).await?;
            forgotten += swept.into_iter().sum::<u64>();
            if all {
                return Ok(forgotten);
            }
        }
    }

    /// Forgets one thing, if it is due indeed, and answers how many that were. A session that has been used meanwhile is due later; the
    /// list learns of it here, so that not every use has to tell it.
    async fn sweep_one(&self, due: &str, member: Vec<u8>, now: i64) -> Result<u64, StoreError> {
        let forgotten = match Names::parse_due(&member) {
            Some(Due::Session(key)) => {
                let session = self.names.session(key);
                match self.link.run(Call::script(&script::SWEEP_SESSION, &session).arg(now)).await? {
                    Value::Int(idle_end) => {
                        self.link.run::<()>(Call::repeatable_script(&script::POSTPONE, due).arg(idle_end).arg(member)).await?;
                        return Ok(0);
                    }
                    Value::BulkString(identity) => {
                        if let Some(Identity { issuer, sub, sid, .. }) = Identity::from_json(&identity) {
                            self.forget_hints(key, &issuer, &sub, sid.as_deref()).await;
                        }
                        1
                    }
                    _nothing_is_there => 0,
                }
            }
            Some(Due::Claim(key)) => self.link.run(Call::repeatable("UNLINK", &self.names.claim(key))).await?,
            None => 0,
        };
        self.link.run::<()>(Call::repeatable("ZREM", due).arg(member)).await?;
        Ok(forgotten)
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.link.run(write_nothing(&self.names)).await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        let key = record.key;
        let set = Call::once("SET", &self.names.session(key)).arg(stored::encode(record)).arg("NX").arg("PX");
        let set = self.link.run::<bool>(set.arg(self.kept(record.expires_at)));
        let due = self.add_due(key, Names::due_session(key), record.idle_expires_at);
        let (is_new, ()) = tokio::try_join!(set, due)?;
        if !is_new {
            return Err(StoreError::new("there is a session of this key already"));
        }
        // Nobody has the session's id yet: if a hint cannot be written, there must not be a session that nobody finds.
        let user = self.names.user(UserKey { issuer: &record.issuer, sub: &record.sub });
        let sid = record.sid.as_deref().map(|sid| self.names.sid(&record.issuer, sid));
        let of_sid = async {
            match &sid {
                Some(sid) => self.add_hint(sid, record).await,
                None => Ok(()),
            }
        };
        let hinted = tokio::try_join!(self.add_hint(&user, record), of_sid).map(|_| ());
        if hinted.is_err() {
            let _ = self.remove_one(key).await;
        }
        hinted
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.stored(key).await?.map(|stored| stored::decode(key, &stored)).transpose()
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        let sessions = self.indexed(&self.names.user(user)).await?;
        let mut records = sessions.iter().map(|(key, stored)| stored::decode(*key, stored)).collect::<Result<Vec<_>, _>>()?;
        records.sort_by_key(|record| (Reverse(record.created_at), record.key.0));
        Ok(records)
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        let expected = [&stored::version(version)[..], &stored::lease(held)].concat();
        let new = stored::lease(new);
        self.link.run(Call::script(&script::SWAP_LEASE, &self.names.session(key)).arg(expected).arg(&new[..])).await
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        let next = [&stored::version(record.version + 1)[..], &stored::lease(None)].concat();
        let call = Call::script(&script::REPLACE_TOKENS, &self.names.session(record.key))
            .arg(&stored::version(record.version)[..])
            .arg(next)
            .arg(stored::tokens(record))
            .arg(self.names.channel())
            .arg(listener::renewed(record.key));
        let replaced = self.link.run(call).await?;
        if replaced {
            self.ear.announce(Change::Renewed(record.key));
        }
        Ok(replaced)
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        let times = [stored::time(last_seen_at), stored::time(idle_expires_at)].concat();
        let call = Call::script(&script::TOUCH, &self.names.session(key))
            .arg(last_seen_at.as_second())
            .arg(times)
            .arg(self.kept(idle_expires_at))
            .arg(self.names.channel())
            .arg(listener::renewed(key));
        if self.link.run(call).await? {
            self.ear.announce(Change::Renewed(key));
        }
        Ok(())
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        Ok(self.remove_one(key).await?.and_then(|ended| ended.0))
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        let mut keys = self.hinted(&self.names.user(user)).await?;
        keys.retain(|key| Some(*key) != except);
        Ok(self.remove_all(keys).await?.into_iter().filter_map(|ended| ended.0).collect())
    }

    /// The sessions lie in several slots, so they cannot all end at once. The token is marked as being worked at, the sessions end, and
    /// only then is it claimed. Whoever fails in between takes the mark away, and if that fails too it goes by itself; so the provider
    /// can repeat its call, which then ends what is left. Who comes with the same token meanwhile waits.
    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        let claim = self.names.claim(token);
        let mark = [&b"p"[..], &random::<16>(&*self.entropy)].concat();
        if !self.begin_token(&claim, &mark).await? {
            return Ok(None);
        }
        let done = async {
            let removed = self.remove_pointed_to(named).await?;
            let claimed: bool = self.link.run(Call::script(&script::FINISH_TOKEN, &claim).arg(self.kept(expires_at))).await?;
            if claimed {
                self.expect(token, expires_at).await;
            }
            Ok(claimed.then_some(removed))
        };
        let done = done.await;
        if done.is_err() {
            let _ = self.link.run::<i64>(Call::script(&script::RELEASE_TOKEN, &claim).arg(mark)).await;
        }
        done
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        let led_to = session.map(led_to).unwrap_or_default();
        let set = Call::once("SET", &self.names.claim(key)).arg(led_to).arg("NX").arg("PX").arg(self.kept(expires_at));
        let claimed = self.link.run(set).await?;
        if claimed {
            self.expect(key, expires_at).await;
        }
        Ok(claimed)
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        let claim: Option<Vec<u8>> = self.link.run(Call::repeatable("GET", &self.names.claim(key))).await?;
        Ok(claim.is_some_and(|claim| claim == led_to(session)))
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.link.run(Call::script(&script::KEY_CHECK, &self.names.key_check()).arg(proposed)).await
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.link.run(Call::script(&script::REPLACE_KEY_CHECK, &self.names.key_check()).arg(current).arg(new)).await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        Ok(at_once(PARTS, |part| self.sweep_part(part, now)).await?.into_iter().sum())
    }

    fn turn(&self) -> Option<u64> {
        self.ear.turns.current()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.ear.changes.subscribe()
    }

    async fn close(&self) {
        self.listening.abort();
        self.link.close();
    }
}

impl Drop for RedisStore {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Works at several things together. After a failure nothing more is begun, and what is under way comes to its end.
async fn at_once<I, T, W>(items: impl IntoIterator<Item = I>, work: impl Fn(I) -> W) -> Result<Vec<T>, StoreError>
where
    W: Future<Output = Result<T, StoreError>>,
{
    let failed = &AtomicBool::new(false);
    let done: Vec<_> = stream::iter(items)
        .take_while(|_| ready(!failed.load(Ordering::Relaxed)))
        .map(|item| {
            let doing = work(item);
            async move { doing.await.inspect_err(|_| failed.store(true, Ordering::Relaxed)) }
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    done.into_iter().collect()
}

/// A claim that led to a session, never to be taken for one that is being worked at.
fn led_to(session: Key) -> Vec<u8> {
    [&b"s"[..], session.0.as_slice()].concat()
}

/// Changes nothing, and yet only a server that takes writes does it.
fn write_nothing(names: &Names) -> Call {
    Call::repeatable("UNLINK", &names.nothing())
}

fn not_open(address: String, error: &RedisError) -> RedisOpenError {
    let source = StoreError::new(Trouble::from(error));
    match (error.kind(), error.code()) {
        (ErrorKind::AuthenticationFailed, _) | (_, Some("NOAUTH" | "WRONGPASS")) => RedisOpenError::Refused { address, source },
        (ErrorKind::Server(ServerErrorKind::NoPerm), _) => RedisOpenError::Forbidden { address, source },
        _ => RedisOpenError::Unreachable { address, source },
    }
}

/// Looks at what Redis says of itself, as far as it may be asked, and says what somebody should know.
async fn inspect(link: &Link, address: &str) -> Result<(), RedisOpenError> {
    let Some(about) = link.about().await else {
        tracing::info!("Redis does not say how it is configured; sessions need `maxmemory-policy noeviction`");
        return Ok(());
    };
    let value = |name: &str| about.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim);
    if let Some(version) = value("redis_version") {
        let mut numbers = version.split('.').map(|number| number.parse().unwrap_or(0));
        if (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) < OLDEST_VERSION {
            return Err(RedisOpenError::Old { address: address.to_owned(), version: version.to_owned() });
        }
    }
    if let Some(policy) = value("maxmemory_policy")
        && policy != "noeviction"
    {
        tracing::warn!(policy, "Redis may throw sessions away when its memory is full; set `maxmemory-policy noeviction`");
    }
    if value("aof_enabled") == Some("0") {
        tracing::info!("Redis may lose the last sessions when it restarts; `appendonly yes` keeps them");
    }
    Ok(())
}
