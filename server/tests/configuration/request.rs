//! What a sign-in asks for, and what an API demands of one.

use crate::Setup;
use oauth2flow_protocol::{
    SigningAlgorithm,
    authorize::Prompt,
    provider::{DpopPolicy, ParPolicy, ResponseMode, SignedUserInfo},
};
use std::time::Duration;

const OPENID: &str = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\nclient_secret = \"b\"\n";
const ORDERS: &str = "[upstreams.orders]\nurl = \"https://orders.example.com/api\"\n";

/// The only problem with the provider when it has these settings, too: the key and what is wrong.
fn problem(settings: &str) -> (String, String) {
    let problem = Setup::with_file(&format!("{OPENID}{settings}")).problem();
    (problem.key.trim_start_matches("providers.a.").to_owned(), problem.problem)
}

#[test]
fn nothing_is_asked_for_unless_it_is_said() {
    let config = Setup::with_file(OPENID).load().unwrap();
    let provider = &config.providers[0];
    assert_eq!(provider.options, oauth2flow_protocol::authorize::AuthorizationOptions::default());
    assert_eq!((provider.par, provider.dpop, provider.response_mode), (ParPolicy::Auto, DpopPolicy::Off, None));
    assert_eq!(provider.signed_userinfo, SignedUserInfo::Allow);
    assert!(!provider.request_object && provider.id_token_algorithms.is_empty() && provider.required_claims.is_empty());
}

#[test]
fn everything_can_be_asked_for() {
    let config = Setup::with_file(&format!(
        "{OPENID}par = \"always\"\ndpop = \"require\"\nresponse_mode = \"jwt\"\nsigned_userinfo = \"require\"\n\
         prompt = [\"login\", \"consent\"]\nmax_age = \"12h\"\nacr_values = [\"phr\", \"phrh\"]\nlogin_hint = \"@example.com\"\n\
         ui_locales = [\"de\", \"en\"]\nclaims = '{{\"id_token\":{{\"auth_time\":{{\"essential\":true}}}}}}'\n\
         resource = [\"https://api.example.com\", \"urn:example:orders\"]\nid_token_algorithms = [\"ES256\", \"EdDSA\"]\n\
         required_claims = {{ department = \"sales\" }}\n"
    ))
    .load()
    .unwrap();
    let provider = &config.providers[0];
    assert_eq!((provider.par, provider.dpop, provider.response_mode), (ParPolicy::Always, DpopPolicy::Require, Some(ResponseMode::Jwt)));
    assert_eq!(provider.signed_userinfo, SignedUserInfo::Require);
    let options = &provider.options;
    assert_eq!(options.prompt, [Prompt::Login, Prompt::Consent]);
    assert_eq!(options.max_age, Some(Duration::from_hours(12)));
    assert_eq!(options.acr_values, ["phr", "phrh"]);
    assert_eq!(options.login_hint.as_deref(), Some("@example.com"));
    assert_eq!(options.ui_locales, ["de", "en"]);
    assert_eq!(options.claims.as_ref().unwrap()["id_token"]["auth_time"]["essential"], true);
    assert_eq!(options.resource.iter().map(url::Url::as_str).collect::<Vec<_>>(), ["https://api.example.com/", "urn:example:orders"]);
    assert_eq!(provider.id_token_algorithms, [SigningAlgorithm::Es256, SigningAlgorithm::EdDsa]);
    assert_eq!(provider.required_claims["department"], "sales");
}

#[test]
fn lists_of_words_can_be_written_in_the_environment() {
    let config = Setup::with_file(OPENID)
        .variable("OAUTH2FLOW_PROVIDERS_A_PROMPT", "login consent")
        .variable("OAUTH2FLOW_PROVIDERS_A_ID_TOKEN_ALGORITHMS", "PS256,ES384")
        .load()
        .unwrap();
    assert_eq!(config.providers[0].options.prompt, [Prompt::Login, Prompt::Consent]);
    assert_eq!(config.providers[0].id_token_algorithms, [SigningAlgorithm::Ps256, SigningAlgorithm::Es384]);
}

#[test]
fn a_word_that_is_none_is_told_with_the_words_that_are() {
    let (key, problem_text) = problem("prompt = [\"login\", \"twice\"]\n");
    assert_eq!((key.as_str(), problem_text.as_str()), ("prompt", "“twice” is not one of its values."));
    assert_eq!(problem("id_token_algorithms = [\"none\"]\n").0, "id_token_algorithms");
    assert_eq!(problem("id_token_algorithms = [\"HS256\"]\n").0, "id_token_algorithms");
    assert_eq!(problem("dpop = \"always\"\n").0, "dpop");
    assert_eq!(problem("par = true\n").0, "par");
    assert_eq!(problem("response_mode = \"fragment\"\n").0, "response_mode");
}

#[test]
fn a_configuration_in_which_nobody_could_type_a_password_is_refused() {
    assert_eq!(problem("prompt = [\"none\"]\n").0, "prompt");
}

#[test]
fn claims_are_a_json_object() {
    for wrong in ["'[]'", "'{'", "'{} {}'", "'yes'", "\"\""] {
        assert_eq!(problem(&format!("claims = {wrong}\n")).0, "claims", "{wrong}");
    }
}

#[test]
fn an_api_is_named_by_an_absolute_address() {
    for wrong in ["orders", "/orders", "https://api.example.com/#orders"] {
        assert_eq!(problem(&format!("resource = [\"{wrong}\"]\n")).0, "resource", "{wrong}");
    }
}

#[test]
fn a_claim_that_the_sign_in_checks_itself_is_not_required_of_it() {
    for name in ["iss", "aud", "sub", "exp", "nonce"] {
        let (key, text) = problem(&format!("required_claims = {{ {name} = \"x\" }}\n"));
        assert_eq!(key, "required_claims");
        assert!(text.contains(name), "{text}");
    }
    let google = "[providers.google]\nclient_id = \"a\"\nclient_secret = \"b\"\ndomain = \"example.com\"\nrequired_claims = { hd = \"example.com\" }\n";
    assert_eq!(Setup::with_file(google).problem().key, "providers.google.required_claims");
}

#[test]
fn a_parameter_is_set_in_one_place() {
    assert_eq!(problem("prompt = [\"login\"]\nauthorization_params = { prompt = \"consent\" }\n").0, "authorization_params");
    assert_eq!(problem("login_hint = \"a\"\nauthorization_params = { login_hint = \"b\" }\n").0, "authorization_params");
    // What a provider has words of its own for may stay there.
    assert!(Setup::with_file(&format!("{OPENID}authorization_params = {{ prompt = \"admin_consent\" }}\n")).load().is_ok());
    // What has to be checked may not.
    for name in ["max_age", "acr_values"] {
        let (key, text) = problem(&format!("authorization_params = {{ {name} = \"1\" }}\n"));
        assert_eq!(key, "authorization_params");
        assert!(text.contains("checks"), "{text}");
    }
    for name in ["request", "request_uri", "dpop_jkt", "client_assertion", "response_mode", "code_challenge"] {
        assert_eq!(problem(&format!("authorization_params = {{ {name} = \"x\" }}\n")).0, "authorization_params", "{name}");
    }
}

#[test]
fn an_api_may_demand_a_strong_or_a_recent_sign_in() {
    let text = format!("{OPENID}{ORDERS}acr_values = [\"phr\"]\nmax_authentication_age = \"15m\"\n");
    let config = Setup::with_file(&text).load().unwrap();
    assert_eq!(config.upstreams[0].requirements.acr_values, ["phr"]);
    assert_eq!(config.upstreams[0].requirements.max_age, Some(Duration::from_mins(15)));
    let config = Setup::with_file(&format!("{OPENID}{ORDERS}")).load().unwrap();
    assert!(config.upstreams[0].requirements.acr_values.is_empty() && config.upstreams[0].requirements.max_age.is_none());
}

#[test]
fn a_demand_that_nobody_could_meet_is_refused() {
    let problem = |settings: &str| Setup::with_file(&format!("{OPENID}{ORDERS}{settings}")).problem().key;
    assert_eq!(problem("acr_values = []\n"), "upstreams.orders.acr_values");
    assert_eq!(problem("max_authentication_age = \"0s\"\n"), "upstreams.orders.max_authentication_age");

    let github = "[providers.github]\nclient_id = \"a\"\nclient_secret = \"b\"\n";
    let problem = Setup::with_file(&format!("{github}{ORDERS}max_authentication_age = \"15m\"\n")).problem();
    assert_eq!(problem.key, "upstreams.orders.max_authentication_age");
    assert!(problem.problem.contains("“github”"), "{}", problem.problem);
    let both = format!("{github}{OPENID}{ORDERS}acr_values = [\"phr\"]\n");
    assert_eq!(Setup::with_file(&format!("{both}providers = [\"a\", \"github\"]\n")).problem().key, "upstreams.orders.acr_values");
    assert!(Setup::with_file(&format!("{both}providers = [\"a\"]\n")).load().is_ok());
}

#[test]
fn the_demo_s_users_can_meet_a_demand() {
    assert!(Setup::with_file(&format!("{ORDERS}max_authentication_age = \"15m\"\n")).load().is_ok());
}
