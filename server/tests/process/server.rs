//! A server process of its own: directory, ports, arguments, environment, and what it prints.

use crate::{address::free_address, http::Connection, patience::PATIENCE, site};
use std::{
    io::{BufRead as _, BufReader, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};
use tempfile::TempDir;

/// The exit code for a configuration, file or port that cannot be used.
pub(crate) const CANNOT_START: i32 = 2;

/// How a server is to be started. It can be started again: on the same ports, with the same files.
pub(crate) struct Setup {
    directory: Arc<TempDir>,
    listen: SocketAddr,
    demo_listen: SocketAddr,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    /// What a shell does before it becomes the server.
    before: Option<&'static str>,
}

impl Setup {
    /// With a site, no files, two free ports, and nothing else set.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        site::write(&directory.path().join("site"));
        Self::in_directory(Arc::new(directory))
    }

    fn in_directory(directory: Arc<TempDir>) -> Self {
        Self {
            directory,
            listen: free_address(),
            demo_listen: free_address(),
            arguments: Vec::new(),
            environment: Vec::new(),
            before: None,
        }
    }

    /// Another server with the same files, on other ports.
    pub(crate) fn neighbour(&self) -> Self {
        Self::in_directory(Arc::clone(&self.directory))
    }

    /// With one more argument.
    pub(crate) fn argument(mut self, argument: impl Into<String>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// With a setting.
    pub(crate) fn set(self, key: &str, value: impl AsRef<str>) -> Self {
        self.argument("--set").argument(format!("{key}={}", value.as_ref()))
    }

    /// With an environment variable; there are no others.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Started by a shell that has done this before.
    pub(crate) fn after(mut self, commands: &'static str) -> Self {
        self.before = Some(commands);
        self
    }

    /// With its sessions in a store of this kind, which others share, and the key that all of them have.
    pub(crate) fn in_store(self, kind: &str, url: &str) -> Self {
        const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
        self.set("session.store", kind).variable("OAUTH2FLOW_SESSION_STORE_URL", url).variable("OAUTH2FLOW_SESSION_KEY", KEY)
    }

    /// A path in the working directory.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Where the app will listen.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.listen
    }

    /// Where the demo provider will listen.
    pub(crate) fn demo_listen(&self) -> SocketAddr {
        self.demo_listen
    }

    /// The binary with these arguments alone.
    fn bare_command(&self) -> Command {
        let program = env!("CARGO_BIN_EXE_oauth2flow");
        let mut command = match self.before {
            Some(commands) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("{commands}; exec \"$0\" \"$@\""), program]);
                shell
            }
            None => Command::new(program),
        };
        command
            .current_dir(self.directory.path())
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn command(&self) -> Command {
        let mut command = self.bare_command();
        command
            .args(["--listen", &self.listen.to_string(), "--site-dir", "site"])
            .args(["--set", &format!("demo.listen={}", self.demo_listen)]);
        command
    }

    /// Starts the server and waits until it says that it is ready.
    pub(crate) fn start(&self) -> Server {
        let server = Server::new(self, self.command());
        server.wait_for_line("ready");
        server
    }

    /// Starts a server that has to give up, and answers what it said.
    pub(crate) fn refusal(&self) -> Ended {
        Server::new(self, self.command()).end()
    }

    /// Runs the binary with the arguments of this setup and no others.
    pub(crate) fn run_bare(&self) -> Ended {
        Server::new(self, self.bare_command()).end()
    }
}

/// A running server.
pub(crate) struct Server {
    child: Option<Child>,
    /// Its files stay for as long as it runs.
    _directory: Arc<TempDir>,
    pid: u32,
    address: SocketAddr,
    lines: Receiver<String>,
    stdout: Stream,
    stderr: Stream,
}

/// What a process wrote to a stream.
struct Stream {
    text: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Stream {
    /// Collects it, and hands each line to `each`.
    fn collect(source: impl Read + Send + 'static, mut each: impl FnMut(&str) + Send + 'static) -> Self {
        let text = Arc::new(Mutex::new(String::new()));
        let collected = Arc::clone(&text);
        let reader = thread::spawn(move || {
            let mut source = BufReader::new(source);
            let mut line = Vec::new();
            while source.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                let read = String::from_utf8_lossy(&line).into_owned();
                collected.lock().unwrap().push_str(&read);
                each(read.trim_end());
                line.clear();
            }
        });
        Self { text, reader: Some(reader) }
    }

    fn text(&self) -> String {
        self.text.lock().unwrap().clone()
    }

    /// All of it, once the process has ended.
    fn whole(&mut self) -> String {
        if let Some(reader) = self.reader.take() {
            reader.join().unwrap();
        }
        self.text()
    }
}

/// What is left of a process.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Server {
    fn new(setup: &Setup, mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let (sender, lines) = channel();
        let stdout = Stream::collect(child.stdout.take().unwrap(), move |line| {
            // Nobody may be waiting for lines any more.
            let _ = sender.send(line.to_owned());
        });
        let stderr = Stream::collect(child.stderr.take().unwrap(), |_| {});
        let directory = Arc::clone(&setup.directory);
        Self { pid: child.id(), child: Some(child), _directory: directory, address: setup.listen, lines, stdout, stderr }
    }

    /// Its process.
    pub(crate) fn pid(&self) -> u32 {
        self.pid
    }

    /// Where the app listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The app's origin, as browsers know it.
    pub(crate) fn origin(&self) -> String {
        format!("http://localhost:{}", self.address.port())
    }

    /// A new connection to the app.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    /// Waits until the server has printed a line with this text in it.
    pub(crate) fn wait_for_line(&self, text: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) if line.contains(text) => return line,
                Ok(_) => {}
                Err(error) => panic!("no line with “{text}” came ({error}):\n{}\n{}", self.stdout.text(), self.stderr.text()),
            }
        }
    }

    /// Sends a signal, by its name without SIG.
    pub(crate) fn signal(&self, name: &str) {
        let status = Command::new("sh").args(["-c", &format!("kill -{name} {}", self.pid)]).status().unwrap();
        assert!(status.success());
    }

    /// Ends it without giving it a chance to do anything about it.
    pub(crate) fn kill(mut self) -> Ended {
        self.child.as_mut().unwrap().kill().unwrap();
        self.end()
    }

    /// Tells it to stop, and waits for the end.
    pub(crate) fn stop(self) -> Ended {
        self.signal("TERM");
        self.end()
    }

    /// Waits for the end.
    pub(crate) fn end(self) -> Ended {
        self.end_within(PATIENCE)
    }

    /// Waits for the end, and fails when it takes longer.
    pub(crate) fn end_within(mut self, limit: Duration) -> Ended {
        let mut child = self.child.take().unwrap();
        let (sender, ended) = channel();
        let waiting = thread::spawn(move || sender.send(child.wait().unwrap()).unwrap());
        let status = match ended.recv_timeout(limit) {
            Ok(status) => status,
            Err(RecvTimeoutError::Timeout) => {
                self.signal("KILL");
                waiting.join().unwrap();
                panic!("the server has not ended within {limit:?}:\n{}\n{}", self.stdout.text(), self.stderr.text());
            }
            Err(RecvTimeoutError::Disconnected) => panic!("the server cannot be waited for"),
        };
        waiting.join().unwrap();
        Ended { status, stdout: self.stdout.whole(), stderr: self.stderr.whole() }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            // It may have ended by itself.
            let _ = child.kill();
            let _ = child.wait();
            if thread::panicking() {
                eprintln!("The server said:\n{}\n{}", self.stdout.whole(), self.stderr.whole());
            }
        }
    }
}

impl Ended {
    /// That it refused to start, printed no stack of a panic, and said all of this on standard error.
    pub(crate) fn assert_refused(&self, said: &[&str]) {
        assert_eq!(self.status.code(), Some(CANNOT_START), "{self:#?}");
        for text in said {
            assert!(self.stderr.contains(text), "“{text}” is not in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
        assert!(!self.stdout.contains("ready"), "{}", self.stdout);
    }

    /// That it ended in order, and had nothing to complain about.
    pub(crate) fn assert_orderly(&self) {
        assert_eq!(self.status.code(), Some(0), "{self:#?}");
        assert_eq!(self.stderr, "");
    }
}

/// A file's name as messages show it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string()
}
