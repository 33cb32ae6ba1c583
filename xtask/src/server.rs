//! The server `oauth2flow`: built, and started for a moment to be measured.

use crate::cargo::{build as cargo_build, cargo, paths, release_cargo};
use crate::step::Stopwatch;
use crate::workspace::empty_directory;
use anyhow::{Context, Result, bail};
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// The package and its program.
pub(crate) const SERVER: &str = "oauth2flow";

/// How long a server may take until it answers.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How long it may take for one answer.
const ANSWER_LIMIT: Duration = Duration::from_secs(10);

/// Who makes the pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Mode {
    /// The browser.
    Spa,
    /// The server.
    Ssr,
}

impl fmt::Display for Mode {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Spa => "spa",
            Self::Ssr => "ssr",
        })
    }
}

/// Builds the server and gives the program's path; `embedded` compiles the site into it.
pub(crate) fn build(release: bool, embedded: bool) -> Result<PathBuf> {
    build_package(SERVER, release, embedded)
}

/// Builds the server of an example and gives the program's path.
pub(crate) fn build_example(name: &str, release: bool) -> Result<PathBuf> {
    build_package(name, release, false)
}

fn build_package(package: &str, release: bool, embedded: bool) -> Result<PathBuf> {
    let mut command = if release { release_cargo()? } else { cargo() };
    command.args(["build", "--package", package]);
    if release {
        command.arg("--release");
    }
    if embedded {
        command.args(["--features", "embedded-site"]);
    }
    let built = cargo_build(if release { "compile the server for release" } else { "compile the server" }, &mut command)?;
    let program = built.program(package).context("cargo made no server")?;
    if release {
        paths()?.check(program)?;
    }
    Ok(program.to_path_buf())
}

/// A server of its own ports and data, for measuring; ends when dropped.
pub(crate) struct Probe {
    child: Child,
    port: u16,
    /// How long it took from the start to the first good answer.
    pub(crate) started_in: Duration,
}

impl Probe {
    /// Starts the program in an empty directory, with the app's files in `site` or with those that are embedded.
    pub(crate) fn start(program: &Path, site: Option<&Path>, mode: Mode, directory: &Path) -> Result<Self> {
        empty_directory(directory)?;
        let (port, demo_port) = free_ports()?;
        let log_path = directory.join("server.log");
        let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
        let stopwatch = Stopwatch::start();
        let child = Command::new(program)
            .current_dir(directory)
            .args(site.map(|site| [OsStr::new("--site-dir"), site.as_os_str()]).into_iter().flatten())
            .args(["--listen", &format!("127.0.0.1:{port}"), "--public-url", &format!("http://localhost:{port}")])
            .args(["--data-dir", "data", "--render", &mode.to_string(), "--set", &format!("demo.listen=127.0.0.1:{demo_port}")])
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let mut probe = Self { child, port, started_in: Duration::ZERO };
        while probe.get("/healthz").is_err() {
            if let Some(status) = probe.child.try_wait()? {
                bail!("the server ended with {status}:\n{}", std::fs::read_to_string(&log_path).unwrap_or_default());
            }
            if stopwatch.elapsed() > START_LIMIT {
                bail!("the server does not answer:\n{}", std::fs::read_to_string(&log_path).unwrap_or_default());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        probe.started_in = stopwatch.elapsed();
        Ok(probe)
    }

    /// Where it listens.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// The page at this path, as a browser without cookies gets it.
    pub(crate) fn get(&self, path: &str) -> Result<Vec<u8>> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(ANSWER_LIMIT))?;
        // HTTP/1.0, so that the end of the answer is the end of the connection.
        let request = format!("GET {path} HTTP/1.0\r\nHost: localhost:{}\r\nAccept: text/html,*/*\r\n\r\n", self.port);
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer)?;
        body_of(&answer).map(<[u8]>::to_vec)
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        // It may have ended by itself; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The body of a good answer.
fn body_of(answer: &[u8]) -> Result<&[u8]> {
    let status_line = String::from_utf8_lossy(answer.split(|byte| *byte == b'\r').next().unwrap_or_default());
    if status_line.split(' ').nth(1) != Some("200") {
        bail!("the server answered {status_line:?}");
    }
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n").context("the server's answer has no end of headers")?;
    Ok(&answer[end + 4..])
}

/// Two different ports that nobody listened on a moment ago.
fn free_ports() -> Result<(u16, u16)> {
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port");
    let (first, second) = (listen()?, listen()?);
    Ok((first.local_addr()?.port(), second.local_addr()?.port()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_good_answer_has_a_page() {
        assert_eq!(body_of(b"HTTP/1.0 200 OK\r\ncontent-type: text/html\r\n\r\n<html>\r\n\r\n").unwrap(), b"<html>\r\n\r\n");
        assert!(body_of(b"HTTP/1.0 404 Not Found\r\n\r\nno").is_err());
        assert!(body_of(b"HTTP/1.0 200 OK\r\n").is_err());
        assert!(body_of(b"").is_err());
    }

    #[test]
    fn the_two_ports_differ() {
        let (first, second) = free_ports().unwrap();
        assert_ne!(first, second);
    }
}
