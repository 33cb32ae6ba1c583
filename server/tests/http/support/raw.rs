//! HTTP byte by byte: an upstream and a browser that a test plays itself.

use super::{Browser, TestApp, recording::socket};
use std::net::SocketAddr;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// An API whose every byte the test writes.
pub(crate) struct RawUpstream {
    listener: TcpListener,
    address: SocketAddr,
}

impl RawUpstream {
    pub(crate) fn start() -> Self {
        let (listener, address) = socket();
        listener.set_nonblocking(true).unwrap();
        Self { listener: TcpListener::from_std(listener).unwrap(), address }
    }

    pub(crate) fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Connection {
        Connection::new(self.listener.accept().await.unwrap().0)
    }

    /// The next connection with a request's head, and that head.
    pub(crate) async fn request(&self) -> (Connection, String) {
        let mut connection = self.accept().await;
        let head = connection.head().await;
        (connection, head)
    }

    /// Answers every request on every connection with these bytes, as one who has many calls to answer does.
    pub(crate) fn answer_always(self, answer: &'static str) {
        tokio::spawn(async move {
            loop {
                let mut connection = self.accept().await;
                tokio::spawn(async move {
                    while connection.try_head().await.is_some() {
                        connection.send(answer).await;
                    }
                });
            }
        });
    }
}

/// One side of a connection.
pub(crate) struct Connection {
    stream: TcpStream,
    unread: Vec<u8>,
}

impl Connection {
    fn new(stream: TcpStream) -> Self {
        stream.set_nodelay(true).unwrap();
        Self { stream, unread: Vec::new() }
    }

    /// Connects to the app, as a browser does.
    pub(crate) async fn open(app: &TestApp) -> Self {
        Self::new(TcpStream::connect(app.address()).await.unwrap())
    }

    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.stream.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Sends as much as the other side takes.
    pub(crate) async fn try_send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.stream.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Says that nothing more will come, as one does who goes away.
    pub(crate) async fn go_away(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    async fn read(&mut self) -> bool {
        // A connection that was cut has ended as well.
        self.stream.read_buf(&mut self.unread).await.is_ok_and(|length| length > 0)
    }

    /// What comes up to and with these bytes.
    pub(crate) async fn try_until(&mut self, end: &[u8]) -> Option<Vec<u8>> {
        loop {
            if let Some(at) = self.unread.windows(end.len()).position(|window| window == end) {
                return Some(self.unread.drain(..at + end.len()).collect());
            }
            if !self.read().await {
                return None;
            }
        }
    }

    pub(crate) async fn until(&mut self, end: &str) -> String {
        let read = self.try_until(end.as_bytes()).await;
        String::from_utf8(read.unwrap_or_else(|| panic!("no {end:?} in {:?}", String::from_utf8_lossy(&self.unread)))).unwrap()
    }

    /// The head of a message, in small letters.
    pub(crate) async fn head(&mut self) -> String {
        self.until("\r\n\r\n").await.to_ascii_lowercase()
    }

    pub(crate) async fn try_head(&mut self) -> Option<String> {
        Some(String::from_utf8(self.try_until(b"\r\n\r\n").await?).unwrap().to_ascii_lowercase())
    }

    /// So many bytes.
    pub(crate) async fn exactly(&mut self, length: usize) -> Vec<u8> {
        while self.unread.len() < length {
            assert!(self.read().await, "the connection ended after {:?}", String::from_utf8_lossy(&self.unread));
        }
        self.unread.drain(..length).collect()
    }

    /// What comes until the other side has nothing more to say, or cuts the connection.
    pub(crate) async fn rest(&mut self) -> Vec<u8> {
        while self.read().await {}
        std::mem::take(&mut self.unread)
    }
}

/// A request's head as a page of the app would send it, but for what the test adds. It ends where a body would begin.
pub(crate) fn raw_head(app: &TestApp, browser: &Browser, request_line: &str, fields: &str) -> String {
    let host = app.origin().trim_start_matches("http://").to_owned();
    let cookie = browser.session_cookie().unwrap();
    format!(
        "{request_line} HTTP/1.1\r\nhost: {host}\r\ncookie: session={cookie}\r\nx-csrf: 1\r\nsec-fetch-site: same-origin\r\n{fields}\r\n"
    )
}
