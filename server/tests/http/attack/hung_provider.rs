//! A provider takes the connection and says nothing.

use crate::support::{Endpoint, Reply, SignIn as _, StandInProvider, TestApp, start_login};
use axum::http::Method;

/// The one test that waits in real time: for the ten seconds that a provider is given, for all calls at once.
#[tokio::test]
async fn a_provider_that_hangs_is_given_up_and_the_others_go_on() {
    let (alpha, beta, gamma) =
        (StandInProvider::named("alpha").await, StandInProvider::named("beta").await, StandInProvider::named("gamma").await);
    let (delta, epsilon) = (StandInProvider::named("delta").await, StandInProvider::named("epsilon").await);
    let app = TestApp::builder().openid("alpha", &alpha).openid("beta", &beta).openid("gamma", &gamma);
    let app = app.openid("delta", &delta).openid("epsilon", &epsilon).start().await;
    let (one, two, three, four, five) = (app.browser(), app.browser(), app.browser(), app.browser(), app.browser());
    let at_gamma = gamma.authorize(&start_login(&three, "gamma", "/").await);
    let at_delta = delta.authorize(&start_login(&four, "delta", "/").await);
    let at_epsilon = epsilon.authorize(&start_login(&five, "epsilon", "/").await);
    beta.replace(Endpoint::Metadata, Reply::Silence);
    gamma.replace(Endpoint::Token, Reply::Silence);
    delta.replace(Endpoint::Keys, Reply::Silence);
    epsilon.replace(Endpoint::Token, Reply::Unfinished("{\"access_token\":".into()));
    let meanwhile = async {
        for _ in 0..3 {
            one.sign_in(&alpha).await;
            assert!(one.is_signed_in().await);
            one.navigate("/").send().await.assert_status(200);
        }
    };
    let metadata = two.call(Method::GET, "/api/v1/oauth/login?provider=beta").send();
    let (token, half) = (three.finish(&at_gamma), five.finish(&at_epsilon));
    let mut keys = tokio::spawn({
        let four = four.clone();
        async move { four.finish(&at_delta).await }
    });
    tokio::pin!(metadata, token, half);
    tokio::select! {
        biased;
        () = meanwhile => {}
        _ = &mut metadata => panic!("the others had to wait for it"),
        _ = &mut token => panic!("the others had to wait for it"),
        _ = &mut half => panic!("the others had to wait for it"),
    }
    // Keys have half of the time.
    let keys = tokio::select! {
        biased;
        keys = &mut keys => keys.unwrap(),
        _ = &mut metadata => panic!("the keys were waited for too long"),
        _ = &mut token => panic!("the keys were waited for too long"),
        _ = &mut half => panic!("the keys were waited for too long"),
    };
    keys.assert_problem(504, "provider_timeout");
    let (metadata, token, half) = tokio::join!(metadata, token, half);
    metadata.assert_problem(504, "provider_timeout");
    token.assert_problem(504, "provider_timeout");
    half.assert_problem(504, "provider_timeout");
    assert!(one.is_signed_in().await);
    for browser in [&three, &four, &five] {
        assert!(!browser.is_signed_in().await);
    }
}
