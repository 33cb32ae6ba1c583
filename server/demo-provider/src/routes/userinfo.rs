//! The userinfo endpoint ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)).

use axum::{Json, extract::State, http::HeaderMap};
use serde_json::{Value, json};

use crate::{
    accounts::Account,
    bearer::{self, BearerError},
    scope::{Scope, ScopeSet},
    state::AppState,
};

/// Says who the access token speaks for.
pub(crate) async fn get(State(state): State<AppState>, headers: HeaderMap) -> Result<Json<Value>, BearerError> {
    let bearer = bearer::authenticate(&state, &headers, Scope::OpenId).await?;
    Ok(Json(claims(bearer.account, &bearer.scope)))
}

/// What a scope tells about somebody ([OpenID Connect Core §5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims)).
pub(crate) fn claims(account: &Account, scope: &ScopeSet) -> Value {
    let mut claims = json!({ "sub": account.sub });
    if scope.contains(Scope::Profile) {
        claims["name"] = account.name.into();
        claims["given_name"] = account.given_name.into();
        claims["family_name"] = account.family_name.into();
        claims["preferred_username"] = account.login.into();
    }
    if scope.contains(Scope::Email) {
        claims["email"] = account.email.into();
        claims["email_verified"] = true.into();
    }
    claims
}
