//! What the provider says about itself ([OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html),
//! [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414)).

use axum::{Json, extract::State, http::header, response::IntoResponse};
use serde_json::{Value, json};

use crate::{
    Offer, SigningAlgorithm, acr::Acr, authorization_response::ResponseMode, client_authentication, defect, scope::Scope, state::AppState,
    state::Provider,
};

const CACHE: [(header::HeaderName, &str); 1] = [(header::CACHE_CONTROL, "public, max-age=300")];

/// The metadata document, for all of its well-known addresses.
pub(crate) async fn openid_configuration(State(state): State<AppState>) -> impl IntoResponse {
    let mut document = document(&state);
    if let Some(defect) = state.config.defect {
        defect::metadata::spoil(defect, &state, &mut document);
    }
    (CACHE, Json(document))
}

fn document(state: &Provider) -> Value {
    let issuer = &state.config.issuer;
    let algorithms = SigningAlgorithm::ALL.map(SigningAlgorithm::name);
    let own_algorithm = [state.config.signing_algorithm.name()];
    let assertion_algorithms: Vec<_> = ["HS256", "HS384", "HS512"].into_iter().chain(algorithms).collect();
    let mut document = json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/authorize"),
        "token_endpoint": format!("{issuer}/token"),
        "userinfo_endpoint": format!("{issuer}/userinfo"),
        "jwks_uri": format!("{issuer}/jwks"),
        "revocation_endpoint": format!("{issuer}/revoke"),
        "end_session_endpoint": format!("{issuer}/logout"),
        "service_documentation": format!("{issuer}/"),
        "scopes_supported": Scope::ALL.map(Scope::name),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::NAMES,
        "grant_types_supported": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:token-exchange"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": own_algorithm,
        "authorization_signing_alg_values_supported": own_algorithm,
        "token_endpoint_auth_methods_supported": client_authentication::METHODS,
        "token_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
        "revocation_endpoint_auth_methods_supported": client_authentication::METHODS,
        "revocation_endpoint_auth_signing_alg_values_supported": assertion_algorithms,
        "code_challenge_methods_supported": ["S256"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "acr_values_supported": Acr::ALL.map(Acr::name),
        "claims_supported": [
            "iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "at_hash", "sid", "acr", "amr",
            "name", "given_name", "family_name", "preferred_username", "email", "email_verified",
        ],
        "ui_locales_supported": ["en"],
        "authorization_response_iss_parameter_supported": true,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "claims_parameter_supported": false,
        "request_parameter_supported": true,
        "request_object_signing_alg_values_supported": algorithms,
        "require_signed_request_object": state.config.require_signed_requests,
        "request_uri_parameter_supported": false,
    });
    if state.config.signed_userinfo {
        document["userinfo_signing_alg_values_supported"] = json!(own_algorithm);
    }
    if state.config.pushed_requests != Offer::Unavailable {
        document["pushed_authorization_request_endpoint"] = format!("{issuer}/par").into();
        document["require_pushed_authorization_requests"] = (state.config.pushed_requests == Offer::Required).into();
    }
    if state.config.dpop != Offer::Unavailable {
        document["dpop_signing_alg_values_supported"] = json!(algorithms);
    }
    document
}

/// The public halves of the signing keys.
pub(crate) async fn jwks(State(state): State<AppState>) -> impl IntoResponse {
    let mut keys = state.jwks();
    if let Some(defect) = state.config.defect {
        defect::keys::spoil(defect, &state, &mut keys);
    }
    (CACHE, Json(keys))
}
