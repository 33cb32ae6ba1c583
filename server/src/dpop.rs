//! Sender-constrained tokens on the wire ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): the nonces that servers want
//! to see, remembered for the next request.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use url::Url;

/// The last nonce of each token endpoint and each upstream. Both are configured, so there are few of them, and a nonce that
/// has been lost costs one more request.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<HashMap<Url, String>>);

impl Nonces {
    /// What the server at this address wants to see, as far as it has said.
    pub fn of(&self, server: &Url) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(server).cloned()
    }

    /// Keeps what a server has said; each answer may bring a new one ([§8.2](https://www.rfc-editor.org/rfc/rfc9449#section-8.2)).
    pub fn remember(&self, server: &Url, nonce: Option<&str>) {
        if let Some(nonce) = nonce {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(server.clone(), nonce.to_owned());
        }
    }
}
