//! A company's proxy: it opens tunnels, and knows names that nobody else does.

use super::recording::socket;
use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The proxy.
pub(crate) struct Tunnel {
    address: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    names: HashMap<String, SocketAddr>,
    heads: Vec<String>,
}

impl Tunnel {
    pub(crate) fn start() -> Self {
        let (listener, address) = socket();
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let seen = Arc::<Mutex<Seen>>::default();
        tokio::spawn(accept(listener, Arc::clone(&seen)));
        Self { address, seen }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Tells it where a name with a port leads.
    pub(crate) fn name(&self, authority: &str, address: SocketAddr) {
        self.seen.lock().unwrap().names.insert(authority.to_owned(), address);
    }

    /// The heads of the requests that came.
    pub(crate) fn heads(&self) -> Vec<String> {
        self.seen.lock().unwrap().heads.clone()
    }
}

async fn accept(listener: TcpListener, seen: Arc<Mutex<Seen>>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(pass_on(stream, Arc::clone(&seen)));
    }
}

async fn pass_on(mut outside: TcpStream, seen: Arc<Mutex<Seen>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let Ok(byte) = outside.read_u8().await else { return };
        head.push(byte);
    }
    let head = String::from_utf8(head).unwrap();
    let authority = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).unwrap_or_default().to_owned();
    let target = {
        let mut seen = seen.lock().unwrap();
        seen.heads.push(head);
        seen.names.get(&authority).copied()
    };
    let Some(target) = target else {
        // It may have gone away already.
        let _ = outside.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        return;
    };
    outside.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
    let mut inside = TcpStream::connect(target).await.unwrap();
    // Either side may hang up whenever it likes.
    let _ = tokio::io::copy_bidirectional(&mut outside, &mut inside).await;
}
