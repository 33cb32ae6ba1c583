//! What a page's `EventSource` reads.

use axum::http::HeaderMap;
use serde_json::Value;

/// An open stream of server-sent events.
pub(crate) struct EventStream {
    pub(crate) headers: HeaderMap,
    response: reqwest::Response,
    unread: String,
}

impl EventStream {
    pub(super) fn new(response: reqwest::Response) -> Self {
        Self { headers: response.headers().clone(), response, unread: String::new() }
    }

    /// The next event's name and data; nothing when the stream has ended in order. Comments are passed over.
    pub(crate) async fn next(&mut self) -> Option<(String, Value)> {
        loop {
            while let Some(end) = self.unread.find("\n\n") {
                let block: String = self.unread.drain(..end + 2).collect();
                let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned);
                if let (Some(name), Some(data)) = (field("event"), field("data")) {
                    return Some((name, serde_json::from_str(&data).unwrap_or_else(|_| panic!("no JSON: {data}"))));
                }
            }
            let chunk = self.response.chunk().await.expect("the stream ends in order")?;
            self.unread.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The data of the next event, which has to have this name.
    #[track_caller]
    pub(crate) fn expect(&mut self, name: &'static str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            let event = self.next().await;
            let Some((_, data)) = event.clone().filter(|(found, _)| found == name) else {
                panic!("{name} wanted at {caller}, got {event:?}")
            };
            data
        }
    }

    /// The session's time has run out, and so has the stream's.
    pub(crate) async fn expect_expiry(&mut self) {
        assert_eq!(self.expect("signed_out").await, serde_json::json!({ "authenticated": false, "expired": true }));
        assert_eq!(self.next().await, None);
    }

    /// The browser has another session, and the stream is over.
    pub(crate) async fn expect_replacement(&mut self) {
        assert_eq!(self.expect("signed_out").await, serde_json::json!({ "authenticated": false, "replaced": true }));
        assert_eq!(self.next().await, None);
    }

    /// The session is ended, and so is the stream.
    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.expect("signed_out").await, serde_json::json!({ "authenticated": false }));
        assert_eq!(self.next().await, None);
    }
}
