//! Progress: one line a step, with the time it took.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// How wide a live line may be: the narrowest terminal that people use.
const LINE_WIDTH: usize = 79;

/// A stopwatch for people: nothing but a line of text depends on it.
#[derive(Clone, Copy)]
pub(crate) struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the server's `Clock` is for rules that tests must set; this is the time a person waits")]
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// A step under way.
pub(crate) struct Step {
    name: String,
    stopwatch: Stopwatch,
    live: Option<Live>,
    /// Whether other output came between this step's first and last line.
    interrupted: bool,
}

/// The ticking line on a terminal.
struct Live {
    news: Arc<Mutex<String>>,
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Step {
    /// Starts a step whose own output is kept back.
    pub(crate) fn start(name: impl Into<String>) -> Self {
        let name = name.into();
        let stopwatch = Stopwatch::start();
        let live = if std::io::stdout().is_terminal() {
            Some(Live::start(name.clone(), stopwatch))
        } else {
            print(&format!("• {name} … "));
            None
        };
        Self { name, stopwatch, live, interrupted: false }
    }

    /// Starts a step whose output is shown while it runs.
    pub(crate) fn start_streaming(name: impl Into<String>) -> Self {
        let name = name.into();
        print(&format!("• {name}\n"));
        Self { name, stopwatch: Stopwatch::start(), live: None, interrupted: true }
    }

    /// A step that needs nothing done.
    pub(crate) fn skipped(name: &str, why: &str) {
        print(&format!("• {name} … skipped: {why}\n"));
    }

    /// The time since the start.
    pub(crate) fn elapsed(&self) -> Duration {
        self.stopwatch.elapsed()
    }

    /// What the step is doing right now; seen on a terminal only.
    pub(crate) fn news(&self) -> Option<Arc<Mutex<String>>> {
        self.live.as_ref().map(|live| Arc::clone(&live.news))
    }

    /// Ends the step well.
    pub(crate) fn done(self) {
        self.end("done", "");
    }

    /// Ends the step well, with something to say about the result.
    pub(crate) fn done_with(self, result: &str) {
        self.end("done", result);
    }

    /// Ends the step badly and shows what it had kept back.
    pub(crate) fn failed(self, output: &str) {
        self.end("FAILED", "");
        if !output.is_empty() {
            print(&format!("{}\n", output.trim_end()));
        }
    }

    fn end(mut self, how: &str, result: &str) {
        let elapsed = seconds(self.elapsed());
        let result = if result.is_empty() { String::new() } else { format!(": {result}") };
        if let Some(live) = self.live.take() {
            live.end();
            print(&format!("\r\x1b[K• {} … {how} in {elapsed}{result}\n", self.name));
        } else if self.interrupted {
            print(&format!("• {} … {how} in {elapsed}{result}\n", self.name));
        } else {
            print(&format!("{how} in {elapsed}{result}\n"));
        }
    }
}

impl Drop for Step {
    /// A step that an error leaves half done must not leave its clock ticking over the error's text.
    fn drop(&mut self) {
        if let Some(live) = self.live.take() {
            live.end();
            print("\n");
        }
    }
}

impl Live {
    fn start(name: String, stopwatch: Stopwatch) -> Self {
        let news = Arc::new(Mutex::new(String::new()));
        let (stop, stopped) = channel();
        let shared = Arc::clone(&news);
        let thread = std::thread::spawn(move || {
            loop {
                let latest = shared.lock().unwrap_or_else(PoisonError::into_inner).clone();
                print(&format!("\r\x1b[K{}", live_line(&name, stopwatch.elapsed(), &latest)));
                if stopped.recv_timeout(Duration::from_millis(200)) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        });
        Self { news, stop, thread }
    }

    fn end(self) {
        // The thread cannot be gone before it is told to go, and if it were, the line would simply stay as it is.
        let _ = self.stop.send(());
        let _ = self.thread.join();
    }
}

fn live_line(name: &str, elapsed: Duration, news: &str) -> String {
    let line = format!("• {name} … {} s  {}", elapsed.as_secs(), news.trim());
    line.chars().take(LINE_WIDTH).collect()
}

/// A time as people read it.
pub(crate) fn seconds(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    if seconds < 60.0 { format!("{seconds:.1} s") } else { format!("{} min {:02} s", time.as_secs() / 60, time.as_secs() % 60) }
}

/// Writes at once, so that the order of our lines and the children's stays right.
pub(crate) fn print(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody is left to be told when the reader has gone.
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_times_have_tenths_and_long_ones_minutes() {
        assert_eq!(seconds(Duration::from_millis(1_240)), "1.2 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn a_live_line_never_wraps() {
        let line = live_line("compile", Duration::from_secs(3), &"x".repeat(500));
        assert_eq!(line.chars().count(), LINE_WIDTH);
        assert!(line.starts_with("• compile … 3 s  xxx"));
    }
}
