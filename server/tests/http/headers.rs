//! The headers of every answer (the table of values).

use crate::support::{Answer, Browser, SignIn as _, StandInProvider, TestApp, Upstream};
use axum::http::Method;
use std::collections::{BTreeMap, HashMap};

const PAGES: [&str; 5] = ["/", "/account", "/callback?code=x&state=y&iss=z", "/problem?code=state_mismatch", "/nothing"];

async fn with(render: &str) -> (TestApp, Browser) {
    let app = TestApp::builder().set("server.render", render).start().await;
    let browser = app.browser();
    (app, browser)
}

fn policy(answer: &Answer) -> BTreeMap<String, String> {
    let header = answer.header("content-security-policy").unwrap_or_else(|| panic!("{} has no policy", answer.url.path()));
    let directive = |text: &str| {
        text.trim().split_once(' ').map_or((text.trim().to_owned(), String::new()), |(name, values)| (name.to_owned(), values.to_owned()))
    };
    header.split(';').map(directive).collect()
}

#[tokio::test]
async fn every_answer_has_the_headers() {
    for render in ["spa", "ssr"] {
        let (app, browser) = with(render).await;
        browser.sign_in_with_demo(&app, "alice").await;
        let paths = PAGES.iter().chain(&[
            "/api/v1/session",
            "/api/v1/oauth/providers",
            "/api/v1/oauth/login?provider=demo",
            "/api/v1/oauth/login?provider=none",
            "/api/v1/oauth/code",
            "/api/v1/oauth/logout",
            "/api/v1/proxy/notes",
            "/api/v1/proxy/none",
            "/api/v1/nothing",
            "/api/nothing",
            "/api/openapi.json",
            "/api/docs/",
            "/healthz",
            "/readyz",
            "/pkg/oauth2flow.0000000000000001.js",
            "/pkg/oauth2flow.0000000000000002.wasm",
            "/pkg/oauth2flow.0000000000000003.css",
        ]);
        for path in paths {
            let answer = browser.call(Method::GET, path).send().await;
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"), "{path}");
            assert_eq!(answer.header("cross-origin-opener-policy"), Some("same-origin"), "{path}");
            assert_eq!(answer.header("cross-origin-resource-policy"), Some("same-origin"), "{path}");
            assert_eq!(answer.header("x-request-id").map(str::len), Some(16), "{path}");
            assert_eq!(answer.header("strict-transport-security"), None, "{path}: there is no https here");
            assert_eq!(answer.header("server"), None, "{path}");
            let policy = policy(&answer);
            assert_eq!(policy["default-src"], "'none'", "{path}");
            assert_eq!(policy["frame-ancestors"], "'none'", "{path}");
            assert_eq!(policy["base-uri"], "'none'", "{path}");
            let secret = path.starts_with("/callback") || path.starts_with("/api/v1/oauth/");
            let expected = if secret { "no-referrer" } else { "strict-origin-when-cross-origin" };
            assert_eq!(answer.header("referrer-policy"), Some(expected), "{path}");
            if path.starts_with("/api/v1/") || path.starts_with("/callback") {
                assert_eq!(answer.header("cache-control"), Some("no-store"), "{path}");
            }
        }
    }
}

#[tokio::test]
async fn over_https_browsers_are_told_to_stay_there() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().public_url("https://app.example").openid("alpha", &provider).start().await;
    for path in ["/", "/api/v1/session", "/api/v1/nothing", "/healthz"] {
        let answer = app.browser().call(Method::GET, path).send().await;
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=63072000"), "{path}");
    }
}

#[tokio::test]
async fn in_single_page_mode_scripts_are_allowed_by_their_hash() {
    let (_app, browser) = with("spa").await;
    let mut documents = Vec::new();
    for path in PAGES {
        let answer = browser.navigate(path).send().await;
        assert_page_policy(&answer);
        let scripts = &policy(&answer)["script-src"];
        assert!(scripts.starts_with("'sha256-"), "{scripts}");
        let script = crate::support::between(&answer.text(), "<script", "</script>");
        let script = script.split_once('>').unwrap().1;
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, script.as_bytes());
        let hash = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, hash.as_ref());
        assert!(scripts.contains(&format!("'sha256-{hash}'")), "{path}");
        assert_eq!(browser.navigate(path).send().await.body, answer.body, "{path}: the document is the same for everybody who is new here");
        documents.extend((path != "/").then_some(answer.body));
    }
    assert!(documents.windows(2).all(|pair| pair[0] == pair[1]), "one document for all pages but the first");
}

#[tokio::test]
async fn in_server_rendering_mode_scripts_are_allowed_by_a_nonce_that_is_new_each_time() {
    let (_app, browser) = with("ssr").await;
    let mut nonces = std::collections::HashSet::new();
    for path in PAGES {
        let answer = browser.navigate(path).send().await;
        assert_page_policy(&answer);
        let nonce = crate::support::between(&policy(&answer)["script-src"], "'nonce-", "'");
        assert!(nonce.len() >= 22, "{nonce}");
        let page = answer.text();
        assert_eq!(
            page.matches("<script").count(),
            page.matches(&format!("nonce=\"{nonce}\"")).count(),
            "{path}: every script has the nonce"
        );
        assert!(nonces.insert(nonce), "{path}");
    }
}

#[tokio::test]
async fn the_first_page_of_a_server_may_be_the_callback() {
    let (_app, browser) = with("ssr").await;
    browser.navigate("/callback?code=c&state=s").send().await.assert_status(200);
}

#[track_caller]
fn assert_page_policy(answer: &Answer) {
    let policy = policy(answer);
    let expected: HashMap<&str, &str> = [
        ("default-src", "'none'"),
        ("style-src", "'self'"),
        ("connect-src", "'self'"),
        ("img-src", "'self' data:"),
        ("font-src", "'self'"),
        ("form-action", "'self'"),
        ("base-uri", "'none'"),
        ("object-src", "'none'"),
        ("frame-ancestors", "'none'"),
    ]
    .into();
    for (name, value) in expected {
        assert_eq!(policy.get(name).map(String::as_str), Some(value), "{name} at {}", answer.url.path());
    }
    let scripts: Vec<_> = policy["script-src"].split(' ').collect();
    assert!(scripts.contains(&"'strict-dynamic'") && scripts.contains(&"'wasm-unsafe-eval'"));
    for dangerous in ["'unsafe-inline'", "'unsafe-eval'", "'self'", "*", "https:", "data:"] {
        assert!(!scripts.contains(&dangerous), "{dangerous}");
    }
}

#[tokio::test]
async fn a46_the_callback_page_loads_nothing_from_elsewhere_and_holds_no_session() {
    for render in ["spa", "ssr"] {
        let (app, browser) = with(render).await;
        browser.sign_in_with_demo(&app, "alice").await;
        let answer = browser.navigate("/callback?code=sentinel-code&state=y").send().await;
        let page = answer.assert_status(200).text();
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert!(!page.contains("Alice"), "the callback is rendered without looking at who asks");
        for address in ["src=\"http", "href=\"http", "src=\"//", "href=\"//", "@import"] {
            assert!(!page.contains(address), "{address}");
        }
    }
}

#[tokio::test]
async fn a47_a_head_or_a_prefetch_of_the_callback_consumes_nothing() {
    for render in ["spa", "ssr"] {
        let provider = StandInProvider::start().await;
        let app = TestApp::builder().openid("alpha", &provider).set("server.render", render).start().await;
        let browser = app.browser();
        let callback = provider.authorize(&crate::support::start_login(&browser, "alpha", "/").await);
        browser.request(Method::HEAD, callback.as_str()).send().await.assert_status(200);
        browser.navigate(callback.as_str()).header("sec-purpose", "prefetch").send().await.assert_status(200);
        browser.navigate(callback.as_str()).send().await.assert_status(200);
        assert_eq!(provider.count(crate::support::Endpoint::Token), 0);
        browser.finish(&callback).await.assert_status(200);
        assert_eq!(provider.count(crate::support::Endpoint::Token), 1);
    }
}

#[tokio::test]
async fn a48_a_link_from_another_site_is_answered_anonymously_and_the_page_recovers() {
    let (app, browser) = with("ssr").await;
    browser.sign_in_with_demo(&app, "alice").await;
    let document = browser.navigate("/account").from(crate::support::Initiator::CrossSite).send().await;
    assert!(!document.assert_status(200).text().contains("Alice Example"));
    assert!(document.set_cookies().is_empty(), "a cookie that did not come along is not taken back");
    assert!(browser.is_signed_in().await);
    assert!(browser.navigate("/account").send().await.text().contains("Alice Example"));
}

#[tokio::test]
async fn pages_about_a_person_are_stored_nowhere() {
    let (app, browser) = with("ssr").await;
    browser.sign_in_with_demo(&app, "alice").await;
    for path in ["/", "/account"] {
        assert_eq!(browser.navigate(path).send().await.header("cache-control"), Some("no-store"), "{path}");
    }
}

#[tokio::test]
async fn the_files_of_the_site_are_kept_for_ever_and_never_sent_twice() {
    let (_app, browser) = with("spa").await;
    let address = "/pkg/oauth2flow.0000000000000001.js";
    let first = browser.request(Method::GET, address).send().await;
    assert_eq!(first.assert_status(200).header("cache-control"), Some("public, max-age=31536000, immutable"));
    assert_eq!(first.header("content-type"), Some("text/javascript; charset=utf-8"));
    let again = browser.request(Method::GET, address).header("if-none-match", first.header("etag").unwrap()).send().await;
    assert!(again.assert_status(304).body.is_empty());
    assert_eq!(first.header("set-cookie"), None);
}

#[tokio::test]
async fn an_unused_upstream_gets_no_call_from_the_pages() {
    let (provider, upstream) = (StandInProvider::start().await, Upstream::start().await);
    let app = TestApp::builder().openid("alpha", &provider).upstream("api", &upstream).set("server.render", "ssr").start().await;
    let browser = app.browser();
    browser.sign_in(&provider).await;
    for path in ["/", "/account", "/callback"] {
        browser.navigate(path).send().await.assert_status(200);
    }
    assert_eq!(upstream.count(), 0);
}

#[tokio::test]
async fn a_path_that_a_router_might_take_for_a_host_is_not_rendered() {
    for render in ["spa", "ssr"] {
        let (app, browser) = with(render).await;
        for path in ["//[", "//evil.example/", "//"] {
            browser.request(Method::GET, &format!("{}{path}", app.origin())).send().await.assert_problem(404, "not_found");
        }
    }
}
