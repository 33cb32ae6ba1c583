//! A provider takes the connection and says nothing.

use crate::support::{Endpoint, Reply, SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;

/// The one test that waits in real time: for the ten seconds that a provider is given, for all three calls at once.
#[tokio::test]
async fn a_provider_that_hangs_is_given_up_and_the_others_go_on() {
    let (alpha, beta, gamma) =
        (StandInProvider::named("alpha").await, StandInProvider::named("beta").await, StandInProvider::named("gamma").await);
    let app = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).openid("gamma", &gamma).start().await;
    let (one, two, three) = (app.browser(), app.browser(), app.browser());
    let callback = gamma.authorize(&start_login(&three, "gamma", "/").await);
    beta.replace(Endpoint::Metadata, Reply::Silence);
    gamma.replace(Endpoint::Token, Reply::Silence);
    let meanwhile = async {
        for _ in 0..3 {
            one.sign_in(&alpha).await;
            assert!(one.is_signed_in().await);
            one.navigate("/").send().await.assert_status(200);
        }
    };
    let start = two.call(Method::GET, "/api/v1/oauth/login?provider=beta").send();
    let finish = three.finish(&callback);
    tokio::pin!(start, finish);
    tokio::select! {
        biased;
        () = meanwhile => {}
        _ = &mut start => panic!("the others had to wait for it"),
        _ = &mut finish => panic!("the others had to wait for it"),
    }
    let (start, finish) = tokio::join!(start, finish);
    start.assert_problem(504, "provider_timeout");
    finish.assert_problem(504, "provider_timeout");
    assert!(one.is_signed_in().await);
    assert!(!three.is_signed_in().await);
}
