//! What is kept in the file, and which files are left alone.

use std::{error::Error, fs, path::Path};

use oauth2flow_demo_provider::{Clock, DemoProvider, DemoProviderConfig, DemoProviderError};
use reqwest::{Method, StatusCode};
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::{net::TcpListener, sync::oneshot};

use crate::support::{ALL_SCOPES, START, TestProvider};

/// What a process that is killed leaves behind: the files as they are at this moment.
fn leave_behind(from: &Path, to: &Path) {
    for suffix in ["", "-wal"] {
        fs::copy(format!("{}{suffix}", from.display()), format!("{}{suffix}", to.display())).unwrap();
    }
}

#[tokio::test]
async fn a_killed_provider_loses_neither_tokens_nor_notes_nor_logins_under_way() {
    let directory = tempfile::tempdir().unwrap();
    let before = TestProvider::start_on_file(directory.path().join("before.sqlite")).await;
    let tokens = before.tokens(ALL_SCOPES).await;
    let code = before.browser().code(&[]).await;
    let mut browser = before.browser();
    let page = browser.authorize(&[]).await;
    let request = before.http.post(before.url("/notes")).bearer_auth(tokens["access_token"].as_str().unwrap());
    let request = request.header("content-type", "application/json").body(r#"{"text": "remember me"}"#);
    assert_eq!(before.send(request).await.status, StatusCode::CREATED);
    let keys = before.get("/jwks").await.json();

    leave_behind(&directory.path().join("before.sqlite"), &directory.path().join("after.sqlite"));
    let after = TestProvider::start_on_file(directory.path().join("after.sqlite")).await;

    assert_eq!(after.get("/jwks").await.json(), keys);
    let notes = after.call(Method::GET, "/notes", &tokens["access_token"]).await.json();
    assert_eq!(notes.as_array().unwrap().len(), 3);
    assert_eq!(notes[2]["text"], "remember me");
    assert_eq!(after.refresh(&tokens["refresh_token"]).await.status, StatusCode::OK);
    assert_eq!(after.exchange(&code).await.status, StatusCode::OK);
    let cookies = browser.cookies.clone();
    let mut browser = after.browser();
    browser.cookies = cookies;
    let consent = browser.log_in(&page, "alice", "demo").await;
    assert!(browser.decide(&consent, "allow").await.response_parameters().contains_key("code"));
}

#[tokio::test]
async fn deleted_first_notes_do_not_come_back() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.sqlite");
    let before = TestProvider::start_on_file(path.clone()).await;
    let access_token = before.tokens("notes:read notes:write").await["access_token"].clone();
    for note in before.call(Method::GET, "/notes", &access_token).await.json().as_array().unwrap() {
        before.call(Method::DELETE, &format!("/notes/{}", note["id"].as_str().unwrap()), &access_token).await;
    }
    let copy = directory.path().join("copy.sqlite");
    leave_behind(&path, &copy);
    let after = TestProvider::start_on_file(copy).await;
    assert_eq!(after.call(Method::GET, "/notes", &access_token).await.body, "[]");
}

#[tokio::test]
async fn no_secret_is_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.sqlite");
    let provider = TestProvider::start_on_file(path.clone()).await;
    let mut browser = provider.browser();
    let tokens = browser.tokens(ALL_SCOPES).await;
    let code = browser.code(&[]).await;
    let mut secrets = vec![code, tokens["access_token"].as_str().unwrap().to_owned(), tokens["refresh_token"].as_str().unwrap().to_owned()];
    secrets.extend(browser.cookies.values().cloned());
    let mut bytes = fs::read(&path).unwrap();
    bytes.extend(fs::read(directory.path().join("demo.sqlite-wal")).unwrap());
    for secret in secrets {
        assert!(!bytes.windows(secret.len()).any(|window| window == secret.as_bytes()));
    }
    assert!(bytes.windows(13).any(|window| window == b"Welcome, Bob!"), "the bytes are the database's");
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.sqlite");
    let _provider = TestProvider::start_on_file(path.clone()).await;
    for suffix in ["", "-wal"] {
        let mode = fs::metadata(format!("{}{suffix}", path.display())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

async fn open(path: &Path) -> Result<DemoProvider, DemoProviderError> {
    let config = DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret");
    DemoProvider::open(DemoProviderConfig { database: Some(path.to_owned()), ..config }).await
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("letter.txt");
    let letter = "Dear diary, ".repeat(100);
    fs::write(&path, &letter).unwrap();
    let error = open(&path).await.unwrap_err();
    assert!(matches!(error, DemoProviderError::Database { .. }), "{error:?}");
    assert!(error.to_string().contains("letter.txt"));
    assert!(error.source().is_some());
    assert_eq!(fs::read_to_string(&path).unwrap(), letter);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.sqlite");
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    connection.execute("CREATE TABLE recipes (name TEXT)").await.unwrap();
    connection.close().await.unwrap();
    let before = fs::read(&path).unwrap();
    assert!(matches!(open(&path).await, Err(DemoProviderError::ForeignDatabase { .. })));
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_directory_that_is_not_there_is_named() {
    let error = open(Path::new("/nonexistent/demo.sqlite")).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/demo.sqlite"));
}

#[tokio::test]
async fn an_issuer_off_loopback_is_refused() {
    for issuer in ["http://192.168.0.7:4000", "https://127.0.0.1:4000", "http://example.com"] {
        let error = DemoProvider::open(DemoProviderConfig::new(issuer, "app", "secret")).await.unwrap_err();
        assert!(matches!(error, DemoProviderError::Issuer(_)));
        assert!(error.to_string().contains(issuer));
    }
}

#[tokio::test]
async fn what_has_expired_is_deleted_when_the_file_is_opened() {
    let directory = tempfile::tempdir().unwrap();
    let (path, copy) = (directory.path().join("demo.sqlite"), directory.path().join("copy.sqlite"));
    let provider = TestProvider::start_on_file(path.clone()).await;
    let tokens = provider.tokens(ALL_SCOPES).await;
    provider.refresh(&tokens["refresh_token"]).await;
    let mut browser = provider.browser();
    browser.code(&[]).await;
    browser.authorize(&[("prompt", "login")]).await;
    leave_behind(&path, &copy);

    let config = DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret");
    let clock = Clock::new(|| START + 15 * 24 * 60 * 60);
    let _provider = DemoProvider::open(DemoProviderConfig { database: Some(copy.clone()), clock, ..config }).await.unwrap();
    let mut connection = SqliteConnection::connect(&format!("sqlite://{}", copy.display())).await.unwrap();
    for (count, rows) in [
        ("SELECT count(*) FROM transactions", 0),
        ("SELECT count(*) FROM provider_sessions", 0),
        ("SELECT count(*) FROM consents", 0),
        ("SELECT count(*) FROM client_sessions", 0),
        ("SELECT count(*) FROM codes", 0),
        ("SELECT count(*) FROM access_tokens", 0),
        ("SELECT count(*) FROM refresh_tokens", 0),
        ("SELECT count(*) FROM grants", 0),
        ("SELECT count(*) FROM notes", 4),
        ("SELECT count(*) FROM signing_keys", 1),
    ] {
        assert_eq!(sqlx::query_scalar::<_, i64>(count).fetch_one(&mut connection).await.unwrap(), rows, "{count}");
    }
}

#[tokio::test]
async fn a_provider_that_is_told_to_stop_closes_its_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("demo.sqlite");
    let provider = open(&path).await.unwrap();
    assert!(directory.path().join("demo.sqlite-wal").exists());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(provider.serve(listener, async {
        stopped.await.unwrap();
    }));
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    assert!(!directory.path().join("demo.sqlite-wal").exists());
}
