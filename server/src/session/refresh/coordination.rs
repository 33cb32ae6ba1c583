//! Who renews a session's tokens: one, whatever the load, and however many servers share the store.
//!
//! Within a process, all who want the same session renewed share one flight. Between processes, the flight that may renew holds
//! the session's [`Lease`]:
//!
//! 1. It reads the record. If another has renewed it meanwhile, it takes those tokens and is done.
//! 2. It fetches what the renewal needs besides, while it holds nothing that others wait for.
//! 3. It swaps a lease of its own into the record. The store compares the version, so what was read before still is what is there
//!    when the lease is won.
//! 4. It asks the provider, and meanwhile swaps the lease for a fresh one every [`Rhythm::beat`].
//! 5. It writes the new tokens down if the version is still the same, and that takes the lease away.
//!
//! A flight that finds the lease taken looks again at small, growing intervals, and at once when the store announces a change of
//! the session. A lease that has stayed the same for [`Rhythm::patience`] of the waiting process's own time has no living holder,
//! and is replaced. No clock is compared with another machine's: they may differ, and be set, as they like.
//!
//! A holder that has not heard from the store for [`Rhythm::sure`] begins nothing, because others may soon think that it has died.
//! Once the provider has answered, the old refresh token may be spent, and the new one is nowhere but here: it tries to write that
//! down until the store answers. What cannot be ruled out is that a holder dies between asking and writing, or is cut off from
//! the store for longer than the others' patience. Then the next one shows a refresh token that may be spent.

use super::{
    flight::Flight,
    lease::{Beat, Fence, Held, Proposed},
};
use crate::{
    entropy::{Entropy, random},
    session::{
        record::{Key, Lease, SessionRecord},
        store::{Change, Store, StoreError},
    },
};
use std::{
    future::{Future, pending},
    time::Duration,
};
use tokio::{
    sync::broadcast::{self, error::RecvError},
    time::{Instant, sleep, timeout},
};

/// How fast leases beat, and how long things may take.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// A holder exchanges its lease for a fresh one this often.
    pub beat: Duration,
    /// A holder whose lease is older than this begins nothing before the next beat. The store has as long for an answer to a beat.
    pub sure: Duration,
    /// A lease that stays the same for this long has no living holder. At least twice as long as `sure`: between two beats that the
    /// store answers late, it may take so long.
    pub patience: Duration,
    /// The store has this long for any other answer.
    pub store: Duration,
    /// Who waits for another server gives up after this time.
    pub wait: Duration,
}

impl Default for Rhythm {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(1),
            sure: Duration::from_secs(2),
            patience: Duration::from_secs(4),
            store: Duration::from_secs(3),
            wait: Duration::from_secs(30),
        }
    }
}

/// How often a store that does not answer is asked for a record.
const READ_ATTEMPTS: u32 = 3;
/// How often it is asked to end a session.
const END_ATTEMPTS: u32 = 5;
/// So often it may fail to take new tokens before those who wait for them are let go.
const WRITES_BEFORE_LETTING_GO: u32 = 4;
/// The pauses between two looks at a record that another is renewing.
const LOOKS: Pauses = Pauses { next: Duration::from_millis(40), longest: Duration::from_millis(500) };
/// The pauses between two attempts at a store that does not answer.
const ATTEMPTS: Pauses = Pauses { next: Duration::from_millis(100), longest: Duration::from_secs(5) };

/// What came of asking the provider.
#[derive(Debug)]
pub enum Outcome<T, E> {
    /// New tokens.
    Renewed {
        /// The record with the tokens in it.
        record: SessionRecord,
        /// The tokens.
        tokens: T,
    },
    /// New tokens that must not be used, in the place of old ones that are spent.
    Unusable {
        /// The record with what is left.
        left: SessionRecord,
        /// What has to be taken back.
        tokens: T,
        /// Why.
        error: E,
    },
    /// No tokens; the old ones are what they were.
    Failed(E),
    /// The provider does not know the grant any more: the session is over.
    GrantEnded(E),
}

/// What renewing means.
pub trait Renewal: Clone + Send + Sync + 'static {
    /// The tokens of a session.
    type Tokens: Send;
    /// What a caller gets of them.
    type Access: Clone + From<Self::Tokens> + Send + Sync + 'static;
    /// Why there are none.
    type Error: Clone + From<StoreError> + Send + Sync + 'static;
    /// What has to be there before the provider is asked.
    type Prepared: Send;

    /// Where the sessions are.
    fn store(&self) -> &dyn Store;

    /// Draws leases, and the lengths of pauses.
    fn entropy(&self) -> &dyn Entropy;

    /// Lets a task go on by itself.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// How fast everything goes.
    fn rhythm(&self) -> Rhythm {
        Rhythm::default()
    }

    /// The tokens in a record, if they are such that nobody need renew them. `since` is the version that the record had when this
    /// renewal began.
    ///
    /// # Errors
    /// When that cannot be found out.
    fn renewed(&self, record: &SessionRecord, since: i64) -> Result<Option<Self::Tokens>, Self::Error>;

    /// The tokens in a record, whatever they are good for.
    fn tokens(&self, record: &SessionRecord) -> Option<Self::Tokens>;

    /// Finds out whether to ask the provider makes sense now, and fetches what it takes.
    fn prepare(&self, record: &SessionRecord) -> impl Future<Output = Result<Self::Prepared, Self::Error>> + Send;

    /// Asks the provider. A second request goes out only while the `fence` stands.
    fn ask(
        &self,
        record: SessionRecord,
        prepared: Self::Prepared,
        fence: &Fence,
    ) -> impl Future<Output = Outcome<Self::Tokens, Self::Error>> + Send;

    /// Takes tokens back at the provider that nobody is going to use.
    fn revoke(&self, record: &SessionRecord, tokens: Self::Tokens) -> impl Future<Output = ()> + Send;

    /// The session is about to end because the provider renews it no more, and not because anybody wants it to.
    fn ends(&self, _key: Key) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// What is said when the session has ended.
    fn session_ended(&self) -> Self::Error;

    /// What is said when the renewal was interrupted, or takes longer than anybody should wait.
    fn interrupted(&self) -> Self::Error;
}

/// What a holder found out.
enum Found<A, E> {
    Result(Result<A, E>),
    /// Another has the lease, or has written: from the beginning.
    Again,
}

/// What became of new tokens.
enum Written {
    Ours,
    /// The record has others.
    Theirs,
    /// The session has ended.
    Gone,
}

/// Somebody else's lease, and since when it has been seen to be there.
#[derive(Clone, Copy)]
struct Watched {
    version: i64,
    lease: Lease,
    since: Instant,
}

/// What a flight has that wants the lease.
struct Bid<P> {
    prepared: P,
    /// The leases that the store has been asked to put into the record.
    proposed: Vec<Proposed>,
    /// Whether one of them was to replace that of a holder that seemed dead.
    takes_over: bool,
}

/// The task that renews, or waits until another server has.
pub(super) struct Leader<'f, R: Renewal> {
    renewal: R,
    key: Key,
    flight: &'f Flight<R::Access, R::Error>,
    rhythm: Rhythm,
    changes: broadcast::Receiver<Change>,
    /// The version whose tokens the provider has refused: it is not shown them again.
    refused: Option<(i64, R::Error)>,
}

impl<'f, R: Renewal> Leader<'f, R> {
    pub(super) fn new(renewal: R, key: Key, flight: &'f Flight<R::Access, R::Error>) -> Self {
        let (rhythm, changes) = (renewal.rhythm(), renewal.store().changes());
        Self { renewal, key, flight, rhythm, changes, refused: None }
    }

    pub(super) async fn lead(mut self) -> Result<R::Access, R::Error> {
        let gives_up_at = Instant::now() + self.rhythm.wait;
        let (mut since, mut watched, mut bid, mut looks) = (None, None, None::<Bid<R::Prepared>>, LOOKS);
        loop {
            let looked = Instant::now();
            let Some(record) = self.read().await? else { return Err(self.renewal.session_ended()) };
            if let Some(tokens) = self.renewal.renewed(&record, *since.get_or_insert(record.version))? {
                return Ok(tokens.into());
            }
            let version = record.version;
            if let Some(won) = bid.as_ref().and_then(|bid| bid.proposed.iter().find(|own| Some(own.lease) == record.lease).copied()) {
                // The store has done it, and the answer was lost.
                if let Some(Bid { prepared, proposed, takes_over }) = bid.take() {
                    let held = Held::new(self.key, version, won, proposed, self.rhythm);
                    match self.hold(record, prepared, &held, takes_over).await {
                        Found::Result(result) => return result,
                        Found::Again => continue,
                    }
                }
            }
            if Instant::now() >= gives_up_at {
                return Err(self.renewal.interrupted());
            }
            if record.lease.is_some_and(|lease| self.seems_alive(&mut watched, version, lease, looked)) {
                self.wait(looks.next(self.renewal.entropy())).await;
                continue;
            }
            let mut own = match bid.take() {
                Some(bid) => bid,
                None => Bid { prepared: self.renewal.prepare(&record).await?, proposed: Vec::new(), takes_over: false },
            };
            own.takes_over |= record.lease.is_some();
            let lease = Proposed::new(self.renewal.entropy());
            own.proposed.push(lease);
            let swapping = self.renewal.store().swap_lease(self.key, version, record.lease, Some(lease.lease));
            if let Ok(true) = answered(self.rhythm.store, swapping).await {
                let held = Held::new(self.key, version, lease, own.proposed, self.rhythm);
                match self.hold(record, own.prepared, &held, own.takes_over).await {
                    Found::Result(result) => return result,
                    Found::Again => {}
                }
            } else {
                // Another was faster, or the store did not say what it did: the record will tell.
                bid = Some(own);
                self.wait(looks.next(self.renewal.entropy())).await;
            }
        }
    }

    /// Whether the holder of a lease may still be alive; `looked` is when reading began.
    fn seems_alive(&self, watched: &mut Option<Watched>, version: i64, lease: Lease, looked: Instant) -> bool {
        match watched {
            Some(seen) if seen.version == version && seen.lease == lease => {
                looked.saturating_duration_since(seen.since) < self.rhythm.patience
            }
            _ => {
                *watched = Some(Watched { version, lease, since: Instant::now() });
                true
            }
        }
    }

    /// Reads the record; a store that does not answer is asked a few times.
    async fn read(&self) -> Result<Option<SessionRecord>, StoreError> {
        let mut pauses = ATTEMPTS;
        for _ in 1..READ_ATTEMPTS {
            match answered(self.rhythm.store, self.renewal.store().get(self.key)).await {
                Ok(record) => return Ok(record),
                Err(_) => sleep(pauses.next(self.renewal.entropy())).await,
            }
        }
        answered(self.rhythm.store, self.renewal.store().get(self.key)).await
    }

    /// Waits for so long, or until the store announces that there may be something to see.
    async fn wait(&mut self, pause: Duration) {
        let (key, changes) = (self.key, &mut self.changes);
        let announced = async {
            loop {
                match changes.recv().await {
                    Ok(Change::Ended(other) | Change::Renewed(other)) if other != key => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => return,
                    Err(RecvError::Closed) => return pending().await,
                }
            }
        };
        // Either way, the record is looked at next.
        let _ = timeout(pause, announced).await;
    }

    /// Renews with the lease in hand.
    async fn hold(&mut self, record: SessionRecord, prepared: R::Prepared, held: &Held, takes_over: bool) -> Found<R::Access, R::Error> {
        if let Some((_, error)) = self.refused.take_if(|(refused, _)| *refused == held.version) {
            return Found::Result(Err(self.end(held.version, error).await));
        }
        while !held.fence.stands() {
            match held.beat(self.renewal.store(), self.renewal.entropy()).await {
                Beat::Kept => {}
                Beat::Lost => return Found::Again,
                Beat::Unanswered => {
                    held.release(self.renewal.store()).await;
                    return Found::Result(Err(StoreError::new("it does not keep a lease").into()));
                }
            }
        }
        let asking = self.renewal.ask(record, prepared, &held.fence);
        match held.during(self.renewal.store(), self.renewal.entropy(), asking).await {
            Outcome::Renewed { record, tokens } => match self.write_down(&record, held).await {
                Written::Ours => Found::Result(Ok(tokens.into())),
                // Both are of the same grant: to revoke ours would end theirs.
                Written::Theirs => Found::Again,
                Written::Gone => {
                    // The session ended while the provider was thinking: nobody may use what it gave.
                    self.renewal.revoke(&record, tokens).await;
                    Found::Result(Err(self.renewal.session_ended()))
                }
            },
            Outcome::Unusable { left, tokens, error } => {
                if !matches!(self.write_down(&left, held).await, Written::Theirs) {
                    self.renewal.revoke(&left, tokens).await;
                }
                Found::Result(Err(error))
            }
            Outcome::Failed(error) => {
                held.release(self.renewal.store()).await;
                Found::Result(Err(error))
            }
            Outcome::GrantEnded(error) => self.grant_ended(held, takes_over, error).await,
        }
    }

    /// Writes the new tokens down, however long that takes: the old ones are spent.
    async fn write_down(&self, record: &SessionRecord, held: &Held) -> Written {
        held.during(self.renewal.store(), self.renewal.entropy(), self.write_until_answered(record)).await
    }

    async fn write_until_answered(&self, record: &SessionRecord) -> Written {
        let (mut pauses, mut failures) = (ATTEMPTS, 0_u32);
        loop {
            let error = match self.write_once(record).await {
                Ok(written) => return written,
                Err(error) => error,
            };
            failures = failures.saturating_add(1);
            if failures == 1 {
                tracing::warn!(error = %error, "new tokens could not be written down; trying again");
            }
            if failures == WRITES_BEFORE_LETTING_GO {
                tracing::error!(error = %error, "new tokens still could not be written down; trying again until the store answers");
                self.flight.is_stuck(error.into());
            }
            sleep(pauses.next(self.renewal.entropy())).await;
        }
    }

    async fn write_once(&self, record: &SessionRecord) -> Result<Written, StoreError> {
        if answered(self.rhythm.store, self.renewal.store().replace_tokens(record)).await? {
            return Ok(Written::Ours);
        }
        match answered(self.rhythm.store, self.renewal.store().get(self.key)).await? {
            None => Ok(Written::Gone),
            // The store had done it before, and the answer was lost. No two sealed texts are the same.
            Some(now) if now.tokens == record.tokens => Ok(Written::Ours),
            Some(now) if now.version != record.version => Ok(Written::Theirs),
            Some(_) => Err(StoreError::new("it does not take new tokens")),
        }
    }

    /// The provider knows the refresh token no more: ends the session, unless another has had new tokens for it.
    async fn grant_ended(&mut self, held: &Held, takes_over: bool, error: R::Error) -> Found<R::Access, R::Error> {
        let mut now = self.read().await;
        if takes_over {
            // The holder that seemed dead may have been cut off from the store for a moment, with new tokens in its hand.
            let (waits_until, mut looks) = (Instant::now() + self.rhythm.patience, LOOKS);
            while matches!(&now, Ok(Some(record)) if record.version == held.version) && Instant::now() < waits_until {
                let pause = looks.next(self.renewal.entropy());
                held.during(self.renewal.store(), self.renewal.entropy(), sleep(pause)).await;
                now = self.read().await;
            }
        }
        match now {
            Err(error) => Found::Result(Err(error.into())),
            Ok(None) => Found::Result(Err(error)),
            Ok(Some(now)) if now.version != held.version => Found::Again,
            Ok(Some(now)) if !held.is(now.lease) => {
                // Another is at it: it may be about to write what the provider gave it for the same token.
                self.refused = Some((held.version, error));
                Found::Again
            }
            Ok(Some(_)) => Found::Result(Err(self.end(held.version, error).await)),
        }
    }

    /// Ends the session, and answers what there is to say then.
    async fn end(&self, version: i64, error: R::Error) -> R::Error {
        self.renewal.ends(self.key).await;
        let mut pauses = ATTEMPTS;
        let mut attempt = 1;
        loop {
            match answered(self.rhythm.store, self.renewal.store().remove(self.key)).await {
                Ok(Some(removed)) if removed.version != version => {
                    // Somebody wrote in the last moment: that is for nobody to use now.
                    if let Some(tokens) = self.renewal.tokens(&removed) {
                        self.renewal.revoke(&removed, tokens).await;
                    }
                    return error;
                }
                Ok(_) => return error,
                Err(error) if attempt == END_ATTEMPTS => return error.into(),
                Err(_) => sleep(pauses.next(self.renewal.entropy())).await,
            }
            attempt += 1;
        }
    }
}

/// What the store answers, if it does so in time.
pub(super) async fn answered<T>(limit: Duration, answer: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    timeout(limit, answer).await.unwrap_or_else(|_| Err(StoreError::new("it gave no answer in time")))
}

/// Pauses that grow, each a little shorter or longer than it would have to be.
struct Pauses {
    next: Duration,
    longest: Duration,
}

impl Pauses {
    fn next(&mut self, entropy: &dyn Entropy) -> Duration {
        let pause = self.next;
        self.next = (pause * 8 / 5).min(self.longest);
        // Between three and five quarters of it.
        pause * (768 + u32::from(u16::from_le_bytes(random(entropy)) % 512)) / 1024
    }
}
