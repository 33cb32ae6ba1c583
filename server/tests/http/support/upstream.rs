//! An API behind the proxy, which answers with what it was asked.

use super::recording::{Received, Recording, Reply, socket};
use axum::{
    Json, Router,
    body::Bytes,
    http::{Method, Uri},
};
use serde_json::{Value, json};

/// The API; all of it is below `/base`.
pub(crate) struct Upstream {
    origin: String,
    pub(crate) recording: Recording,
}

impl Upstream {
    pub(crate) async fn start() -> Self {
        let (listener, address) = socket();
        let recording = Recording::default();
        recording.serve(listener, Router::new().fallback(echo)).await;
        Self { origin: format!("http://{address}"), recording }
    }

    pub(crate) fn origin(&self) -> &str {
        &self.origin
    }

    /// How many requests came, to whatever path.
    pub(crate) fn count(&self) -> usize {
        self.recording.all().len()
    }

    pub(crate) fn only(&self) -> Received {
        let received = self.recording.all();
        assert_eq!(received.len(), 1, "requests to the API");
        received[0].clone()
    }

    /// The tokens that came, in the order in which they did.
    pub(crate) fn tokens(&self) -> Vec<String> {
        let token = |received: Received| received.header("authorization").unwrap_or_default().to_owned();
        self.recording.all().into_iter().map(token).collect()
    }

    pub(crate) fn replace(&self, path: &str, reply: Reply) {
        self.recording.replace(path, reply);
    }

    pub(crate) fn replace_once(&self, path: &str, reply: Reply) {
        self.recording.replace_once(path, reply);
    }
}

async fn echo(method: Method, uri: Uri, body: Bytes) -> Json<Value> {
    Json(json!({ "method": method.as_str(), "uri": uri.to_string(), "body": String::from_utf8_lossy(&body) }))
}
