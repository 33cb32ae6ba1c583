//! What things are called in Redis.
//!
//! Sessions and claims lie in 256 parts by the first byte of their key. The part is the hash tag, so that in a Cluster all of a part is
//! in one slot: a session, and the list of what is due there.

use crate::session::{record::Key, store::UserKey};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

/// What every key begins with, unless the address says otherwise.
pub(super) const DEFAULT_PREFIX: &str = "oauth2flow:";

/// How many parts there are.
pub(super) const PARTS: std::ops::RangeInclusive<u8> = u8::MIN..=u8::MAX;

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
        format!("{}{{{:02x}}}:{kind}:{}", self.prefix, key.0[0], URL_SAFE_NO_PAD.encode(key.0))
    }

    /// The sorted set of what ends in a part, by when it does.
    pub(super) fn due(&self, part: u8) -> String {
        format!("{}{{{part:02x}}}:due", self.prefix)
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
    pub(super) fn of_due(&self, due: &[u8]) -> Option<String> {
        let (kind, key) = due.split_first()?;
        let key = Key(key.try_into().ok()?);
        match *kind {
            SESSION => Some(self.session(key)),
            CLAIM => Some(self.claim(key)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{DEFAULT_PREFIX, Names};
    use crate::session::{record::Key, store::UserKey};

    #[test]
    fn what_a_script_touches_together_has_the_same_hash_tag() {
        let names = Names::new(DEFAULT_PREFIX);
        let key = Key([0xa3; 32]);
        let tag = |name: &str| name.split_once('{').unwrap().1.split_once('}').unwrap().0.to_owned();
        assert_eq!(names.due(0xa3), "oauth2flow:{a3}:due");
        for name in [names.session(key), names.claim(key), names.due(0xa3)] {
            assert_eq!(tag(&name), "a3", "{name}");
        }
    }

    #[test]
    fn what_is_due_is_found_again_by_its_name() {
        let names = Names::new(DEFAULT_PREFIX);
        let key = Key([7; 32]);
        assert_eq!(names.of_due(&Names::due_session(key)), Some(names.session(key)));
        assert_eq!(names.of_due(&Names::due_claim(key)), Some(names.claim(key)));
        assert_eq!(names.of_due(b""), None);
        assert_eq!(names.of_due(b"x"), None);
        assert_eq!(names.of_due(&[b'x'; 33]), None);
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
