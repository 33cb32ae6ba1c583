//! From a host's name to its addresses.

use futures_util::future::BoxFuture;
use std::{
    io,
    net::{IpAddr, SocketAddr},
};

/// Finds the addresses of a name; handed in, so that tests need no DNS.
pub trait Names: Send + Sync + 'static {
    /// The addresses of a name.
    ///
    /// # Errors
    /// When the name has none, or nobody answers.
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>>;
}

/// As this machine finds them: its `hosts` file, then DNS.
#[derive(Clone, Copy, Debug)]
pub struct SystemNames;

impl Names for SystemNames {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let name = name.to_owned();
        Box::pin(async move {
            let addresses = tokio::net::lookup_host((name, 0)).await?;
            Ok(addresses.map(|address: SocketAddr| address.ip()).collect())
        })
    }
}
