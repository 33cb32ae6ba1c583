//! What a request costs the server: a release build runs as a process of its own, is given work over loopback, and its processor time is
//! counted. A bare axum route and nginx get the same work in the same run, so that whatever else the machine does cancels out.
//!
//! `docs/performance.md` tells the method; `cargo xtask bench` builds everything and starts this.

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::{net::SocketAddr, process::ExitCode};

mod baseline;
mod client;
mod database;
mod figures;
mod login;
mod measure;
mod nginx;
mod peer;
mod process;
mod scenario;
mod serve;
mod server;
mod store;

/// Measures what requests cost.
#[derive(Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Measure a server
    Measure(measure::Arguments),
    /// Be the provider and the API that the server talks to
    Peer {
        /// Where to listen
        listen: SocketAddr,
    },
    /// Be the bare axum route that the server is compared with
    Baseline {
        /// Where to listen
        listen: SocketAddr,
    },
}

fn main() -> Result<ExitCode> {
    match Arguments::parse().command {
        // One thread, so that the server under load has as much of the machine as can be.
        Command::Measure(arguments) => {
            tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(measure::measure(&arguments))
        }
        Command::Peer { listen } => everywhere(peer::run(listen)),
        Command::Baseline { listen } => everywhere(baseline::run(listen)),
    }
}

/// Runs on as many threads as the server does.
fn everywhere(role: impl Future<Output = Result<()>>) -> Result<ExitCode> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(role)?;
    Ok(ExitCode::SUCCESS)
}
