//! Another site shows the app in a frame.

use crate::support::TestApp;

#[tokio::test]
async fn no_page_lets_itself_be_framed() {
    for render in ["spa", "ssr"] {
        let app = TestApp::builder().set("server.render", render).start().await;
        let browser = app.browser();
        for path in ["/", "/account", "/callback", "/problem", "/nothing", "/api/docs/", "/api/v1/session"] {
            let framed = browser.navigate(path).header("sec-fetch-dest", "iframe").send().await;
            assert!(framed.header("content-security-policy").unwrap().contains("frame-ancestors 'none'"), "{path}");
        }
    }
}
