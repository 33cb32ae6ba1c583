//! Bodies that do not end, or are not what they say.

use crate::support::TestApp;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

/// Sends a head and as much of a body as is taken.
async fn send(app: &TestApp, length: &str, body: &[u8]) -> String {
    let stream = TcpStream::connect(app.address()).await.unwrap();
    let (mut reading, mut writing) = stream.into_split();
    let origin = app.origin();
    let host = origin.trim_start_matches("http://");
    let head = format!(
        "POST /api/v1/oauth/code HTTP/1.1\r\nhost: {host}\r\norigin: {origin}\r\nx-csrf: 1\r\ncontent-type: application/json\r\n{length}\r\n\r\n"
    );
    let write = async {
        writing.write_all(head.as_bytes()).await.unwrap();
        // The server may well stop listening in the middle.
        let _ = writing.write_all(body).await;
    };
    let read = async {
        let mut answer = vec![0; 4096];
        let length = reading.read(&mut answer).await.unwrap();
        String::from_utf8_lossy(&answer[..length]).into_owned()
    };
    let (answer, ()) = tokio::join!(read, write);
    answer
}

#[tokio::test]
async fn ten_megabytes_are_refused_without_being_kept() {
    let app = TestApp::with_demo().await;
    let body = vec![b' '; 10 * 1024 * 1024];
    let answer = send(&app, &format!("content-length: {}", body.len()), &body).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("payload_too_large"), "{answer}");
}

#[tokio::test]
async fn a_body_in_chunks_is_counted_too() {
    let app = TestApp::with_demo().await;
    let chunk = format!("1000\r\n{}\r\n", " ".repeat(0x1000));
    let body = chunk.repeat(100);
    let answer = send(&app, "transfer-encoding: chunked", body.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_body_of_exactly_the_limit_is_read() {
    let app = TestApp::with_demo().await;
    let body = format!("{{}}{}", " ".repeat(16 * 1024 - 2));
    let answer = send(&app, &format!("content-length: {}", body.len()), body.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400 "), "{answer}");
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let app = TestApp::with_demo().await;
    let mut stream = TcpStream::connect(app.address()).await.unwrap();
    let head = format!("GET / HTTP/1.1\r\nhost: x\r\nx-large: {}\r\n\r\n", "x".repeat(1024 * 1024));
    let _ = stream.write_all(head.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
}
