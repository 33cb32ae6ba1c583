//! Steps 5 and 6 of the flow: from the provider's answer to a session.

use crate::{
    error::Failure,
    provider::Registered,
    session::{
        NewSession,
        cookie::Presented,
        record::{Key, Profile, SessionId, Tokens},
    },
    state::AppState,
};
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use oauth2flow_app::{api, problem::ProblemCode};
use oauth2flow_protocol::{
    AuthorizationResponse, ProviderMetadata, ReturnTo, TokenResponse, Transaction, User, ValidatedCallback, ValidatedIdToken,
    authorize::transaction_id_of_state,
    callback::{self, CallbackError},
    id_token::{self, IdTokenError, IdTokenExpectations},
    token::{self, MAXIMUM_TOKEN_RESPONSE_BYTES},
    userinfo,
};
use tracing::Instrument as _;

/// A finished login.
pub struct Completed {
    /// For the cookie.
    pub session: SessionId,
    /// Who signed in.
    pub user: api::User,
    /// Where they were going.
    pub return_to: ReturnTo,
}

/// What became of an authorization response.
pub struct Outcome {
    /// The login whose cookie has done its work, if the response named one of this browser's.
    pub transaction_id: Option<String>,
    /// The session, or why there is none.
    pub result: Result<Completed, Failure>,
}

/// Seals a transaction for its cookie.
pub fn seal(app: &AppState, transaction: &Transaction) -> String {
    let sealed = app.keys.seal(&place(&transaction.id()), &transaction.to_plaintext(), &*app.entropy);
    URL_SAFE_NO_PAD.encode(sealed)
}

/// Opens a transaction cookie; it opens under its own name only.
pub fn open(app: &AppState, id: &str, cookie: &str) -> Option<Transaction> {
    let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let transaction = Transaction::from_plaintext(&app.keys.open_sealed(&place(id), &sealed)?).ok()?;
    (transaction.id() == id).then_some(transaction)
}

fn place(id: &str) -> Vec<u8> {
    [b"oauth2flow transaction ", id.as_bytes()].concat()
}

/// Judges an authorization response, and if it holds, exchanges the code and begins a session.
///
/// Whatever the browser does, a state is used once: it is claimed in the store before the token request is made, and the
/// work goes on when the browser goes away.
pub async fn complete(app: &AppState, headers: &HeaderMap, response: AuthorizationResponse) -> Outcome {
    let state = match response.state() {
        Some(state) => state.to_owned(),
        None => return Outcome { transaction_id: None, result: Err(CallbackError::MissingState.into()) },
    };
    let id = transaction_id_of_state(&state);
    let claim = Key::of_claim("state", &state);
    let current = match app.cookies.session(headers) {
        Presented::Value(cookie) => SessionId::parse(cookie).map(|session| session.key()),
        _ => None,
    };
    let transaction = match app.cookies.transaction(headers, &id) {
        Presented::Value(cookie) => open(app, &id, cookie),
        Presented::Absent | Presented::Ambiguous => None,
    };
    let Some(transaction) = transaction else {
        return Outcome { transaction_id: None, result: Err(without_transaction(app, claim, current).await) };
    };
    let app = app.clone();
    let finishing = tokio::spawn(async move { finish(&app, response, transaction, claim, current).await }.in_current_span());
    let result = finishing.await.unwrap_or_else(|_| Err(ProblemCode::InternalError.into()));
    // A transaction that lost to another post of the same answer still belongs to that one.
    Outcome { transaction_id: Some(id), result }
}

/// Without its cookie a login cannot be finished; it may have been, by this very browser.
async fn without_transaction(app: &AppState, claim: Key, current: Option<Key>) -> Failure {
    let Some(session) = current else { return ProblemCode::StateMismatch.into() };
    match app.sessions.store().claim_led_to(claim, session).await {
        Ok(true) => Failure::new(ProblemCode::AlreadyCompleted).return_to("/"),
        Ok(false) => ProblemCode::StateMismatch.into(),
        Err(error) => error.into(),
    }
}

async fn finish(
    app: &AppState,
    response: AuthorizationResponse,
    transaction: Transaction,
    claim: Key,
    current: Option<Key>,
) -> Result<Completed, Failure> {
    let Some(registered) = app.providers.get(transaction.provider_id()) else {
        return Err(Failure::new(ProblemCode::UnknownProvider).detail("The provider has been taken out of the configuration meanwhile."));
    };
    let metadata = registered.metadata().await?;
    let (return_to, expires_at) = (transaction.return_to().clone(), transaction.expires_at());
    let validated = callback::validate(response, transaction, &registered.provider, &metadata, app.clock.now());
    // An error from the provider uses the login up just as a code does.
    if matches!(validated, Ok(_) | Err(CallbackError::Provider { .. })) && !app.sessions.store().claim(claim, expires_at).await? {
        return Err(Failure::new(ProblemCode::AlreadyCompleted).return_to(return_to.as_str()));
    }
    let validated = validated?;
    let new = exchange(app, registered, &metadata, validated).await?;
    let user = new.profile.user.clone();
    let (session, key) = app.sessions.begin(new).await?;
    app.sessions.store().complete_claim(claim, key).await?;
    if let Some(old) = current {
        // A session that was there before the login is not carried over.
        app.sessions.end(old).await?;
    }
    tracing::info!(provider = registered.provider.id, "signed in");
    Ok(Completed { session, user, return_to })
}

async fn exchange(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    validated: ValidatedCallback,
) -> Result<NewSession, Failure> {
    let provider = &registered.provider;
    let (request, pending) = token::exchange_request(provider, metadata, validated)?;
    let response = app.outbound.send(request, MAXIMUM_TOKEN_RESPONSE_BYTES).await?;
    let tokens = pending.process(&response, app.clock.now())?;
    let id_token = validate_id_token(app, registered, metadata, &tokens).await?;
    let user = identify(app, registered, metadata, &tokens, id_token.as_ref()).await?;
    Ok(NewSession {
        provider: provider.id.clone(),
        issuer: user.issuer,
        sid: id_token.as_ref().and_then(ValidatedIdToken::session_id).map(str::to_owned),
        profile: Profile {
            user: api::User {
                sub: user.sub,
                name: user.name,
                login: user.login,
                email: user.email,
                email_verified: user.email_verified,
                picture: user.picture,
            },
            scopes: tokens.scopes,
            access_token_expires_at: tokens.expires_at.map(Timestamp::as_second),
            refreshable: tokens.refresh_token.is_some(),
        },
        tokens: Tokens {
            access: tokens.access_token,
            refresh: tokens.refresh_token,
            id: tokens.id_token,
            audience: id_token.map(|token| token.audience().to_vec()).unwrap_or_default(),
        },
    })
}

/// Validates the ID token, with the keys fetched once more when none of the known ones signed it.
async fn validate_id_token(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    tokens: &TokenResponse,
) -> Result<Option<ValidatedIdToken>, Failure> {
    let Some(expectations) = IdTokenExpectations::new(&registered.provider, metadata, tokens, app.clock.now()) else { return Ok(None) };
    let Some(raw) = &tokens.id_token else {
        return Err(Failure::new(ProblemCode::IdTokenInvalid).detail("The provider sent no ID token."));
    };
    let keys = registered.keys(metadata).await?;
    let validated = match id_token::validate(raw, &expectations, &keys) {
        Err(error) if error.wants_fresh_keys() => {
            let keys = registered.rotated_keys(metadata).await?;
            id_token::validate(raw, &expectations, &keys)
        }
        other => other,
    };
    Ok(Some(validated.map_err(|error: IdTokenError| Failure::new(ProblemCode::IdTokenInvalid).source(error))?))
}

/// Who the user is: the ID token says it where there is one, and the user endpoint adds to it.
async fn identify(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    tokens: &TokenResponse,
    id_token: Option<&ValidatedIdToken>,
) -> Result<User, Failure> {
    let provider = &registered.provider;
    let from_token = id_token.map(|token| User::from_id_token(token, provider));
    let mut user = match userinfo::request(provider, metadata, &tokens.access_token) {
        Some(request) => {
            let response = app.outbound.send(request, MAXIMUM_TOKEN_RESPONSE_BYTES).await?;
            let user = userinfo::process(&response, provider, from_token.as_ref().map(|user| user.sub.as_str()))?;
            match from_token {
                Some(from_token) => from_token.completed_with(&user),
                None => user,
            }
        }
        None => from_token.ok_or(ProblemCode::ProviderMisconfigured)?,
    };
    if let Some(request) = userinfo::emails_request(provider, &tokens.access_token) {
        let response = app.outbound.send(request, MAXIMUM_TOKEN_RESPONSE_BYTES).await?;
        user.email = userinfo::process_emails(&response)?;
        user.email_verified = user.email.as_ref().map(|_| true);
    }
    Ok(user)
}
