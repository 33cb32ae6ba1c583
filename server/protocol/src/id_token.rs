//! ID token validation. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use crate::authorize::TRANSACTION_LIFETIME;
use crate::discovery::ProviderMetadata;
use crate::issuer::ExpectedIssuer;
use crate::json;
use crate::jwks::JwkSet;
use crate::jws::{self, JwsError, VerifiedToken};
use crate::logout_token::BACKCHANNEL_LOGOUT_EVENT;
use crate::provider::{IssuerRule, Provider};
use crate::secret::{AccessToken, IdToken, Nonce};
use crate::signing_algorithm::SigningAlgorithm;
use crate::token::TokenResponse;

/// How far the provider's clock may be off.
pub const CLOCK_LEEWAY: Duration = Duration::from_mins(1);

/// What an ID token is held against.
#[derive(Clone, Debug)]
pub struct IdTokenExpectations<'a> {
    /// The provider's issuer.
    pub issuer: &'a str,
    /// Which issuer the token may name instead.
    pub issuer_rule: &'a IssuerRule,
    /// The issuer with `{tenantid}` in it, where the metadata declares one: [`ProviderMetadata::issuer_template`].
    pub issuer_template: Option<&'a str>,
    /// This client.
    pub client_id: &'a str,
    /// Audiences that the token may have beside this client.
    pub trusted_audiences: &'a [String],
    /// The nonce that was sent; without one, the token must not have one.
    pub nonce: Option<&'a Nonce>,
    /// The pinned algorithms: [`Provider::pinned_algorithms`].
    pub algorithms: Vec<SigningAlgorithm>,
    /// The access token that came with it, for `at_hash`.
    pub access_token: Option<&'a AccessToken>,
    /// The time.
    pub now: Timestamp,
    /// How far the provider's clock may be off.
    pub leeway: Duration,
    /// How long ago the user may have logged in, when `max_age` was asked for.
    pub max_age: Option<Duration>,
    /// How the user may have been authenticated, when `acr_values` was asked for; otherwise empty.
    pub acr_values: &'a [String],
    /// Claims that the token must hold with these values: [`Provider::required_claims`].
    pub required_claims: &'a [(String, String)],
}

impl<'a> IdTokenExpectations<'a> {
    /// What the ID token of a code's exchange is held against; `None` when the provider issues none.
    pub fn new(provider: &'a Provider, metadata: &'a ProviderMetadata, tokens: &'a TokenResponse, now: Timestamp) -> Option<Self> {
        Some(Self {
            issuer: provider.openid_issuer()?,
            issuer_rule: &provider.issuer_rule,
            issuer_template: metadata.issuer_template.as_deref(),
            client_id: &provider.client_id,
            trusted_audiences: &provider.trusted_audiences,
            nonce: tokens.nonce.as_ref(),
            algorithms: provider.pinned_algorithms(metadata),
            access_token: Some(&tokens.access_token),
            now,
            leeway: CLOCK_LEEWAY,
            max_age: tokens.max_age,
            acr_values: &tokens.acr_values,
            required_claims: &provider.required_claims,
        })
    }
}

/// An ID token that has passed every check.
#[derive(Clone)]
pub struct ValidatedIdToken {
    identity: IdTokenIdentity,
    expires_at: Timestamp,
    claims: Map<String, Value>,
    foreign_claims: BTreeSet<String>,
}

/// Who an ID token is about and for: what a refreshed one must keep.
/// [Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdTokenIdentity {
    /// The configured issuer, or `iss` where that names the user's tenant.
    pub issuer: String,
    /// `sub`
    pub subject: String,
    /// `aud`
    pub audience: Vec<String>,
}

/// Why an ID token is rejected.
#[derive(Debug, thiserror::Error)]
pub enum IdTokenError {
    /// The signature is not trusted.
    #[error(transparent)]
    Jws(#[from] JwsError),
    /// A required claim is missing. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    #[error("the ID token has no {0}")]
    MissingClaim(&'static str),
    /// A claim has the wrong type or a value that it cannot have. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    #[error("the ID token's {0} is not what it must be")]
    InvalidClaim(&'static str),
    /// It is a logout token. [Back-Channel Logout §4.1](https://openid.net/specs/openid-connect-backchannel-1_0.html#CrossJWT)
    #[error("the token is a logout token")]
    LogoutToken,
    /// It is from another issuer. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 2
    #[error("the ID token is from another issuer")]
    IssuerMismatch,
    /// It is for another client. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 3
    #[error("the ID token is for another client")]
    AudienceMismatch,
    /// It is for a client that is not trusted, too. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 3
    #[error("the ID token is for another audience as well")]
    UntrustedAudience,
    /// It was issued to another client. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 5
    #[error("the ID token was issued to another client")]
    AuthorizedPartyMismatch,
    /// It has expired. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 9
    #[error("the ID token expired {seconds} s ago")]
    Expired {
        /// For how long, in seconds.
        seconds: i64,
        /// Whether it rather is this server's clock that is wrong: [`IdTokenError::suspects_own_clock`].
        suspects_own_clock: bool,
    },
    /// It was issued in the future: one of the two clocks is wrong.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 10
    #[error("the ID token was issued {seconds} s in the future: the provider's clock or this one's is wrong")]
    IssuedInTheFuture {
        /// How far, in seconds.
        seconds: i64,
        /// Whether it rather is this server's clock that is wrong: [`IdTokenError::suspects_own_clock`].
        suspects_own_clock: bool,
    },
    /// It is not valid yet. [RFC 7519 §4.1.5](https://www.rfc-editor.org/rfc/rfc7519#section-4.1.5)
    #[error("the ID token becomes valid in {seconds} s")]
    NotYetValid {
        /// When, in seconds from now.
        seconds: i64,
    },
    /// The nonce is not the one that was sent, or there is one and none was sent.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 11
    #[error("the ID token's nonce is not the one that was sent")]
    NonceMismatch,
    /// The access token beside it is not the one it was issued with.
    /// [Core §3.1.3.8](https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowTokenValidation)
    #[error("the ID token belongs to another access token")]
    AccessTokenHashMismatch,
    /// The user logged in too long ago. [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 13
    #[error("the login at the provider is too old")]
    AuthenticationTooOld,
    /// The user was not authenticated in any of the ways that were asked for.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 12
    #[error("the provider did not authenticate the user as was asked for")]
    AcrMismatch,
    /// A claim that the configuration demands is missing or has another value.
    /// [Core §5.5](https://openid.net/specs/openid-connect-core-1_0.html#ClaimsParameter)
    #[error("the ID token's {0} is not what the configuration demands")]
    RequiredClaim(String),
}

impl IdTokenError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Jws(error) => error.code(),
            Self::MissingClaim(_) => "id_token_claim_missing",
            Self::InvalidClaim(_) => "id_token_claim_invalid",
            Self::LogoutToken => "id_token_is_logout_token",
            Self::IssuerMismatch => "id_token_issuer_mismatch",
            Self::AudienceMismatch => "id_token_audience_mismatch",
            Self::UntrustedAudience => "id_token_audience_untrusted",
            Self::AuthorizedPartyMismatch => "id_token_azp_mismatch",
            Self::Expired { .. } => "id_token_expired",
            Self::IssuedInTheFuture { .. } => "id_token_issued_in_the_future",
            Self::NotYetValid { .. } => "id_token_not_yet_valid",
            Self::NonceMismatch => "id_token_nonce_mismatch",
            Self::AccessTokenHashMismatch => "id_token_at_hash_mismatch",
            Self::AuthenticationTooOld => "id_token_authentication_too_old",
            Self::AcrMismatch => "id_token_acr_mismatch",
            Self::RequiredClaim(_) => "id_token_required_claim",
        }
    }

    /// Whether fetching the keys once more may help: the provider may have rotated them.
    pub fn wants_fresh_keys(&self) -> bool {
        matches!(self, Self::Jws(error) if error.wants_fresh_keys())
    }

    /// Whether this server's own clock is probably wrong: the token's times agree with each other, and not with the time here. It is
    /// issued in the future, or it has expired although it holds the nonce of a login that began minutes ago, and is older than any
    /// such login. The provider's clock may be wrong instead; what is certain is that one of them is.
    pub fn suspects_own_clock(&self) -> bool {
        matches!(self, Self::Expired { suspects_own_clock: true, .. } | Self::IssuedInTheFuture { suspects_own_clock: true, .. })
    }
}

impl ValidatedIdToken {
    /// The issuer half of the user's key: the configured issuer, or `iss` where that names the user's tenant.
    pub fn issuer(&self) -> &str {
        &self.identity.issuer
    }

    /// `sub`
    pub fn subject(&self) -> &str {
        &self.identity.subject
    }

    /// `aud`
    pub fn audience(&self) -> &[String] {
        &self.identity.audience
    }

    /// `sid`, the provider's name of its session.
    pub fn session_id(&self) -> Option<&str> {
        self.claims.get("sid").and_then(Value::as_str)
    }

    /// `exp`
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// `acr`: how the user was authenticated. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    pub fn acr(&self) -> Option<&str> {
        self.claims.get("acr").and_then(Value::as_str)
    }

    /// `amr`: by what means the user was authenticated. [RFC 8176 §1](https://www.rfc-editor.org/rfc/rfc8176#section-1)
    pub fn amr(&self) -> Vec<&str> {
        self.claims.get("amr").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// `auth_time`: when the user was authenticated. [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    pub fn auth_time(&self) -> Option<Timestamp> {
        Timestamp::from_second(json::seconds(&self.claims, "auth_time").ok()??).ok()
    }

    /// Every claim of the token itself. Those that it leaves to somebody else
    /// ([Core §5.6.2](https://openid.net/specs/openid-connect-core-1_0.html#AggregatedDistributedClaims)) are not among them: nobody
    /// has verified them, and where they are to be had may come with a token.
    pub fn claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// The names of the claims that the token leaves to somebody else.
    pub(crate) fn foreign_claims(&self) -> &BTreeSet<String> {
        &self.foreign_claims
    }

    /// What a refreshed ID token must keep.
    pub fn identity(&self) -> IdTokenIdentity {
        self.identity.clone()
    }
}

impl fmt::Debug for ValidatedIdToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The other claims describe a person, and the nonce is a secret of the login.
        formatter.debug_struct("ValidatedIdToken").field("issuer", &self.identity.issuer).finish_non_exhaustive()
    }
}

/// Validates an ID token. In this order:
///
/// 1. The signature: three parts, a header without repeated members, a pinned asymmetric algorithm, no `crit`, `typ` absent or
///    `JWT`, a key from the provider's set that fits the algorithm and has 2048 bits if it is RSA; `jku`, `jwk`, `x5u` and
///    `x5c` are not looked at ([`JwsError`] has each by name).
/// 2. It is no logout token: there is no back-channel logout event.
/// 3. `iss` is the issuer, character by character, or one that the rule allows; a key that is reserved for a tenant has signed for
///    that tenant.
/// 4. `aud`, a string or an array of strings, contains the client, and nobody else who is not trusted.
/// 5. `azp`, where present, is the client; where there are several audiences, it is present.
/// 6. `exp` and `iat` are there; `exp` is not past, but for the leeway.
/// 7. `iat` is not in the future, but for the leeway.
/// 8. `nbf`, where present, is not in the future, but for the leeway.
/// 9. `nonce` is the one that was sent, compared in constant time; absent when none was sent.
/// 10. `sub` is there, and has 1 to 255 characters.
/// 11. `at_hash`, where present, fits the access token.
/// 12. The claims that the configuration demands are there, with the values that it demands.
/// 13. `acr` is one of the `acr_values`, where any were asked for: a provider is free to ignore that wish, and then there is no login.
/// 14. `auth_time` is there, not older than `max_age` and not in the future, where `max_age` was asked for.
///
/// The signature comes first although [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation)
/// begins with the claims: what nobody has signed is not worth a look.
///
/// # Errors
/// The first check that fails.
pub fn validate(raw: &IdToken, expectations: &IdTokenExpectations<'_>, keys: &JwkSet) -> Result<ValidatedIdToken, IdTokenError> {
    validate_with(raw, expectations, Occasion::Login, keys)
}

/// What an ID token comes with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occasion {
    /// A code's exchange.
    Login,
    /// A refresh. It sends no nonce, and the login's may come back. Its token may say less than the login's did, so a demanded claim
    /// may be missing, but not have another value ([Core §12.2](https://openid.net/specs/openid-connect-core-1_0.html#RefreshTokenResponse)).
    Refresh,
}

pub(crate) fn validate_with(
    raw: &IdToken,
    expectations: &IdTokenExpectations<'_>,
    occasion: Occasion,
    keys: &JwkSet,
) -> Result<ValidatedIdToken, IdTokenError> {
    let VerifiedToken { algorithm, mut claims, key_issuer } = jws::verify(raw.expose(), &expectations.algorithms, &["jwt"], keys)?;
    let foreign_claims = json::drop_foreign_claims(&mut claims);
    if claims.get("events").and_then(Value::as_object).is_some_and(|events| events.contains_key(BACKCHANNEL_LOGOUT_EVENT)) {
        return Err(IdTokenError::LogoutToken);
    }
    let expected_issuer =
        ExpectedIssuer { issuer: expectations.issuer, rule: expectations.issuer_rule, template: expectations.issuer_template };
    let iss = required_string(&claims, "iss")?;
    let issuer = expected_issuer.of_token(&claims, iss, key_issuer.as_deref()).ok_or(IdTokenError::IssuerMismatch)?.to_owned();
    let audience = check_audience(&claims, expectations)?;
    let expires_at = check_times(&claims, expectations)?;
    if occasion == Occasion::Login {
        check_nonce(&claims, expectations.nonce)?;
    }
    let subject = required_string(&claims, "sub")?.to_owned();
    if subject.is_empty() || subject.chars().count() > 255 {
        return Err(IdTokenError::InvalidClaim("sub"));
    }
    if let (Some(hash), Some(access_token)) = (optional_string(&claims, "at_hash")?, expectations.access_token)
        && hash != algorithm.left_half_hash(access_token.expose())
    {
        return Err(IdTokenError::AccessTokenHashMismatch);
    }
    check_required_claims(&claims, expectations.required_claims, occasion)?;
    let acr = claims.get("acr").and_then(Value::as_str);
    if !expectations.acr_values.is_empty() && !expectations.acr_values.iter().any(|wanted| acr == Some(wanted.as_str())) {
        return Err(IdTokenError::AcrMismatch);
    }
    check_age(&claims, expectations)?;
    Ok(ValidatedIdToken { identity: IdTokenIdentity { issuer, subject, audience }, expires_at, claims, foreign_claims })
}

fn check_audience(claims: &Map<String, Value>, expectations: &IdTokenExpectations<'_>) -> Result<Vec<String>, IdTokenError> {
    let audience = json::audience(claims).map_err(|_| IdTokenError::InvalidClaim("aud"))?.ok_or(IdTokenError::MissingClaim("aud"))?;
    if !audience.iter().any(|audience| audience == expectations.client_id) {
        return Err(IdTokenError::AudienceMismatch);
    }
    if !audience.iter().all(|audience| audience == expectations.client_id || expectations.trusted_audiences.contains(audience)) {
        return Err(IdTokenError::UntrustedAudience);
    }
    match optional_string(claims, "azp")? {
        Some(authorized_party) if authorized_party != expectations.client_id => Err(IdTokenError::AuthorizedPartyMismatch),
        None if audience.len() > 1 => Err(IdTokenError::MissingClaim("azp")),
        _ => Ok(audience),
    }
}

fn check_times(claims: &Map<String, Value>, expectations: &IdTokenExpectations<'_>) -> Result<Timestamp, IdTokenError> {
    let now = expectations.now.as_second();
    let leeway = whole_seconds(expectations.leeway);
    let expiry = seconds(claims, "exp")?.ok_or(IdTokenError::MissingClaim("exp"))?;
    let issued_at = seconds(claims, "iat")?.ok_or(IdTokenError::MissingClaim("iat"))?;
    let not_before = seconds(claims, "nbf")?;

    let times_agree = issued_at < expiry && not_before.is_none_or(|not_before| not_before < expiry);
    if now >= expiry.saturating_add(leeway) {
        // The nonce was drawn when this login began, so the token is younger than that, whatever it says.
        let oldest = now - whole_seconds(TRANSACTION_LIFETIME) - leeway;
        let is_of_this_login = expectations.nonce.is_some() && check_nonce(claims, expectations.nonce).is_ok();
        let suspects_own_clock = times_agree && is_of_this_login && issued_at < oldest;
        return Err(IdTokenError::Expired { seconds: now.saturating_sub(expiry), suspects_own_clock });
    }
    if issued_at > now + leeway {
        return Err(IdTokenError::IssuedInTheFuture { seconds: issued_at.saturating_sub(now), suspects_own_clock: times_agree });
    }
    if let Some(not_before) = not_before
        && not_before > now + leeway
    {
        // It was issued at a time that fits the clock here: the provider means it.
        return Err(IdTokenError::NotYetValid { seconds: not_before.saturating_sub(now) });
    }
    Ok(Timestamp::from_second(expiry).unwrap_or(Timestamp::MAX))
}

fn check_required_claims(claims: &Map<String, Value>, required: &[(String, String)], occasion: Occasion) -> Result<(), IdTokenError> {
    for (place, wanted) in required {
        let holds = match json::lookup(claims, place) {
            Some(Value::Array(elements)) => elements.iter().any(|element| is_text(element, wanted)),
            Some(value) => is_text(value, wanted),
            None => occasion == Occasion::Refresh,
        };
        if !holds {
            return Err(IdTokenError::RequiredClaim(place.clone()));
        }
    }
    Ok(())
}

/// Whether a value is this text, or is written like it.
fn is_text(value: &Value, text: &str) -> bool {
    match value {
        Value::String(value) => value == text,
        Value::Bool(value) => text == if *value { "true" } else { "false" },
        Value::Number(value) => value.to_string() == text,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

fn check_age(claims: &Map<String, Value>, expectations: &IdTokenExpectations<'_>) -> Result<(), IdTokenError> {
    let Some(max_age) = expectations.max_age else { return Ok(()) };
    let now = expectations.now.as_second();
    let leeway = whole_seconds(expectations.leeway);
    let authenticated_at = seconds(claims, "auth_time")?.ok_or(IdTokenError::MissingClaim("auth_time"))?;
    if authenticated_at > now + leeway {
        return Err(IdTokenError::InvalidClaim("auth_time"));
    }
    if authenticated_at < now - whole_seconds(max_age) - leeway {
        return Err(IdTokenError::AuthenticationTooOld);
    }
    Ok(())
}

fn check_nonce(claims: &Map<String, Value>, sent: Option<&Nonce>) -> Result<(), IdTokenError> {
    match (sent, optional_string(claims, "nonce")?) {
        (Some(_), None) => Err(IdTokenError::MissingClaim("nonce")),
        (Some(sent), Some(nonce)) if bool::from(sent.expose().as_bytes().ct_eq(nonce.as_bytes())) => Ok(()),
        (None, None) => Ok(()),
        (_, Some(_)) => Err(IdTokenError::NonceMismatch),
    }
}

fn optional_string<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<Option<&'a str>, IdTokenError> {
    json::string(claims, name).map_err(|_| IdTokenError::InvalidClaim(name))
}

fn required_string<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, IdTokenError> {
    optional_string(claims, name)?.ok_or(IdTokenError::MissingClaim(name))
}

fn seconds(claims: &Map<String, Value>, name: &'static str) -> Result<Option<i64>, IdTokenError> {
    json::seconds(claims, name).map_err(|_| IdTokenError::InvalidClaim(name))
}

/// No configured time is longer than the years that a timestamp can hold.
pub(crate) fn whole_seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX / 4).min(i64::MAX / 4)
}
