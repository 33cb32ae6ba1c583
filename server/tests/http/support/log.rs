//! What the server logs, down to the last detail.

use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::{EnvFilter, fmt::MakeWriter};

/// Collects the log of this thread, on which a test's whole runtime runs, until it is dropped.
pub(crate) struct Log {
    lines: Lines,
    _subscriber: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub(crate) fn collect() -> Self {
        let lines = Lines::default();
        let filter = EnvFilter::new("off,oauth2flow=trace,oauth2flow_protocol=trace,oauth2flow_demo_provider=trace");
        let subscriber = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_writer(lines.clone()).finish();
        Self { lines, _subscriber: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.lines.0.lock().unwrap().clone()).unwrap()
    }
}

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}
