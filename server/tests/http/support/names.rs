//! DNS, as the test says.

use futures_util::future::{BoxFuture, ready};
use oauth2flow::outbound::Names;
use std::{
    collections::HashMap,
    io,
    net::IpAddr,
    sync::{Arc, Mutex},
};

/// Knows the names that the test has told it, and no others.
#[derive(Clone, Default)]
pub(crate) struct KnownNames(Arc<Mutex<HashMap<String, Vec<IpAddr>>>>);

impl KnownNames {
    /// Adds an address to those of a name.
    pub(crate) fn add(&self, name: &str, address: &str) {
        self.0.lock().unwrap().entry(name.to_owned()).or_default().push(address.parse().unwrap());
    }
}

impl Names for KnownNames {
    fn addresses(&self, name: &str) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> {
        let known = self.0.lock().unwrap().get(name.trim_end_matches('.')).cloned();
        Box::pin(ready(known.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "the test has not told of this name"))))
    }
}
