//! An attacker plants a session id that the victim is then signed in under.

use crate::support::{SignIn as _, StandInProvider, TestApp};

#[tokio::test]
async fn a23_a_planted_cookie_is_replaced_at_login_and_dead_afterwards() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    for planted in [
        "A".repeat(43),
        "planted".to_owned(),
        // The attacker's own, live session.
        {
            let attacker = app.browser();
            attacker.sign_in(&provider).await;
            attacker.session_cookie().unwrap()
        },
    ] {
        let victim = app.browser();
        victim.put_cookie("session", &planted);
        victim.sign_in(&provider).await;
        assert_ne!(victim.session_cookie().unwrap(), planted);
        let attacker = app.browser();
        attacker.put_cookie("session", &planted);
        assert!(!attacker.is_signed_in().await);
        assert!(victim.is_signed_in().await);
    }
}
