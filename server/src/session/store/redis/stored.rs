//! A session as Redis keeps it: one value, with what scripts look at in places of their own at its beginning.
//!
//! | bytes | what |
//! |---|---|
//! | 0 | the format, 1 |
//! | 1–8 | the version; all numbers have their highest byte first |
//! | 9–25 | whether there is a lease, and the lease |
//! | 26–33 | when the session was last used, in Unix seconds |
//! | 34–41 | when it ends unless it is used |
//! | 42–49 | when the user signed in |
//! | 50–57 | when it ends whatever happens |
//! | 58–61 | how long the next part is |
//! | | whose session it is, in JSON |
//! | 4 | how long the next part is |
//! | | the profile, in JSON |
//! | | the sealed tokens |

use crate::session::{
    record::{Key, Lease, Profile, SessionRecord},
    store::StoreError,
};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

const FORMAT: u8 = 1;

/// What is there is no session; what it is instead is nobody's business in a log.
#[derive(Debug, Error)]
#[error("what Redis keeps as a session is none, or one of a newer version of oauth2flow")]
struct Malformed;

/// Whose session it is. It never changes.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) provider: String,
    pub(super) issuer: String,
    pub(super) sub: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) sid: Option<String>,
}

impl Identity {
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        serde_json::from_slice(json).ok()
    }
}

pub(super) fn version(version: i64) -> [u8; 8] {
    version.to_be_bytes()
}

pub(super) fn lease(lease: Option<Lease>) -> [u8; 17] {
    let mut stored = [0; 17];
    if let Some(Lease(token)) = lease {
        stored[0] = 1;
        stored[1..].copy_from_slice(&token);
    }
    stored
}

pub(super) fn time(time: Timestamp) -> [u8; 8] {
    time.as_second().to_be_bytes()
}

/// The part that new tokens replace.
pub(super) fn tokens(record: &SessionRecord) -> Vec<u8> {
    let mut stored = Vec::with_capacity(1024 + record.tokens.len());
    push_json(&mut stored, &record.profile);
    stored.extend_from_slice(&record.tokens);
    stored
}

pub(super) fn encode(record: &SessionRecord) -> Vec<u8> {
    let mut stored = Vec::with_capacity(2048 + record.tokens.len());
    stored.push(FORMAT);
    stored.extend_from_slice(&version(record.version));
    stored.extend_from_slice(&lease(record.lease));
    for moment in [record.last_seen_at, record.idle_expires_at, record.created_at, record.expires_at] {
        stored.extend_from_slice(&time(moment));
    }
    let SessionRecord { provider, issuer, sub, sid, .. } = record.clone();
    push_json(&mut stored, &Identity { provider, issuer, sub, sid });
    stored.extend_from_slice(&tokens(record));
    stored
}

#[expect(clippy::expect_used, reason = "strings and numbers always serialize, and none of them is 4 GiB long")]
fn push_json(stored: &mut Vec<u8>, value: &impl Serialize) {
    let json = serde_json::to_vec(value).expect("strings and numbers serialize");
    stored.extend_from_slice(&u32::try_from(json.len()).expect("it is short").to_be_bytes());
    stored.extend_from_slice(&json);
}

pub(super) fn decode(key: Key, stored: &[u8]) -> Result<SessionRecord, StoreError> {
    Reader(stored).session(key).ok_or_else(|| StoreError::new(Malformed))
}

/// Takes a value apart from its beginning.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn session(mut self, key: Key) -> Option<SessionRecord> {
        if self.array()? != [FORMAT] {
            return None;
        }
        let version = i64::from_be_bytes(self.array()?);
        let lease = match (self.array()?, self.array()?) {
            ([0], _) => None,
            ([1], token) => Some(Lease(token)),
            _ => return None,
        };
        let [last_seen_at, idle_expires_at, created_at, expires_at] = [self.time()?, self.time()?, self.time()?, self.time()?];
        let Identity { provider, issuer, sub, sid } = Identity::from_json(self.part()?)?;
        let profile: Profile = serde_json::from_slice(self.part()?).ok()?;
        let tokens = self.0.to_vec();
        Some(SessionRecord {
            key,
            version,
            provider,
            issuer,
            sub,
            sid,
            profile,
            created_at,
            last_seen_at,
            idle_expires_at,
            expires_at,
            tokens,
            lease,
        })
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    fn time(&mut self) -> Option<Timestamp> {
        Timestamp::from_second(i64::from_be_bytes(self.array()?)).ok()
    }

    fn part(&mut self) -> Option<&'a [u8]> {
        let length = u32::from_be_bytes(self.array()?);
        let (part, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(part)
    }
}

#[cfg(test)]
mod tests {
    use super::{Identity, decode, encode};
    use crate::session::record::{Key, Lease, Profile, SessionRecord};
    use jiff::Timestamp;

    fn record() -> SessionRecord {
        let time = |second| Timestamp::from_second(second).unwrap();
        let profile =
            r#"{"user":{"sub":"1","name":"Alice Example"},"scopes":["openid"],"access_token_expires_at":null,"refreshable":true}"#;
        SessionRecord {
            key: Key([3; 32]),
            version: 7,
            provider: "test".to_owned(),
            issuer: "https://provider.example".to_owned(),
            sub: "1".to_owned(),
            sid: Some("at-the-provider".to_owned()),
            profile: serde_json::from_str::<Profile>(profile).unwrap(),
            created_at: time(1_000),
            last_seen_at: time(-2_000),
            idle_expires_at: time(3_000),
            expires_at: time(4_000),
            tokens: b"sealed".to_vec(),
            lease: Some(Lease([9; 16])),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for record in [record(), SessionRecord { sid: None, lease: None, tokens: Vec::new(), ..record() }] {
            assert_eq!(format!("{:?}", decode(record.key, &encode(&record)).unwrap()), format!("{record:?}"));
        }
    }

    #[test]
    fn scripts_find_things_in_their_places() {
        let stored = encode(&record());
        assert_eq!(stored[1..9], 7_i64.to_be_bytes());
        assert_eq!(stored[9..26], [&[1][..], &[9; 16]].concat());
        assert_eq!(stored[26..34], (-2_000_i64).to_be_bytes());
        assert_eq!(stored[34..42], 3_000_i64.to_be_bytes());
        let length = usize::try_from(u32::from_be_bytes(stored[58..62].try_into().unwrap())).unwrap();
        let identity = Identity::from_json(&stored[62..62 + length]).unwrap();
        assert_eq!((identity.issuer.as_str(), identity.sub.as_str()), ("https://provider.example", "1"));
    }

    #[test]
    fn what_is_no_session_is_none() {
        let stored = encode(&record());
        let whole = stored.len() - b"sealed".len();
        for length in 0..whole {
            decode(Key([3; 32]), &stored[..length]).unwrap_err();
        }
        for (place, byte) in [(0, 2), (9, 2), (50, 0x7f), (58, 0xff), (62, b'x')] {
            let mut changed = stored.clone();
            changed[place] = byte;
            let error = decode(Key([3; 32]), &changed).unwrap_err();
            assert!(!format!("{error:?}").contains("sealed"), "{error:?}");
        }
    }
}
