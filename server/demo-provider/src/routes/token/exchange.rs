//! An access token in exchange for another one ([RFC 8693](https://www.rfc-editor.org/rfc/rfc8693)).

use serde_json::{Value, json};

use super::{TokenError, Tokens, narrowed};
use crate::{parameters::Parameters, scope::ScopeSet, state::Provider, store::grant::NewTokens};

/// The grant type ([RFC 8693 §2.1](https://www.rfc-editor.org/rfc/rfc8693#section-2.1)).
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// The one type of token that is taken and given.
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

/// The name of the one API.
const AUDIENCE: &str = "notes";

/// Checks, in this order: the types of both tokens; that nobody acts for somebody else; that the token is to be for the notes; that the
/// subject token is good, this client's and, if it is bound to a key, that key was shown; that no more is asked for than it allows.
///
/// The new token ends with the old one at the latest, and is revoked with its whole family.
pub(super) async fn exchange(state: &Provider, parameters: &Parameters, key: Option<&str>) -> Result<Value, TokenError> {
    if parameters.get("subject_token_type") != Some(ACCESS_TOKEN) {
        return Err(TokenError::InvalidRequest("subject_token_type must be that of an access token."));
    }
    if parameters.get("requested_token_type").is_some_and(|requested| requested != ACCESS_TOKEN) {
        return Err(TokenError::InvalidRequest("Only access tokens are issued in exchange."));
    }
    if parameters.get("actor_token").is_some() || parameters.get("actor_token_type").is_some() {
        return Err(TokenError::InvalidRequest("Nobody can act for somebody else here."));
    }
    let address = format!("{}/notes", state.config.issuer);
    let is_foreign = |name: &str, known: &str| parameters.get(name).is_some_and(|wanted| wanted.trim_end_matches('/') != known);
    if is_foreign("audience", AUDIENCE) || is_foreign("resource", &address) {
        return Err(TokenError::InvalidTarget);
    }
    let presented = parameters.get("subject_token").ok_or(TokenError::InvalidRequest("subject_token is missing."))?;
    let subject = state.store.subject_token(presented, &state.config.client_id, state.now()).await?;
    let subject = subject.ok_or(TokenError::InvalidRequest("The subject token is unknown, expired or revoked."))?;
    if subject.dpop_jkt.as_deref().is_some_and(|bound_to| key != Some(bound_to)) {
        return Err(TokenError::InvalidDpopProof("The proof's key is not that of the subject token."));
    }
    let scope = match parameters.get("scope") {
        None => subject.scope.clone(),
        Some(asked) => narrowed(asked, &subject.scope).ok_or(TokenError::InvalidScope)?,
    };
    let tokens = Tokens::new(state, &ScopeSet::default(), key)?;
    let new = tokens.as_new(state, &scope);
    let expires_at = new.access_expires_at.min(subject.expires_at);
    if !state.store.extend_grant(&subject.grant.id, NewTokens { access_expires_at: expires_at, ..new }).await? {
        return Err(TokenError::InvalidRequest("The subject token is unknown, expired or revoked."));
    }
    Ok(json!({
        "access_token": tokens.access_token,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": if key.is_some() { "DPoP" } else { "Bearer" },
        "expires_in": expires_at - state.now(),
        "scope": scope.to_string(),
    }))
}
