//! The language of a page: who decides, what the page says of it, and what comes later.

use crate::support::{Answer, Browser, TestApp};
use axum::http::Method;
use oauth2flow_app::{
    language::Language,
    texts::{Group, VERSION, catalog},
};

async fn with(render: &str) -> (TestApp, Browser) {
    let app = TestApp::builder().set("server.render", render).start().await;
    let browser = app.browser();
    (app, browser)
}

async fn page(browser: &Browser, path: &str, accept_language: &str) -> Answer {
    browser.navigate(path).header("accept-language", accept_language).send().await
}

fn assert_language(answer: &Answer, language: Language) {
    let (text, tag) = (answer.text(), language.tag());
    assert!(text.starts_with(&format!("<!DOCTYPE html><html lang=\"{tag}\" dir=\"ltr\" data-render=")), "{tag}: {text:.200}");
    assert_eq!(answer.header("content-language"), Some(tag));
    assert_eq!(answer.header("vary"), Some("accept-language, cookie"));
}

#[tokio::test]
async fn a_page_is_in_the_language_that_the_browser_prefers_in_both_modes() {
    let first_words = [
        ("de-AT,de;q=0.9,en;q=0.8", Language::De, "Melde dich an und sieh, wie es funktioniert"),
        ("en-GB", Language::En, "Sign in, and see how it works"),
        ("pt;q=0.9,es-419;q=0.8", Language::Es, "Inicia sesión y mira cómo funciona"),
        ("fr", Language::Fr, "Connectez-vous, et voyez comment ça marche"),
        ("zh-TW", Language::Zh, "登录，并看看它是如何工作的"),
        ("tlh", Language::En, "Sign in, and see how it works"),
    ];
    for render in ["spa", "ssr"] {
        let (_app, browser) = with(render).await;
        for (accept_language, language, words) in first_words {
            let home = page(&browser, "/", accept_language).await;
            assert_language(&home, language);
            assert!(home.text().contains(words), "{render}, {language:?}");
            for path in ["/account", "/callback", "/flow", "/learn", "/problem?code=access_denied", "/nothing"] {
                assert_language(&page(&browser, path, accept_language).await, language);
            }
        }
    }
}

#[tokio::test]
async fn a_page_brings_the_texts_that_it_begins_with_and_no_others() {
    for render in ["spa", "ssr"] {
        let (_app, browser) = with(render).await;
        // The first words of the group as they stand in the attribute, and none of another language.
        let begins = |language: Language, group: Group| format!("{}\n{}", group.name(), catalog(language, group).lines().next().unwrap());
        for (path, groups) in
            [("/", &[Group::Frame][..]), ("/account", &[Group::Frame, Group::Pages]), ("/nothing", &[Group::Frame, Group::Pages])]
        {
            let text = page(&browser, path, "de").await.text();
            for group in Group::ALL {
                assert_eq!(text.contains(&begins(Language::De, group)), groups.contains(&group), "{render} {path} {group:?}");
                assert!(!text.contains(&begins(Language::Fr, group)), "{render} {path} {group:?}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_the_header_says_there_is_a_page() {
    let (_app, browser) = with("spa").await;
    for hostile in
        ["", ",", "de;q=", "de;q=99999999999999999999", "*;q=0", "<script>", "de\t;q=0.5,\"", &"x-".repeat(4_000), &"de;q=0.1,".repeat(800)]
    {
        let answer = page(&browser, "/", hostile).await;
        answer.assert_status(200);
        assert!(!answer.text().contains("<script>,"), "{hostile:.40}");
    }
}

#[tokio::test]
async fn the_language_that_somebody_chooses_stays_and_brings_them_back() {
    for render in ["spa", "ssr"] {
        let (app, browser) = with(render).await;
        let here = browser.url("/problem?code=access_denied");
        let chosen = browser.submit("/api/v1/language", &[("language", "fr")]).header("referer", here.as_str()).send().await;
        chosen.assert_redirect("/problem?code=access_denied");
        let cookie = chosen.set_cookies().join("\n");
        assert!(cookie.starts_with("language=fr; Path=/; HttpOnly; SameSite=Lax; Max-Age=31536000"), "{cookie}");
        assert_language(&page(&browser, "/", "de").await, Language::Fr);
        // Nonsense in the cookie, or two of them, is as none.
        let other = app.browser();
        other.put_cookie("language", "xx\"><script>");
        assert_language(&page(&other, "/", "de").await, Language::De);
    }
}

#[tokio::test]
async fn no_other_site_and_no_nonsense_chooses_a_language() {
    let (_app, browser) = with("spa").await;
    let foreign = browser.submit("/api/v1/language", &[("language", "fr")]).header("sec-fetch-site", "cross-site").send().await;
    foreign.assert_problem(403, "csrf_rejected");
    for nonsense in ["", "xx", "DE", "de\r\nset-cookie: a=b", "../de"] {
        let answer = browser.submit("/api/v1/language", &[("language", nonsense)]).send().await;
        answer.assert_problem(400, "invalid_request");
        assert!(answer.set_cookies().is_empty(), "{nonsense}");
    }
    browser.submit("/api/v1/language", &[]).send().await.assert_problem(400, "invalid_request");
    browser.submit("/api/v1/language", &[("language", "fr"), ("language", "de")]).send().await.assert_problem(400, "invalid_request");
    browser.submit("/api/v1/language", &[("language", &"x".repeat(20_000))]).send().await.assert_problem(413, "payload_too_large");
    for content_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let answer = browser.call(Method::POST, "/api/v1/language").header("content-type", content_type).body("language=fr").send().await;
        answer.assert_problem(415, "unsupported_media_type");
    }
    let elsewhere = browser.submit("/api/v1/language", &[("language", "fr")]).header("referer", "https://evil.example/x").send().await;
    elsewhere.assert_redirect("/");
}

#[tokio::test]
async fn texts_that_come_later_never_change() {
    let (_app, browser) = with("spa").await;
    for language in Language::ALL {
        let address = format!("/pkg/texts/{VERSION}/{}/pages", language.tag());
        let answer = browser.call(Method::GET, &address).send().await;
        answer.assert_status(200);
        assert_eq!(answer.text(), catalog(language, Group::Pages));
        assert_eq!(answer.header("content-type"), Some("text/plain; charset=utf-8"));
        assert_eq!(answer.header("content-language"), Some(language.tag()));
        assert_eq!(answer.header("cache-control"), Some("public, max-age=31536000, immutable"));
        assert!(
            page(&browser, "/", language.tag())
                .await
                .text()
                .contains(&format!("data-address=\"/pkg/texts/{VERSION}/{}/\"", language.tag()))
        );
    }
    for unknown in [
        "0000000000000000/de/pages".to_owned(),
        format!("{VERSION}/xx/pages"),
        format!("{VERSION}/de/nothing"),
        format!("{VERSION}/de/..%2fframe"),
    ] {
        browser.call(Method::GET, &format!("/pkg/texts/{unknown}")).send().await.assert_problem(404, "not_found");
    }
}
