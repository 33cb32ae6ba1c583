//! The real binary, started as a process: how it refuses to start, how it ends, and what survives when it is killed.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on should end there")]
// Signals and file modes are those of Unix.
#![cfg(unix)]

#[path = "../store/servers/address.rs"]
mod address;
#[allow(dead_code, reason = "the contract of the stores uses all of it")]
#[path = "../http/support/authority.rs"]
mod authority;
mod browser;
mod clock;
mod command_line;
mod configuration;
mod crash;
mod database_file;
mod events;
mod forward_auth;
mod http;
mod key_file;
mod keys;
mod log;
mod neighbours;
mod open_streams;
#[path = "../store/servers/patience.rs"]
mod patience;
#[allow(dead_code, reason = "the contract of the stores uses all of it")]
#[path = "../store/servers/postgres.rs"]
mod postgres;
mod redis;
#[allow(dead_code, reason = "the contract of the stores uses all of it")]
#[path = "../store/servers/redis.rs"]
mod redis_server;
mod replicas;
mod server;
mod shutdown;
mod site;
mod stand_in;
mod stores;
mod wire;
