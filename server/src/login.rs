//! Steps 5 and 6 of the flow: from the provider's answer to a session.

use crate::{
    access,
    dpop::Role,
    error::Failure,
    flow, logout,
    middleware::client_ip::ClientAddress,
    outbound::OutboundError,
    provider::Registered,
    session::{
        Ending, NewSession,
        cookie::{Presented, SameSite},
        device::Device,
        live::LiveSession,
        record::{Key, Profile, SessionId, Tokens},
        store::StoreError,
    },
    state::AppState,
    token_endpoint,
};
use axum::http::HeaderMap;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jiff::Timestamp;
use oauth2flow_app::{
    api,
    problem::{NextStep, ProblemCode},
};
use oauth2flow_protocol::{
    AuthorizationResponse, Context, JwkSet, OutboundRequest, OutboundResponse, ProviderMetadata, ReturnTo, TokenResponse, Transaction,
    User, ValidatedCallback, ValidatedIdToken,
    access::Known,
    authorize::{AuthorizationOptions, Prompt, transaction_id_of_state},
    callback::{self, CallbackError},
    dpop,
    id_token::{self, IdTokenError, IdTokenExpectations},
    membership::{MAXIMUM_MEMBERSHIP_BYTES, Membership, Memberships},
    provider::ResponseMode,
    token::{self, PendingExchange},
    userinfo::{self, UserInfoError},
};

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
    /// The login whose cookie has done its work, if the response named one of this browser's, and how that was set.
    pub finished: Option<(String, SameSite)>,
    /// The session, or why there is none.
    pub result: Result<Completed, Failure>,
}

/// A login under way, as its cookie holds it.
pub struct Login {
    /// What has to come back unread and unchanged.
    pub transaction: Transaction,
    /// When the browser sends the cookie along; by it a posted answer is known to be expected.
    pub same_site: SameSite,
    /// The session that the browser had when it left. The Strict cookie is not there when the provider sends the browser
    /// straight back to the server.
    pub session: Option<Key>,
}

/// Seals a login for its cookie, which has its `id` in its name.
pub fn seal(app: &AppState, id: &str, login: &Login) -> String {
    let mut before = [0; 2 + size_of::<Key>()];
    before[0] = login.same_site as u8;
    before[1] = u8::from(login.session.is_some());
    before[2..].copy_from_slice(&login.session.map_or([0; size_of::<Key>()], |key| key.0));
    let plaintext = login.transaction.to_plaintext_after(&before);
    URL_SAFE_NO_PAD.encode(app.keys.seal(&place(id), &plaintext, &*app.entropy))
}

/// Opens a transaction cookie; it opens under its own name only.
pub fn open(app: &AppState, id: &str, cookie: &str) -> Option<Login> {
    let sealed = URL_SAFE_NO_PAD.decode(cookie).ok()?;
    let plaintext = app.keys.open_sealed(&place(id), &sealed).ok()?;
    let (&[same_site, has_session], rest) = plaintext.split_first_chunk()?;
    let (session, transaction) = rest.split_first_chunk()?;
    let transaction = Transaction::from_plaintext(transaction).ok().filter(|transaction| transaction.id() == id)?;
    let same_site = [SameSite::Strict, SameSite::Lax, SameSite::None].into_iter().find(|known| *known as u8 == same_site)?;
    Some(Login { transaction, same_site, session: (has_session == 1).then_some(Key(*session)) })
}

/// The login of this browser that a response belongs to.
pub fn find(app: &AppState, headers: &HeaderMap, response: &AuthorizationResponse) -> Option<Login> {
    let id = transaction_id_of_state(response.state()?);
    match app.cookies.transaction(headers, &id) {
        Presented::Value(cookie) => open(app, &id, cookie),
        Presented::Absent | Presented::Ambiguous => None,
    }
}

fn place(id: &str) -> Vec<u8> {
    [b"oauth2flow transaction ", id.as_bytes()].concat()
}

/// Judges an authorization response, and if it holds, exchanges the code and begins a session.
///
/// Whatever the browser does, a state is used once: it is claimed in the store before the token request is made, and the
/// work goes on when the browser goes away.
pub async fn complete(app: &AppState, headers: &HeaderMap, address: Option<ClientAddress>, response: AuthorizationResponse) -> Outcome {
    let Some(state) = response.state() else {
        flow::login::unreadable(flow::current().as_ref(), &CallbackError::MissingState);
        return refused(CallbackError::MissingState.into());
    };
    let claim = Key::of_claim("state", state);
    let current = match app.cookies.session(headers) {
        Presented::Value(cookie) => SessionId::parse(cookie).map(|session| session.key()),
        _ => None,
    };
    let Some(login) = find(app, headers, &response) else {
        flow::login::without_transaction();
        return refused(without_transaction(app, claim, current).await);
    };
    let finished = Some((login.transaction.id(), login.same_site));
    let (provider, return_to) = (login.transaction.provider_id().to_owned(), login.transaction.return_to().clone());
    let options = login.transaction.options().clone();
    let app = app.clone();
    let device = Device::of(headers, address);
    let finishing = app.clone().ongoing.spawn(flow::carry(async move {
        // Behind a pointer: what is needed in the course of all this is as large as a page of memory many times over, and is moved several
        // times on its way into a task.
        let result = Box::pin(finish(&app, response, login, claim, current, device)).await;
        flow::login::ended(&result);
        result
    }));
    let result = finishing.await.unwrap_or_else(|_| Err(ProblemCode::InternalError.into()));
    let result = result.map_err(|failure| with_next_try(failure, &provider, &options, &return_to));
    // A transaction that lost to another post of the same answer still belongs to that one.
    Outcome { finished, result }
}

/// The query of a sign-in that asks for no less than the one with these options; whoever was to be left in peace may be asked now.
fn another_try(provider: &str, options: &AuthorizationOptions) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.append_pair("provider", provider);
    if let Some(age) = options.max_age {
        query.append_pair("max_age", &age.as_secs().to_string());
    }
    let prompt: Vec<_> = options.prompt.iter().filter(|prompt| **prompt != Prompt::None).map(|prompt| prompt.name()).collect();
    for (name, values) in [("acr_values", options.acr_values.join(" ")), ("prompt", prompt.join(" "))] {
        if !values.is_empty() {
            query.append_pair(name, &values);
        }
    }
    query.finish()
}

/// Says which sign-in would be another try, where one may help, and that it leads to where the login was to lead.
pub fn with_next_try(mut failure: Failure, provider: &str, options: &AuthorizationOptions, return_to: &ReturnTo) -> Failure {
    use NextStep::{SignIn, SignInAgain, TryLater, UseAnotherAccount};
    if matches!(failure.code.explain().next, SignIn | SignInAgain | TryLater | UseAnotherAccount) {
        if failure.login_url.is_none() {
            failure = failure.login_url(format!("/api/v1/oauth/login?{}", another_try(provider, options)));
        }
        failure.return_to.get_or_insert_with(|| return_to.to_string());
    }
    failure
}

/// What becomes of a response that belongs to no login of this browser's.
fn refused(failure: Failure) -> Outcome {
    let result = Err(failure);
    flow::login::ended(&result);
    Outcome { finished: None, result }
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
    login: Login,
    claim: Key,
    current: Option<Key>,
    device: Device,
) -> Result<Completed, Failure> {
    let Login { transaction, session: replaced, .. } = login;
    let Some(registered) = app.providers.get(transaction.provider_id()) else {
        return Err(Failure::new(ProblemCode::UnknownProvider).detail("The provider has been taken out of the configuration meanwhile."));
    };
    let metadata = registered.metadata().await?;
    flow::login::metadata(&metadata);
    let signed = response.is_signed();
    let (return_to, expires_at) = (transaction.return_to().clone(), transaction.expires_at());
    let validated = validate(app, registered, &metadata, response, transaction).await?;
    let session = app.sessions.draw_id();
    // An error from the provider uses the login up just as a code does.
    let is_used_up = matches!(validated, Ok(_) | Err(CallbackError::Provider { .. }));
    let first_use = if is_used_up { Some(app.sessions.store().claim(claim, Some(session.key()), expires_at).await?) } else { None };
    flow::login::answered(signed, &validated, first_use);
    if first_use == Some(false) {
        return Err(Failure::new(ProblemCode::AlreadyCompleted).return_to(return_to.as_str()));
    }
    let validated = validated?;
    let mut new = exchange(app, registered, &metadata, validated).await?;
    new.profile.device = Some(device);
    // A session that was there before the login is not carried over.
    let old = current.into_iter().chain(replaced.filter(|old| Some(*old) != current));
    match begin(app, &session, &new, old).await {
        Ok(()) => {
            flow::login::signed_in(app, &session, &new);
            tracing::info!(provider = registered.provider.id, "signed in");
            Ok(Completed { session, user: new.profile.user, return_to })
        }
        // The browser gets no cookie, and it may have been written down all the same.
        Err(error) => {
            logout::give_back(app, registered, Some(session.key()), new.tokens);
            Err(error.into())
        }
    }
}

/// Begins a session in the place of `old` ones.
async fn begin(app: &AppState, session: &SessionId, new: &NewSession, old: impl Iterator<Item = Key>) -> Result<(), StoreError> {
    app.sessions.begin(session, new).await?;
    let is_same_user = |old: &LiveSession| old.provider == new.provider && old.sub == new.profile.user.sub;
    for old in old {
        // What is open may show what is another user's: to those pages it is a sign-out.
        if app.sessions.peek(old).await.is_ok_and(|old| old.is_some_and(|old| is_same_user(&old))) {
            app.sessions.note_ending(old, Ending::Replacement).await;
        }
        app.sessions.end(old).await?;
    }
    Ok(())
}

/// Judges the response; a signed one with the provider's keys.
async fn validate(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    response: AuthorizationResponse,
    transaction: Transaction,
) -> Result<Result<ValidatedCallback, CallbackError>, Failure> {
    let provider = &registered.provider;
    if provider.response_mode != ResponseMode::Jwt {
        return Ok(callback::validate(response, transaction, provider, metadata, None, app.clock.now()));
    }
    let judge = |keys: &JwkSet| callback::validate(response.clone(), transaction.clone(), provider, metadata, Some(keys), app.clock.now());
    Ok(registered.judge(metadata, judge, CallbackError::wants_fresh_keys).await?)
}

async fn exchange(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    validated: ValidatedCallback,
) -> Result<NewSession, Failure> {
    let claimed_name = validated.claimed_name().map(str::to_owned);
    let tokens = request_tokens(app, registered, metadata, validated).await?;
    match judge(app, registered, metadata, &tokens, claimed_name).await {
        Ok(Admitted { issuer, sid, profile, audience }) => {
            let tokens = Tokens { audience, ..Tokens::from(tokens) };
            Ok(NewSession { provider: registered.provider.id.clone(), issuer, sid, profile, tokens })
        }
        Err(failure) => {
            logout::give_back(app, registered, None, tokens.into());
            Err(failure)
        }
    }
}

/// Who may in, and what is known of them.
struct Admitted {
    issuer: String,
    sid: Option<String>,
    profile: Profile,
    audience: Vec<String>,
}

/// Finds out whose tokens these are, and whether that user may in.
async fn judge(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    tokens: &TokenResponse,
    claimed_name: Option<String>,
) -> Result<Admitted, Failure> {
    let id_token = validate_id_token(app, registered, metadata, tokens).await?;
    let user = identify(app, registered, metadata, tokens, id_token.as_ref()).await?.with_claimed_name(claimed_name);
    let profile = Profile {
        user: api::User {
            sub: user.sub,
            name: user.name,
            login: user.login,
            email: user.email,
            email_verified: user.email_verified,
            picture: user.picture,
        },
        scopes: tokens.scopes.clone(),
        access_token_issued_at: Some(app.clock.now().as_second()),
        access_token_expires_at: tokens.expires_at.map(Timestamp::as_second),
        refreshable: tokens.refresh_token.is_some(),
        acr: id_token.as_ref().and_then(ValidatedIdToken::acr).map(str::to_owned),
        authenticated_at: id_token.as_ref().and_then(ValidatedIdToken::auth_time).map(Timestamp::as_second),
        device: None,
        facts: user.facts,
    };
    access::require_at_login(registered, &user.issuer, &profile).inspect_err(flow::login::kept_out)?;
    Ok(Admitted {
        issuer: user.issuer,
        sid: id_token.as_ref().and_then(ValidatedIdToken::session_id).map(str::to_owned),
        profile,
        audience: id_token.map(|token| token.audience().to_vec()).unwrap_or_default(),
    })
}

impl From<TokenResponse> for Tokens {
    fn from(response: TokenResponse) -> Self {
        Self {
            access: response.access_token,
            refresh: response.refresh_token,
            id: response.id_token,
            audience: Vec::new(),
            dpop_key: response.dpop_key,
        }
    }
}

async fn request_tokens(
    app: &AppState,
    registered: &Registered,
    metadata: &ProviderMetadata,
    validated: ValidatedCallback,
) -> Result<TokenResponse, Failure> {
    let exchange = |nonce: Option<&str>, context: &mut Context<'_>| {
        Ok(token::exchange_request(&registered.provider, metadata, validated, nonce, context)?)
    };
    let (response, pending) = token_endpoint::ask::<_, Failure>(app, registered, exchange, PendingExchange::retry_with_nonce).await?;
    let tokens = pending.process(&response, app.clock.now());
    flow::login::tokens(registered, &tokens);
    Ok(tokens?)
}

/// Asks for something that the access token opens, in the same way.
async fn request_resource(
    app: &AppState,
    registered: &Registered,
    tokens: &TokenResponse,
    request: OutboundRequest,
) -> Result<OutboundResponse, OutboundError> {
    let Some(key) = &tokens.dpop_key else { return registered.send(request).await };
    let provider = &registered.provider.id;
    let authorized =
        |nonce: Option<&str>| app.with_context(|context| dpop::authorize(request.clone(), &tokens.access_token, Some(key), nonce, context));
    let nonce = app.dpop_nonces.of(Role::ProviderResource, provider);
    let response = registered.send(authorized(nonce.as_deref())).await?;
    app.dpop_nonces.remember(Role::ProviderResource, provider, response.dpop_nonce());
    match dpop::nonce_wanted_by_resource(&response).filter(|wanted| Some(*wanted) != nonce.as_deref()) {
        Some(nonce) => registered.send(authorized(Some(nonce))).await,
        None => Ok(response),
    }
}

/// Validates the ID token, where the provider has to send one.
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
    let judge = |keys: &_| id_token::validate(raw, &expectations, keys);
    let judged = registered.judge(metadata, judge, IdTokenError::wants_fresh_keys).await;
    flow::login::id_token(raw, &expectations, &judged);
    Ok(Some(judged??))
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
            let response = request_resource(app, registered, tokens, request).await?;
            let judge = |keys: Option<&JwkSet>| userinfo::process(&response, provider, metadata, keys, id_token, app.clock.now());
            let signed = userinfo::is_signed(&response);
            let user = if signed {
                registered.judge(metadata, |keys| judge(Some(keys)), UserInfoError::wants_fresh_keys).await?
            } else {
                judge(None)
            };
            flow::login::userinfo(signed, &user);
            let user = user?;
            match from_token {
                Some(from_token) => from_token.completed_with(&user),
                None => user,
            }
        }
        None => from_token.ok_or(ProblemCode::ProviderMisconfigured)?,
    };
    if let Some(request) = userinfo::emails_request(provider, &tokens.access_token) {
        let response = request_resource(app, registered, tokens, request).await?;
        user = user.with_verified_email(userinfo::process_emails(&response)?);
    }
    let organizations = memberships(registered, tokens, Membership::Organizations).await?;
    let teams = memberships(registered, tokens, Membership::Teams).await?;
    Ok(user.with_memberships(organizations, teams))
}

/// What the user is a member of, page by page, where a rule wants to know it.
async fn memberships(registered: &Registered, tokens: &TokenResponse, of: Membership) -> Result<Known, Failure> {
    let mut memberships = Memberships::new(of);
    let mut next = memberships.first_request(&registered.provider, &tokens.access_token);
    while let Some(request) = next {
        let response = registered.send_for(request, MAXIMUM_MEMBERSHIP_BYTES).await?;
        next = memberships.process(&response, &registered.provider, &tokens.access_token)?;
    }
    Ok(memberships.finish())
}

#[cfg(test)]
mod tests {
    use super::another_try;
    use oauth2flow_protocol::authorize::{AuthorizationOptions, Prompt};
    use std::time::Duration;

    #[test]
    fn another_try_asks_for_no_less_and_may_show_pages() {
        assert_eq!(another_try("a b", &AuthorizationOptions::default()), "provider=a+b");
        let demanding = AuthorizationOptions {
            prompt: vec![Prompt::None],
            max_age: Some(Duration::ZERO),
            acr_values: vec!["gold".to_owned(), "silver".to_owned()],
            ..AuthorizationOptions::default()
        };
        assert_eq!(another_try("a", &demanding), "provider=a&max_age=0&acr_values=gold+silver");
        let asking = AuthorizationOptions { prompt: vec![Prompt::Login, Prompt::SelectAccount], ..AuthorizationOptions::default() };
        assert_eq!(another_try("a", &asking), "provider=a&prompt=login+select_account");
    }
}
