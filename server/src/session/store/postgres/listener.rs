//! The connection that hears what is announced, and is made anew when it breaks.

use super::{CHANNEL, CONNECT_PATIENCE, Change};
use crate::session::{record::Key, store::turns::Turns};
use sqlx::{
    Executor as _,
    postgres::{PgConnectOptions, PgListener, PgPoolOptions},
};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{
    sync::broadcast,
    time::{Instant, sleep, timeout},
};

/// How often a silent connection is asked whether it is still one.
const HEARTBEAT: Duration = Duration::from_secs(5);

/// How long a database that takes no writes is believed to take none on a new connection, either.
const READ_ONLY_FOR: Duration = Duration::from_secs(2);

/// How long to wait before the next attempt to connect.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

/// What is known of the changes that others make.
#[derive(Debug)]
pub(super) struct Ear {
    changes: broadcast::Sender<Change>,
    /// The turns of listening.
    pub(super) turns: Turns,
    lost_at: Mutex<Option<Instant>>,
    read_only_at: Mutex<Option<Instant>>,
}

impl Ear {
    pub(super) fn new(changes_kept: usize) -> Self {
        Self {
            changes: broadcast::Sender::new(changes_kept),
            turns: Turns::new(),
            lost_at: Mutex::new(None),
            read_only_at: Mutex::new(None),
        }
    }

    pub(super) fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    pub(super) fn announce(&self, change: Change) {
        // Nobody has to listen.
        let _ = self.changes.send(change);
    }

    fn has_lost(&self) {
        self.turns.end();
        self.distrust();
    }

    /// Says that a connection was lost: none that is there already is to be used again.
    pub(super) fn distrust(&self) {
        *self.lost_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether a connection was lost at a time when one of this age was there already.
    pub(super) fn has_lost_since(&self, age: Duration) -> bool {
        self.lost_at.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|lost_at| lost_at.elapsed() <= age)
    }

    /// Says that a new connection takes no writes, either.
    pub(super) fn note_read_only(&self) {
        *self.read_only_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether that was so a moment ago.
    pub(super) fn is_read_only(&self) -> bool {
        self.read_only_at.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|at| at.elapsed() < READ_ONLY_FOR)
    }
}

/// Connects and begins to listen.
pub(super) async fn begin(options: &PgConnectOptions) -> Result<PgListener, sqlx::Error> {
    // A pool of its own each time: one that the network has swallowed must not stand in the way of the next.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_PATIENCE)
        .idle_timeout(None)
        .max_lifetime(None)
        .connect_lazy_with(options.clone());
    let begin = async {
        let mut listener = PgListener::connect_with(&pool).await?;
        listener.eager_reconnect(false);
        listener.listen(CHANNEL).await?;
        Ok(listener)
    };
    timeout(2 * CONNECT_PATIENCE, begin).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Announces what is heard, for as long as the store is there.
pub(super) async fn listen(options: PgConnectOptions, first: PgListener, ear: Arc<Ear>) {
    let mut listener = first;
    loop {
        let error = hear(&mut listener, &ear).await;
        ear.has_lost();
        tracing::warn!(error = error.as_deref(), "the connection to the session database is lost");
        drop(listener);
        listener = loop {
            match begin(&options).await {
                Ok(listener) => break listener,
                Err(error) => tracing::debug!(%error, "the session database does not answer"),
            }
            sleep(AGAIN_AFTER).await;
        };
        ear.turns.begin();
        // What has happened meanwhile was announced to nobody here.
        ear.announce(Change::Missed);
        tracing::info!("the session database is there again");
    }
}

/// Announces what is heard until the connection is lost, and answers why.
async fn hear(listener: &mut PgListener, ear: &Ear) -> Option<String> {
    loop {
        tokio::select! {
            heard = listener.try_recv() => match heard {
                Ok(Some(notification)) => ear.announce(read(notification.payload())),
                Ok(None) => return None,
                Err(error) => return Some(error.to_string()),
            },
            () = sleep(HEARTBEAT) => match timeout(CONNECT_PATIENCE, listener.execute("SELECT 1")).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => return Some(error.to_string()),
                Err(elapsed) => return Some(elapsed.to_string()),
            },
        }
    }
}

/// Reads what a statement has announced. What is something else may be anything.
fn read(payload: &str) -> Change {
    let change: fn(Key) -> Change = match payload.as_bytes().first() {
        Some(b'e') => Change::Ended,
        Some(b'r') => Change::Renewed,
        _ => return Change::Missed,
    };
    payload.get(1..).and_then(key).map_or(Change::Missed, change)
}

fn key(hex: &str) -> Option<Key> {
    let mut key = [0; 32];
    if hex.len() != 2 * key.len() || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (index, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * index..2 * index + 2)?, 16).ok()?;
    }
    Some(Key(key))
}

#[cfg(test)]
mod tests {
    use super::{Change, Key, read};

    #[test]
    fn what_cannot_be_read_may_be_anything() {
        let mut expected = [0xab; 32];
        expected[31] = 1;
        let hex = format!("{}01", "aB".repeat(31));
        assert_eq!(read(&format!("e{hex}")), Change::Ended(Key(expected)));
        assert_eq!(read(&format!("r{hex}")), Change::Renewed(Key(expected)));
        for other in ["", "e", "x", "r12", &format!("x{hex}"), &format!("e{hex}0"), &format!("e+{}", &hex[1..]), "ü", &"é".repeat(32)] {
            assert_eq!(read(other), Change::Missed, "{other}");
        }
    }
}
