//! Session events of servers that share a store: who is signed out at one is told so by every other.

use crate::{
    browser::Browser,
    http::{Connection, Request},
    postgres::PostgresServer,
    redis_server::Single,
    server::Setup,
    stand_in::StandIn,
};
use std::net::SocketAddr;

/// An open stream of server-sent events.
pub(crate) struct EventStream {
    connection: Connection,
    unread: String,
}

impl EventStream {
    /// Opens it, and reads the head of the answer.
    pub(crate) fn open(address: SocketAddr, request: &Request) -> Self {
        let mut connection = Connection::open(address).unwrap();
        connection.send(&request.head()).unwrap();
        let head = String::from_utf8(connection.until(b"\r\n\r\n").unwrap()).unwrap();
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("content-type: text/event-stream"), "{head}");
        Self { connection, unread: String::new() }
    }

    /// The name of the next event, which has to come; nothing when the stream has ended in order.
    pub(crate) fn next(&mut self) -> Option<String> {
        loop {
            while let Some(end) = self.unread.find("\n\n") {
                let block: String = self.unread.drain(..end + 2).collect();
                // What else comes is comments.
                if let Some(name) = block.lines().find_map(|line| line.strip_prefix("event: ")) {
                    return Some(name.to_owned());
                }
            }
            let chunk = self.connection.chunk().unwrap();
            if chunk.is_empty() {
                return None;
            }
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }
}

/// Two servers and one person, who listens at both and signs out at one.
fn signing_out_at_one_ends_the_stream_at_the_other(share: impl Fn(Setup) -> Setup) {
    let stand_in = StandIn::start();
    let setup = Setup::new();
    let servers = [(), ()].map(|()| share(stand_in.configure(setup.neighbour())).start());
    let mut here = Browser::signed_in(&servers[0]);
    let mut there = here.at(&servers[1]);
    let somebody_else = Browser::signed_in(&servers[1]);
    let mut streams = [here.listen(), there.listen()];
    let mut of_somebody_else = somebody_else.listen();
    for stream in streams.iter_mut().chain([&mut of_somebody_else]) {
        assert_eq!(stream.next().as_deref(), Some("signed_in"));
    }
    let answer = here.call("POST", "/api/v1/oauth/logout", None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    for mut stream in streams {
        assert_eq!(stream.next().as_deref(), Some("signed_out"));
        assert_eq!(stream.next(), None);
    }
    // Whoever was told so finds it so.
    assert!(!there.is_signed_in());
    // Nobody else was signed out for it: the next that they hear of is their own end.
    let answer = somebody_else.at(&servers[0]).call("POST", "/api/v1/oauth/logout", None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(of_somebody_else.next().as_deref(), Some("signed_out"));
    assert_eq!(of_somebody_else.next(), None);
    for server in servers {
        server.stop().assert_orderly();
    }
}

#[test]
fn signing_out_at_one_server_ends_the_stream_at_another_with_sqlite() {
    signing_out_at_one_ends_the_stream_at_the_other(|setup| setup);
}

#[test]
fn signing_out_at_one_server_ends_the_stream_at_another_with_postgresql() {
    let database = PostgresServer::start();
    signing_out_at_one_ends_the_stream_at_the_other(|setup| setup.in_store("postgres", &database.url()));
}

#[test]
fn signing_out_at_one_server_ends_the_stream_at_another_with_redis() {
    let redis = Single::start();
    signing_out_at_one_ends_the_stream_at_the_other(|setup| setup.in_store("redis", &redis.url()));
}
