//! Heads of requests that are too long.

use crate::support::TestApp;
use axum::http::Method;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn a_pile_of_cookies_gets_an_answer_in_words() {
    let app = TestApp::with_demo().await;
    let answer = app.browser().call(Method::GET, "/api/v1/session").header("cookie", &format!("x={}", "x".repeat(33 * 1024))).send().await;
    answer.assert_problem(431, "head_too_large");
    let page = app.browser().navigate("/api/v1/oauth/login").header("cookie", &format!("x={}", "x".repeat(33 * 1024))).send().await;
    page.assert_problem_page("head_too_large");
}

#[tokio::test]
async fn a_head_of_the_size_that_browsers_with_many_cookies_send_is_read() {
    let app = TestApp::with_demo().await;
    let answer = app.browser().call(Method::GET, "/api/v1/session").header("cookie", &format!("x={}", "x".repeat(30 * 1024))).send().await;
    answer.assert_status(200);
}

#[tokio::test]
async fn a_long_address_counts_too() {
    let app = TestApp::with_demo().await;
    let answer = app.browser().call(Method::GET, &format!("/api/v1/session?x={}", "x".repeat(33 * 1024))).send().await;
    answer.assert_problem(431, "head_too_large");
}

#[tokio::test]
async fn too_many_fields_are_refused() {
    let app = TestApp::with_demo().await;
    let with_fields = |count: usize| {
        let browser = app.browser();
        async move {
            let request = browser.call(Method::GET, "/api/v1/session");
            (0..count).fold(request, |request, number| request.header(&format!("x-field-{number}"), "1")).send().await
        }
    };
    with_fields(60).await.assert_status(200);
    with_fields(85).await.assert_problem(431, "head_too_large");
}

#[tokio::test]
async fn what_is_far_too_much_is_not_even_read() {
    let app = TestApp::with_demo().await;
    for head in ["x-large: y\r\n".repeat(10_000), format!("x-large: {}\r\n", "y".repeat(200 * 1024))] {
        let mut stream = TcpStream::connect(app.address()).await.unwrap();
        let _ = stream.write_all(format!("GET / HTTP/1.1\r\nhost: localhost\r\n{head}\r\n").as_bytes()).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 431 "), "{answer}");
    }
    app.browser().call(Method::GET, "/api/v1/session").send().await.assert_status(200);
}
