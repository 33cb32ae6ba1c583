//! A server of the test's own: it remembers every request, and the test can replace or hold back every answer.

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::{Request, State},
    http::{HeaderMap, Method, StatusCode, Uri, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
};
use futures_util::{StreamExt as _, stream};
use serde_json::Value;
use std::{
    collections::HashMap,
    convert::Infallible,
    future::{IntoFuture as _, pending, ready},
    io,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use tokio::{net::TcpListener, sync::watch};

/// A request as it came over the wire.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    /// The only value of a parameter of the form.
    pub(crate) fn form(&self, name: &str) -> Option<String> {
        let mut values = url::form_urlencoded::parse(&self.body).filter(|(known, _)| known == name);
        let value = values.next().map(|(_, value)| value.into_owned());
        assert!(values.next().is_none(), "{name} comes twice");
        value
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }
}

/// An answer in the place of the real one.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: Vec<(&'static str, String)>,
        body: Bytes,
    },
    /// The beginning of an answer, and then nothing.
    Unfinished(Bytes),
    /// The connection breaks instead.
    Broken,
    Silence,
}

impl Reply {
    pub(crate) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self::Answer { status, headers: vec![("content-type", content_type.to_owned())], body: body.into() }
    }

    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub(crate) fn html(status: u16) -> Self {
        Self::new(status, "text/html", "<!doctype html><title>Sign in to the hotel's network</title>")
    }

    pub(crate) fn redirect(status: u16, location: impl Into<String>) -> Self {
        Self::Answer { status, headers: vec![("location", location.into())], body: Bytes::new() }
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    async fn into_response(self) -> Response {
        match self {
            Self::Answer { status, headers, body } => {
                let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
                response.headers_mut().remove(header::CONTENT_TYPE);
                for (name, value) in headers {
                    response.headers_mut().append(name, value.parse().unwrap());
                }
                response
            }
            Self::Unfinished(beginning) => {
                let beginning = stream::once(ready(Ok::<_, Infallible>(beginning)));
                let body = Body::from_stream(beginning.chain(stream::pending()));
                ([(header::CONTENT_TYPE, "application/json")], body).into_response()
            }
            Self::Broken => Body::from_stream(stream::once(ready(Err::<Bytes, _>(io::Error::other("broken"))))).into_response(),
            Self::Silence => pending().await,
        }
    }
}

/// Holds requests back until the test lets them go.
#[derive(Clone)]
pub(crate) struct Gate(Arc<GateState>);

struct GateState {
    waiting: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    fn new() -> Self {
        Self(Arc::new(GateState { waiting: watch::Sender::new(0), open: watch::Sender::new(false) }))
    }

    /// Waits until a request is held here.
    pub(crate) async fn arrived(&self) {
        self.arrived_times(1).await;
    }

    /// Waits until so many requests are held here.
    pub(crate) async fn arrived_times(&self, times: usize) {
        self.0.waiting.subscribe().wait_for(|waiting| *waiting >= times).await.unwrap();
    }

    /// Lets every request go, those to come as well.
    pub(crate) fn release(&self) {
        self.0.open.send_replace(true);
    }

    async fn pass(&self) {
        self.0.waiting.send_modify(|waiting| *waiting += 1);
        self.0.open.subscribe().wait_for(|open| *open).await.unwrap();
    }
}

/// What a server of the test's own has received, and what it is to answer.
#[derive(Clone, Default)]
pub(crate) struct Recording(Arc<Mutex<Kept>>);

#[derive(Default)]
struct Kept {
    received: Vec<Received>,
    replies: HashMap<String, Reply>,
    replies_once: HashMap<String, Reply>,
    gates: HashMap<String, Gate>,
}

impl Recording {
    /// Serves a router on a socket of its own, and records what it is asked.
    pub(crate) async fn serve(&self, listener: std::net::TcpListener, router: Router) {
        listener.set_nonblocking(true).unwrap();
        let listener = TcpListener::from_std(listener).unwrap();
        let router = router.layer(from_fn_with_state(self.clone(), record));
        let serving = axum::serve(listener, router).into_future();
        tokio::spawn(serving);
        tokio::task::yield_now().await;
    }

    /// What came to a path, the oldest first.
    pub(crate) fn received(&self, path: &str) -> Vec<Received> {
        self.0.lock().unwrap().received.iter().filter(|received| received.uri.path() == path).cloned().collect()
    }

    /// Everything that came.
    pub(crate) fn all(&self) -> Vec<Received> {
        self.0.lock().unwrap().received.clone()
    }

    pub(crate) fn count(&self, path: &str) -> usize {
        self.received(path).len()
    }

    /// The only request to a path.
    pub(crate) fn only(&self, path: &str) -> Received {
        let received = self.received(path);
        assert_eq!(received.len(), 1, "requests to {path}");
        received[0].clone()
    }

    /// Answers every request to a path with this.
    pub(crate) fn replace(&self, path: &str, reply: Reply) {
        self.0.lock().unwrap().replies.insert(path.to_owned(), reply);
    }

    /// Answers the next request to a path with this.
    pub(crate) fn replace_once(&self, path: &str, reply: Reply) {
        self.0.lock().unwrap().replies_once.insert(path.to_owned(), reply);
    }

    /// Answers as before.
    pub(crate) fn restore(&self, path: &str) {
        self.0.lock().unwrap().replies.remove(path);
    }

    /// Holds every request to a path back.
    pub(crate) fn hold(&self, path: &str) -> Gate {
        let gate = Gate::new();
        self.0.lock().unwrap().gates.insert(path.to_owned(), gate.clone());
        gate
    }
}

async fn record(State(recording): State<Recording>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    let received = Received { method: parts.method.clone(), uri: parts.uri.clone(), headers: parts.headers.clone(), body: body.clone() };
    let path = parts.uri.path().to_owned();
    let gate = {
        let mut state = recording.0.lock().unwrap();
        state.received.push(received);
        state.gates.get(&path).cloned()
    };
    if let Some(gate) = gate {
        gate.pass().await;
    }
    let reply = {
        let mut state = recording.0.lock().unwrap();
        let once = state.replies_once.remove(&path);
        once.or_else(|| state.replies.get(&path).cloned())
    };
    match reply {
        Some(reply) => reply.into_response().await,
        None => next.run(Request::from_parts(parts, Body::from(body))).await,
    }
}

/// A socket that nobody else has, and its address.
pub(super) fn socket() -> (std::net::TcpListener, SocketAddr) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}
