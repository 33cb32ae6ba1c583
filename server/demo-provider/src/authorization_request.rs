//! The authorization request: what a client may ask, and how it is told that it may not.

use serde::{Deserialize, Serialize};

use crate::{
    Offer,
    acr::Acr,
    authorization_response::{Destination, ResponseMode},
    jwt::TokenType,
    parameters::Parameters,
    request_object,
    routes::end_session::IdTokenHint,
    scope::ScopeSet,
    state::Provider,
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
    /// Nothing where the client has sent none, and none is demanded.
    pub(crate) code_challenge: Option<String>,
    pub(crate) prompt: Vec<Prompt>,
    /// The greatest age of the authentication, in seconds.
    pub(crate) max_age: Option<i64>,
    pub(crate) login_hint: Option<String>,
    /// The only account that may answer: the one named by `id_token_hint`.
    pub(crate) hinted_sub: Option<String>,
    /// How the answer travels.
    #[serde(default)]
    pub(crate) response_mode: ResponseMode,
    /// How strong the authentication should be, the most wanted class first.
    #[serde(default)]
    pub(crate) acr_values: Vec<String>,
    /// The key that the tokens are to be bound to
    /// ([RFC 9449 §10](https://www.rfc-editor.org/rfc/rfc9449#section-10)).
    #[serde(default)]
    pub(crate) dpop_jkt: Option<String>,
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
    Refused { destination: Destination, error: &'static str, description: &'static str },
}

impl AuthorizationRequest {
    /// Reads a request.
    ///
    /// Checks, in this order: the client; its redirect URI, character by character; no parameter comes twice; its signature, when
    /// there is one or has to be one; `response_type` and `response_mode`; the scope; PKCE with S256; lengths; `prompt`;
    /// `max_age`; `id_token_hint`.
    pub(crate) fn parse(parameters: &Parameters, provider: &Provider) -> Result<Self, AuthorizationError> {
        let client_id = parameters
            .get("client_id")
            .filter(|client_id| *client_id == provider.config.client_id)
            .ok_or(AuthorizationError::Unredirectable("The request does not name a client that this provider knows."))?;
        let outer = || destination(parameters, provider);
        match parameters.get("request") {
            None if provider.config.require_signed_requests => {
                let (error, description) = ("invalid_request", "The request is not signed.");
                Err(AuthorizationError::Refused { destination: outer()?, error, description })
            }
            None => Self::parse_plain(parameters, client_id, provider),
            Some(object) => match request_object::read(object, client_id, provider) {
                Ok(parameters) => Self::parse_plain(&parameters, client_id, provider),
                Err(description) => {
                    Err(AuthorizationError::Refused { destination: outer()?, error: "invalid_request_object", description })
                }
            },
        }
    }

    fn parse_plain(parameters: &Parameters, client_id: &str, provider: &Provider) -> Result<Self, AuthorizationError> {
        let destination = destination(parameters, provider)?;
        let refused = |(error, description)| AuthorizationError::Refused { destination: destination.clone(), error, description };
        check_form(parameters).map_err(refused)?;
        let prompt = prompt(parameters).map_err(refused)?;
        let max_age = max_age(parameters).map_err(refused)?;
        let hinted_sub = hinted_sub(parameters, provider).map_err(refused)?;
        let scope = scope(parameters).map_err(refused)?;
        let code_challenge = code_challenge(parameters, provider).map_err(refused)?;

        let owned = |name| parameters.get(name).map(str::to_owned);
        Ok(Self {
            client_id: client_id.to_owned(),
            redirect_uri: destination.redirect_uri.clone(),
            response_mode: destination.response_mode,
            state: owned("state"),
            nonce: owned("nonce"),
            scope,
            code_challenge,
            prompt,
            max_age,
            login_hint: owned("login_hint"),
            hinted_sub,
            acr_values: parameters.get("acr_values").unwrap_or_default().split_ascii_whitespace().map(str::to_owned).collect(),
            dpop_jkt: owned("dpop_jkt"),
        })
    }

    pub(crate) fn prompts(&self, prompt: Prompt) -> bool {
        self.prompt.contains(&prompt)
    }

    /// The class of authentication that is wanted: the first that there is.
    pub(crate) fn acr(&self) -> Option<Acr> {
        self.acr_values.iter().find_map(|name| Acr::named(name))
    }
}

/// Where the answer to a request goes, whether or not the rest of it holds.
fn destination(parameters: &Parameters, provider: &Provider) -> Result<Destination, AuthorizationError> {
    let redirect_uri = parameters
        .get("redirect_uri")
        .filter(|uri| provider.config.redirect_uris.iter().any(|registered| registered == uri))
        .ok_or(AuthorizationError::Unredirectable("The address to return to is not one that the app has registered."))?;
    Ok(Destination {
        redirect_uri: redirect_uri.to_owned(),
        response_mode: parameters.get("response_mode").and_then(ResponseMode::named).unwrap_or_default(),
        state: parameters.get("state").filter(|state| state.len() <= MAX_VALUE_BYTES).map(str::to_owned),
    })
}

type Refusal = (&'static str, &'static str);

fn check_form(parameters: &Parameters) -> Result<(), Refusal> {
    if parameters.any_repeated() {
        return Err(("invalid_request", "A parameter is there more than once."));
    }
    if parameters.get("request_uri").is_some() {
        return Err(("request_uri_not_supported", "Only requests that were pushed here are fetched."));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(("unsupported_response_type", "Only response_type=code is supported.")),
        None => return Err(("invalid_request", "response_type is missing.")),
    }
    if parameters.get("response_mode").is_some_and(|mode| ResponseMode::named(mode).is_none()) {
        return Err(("invalid_request", "response_mode is none that this provider knows."));
    }
    if ["state", "nonce", "login_hint", "acr_values", "dpop_jkt"]
        .iter()
        .any(|name| parameters.get(name).is_some_and(|value| value.len() > MAX_VALUE_BYTES))
    {
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

fn code_challenge(parameters: &Parameters, provider: &Provider) -> Result<Option<String>, Refusal> {
    let challenge = match (parameters.get("code_challenge"), provider.config.pkce) {
        // What a provider does not know, it ignores (RFC 6749 §3.1).
        (_, Offer::Unavailable) | (None, Offer::Available) => return Ok(None),
        (None, Offer::Required) => return Err(("invalid_request", "code_challenge is missing: PKCE is required.")),
        (Some(challenge), Offer::Available | Offer::Required) => challenge,
    };
    if parameters.get("code_challenge_method") != Some("S256") {
        return Err(("invalid_request", "Only code_challenge_method=S256 is supported."));
    }
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if challenge.len() != 43 || !challenge.bytes().all(is_base64url) {
        return Err(("invalid_request", "code_challenge is not a SHA-256 hash in base64url."));
    }
    Ok(Some(challenge.to_owned()))
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

fn hinted_sub(parameters: &Parameters, provider: &Provider) -> Result<Option<String>, Refusal> {
    let Some(hint) = parameters.get("id_token_hint") else { return Ok(None) };
    provider
        .verify::<IdTokenHint>(TokenType::IdToken, hint)
        .filter(|hint| hint.iss == provider.config.issuer && hint.aud == provider.config.client_id)
        .map(|hint| Some(hint.sub))
        .ok_or(("invalid_request", "id_token_hint is not an ID token that this provider gave to this client."))
}
