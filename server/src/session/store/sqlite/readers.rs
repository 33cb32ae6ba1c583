//! The connections that read.

use super::{BUSY_TIMEOUT, closed, is_busy, lock, opening};
use crate::session::store::StoreError;
use rusqlite::{Connection, Error};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

/// How many connections stay open: more are there only while so many read at the very same moment.
const KEPT: usize = 4;

/// Connections of which each reads for one at a time.
#[derive(Debug)]
pub(super) struct Readers {
    path: PathBuf,
    /// Those that nobody uses; none once all is closed.
    idle: Mutex<Option<Vec<Connection>>>,
}

impl Readers {
    /// Begins with this one; others are opened when they are needed.
    pub(super) fn new(path: &Path, first: Connection) -> Self {
        Self { path: path.to_owned(), idle: Mutex::new(Some(vec![first])) }
    }

    /// Reads at once, on this thread: nothing of ours is ever in the way. Where another process is, a thread waits that may.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&Connection) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        match self.read_within(Duration::ZERO, &work) {
            Ok(Err(error)) if is_busy(&error) => {
                let readers = Arc::clone(self);
                let waiting = tokio::task::spawn_blocking(move || readers.read_within(BUSY_TIMEOUT, work));
                Ok(waiting.await.map_err(StoreError::new)??.map_err(StoreError::new)?)
            }
            read => Ok(read??),
        }
    }

    /// Reads, and waits no longer than this for another process.
    fn read_within<T>(&self, patience: Duration, work: impl Fn(&Connection) -> Result<T, Error>) -> Result<Result<T, Error>, StoreError> {
        let idle = lock(&self.idle).as_mut().ok_or_else(closed)?.pop();
        let connection = match idle.map_or_else(|| opening::reader(&self.path), Ok) {
            Ok(connection) => connection,
            Err(error) => return Ok(Err(error)),
        };
        let read = connection.busy_timeout(patience).and_then(|()| work(&connection));
        match lock(&self.idle).as_mut() {
            Some(idle) if idle.len() < KEPT => idle.push(connection),
            _ => {}
        }
        Ok(read)
    }

    /// Closes those that nobody uses, and the others when they have read.
    pub(super) fn close(&self) {
        lock(&self.idle).take();
    }
}
