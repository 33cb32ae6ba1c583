//! What is configured about a provider.

use std::time::Duration;

use oauth2flow_protocol::SigningAlgorithm::{self, EdDsa, Es256, Rs256};
use oauth2flow_protocol::authorize::AuthorizationRequestError;
use oauth2flow_protocol::provider::{ClientAuth, IssPolicy, ParPolicy, ProviderKind, ProviderProblem, ResponseMode, SignedUserInfo};
use oauth2flow_protocol::{AuthorizationOptions, ClientSecret, Prompt, Provider, SigningKey, preset};
use serde_json::json;

use crate::client_key::client_key;
use crate::support::{CLIENT_ID, ISSUER, client_secret, metadata_with, oauth_provider, openid_provider, url};

fn problems(change: impl FnOnce(&mut Provider)) -> Vec<ProviderProblem> {
    let mut provider = openid_provider();
    change(&mut provider);
    provider.problems()
}

fn oauth_problems(change: impl FnOnce(&mut Provider)) -> Vec<ProviderProblem> {
    let mut provider = oauth_provider();
    change(&mut provider);
    provider.problems()
}

#[test]
fn the_presets_have_no_problems() {
    assert_eq!(openid_provider().problems(), []);
    assert_eq!(oauth_provider().problems(), []);
    assert_eq!(preset::github("id", client_secret()).unwrap().problems(), []);
    assert_eq!(preset::openid("example", "Example", ISSUER, CLIENT_ID, None).problems(), []);
    assert_eq!(preset::openid("demo", "Demo", "http://127.0.0.1:4000", CLIENT_ID, Some(client_secret())).problems(), []);
}

#[test]
fn a_client_has_an_id_and_a_secret() {
    assert_eq!(problems(|provider| provider.client_id.clear()), [ProviderProblem::EmptyClientId]);
    for auth in [ClientAuth::Basic, ClientAuth::Post] {
        for secret in [None, Some(ClientSecret::new(String::new()))] {
            let problems = problems(|provider| (provider.client_auth, provider.client_secret) = (auth, secret));
            assert_eq!(problems, [ProviderProblem::MissingClientSecret]);
        }
    }
}

#[test]
fn rfc_7518_section_3_2_a_secret_that_signs_has_32_bytes() {
    let problems = |secret: Option<&str>| {
        problems(|provider| {
            provider.client_auth = ClientAuth::SecretJwt;
            provider.client_secret = secret.map(|secret| ClientSecret::new(secret.to_owned()));
        })
    };

    assert_eq!(problems(None), [ProviderProblem::MissingClientSecret]);
    assert_eq!(problems(Some(&"s".repeat(31))), [ProviderProblem::ShortClientSecret]);
    assert_eq!(problems(Some(&"s".repeat(32))), []);
}

#[test]
fn what_is_signed_needs_a_key() {
    let problems = |auth, request_object, key: Option<SigningKey>| {
        problems(|provider| (provider.client_auth, provider.request_object, provider.signing_key) = (auth, request_object, key))
    };
    let missing = ProviderProblem::MissingSigningKey;
    let (assertion, request) = ("private_key_jwt", "a signed authorization request");

    assert_eq!(problems(ClientAuth::PrivateKeyJwt, false, None), [missing(assertion)]);
    assert_eq!(problems(ClientAuth::Basic, true, None), [missing(request)]);
    assert_eq!(problems(ClientAuth::PrivateKeyJwt, true, None), [missing(assertion), missing(request)]);
    assert_eq!(problems(ClientAuth::PrivateKeyJwt, true, Some(client_key(Es256))), []);
}

#[test]
fn apples_secret_needs_a_team_and_an_es256_key() {
    let problems = |team: Option<&str>, key| {
        problems(|provider| {
            (provider.client_auth, provider.client_secret, provider.signing_key) = (ClientAuth::AppleSecret, None, key);
            provider.apple_team_id = team.map(str::to_owned);
        })
    };

    assert_eq!(problems(Some("TEAM123456"), Some(client_key(Es256))), []);
    assert_eq!(problems(Some("TEAM123456"), Some(client_key(EdDsa))), [ProviderProblem::WrongAppleKey]);
    for team in [None, Some("")] {
        let expected = [ProviderProblem::MissingAppleTeam, ProviderProblem::MissingSigningKey("Apple's client secret")];
        assert_eq!(problems(team, None), expected);
    }
}

#[test]
fn rfc_8705_section_2_a_certificate_needs_no_secret() {
    for auth in [ClientAuth::TlsClientAuth, ClientAuth::SelfSignedTls] {
        assert_eq!(problems(|provider| (provider.client_auth, provider.client_secret) = (auth, None)), []);
    }
}

#[test]
fn what_is_asked_for_at_every_login_can_be_asked_for() {
    let with = |options| problems(|provider| provider.defaults = options);
    let default = AuthorizationOptions::default;

    assert_eq!(
        with(AuthorizationOptions { prompt: vec![Prompt::None, Prompt::Consent], ..default() }),
        [ProviderProblem::InvalidDefaults(AuthorizationRequestError::SilentPromptCombined)]
    );
    assert_eq!(
        with(AuthorizationOptions { ui_locales: vec!["en_US".to_owned()], ..default() }),
        [ProviderProblem::InvalidDefaults(AuthorizationRequestError::InvalidOption("ui_locales"))]
    );
    assert_eq!(with(AuthorizationOptions { prompt: vec![Prompt::Consent], max_age: Some(Duration::ZERO), ..default() }), []);
}

#[test]
fn what_only_an_id_token_proves_is_not_asked_of_a_provider_without() {
    let demanding = |provider: &mut Provider| {
        provider.defaults.max_age = Some(Duration::from_hours(1));
        provider.defaults.acr_values = vec!["2".to_owned()];
        provider.required_claims = vec![("hd".to_owned(), "example.com".to_owned())];
    };

    assert_eq!(problems(demanding), []);
    assert_eq!(oauth_problems(demanding), ["max_age", "acr_values", "required_claims"].map(ProviderProblem::NeedsIdTokens));
}

#[test]
fn what_only_metadata_says_is_not_asked_of_a_provider_without() {
    let demanding = |provider: &mut Provider| {
        provider.response_mode = ResponseMode::Jwt;
        provider.userinfo_signed = SignedUserInfo::Require;
        provider.par = ParPolicy::Always;
    };
    let discovered = ProviderKind::OAuthDiscovered { issuer: "https://plain.example".to_owned(), userinfo: None };
    let expected = ["the response mode jwt", "signed userinfo", "a pushed authorization request"].map(ProviderProblem::NeedsMetadata);

    assert_eq!(problems(demanding), []);
    assert_eq!(oauth_problems(demanding), expected);
    let with_metadata = oauth_problems(|provider| {
        demanding(provider);
        provider.kind = discovered;
    });
    assert_eq!(with_metadata, []);
}

#[test]
fn rfc_8414_a_discovered_provider_needs_an_https_issuer_and_user_endpoint() {
    let problems = |issuer: &str, userinfo: Option<&str>| {
        let kind = ProviderKind::OAuthDiscovered { issuer: issuer.to_owned(), userinfo: userinfo.map(url) };
        oauth_problems(|provider| provider.kind = kind)
    };

    assert_eq!(problems("https://plain.example", Some("https://plain.example/me")), []);
    assert_eq!(problems("https://plain.example", None), []);
    assert_eq!(
        problems("http://plain.example", Some("http://plain.example/me")),
        [ProviderProblem::InvalidIssuer, ProviderProblem::InsecureEndpoint("userinfo")]
    );
}

#[test]
fn every_problem_says_what_is_wrong() {
    for (problem, words) in [
        (ProviderProblem::ShortClientSecret, "client_secret_jwt needs a client secret of at least 32 bytes"),
        (ProviderProblem::MissingSigningKey("private_key_jwt"), "private_key_jwt needs a private key"),
        (ProviderProblem::NeedsIdTokens("max_age"), "max_age needs a provider with ID tokens"),
        (ProviderProblem::NeedsMetadata("signed userinfo"), "signed userinfo needs a provider with metadata"),
        (
            ProviderProblem::InvalidDefaults(AuthorizationRequestError::SilentPromptCombined),
            "a silent login cannot show anything: prompt=none stands alone",
        ),
    ] {
        assert_eq!(problem.to_string(), words);
    }
}

#[test]
fn a_public_client_needs_pkce() {
    let public = |pkce| problems(|provider| (provider.client_auth, provider.client_secret, provider.pkce) = (ClientAuth::None, None, pkce));

    assert_eq!(public(true), []);
    assert_eq!(public(false), [ProviderProblem::PublicClientWithoutPkce]);
    assert_eq!(problems(|provider| provider.pkce = false), []);
}

#[test]
fn a08_the_issuer_is_an_https_address() {
    for issuer in ["", "http://login.example", "https://login.example?a=b", "login.example"] {
        let kind = ProviderKind::OpenId { issuer: issuer.to_owned() };
        assert_eq!(problems(|provider| provider.kind = kind), [ProviderProblem::InvalidIssuer], "{issuer}");
    }
}

#[test]
fn an_openid_login_needs_the_scope_openid() {
    assert_eq!(problems(|provider| provider.scopes = vec!["profile".to_owned()]), [ProviderProblem::MissingOpenIdScope]);
    assert_eq!(problems(|provider| provider.scopes = vec!["OPENID".to_owned()]), [ProviderProblem::MissingOpenIdScope]);
    assert_eq!(oauth_problems(|provider| provider.scopes.clear()), []);
}

#[test]
fn a16_a_required_iss_needs_a_value() {
    assert_eq!(oauth_problems(|provider| provider.iss_policy = IssPolicy::Require), [ProviderProblem::MissingExpectedIss]);
    let with_value = oauth_problems(|provider| {
        provider.iss_policy = IssPolicy::Require;
        provider.expected_iss = Some("https://plain.example".to_owned());
    });
    assert_eq!(with_value, []);
    assert_eq!(problems(|provider| provider.iss_policy = IssPolicy::Require), []);
}

#[test]
fn a07_an_extra_parameter_that_belongs_to_the_flow_is_a_problem() {
    for name in ["response_type", "response_mode", "client_id", "redirect_uri", "scope", "state", "nonce", "code_challenge", "request_uri"]
    {
        let extra = vec![("prompt".to_owned(), "consent".to_owned()), (name.to_owned(), "x".to_owned())];
        assert_eq!(problems(|provider| provider.extra_authorization_params = extra), [ProviderProblem::ReservedParameter(name.to_owned())]);
    }
}

#[test]
fn c_ssrf_a_configured_endpoint_that_is_not_https_is_a_problem() {
    let with = |change: fn(&mut oauth2flow_protocol::provider::Endpoints)| {
        oauth_problems(|provider| {
            let ProviderKind::OAuth { endpoints } = &mut provider.kind else { panic!("an OAuth provider") };
            change(endpoints);
        })
    };

    assert_eq!(with(|endpoints| endpoints.authorization = url("http://a.example")), [ProviderProblem::InsecureEndpoint("authorization")]);
    assert_eq!(with(|endpoints| endpoints.token = url("http://a.example")), [ProviderProblem::InsecureEndpoint("token")]);
    assert_eq!(with(|endpoints| endpoints.userinfo = Some(url("ftp://a.example"))), [ProviderProblem::InsecureEndpoint("userinfo")]);
    assert_eq!(with(|endpoints| endpoints.revocation = Some(url("file:///a"))), [ProviderProblem::InsecureEndpoint("revocation")]);
    assert_eq!(
        with(|endpoints| endpoints.end_session = Some(url("https://user@a.example"))),
        [ProviderProblem::InsecureEndpoint("end_session")]
    );
    assert_eq!(with(|endpoints| endpoints.token = url("http://localhost:4000/token")), []);
    assert_eq!(
        oauth_problems(|provider| provider.email_endpoint = Some(url("http://a.example"))),
        [ProviderProblem::InsecureEndpoint("email")]
    );
}

#[test]
fn all_problems_are_reported_at_once() {
    let found = problems(|provider| {
        provider.client_id.clear();
        provider.client_secret = None;
        provider.scopes.clear();
        provider.kind = ProviderKind::OpenId { issuer: "x".to_owned() };
    });

    assert_eq!(
        found,
        [
            ProviderProblem::EmptyClientId,
            ProviderProblem::MissingClientSecret,
            ProviderProblem::InvalidIssuer,
            ProviderProblem::MissingOpenIdScope,
        ]
    );
}

fn pinned(configured: &[SigningAlgorithm], declared: &serde_json::Value) -> Vec<SigningAlgorithm> {
    let mut provider = openid_provider();
    provider.id_token_algorithms = configured.to_vec();
    provider.pinned_algorithms(&metadata_with("id_token_signing_alg_values_supported", declared.clone()))
}

#[test]
fn a28_the_algorithms_are_those_that_metadata_and_configuration_agree_on() {
    assert_eq!(pinned(&[], &json!(null)), [Rs256]);
    assert_eq!(pinned(&[], &json!([])), [Rs256]);
    assert_eq!(pinned(&[], &json!(["ES256", "RS256"])), [Es256, Rs256]);
    assert_eq!(pinned(&[Es256], &json!(null)), [Es256]);
    assert_eq!(pinned(&[Es256, EdDsa], &json!(["RS256", "EdDSA"])), [EdDsa]);
    assert_eq!(pinned(&[Es256], &json!(["RS256"])), []);
}

#[test]
fn a28_no_metadata_lets_none_or_a_shared_key_in() {
    assert_eq!(pinned(&[], &json!(["none", "HS256", "HS384", "HS512", "rs256"])), []);
    assert_eq!(pinned(&[], &json!(["none", "HS256", "RS256"])), [Rs256]);
}

#[test]
fn a28_no_configuration_can_name_none_or_a_shared_key() {
    for name in ["none", "NONE", "HS256", "HS384", "HS512", "rs256", "RS256 ", "", "ES512", "RSA1_5"] {
        assert_eq!(SigningAlgorithm::from_name(name), None, "{name}");
    }
    for algorithm in SigningAlgorithm::ALL {
        assert_eq!(SigningAlgorithm::from_name(algorithm.name()), Some(algorithm));
        assert_eq!(algorithm.to_string(), algorithm.name());
    }
    assert_eq!(SigningAlgorithm::from_name("Ed25519"), Some(EdDsa));
}

#[test]
fn a33_the_issuer_of_a_user_does_not_depend_on_what_the_provider_is_called() {
    let mut openid = openid_provider();
    openid.id = "renamed".to_owned();
    openid.name = "Renamed".to_owned();
    let mut oauth = oauth_provider();

    assert_eq!(openid.user_issuer(), ISSUER);
    assert_eq!(oauth.user_issuer(), "https://plain.example");
    oauth.expected_iss = Some("https://plain.example/issuer".to_owned());
    assert_eq!(oauth.user_issuer(), "https://plain.example/issuer");
}

#[test]
fn a08_only_a_provider_without_metadata_has_fixed_metadata() {
    assert!(openid_provider().fixed_metadata().is_none());

    let metadata = oauth_provider().fixed_metadata().unwrap();

    assert_eq!(metadata.issuer, None);
    assert_eq!(metadata.token_endpoint.as_str(), "https://plain.example/token");
    assert_eq!(metadata.jwks_uri, None);
    assert!(!metadata.iss_parameter_supported);
}
