//! The authorization request: what a client may ask, and how it is told that it may not.

use serde::{Deserialize, Serialize};

use crate::{
    DemoProviderConfig,
    jwt::{self, TokenType},
    parameters::Parameters,
    routes::end_session::IdTokenHint,
    scope::ScopeSet,
    signing_key::SigningKey,
};

/// Longer values than this are nobody's `state` or `nonce`.
const MAX_VALUE_BYTES: usize = 2048;

/// A request that holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client_id: String,
    pub(crate) redirect_uri: String,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    pub(crate) scope: ScopeSet,
    pub(crate) code_challenge: String,
    pub(crate) prompt: Vec<Prompt>,
    /// The greatest age of the authentication, in seconds.
    pub(crate) max_age: Option<i64>,
    pub(crate) login_hint: Option<String>,
    /// The only account that may answer: the one named by `id_token_hint`.
    pub(crate) hinted_sub: Option<String>,
}

/// What the client wants people to see
/// ([OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Prompt {
    None,
    Login,
    Consent,
    SelectAccount,
}

impl Prompt {
    fn named(name: &str) -> Option<Self> {
        match name {
            "none" => Some(Self::None),
            "login" => Some(Self::Login),
            "consent" => Some(Self::Consent),
            "select_account" => Some(Self::SelectAccount),
            _ => None,
        }
    }
}

/// Why a request does not hold.
#[derive(Debug)]
pub(crate) enum AuthorizationError {
    /// The client or its redirect URI is in doubt, so the browser is sent nowhere
    /// ([RFC 6749 §4.1.2.1](https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2.1)).
    Unredirectable(&'static str),
    /// The client is told.
    Refused { redirect_uri: String, state: Option<String>, error: &'static str, description: &'static str },
}

impl AuthorizationRequest {
    /// Reads a request.
    ///
    /// Checks, in this order: the client; its redirect URI, character by character; no parameter comes twice; no request
    /// object; `response_type` and `response_mode`; the scope; PKCE with S256; lengths; `prompt`; `max_age`; `id_token_hint`.
    pub(crate) fn parse(
        parameters: &Parameters,
        config: &DemoProviderConfig,
        signing_key: &SigningKey,
    ) -> Result<Self, AuthorizationError> {
        let client_id = parameters
            .get("client_id")
            .filter(|client_id| *client_id == config.client_id)
            .ok_or(AuthorizationError::Unredirectable("The request does not name a client that this provider knows."))?;
        let redirect_uri = parameters
            .get("redirect_uri")
            .filter(|uri| config.redirect_uris.iter().any(|registered| registered == uri))
            .ok_or(AuthorizationError::Unredirectable("The address to return to is not one that the app has registered."))?;

        let refused = |(error, description)| AuthorizationError::Refused {
            redirect_uri: redirect_uri.to_owned(),
            state: parameters.get("state").filter(|state| state.len() <= MAX_VALUE_BYTES).map(str::to_owned),
            error,
            description,
        };
        check_form(parameters).map_err(refused)?;
        let prompt = prompt(parameters).map_err(refused)?;
        let max_age = max_age(parameters).map_err(refused)?;
        let hinted_sub = hinted_sub(parameters, config, signing_key).map_err(refused)?;
        let scope = scope(parameters).map_err(refused)?;
        let code_challenge = code_challenge(parameters).map_err(refused)?;

        let owned = |name| parameters.get(name).map(str::to_owned);
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: redirect_uri.to_owned(),
            state: owned("state"),
            nonce: owned("nonce"),
            scope,
            code_challenge,
            prompt,
            max_age,
            login_hint: owned("login_hint"),
            hinted_sub,
        })
    }

    pub(crate) fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }
}

type Refusal = (&'static str, &'static str);

fn check_form(parameters: &Parameters) -> Result<(), Refusal> {
    if parameters.any_repeated() {
        return Err(("invalid_request", "A parameter is there more than once."));
    }
    if parameters.get("request").is_some() {
        return Err(("request_not_supported", "Request objects are not supported."));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "Request objects are not supported."));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "Only response_type=code is supported.")),
        None => return Err(("invalid_request", "response_type is missing.")),
    }
    if !matches!(parameters.get("response_mode"), None | Some("query")) {
        return Err(("invalid_request", "Only response_mode=query is supported."));
    }
    if ["state", "nonce", "login_hint"].iter().any(|name| parameters.get(name).is_some_and(|value| value.len() > MAX_VALUE_BYTES)) {
        return Err(("invalid_request", "A parameter is too long."));
    }
    Ok(())
}

fn scope(parameters: &Parameters) -> Result<ScopeSet, Refusal> {
    let scope = ScopeSet::parse(parameters.get("scope").unwrap_or_default());
    if scope.is_empty() {
        return Err(("invalid_scope", "The request names no scope that this provider knows."));
    }
    Ok(scope)
}

fn code_challenge(parameters: &Parameters) -> Result<String, Refusal> {
    let challenge = parameters.get("code_challenge").ok_or(("invalid_request", "code_challenge is missing: PKCE is required."))?;
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "Only code_challenge_method=S256 is supported."));
    }
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
        return Err(("invalid_request", "code_challenge is not a SHA-256 hash in base64url."));
    }
    Ok(challenge.to_owned())
}

fn prompt(parameters: &Parameters) -> Result<Vec<Prompt>, Refusal> {
    let prompt: Vec<Prompt> = parameters
        .get("prompt")
        .unwrap_or_default()
        .split(' ')
        .filter(|name| !name.is_empty())
        .map(|name| Prompt::named(name).ok_or(("invalid_request", "prompt has an unknown value.")))
        .collect::<Result<_, _>>()?;
    if prompt.contains(&Prompt::None) && prompt.len() > 1 {
        return Err(("invalid_request", "prompt=none goes with no other prompt."));
    }
    Ok(prompt)
}

fn max_age(parameters: &Parameters) -> Result<Option<i64>, Refusal> {
    let malformed = ("invalid_request", "max_age is not a number of seconds.");
    let Some(value) = parameters.get("max_age") else { return Ok(None) };
    if !value.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(malformed);
    }
    value.parse().map(Some).map_err(|_| malformed)
}

fn hinted_sub(parameters: &Parameters, config: &DemoProviderConfig, signing_key: &SigningKey) -> Result<Option<String>, Refusal> {
    let Some(hint) = parameters.get("id_token_hint") else { return Ok(None) };
    jwt::verify::<IdTokenHint>(signing_key, TokenType::IdToken, hint)
        .filter(|hint| hint.iss == config.issuer && hint.aud == config.client_id)
        .map(|hint| Some(hint.sub))
        .ok_or(("invalid_request", "id_token_hint is not an ID token that this provider gave to this client."))
}
