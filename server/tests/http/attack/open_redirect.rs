//! `return_to` as a way out of the origin (A49).

use crate::support::{Initiator, StandInProvider, TestApp};
use axum::http::Method;

const WAYS_OUT: [&str; 34] = [
    "//evil.example",
    "///evil.example",
    "////evil.example/",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "/\\/evil.example",
    "https://evil.example",
    "https:evil.example",
    "https:/evil.example",
    "http://localhost.evil.example",
    "http:///evil.example",
    "//localhost@evil.example",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "vbscript:x",
    "/%2fevil.example",
    "/%2Fevil.example",
    "/%5cevil.example",
    "/%252fevil.example",
    "/%09/evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/\r\nLocation: https://evil.example",
    "/%0d%0aLocation:%20https://evil.example",
    "/.//evil.example",
    "/..//evil.example",
    "/a/..//evil.example",
    "/%2e%2e//evil.example",
    " //evil.example",
    "\u{0}//evil.example",
    "/\u{2028}/evil.example",
    "evil.example",
];

#[tokio::test]
async fn a49_no_way_out_is_taken() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for way_out in WAYS_OUT {
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("provider", "alpha")
            .append_pair("return_to", way_out)
            .finish();
        let started = browser.navigate(&format!("/api/v1/oauth/login?{query}")).send().await;
        let callback = provider.authorize(&started.assert_status(303).location());
        let return_to = browser.finish(&callback).await.assert_status(200).json()["return_to"].as_str().unwrap().to_owned();
        assert_eq!(return_to, "/", "{way_out:?}");
    }
}

#[tokio::test]
async fn a49_a_form_s_redirect_stays_here_too() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for way_out in ["//evil.example", "/\\evil.example", "https://evil.example", "/%0d%0aSet-Cookie:%20session=x"] {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", way_out).finish();
        let started = browser.navigate(&format!("/api/v1/oauth/login?{query}")).send().await;
        let callback = provider.authorize(&started.location());
        let fields: Vec<_> = callback.query_pairs().into_owned().collect();
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let finished = browser.submit("/api/v1/oauth/code", &fields).send().await;
        assert_eq!(finished.assert_status(303).location().origin(), browser.url("/").origin(), "{way_out}");
        assert_eq!(finished.headers.get_all("location").iter().count(), 1);
    }
}

#[tokio::test]
async fn a49_neither_the_callback_nor_the_api_is_returned_to() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for path in
        ["/callback?code=x", "/api/v1/oauth/login?provider=alpha", "/API/../api/v1/session", "/%61pi/v1/session", "/account/../callback"]
    {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", path).finish();
        let started = browser.navigate(&format!("/api/v1/oauth/login?{query}")).send().await;
        let completed = browser.finish(&provider.authorize(&started.location())).await;
        assert_eq!(completed.json()["return_to"], "/", "{path}");
    }
}

#[tokio::test]
async fn no_other_parameter_redirects() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    for path in ["/", "/account", "/problem?code=x", "/api/v1/session"] {
        for name in ["next", "url", "redirect", "redirect_uri", "return_to", "continue"] {
            let separator = if path.contains('?') { '&' } else { '?' };
            let request = browser.request(Method::GET, &format!("{path}{separator}{name}=https://evil.example")).from(Initiator::Person);
            assert_eq!(request.send().await.header("location"), None);
        }
    }
    let out = browser.submit("/api/v1/oauth/logout?return_to=https://evil.example", &[("return_to", "https://evil.example")]).send().await;
    out.assert_redirect("/");
}
