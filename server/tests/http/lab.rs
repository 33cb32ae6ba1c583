//! The attack lab: each attack with its defence and without, and that nothing real can be reached from it.

use crate::support::{Browser, Initiator, SignIn as _, StandInProvider, TestApp};
use axum::http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const RUNS: &str = "/api/v1/lab/runs";
const ATTACKS: [&str; 5] = ["stolen_code", "login_csrf", "replayed_token", "mix_up", "open_redirect"];

async fn run(browser: &Browser, attack: &str, defence: &str) -> Value {
    let answer = browser.call(Method::POST, RUNS).json(&json!({ "attack": attack, "defence": defence })).send().await;
    let run = answer.assert_status(200).json();
    assert_eq!(run["experiment"], json!({ "attack": attack, "defence": defence }));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.set_cookies().is_empty(), "an experiment sets no cookie");
    run
}

/// The verdict on one thing, in the message at which the run was decided.
#[track_caller]
fn verdict(run: &Value, check: &str) -> Value {
    let decided_at = &run["outcome"]["decided_at"];
    let message = run["messages"].as_array().unwrap().iter().find(|message| message["number"] == *decided_at).unwrap();
    let checks = message["checks"].as_array().unwrap();
    checks.iter().find(|known| known["name"] == check).unwrap_or_else(|| panic!("no {check} in {checks:?}"))["outcome"].clone()
}

#[track_caller]
fn assert_stopped_by(run: &Value, check: &str, code: &str) {
    assert_eq!(run["outcome"]["attack_succeeded"], false, "{run:#}");
    assert_eq!(run["outcome"]["stopped_by"], check, "{run:#}");
    assert_eq!(verdict(run, check)["failed"]["code"], code);
}

#[track_caller]
fn assert_succeeded(run: &Value) {
    assert_eq!(run["outcome"]["attack_succeeded"], true, "{run:#}");
    assert_eq!(run["outcome"].get("stopped_by"), None);
}

fn left_out() -> Value {
    json!({ "skipped": "left_out" })
}

/// The checks that an experiment left out, in all of its messages.
fn all_left_out(run: &Value) -> BTreeSet<&str> {
    let checks = run["messages"].as_array().unwrap().iter().flat_map(|message| message["checks"].as_array().unwrap());
    checks.filter(|check| check["outcome"] == left_out()).map(|check| check["name"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn without_pkce_a_stolen_code_signs_the_thief_in_as_the_victim() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let off = run(&browser, "stolen_code", "off").await;
    assert_succeeded(&off);
    assert_eq!(off["outcome"]["attacker_signed_in_as"], "Alice Example");
    assert_eq!(off["outcome"].get("victim_signed_in_as"), None);
    assert_eq!(verdict(&off, "grant_accepted"), "passed");
    assert_eq!(all_left_out(&off), BTreeSet::from(["pkce"]));

    let on = run(&browser, "stolen_code", "on").await;
    assert_stopped_by(&on, "grant_accepted", "token_provider_error");
    assert_eq!(on["outcome"].get("attacker_signed_in_as"), None);
    assert!(all_left_out(&on).is_empty());
}

#[tokio::test]
async fn without_a_state_the_victim_is_signed_in_as_the_attacker() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let off = run(&browser, "login_csrf", "off").await;
    assert_succeeded(&off);
    assert_eq!(off["outcome"]["victim_signed_in_as"], "Bob Example");
    for check in ["login_cookie", "state"] {
        assert_eq!(verdict(&off, check), left_out());
    }

    let on = run(&browser, "login_csrf", "on").await;
    assert_stopped_by(&on, "login_cookie", "state_mismatch");
    assert_eq!(on["outcome"].get("victim_signed_in_as"), None);
    assert_eq!(all_left_out(&on), BTreeSet::from(["pkce"]));
}

#[tokio::test]
async fn without_a_nonce_an_id_token_from_another_login_is_accepted() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let off = run(&browser, "replayed_token", "off").await;
    assert_succeeded(&off);
    assert_eq!(off["outcome"]["attacker_signed_in_as"], "Alice Example");
    assert_eq!(verdict(&off, "id_token_nonce"), left_out());
    assert_eq!(verdict(&off, "id_token_signature"), "passed");

    let on = run(&browser, "replayed_token", "on").await;
    assert_stopped_by(&on, "id_token_nonce", "id_token_nonce_mismatch");
    assert_eq!(verdict(&on, "id_token_signature"), "passed");
    assert_eq!(on["outcome"].get("attacker_signed_in_as"), None);
}

#[tokio::test]
async fn without_the_check_of_iss_the_code_reaches_the_attackers_provider() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let off = run(&browser, "mix_up", "off").await;
    assert_succeeded(&off);
    assert_eq!(off["outcome"]["attacker_signed_in_as"], "Alice Example");
    assert_eq!(all_left_out(&off), BTreeSet::from(["callback_issuer"]), "everything else is on, and does not help");
    let to_attacker = |run: &Value| {
        let messages = run["messages"].as_array().unwrap().clone();
        messages.into_iter().filter(|message| message["name"] == "token_request" && message["to"] == "attacker_server").count()
    };
    assert_eq!(to_attacker(&off), 1);

    let on = run(&browser, "mix_up", "on").await;
    assert_stopped_by(&on, "callback_issuer", "callback_iss_mismatch");
    assert_eq!(to_attacker(&on), 0, "the code goes nowhere");
    assert_eq!(on["outcome"].get("attacker_signed_in_as"), None);
    assert!(all_left_out(&on).is_empty());
}

#[tokio::test]
async fn an_open_return_to_leads_from_a_real_login_to_somebody_elses_page() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let off = run(&browser, "open_redirect", "off").await;
    assert_succeeded(&off);
    assert_eq!(off["outcome"]["victim_signed_in_as"], "Alice Example");
    assert_eq!(off["outcome"]["victim_ended_at"], "https://evil.example/session-expired");
    assert_eq!(all_left_out(&off), BTreeSet::from(["return_to"]));

    let on = run(&browser, "open_redirect", "on").await;
    assert_stopped_by(&on, "return_to", "return_to_unsafe");
    assert_eq!(on["outcome"]["victim_ended_at"], "https://app.example/");
}

#[tokio::test]
async fn the_stolen_code_is_seen_to_be_the_one_that_is_handed_in_and_no_secret_is_told() {
    let app = TestApp::with_demo().await;
    let run = run(&app.browser(), "stolen_code", "off").await;
    let messages = run["messages"].as_array().unwrap();
    for (number, message) in (1_u64..).zip(messages) {
        assert_eq!(message["number"], number);
    }
    let codes: Vec<&Value> = messages
        .iter()
        .flat_map(|message| message["parameters"].as_array().unwrap())
        .filter(|parameter| parameter["name"] == "code")
        .map(|parameter| &parameter["value"]["hidden"]["fingerprint"])
        .collect();
    assert_eq!(codes.len(), 4, "sent back, leaked, handed in, exchanged");
    assert!(codes.iter().all(|code| code.is_string() && *code == codes[0]), "{codes:?}");
    let hidden = ["code", "state", "code_verifier", "access_token", "id_token", "authorization", "login", "session"];
    for parameter in messages.iter().flat_map(|message| message["parameters"].as_array().unwrap()) {
        let is_hidden = parameter["value"].get("hidden").is_some();
        assert!(is_hidden || !hidden.contains(&parameter["name"].as_str().unwrap()), "{parameter}");
    }
}

#[tokio::test]
async fn an_experiment_leaves_nothing_behind() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    browser.sign_in_with_demo(&app, "bob").await;
    let (cookies, session, flow) = (browser.cookies(), browser.session().await, browser.call(Method::GET, "/api/v1/flow").send().await);
    for attack in ATTACKS {
        for defence in ["off", "on"] {
            run(&browser, attack, defence).await;
        }
    }
    assert_eq!(browser.cookies(), cookies);
    assert_eq!(browser.session().await, session);
    assert_eq!(browser.call(Method::GET, "/api/v1/flow").send().await.json(), flow.json(), "the X-ray has seen nothing of it");
    // What calls itself the sandbox's provider is nowhere to be found.
    browser.request(Method::GET, &format!("{}/lab/.well-known/openid-configuration", app.demo_origin())).send().await.assert_status(404);
}

#[tokio::test]
async fn with_a_real_provider_there_is_no_lab_and_the_provider_hears_nothing_of_it() {
    let provider = StandInProvider::start().await;
    let app = TestApp::with_provider(&provider).await;
    let browser = app.browser();
    for attack in ATTACKS {
        for defence in ["off", "on"] {
            let call = browser.call(Method::POST, RUNS).json(&json!({ "attack": attack, "defence": defence }));
            call.send().await.assert_problem(404, "not_found");
        }
    }
    assert_eq!(provider.requests(), 0);
}

#[tokio::test]
async fn beside_the_demo_provider_a_real_one_hears_nothing_of_any_experiment() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("demo.enabled", true).start().await;
    let browser = app.browser();
    for attack in ATTACKS {
        for defence in ["off", "on"] {
            let run = run(&browser, attack, defence).await.to_string();
            assert!(!run.contains(provider.issuer()) && !run.contains("alpha"), "{run}");
        }
    }
    assert_eq!(provider.requests(), 0);
    // The provider would have been heard.
    browser.sign_in(&provider).await;
    assert!(provider.requests() > 0);
}

#[tokio::test]
async fn no_word_of_an_experiment_names_a_provider_or_an_address() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("demo.enabled", true).start().await;
    let browser = app.browser();
    for body in [
        json!({ "attack": "stolen_code", "defence": "off", "provider": "alpha" }),
        json!({ "attack": "stolen_code", "defence": "off", "issuer": provider.issuer() }),
        json!({ "attack": "stolen_code", "defence": "off", "redirect_uri": "https://evil.example/" }),
        json!({ "attack": "stolen_code", "defence": "off", "return_to": "https://evil.example/" }),
        json!({ "attack": "stolen_code" }),
        json!({ "attack": "alpha", "defence": "off" }),
        json!({ "attack": "stolen_code", "defence": false }),
        json!(null),
    ] {
        browser.call(Method::POST, RUNS).json(&body).send().await.assert_problem(400, "invalid_request");
    }
    let experiment = json!({ "attack": "stolen_code", "defence": "off" });
    for query in ["?provider=alpha", "?issuer=https%3A%2F%2Fevil.example"] {
        browser.call(Method::POST, &format!("{RUNS}{query}")).json(&experiment).send().await.assert_problem(400, "invalid_request");
    }
    assert_eq!(provider.requests(), 0);
}

/// What the server writes into the page about the run: the verdict's line.
#[track_caller]
fn verdict_line(page: &str) -> String {
    let (_, rest) = page.split_once("verdict-line ").unwrap_or_else(|| panic!("no verdict in {page}"));
    let (_, rest) = rest.split_once('>').unwrap();
    rest.split_once("</p>").unwrap().0.replace("<!>", "")
}

#[tokio::test]
async fn a_form_is_answered_with_the_page_and_what_happened() {
    let app = TestApp::builder().set("server.render", "ssr").start().await;
    let browser = app.browser();
    for attack in ATTACKS {
        for (fields, worked) in [(&[("attack", attack)][..], true), (&[("attack", attack), ("defence", "on")], false)] {
            let answer = browser.submit("/lab", fields).send().await;
            let page = answer.assert_status(200).text();
            let said = verdict_line(&page);
            assert!(said.contains(if worked { "off – the attack worked" } else { "on – the attack failed" }), "{said}");
            assert_eq!(page.matches("verdict-line ").count(), 1, "only the one attack was tried");
            let on = page.split("<input").skip(1).filter(|input| input.split('>').next().is_some_and(|tag| tag.contains(" checked")));
            assert_eq!(on.count(), if worked { 4 } else { 5 }, "the switch is as it was sent");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
            assert!(answer.set_cookies().is_empty(), "an experiment sets no cookie");
        }
    }
    let german = browser.submit("/lab", &[("attack", "stolen_code")]).header("accept-language", "de").send().await;
    assert_eq!(
        verdict_line(&german.assert_status(200).text()),
        "PKCE aus – der Angriff ist gelungen: Bobs Browser ist jetzt als Alice Example angemeldet, mit dem Code, den er gestohlen hat."
    );
}

#[tokio::test]
async fn a_form_that_is_not_the_pages_runs_nothing() {
    let app = TestApp::builder().set("server.render", "ssr").start().await;
    let browser = app.browser();
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        let answer = browser.submit("/lab", &[("attack", "login_csrf")]).from(initiator).send().await;
        answer.assert_problem_page("csrf_rejected");
    }
    for fields in [
        &[][..],
        &[("attack", "alpha")],
        &[("attack", "mix_up"), ("defence", "off")],
        &[("attack", "mix_up"), ("provider", "alpha")],
        &[("attack", "mix_up"), ("attack", "mix_up")],
    ] {
        browser.submit("/lab", fields).send().await.assert_problem_page("invalid_request");
    }
    let json = browser.call(Method::POST, "/lab").json(&json!({ "attack": "mix_up" })).send().await;
    json.assert_problem(415, "unsupported_media_type");
    browser.call(Method::PUT, "/lab").send().await.assert_problem(405, "method_not_allowed");
    // The address is still the page's.
    browser.navigate("/lab").send().await.assert_status(200);
}

#[tokio::test]
async fn a_page_that_comes_from_when_there_was_a_lab_is_told_that_there_is_none() {
    let provider = StandInProvider::start().await;
    let app = TestApp::builder().openid("alpha", &provider).set("server.render", "ssr").start().await;
    let page = app.browser().submit("/lab", &[("attack", "stolen_code")]).send().await.assert_status(200).text();
    assert!(page.contains("The lab is there only beside the demo provider") && !page.contains("verdict-line"), "{page}");
    assert_eq!(provider.requests(), 0);
}

#[tokio::test]
async fn a_page_that_is_made_in_the_browser_takes_no_form() {
    let app = TestApp::builder().set("server.render", "spa").start().await;
    app.browser().submit("/lab", &[("attack", "stolen_code")]).send().await.assert_problem_page("method_not_allowed");
}

#[tokio::test]
async fn only_a_page_of_this_app_can_start_an_experiment() {
    let app = TestApp::with_demo().await;
    let browser = app.browser();
    let experiment = json!({ "attack": "login_csrf", "defence": "off" });
    let without_header = browser.request(Method::POST, RUNS).script().from(Initiator::SameOrigin).json(&experiment);
    without_header.send().await.assert_problem(403, "csrf_rejected");
    for initiator in [Initiator::CrossSite, Initiator::SameSite] {
        browser.call(Method::POST, RUNS).from(initiator).json(&experiment).send().await.assert_problem(403, "csrf_rejected");
        browser
            .submit(RUNS, &[("attack", "login_csrf"), ("defence", "off")])
            .from(initiator)
            .send()
            .await
            .assert_problem(403, "csrf_rejected");
    }
    let form = browser.submit(RUNS, &[("attack", "login_csrf"), ("defence", "off")]).send().await;
    form.assert_problem(415, "unsupported_media_type");
    browser.call(Method::GET, RUNS).send().await.assert_problem(405, "method_not_allowed");
    let huge = json!({ "attack": "login_csrf", "defence": "x".repeat(20_000) });
    browser.call(Method::POST, RUNS).json(&huge).send().await.assert_problem(413, "payload_too_large");
}
