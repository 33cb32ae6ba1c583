//! Sessions to write, and the present.

use jiff::{Timestamp, ToSpan as _};
use oauth2flow::{
    clock::{Clock as _, SystemClock},
    entropy::{SystemEntropy, random},
    session::{
        record::{Key, Lease, SessionRecord},
        store::UserKey,
    },
};
use serde_json::json;

pub(crate) const ISSUER: &str = "https://provider.example.com";

/// The user of every session that says nothing else.
pub(crate) const ALICE: UserKey<'static> = UserKey { issuer: ISSUER, sub: "alice" };

/// The present, in whole seconds, as stores keep them. A store may forget by itself what has expired long ago.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(SystemClock::start().now().as_second()).unwrap()
}

/// So many minutes from now.
pub(crate) fn minutes(minutes: i64) -> Timestamp {
    now() + minutes.minutes()
}

pub(crate) fn key() -> Key {
    Key(random(&SystemEntropy))
}

pub(crate) fn lease() -> Lease {
    Lease(random(&SystemEntropy))
}

/// A session of Alice's that has just begun.
pub(crate) fn session() -> SessionRecord {
    let now = now();
    SessionRecord {
        key: key(),
        version: 1,
        provider: "example".to_owned(),
        issuer: ISSUER.to_owned(),
        sub: ALICE.sub.to_owned(),
        sid: None,
        profile: serde_json::from_value(json!({
            "user": { "sub": ALICE.sub, "name": "Alice Example" },
            "scopes": ["openid", "notes.read"],
            "access_token_expires_at": now.as_second() + 300,
            "refreshable": true,
        }))
        .unwrap(),
        created_at: now,
        last_seen_at: now,
        idle_expires_at: minutes(30),
        expires_at: minutes(8 * 60),
        tokens: vec![7; 1200],
        lease: None,
    }
}

/// The same of another user.
pub(crate) fn session_of(user: UserKey<'_>) -> SessionRecord {
    SessionRecord { issuer: user.issuer.to_owned(), sub: user.sub.to_owned(), ..session() }
}

/// The same with a session at the provider.
pub(crate) fn session_with_sid(user: UserKey<'_>, sid: &str) -> SessionRecord {
    SessionRecord { sid: Some(sid.to_owned()), ..session_of(user) }
}

/// That every field is the same.
pub(crate) fn assert_same(left: &SessionRecord, right: &SessionRecord) {
    let profile = |record: &SessionRecord| serde_json::to_value(&record.profile).unwrap();
    assert_eq!(profile(left), profile(right));
    let rest = |record: &SessionRecord| {
        let SessionRecord {
            key,
            version,
            provider,
            issuer,
            sub,
            sid,
            profile: _,
            created_at,
            last_seen_at,
            idle_expires_at,
            expires_at,
            tokens,
            lease,
        } = record.clone();
        let names = (provider, issuer, sub, sid);
        (key, version, names, (created_at, last_seen_at, idle_expires_at, expires_at), tokens, lease)
    };
    assert_eq!(rest(left), rest(right));
}
