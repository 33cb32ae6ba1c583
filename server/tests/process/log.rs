//! The log: every line about a request carries its id, and no line carries a secret.

use crate::{
    browser::{Browser, Callback, parameter},
    http::{Request, exchange},
    server::{Ended, Server, Setup},
    stand_in::{ACCESS_TOKEN, CLIENT_SECRET, REFRESH_TOKEN, StandIn},
};
use serde_json::{Value, json};

fn lines(ended: &Ended) -> Vec<Value> {
    ended.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

#[test]
fn every_line_about_a_request_has_its_id_and_so_has_the_problem_answer() {
    let server = Setup::new().set("log.format", "json").set("log.filter", "debug").start();
    let mut browser = Browser::new(&server);
    browser.sign_in().unwrap();
    assert!(!browser.notes().is_empty());
    let mut problems = Vec::new();
    for (method, path, body) in [
        ("POST", "/api/v1/oauth/code", Some(json!({ "code": "x", "state": "y" }))),
        ("GET", "/api/v1/oauth/login?provider=nobody", None),
        ("GET", "/api/v1/proxy/nowhere/", None),
        ("DELETE", "/api/v1/session", None),
        ("GET", "/api/v1/nothing", None),
    ] {
        let answer = browser.call(method, path, body.as_ref()).unwrap();
        assert!((400..500).contains(&answer.status), "{answer:?}");
        let problem = answer.json();
        assert_eq!(problem["request_id"].as_str(), answer.header("x-request-id"));
        problems.push(problem);
    }
    let signed_out = browser.call("POST", "/api/v1/oauth/logout", None).unwrap();
    assert_eq!(signed_out.status, 200);
    let ended = server.stop();
    ended.assert_orderly();

    let lines = lines(&ended);
    let about_requests: Vec<_> = lines
        .iter()
        .filter(|line| {
            let message = line["message"].as_str().unwrap_or_default();
            ["request answered", "request refused", "request failed", "signed in", "signed out"].contains(&message)
        })
        .collect();
    for line in &about_requests {
        let id = line["span"]["request_id"].as_str().unwrap_or_else(|| panic!("there is no id: {line}"));
        assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit()), "{line}");
        assert!(line["span"]["path"].is_string() && line["span"]["method"].is_string(), "{line}");
    }
    for message in ["signed in", "signed out"] {
        assert!(about_requests.iter().any(|line| line["message"] == message), "nothing says “{message}”");
    }
    for problem in problems {
        let of_this = |message: &str| {
            about_requests.iter().find(|line| line["message"] == message && line["span"]["request_id"] == problem["request_id"])
        };
        assert_eq!(of_this("request refused").unwrap()["code"], problem["code"]);
        assert_eq!(of_this("request answered").unwrap()["status"], problem["status"]);
    }
    for line in &lines {
        assert!(line["span"].is_null() || line["span"]["name"] != "request" || line["span"]["request_id"].is_string(), "{line}");
        assert!(line["timestamp"].is_string() && line["level"].is_string(), "{line}");
    }
}

#[test]
fn text_in_a_file_has_no_colours() {
    let server = Setup::new().start();
    assert_eq!(exchange(server.address(), Request::new("GET", "localhost", "/nothing")).unwrap().status, 404);
    let ended = server.stop();
    ended.assert_orderly();
    assert!(ended.stdout.contains(" INFO request{request_id="), "{}", ended.stdout);
    assert!(!ended.stdout.contains('\u{1b}'), "{}", ended.stdout);
}

/// Posts a code with the state of a new login, and answers the state.
fn answer_login(browser: &mut Browser, code: &str, expected_status: u16) -> String {
    let authorization = browser.begin_login("test").unwrap();
    let state = parameter(&authorization, "state");
    let answer = browser.finish_login(&Callback { code: code.to_owned(), state: state.clone(), iss: None }).unwrap();
    assert_eq!(answer.status, expected_status, "{answer:?}");
    state
}

/// Everything that can be seen of a login, a renewal, a sign-out, and what goes wrong; answers every secret in it.
fn secrets_of_everything(server: &Server, stand_in: &StandIn) -> Vec<String> {
    let mut browser = Browser::new(server);
    let mut secrets: Vec<String> =
        [CLIENT_SECRET, ACCESS_TOKEN, REFRESH_TOKEN, "sentinel-code", "sentinel-refusal"].map(str::to_owned).to_vec();
    for (code, status) in [("sentinel-code-refused", 400), ("sentinel-code-rubbish", 502), ("sentinel-code", 200)] {
        browser.begin_login("test").unwrap();
        secrets.extend(browser.secrets());
        secrets.push(answer_login(&mut browser, code, status));
    }
    secrets.extend(browser.secrets());
    assert!(browser.is_signed_in());
    let answer = browser.call("GET", "/api/v1/proxy/api/echo?key=sentinel-query", None).unwrap();
    assert_eq!(answer.status, 200, "{answer:?}");
    secrets.push("sentinel-query".to_owned());
    // The provider's redirect, opened as a page and as the server callback.
    for path in ["/callback", "/api/v1/oauth/code"] {
        let target = format!("{path}?code=sentinel-code&state=sentinel-state&iss=sentinel-iss");
        exchange(server.address(), Request::new("GET", "localhost", &target).header("accept", "text/html")).unwrap();
    }
    secrets.extend(["sentinel-state", "sentinel-iss"].map(str::to_owned));
    assert_eq!(browser.call("POST", "/api/v1/oauth/logout", None).unwrap().status, 200);

    for name in ["code_verifier", "authorization", "refresh_token"] {
        let told = stand_in.told(name);
        assert!(!told.is_empty(), "the provider was not told {name}");
        secrets.extend(told.into_iter().map(|value| value.trim_start_matches("Basic ").trim_start_matches("Bearer ").to_owned()));
    }
    secrets
}

#[test]
fn the_most_talkative_log_holds_no_secret() {
    for (format, mode) in [("json", "spa"), ("text", "ssr")] {
        let stand_in = StandIn::start();
        let setup = Setup::new().set("log.filter", "trace").set("log.format", format).set("server.render", mode);
        let setup = stand_in.configure(setup);
        let server = setup.start();
        let mut secrets = secrets_of_everything(&server, &stand_in);
        secrets.push(std::fs::read_to_string(setup.path("data/session.key")).unwrap().trim().to_owned());
        let ended = server.stop();
        ended.assert_orderly();
        assert!(ended.stdout.contains("TRACE"), "nothing was traced");
        for secret in secrets {
            assert!(secret.len() > 5, "“{secret}” is no secret");
            let line = ended.stdout.lines().find(|line| line.contains(&secret));
            assert!(line.is_none(), "{secret} is in the log: {line:?}");
        }
    }
}

#[test]
fn the_most_talkative_log_holds_no_secret_of_the_demo_provider() {
    let setup = Setup::new().set("log.filter", "trace").set("demo.access_token_lifetime", "5s");
    let server = setup.start();
    let mut browser = Browser::new(&server);
    let authorization = browser.begin_login("demo").unwrap();
    let mut secrets = browser.secrets();
    secrets.extend(["state", "nonce", "code_challenge"].map(|name| parameter(&authorization, name)));
    let callback = browser.authenticate(&authorization).unwrap();
    secrets.extend(browser.secrets());
    secrets.extend([callback.code.clone(), callback.state.clone()]);
    assert_eq!(browser.finish_login(&callback).unwrap().status, 200);
    secrets.extend(browser.secrets());
    assert_eq!(browser.add_note("sentinel-note").status, 201);
    secrets.push("sentinel-note".to_owned());
    let signed_out = browser.call("POST", "/api/v1/oauth/logout", None).unwrap();
    let end_session = url::Url::parse(signed_out.json()["redirect_to"].as_str().unwrap()).unwrap();
    secrets.push(parameter(&end_session, "id_token_hint"));
    browser.navigate(&end_session).unwrap();
    let ended = server.stop();
    ended.assert_orderly();
    for secret in secrets {
        let line = ended.stdout.lines().find(|line| line.contains(&secret));
        assert!(line.is_none(), "{secret} is in the log: {line:?}");
    }
}
