//! What the app shows a provider to prove who it is.

use crate::{Setup, private_key};
use oauth2flow::config::ClientAuth;
use oauth2flow_protocol::SigningAlgorithm;
use secrecy::ExposeSecret as _;

const OPENID: &str = "[providers.a]\nissuer = \"https://a.example\"\nclient_id = \"a\"\n";
const APPLE: &str = "[providers.apple]\nclient_id = \"com.example.web\"\n";
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

/// A file with these settings, beside the keys.
fn setup(text: &str) -> Setup {
    Setup::with_file(text)
        .file("p256.pem", &private_key::p256())
        .file("rsa.pem", &private_key::rsa())
        .file("none.pem", "not a key")
        .file("client.pem", CERTIFICATE)
}

fn keys(setup: &Setup) -> Vec<String> {
    setup.problems().into_iter().map(|problem| problem.key.rsplit('.').next().unwrap().to_owned()).collect()
}

#[test]
fn a_key_takes_the_place_of_the_secret() {
    let text = format!("{OPENID}client_auth = \"private_key_jwt\"\nprivate_key_file = \"p256.pem\"\nkey_id = \"key-1\"\n");
    let config = setup(&text).load().unwrap();
    let credentials = &config.providers[0].credentials;
    assert_eq!(credentials.client_auth, Some(ClientAuth::PrivateKeyJwt));
    assert!(credentials.client_secret.is_none());
    let key = credentials.signing_key.as_ref().unwrap();
    assert_eq!((key.key_id(), key.algorithms()), ("key-1", vec![SigningAlgorithm::Es256]));
}

#[test]
fn a_key_can_be_tied_to_one_algorithm_and_has_its_thumbprint_for_a_name() {
    let text = format!("{OPENID}client_auth = \"private_key_jwt\"\nprivate_key_file = \"rsa.pem\"\nsigning_algorithm = \"PS256\"\n");
    let config = setup(&text).load().unwrap();
    let key = config.providers[0].credentials.signing_key.as_ref().unwrap();
    assert_eq!(key.algorithms(), [SigningAlgorithm::Ps256]);
    assert_eq!(key.key_id().len(), 43);
}

#[test]
fn a_key_that_cannot_be_used_is_told_without_being_shown() {
    let text =
        |file: &str| format!("{OPENID}client_auth = \"private_key_jwt\"\nprivate_key_file = \"{file}\"\nsigning_algorithm = \"RS256\"\n");
    for file in ["none.pem", "client.pem", "p256.pem"] {
        let problem = setup(&text(file)).problem();
        assert_eq!(problem.key, "providers.a.private_key", "{file}");
        assert!(problem.problem.starts_with("It cannot be used: "), "{}", problem.problem);
        assert!(!problem.to_string().contains("BEGIN"), "{problem}");
    }
    assert_eq!(keys(&setup(&text("absent.pem"))), ["private_key_file"]);
}

#[test]
fn what_a_method_needs_is_demanded_and_what_it_ignores_is_told() {
    for (settings, expected) in [
        ("client_auth = \"private_key_jwt\"\n", vec!["private_key"]),
        ("client_auth = \"private_key_jwt\"\nprivate_key_file = \"p256.pem\"\nclient_secret = \"b\"\n", vec!["client_secret"]),
        ("client_auth = \"client_secret_jwt\"\n", vec!["client_secret"]),
        ("client_auth = \"tls_client_auth\"\n", vec!["client_certificate", "client_certificate_key"]),
        (
            "client_auth = \"self_signed_tls_client_auth\"\nclient_secret = \"b\"\nclient_certificate_file = \"client.pem\"\nclient_certificate_key_file = \"p256.pem\"\n",
            vec!["client_secret"],
        ),
        ("client_secret = \"b\"\nprivate_key_file = \"p256.pem\"\n", vec!["private_key"]),
        ("client_secret = \"b\"\nkey_id = \"1\"\n", vec!["key_id"]),
        ("client_secret = \"b\"\nsigning_algorithm = \"ES256\"\n", vec!["signing_algorithm"]),
        ("client_secret = \"b\"\nrequest_object = true\n", vec!["request_object"]),
        ("client_secret = \"b\"\nclient_certificate_file = \"client.pem\"\n", vec!["client_certificate_key"]),
        ("client_secret = \"b\"\nclient_certificate_key_file = \"p256.pem\"\n", vec!["client_certificate"]),
        ("client_secret = \"b\"\nclient_auth = \"secret\"\n", vec!["client_auth"]),
        ("client_auth = \"none\"\npkce = false\n", vec!["pkce"]),
        ("", vec!["client_secret"]),
    ] {
        assert_eq!(keys(&setup(&format!("{OPENID}{settings}"))), expected, "{settings}");
    }
}

#[test]
fn a_key_may_sign_requests_only() {
    let text = format!("{OPENID}client_secret = \"b\"\nrequest_object = true\nprivate_key_file = \"p256.pem\"\n");
    let config = setup(&text).load().unwrap();
    assert!(config.providers[0].request_object && config.providers[0].credentials.signing_key.is_some());
}

#[test]
fn a_certificate_comes_with_its_key_and_is_no_secret() {
    let text = format!(
        "{OPENID}client_auth = \"tls_client_auth\"\nclient_certificate_file = \"client.pem\"\nclient_certificate_key_file = \"p256.pem\"\n"
    );
    let setup = setup(&text);
    close(&setup, "p256.pem");
    let config = setup.load().unwrap();
    let certificate = config.providers[0].credentials.client_certificate.as_ref().unwrap();
    assert_eq!(certificate.chain, CERTIFICATE.trim_end());
    assert!(certificate.key.expose_secret().contains("PRIVATE KEY"));
    assert!(config.warnings.is_empty(), "everybody may read a certificate: {:?}", config.warnings);
}

#[cfg(unix)]
fn close(setup: &Setup, name: &str) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(setup.path().join(name), std::fs::Permissions::from_mode(0o600)).unwrap();
}

#[cfg(not(unix))]
fn close(_setup: &Setup, _name: &str) {}

#[test]
fn a_certificate_and_a_key_are_not_mistaken_for_each_other() {
    let text = format!(
        "{OPENID}client_auth = \"tls_client_auth\"\nclient_certificate_file = \"p256.pem\"\nclient_certificate_key_file = \"client.pem\"\n"
    );
    assert_eq!(keys(&setup(&text)), ["client_certificate", "client_certificate_key"]);
}

#[test]
fn apple_needs_a_team_a_key_and_its_name() {
    assert_eq!(keys(&setup(APPLE)), ["team_id", "key_id", "private_key"]);
    let text = format!("{APPLE}team_id = \"ABCDE12345\"\nkey_id = \"KEY1234567\"\nprivate_key_file = \"p256.pem\"\n");
    let config = setup(&text).load().unwrap();
    let credentials = &config.providers[0].credentials;
    assert_eq!(credentials.team_id.as_deref(), Some("ABCDE12345"));
    assert_eq!(credentials.signing_key.as_ref().unwrap().key_id(), "KEY1234567");
    for (settings, expected) in [
        ("client_secret = \"b\"\n", "client_secret"),
        ("client_auth = \"post\"\n", "client_auth"),
        ("signing_algorithm = \"ES256\"\n", "signing_algorithm"),
    ] {
        assert_eq!(keys(&setup(&format!("{text}{settings}"))), [expected]);
    }
    for team_id in ["abcde12345", "ABCDE1234", "ABCDE 1234"] {
        assert_eq!(keys(&setup(&text.replace("ABCDE12345", team_id))), ["team_id"], "{team_id}");
    }
    assert_eq!(keys(&setup(&text.replace("p256", "rsa"))), ["private_key"], "Apple's keys are of P-256");
}

#[test]
fn no_debug_output_shows_a_key() {
    let text = format!("{OPENID}client_auth = \"private_key_jwt\"\nprivate_key_file = \"p256.pem\"\n");
    let pem = private_key::p256();
    let shown = format!("{:?}", setup(&text).file("p256.pem", &pem).load().unwrap());
    let secret = pem.lines().nth(1).unwrap();
    assert!(!shown.contains(secret) && !shown.contains("PRIVATE"), "{shown}");
}
