//! Provider metadata: [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html) and
//! [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).

use serde_json::{Map, Value};
use url::Url;

use crate::endpoint::{self, EndpointFault};
use crate::http::{OutboundRequest, OutboundResponse};
use crate::json::{self, JsonError};

/// The largest metadata document accepted, in bytes.
pub const MAXIMUM_METADATA_BYTES: usize = 64 * 1024;

/// What a provider says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderMetadata {
    /// The issuer, exactly as configured; for providers without metadata, what `iss` should be, if known.
    pub issuer: Option<String>,
    /// Where the browser is sent.
    pub authorization_endpoint: Url,
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Url,
    /// Where the keys are; OpenID providers always have it.
    pub jwks_uri: Option<Url>,
    /// Where the user is described.
    pub userinfo_endpoint: Option<Url>,
    /// Where tokens are taken back.
    pub revocation_endpoint: Option<Url>,
    /// Where the browser is sent to sign out.
    pub end_session_endpoint: Option<Url>,
    /// `id_token_signing_alg_values_supported`, as written.
    pub id_token_algorithms: Vec<String>,
    /// `token_endpoint_auth_methods_supported`, as written; empty when absent, which means `client_secret_basic`.
    pub token_endpoint_auth_methods: Vec<String>,
    /// `code_challenge_methods_supported`, as written.
    pub code_challenge_methods: Vec<String>,
    /// `authorization_response_iss_parameter_supported`, [RFC 9207 §3](https://www.rfc-editor.org/rfc/rfc9207#section-3)
    pub iss_parameter_supported: bool,
    /// `backchannel_logout_supported`
    pub backchannel_logout_supported: bool,
    /// `backchannel_logout_session_supported`
    pub backchannel_logout_session_supported: bool,
}

/// Why metadata is not used.
#[derive(Debug, thiserror::Error)]
pub enum DiscoveryError {
    /// The issuer is not an absolute `https` URL (or `http` on loopback) without query and fragment.
    /// [Discovery §4.1](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest)
    #[error("the issuer is not an https address without query and fragment")]
    InvalidIssuer,
    /// The provider is at fault or overloaded: 5xx or 429.
    #[error("the metadata's address answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The status is not 200.
    /// [Discovery §4.2](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationResponse)
    #[error("the metadata's address answered with status {status}")]
    UnexpectedStatus {
        /// The HTTP status.
        status: u16,
    },
    /// The body is larger than [`MAXIMUM_METADATA_BYTES`].
    #[error("the metadata is too large")]
    TooLarge,
    /// The content type is not JSON.
    /// [Discovery §4.2](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationResponse)
    #[error("the metadata is not JSON")]
    NotJson,
    /// The body is not a JSON object.
    #[error("the metadata cannot be read")]
    Malformed(#[source] JsonError),
    /// The metadata is somebody else's.
    /// [Discovery §4.3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationValidation)
    #[error("the metadata names another issuer than the configuration")]
    IssuerMismatch,
    /// A required member is missing.
    /// [Discovery §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)
    #[error("the metadata has no {0}")]
    MissingMember(&'static str),
    /// A member has the wrong type.
    /// [Discovery §3](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderMetadata)
    #[error("the metadata's {0} has the wrong type")]
    WrongType(&'static str),
    /// An endpoint is neither `https` nor `http` on loopback.
    /// [RFC 8414 §2](https://www.rfc-editor.org/rfc/rfc8414#section-2)
    #[error("the metadata's {0} is not an https address")]
    InsecureEndpoint(&'static str),
    /// An endpoint is on the inner network and the issuer is not.
    /// [RFC 9700 §4.11](https://www.rfc-editor.org/rfc/rfc9700#section-4.11)
    #[error("the metadata's {0} is an address of the inner network")]
    InternalEndpoint(&'static str),
}

impl DiscoveryError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::InvalidIssuer => "metadata_issuer_invalid",
            Self::Unavailable { .. } => "metadata_unavailable",
            Self::UnexpectedStatus { .. } => "metadata_unexpected_status",
            Self::TooLarge => "metadata_too_large",
            Self::NotJson => "metadata_not_json",
            Self::Malformed(_) => "metadata_malformed",
            Self::IssuerMismatch => "metadata_issuer_mismatch",
            Self::MissingMember(_) => "metadata_member_missing",
            Self::WrongType(_) => "metadata_member_wrong_type",
            Self::InsecureEndpoint(_) => "metadata_endpoint_insecure",
            Self::InternalEndpoint(_) => "metadata_endpoint_internal",
        }
    }
}

/// Where an OpenID provider's metadata is: the well-known path is appended to the issuer's.
/// [Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)
///
/// # Errors
/// [`DiscoveryError::InvalidIssuer`]
pub fn metadata_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let mut url = issuer_url(issuer)?;
    let path = format!("{}/.well-known/openid-configuration", url.path().trim_end_matches('/'));
    url.set_path(&path);
    Ok(url)
}

/// The request for an OpenID provider's metadata.
///
/// # Errors
/// [`DiscoveryError::InvalidIssuer`]
pub fn metadata_request(issuer: &str) -> Result<OutboundRequest, DiscoveryError> {
    Ok(OutboundRequest::get(metadata_url(issuer)?).with_header("accept", "application/json"))
}

/// Judges the metadata. In this order:
///
/// 1. The status is 200, the body has at most 64 KiB, the content type is JSON.
/// 2. The body is a JSON object without repeated members.
/// 3. `issuer` is the configured one, character by character.
/// 4. `authorization_endpoint`, `token_endpoint` and `jwks_uri` are there.
/// 5. Every endpoint is `https`, or `http` on loopback, and on the inner network only when the issuer is.
///
/// # Errors
/// The first check that fails.
pub fn process_metadata(issuer: &str, response: &OutboundResponse) -> Result<ProviderMetadata, DiscoveryError> {
    let issuer_url = issuer_url(issuer)?;
    if response.is_unavailable() {
        return Err(DiscoveryError::Unavailable { status: response.status });
    }
    if response.status != 200 {
        return Err(DiscoveryError::UnexpectedStatus { status: response.status });
    }
    if response.body.len() > MAXIMUM_METADATA_BYTES {
        return Err(DiscoveryError::TooLarge);
    }
    if !response.is_json() {
        return Err(DiscoveryError::NotJson);
    }
    let document = Document { members: json::parse_object(&response.body).map_err(DiscoveryError::Malformed)?, issuer: issuer_url };
    let declared = document.members.get("issuer").ok_or(DiscoveryError::MissingMember("issuer"))?;
    if declared.as_str().ok_or(DiscoveryError::WrongType("issuer"))? != issuer {
        return Err(DiscoveryError::IssuerMismatch);
    }
    Ok(ProviderMetadata {
        issuer: Some(issuer.to_owned()),
        authorization_endpoint: document.required_endpoint("authorization_endpoint")?,
        token_endpoint: document.required_endpoint("token_endpoint")?,
        jwks_uri: Some(document.required_endpoint("jwks_uri")?),
        userinfo_endpoint: document.endpoint("userinfo_endpoint")?,
        revocation_endpoint: document.endpoint("revocation_endpoint")?,
        end_session_endpoint: document.endpoint("end_session_endpoint")?,
        id_token_algorithms: document.strings("id_token_signing_alg_values_supported")?,
        token_endpoint_auth_methods: document.strings("token_endpoint_auth_methods_supported")?,
        code_challenge_methods: document.strings("code_challenge_methods_supported")?,
        iss_parameter_supported: document.boolean("authorization_response_iss_parameter_supported")?,
        backchannel_logout_supported: document.boolean("backchannel_logout_supported")?,
        backchannel_logout_session_supported: document.boolean("backchannel_logout_session_supported")?,
    })
}

fn issuer_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let url = Url::parse(issuer).map_err(|_| DiscoveryError::InvalidIssuer)?;
    if endpoint::is_secure(&url) && url.query().is_none() { Ok(url) } else { Err(DiscoveryError::InvalidIssuer) }
}

struct Document {
    members: Map<String, Value>,
    issuer: Url,
}

impl Document {
    fn endpoint(&self, name: &'static str) -> Result<Option<Url>, DiscoveryError> {
        let text = json::string(&self.members, name).map_err(|_| DiscoveryError::WrongType(name))?;
        text.map(|text| endpoint::read(text, &self.issuer)).transpose().map_err(|fault| match fault {
            EndpointFault::Insecure => DiscoveryError::InsecureEndpoint(name),
            EndpointFault::Internal => DiscoveryError::InternalEndpoint(name),
        })
    }

    fn required_endpoint(&self, name: &'static str) -> Result<Url, DiscoveryError> {
        self.endpoint(name)?.ok_or(DiscoveryError::MissingMember(name))
    }

    fn strings(&self, name: &'static str) -> Result<Vec<String>, DiscoveryError> {
        json::strings(&self.members, name).map(Option::unwrap_or_default).map_err(|_| DiscoveryError::WrongType(name))
    }

    fn boolean(&self, name: &'static str) -> Result<bool, DiscoveryError> {
        json::boolean(&self.members, name).map(Option::unwrap_or_default).map_err(|_| DiscoveryError::WrongType(name))
    }
}
