//! A Redis that cannot be used is named, with what is wrong and without its password.

use super::try_open;
use crate::servers::redis::{Kind, Sentinels, Single, Wire};
use oauth2flow::session::store::RedisOpenError;
use std::{error::Error, fmt::Write as _};

/// What the log would say of it.
fn said(error: &RedisOpenError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut current: &dyn Error = error;
    while let Some(source) = current.source() {
        write!(text, " {source:?} {source}").unwrap();
        current = source;
    }
    text
}

fn behind_tls() -> Single {
    Single::of(Kind::redis(Wire::tls()))
}

async fn refusal(url: &str, roots: Option<&[u8]>) -> RedisOpenError {
    let error = try_open(url, roots).await.map(drop).unwrap_err();
    let said = said(&error);
    assert!(!said.contains("secret") && !said.contains("password\""), "{said}");
    assert!(said.contains("127.0.0.1") || said.contains("localhost"), "{said}");
    error
}

#[tokio::test]
async fn one_that_is_not_there_is_unreachable() {
    let mut place = Single::start();
    place.node.kill();
    let error = refusal(&place.url(), None).await;
    assert!(matches!(error, RedisOpenError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_wrong_password_is_refused() {
    let place = behind_tls();
    let url = format!("rediss://app:wrong-secret@localhost:{}", place.node.port);
    let error = refusal(&url, place.kind.roots()).await;
    assert!(matches!(error, RedisOpenError::Refused { .. }), "{error:?}");
    let nobody = format!("rediss://localhost:{}", place.node.port);
    let error = refusal(&nobody, place.kind.roots()).await;
    assert!(matches!(error, RedisOpenError::Refused { .. }), "{error:?}");
}

#[tokio::test]
async fn a_certificate_of_somebody_else_is_not_trusted() {
    let place = behind_tls();
    let other = behind_tls();
    for roots in [None, other.kind.roots()] {
        let error = refusal(&place.url(), roots).await;
        assert!(matches!(error, RedisOpenError::Unreachable { .. }), "{error:?}");
        assert!(said(&error).contains("certificate"), "{}", said(&error));
    }
    // Nor one for another name.
    let by_number = place.url().replace("localhost", "127.0.0.1");
    let error = refusal(&by_number, place.kind.roots()).await;
    assert!(said(&error).contains("certificate"), "{}", said(&error));
}

#[tokio::test]
async fn without_tls_nothing_is_said_to_a_server_that_wants_it() {
    let place = behind_tls();
    let error = refusal(&place.url().replace("rediss", "redis"), None).await;
    assert!(matches!(error, RedisOpenError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_user_who_may_not_do_what_is_needed_is_told() {
    for (rights, case) in [
        ("~oauth2flow:* &oauth2flow:* +@all -unlink", "no command"),
        ("~other:* &oauth2flow:* +@all", "no keys"),
        ("~oauth2flow:* resetchannels +@all", "no channel"),
    ] {
        let place = Single::start();
        place.node.ask::<()>(&format!("ACL SETUSER weak on >weak-secret {rights}"));
        let url = place.url().replace("redis://", "redis://weak:weak-secret@");
        let error = refusal(&url, None).await;
        assert!(matches!(error, RedisOpenError::Forbidden { .. }), "{case}: {error:?}");
    }
}

#[tokio::test]
async fn a_master_that_no_sentinel_knows_is_unreachable() {
    let place = Sentinels::of(Kind::redis(Wire::Plain), 1);
    let error = refusal(&place.url().replace("/sessions?", "/others?"), None).await;
    assert!(matches!(error, RedisOpenError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_replica_is_no_place_for_sessions() {
    let place = Single::start();
    place.node.ask::<()>("REPLICAOF 127.0.0.1 1");
    let error = refusal(&place.url(), None).await;
    assert!(matches!(error, RedisOpenError::Unreachable { .. }), "{error:?}");
    assert!(said(&error).contains("READONLY"), "{}", said(&error));
}
