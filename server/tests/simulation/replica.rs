//! One of the servers: it renews as the real one does, with a store and a provider of the simulation.

use crate::{
    link::Link,
    provider::{LIFE_SECONDS, Pair, Refused},
    random::Random,
    world::{Breakage, Life, World},
};
use jiff::Timestamp;
use oauth2flow::{
    entropy::Entropy,
    session::{
        record::SessionRecord,
        refresh::{
            Fence, Flights,
            coordination::{Outcome, Renewal, Rhythm},
        },
        store::{Store, StoreError},
    },
};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::sync::oneshot;

/// A token that ends within this time is renewed.
const RENEW_BEFORE_SECONDS: i64 = 5;

/// A server process.
pub(crate) struct Replica {
    pub(crate) world: Arc<World>,
    pub(crate) number: usize,
    pub(crate) life: Arc<Life>,
    link: Link,
    flights: Flights<u64, Refusal>,
    random: Random,
}

/// Why there is no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Ended,
    /// There is nothing to renew it with.
    Expired,
    Provider,
    Store,
    Interrupted,
}

impl From<StoreError> for Refusal {
    fn from(_: StoreError) -> Self {
        Self::Store
    }
}

/// The tokens of a session, as they lie in the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens {
    pub(crate) access: u64,
    pub(crate) refresh: Option<u64>,
}

impl From<Tokens> for u64 {
    fn from(tokens: Tokens) -> Self {
        tokens.access
    }
}

impl Tokens {
    /// Sealed: no two texts are the same.
    pub(crate) fn seal(self, random: &Random) -> Vec<u8> {
        let mut nonce = [0; 8];
        random.fill(&mut nonce);
        [self.access.to_le_bytes(), self.refresh.unwrap_or_default().to_le_bytes(), nonce].concat()
    }

    pub(crate) fn open(record: &SessionRecord) -> Self {
        let number = |at: usize| u64::from_le_bytes(record.tokens[at..at + 8].try_into().unwrap());
        Self { access: number(0), refresh: Some(number(8)).filter(|refresh| *refresh != 0) }
    }
}

/// What a call wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Goal {
    Fresh,
    Another(u64),
}

impl Replica {
    pub(crate) fn start(world: &Arc<World>, number: usize) -> Arc<Self> {
        let life = Arc::new(Life::default());
        let random = world.random.fork();
        let link = Link { world: Arc::clone(world), replica: number, life: Arc::clone(&life), random: random.fork() };
        Arc::new(Self { world: Arc::clone(world), number, life, link, flights: Flights::default(), random })
    }

    /// A call of a browser: a token of the session, renewed first when it has to be. `None` when the replica dies meanwhile.
    pub(crate) async fn call(self: &Arc<Self>, session: usize, goal: Goal) -> Option<Result<u64, Refusal>> {
        let (answer, answered) = oneshot::channel();
        let replica = Arc::clone(self);
        self.life.spawn(async move {
            let _ = answer.send(replica.access(session, goal).await);
        });
        answered.await.ok()
    }

    async fn access(self: &Arc<Self>, session: usize, goal: Goal) -> Result<u64, Refusal> {
        let key = World::key(session);
        let renewal = Refresh { replica: Arc::clone(self), goal };
        let read = tokio::time::timeout(Duration::from_secs(3), self.link.get(key)).await;
        let record = read.map_err(|_| Refusal::Store)??.ok_or(Refusal::Ended)?;
        if let Some(tokens) = renewal.renewed(&record, record.version)? {
            return Ok(tokens.access);
        }
        loop {
            let access = self.flights.renew(key, renewal.clone()).await?;
            if goal != Goal::Another(access) {
                return Ok(access);
            }
        }
    }

    /// Somebody signs out here. Answers whether the tokens were taken back.
    pub(crate) async fn log_out(self: &Arc<Self>, session: usize) -> Option<bool> {
        let (answer, answered) = oneshot::channel();
        let replica = Arc::clone(self);
        self.life.spawn(async move {
            let removing = tokio::time::timeout(Duration::from_secs(3), replica.link.remove(World::key(session)));
            let removed = removing.await.unwrap_or_else(|_| Err(StoreError::new("no answer")));
            let record = removed.ok().flatten();
            if let Some(refresh) = record.as_ref().and_then(|record| Tokens::open(record).refresh) {
                replica.take_back(refresh).await;
            }
            let _ = answer.send(record.is_some());
        });
        answered.await.ok()
    }

    async fn take_back(&self, refresh: u64) {
        tokio::time::sleep(self.random.milliseconds(1..50)).await;
        self.life.step().await;
        if self.world.plan.breakage != Breakage::RevokesNothing {
            self.world.note(|| format!("replica {} takes refresh token {refresh} back", self.number));
            self.world.provider.revoke(refresh);
        }
    }

    /// The wall clock of this machine, in seconds.
    fn now(&self) -> i64 {
        self.world.wall_clock(self.number)
    }
}

#[derive(Clone)]
pub(crate) struct Refresh {
    replica: Arc<Replica>,
    goal: Goal,
}

impl Renewal for Refresh {
    type Tokens = Tokens;
    type Access = u64;
    type Error = Refusal;
    type Prepared = ();

    fn store(&self) -> &dyn Store {
        &self.replica.link
    }

    fn entropy(&self) -> &dyn Entropy {
        &self.replica.random
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.replica.life.spawn(task);
    }

    fn rhythm(&self) -> Rhythm {
        let rhythm = Rhythm::default();
        match self.replica.world.plan.breakage {
            Breakage::Impatient => Rhythm { patience: rhythm.beat / 2, ..rhythm },
            _ => rhythm,
        }
    }

    fn renewed(&self, record: &SessionRecord, since: i64) -> Result<Option<Tokens>, Refusal> {
        let (tokens, now) = (Tokens::open(record), self.replica.now());
        let ends_at = record.profile.access_token_expires_at.unwrap_or(i64::MAX);
        let good = match self.goal {
            Goal::Fresh => ends_at > now + RENEW_BEFORE_SECONDS || (record.version != since && ends_at > now),
            Goal::Another(rejected) => tokens.access != rejected,
        };
        Ok(good.then_some(tokens))
    }

    fn tokens(&self, record: &SessionRecord) -> Option<Tokens> {
        Some(Tokens::open(record))
    }

    async fn prepare(&self, record: &SessionRecord) -> Result<(), Refusal> {
        Tokens::open(record).refresh.map(|_| ()).ok_or(Refusal::Expired)
    }

    async fn ask(&self, mut record: SessionRecord, (): (), fence: &Fence) -> Outcome<Tokens, Refusal> {
        let Replica { world, number, life, random, .. } = &*self.replica;
        if !fence.stands() {
            world.violation(format!("replica {number} begins without being sure of its lease"));
        }
        let old = Tokens::open(&record);
        let Some(refresh) = old.refresh else { return Outcome::Failed(Refusal::Expired) };
        life.step().await;
        let answer = world.provider.refresh(world, *number, life, refresh).await;
        life.step().await;
        match answer {
            Ok(Pair { access, refresh }) => {
                let tokens = Tokens { access, refresh: Some(refresh) };
                if world.plan.unusable && !world.healed() && random.percent(5) {
                    record.tokens = Tokens { refresh: None, ..old }.seal(random);
                    return Outcome::Unusable { left: record, tokens, error: Refusal::Provider };
                }
                record.tokens = tokens.seal(random);
                record.profile.access_token_expires_at = Some(self.replica.now() + LIFE_SECONDS);
                Outcome::Renewed { record, tokens }
            }
            Err(Refused::InvalidGrant) => Outcome::GrantEnded(Refusal::Ended),
            Err(_) if world.plan.breakage == Breakage::EndsOnTrouble => Outcome::GrantEnded(Refusal::Ended),
            Err(Refused::InTrouble | Refused::NoAnswer) => Outcome::Failed(Refusal::Provider),
        }
    }

    async fn revoke(&self, _record: &SessionRecord, tokens: Tokens) {
        if let Some(refresh) = tokens.refresh {
            self.replica.take_back(refresh).await;
        }
    }

    fn session_ended(&self) -> Refusal {
        Refusal::Ended
    }

    fn interrupted(&self) -> Refusal {
        Refusal::Interrupted
    }
}

/// When the wall clocks begin.
pub(crate) fn beginning() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}
