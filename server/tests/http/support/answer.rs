//! What a browser got.

use axum::http::{HeaderMap, StatusCode, header};
use bytes::Bytes;
use serde_json::Value;
use url::Url;

/// An answer, whole.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {} {}", self.status, self.text()))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn set_cookies(&self) -> Vec<&str> {
        self.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap()).collect()
    }

    /// Whether no login and no session begins with the answer: the X-ray's cookie may be set, which only finds failed logins again.
    pub(crate) fn begins_nothing(&self) -> bool {
        self.set_cookies().iter().all(|cookie| cookie.starts_with("flow="))
    }

    /// Whether the answer sets a session cookie, rather than none or deleting one.
    pub(crate) fn begins_session(&self) -> bool {
        self.set_cookies().iter().any(|cookie| {
            let (name, rest) = cookie.split_once('=').unwrap();
            name.ends_with("session") && !rest.starts_with(';')
        })
    }

    /// Where the answer sends the browser.
    #[track_caller]
    pub(crate) fn location(&self) -> Url {
        let location = self.header("location").unwrap_or_else(|| panic!("no redirect: {} {}", self.status, self.text()));
        self.url.join(location).unwrap()
    }

    #[track_caller]
    pub(crate) fn assert_status(&self, status: u16) -> &Self {
        assert_eq!(self.status.as_u16(), status, "{} answered {}", self.url.path(), self.text());
        self
    }

    /// The answer sends the browser on with 303.
    #[track_caller]
    pub(crate) fn assert_redirect(&self, location: &str) {
        self.assert_status(303);
        assert_eq!(self.header("location"), Some(location));
    }

    /// The answer is a problem document with this status and code, has a request id, and begins no session.
    #[track_caller]
    pub(crate) fn assert_problem(&self, status: u16, code: &str) {
        self.assert_status(status);
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {problem}");
        }
        let request_id = problem["request_id"].as_str().unwrap();
        assert!(request_id.len() == 16 && request_id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{request_id}");
        assert_eq!(self.header("x-request-id"), Some(request_id));
        assert!(!self.begins_session());
    }

    /// The answer sends a person to the page about a problem.
    #[track_caller]
    pub(crate) fn assert_problem_page(&self, code: &str) {
        self.assert_status(303);
        let location = self.location();
        assert_eq!(location.path(), "/problem");
        let query: Vec<_> = location.query_pairs().into_owned().collect();
        assert_eq!(query[0], ("code".to_owned(), code.to_owned()));
        assert_eq!(query[1], ("request_id".to_owned(), self.header("x-request-id").unwrap().to_owned()));
        assert!(!self.begins_session());
    }
}
