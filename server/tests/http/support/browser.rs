//! A browser: cookies, and the headers with which Chromium says where a request comes from.

use super::{
    Answer, EventStream, ManualClock,
    cookie_jar::{CookieJar, Site},
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};
use url::Url;

const HTML: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8";

/// A browser; its clones are its tabs.
#[derive(Clone)]
pub(crate) struct Browser {
    client: reqwest::Client,
    origin: Url,
    address: SocketAddr,
    clock: ManualClock,
    jar: Arc<Mutex<CookieJar>>,
}

/// Who makes the browser send a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Initiator {
    /// The person, by the address bar or a bookmark.
    Person,
    /// A page of the same origin.
    SameOrigin,
    /// A page of another origin of the same site, such as a sibling subdomain.
    SameSite,
    /// A page of another site.
    CrossSite,
}

/// A request that has yet to be sent.
pub(crate) struct Request<'browser> {
    browser: &'browser Browser,
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Vec<u8>,
    site: Site,
}

impl Browser {
    pub(super) fn new(client: reqwest::Client, origin: Url, address: SocketAddr, clock: ManualClock) -> Self {
        Self { client, origin, address, clock, jar: Arc::default() }
    }

    /// What browsers send their requests with.
    #[expect(clippy::disallowed_methods, reason = "a browser is no part of the server")]
    pub(super) fn client() -> reqwest::Client {
        reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap()
    }

    /// Resolves an address as one of the app's pages would.
    pub(crate) fn url(&self, address: &str) -> Url {
        self.origin.join(address).unwrap()
    }

    /// Opens an address, as a link on a page of the app does.
    pub(crate) fn navigate(&self, address: &str) -> Request<'_> {
        self.request(Method::GET, address).navigation().from(Initiator::SameOrigin)
    }

    /// Sends a form of the page that the address belongs to.
    pub(crate) fn submit(&self, address: &str, fields: &[(&str, &str)]) -> Request<'_> {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.request(Method::POST, address).navigation().from(Initiator::SameOrigin);
        request.header("content-type", "application/x-www-form-urlencoded").body(body)
    }

    /// A call of the app's own script: same origin, and with its header.
    pub(crate) fn call(&self, method: Method, address: &str) -> Request<'_> {
        self.request(method, address).script().from(Initiator::SameOrigin).header("x-csrf", "1")
    }

    /// A request with nothing but cookies.
    pub(crate) fn request(&self, method: Method, address: &str) -> Request<'_> {
        let url = self.url(address);
        Request { browser: self, method, url, headers: HeaderMap::new(), body: Vec::new(), site: Site::Same }
    }

    /// Posts an authorization response as the callback page does.
    pub(crate) fn post_code(&self, body: &Value) -> Request<'_> {
        self.call(Method::POST, "/api/v1/oauth/code").json(body)
    }

    /// Posts what the provider put into the callback address.
    pub(crate) async fn finish(&self, callback: &Url) -> Answer {
        let body: serde_json::Map<_, _> = callback.query_pairs().map(|(name, value)| (name.into_owned(), Value::from(value))).collect();
        self.post_code(&Value::from(body)).send().await
    }

    /// What the app knows about the session.
    pub(crate) async fn session(&self) -> Value {
        self.call(Method::GET, "/api/v1/session").send().await.assert_status(200).json()
    }

    pub(crate) async fn is_signed_in(&self) -> bool {
        self.session().await["authenticated"].as_bool().unwrap()
    }

    /// Opens the stream of the session's events, as a page does.
    pub(crate) fn events(&self) -> Request<'_> {
        let request = self.request(Method::GET, "/api/v1/session/events").script().from(Initiator::SameOrigin);
        request.header("accept", "text/event-stream")
    }

    pub(crate) async fn log_out(&self) -> Answer {
        self.call(Method::POST, "/api/v1/oauth/logout").send().await
    }

    /// The app's cookies, by name.
    pub(crate) fn cookies(&self) -> BTreeMap<String, String> {
        self.jar.lock().unwrap().of_host(&self.origin)
    }

    /// The session cookie's value.
    pub(crate) fn session_cookie(&self) -> Option<String> {
        self.cookies().into_iter().find(|(name, _)| name.ends_with("session")).map(|(_, value)| value)
    }

    /// The transaction cookies, by name.
    pub(crate) fn transactions(&self) -> BTreeMap<String, String> {
        self.cookies().into_iter().filter(|(name, _)| name.contains("tx-")).collect()
    }

    /// Puts a cookie of the app's host into the jar.
    pub(crate) fn put_cookie(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().put(&self.origin, name, value);
    }

    /// Where the request really goes: the app's public address is known to browsers only.
    fn transport(&self, url: &Url) -> Url {
        let mut transport = url.clone();
        if url.origin() == self.origin.origin() {
            transport.set_scheme("http").unwrap();
            transport.set_host(Some(&self.address.ip().to_string())).unwrap();
            transport.set_port(Some(self.address.port())).unwrap();
        }
        transport
    }
}

impl Request<'_> {
    fn navigation(self) -> Self {
        self.header("accept", HTML)
            .header("sec-fetch-mode", "navigate")
            .header("sec-fetch-dest", "document")
            .header("sec-fetch-user", "?1")
            .header("upgrade-insecure-requests", "1")
    }

    /// As a script's `fetch` does.
    pub(crate) fn script(self) -> Self {
        let accept = "application/json, application/problem+json";
        self.header("accept", accept).header("sec-fetch-mode", "cors").header("sec-fetch-dest", "empty")
    }

    /// Says where the request comes from, and leaves out the cookies that do not go along from there.
    pub(crate) fn from(mut self, initiator: Initiator) -> Self {
        let is_navigation = self.headers.get("sec-fetch-mode").is_some_and(|mode| mode == "navigate");
        self.site = match initiator {
            Initiator::CrossSite if is_navigation && self.method == Method::GET => Site::CrossNavigation,
            Initiator::CrossSite => Site::Cross,
            _ => Site::Same,
        };
        let (site, origin) = match initiator {
            Initiator::Person => ("none", None),
            Initiator::SameOrigin => ("same-origin", Some(self.url.origin().ascii_serialization())),
            Initiator::SameSite => ("same-site", Some("https://sibling.example".to_owned())),
            Initiator::CrossSite => ("cross-site", Some("https://evil.example".to_owned())),
        };
        let sends_origin = self.method != Method::GET && self.method != Method::HEAD
            || !is_navigation && matches!(initiator, Initiator::SameSite | Initiator::CrossSite);
        self = self.without("origin");
        if let Some(origin) = origin.filter(|_| sends_origin) {
            self = self.header("origin", &origin);
        }
        self.header("sec-fetch-site", site)
    }

    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(HeaderName::try_from(name).unwrap(), HeaderValue::try_from(value).unwrap());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.headers.remove(name);
        self
    }

    pub(crate) fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("content-type", "application/json").body(body.to_string())
    }

    pub(crate) async fn send(self) -> Answer {
        let (browser, url) = (self.browser, self.url.clone());
        let response = self.transmit().await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.bytes().await.unwrap();
        let answer = Answer { url, status, headers, body };
        for cookie in answer.set_cookies() {
            browser.jar.lock().unwrap().set(&answer.url, cookie, &browser.clock);
        }
        answer
    }

    /// Sends it and reads what comes as it comes; the answer has to be a stream of events.
    pub(crate) async fn listen(self) -> EventStream {
        let response = self.transmit().await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        EventStream::new(response)
    }

    /// The same, if the server has room for another stream.
    pub(crate) async fn try_listen(self) -> Option<EventStream> {
        let response = self.transmit().await;
        (response.status() == 200).then(|| EventStream::new(response))
    }

    async fn transmit(mut self) -> reqwest::Response {
        let jar = &self.browser.jar;
        let cookies = jar.lock().unwrap().header(&self.url, self.site, &self.browser.clock);
        if let Some(cookies) = cookies.filter(|_| !self.headers.contains_key(header::COOKIE)) {
            self = self.header("cookie", &cookies);
        }
        if !self.headers.contains_key(header::HOST) {
            let host = &self.url[url::Position::BeforeHost..url::Position::AfterPort].to_owned();
            self = self.header("host", host);
        }
        let Self { browser, method, url, headers, body, .. } = self;
        browser.client.request(method, browser.transport(&url)).headers(headers).body(body).send().await.unwrap()
    }
}
