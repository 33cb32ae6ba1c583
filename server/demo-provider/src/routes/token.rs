//! The token endpoint ([RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)).

mod exchange;

use axum::{
    Json,
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{
    Defect, Offer,
    accounts::Account,
    client_authentication::{self, ClientAuthenticationError},
    defect,
    digest::{at_hash, code_challenge, same_secret},
    dpop::{self, DpopError, Target},
    failure::Failure,
    form,
    jwt::{self, TokenType},
    parameters::Parameters,
    routes::userinfo,
    scope::{Scope, ScopeSet},
    state::{AppState, Provider},
    store::grant::{AuthorizationCode, Claim, Grant, NewTokens},
};

/// Why there are no tokens ([RFC 6749 §5.2](https://www.rfc-editor.org/rfc/rfc6749#section-5.2)).
#[derive(Debug)]
pub(crate) enum TokenError {
    InvalidRequest(&'static str),
    InvalidClient,
    InvalidGrant(&'static str),
    InvalidScope,
    /// The token is to be for an API that nobody here has ([RFC 8693 §2.2.2](https://www.rfc-editor.org/rfc/rfc8693#section-2.2.2)).
    InvalidTarget,
    UnsupportedGrantType,
    /// What the authorization endpoint would have answered to a pushed request.
    Authorization(&'static str, &'static str),
    /// The proof of possession is none, or is for another key
    /// ([RFC 9449 §5](https://www.rfc-editor.org/rfc/rfc9449#section-5)).
    InvalidDpopProof(&'static str),
    /// The proof has to hold this nonce ([RFC 9449 §8](https://www.rfc-editor.org/rfc/rfc9449#section-8)).
    UseNonce(String),
    Failure(Failure),
}

impl From<Failure> for TokenError {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<ClientAuthenticationError> for TokenError {
    fn from(error: ClientAuthenticationError) -> Self {
        match error {
            ClientAuthenticationError::Ambiguous => Self::InvalidRequest("The client authenticates in more than one way."),
            ClientAuthenticationError::Invalid => Self::InvalidClient,
            ClientAuthenticationError::Failure(failure) => Self::Failure(failure),
        }
    }
}

impl From<DpopError> for TokenError {
    fn from(error: DpopError) -> Self {
        match error {
            DpopError::Invalid(reason) => Self::InvalidDpopProof(reason),
            DpopError::UseNonce(nonce) => Self::UseNonce(nonce),
            DpopError::Failure(failure) => Self::Failure(failure),
        }
    }
}

impl IntoResponse for TokenError {
    fn into_response(self) -> Response {
        let mut nonce = None;
        let (status, error, description) = match self {
            Self::InvalidRequest(description) => (StatusCode::BAD_REQUEST, "invalid_request", description),
            Self::InvalidClient => (StatusCode::UNAUTHORIZED, "invalid_client", "The client has not proved who it is."),
            Self::InvalidGrant(description) => (StatusCode::BAD_REQUEST, "invalid_grant", description),
            Self::InvalidScope => (StatusCode::BAD_REQUEST, "invalid_scope", "The scope is more than what was allowed."),
            Self::InvalidTarget => (StatusCode::BAD_REQUEST, "invalid_target", "The one API here is notes."),
            Self::UnsupportedGrantType => {
                (StatusCode::BAD_REQUEST, "unsupported_grant_type", "Codes, refresh tokens and access tokens can be exchanged.")
            }
            Self::Authorization(error, description) => (StatusCode::BAD_REQUEST, error, description),
            Self::InvalidDpopProof(description) => (StatusCode::BAD_REQUEST, "invalid_dpop_proof", description),
            Self::UseNonce(fresh) => {
                nonce = Some(fresh);
                (StatusCode::BAD_REQUEST, "use_dpop_nonce", "The proof has to hold the nonce of this answer.")
            }
            Self::Failure(failure) => return failure.into_response(),
        };
        tracing::debug!(error, "the token endpoint refused a request");
        let mut response = (status, Json(json!({ "error": error, "error_description": description }))).into_response();
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Basic realm="demo""#));
        }
        if let Some(nonce) = nonce.and_then(|nonce| HeaderValue::try_from(nonce).ok()) {
            response.headers_mut().insert("dpop-nonce", nonce);
        }
        never_stored(response)
    }
}

pub(crate) fn never_stored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

/// Exchanges a code, a refresh token or an access token.
pub(crate) async fn post(State(state): State<AppState>, headers: HeaderMap, body: Bytes) -> Result<Response, TokenError> {
    let parameters = form::read(&headers, &body).ok_or(TokenError::InvalidRequest("The body is not a form."))?;
    if parameters.any_repeated() {
        return Err(TokenError::InvalidRequest("A parameter is there more than once."));
    }
    client_authentication::authenticate(&state, &headers, &parameters, "/token").await?;
    let path = state.path("/token");
    let key = dpop::verify(&state, &headers, Target { method: &Method::POST, path: &path, access_token: None }).await?;
    if key.is_none() && state.config.dpop == Offer::Required {
        return Err(TokenError::InvalidDpopProof("The proof is missing."));
    }
    let key = key.filter(|_| state.config.dpop != Offer::Unavailable);
    let tokens = match parameters.get("grant_type") {
        Some("authorization_code") => exchange_code(&state, &parameters, key.as_deref()).await?,
        Some("refresh_token") => refresh(&state, &parameters, key.as_deref()).await?,
        Some(exchange::GRANT_TYPE) => exchange::exchange(&state, &parameters, key.as_deref()).await?,
        Some(_) => return Err(TokenError::UnsupportedGrantType),
        None => return Err(TokenError::InvalidRequest("grant_type is missing.")),
    };
    Ok(never_stored(Json(tokens).into_response()))
}

async fn exchange_code(state: &Provider, parameters: &Parameters, key: Option<&str>) -> Result<Value, TokenError> {
    let code = parameters.get("code").ok_or(TokenError::InvalidRequest("code is missing."))?;
    let code = match state.store.claim_code(code, &state.config.client_id).await? {
        Claim::First(code) => code,
        Claim::Again => {
            tracing::warn!("a code was presented again: the tokens it gave are revoked");
            return Err(TokenError::InvalidGrant("The code has been used. The tokens it gave are revoked."));
        }
        Claim::Unknown => return Err(TokenError::InvalidGrant("The code is not known.")),
    };
    check_code(&code, parameters, key, state)?;
    let tokens = Tokens::new(state, &code.grant.scope, key)?;
    if !state.store.begin_grant(&code.grant, tokens.as_new(state, &code.grant.scope)).await? {
        return Err(TokenError::InvalidGrant("The code has been used."));
    }
    tokens.answer(state, &code.grant, &code.grant.scope, Occasion::Exchange { nonce: code.nonce.as_deref() })
}

/// Checks, in this order: the code has not expired; the redirect URI is that of the authorization request; the proof's key is that of the
/// authorization request ([RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10)); the PKCE verifier belongs to its challenge
/// ([RFC 7636 §4.6](https://www.rfc-editor.org/rfc/rfc7636#section-4.6)), and there is none where there was no challenge
/// ([RFC 9700 §4.8.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.8.2)).
fn check_code(code: &AuthorizationCode, parameters: &Parameters, key: Option<&str>, state: &Provider) -> Result<(), TokenError> {
    if code.expires_at <= state.now() {
        return Err(TokenError::InvalidGrant("The code has expired."));
    }
    if parameters.get("redirect_uri") != Some(code.redirect_uri.as_str()) {
        return Err(TokenError::InvalidGrant("redirect_uri is not that of the authorization request."));
    }
    if code.dpop_jkt.as_deref().is_some_and(|wanted| key != Some(wanted)) {
        return Err(TokenError::InvalidDpopProof("The proof's key is not that of the authorization request."));
    }
    let verifier = parameters.get("code_verifier").filter(|verifier| (43..=128).contains(&verifier.len()));
    let is_right = match &code.code_challenge {
        Some(challenge) => verifier.is_some_and(|verifier| same_secret(&code_challenge(verifier), challenge)),
        // A verifier without a challenge: somebody has taken that out on the way (RFC 9700 §4.8.2).
        None => state.config.pkce == Offer::Unavailable || parameters.get("code_verifier").is_none(),
    };
    if state.config.defect == Some(Defect::PkceIgnored) {
        state.journal.note_verifier(is_right);
        return Ok(());
    }
    if !is_right {
        return Err(TokenError::InvalidGrant("code_verifier does not belong to the code_challenge."));
    }
    Ok(())
}

/// A refresh token works once; whoever comes second with it ends the whole family
/// ([RFC 9700 §4.14.2](https://www.rfc-editor.org/rfc/rfc9700#section-4.14.2)).
async fn refresh(state: &Provider, parameters: &Parameters, key: Option<&str>) -> Result<Value, TokenError> {
    const REUSED: TokenError = TokenError::InvalidGrant("The refresh token has been used. Its whole family is revoked.");
    let presented = parameters.get("refresh_token").ok_or(TokenError::InvalidRequest("refresh_token is missing."))?;
    let stored = state.store.refresh_token(presented, &state.config.client_id).await?;
    let stored = stored.ok_or(TokenError::InvalidGrant("The refresh token is not known."))?;
    let grant = stored.grant;
    if stored.spent {
        tracing::warn!("a refresh token was presented again: its family is revoked");
        state.store.revoke_grant(&grant.id).await?;
        return Err(REUSED);
    }
    if stored.expires_at <= state.now() {
        return Err(TokenError::InvalidGrant("The refresh token has expired."));
    }
    let scope = match parameters.get("scope") {
        None => grant.scope.clone(),
        Some(asked) => narrowed(asked, &grant.scope).ok_or(TokenError::InvalidScope)?,
    };
    let tokens = Tokens::new(state, &grant.scope, key)?;
    if !state.store.rotate(presented, &grant, tokens.as_new(state, &scope)).await? {
        state.store.revoke_grant(&grant.id).await?;
        return Err(REUSED);
    }
    tokens.answer(state, &grant, &scope, Occasion::Refresh)
}

/// The scope that is asked for, when all of it was allowed ([RFC 6749 §6](https://www.rfc-editor.org/rfc/rfc6749#section-6)).
fn narrowed(asked: &str, allowed: &ScopeSet) -> Option<ScopeSet> {
    let scope = ScopeSet::parse(asked);
    let understood = asked.split(' ').filter(|name| !name.is_empty()).all(|name| !ScopeSet::parse(name).is_empty());
    (understood && !scope.is_empty() && scope.is_subset(allowed)).then_some(scope)
}

/// What tokens are given for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Occasion<'request> {
    Exchange { nonce: Option<&'request str> },
    Refresh,
}

struct Tokens<'request> {
    access_token: String,
    refresh_token: Option<String>,
    /// The key that the access token is bound to. The client has a secret, so its refresh token is bound to that already.
    key: Option<&'request str>,
}

impl<'request> Tokens<'request> {
    fn new(state: &Provider, granted: &ScopeSet, key: Option<&'request str>) -> Result<Self, Failure> {
        let access_token = state.named_secret("at")?;
        let refresh_token = if granted.contains(Scope::OfflineAccess) { Some(state.named_secret("rt")?) } else { None };
        Ok(Self { access_token, refresh_token, key })
    }

    fn as_new<'tokens>(&'tokens self, state: &Provider, scope: &'tokens ScopeSet) -> NewTokens<'tokens> {
        let now = state.now();
        NewTokens {
            access_token: &self.access_token,
            access_scope: scope,
            access_expires_at: now + state.config.access_token_lifetime.as_secs().cast_signed(),
            refresh_token: self.refresh_token.as_deref(),
            refresh_expires_at: now + state.config.refresh_token_lifetime.as_secs().cast_signed(),
            dpop_jkt: self.key,
        }
    }

    fn answer(self, state: &Provider, grant: &Grant, scope: &ScopeSet, occasion: Occasion<'_>) -> Result<Value, TokenError> {
        let mut answer = json!({
            "token_type": if self.key.is_some() { "DPoP" } else { "Bearer" },
            "expires_in": state.config.access_token_lifetime.as_secs(),
            "scope": scope.to_string(),
        });
        if scope.contains(Scope::OpenId) {
            answer["id_token"] = id_token(state, grant, scope, occasion, &self.access_token)?.into();
        }
        answer["access_token"] = self.access_token.into();
        if let Some(refresh_token) = self.refresh_token {
            answer["refresh_token"] = refresh_token.into();
        }
        if let Some(defect) = state.config.defect {
            defect::token::spoil(defect, occasion, &mut answer);
        }
        Ok(answer)
    }
}

/// An ID token ([OpenID Connect Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).
fn id_token(state: &Provider, grant: &Grant, scope: &ScopeSet, occasion: Occasion<'_>, access_token: &str) -> Result<String, Failure> {
    let (now, key) = (state.now(), state.signing_key()?);
    let mut claims = Account::of(&grant.sub).map_or_else(|| json!({}), |account| userinfo::claims(account, scope));
    claims["iss"] = state.config.issuer.as_str().into();
    claims["sub"] = grant.sub.as_str().into();
    claims["aud"] = grant.client_id.as_str().into();
    claims["iat"] = now.into();
    claims["exp"] = (now + state.config.id_token_lifetime.as_secs().cast_signed()).into();
    claims["auth_time"] = grant.auth_time.into();
    claims["sid"] = grant.sid.as_str().into();
    claims["at_hash"] = at_hash(key.algorithm(), access_token).into();
    claims["acr"] = grant.acr.name().into();
    claims["amr"] = grant.acr.methods();
    if let Occasion::Exchange { nonce: Some(nonce) } = occasion {
        claims["nonce"] = nonce.into();
    }
    let header = jwt::header(&key, TokenType::IdToken);
    match state.config.defect {
        Some(defect) => defect::id_token::forge(defect, state, &key, occasion, header, claims),
        None => jwt::sign_with_header(&key, &header, &claims),
    }
}
