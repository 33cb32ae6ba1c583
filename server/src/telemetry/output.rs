//! Standard output, a few milliseconds behind: one write for many lines instead of one for each.
//!
//! Warnings and errors are written before the call that logs them returns, with all that came before, and so is everything when the
//! server ends; only a process that is killed may lose the last few milliseconds of what went well.

use std::{
    io::{self, Write},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};
use tracing::{Level, Metadata};
use tracing_subscriber::fmt::MakeWriter;

/// How long lines are gathered.
const DELAY: Duration = Duration::from_millis(5);

/// With more than this waiting, whoever logs next writes it out: a slow reader slows the server down and does not fill its memory.
const MOST_BYTES: usize = 64 * 1024;

/// Gathers lines and writes them.
#[derive(Clone)]
pub(super) struct Output(Arc<Shared>);

struct Shared {
    /// What has not been written.
    waiting: Mutex<Vec<u8>>,
    /// There is something to write.
    filled: Condvar,
    /// Whether there is a thread that waits for that.
    is_gathered: AtomicBool,
    /// Whoever holds it takes what waits, so that lines stay in their order.
    target: Mutex<Target>,
}

struct Target {
    file: Box<dyn Write + Send>,
    /// Where `waiting` begins anew, so that neither is allocated again.
    spare: Vec<u8>,
}

impl Output {
    /// Begins to write to this file.
    pub(super) fn start(file: Box<dyn Write + Send>) -> Self {
        let output = Self(Arc::new(Shared::new(file)));
        let shared = Arc::clone(&output.0);
        // When there is no thread to be had, every line is written at once.
        let started = thread::Builder::new().name("log".to_owned()).spawn(move || shared.keep_writing());
        output.0.is_gathered.store(started.is_ok(), Ordering::Relaxed);
        output
    }

    /// Writes out what has been gathered.
    pub(super) fn flush(&self) {
        self.0.flush();
    }
}

impl Shared {
    fn new(file: Box<dyn Write + Send>) -> Self {
        Self {
            waiting: Mutex::default(),
            filled: Condvar::new(),
            is_gathered: AtomicBool::new(false),
            target: Mutex::new(Target { file, spare: Vec::new() }),
        }
    }

    fn push(&self, lines: &[u8], at_once: bool) {
        let mut waiting = lock(&self.waiting);
        let was_empty = waiting.is_empty();
        waiting.extend_from_slice(lines);
        let is_full = waiting.len() >= MOST_BYTES;
        drop(waiting);
        if at_once || is_full || !self.is_gathered.load(Ordering::Relaxed) {
            self.flush();
        } else if was_empty {
            self.filled.notify_one();
        }
    }

    fn flush(&self) {
        let mut target = lock(&self.target);
        let Target { file, spare } = &mut *target;
        std::mem::swap(&mut *lock(&self.waiting), spare);
        // Nobody is left to be told when the reader has gone.
        let _ = file.write_all(spare).and_then(|()| file.flush());
        spare.clear();
    }

    fn keep_writing(&self) {
        loop {
            let waiting = self.filled.wait_while(lock(&self.waiting), |waiting| waiting.is_empty());
            drop(waiting);
            thread::sleep(DELAY);
            self.flush();
        }
    }
}

/// A panic while a line was being added leaves nothing half done that would matter.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What one event is written to.
pub(super) struct Lines<'output> {
    shared: &'output Shared,
    at_once: bool,
}

impl Write for Lines<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.shared.push(bytes, self.at_once);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.shared.flush();
        Ok(())
    }
}

impl<'output> MakeWriter<'output> for Output {
    type Writer = Lines<'output>;

    fn make_writer(&'output self) -> Self::Writer {
        Lines { shared: &self.0, at_once: false }
    }

    fn make_writer_for(&'output self, metadata: &Metadata<'_>) -> Self::Writer {
        Lines { shared: &self.0, at_once: *metadata.level() <= Level::WARN }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::{Sender, channel};

    /// Hands on what is written.
    struct Pipe(Sender<String>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            if !bytes.is_empty() {
                self.0.send(String::from_utf8(bytes.to_vec()).unwrap()).unwrap();
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_arrive_by_themselves_and_in_order() {
        let (sender, written) = channel();
        let output = Output::start(Box::new(Pipe(sender)));
        output.make_writer().write_all(b"one\n").unwrap();
        output.make_writer().write_all(b"two\n").unwrap();
        let mut seen = String::new();
        while seen.len() < 8 {
            seen.push_str(&written.recv().unwrap());
        }
        assert_eq!(seen, "one\ntwo\n");
    }

    #[test]
    fn what_is_urgent_is_written_with_all_before_it_when_the_call_returns() {
        let (sender, written) = channel();
        let shared = Shared::new(Box::new(Pipe(sender)));
        shared.push(b"nobody gathers\n", false);
        assert_eq!(written.try_recv().unwrap(), "nobody gathers\n");
        shared.is_gathered.store(true, Ordering::Relaxed);
        shared.push(b"info\n", false);
        assert!(written.try_recv().is_err());
        shared.push(b"warning\n", true);
        assert_eq!(written.try_recv().unwrap(), "info\nwarning\n");
        shared.push(&vec![b'x'; MOST_BYTES], false);
        assert_eq!(written.try_recv().unwrap().len(), MOST_BYTES);
        shared.push(b"last\n", false);
        shared.flush();
        assert_eq!(written.try_recv().unwrap(), "last\n");
    }
}
