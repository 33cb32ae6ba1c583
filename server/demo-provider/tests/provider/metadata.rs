//! What the provider says about itself.

use crate::support::TestProvider;

#[tokio::test]
async fn both_well_known_addresses_give_the_same_document() {
    let provider = TestProvider::start().await;
    let document = provider.get("/.well-known/openid-configuration").await.json();
    assert_eq!(document, provider.get("/.well-known/oauth-authorization-server").await.json());
    assert_eq!(document["issuer"], provider.config.issuer);
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["backchannel_logout_session_supported"], true);
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["response_types_supported"], serde_json::json!(["code"]));
}

#[tokio::test]
async fn every_endpoint_that_is_named_is_there() {
    let provider = TestProvider::start().await;
    let document = provider.get("/.well-known/openid-configuration").await.json();
    let endpoints = [
        "authorization_endpoint",
        "token_endpoint",
        "userinfo_endpoint",
        "jwks_uri",
        "revocation_endpoint",
        "end_session_endpoint",
        "service_documentation",
    ];
    for endpoint in endpoints {
        let answer = provider.get(document[endpoint].as_str().unwrap()).await;
        assert_ne!(answer.status.as_u16(), 404, "{endpoint}");
    }
}

#[tokio::test]
async fn the_key_set_has_one_public_key_and_nothing_private() {
    let provider = TestProvider::start().await;
    let keys = provider.get("/jwks").await.json();
    let key = keys["keys"][0].as_object().unwrap();
    assert_eq!(keys["keys"].as_array().unwrap().len(), 1);
    assert_eq!(key.keys().map(String::as_str).collect::<Vec<_>>(), ["alg", "e", "kid", "kty", "n", "use"]);
    assert_eq!(key["e"], "AQAB");
    assert_eq!(key["n"].as_str().unwrap().len(), 342);
}
