//! Login starts by the thousand.

use crate::support::{Endpoint, StandInProvider, TestApp, start_login};
use axum::http::Method;
use futures_util::future::join_all;
use sqlx::{Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

#[tokio::test]
async fn a_thousand_starts_store_nothing_and_lock_nobody_out() {
    let provider = StandInProvider::start().await;
    // Whoever has enough addresses is not stopped by a limit of each.
    let app = TestApp::builder().openid("alpha", &provider).set("limits.login_starts", "off").start().await;
    let browser = app.browser();
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    for _ in 0..20 {
        let stranger = app.browser();
        let starts = join_all((0..50).map(|_| stranger.request(Method::GET, "/api/v1/oauth/login").header("cookie", "").send())).await;
        assert!(starts.iter().all(|answer| answer.status == 303));
    }
    assert_eq!(provider.count(Endpoint::Metadata), 1);
    let mut database = SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(app.database())).await.unwrap();
    for table in ["sessions", "claims"] {
        let rows: i64 = sqlx::query_scalar(match table {
            "sessions" => "SELECT count(*) FROM sessions",
            _ => "SELECT count(*) FROM claims",
        })
        .fetch_one(&mut database)
        .await
        .unwrap();
        assert_eq!(rows, 0, "{table}");
    }
    browser.finish(&callback).await.assert_status(200);
}

#[tokio::test]
async fn a_browser_full_of_forged_transactions_can_still_sign_in() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for number in 0..40 {
        browser.put_cookie(&format!("tx-{number:016}"), &"A".repeat(300));
    }
    let callback = provider.authorize(&start_login(&browser, "alpha", "/").await);
    browser.finish(&callback).await.assert_status(200);
    assert!(browser.is_signed_in().await);
}
