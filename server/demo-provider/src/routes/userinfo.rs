//! The userinfo endpoint ([OpenID Connect Core §5.3](https://openid.net/specs/openid-connect-core-1_0.html#UserInfo)).

use axum::{
    Json,
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    accounts::Account,
    bearer::{self, BearerError, Call},
    defect,
    jwt::{self, TokenType},
    scope::{Scope, ScopeSet},
    state::AppState,
};

/// Says who the access token speaks for, as JSON or as a signed token
/// ([§5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)).
pub(crate) async fn get(State(state): State<AppState>, call: Call) -> Result<Response, BearerError> {
    let bearer = bearer::authenticate(&state, &call, Scope::OpenId).await?;
    let mut claims = claims(bearer.account, &bearer.scope);
    if let Some(defect) = state.config.defect {
        defect::userinfo::spoil(defect, &mut claims);
    }
    let is_signed = state.config.signed_userinfo && !state.config.defect.is_some_and(defect::userinfo::is_left_unsigned);
    if !is_signed {
        return Ok(Json(claims).into_response());
    }
    claims["iss"] = state.config.issuer.as_str().into();
    claims["aud"] = state.config.client_id.as_str().into();
    let key = state.signing_key()?;
    let header = jwt::header(&key, TokenType::UserInfo);
    let token = match state.config.defect {
        Some(defect) => defect::userinfo::sign(defect, &state, &key, header, claims)?,
        None => jwt::sign_with_header(&key, &header, &claims)?,
    };
    Ok(([(header::CONTENT_TYPE, "application/jwt")], token).into_response())
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
