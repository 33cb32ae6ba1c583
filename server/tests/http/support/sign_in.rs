//! A person who signs in.

use super::{Answer, Browser, GitHubStandIn, Initiator, StandInProvider, TestApp};
use url::Url;

/// What the person chooses on the consent page.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Allow,
    Deny,
}

impl Decision {
    const fn value(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
        }
    }
}

/// Clicks on "Sign in with …", and answers where the provider's page is.
pub(crate) async fn start_login(browser: &Browser, provider: &str, return_to: &str) -> Url {
    let query =
        url::form_urlencoded::Serializer::new(String::new()).append_pair("provider", provider).append_pair("return_to", return_to).finish();
    let started = browser.navigate(&format!("/api/v1/oauth/login?{query}")).send().await;
    started.assert_status(303).location()
}

/// Ways to sign in.
pub(crate) trait SignIn {
    /// Signs in at the provider `alpha`, and answers the last answer.
    async fn sign_in(&self, provider: &StandInProvider) -> Answer;

    /// Signs in with GitHub.
    async fn sign_in_with_github(&self, github: &GitHubStandIn) -> Answer;

    /// Signs in with the demo provider.
    async fn sign_in_with_demo(&self, app: &TestApp, user_name: &str) -> Answer;

    /// Goes through the demo provider's pages, and answers the callback address that it sends the browser to.
    async fn visit_demo(&self, authorization_url: &Url, app: &TestApp, user_name: &str, decision: Decision) -> Url;
}

impl SignIn for Browser {
    async fn sign_in(&self, provider: &StandInProvider) -> Answer {
        let authorization_url = start_login(self, "alpha", "/account").await;
        let answer = self.finish(&provider.authorize(&authorization_url)).await;
        answer.assert_status(200);
        answer
    }

    async fn sign_in_with_github(&self, github: &GitHubStandIn) -> Answer {
        let authorization_url = start_login(self, "github", "/account").await;
        self.finish(&github.authorize(&authorization_url)).await
    }

    async fn sign_in_with_demo(&self, app: &TestApp, user_name: &str) -> Answer {
        let authorization_url = start_login(self, "demo", "/account").await;
        let callback = self.visit_demo(&authorization_url, app, user_name, Decision::Allow).await;
        let answer = self.finish(&callback).await;
        answer.assert_status(200);
        answer
    }

    async fn visit_demo(&self, authorization_url: &Url, app: &TestApp, user_name: &str, decision: Decision) -> Url {
        let mut answer = self.navigate(authorization_url.as_str()).from(Initiator::CrossSite).send().await;
        // The login page, the consent page, and a redirect before each of them and after.
        for _ in 0..6 {
            if answer.status == 303 {
                let location = answer.location();
                if location.as_str().starts_with(&app.origin()) {
                    return location;
                }
                answer = self.navigate(location.as_str()).send().await;
                continue;
            }
            let page = answer.assert_status(200).text();
            let hidden = |name: &str| between(&page, &format!(r#"name="{name}" value=""#), "\"");
            let (transaction, csrf) = (hidden("transaction"), hidden("csrf"));
            let mut fields = vec![("transaction", transaction.as_str()), ("csrf", csrf.as_str())];
            let action = between(&page, r#"<form method="post" action=""#, "\"");
            match action.as_str() {
                "/login" => fields.extend([("username", user_name), ("password", "demo")]),
                "/consent" => fields.push(("decision", decision.value())),
                other => panic!("the demo provider shows a form for {other}"),
            }
            answer = self.submit(&format!("{}{action}", app.demo_origin()), &fields).send().await;
        }
        panic!("the demo provider does not come to an end");
    }
}

pub(crate) fn between(text: &str, before: &str, after: &str) -> String {
    let start = text.find(before).unwrap_or_else(|| panic!("no {before} in {text}")) + before.len();
    let length = text[start..].find(after).unwrap();
    text[start..start + length].to_owned()
}
