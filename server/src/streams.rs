//! Answers that do not end by themselves: each keeps a connection and some memory, so there is room for so many, and for so many
//! of one session.

use crate::{error::Failure, session::record::Key};
use oauth2flow_app::problem::ProblemCode;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// When to ask again who found no room.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// The streams that are open.
#[derive(Debug)]
pub struct Streams {
    open: Arc<Mutex<Open>>,
    maximum: usize,
    maximum_of_session: usize,
}

#[derive(Debug, Default)]
struct Open {
    all: usize,
    of_session: HashMap<Key, usize>,
}

/// Room for one stream, until it is dropped.
#[derive(Debug)]
#[must_use = "the room is given back when this is dropped"]
pub struct StreamPermit {
    open: Arc<Mutex<Open>>,
    session: Key,
}

impl Streams {
    /// Room for so many at a time, and for so many of one session.
    pub fn new(maximum: usize, maximum_of_session: usize) -> Self {
        Self { open: Arc::default(), maximum, maximum_of_session }
    }

    /// Takes room for a stream of this session: an event stream, a WebSocket.
    ///
    /// # Errors
    /// `too_many_connections`, when there is none.
    pub fn acquire(&self, session: Key) -> Result<StreamPermit, Failure> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let detail = if open.all >= self.maximum {
            "This server keeps no more streams open at a time."
        } else if open.of_session.get(&session).is_some_and(|streams| *streams >= self.maximum_of_session) {
            "This session has as many streams open as one may have."
        } else {
            open.all += 1;
            *open.of_session.entry(session).or_default() += 1;
            return Ok(StreamPermit { open: Arc::clone(&self.open), session });
        };
        Err(Failure::new(ProblemCode::TooManyConnections).detail(detail).retry_after(RETRY_AFTER))
    }
}

impl Drop for StreamPermit {
    fn drop(&mut self) {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.all -= 1;
        if let Some(streams) = open.of_session.get_mut(&self.session) {
            *streams -= 1;
            if *streams == 0 {
                open.of_session.remove(&self.session);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Streams;
    use crate::session::record::Key;

    #[test]
    fn room_is_given_back_and_one_session_cannot_take_all_of_it() {
        let streams = Streams::new(3, 2);
        let (one, other) = (Key([1; 32]), Key([2; 32]));
        let first = streams.acquire(one).unwrap();
        let _second = streams.acquire(one).unwrap();
        assert!(streams.acquire(one).unwrap_err().detail.contains("This session"));
        let third = streams.acquire(other).unwrap();
        assert!(streams.acquire(other).unwrap_err().detail.contains("This server"));
        drop(first);
        let _fourth = streams.acquire(one).unwrap();
        drop(third);
        let _fifth = streams.acquire(other).unwrap();
        assert_eq!(streams.open.lock().unwrap().of_session.len(), 2);
    }
}
