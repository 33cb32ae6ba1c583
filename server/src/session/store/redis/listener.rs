//! Hearing what happens to sessions, whoever does it.
//!
//! One connection listens for as long as it lasts. That it hears is not taken for granted: every now and then this process says
//! something itself, in a Cluster at every node that has slots, and if it does not come back from one of them the connection is given up
//! for another.

use super::{call::Call, link::Link};
use crate::session::{
    record::Key,
    store::{Change, turns::Turns},
};
use futures_util::StreamExt as _;
use redis::{RedisError, aio::PubSub};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::broadcast,
    time::{MissedTickBehavior, interval, sleep},
};

/// How often this process makes sure that it hears.
const BEAT_INTERVAL: Duration = Duration::from_secs(2);

/// How long to wait before listening again, the first time and at most.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

const ENDED: u8 = b'e';
const RENEWED: u8 = b'r';
const BEAT: u8 = b'b';

/// What is said when a session has ended.
pub(super) fn ended(key: Key) -> Vec<u8> {
    [&[ENDED], key.0.as_slice()].concat()
}

/// What is said when a session's record has changed.
pub(super) fn renewed(key: Key) -> Vec<u8> {
    [&[RENEWED], key.0.as_slice()].concat()
}

/// Something that was said.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    Change(Change),
    /// Somebody made sure to be heard.
    Beat {
        by: [u8; 16],
        number: u64,
    },
}

impl Heard {
    fn parse(said: &[u8]) -> Option<Self> {
        let (kind, rest) = said.split_first()?;
        match *kind {
            ENDED => Some(Self::Change(Change::Ended(Key(rest.try_into().ok()?)))),
            RENEWED => Some(Self::Change(Change::Renewed(Key(rest.try_into().ok()?)))),
            BEAT => {
                let (by, number) = rest.split_first_chunk()?;
                Some(Self::Beat { by: *by, number: u64::from_be_bytes(number.try_into().ok()?) })
            }
            _ => None,
        }
    }
}

/// What the store knows of the listening.
pub(super) struct Ear {
    pub(super) changes: broadcast::Sender<Change>,
    /// The turns of listening.
    pub(super) turns: Turns,
}

impl Ear {
    pub(super) fn new(changes_kept: usize) -> Self {
        Self { changes: broadcast::Sender::new(changes_kept), turns: Turns::new() }
    }

    /// Announces a change here. What this process has done is announced before its caller is answered, and once more when it is heard.
    pub(super) fn announce(&self, change: Change) {
        // Nobody listens to a store that nobody watches.
        let _ = self.changes.send(change);
    }
}

/// Where to listen.
pub(super) struct Listener {
    pub(super) link: Arc<Link>,
    pub(super) channel: String,
    /// A key that nobody ever writes.
    pub(super) nothing: String,
    /// Tells this process's own beats from those of others.
    pub(super) name: [u8; 16],
    pub(super) ear: Arc<Ear>,
}

impl Listener {
    /// Begins to listen.
    pub(super) async fn begin(&self) -> Result<PubSub, RedisError> {
        let connection = self.link.listen(&self.channel).await?;
        self.ear.turns.begin();
        Ok(connection)
    }

    /// Listens for good.
    pub(super) async fn run(self, first: PubSub) {
        let mut connection = first;
        loop {
            let why = self.hear(connection).await;
            self.ear.turns.end();
            tracing::warn!(why, "changes to sessions are not heard; listening anew");
            let mut pause = FIRST_PAUSE;
            connection = loop {
                match self.begin().await {
                    Ok(connection) => break connection,
                    Err(_said_before) => sleep(pause).await,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            };
            tracing::info!("changes to sessions are heard again");
            self.ear.announce(Change::Missed);
        }
    }

    /// Passes on what is said until nothing can be heard any more, and answers why.
    async fn hear(&self, connection: PubSub) -> &'static str {
        let (_keeps_it_open, mut messages) = connection.split();
        let beats = Beats::default();
        let beating = self.beat(&beats);
        tokio::pin!(beating);
        let mut ticks = interval(BEAT_INTERVAL);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                message = messages.next() => match message.as_ref().map(|message| Heard::parse(message.get_payload_bytes())) {
                    None => return "the connection was lost",
                    Some(Some(Heard::Change(change))) => self.ear.announce(change),
                    Some(Some(Heard::Beat { by, number })) if by == self.name => beats.heard(number),
                    // Another process's beat, or something that a newer version says.
                    Some(_) => {}
                },
                _ = ticks.tick() => {
                    if beats.is_one_lost() {
                        return "what is said does not arrive";
                    }
                }
                never = &mut beating => match never {},
            }
        }
    }

    /// Says something now and then; what could not be said is not waited for.
    async fn beat(&self, beats: &Beats) -> std::convert::Infallible {
        let mut number = 0_u64;
        loop {
            for way in self.link.ways() {
                number += 1;
                beats.begin(number);
                let said = [&[BEAT], self.name.as_slice(), &number.to_be_bytes()].concat();
                let call = Call::anywhere("PUBLISH").arg(&self.channel).arg(said);
                let answer = self.link.try_run_by(way, &call).await;
                beats.end(number, answer.is_ok());
            }
            // A server that was the master is noticed by what it refuses to write, and nobody should read from it.
            let _ = self.link.try_run(&Call::repeatable("UNLINK", &self.nothing)).await;
            sleep(BEAT_INTERVAL).await;
        }
    }
}

/// The beats that are on their way.
#[derive(Default)]
struct Beats(Mutex<Vec<Beat>>);

struct Beat {
    number: u64,
    is_said: bool,
    is_heard: bool,
    /// Since it was said, it has been looked once whether it was heard.
    is_due: bool,
}

impl Beats {
    fn on_their_way(&self) -> MutexGuard<'_, Vec<Beat>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One is about to be said.
    fn begin(&self, number: u64) {
        self.on_their_way().push(Beat { number, is_said: false, is_heard: false, is_due: false });
    }

    /// It was said, or could not be.
    fn end(&self, number: u64, is_said: bool) {
        self.change(number, |beat| beat.is_said = true);
        if !is_said {
            self.on_their_way().retain(|beat| beat.number != number);
        }
    }

    /// It was heard, which may be before whoever says it knows that it is said.
    fn heard(&self, number: u64) {
        self.change(number, |beat| beat.is_heard = true);
    }

    fn change(&self, number: u64, change: impl FnOnce(&mut Beat)) {
        let mut beats = self.on_their_way();
        if let Some(beat) = beats.iter_mut().find(|beat| beat.number == number) {
            change(beat);
        }
        beats.retain(|beat| !(beat.is_said && beat.is_heard));
    }

    /// Whether one is not heard that was said before this was asked the last time.
    fn is_one_lost(&self) -> bool {
        let mut beats = self.on_their_way();
        let is_lost = beats.iter().any(|beat| beat.is_due);
        for beat in beats.iter_mut().filter(|beat| beat.is_said) {
            beat.is_due = true;
        }
        is_lost
    }
}

#[cfg(test)]
mod tests {
    use super::{BEAT, Beats, Heard, ended, renewed};
    use crate::session::{record::Key, store::Change};

    #[test]
    fn what_is_said_is_understood() {
        let key = Key([5; 32]);
        assert_eq!(Heard::parse(&ended(key)), Some(Heard::Change(Change::Ended(key))));
        assert_eq!(Heard::parse(&renewed(key)), Some(Heard::Change(Change::Renewed(key))));
        let beat = [&[BEAT][..], &[1; 16], &7_u64.to_be_bytes()].concat();
        assert_eq!(Heard::parse(&beat), Some(Heard::Beat { by: [1; 16], number: 7 }));
        for nonsense in [&b""[..], b"e", b"x", &ended(key)[..32], &[ended(key), vec![0]].concat(), &beat[..24]] {
            assert_eq!(Heard::parse(nonsense), None);
        }
    }

    #[test]
    fn a_beat_is_lost_that_is_not_heard_by_the_second_look_after_it_was_said() {
        let beats = Beats::default();
        for number in 1..=4 {
            beats.begin(number);
        }
        // Heard before and after it is known to be said; never said; and said, but not heard.
        beats.heard(1);
        beats.end(1, true);
        beats.end(2, true);
        beats.heard(2);
        beats.end(3, false);
        assert!(!beats.is_one_lost());
        beats.end(4, true);
        assert!(!beats.is_one_lost());
        beats.heard(5);
        assert!(beats.is_one_lost());
        beats.heard(4);
        assert!(!beats.is_one_lost());
    }
}
