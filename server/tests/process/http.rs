//! A small HTTP/1.1 client that shows what is on the wire. It takes an answer for one only if it came whole.

use crate::patience::PATIENCE;
use std::{
    fmt::{self, Write as _},
    io::{self, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpStream},
};

/// A request, as it is written.
pub(crate) struct Request {
    text: String,
    body: Vec<u8>,
}

impl Request {
    /// Of this method for this target at this host.
    pub(crate) fn new(method: &str, host: &str, target: &str) -> Self {
        Self { text: format!("{method} {target} HTTP/1.1\r\nhost: {host}\r\n"), body: Vec::new() }
    }

    /// With a header field.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        write!(self.text, "{name}: {value}\r\n").unwrap();
        self
    }

    /// With a body of this type.
    pub(crate) fn body(mut self, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("content-type", content_type).header("content-length", &length)
    }

    /// The head, with the empty line behind it.
    pub(crate) fn head(&self) -> Vec<u8> {
        format!("{}\r\n", self.text).into_bytes()
    }

    /// The body.
    pub(crate) fn content(&self) -> &[u8] {
        &self.body
    }
}

/// An answer that came whole.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// The first field of this name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(found, _)| found == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = String::from_utf8_lossy(&self.body);
        formatter.debug_struct("Answer").field("status", &self.status).field("headers", &self.headers).field("body", &body).finish()
    }
}

/// A connection.
pub(crate) struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

impl Connection {
    /// Opens one. Whatever takes longer than anybody's patience is an error.
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        Ok(Self { stream, received: Vec::new() })
    }

    /// Writes bytes as they are.
    pub(crate) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// Says that nothing more will come.
    pub(crate) fn finish(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)
    }

    /// Sends a request and reads its answer; the connection stays open.
    pub(crate) fn exchange(&mut self, request: &Request) -> io::Result<Answer> {
        self.send(&[&request.head(), request.content()].concat())?;
        self.answer()
    }

    /// Reads an answer.
    pub(crate) fn answer(&mut self) -> io::Result<Answer> {
        let head = self.until(b"\r\n\r\n")?;
        let head = String::from_utf8(head).map_err(|_| broken("the head is not text"))?;
        let mut lines = head.trim_end().split("\r\n");
        let status = lines.next().and_then(|line| line.split(' ').nth(1)?.parse().ok()).ok_or_else(|| broken("there is no status"))?;
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        let mut answer = Answer { status, headers, body: Vec::new() };
        answer.body = if answer.header("transfer-encoding") == Some("chunked") {
            self.chunks()?
        } else {
            let length = answer.header("content-length").map_or(Ok(0), str::parse).map_err(|_| broken("content-length is no number"))?;
            self.exactly(length)?
        };
        Ok(answer)
    }

    /// Reads the next chunk of a body that comes in chunks, the empty one at its end too.
    pub(crate) fn chunk(&mut self) -> io::Result<Vec<u8>> {
        let size = self.until(b"\r\n")?;
        let size = String::from_utf8_lossy(&size);
        let size = usize::from_str_radix(size.trim(), 16).map_err(|_| broken("a chunk has no size"))?;
        let mut chunk = self.exactly(size + 2)?;
        chunk.truncate(size);
        Ok(chunk)
    }

    fn chunks(&mut self) -> io::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let chunk = self.chunk()?;
            if chunk.is_empty() {
                return Ok(body);
            }
            body.extend(chunk);
        }
    }

    /// Reads up to and with `end`.
    pub(crate) fn until(&mut self, end: &[u8]) -> io::Result<Vec<u8>> {
        loop {
            if let Some(found) = self.received.windows(end.len()).position(|window| window == end) {
                return Ok(self.received.drain(..found + end.len()).collect());
            }
            self.more()?;
        }
    }

    fn exactly(&mut self, length: usize) -> io::Result<Vec<u8>> {
        while self.received.len() < length {
            self.more()?;
        }
        Ok(self.received.drain(..length).collect())
    }

    fn more(&mut self) -> io::Result<()> {
        let mut buffer = [0; 8192];
        let length = self.stream.read(&mut buffer)?;
        if length == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.received.extend_from_slice(&buffer[..length]);
        Ok(())
    }

    /// Reads until the other side closes the connection, in whatever way.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) fn until_closed(mut self) -> io::Result<String> {
        loop {
            match self.more() {
                Ok(()) => {}
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => return Err(error),
                Err(_) => return Ok(String::from_utf8_lossy(&self.received).into_owned()),
            }
        }
    }
}

/// Sends a request on a connection of its own.
pub(crate) fn exchange(address: SocketAddr, request: Request) -> io::Result<Answer> {
    Connection::open(address)?.exchange(&request.header("connection", "close"))
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
