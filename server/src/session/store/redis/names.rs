//! What things are called in Redis.

use crate::session::{record::Key, store::UserKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What every key begins with, unless the address says otherwise.
pub(super) const DEFAULT_PREFIX: &str = "oauth2flow:";

/// In how many parts the list of what is due is kept, for several nodes of a Cluster to share it.
pub(super) const PARTS: std::ops::Range<u8> = 0..16;

const SESSION: u8 = b's';
const CLAIM: u8 = b'c';

/// Makes names; all begin alike.
#[derive(Clone, Debug)]
pub(super) struct Names {
    prefix: String,
}

impl Names {
    pub(super) fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    pub(super) fn session(&self, key: Key) -> String {
        self.of("session", key)
    }

    pub(super) fn claim(&self, key: Key) -> String {
        self.of("claim", key)
    }

    fn of(&self, kind: &str, key: Key) -> String {
        format!("{}{kind}:{}", self.prefix, URL_SAFE_NO_PAD.encode(key.0))
    }

    /// A part of the sorted set of what expires, by when it does.
    pub(super) fn due(&self, part: u8) -> String {
        format!("{}due:{part:x}", self.prefix)
    }

    /// The part for a key.
    pub(super) fn due_of(&self, key: Key) -> String {
        self.due(key.0[0] % PARTS.end)
    }

    /// The sorted set of a user's sessions, by when they end. Who it is cannot be read from the name.
    pub(super) fn user(&self, user: UserKey<'_>) -> String {
        self.index("user", user.issuer, user.sub)
    }

    /// The sorted set of the sessions that began with a session of a provider.
    pub(super) fn sid(&self, issuer: &str, sid: &str) -> String {
        self.index("sid", issuer, sid)
    }

    fn index(&self, kind: &str, issuer: &str, value: &str) -> String {
        // With its length, where the issuer ends is beyond doubt: nobody's pair is another's.
        let hash = Key::of_claim(&format!("{kind} of {} {issuer}", issuer.len()), value);
        format!("{}{kind}:{}", self.prefix, URL_SAFE_NO_PAD.encode(hash.0))
    }

    pub(super) fn key_check(&self) -> String {
        format!("{}key-check", self.prefix)
    }

    /// What nobody ever writes.
    pub(super) fn nothing(&self) -> String {
        format!("{}nothing", self.prefix)
    }

    /// Where changes are announced.
    pub(super) fn channel(&self) -> String {
        format!("{}changes", self.prefix)
    }

    /// A session's name among what is due.
    pub(super) fn due_session(key: Key) -> Vec<u8> {
        [&[SESSION], key.0.as_slice()].concat()
    }

    /// A claim's name among what is due.
    pub(super) fn due_claim(key: Key) -> Vec<u8> {
        [&[CLAIM], key.0.as_slice()].concat()
    }

    /// What is meant by a name among what is due.
    pub(super) fn parse_due(due: &[u8]) -> Option<Due> {
        let (kind, key) = due.split_first()?;
        let key = Key(key.try_into().ok()?);
        match *kind {
            SESSION => Some(Due::Session(key)),
            CLAIM => Some(Due::Claim(key)),
            _ => None,
        }
    }
}

/// What is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Due {
    Session(Key),
    Claim(Key),
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_PREFIX, Due, Names, PARTS};
    use crate::session::{record::Key, store::UserKey};

    #[test]
    fn what_is_due_is_found_again_by_its_name() {
        let key = Key([7; 32]);
        assert_eq!(Names::parse_due(&Names::due_session(key)), Some(Due::Session(key)));
        assert_eq!(Names::parse_due(&Names::due_claim(key)), Some(Due::Claim(key)));
        for nonsense in [&b""[..], b"x", &[b'x'; 33], &[b's'; 32]] {
            assert_eq!(Names::parse_due(nonsense), None);
        }
    }

    #[test]
    fn every_key_has_its_part() {
        let names = Names::new(DEFAULT_PREFIX);
        let parts: Vec<_> = PARTS.map(|part| names.due(part)).collect();
        for byte in 0..=u8::MAX {
            assert!(parts.contains(&names.due_of(Key([byte; 32]))));
        }
        assert_eq!(names.due_of(Key([0xa3; 32])), "oauth2flow:due:3");
    }

    #[test]
    fn nobodys_name_is_another_users() {
        let names = Names::new(DEFAULT_PREFIX);
        let user = |issuer, sub| names.user(UserKey { issuer, sub });
        assert_ne!(user("https://a.example", "bc"), user("https://a.exampleb", "c"));
        assert_ne!(user("https://a.example", "1"), names.sid("https://a.example", "1"));
        assert!(!user("https://a.example", "alice").contains("alice"));
    }
}
