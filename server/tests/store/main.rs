//! Every store keeps the same contract: each rule of `contract.rs` is a test of its own for each store, on real servers that the
//! tests start.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on should end there")]
// The servers are started and stopped as Unix does it.
#![cfg(unix)]

mod contract;
mod harness;
mod memory;
mod postgres;
mod records;
mod redis;
mod servers;
mod sqlite;
mod unwritable;
mod valkey;
