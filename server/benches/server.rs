//! What the parts of a request cost, each by itself.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should end there")]

use axum::http::{HeaderMap, HeaderValue, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use criterion::{BenchmarkId, Criterion};
use jiff::{SignedDuration, Timestamp};
use oauth2flow::{
    clock::{Clock, SystemClock},
    entropy::SystemEntropy,
    session::{
        cookie::Cookies,
        live::LiveSession,
        record::{Key, Profile, SessionId, SessionRecord, Tokens},
        seal::KeyRing,
        store::{MemoryStore, Store as _},
    },
};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use std::{hint::black_box, sync::Arc};

/// With how many sessions the memory store is read.
const SESSIONS: [usize; 3] = [1_000, 100_000, 1_000_000];

/// What is sealed: about as long as the tokens of a login with an ID token.
const TOKENS_BYTES: usize = 1_500;

const PLACE: &[u8] = b"a place of its own";

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    seal(&mut criterion);
    cookies(&mut criterion);
    session(&mut criterion);
    memory_store(&mut criterion);
    criterion.final_summary();
}

fn keys() -> KeyRing {
    let text = SecretString::from("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    KeyRing::parse(&text, "the key of the benchmark", Arc::new(SystemClock::start())).unwrap()
}

fn seal(criterion: &mut Criterion) {
    let (keys, plaintext) = (keys(), vec![b'x'; TOKENS_BYTES]);
    let sealed = keys.seal(PLACE, &plaintext, &SystemEntropy);
    criterion.bench_function("seal", |bencher| bencher.iter(|| keys.seal(PLACE, black_box(&plaintext), &SystemEntropy)));
    criterion.bench_function("open", |bencher| bencher.iter(|| keys.open_sealed(PLACE, black_box(&sealed)).unwrap()));
    let tokens = serde_json::json!({
        "access": "a".repeat(64), "refresh": "r".repeat(64), "id": "i".repeat(1_000), "audience": ["client"], "dpop_key": null,
    });
    let tokens = keys.seal(PLACE, tokens.to_string().as_bytes(), &SystemEntropy);
    criterion.bench_function("open an access token", |bencher| {
        bencher.iter(|| Tokens::from_plaintext(&keys.open_sealed(PLACE, black_box(&tokens)).unwrap()).unwrap());
    });
}

fn cookies(criterion: &mut Criterion) {
    let cookie = format!("theme=dark; language=en; __Host-Http-session={}; other=1", URL_SAFE_NO_PAD.encode([7; 32]));
    let headers: HeaderMap = [(header::COOKIE, HeaderValue::try_from(cookie).unwrap())].into_iter().collect();
    let cookies = Cookies::new(true);
    criterion.bench_function("find the session cookie", |bencher| bencher.iter(|| cookies.session(black_box(&headers))));
    let cookie = URL_SAFE_NO_PAD.encode([7; 32]);
    criterion.bench_function("key of a session cookie", |bencher| {
        bencher.iter(|| SessionId::parse(black_box(&cookie)).unwrap().key());
    });
}

fn session(criterion: &mut Criterion) {
    let now = SystemClock::start().now();
    let record = record(Key([7; 32]), now);
    criterion.bench_function("describe and serialize a session", |bencher| {
        let session = LiveSession::new(record.clone());
        bencher.iter(|| serde_json::to_vec(&black_box(&session).describe()).unwrap());
    });
    criterion.bench_function("a session's description, once made", |bencher| {
        let session = LiveSession::new(record.clone());
        bencher.iter(|| black_box(&session).description());
    });
}

/// The time of a read has to be the same, however many sessions there are.
fn memory_store(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = SystemClock::start().now();
    let mut group = criterion.benchmark_group("read from the memory store");
    for count in SESSIONS {
        let store = MemoryStore::default();
        runtime.block_on(async {
            for number in 0..count {
                store.insert(&record(key(number), now)).await.unwrap();
            }
        });
        let mut number = 0_usize;
        group.bench_function(BenchmarkId::from_parameter(count), |bencher| {
            bencher.iter(|| {
                number = number.wrapping_add(2_654_435_761);
                runtime.block_on(store.get(key(number % count))).unwrap().unwrap()
            });
        });
    }
    group.finish();
}

fn key(number: usize) -> Key {
    Key(Sha256::digest(number.to_le_bytes()).into())
}

fn record(key: Key, now: Timestamp) -> SessionRecord {
    let profile: Profile = serde_json::from_value(serde_json::json!({
        "user": { "sub": "user-1", "name": "Alice Example", "email": "alice@example.com", "email_verified": true },
        "scopes": ["openid", "profile", "email"],
        "access_token_expires_at": 1_900_000_000,
        "refreshable": true,
    }))
    .unwrap();
    let expires_at = now + SignedDuration::from_hours(8);
    SessionRecord {
        key,
        version: 1,
        provider: "example".to_owned(),
        issuer: "https://login.example.com".to_owned(),
        sub: "user-1".to_owned(),
        sid: None,
        profile,
        created_at: now,
        last_seen_at: now,
        idle_expires_at: now + SignedDuration::from_mins(30),
        expires_at,
        // A million of them have to fit into memory.
        tokens: vec![0; 64],
        lease: None,
    }
}
