//! The world that the replicas live in: its store, its provider, its accidents, and what must never happen in it.

use crate::{
    link::{Outage, Unreachable},
    provider::{Mood, Provider},
    random::Random,
    replica::{Goal, Refusal, Replica, Tokens, beginning},
};
use oauth2flow::session::{
    record::{Key, Profile, SessionRecord},
    store::{Change, MemoryStore, Store as _},
};
use std::{
    collections::BTreeMap,
    future::{Future, pending},
    ops::Range,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::{
    sync::broadcast,
    task::AbortHandle,
    time::{Instant, sleep, sleep_until, timeout},
};

use crate::provider::Excuse;

/// How many servers there are in a world: three, or up to seven.
const REPLICAS: Range<u64> = 3..8;
const SESSIONS: usize = 2;
/// How long accidents happen.
const CHAOS: Duration = Duration::from_secs(35);
/// How long it takes until the last wait, the last attempt and the last outage are over.
const REST: Duration = Duration::from_secs(45);
/// No call may take longer, whatever happens.
const LONGEST_CALL: Duration = Duration::from_mins(1);

/// How the algorithm is broken on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Breakage {
    Nothing,
    /// Everybody may always renew.
    NoLease,
    /// A lease counts as dead before it can beat.
    Impatient,
    /// New tokens are written even if the session has ended.
    Resurrects,
    /// Tokens that nobody can use are left alone.
    RevokesNothing,
    /// A provider in trouble ends sessions.
    EndsOnTrouble,
}

/// What may happen.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each accident may happen or not, whatever the others do")]
pub(crate) struct Plan {
    pub(crate) breakage: Breakage,
    replicas: usize,
    /// Whether the store announces changes.
    pub(crate) announcements: bool,
    /// Whether the provider now and then sends tokens that must not be used.
    pub(crate) unusable: bool,
    store_faults: bool,
    outages: bool,
    crashes: bool,
    moods: bool,
    clocks: bool,
    lost_leases: bool,
    logouts: bool,
}

impl Plan {
    /// Nothing goes wrong.
    const QUIET: Self = Self {
        breakage: Breakage::Nothing,
        replicas: 2,
        announcements: true,
        unusable: false,
        store_faults: false,
        outages: false,
        crashes: false,
        moods: false,
        clocks: false,
        lost_leases: false,
        logouts: false,
    };

    fn draw(random: &Random, breakage: Breakage) -> Self {
        let maybe = || random.percent(50);
        Self {
            breakage,
            replicas: usize::try_from(random.of(REPLICAS)).unwrap(),
            announcements: maybe(),
            unusable: maybe(),
            store_faults: maybe(),
            outages: maybe(),
            crashes: maybe(),
            moods: maybe(),
            clocks: maybe(),
            lost_leases: random.percent(20),
            logouts: maybe(),
        }
    }
}

/// What came of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) violations: Vec<String>,
    pub(crate) trace: Vec<String>,
    pub(crate) renewals: u64,
    pub(crate) calls: u64,
    pub(crate) tokens: u64,
    pub(crate) crashes: u64,
    pub(crate) reuse: BTreeMap<Excuse, u64>,
}

/// The tasks of a process, and how it dies.
#[derive(Default)]
pub(crate) struct Life {
    steps: AtomicU64,
    dies_at: AtomicU64,
    tasks: Mutex<Option<Vec<AbortHandle>>>,
    dead: std::sync::atomic::AtomicBool,
}

impl Life {
    pub(crate) fn is_alive(&self) -> bool {
        !self.dead.load(Ordering::Relaxed)
    }

    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        if self.is_alive() {
            let handle = tokio::spawn(task).abort_handle();
            self.tasks.lock().unwrap().get_or_insert_default().push(handle);
        }
    }

    /// Between any two things that a process does, it may die.
    pub(crate) async fn step(&self) {
        if self.steps.fetch_add(1, Ordering::Relaxed) + 1 == self.dies_at.load(Ordering::Relaxed) {
            self.die();
            pending::<()>().await;
        }
    }

    fn die_after(&self, steps: u64) {
        self.dies_at.store(self.steps.load(Ordering::Relaxed) + steps, Ordering::Relaxed);
    }

    pub(crate) fn die(&self) {
        self.dead.store(true, Ordering::Relaxed);
        for task in self.tasks.lock().unwrap().take().unwrap_or_default() {
            task.abort();
        }
    }
}

/// What belongs to a machine, whatever process runs on it.
#[derive(Default)]
struct Machine {
    outages: Mutex<Vec<Unreachable>>,
    last_hang: Mutex<Option<Instant>>,
    clock_is_off_by: AtomicI64,
}

/// What is known of a session.
#[derive(Default)]
struct Known {
    logged_out: bool,
    /// Whether its tokens were in the hand of somebody who may not have taken them back.
    lost_at_logout: bool,
    ended_at: Option<Instant>,
    leases_lost: Vec<Instant>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) random: Random,
    pub(crate) memory: MemoryStore,
    pub(crate) provider: Provider,
    pub(crate) silence: broadcast::Sender<Change>,
    machines: Vec<Machine>,
    known: Mutex<Vec<Known>>,
    replicas: Mutex<Vec<Arc<Replica>>>,
    report: Mutex<Report>,
    began: Instant,
    healed: std::sync::atomic::AtomicBool,
    traced: bool,
}

impl World {
    /// Lets the world of a seed run its course.
    pub(crate) fn run(seed: u64, breakage: Breakage, traced: bool) -> Report {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let random = Random::new(seed);
            let plan = Plan::draw(&random, breakage);
            let world = Self::new(random, plan, traced);
            world.live().await;
            world.replicas.lock().unwrap().clear();
            std::mem::take(&mut *world.report.lock().unwrap())
        })
    }

    /// How a call fares whose neighbour dies after so many steps of the same renewal: how long it takes, and whether there is a token.
    /// Nothing else goes wrong.
    pub(crate) fn neighbour_dies(seed: u64, steps: u64) -> (Duration, bool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let random = Random::new(seed);
            let world = Self::new(random, Plan::QUIET, false);
            world.sign_in(0).await;
            let replicas = [Replica::start(&world, 0), Replica::start(&world, 1)];
            sleep(Duration::from_secs(crate::provider::LIFE_SECONDS.unsigned_abs())).await;
            replicas[0].life.die_after(steps);
            let dying = tokio::spawn({
                let replica = Arc::clone(&replicas[0]);
                async move { replica.call(0, Goal::Fresh).await }
            });
            sleep(world.random.milliseconds(0..300)).await;
            let began = Instant::now();
            let answer = world.call(&replicas[1], 0, Goal::Fresh).await.unwrap();
            let took = began.elapsed();
            assert_eq!(dying.await.unwrap(), None, "it has died");
            if answer.is_err() {
                // The provider had answered the dead one, and nobody knows what.
                assert_eq!((answer, world.provider.death(0)), (Err(Refusal::Ended), Some("a refresh token came back")));
            }
            assert_eq!(world.report.lock().unwrap().violations, Vec::<String>::new());
            (took, answer.is_ok())
        })
    }

    fn new(random: Random, plan: Plan, traced: bool) -> Arc<Self> {
        Arc::new(Self {
            plan,
            memory: MemoryStore::default(),
            provider: Provider::new(random.fork()),
            silence: broadcast::Sender::new(1),
            machines: (0..plan.replicas).map(|_| Machine::default()).collect(),
            known: Mutex::new((0..SESSIONS).map(|_| Known::default()).collect()),
            replicas: Mutex::default(),
            report: Mutex::default(),
            began: Instant::now(),
            healed: std::sync::atomic::AtomicBool::new(false),
            traced,
            random,
        })
    }

    async fn live(self: &Arc<Self>) {
        self.note(|| format!("{:?}", self.plan));
        for session in 0..SESSIONS {
            self.sign_in(session).await;
        }
        for number in 0..self.plan.replicas {
            let replica = Replica::start(self, number);
            self.replicas.lock().unwrap().push(replica);
        }
        let mut accidents = Vec::new();
        let mut happens = |accident: AbortHandle| accidents.push(accident);
        for _ in 0..2 {
            happens(tokio::spawn(browse(Arc::clone(self), self.random.fork())).abort_handle());
        }
        if self.plan.crashes {
            happens(tokio::spawn(crash(Arc::clone(self), self.random.fork())).abort_handle());
        }
        if self.plan.outages {
            happens(tokio::spawn(cut_off(Arc::clone(self), self.random.fork())).abort_handle());
        }
        if self.plan.moods {
            happens(tokio::spawn(change_mood(Arc::clone(self), self.random.fork())).abort_handle());
        }
        if self.plan.clocks {
            happens(tokio::spawn(set_clocks(Arc::clone(self), self.random.fork())).abort_handle());
        }
        if self.plan.lost_leases {
            happens(tokio::spawn(lose_leases(Arc::clone(self), self.random.fork())).abort_handle());
        }
        if self.plan.logouts {
            happens(tokio::spawn(log_out(Arc::clone(self), self.random.fork())).abort_handle());
        }
        sleep_until(self.began + CHAOS).await;
        for accident in accidents {
            accident.abort();
        }
        self.heal();
        sleep(REST).await;
        self.look_at_the_end().await;
    }

    async fn sign_in(&self, session: usize) {
        let pair = self.provider.sign_in(session);
        let tokens = Tokens { access: pair.access, refresh: Some(pair.refresh) };
        let (now, text) = (beginning(), String::new());
        let profile = serde_json::json!({
            "user": { "sub": "1" }, "scopes": [], "refreshable": true,
            "access_token_expires_at": now.as_second() + crate::provider::LIFE_SECONDS,
        });
        let record = SessionRecord {
            key: Self::key(session),
            version: 1,
            provider: text.clone(),
            issuer: text.clone(),
            sub: text,
            sid: None,
            profile: serde_json::from_value::<Profile>(profile).unwrap(),
            created_at: now,
            last_seen_at: now,
            idle_expires_at: now,
            expires_at: now,
            tokens: tokens.seal(&self.random),
            lease: None,
        };
        self.memory.insert(&record).await.unwrap();
    }

    pub(crate) fn key(session: usize) -> Key {
        Key([u8::try_from(session).unwrap(); 32])
    }

    fn session(key: Key) -> usize {
        usize::from(key.0[0])
    }

    /// What a machine's clock shows.
    pub(crate) fn wall_clock(&self, machine: usize) -> i64 {
        let passed = i64::try_from(self.began.elapsed().as_secs()).unwrap();
        beginning().as_second() + passed + self.machines[machine].clock_is_off_by.load(Ordering::Relaxed)
    }

    pub(crate) fn note(&self, what: impl FnOnce() -> String) {
        if self.traced {
            let line = format!("{:>9.3} {}", self.began.elapsed().as_secs_f64(), what());
            self.report.lock().unwrap().trace.push(line);
        }
    }

    pub(crate) fn violation(&self, what: String) {
        self.note(|| format!("VIOLATION: {what}"));
        self.report.lock().unwrap().violations.push(what);
    }

    pub(crate) fn count_reuse(&self, excuse: Excuse) {
        self.note(|| format!("a refresh token came back: {excuse:?}"));
        *self.report.lock().unwrap().reuse.entry(excuse).or_default() += 1;
    }

    pub(crate) fn count_renewal(&self) {
        self.report.lock().unwrap().renewals += 1;
    }

    pub(crate) fn healed(&self) -> bool {
        self.healed.load(Ordering::Relaxed)
    }

    pub(crate) fn store_faults(&self) -> bool {
        self.plan.store_faults && !self.healed()
    }

    /// Whether a call may be left unanswered: not two soon after each other.
    pub(crate) fn may_hang(&self, machine: usize) -> bool {
        let mut last = self.machines[machine].last_hang.lock().unwrap();
        let may = last.is_none_or(|last| last.elapsed() > Duration::from_secs(8));
        if may {
            *last = Some(Instant::now());
        }
        may
    }

    /// How the store cannot be reached from a machine, if it cannot.
    pub(crate) fn outage(&self, machine: usize) -> Option<Outage> {
        let outages = self.machines[machine].outages.lock().unwrap();
        outages.iter().find(|outage| outage.until > Instant::now()).map(|outage| outage.how)
    }

    /// Whether a machine could not reach the store at some time since a little before `since`.
    pub(crate) fn store_was_lost(&self, machine: usize, since: Instant) -> bool {
        let since = since - Duration::from_secs(4);
        let outages = self.machines[machine].outages.lock().unwrap();
        outages.iter().any(|outage| outage.until > since)
    }

    pub(crate) fn lease_was_lost(&self, session: usize, since: Instant) -> bool {
        let since = since - Duration::from_secs(4);
        self.known.lock().unwrap()[session].leases_lost.iter().any(|lost| *lost > since)
    }

    /// New tokens are in the store.
    pub(crate) fn written(&self, record: &SessionRecord) {
        let session = Self::session(record.key);
        if self.known.lock().unwrap()[session].ended_at.is_some() {
            self.violation(format!("session {session} has come back"));
        }
        if let Some(refresh) = Tokens::open(record).refresh {
            self.provider.written(refresh);
        }
    }

    /// A session is no longer in the store.
    pub(crate) fn removed(&self, key: Key, replica: usize) {
        let session = Self::session(key);
        self.note(|| format!("replica {replica} removes session {session}"));
        let mut known = self.known.lock().unwrap();
        known[session].ended_at = Some(Instant::now());
        if !known[session].logged_out && self.provider.death(session).is_none() {
            drop(known);
            self.violation(format!("session {session} ends, and nobody has signed out, and the grant holds"));
        }
    }

    fn replica(&self, number: usize) -> Arc<Replica> {
        Arc::clone(&self.replicas.lock().unwrap()[number])
    }

    /// A call, with everything that has to be true of its answer.
    async fn call(&self, replica: &Arc<Replica>, session: usize, goal: Goal) -> Option<Result<u64, Refusal>> {
        let began = Instant::now();
        let had_ended = self.known.lock().unwrap()[session].ended_at.is_some();
        let before = self.memory.get(Self::key(session)).await.unwrap();
        let before = before.and_then(|record| self.provider.access(Tokens::open(&record).access)).map_or(0, |(_, generation)| generation);
        let number = replica.number;
        let Ok(answer) = timeout(LONGEST_CALL, replica.call(session, goal)).await else {
            self.violation(format!("a call to replica {number} for session {session} does not end"));
            return None;
        };
        self.note(|| format!("replica {number} answers {answer:?} for session {session} and {goal:?} after {:?}", began.elapsed()));
        let mut report = self.report.lock().unwrap();
        report.calls += 1;
        let Some(Ok(access)) = answer else { return answer };
        report.tokens += 1;
        drop(report);
        match self.provider.access(access) {
            Some((of, generation)) if of == session && generation >= before => {}
            found => self.violation(format!("token {access} for session {session} is of {found:?}, and there was {before} before")),
        }
        if had_ended {
            self.violation(format!("session {session} has ended, and its token is given away"));
        }
        if goal == Goal::Another(access) {
            self.violation(format!("session {session} gets the token that was refused"));
        }
        answer
    }

    /// Everything that can be mended is mended.
    fn heal(self: &Arc<Self>) {
        self.note(|| "everything heals".to_owned());
        self.healed.store(true, Ordering::Relaxed);
        self.provider.set_mood(Mood::Well);
        for (number, replica) in self.replicas.lock().unwrap().iter_mut().enumerate() {
            replica.life.die_after(u64::MAX / 2);
            if !replica.life.is_alive() {
                *replica = Replica::start(self, number);
            }
        }
        let now = Instant::now();
        for machine in &self.machines {
            machine.clock_is_off_by.store(0, Ordering::Relaxed);
            for outage in machine.outages.lock().unwrap().iter_mut() {
                outage.until = outage.until.min(now);
            }
        }
    }

    /// What has to be true when everything has been well for some time.
    async fn look_at_the_end(self: &Arc<Self>) {
        for session in 0..SESSIONS {
            for number in 0..self.plan.replicas {
                let replica = self.replica(number);
                let record = self.memory.get(Self::key(session)).await.unwrap();
                let mut answer = self.call(&replica, session, Goal::Fresh).await;
                if let Some(Ok(access)) = answer
                    && !self.provider.is_good(access)
                {
                    // A clock was wrong when it was written down, or the provider has changed its mind: the API refuses it.
                    answer = self.call(&replica, session, Goal::Another(access)).await;
                }
                let dead = self.provider.death(session);
                let honest = match (answer, &record) {
                    (Some(Ok(access)), Some(_)) => self.provider.is_good(access),
                    (Some(Err(Refusal::Ended)), None) => true,
                    (Some(Err(Refusal::Ended)), Some(_)) => dead.is_some(),
                    // The provider has sent something that must not be used.
                    (Some(Err(Refusal::Expired)), Some(record)) => Tokens::open(record).refresh.is_none(),
                    _ => false,
                };
                if !honest {
                    self.violation(format!("in the end, replica {number} answers {answer:?} for session {session}; its grant: {dead:?}"));
                }
            }
            let is_there = self.memory.get(Self::key(session)).await.unwrap().is_some();
            let known = self.known.lock().unwrap();
            let (ended, excused) = (known[session].ended_at.is_some(), known[session].lost_at_logout);
            drop(known);
            if is_there == ended {
                self.violation(format!("session {session} is there: {is_there}, and has ended: {ended}"));
            }
            if ended && self.provider.death(session).is_none() && !excused && !self.provider.tokens_were_lost(session) {
                self.violation(format!("session {session} has ended, and its tokens live on"));
            }
        }
    }
}

/// People use their sessions, now and then many at once.
async fn browse(world: Arc<World>, random: Random) {
    loop {
        sleep(random.milliseconds(100..4_000)).await;
        let session = random.index(SESSIONS);
        let calls = if random.percent(30) { random.of(2..8) } else { 1 };
        let mut last = None;
        let mut under_way = Vec::new();
        for _ in 0..calls {
            let (world, replica) = (Arc::clone(&world), world.replica(random.index(world.plan.replicas)));
            under_way.push(tokio::spawn(async move { world.call(&replica, session, Goal::Fresh).await }));
        }
        for call in under_way {
            last = call.await.unwrap().or(last);
        }
        // The API may refuse the token, whatever the clock says.
        if let Some(Ok(access)) = last
            && random.percent(15)
        {
            let replica = world.replica(random.index(world.plan.replicas));
            world.call(&replica, session, Goal::Another(access)).await;
        }
    }
}

/// Processes die, at once or between any two steps, and are started again.
async fn crash(world: Arc<World>, random: Random) {
    loop {
        sleep(random.milliseconds(1_000..9_000)).await;
        let number = random.index(world.plan.replicas);
        let replica = world.replica(number);
        replica.life.die_after(random.of(1..14));
        sleep(random.milliseconds(0..5_000)).await;
        replica.life.die();
        world.note(|| format!("replica {number} is dead"));
        world.report.lock().unwrap().crashes += 1;
        sleep(random.milliseconds(0..4_000)).await;
        let reborn = Replica::start(&world, number);
        world.replicas.lock().unwrap()[number] = reborn;
    }
}

/// Machines lose the store, one or all.
async fn cut_off(world: Arc<World>, random: Random) {
    loop {
        sleep(random.milliseconds(1_000..15_000)).await;
        let how = [Outage::Refuses, Outage::Hangs, Outage::Delays][random.index(3)];
        let all = random.percent(30);
        let one = random.index(world.plan.replicas);
        let from = Instant::now();
        let until = from + random.milliseconds(200..12_000);
        for (number, machine) in world.machines.iter().enumerate().filter(|(number, _)| all || *number == one) {
            world.note(|| format!("the store {how:?} to replica {number} for {:?}", until - from));
            machine.outages.lock().unwrap().push(Unreachable { until, how });
        }
        sleep_until(until).await;
    }
}

/// The provider has its days.
async fn change_mood(world: Arc<World>, random: Random) {
    loop {
        sleep(random.milliseconds(500..8_000)).await;
        let mood = [Mood::Well, Mood::Slow, Mood::Slow, Mood::Failing, Mood::Unreachable, Mood::Mute][random.index(6)];
        world.note(|| format!("the provider is {mood:?}"));
        world.provider.set_mood(mood);
        if random.percent(5) {
            let session = random.index(SESSIONS);
            world.note(|| format!("the provider ends the grant of session {session}"));
            world.provider.end_grant(session);
        }
    }
}

/// Clocks are wrong, and are set.
async fn set_clocks(world: Arc<World>, random: Random) {
    loop {
        let number = random.index(world.plan.replicas);
        let off_by = i64::try_from(random.of(0..7_200)).unwrap() - 3_600;
        world.note(|| format!("the clock of replica {number} is off by {off_by} seconds"));
        world.machines[number].clock_is_off_by.store(off_by, Ordering::Relaxed);
        sleep(random.milliseconds(500..10_000)).await;
    }
}

/// A store that falls back to its last copy may forget a lease.
async fn lose_leases(world: Arc<World>, random: Random) {
    loop {
        sleep(random.milliseconds(200..6_000)).await;
        let session = random.index(SESSIONS);
        let Some(record) = world.memory.get(World::key(session)).await.unwrap() else { continue };
        if record.lease.is_some() {
            world.note(|| format!("the lease of session {session} is lost"));
            world.known.lock().unwrap()[session].leases_lost.push(Instant::now());
            world.memory.swap_lease(record.key, record.version, record.lease, None).await.unwrap();
        }
    }
}

/// People sign out.
async fn log_out(world: Arc<World>, random: Random) {
    for session in 0..SESSIONS {
        sleep(random.milliseconds(3_000..28_000)).await;
        let replica = world.replica(random.index(world.plan.replicas));
        world.note(|| format!("sign-out of session {session} at replica {}", replica.number));
        {
            let known = &mut world.known.lock().unwrap()[session];
            // Until it is done, nobody knows what it held: the store may not say, or the replica may die with it in hand.
            (known.logged_out, known.lost_at_logout) = (true, true);
        }
        if replica.log_out(session).await == Some(true) {
            world.known.lock().unwrap()[session].lost_at_logout = false;
        }
    }
}
