//! How the client proves who it is. [RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3),
//! [Core §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)

use std::time::Duration;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::zeroize::Zeroizing;
use serde_json::{Value, json};
use url::Url;
use url::form_urlencoded::byte_serialize;

use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::http::OutboundRequest;
use crate::id_token::whole_seconds;
use crate::provider::{ClientAuth, IssuerRule, Provider};
use crate::secret::ClientSecret;
use crate::signing_algorithm::SigningAlgorithm;
use crate::signing_key::{self, ChosenAlgorithm, SigningKey};

/// How long a client assertion is good: as long as one request may take.
pub const ASSERTION_LIFETIME: Duration = Duration::from_mins(1);

/// How long one of Apple's generated secrets is good. Apple allows half a year; this one is made anew for each request.
pub const APPLE_SECRET_LIFETIME: Duration = Duration::from_mins(5);

/// The shortest secret that may sign with HS256, in bytes. [RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)
pub const MINIMUM_HMAC_SECRET_BYTES: usize = 32;

/// The audience of Apple's generated secret ("Creating a client secret" in Apple's documentation).
const APPLE_AUDIENCE: &str = "https://appleid.apple.com";

/// [RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Why the client cannot prove who it is: something is missing in its configuration, or the provider takes nothing that it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ClientAuthError {
    /// There is no secret. [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
    #[error("the client secret is missing")]
    MissingSecret,
    /// The secret is too short to sign with. [RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)
    #[error("the client secret is too short to sign with")]
    ShortSecret,
    /// There is no private key. [RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)
    #[error("the private key is missing")]
    MissingKey,
    /// There is no team.
    /// [Apple, Creating a client secret](https://developer.apple.com/documentation/accountorganizationaldatasharing/creating-a-client-secret)
    #[error("the team id is missing")]
    MissingTeam,
    /// The provider takes no signature that the key or the secret can make.
    /// [Discovery §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)
    #[error("the provider takes no signature that this client can make")]
    NoCommonAlgorithm,
}

impl ClientAuthError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::MissingSecret => "client_auth_secret_missing",
            Self::ShortSecret => "client_auth_secret_short",
            Self::MissingKey => "client_auth_key_missing",
            Self::MissingTeam => "client_auth_team_missing",
            Self::NoCommonAlgorithm => "client_auth_no_common_algorithm",
        }
    }
}

/// A client that has everything it needs to prove who it is at one provider.
#[derive(Clone)]
pub(crate) struct Client {
    id: String,
    credential: Credential,
    headers: Vec<(&'static str, String)>,
}

#[derive(Clone)]
enum Credential {
    Basic(ClientSecret),
    Post(ClientSecret),
    Key {
        key: SigningKey,
        algorithm: ChosenAlgorithm,
        audience: String,
    },
    Secret {
        secret: ClientSecret,
        audience: String,
    },
    Apple {
        key: SigningKey,
        algorithm: ChosenAlgorithm,
        team: String,
    },
    /// The certificate of the connection, or nothing at all.
    Outside,
}

impl Client {
    /// Puts the credential together.
    pub(crate) fn new(provider: &Provider, metadata: &ProviderMetadata) -> Result<Self, ClientAuthError> {
        let secret = || provider.client_secret.clone().filter(|secret| !secret.expose().is_empty()).ok_or(ClientAuthError::MissingSecret);
        let key = || provider.signing_key.clone().ok_or(ClientAuthError::MissingKey);
        let declared = &metadata.token_endpoint_auth_signing_algorithms;
        let credential = match method(provider, metadata) {
            ClientAuth::Basic => Credential::Basic(secret()?),
            ClientAuth::Post => Credential::Post(secret()?),
            ClientAuth::PrivateKeyJwt => {
                let key = key()?;
                let algorithm = key.algorithm_among(declared).ok_or(ClientAuthError::NoCommonAlgorithm)?;
                Credential::Key { key, algorithm, audience: audience(provider, metadata) }
            }
            ClientAuth::SecretJwt => {
                let secret = secret()?;
                if secret.expose().len() < MINIMUM_HMAC_SECRET_BYTES {
                    return Err(ClientAuthError::ShortSecret);
                }
                if !declared.is_empty() && !declared.iter().any(|name| name == "HS256") {
                    return Err(ClientAuthError::NoCommonAlgorithm);
                }
                Credential::Secret { secret, audience: audience(provider, metadata) }
            }
            ClientAuth::AppleSecret => {
                let team = provider.apple_team_id.clone().filter(|team| !team.is_empty()).ok_or(ClientAuthError::MissingTeam)?;
                let key = key()?;
                let algorithm = key.exactly(SigningAlgorithm::Es256).ok_or(ClientAuthError::NoCommonAlgorithm)?;
                Credential::Apple { key, algorithm, team }
            }
            ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTls | ClientAuth::None => Credential::Outside,
        };
        Ok(Self { id: provider.client_id.clone(), credential, headers: provider.extra_request_headers.clone() })
    }

    /// A form for one of the provider's own endpoints, with the client's authentication and the provider's extra headers. Each
    /// call makes a new assertion: a provider takes each of them once.
    pub(crate) fn form(&self, endpoint: &Url, form: &[(&str, &str)], context: &mut Context<'_>) -> OutboundRequest {
        let mut form = form.to_vec();
        let proof = Zeroizing::new(match &self.credential {
            Credential::Basic(_) | Credential::Outside => String::new(),
            Credential::Post(secret) => secret.expose().to_owned(),
            Credential::Key { key, algorithm, audience } => key.sign(*algorithm, "JWT", &self.claims(audience, context)),
            Credential::Secret { secret, audience } => sign_with_secret(secret, &self.claims(audience, context)),
            Credential::Apple { key, algorithm, team } => key.sign(*algorithm, "JWT", &self.apple_claims(team, context)),
        });
        let names_itself = form.iter().any(|(name, _)| *name == "client_id");
        if !names_itself && !matches!(self.credential, Credential::Basic(_)) {
            form.push(("client_id", &self.id));
        }
        match &self.credential {
            Credential::Post(_) | Credential::Apple { .. } => form.push(("client_secret", &proof)),
            Credential::Key { .. } | Credential::Secret { .. } => {
                form.push(("client_assertion_type", ASSERTION_TYPE));
                form.push(("client_assertion", &proof));
            }
            Credential::Basic(_) | Credential::Outside => {}
        }
        let request =
            OutboundRequest::post_form(endpoint.clone(), &form).with_header("accept", "application/json").with_headers(&self.headers);
        match &self.credential {
            Credential::Basic(secret) => request.with_header("authorization", basic(&self.id, secret.expose())),
            _ => request,
        }
    }

    /// [Core §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)
    fn claims(&self, audience: &str, context: &mut Context<'_>) -> Value {
        let now = context.now.as_second();
        json!({
            "iss": self.id,
            "sub": self.id,
            "aud": audience,
            "jti": context.token_id(),
            "iat": now,
            "exp": now.saturating_add(whole_seconds(ASSERTION_LIFETIME)),
        })
    }

    fn apple_claims(&self, team: &str, context: &Context<'_>) -> Value {
        let now = context.now.as_second();
        json!({
            "iss": team,
            "sub": self.id,
            "aud": APPLE_AUDIENCE,
            "iat": now,
            "exp": now.saturating_add(whole_seconds(APPLE_SECRET_LIFETIME)),
        })
    }
}

/// Whom an assertion is for: the issuer, and nothing else. An assertion for the token endpoint would be good at any other server
/// that is reached under the same address, and one for several audiences could be passed on by the first of them; FAPI 2.0
/// (§5.3.3.1 of its [security profile](https://openid.net/specs/fapi-security-profile-2_0-final.html)) asks for just this. A
/// provider without an issuer, or with one that is only a template, is named by its token endpoint
/// ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
fn audience(provider: &Provider, metadata: &ProviderMetadata) -> String {
    match &metadata.issuer {
        Some(issuer) if provider.issuer_rule != IssuerRule::TenantTemplate => issuer.clone(),
        _ => metadata.token_endpoint.to_string(),
    }
}

/// HS256, [RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)
fn sign_with_secret(secret: &ClientSecret, claims: &Value) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.expose().as_bytes());
    signing_key::compact(&json!({ "alg": "HS256", "typ": "JWT" }), claims, |message| hmac::sign(&key, message).as_ref().to_vec())
}

/// The configured method, but the form where the metadata says that the provider takes nothing else: so that an OpenID
/// provider can be configured by its issuer alone.
fn method(provider: &Provider, metadata: &ProviderMetadata) -> ClientAuth {
    let declares = |name: &str| metadata.token_endpoint_auth_methods.iter().any(|method| method == name);
    match provider.client_auth {
        ClientAuth::Basic if declares("client_secret_post") && !declares("client_secret_basic") => ClientAuth::Post,
        method => method,
    }
}

/// The endpoint, or its alias for clients that show a certificate. [RFC 8705 §5](https://www.rfc-editor.org/rfc/rfc8705#section-5)
pub(crate) fn reached_at<'a>(provider: &Provider, endpoint: &'a Url, alias: Option<&'a Url>) -> &'a Url {
    match provider.client_auth {
        ClientAuth::TlsClientAuth | ClientAuth::SelfSignedTls => alias.unwrap_or(endpoint),
        _ => endpoint,
    }
}

/// The Basic header: id and secret are form-encoded first.
/// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
pub(crate) fn basic(client_id: &str, client_secret: &str) -> String {
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(client_id), encode(client_secret))))
}
