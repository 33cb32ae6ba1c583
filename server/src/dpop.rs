//! Sender-constrained tokens on the wire ([RFC 9449](https://www.rfc-editor.org/rfc/rfc9449)): the nonces that servers want
//! to see, remembered for the next request.

use oauth2flow_protocol::dpop::is_nonce;
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// How many nonces are kept.
const MAXIMUM_NONCES: usize = 256;

/// A server that wants proofs, as the configuration calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The token endpoint of the provider with this id.
    TokenEndpoint,
    /// What else the provider with this id serves for a token, such as userinfo.
    ProviderResource,
    /// The upstream with this name.
    Upstream,
}

/// The last nonce of each token endpoint and each upstream.
///
/// They are kept by the names of the configuration, and not by addresses: a provider names its endpoints itself, and could
/// fill the memory with a new one in each of its metadata. However long the configuration is, no more than 256 are kept; a nonce
/// that has been lost costs one more request, so that all of them make way at once.
#[derive(Debug, Default)]
pub struct Nonces(Mutex<HashMap<(Role, String), String>>);

impl Nonces {
    /// What this server wants to see, as far as it has said.
    pub fn of(&self, role: Role, name: &str) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&(role, name.to_owned())).cloned()
    }

    /// Keeps what a server has said, if it is a nonce; each answer may bring a new one
    /// ([§8.2](https://www.rfc-editor.org/rfc/rfc9449#section-8.2)).
    pub fn remember(&self, role: Role, name: &str, nonce: Option<&str>) {
        let Some(nonce) = nonce.filter(|nonce| is_nonce(nonce)) else { return };
        let key = (role, name.to_owned());
        let mut nonces = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if nonces.len() >= MAXIMUM_NONCES && !nonces.contains_key(&key) {
            nonces.clear();
        }
        nonces.insert(key, nonce.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::{MAXIMUM_NONCES, Nonces, Role};

    #[test]
    fn each_server_has_its_own_nonce() {
        let nonces = Nonces::default();
        nonces.remember(Role::TokenEndpoint, "alpha", Some("of-the-token-endpoint"));
        nonces.remember(Role::Upstream, "alpha", Some("of-the-upstream"));
        assert_eq!(nonces.of(Role::TokenEndpoint, "alpha").as_deref(), Some("of-the-token-endpoint"));
        assert_eq!(nonces.of(Role::Upstream, "alpha").as_deref(), Some("of-the-upstream"));
        assert_eq!(nonces.of(Role::ProviderResource, "alpha"), None);
        assert_eq!(nonces.of(Role::TokenEndpoint, "beta"), None);
    }

    #[test]
    fn no_more_than_a_few_are_kept() {
        let nonces = Nonces::default();
        for number in 0..10 * MAXIMUM_NONCES {
            let name = number.to_string();
            nonces.remember(Role::Upstream, &name, Some("nonce"));
            assert_eq!(nonces.of(Role::Upstream, &name).as_deref(), Some("nonce"), "the last one is always there");
            assert!(nonces.0.lock().unwrap().len() <= MAXIMUM_NONCES);
        }
    }

    #[test]
    fn a_new_nonce_of_a_known_server_pushes_nobody_out() {
        let nonces = Nonces::default();
        for number in 0..MAXIMUM_NONCES {
            nonces.remember(Role::Upstream, &number.to_string(), Some("old"));
        }
        nonces.remember(Role::Upstream, "7", Some("new"));
        assert_eq!(nonces.of(Role::Upstream, "7").as_deref(), Some("new"));
        assert_eq!(nonces.of(Role::Upstream, "8").as_deref(), Some("old"));
    }

    #[test]
    fn what_is_no_nonce_leaves_the_last_one_in_place() {
        let nonces = Nonces::default();
        nonces.remember(Role::Upstream, "api", Some("nonce"));
        for none in [None, Some(""), Some("a b"), Some("a\"b"), Some("a\\b"), Some("\u{e4}")] {
            nonces.remember(Role::Upstream, "api", none);
            assert_eq!(nonces.of(Role::Upstream, "api").as_deref(), Some("nonce"), "{none:?}");
        }
    }
}
