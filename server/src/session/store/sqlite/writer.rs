//! The one connection that writes: whatever is wanted at the same moment goes into the file in one transaction.

use super::{BUSY_TIMEOUT, closed, is_busy, lock, opening};
use crate::session::store::StoreError;
use rusqlite::{Connection, Error, ErrorCode};
use std::{
    mem,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, TryLockError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::oneshot, task::spawn_blocking, time::timeout};

/// How long whoever asks waits for an answer: somewhat longer than one wait for another process. What they asked for is done all the same.
const PATIENCE: Duration = Duration::from_secs(3);

/// How many jobs go into one transaction: whoever else is on this thread, and the first of them, should not wait for too many.
const WRITTEN_AT_ONCE: usize = 128;

/// After how many rows the WAL is written back into the file. Each is in a handful of pages.
const ROWS_BETWEEN_CHECKPOINTS: u64 = 250;

/// After how many groups of jobs it is at the latest: some change no row and yet make the WAL longer.
pub(super) const GROUPS_BETWEEN_CHECKPOINTS: u64 = 250;

/// With how many pages in the WAL those who write have to wait until it is written back: it only begins anew when nobody writes meanwhile.
const LONG_WAL_PAGES: i64 = 4000;

/// The connection that writes.
#[derive(Debug)]
pub(super) struct Writer {
    path: PathBuf,
    /// None once it is closed.
    connection: Mutex<Option<Connection>>,
    queue: Mutex<Queue>,
    checkpoint: Mutex<Checkpoint>,
    /// The disk was full. There may be room in the WAL once it is written back.
    is_full: AtomicBool,
    /// Held while the WAL is written back.
    writing_back: Mutex<()>,
    /// Held while a thread waits to look: one is enough, however long it takes.
    looking: Arc<tokio::sync::Mutex<()>>,
}

/// What is to be written.
#[derive(Default)]
struct Queue {
    jobs: Vec<Box<dyn Job>>,
    /// Somebody is at it, and will do what is added as well.
    is_worked_on: bool,
}

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} to be written", self.jobs.len())
    }
}

/// When the WAL was last written back.
#[derive(Debug, Default)]
struct Checkpoint {
    is_under_way: bool,
    /// How many rows had been written then.
    rows: u64,
    /// How many groups have been written since.
    groups: u64,
}

/// Something to be written.
trait Job: Send {
    /// Whether it may take so long that a thread should do it on which nobody else waits.
    fn is_long(&self) -> bool;

    /// Does it, in a transaction that may be taken back; then it is done anew.
    fn run(&mut self, connection: &Connection) -> Result<(), Error>;

    /// Says what came of it: written is only what is committed.
    fn end(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Write<T, Work, After> {
    is_long: bool,
    work: Work,
    after: After,
    done: Option<T>,
    answer: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, Work, After> Job for Write<T, Work, After>
where
    T: Send,
    Work: FnMut(&Connection) -> Result<T, Error> + Send,
    After: FnOnce(&T) + Send,
{
    fn is_long(&self) -> bool {
        self.is_long
    }

    fn run(&mut self, connection: &Connection) -> Result<(), Error> {
        self.done = Some((self.work)(connection)?);
        Ok(())
    }

    fn end(self: Box<Self>, committed: Result<(), StoreError>) {
        let Self { after, done, answer, .. } = *self;
        let ended = committed.and_then(|()| done.ok_or_else(closed));
        if let Ok(done) = &ended {
            after(done);
        }
        // Whoever asked may have gone away.
        let _ = answer.send(ended);
    }
}

impl Writer {
    /// Writes by this connection, which waits for nobody.
    pub(super) fn new(path: &Path, connection: Connection) -> Self {
        Self {
            path: path.to_owned(),
            connection: Mutex::new(Some(connection)),
            queue: Mutex::default(),
            checkpoint: Mutex::default(),
            is_full: AtomicBool::new(false),
            writing_back: Mutex::default(),
            looking: Arc::default(),
        }
    }

    /// Writes all of it or nothing, to its end, whatever becomes of whoever asks, also when it takes so long that the answer is an error.
    /// `after` is told what was done as soon as it counts.
    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        timeout(PATIENCE, self.submit(false, work, after)).await.map_err(StoreError::new)?.map_err(StoreError::new)?
    }

    /// The same for what takes longer, and is waited for.
    pub(super) async fn write_at_leisure<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> Result<T, StoreError> {
        self.submit(true, work, after).await.map_err(StoreError::new)?
    }

    fn submit<T: Send + 'static>(
        self: &Arc<Self>,
        is_long: bool,
        work: impl FnMut(&Connection) -> Result<T, Error> + Send + 'static,
        after: impl FnOnce(&T) + Send + 'static,
    ) -> oneshot::Receiver<Result<T, StoreError>> {
        let (answer, answered) = oneshot::channel();
        let mut queue = lock(&self.queue);
        queue.jobs.push(Box::new(Write { is_long, work, after, done: None, answer }));
        let is_worked_on = mem::replace(&mut queue.is_worked_on, true);
        drop(queue);
        if !is_worked_on {
            tokio::spawn(Working { writer: Arc::clone(self), is_done: false }.write_all());
        }
        answered
    }

    /// Asks the connection something, and does not write.
    pub(super) async fn look<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl Fn(&Connection) -> Result<T, Error> + Send + Sync + 'static,
    ) -> Result<T, StoreError> {
        let looked = match self.connection.try_lock() {
            Ok(connection) => Some(work(connection.as_ref().ok_or_else(closed)?)),
            Err(TryLockError::Poisoned(poisoned)) => Some(work(poisoned.into_inner().as_ref().ok_or_else(closed)?)),
            Err(TryLockError::WouldBlock) => None,
        };
        if let Some(looked) = looked.filter(|looked| !looked.as_ref().is_err_and(is_busy)) {
            return Ok(looked?);
        }
        let writer = Arc::clone(self);
        let looking = async {
            let alone = Arc::clone(&self.looking).lock_owned().await;
            let looking = spawn_blocking(move || {
                let _alone = alone;
                let connection = lock(&writer.connection);
                let connection = connection.as_ref().ok_or_else(closed)?;
                Ok(patiently(connection, || work(connection))?)
            });
            looking.await.map_err(StoreError::new)?
        };
        timeout(PATIENCE, looking).await.map_err(StoreError::new)?
    }

    /// Writes now, if that takes no waiting; otherwise the jobs come back.
    fn write_now(&self, jobs: Vec<Box<dyn Job>>) -> Result<(), Vec<Box<dyn Job>>> {
        if jobs.iter().any(|job| job.is_long()) {
            return Err(jobs);
        }
        let connection = match self.connection.try_lock() {
            Ok(connection) => connection,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(jobs),
        };
        let Some(connection) = &*connection else {
            end_all(jobs, &Err(closed()));
            return Ok(());
        };
        self.commit(connection, jobs).map_err(|(_, jobs)| jobs)
    }

    /// Writes, and waits for those who are in the way.
    fn write_patiently(&self, mut jobs: Vec<Box<dyn Job>>) {
        let connection = lock(&self.connection);
        let Some(connection) = &*connection else { return end_all(jobs, &Err(closed())) };
        while !jobs.is_empty() {
            let mut rest = jobs.split_off(jobs.len().min(WRITTEN_AT_ONCE));
            if let Err((busy, mut jobs)) = patiently(connection, || self.commit(connection, jobs)) {
                // Whoever is still there has been waited for long enough, for the others as well.
                jobs.append(&mut rest);
                return end_all(jobs, &Err(busy.into()));
            }
            jobs = rest;
        }
    }

    /// Commits all jobs at once; each by itself when that fails, so that none has to suffer for another. Those come back that were not
    /// written because another process is in the way, with what was said.
    fn commit(&self, connection: &Connection, mut jobs: Vec<Box<dyn Job>>) -> Result<(), (Error, Vec<Box<dyn Job>>)> {
        let Err(error) = self.together(connection, &mut jobs) else {
            end_all(jobs, &Ok(()));
            return Ok(());
        };
        if is_busy(&error) {
            return Err((error, jobs));
        }
        if jobs.len() == 1 {
            end_all(jobs, &Err(error.into()));
            return Ok(());
        }
        let mut jobs = jobs.into_iter();
        while let Some(mut job) = jobs.next() {
            match self.together(connection, std::slice::from_mut(&mut job)) {
                Err(error) if is_busy(&error) => return Err((error, std::iter::once(job).chain(jobs).collect())),
                ended => job.end(ended.map_err(StoreError::new)),
            }
        }
        Ok(())
    }

    /// All of it or nothing.
    fn together(&self, connection: &Connection, jobs: &mut [Box<dyn Job>]) -> Result<(), Error> {
        // Left over where a job came to a bad end.
        if !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let done = jobs.iter_mut().try_for_each(|job| job.run(connection));
        let done = done.and_then(|()| connection.prepare_cached("COMMIT")?.execute([]).map(drop));
        // Some failures have taken everything back already. What cannot be taken back now is before the next begins.
        if done.is_err() && !connection.is_autocommit() {
            let _ = connection.execute_batch("ROLLBACK");
        }
        if done.as_ref().is_err_and(|error| error.sqlite_error_code() == Some(ErrorCode::DiskFull)) {
            self.is_full.store(true, Ordering::Relaxed);
        }
        done
    }

    /// Has the WAL written back into the file, when there is much in it.
    fn checkpoint_in_time(self: &Arc<Self>) {
        let mut checkpoint = lock(&self.checkpoint);
        checkpoint.groups += 1;
        if checkpoint.is_under_way {
            return;
        }
        // Who holds the connection comes by here again.
        let Ok(connection) = self.connection.try_lock() else { return };
        let rows = connection.as_ref().map_or(checkpoint.rows, Connection::total_changes);
        drop(connection);
        // SQLite counts them in so many bits, and begins anew.
        let is_due = rows.wrapping_sub(checkpoint.rows) >= ROWS_BETWEEN_CHECKPOINTS || checkpoint.groups >= GROUPS_BETWEEN_CHECKPOINTS;
        if self.is_full.swap(false, Ordering::Relaxed) || is_due {
            checkpoint.is_under_way = true;
            let groups = checkpoint.groups;
            let writer = Arc::clone(self);
            spawn_blocking(move || {
                let written_back = writer.checkpoint();
                let mut checkpoint = lock(&writer.checkpoint);
                checkpoint.is_under_way = false;
                match written_back {
                    Ok(()) => {
                        checkpoint.rows = rows;
                        checkpoint.groups -= groups;
                    }
                    Err(error) => {
                        tracing::debug!(%error, "the session database's log could not be written back; the next write tries again");
                    }
                }
            });
        }
    }

    /// Writes the WAL back, by another connection, so that the one that writes goes on; when there is too much in it, once more by that
    /// one, after which it begins anew.
    fn checkpoint(&self) -> Result<(), Error> {
        let _alone = lock(&self.writing_back);
        if self.is_closed() {
            return Ok(());
        }
        let write_back = |connection: &Connection| connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get::<_, i64>(1));
        let pages = write_back(&opening::writer(&self.path)?)?;
        if pages > LONG_WAL_PAGES
            && let Some(connection) = &*lock(&self.connection)
        {
            write_back(connection)?;
        }
        Ok(())
    }

    /// Finishes what is under way and closes the connection.
    pub(super) async fn close(self: &Arc<Self>) {
        // Behind all that has been asked for.
        let _ = self.write_at_leisure(|_| Ok(()), |()| {}).await;
        let writer = Arc::clone(self);
        let closing = spawn_blocking(move || {
            let _alone = lock(&writer.writing_back);
            drop(lock(&writer.connection).take());
        });
        let _ = closing.await;
    }

    /// Whether the WAL is being written back.
    #[cfg(test)]
    pub(super) fn is_writing_back(&self) -> bool {
        lock(&self.checkpoint).is_under_way
    }

    /// Whether it writes no more.
    pub(super) fn is_closed(&self) -> bool {
        self.connection.try_lock().is_ok_and(|connection| connection.is_none())
    }
}

/// Whoever is working on the queue. When that ends before its time, the next who comes begins anew.
struct Working {
    writer: Arc<Writer>,
    is_done: bool,
}

impl Working {
    async fn write_all(mut self) {
        // Whoever else is about to write may do so first, and so come along.
        tokio::task::yield_now().await;
        while let Some(jobs) = self.take() {
            if let Err(mut jobs) = self.writer.write_now(jobs) {
                // One wait is enough for all.
                jobs.append(&mut lock(&self.writer.queue).jobs);
                let writer = Arc::clone(&self.writer);
                let _ = spawn_blocking(move || writer.write_patiently(jobs)).await;
            }
            self.writer.checkpoint_in_time();
            if !lock(&self.writer.queue).jobs.is_empty() {
                // Others on this thread have something to do as well.
                tokio::task::yield_now().await;
            }
        }
    }

    /// What is to be done next; it is done when nothing is.
    fn take(&mut self) -> Option<Vec<Box<dyn Job>>> {
        let mut queue = lock(&self.writer.queue);
        self.is_done = queue.jobs.is_empty();
        queue.is_worked_on = !self.is_done;
        let taken = queue.jobs.len().min(WRITTEN_AT_ONCE);
        (!self.is_done).then(|| queue.jobs.drain(..taken).collect())
    }
}

impl Drop for Working {
    fn drop(&mut self) {
        if !self.is_done {
            lock(&self.writer.queue).is_worked_on = false;
        }
    }
}

/// Does it with as much time as another process may take.
fn patiently<T>(connection: &Connection, work: impl FnOnce() -> T) -> T {
    // What it waits for otherwise is a matter of a number in memory, which does not fail.
    let _ = connection.busy_timeout(BUSY_TIMEOUT);
    let done = work();
    let _ = connection.busy_timeout(Duration::ZERO);
    done
}

fn end_all(jobs: Vec<Box<dyn Job>>, ended: &Result<(), StoreError>) {
    for job in jobs {
        job.end(ended.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::{Job, Write, Writer, opening};
    use rusqlite::Connection;
    use std::time::Duration;
    use tokio::{sync::oneshot, time::Instant};

    #[tokio::test]
    async fn all_who_wait_for_another_process_wait_together() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("sessions.sqlite");
        let writer = Writer::new(&path, opening::open(&path).await.unwrap().writer);
        let other = Connection::open(&path).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut answers = Vec::new();
        let mut jobs: Vec<Box<dyn Job>> = Vec::new();
        for _ in 0..300 {
            let (answer, answered) = oneshot::channel();
            jobs.push(Box::new(Write { is_long: false, work: |_: &Connection| Ok(()), after: |(): &()| {}, done: None, answer }));
            answers.push(answered);
        }
        let begun = Instant::now();
        writer.write_patiently(jobs);
        // Each by itself would take ten minutes.
        assert!(begun.elapsed() < Duration::from_mins(1));
        for mut answered in answers {
            assert!(answered.try_recv().unwrap().is_err());
        }
    }
}
