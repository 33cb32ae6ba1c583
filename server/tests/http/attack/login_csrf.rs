//! An attacker gets a victim's browser to finish the attacker's login.

use crate::support::{Endpoint, Initiator, SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;

#[tokio::test]
async fn the_attacker_s_answer_signs_the_victim_in_to_nothing() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let (attacker, victim) = (app.browser(), app.browser());
    victim.sign_in(&provider).await;
    let before = victim.session_cookie();
    let callback = provider.authorize(&start_login(&attacker, "alpha", "/").await);

    victim.finish(&callback).await.assert_problem(400, "state_mismatch");
    let fields: Vec<_> = callback.query_pairs().into_owned().collect();
    let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let form = victim.submit("/api/v1/oauth/code", &fields).from(Initiator::CrossSite);
    form.send().await.assert_problem_page("csrf_rejected");
    let server_callback = callback.as_str().replace("/callback", "/api/v1/oauth/code");
    victim.navigate(&server_callback).from(Initiator::CrossSite).send().await.assert_problem_page("state_mismatch");

    assert_eq!(victim.session_cookie(), before);
    assert!(victim.is_signed_in().await);
    assert_eq!(provider.count(Endpoint::Token), 1, "the victim's own login");
}

#[tokio::test]
async fn an_image_cannot_start_a_login() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    let image = browser.request(Method::GET, "/api/v1/oauth/login").header("sec-fetch-mode", "no-cors").header("sec-fetch-dest", "image");
    let answer = image.from(Initiator::CrossSite).send().await;
    answer.assert_problem(403, "csrf_rejected");
    assert!(browser.cookies().is_empty());
}
