//! Provider metadata: [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html) and
//! [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).

use url::Url;

use crate::http::{OutboundRequest, OutboundResponse};

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
}

impl DiscoveryError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }
}

/// Where an OpenID provider's metadata is.
/// [Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)
///
/// # Errors
/// [`DiscoveryError::InvalidIssuer`]
pub fn metadata_url(_issuer: &str) -> Result<Url, DiscoveryError> {
    todo!()
}

/// The request for an OpenID provider's metadata.
///
/// # Errors
/// [`DiscoveryError::InvalidIssuer`]
pub fn metadata_request(_issuer: &str) -> Result<OutboundRequest, DiscoveryError> {
    todo!()
}

/// Judges the metadata.
///
/// # Errors
/// The first check that fails.
pub fn process_metadata(_issuer: &str, _response: &OutboundResponse) -> Result<ProviderMetadata, DiscoveryError> {
    todo!()
}
