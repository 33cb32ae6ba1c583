//! Provider metadata: [OpenID Connect Discovery](https://openid.net/specs/openid-connect-discovery-1_0.html) and
//! [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).

use serde_json::{Map, Value};
use url::Url;

use crate::endpoint::{self, EndpointFault};
use crate::http::{OutboundRequest, OutboundResponse};
use crate::issuer;
use crate::json::{self, JsonError};
use crate::provider::{IssuerRule, Provider, ProviderKind};

/// The largest metadata document accepted, in bytes.
pub const MAXIMUM_METADATA_BYTES: usize = 64 * 1024;

/// What a provider says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a declaration of its own")]
pub struct ProviderMetadata {
    /// The issuer, exactly as configured; for providers without metadata, what `iss` should be, if known.
    pub issuer: Option<String>,
    /// The issuer with `{tenantid}` in the place of its tenant, where the provider declares that and may
    /// ([`IssuerRule::TenantTemplate`]).
    pub issuer_template: Option<String>,
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
    /// Where authorization requests are pushed, [RFC 9126 §5](https://www.rfc-editor.org/rfc/rfc9126#section-5)
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Whether an authorization request has to be pushed, [RFC 9126 §5](https://www.rfc-editor.org/rfc/rfc9126#section-5)
    pub require_pushed_authorization_requests: bool,
    /// `response_modes_supported`, as written; empty when absent, which means `query` and `fragment`.
    pub response_modes: Vec<String>,
    /// `authorization_signing_alg_values_supported`, as written:
    /// [JARM §4](https://openid.net/specs/oauth-v2-jarm.html#name-authorization-server-metada).
    pub authorization_signing_algorithms: Vec<String>,
    /// `request_object_signing_alg_values_supported`, as written.
    pub request_object_algorithms: Vec<String>,
    /// `token_endpoint_auth_signing_alg_values_supported`, as written.
    pub token_endpoint_auth_signing_algorithms: Vec<String>,
    /// `dpop_signing_alg_values_supported`, as written: [RFC 9449 §5.1](https://www.rfc-editor.org/rfc/rfc9449#section-5.1).
    pub dpop_algorithms: Vec<String>,
    /// `userinfo_signing_alg_values_supported`, as written.
    pub userinfo_algorithms: Vec<String>,
    /// `acr_values_supported`, as written.
    pub acr_values_supported: Vec<String>,
    /// `prompt_values_supported`, as written:
    /// [Prompt Create §4.1](https://openid.net/specs/openid-connect-prompt-create-1_0.html#section-4.1).
    pub prompt_values_supported: Vec<String>,
    /// `scopes_supported`, as written.
    pub scopes_supported: Vec<String>,
    /// Where a client with a certificate goes instead.
    pub mtls_endpoint_aliases: MtlsEndpointAliases,
    /// Whether access tokens may be bound to the client's certificate,
    /// [RFC 8705 §3.3](https://www.rfc-editor.org/rfc/rfc8705#section-3.3)
    pub tls_client_certificate_bound_access_tokens: bool,
}

/// The endpoints of `mtls_endpoint_aliases`, [RFC 8705 §5](https://www.rfc-editor.org/rfc/rfc8705#section-5). One that is
/// missing is where it is without a certificate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MtlsEndpointAliases {
    /// Where codes and refresh tokens are exchanged.
    pub token_endpoint: Option<Url>,
    /// Where tokens are taken back.
    pub revocation_endpoint: Option<Url>,
    /// Where authorization requests are pushed.
    pub pushed_authorization_request_endpoint: Option<Url>,
    /// Where the user is described.
    pub userinfo_endpoint: Option<Url>,
}

impl ProviderMetadata {
    /// The metadata of a provider of which nothing but these two endpoints is known.
    pub fn new(authorization_endpoint: Url, token_endpoint: Url) -> Self {
        Self {
            issuer: None,
            issuer_template: None,
            authorization_endpoint,
            token_endpoint,
            jwks_uri: None,
            userinfo_endpoint: None,
            revocation_endpoint: None,
            end_session_endpoint: None,
            id_token_algorithms: Vec::new(),
            token_endpoint_auth_methods: Vec::new(),
            code_challenge_methods: Vec::new(),
            iss_parameter_supported: false,
            backchannel_logout_supported: false,
            backchannel_logout_session_supported: false,
            pushed_authorization_request_endpoint: None,
            require_pushed_authorization_requests: false,
            response_modes: Vec::new(),
            authorization_signing_algorithms: Vec::new(),
            request_object_algorithms: Vec::new(),
            token_endpoint_auth_signing_algorithms: Vec::new(),
            dpop_algorithms: Vec::new(),
            userinfo_algorithms: Vec::new(),
            acr_values_supported: Vec::new(),
            prompt_values_supported: Vec::new(),
            scopes_supported: Vec::new(),
            mtls_endpoint_aliases: MtlsEndpointAliases::default(),
            tls_client_certificate_bound_access_tokens: false,
        }
    }
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

    /// Whether the metadata may be at the next of the addresses that [`metadata_requests`] names: there was none at this one. Metadata
    /// that is there and wrong is not a reason to look for better.
    pub fn may_be_elsewhere(&self) -> bool {
        matches!(self, Self::UnexpectedStatus { .. } | Self::NotJson | Self::Malformed(_))
    }
}

const OPENID_CONFIGURATION: &str = "/.well-known/openid-configuration";
const AUTHORIZATION_SERVER: &str = "/.well-known/oauth-authorization-server";

/// Where an OpenID provider's metadata is: the well-known path is appended to the issuer's.
/// [Discovery §4](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig)
///
/// # Errors
/// [`DiscoveryError::InvalidIssuer`]
pub fn metadata_url(issuer: &str) -> Result<Url, DiscoveryError> {
    Ok(appended(&issuer_url(issuer)?, OPENID_CONFIGURATION))
}

/// The requests for a provider's metadata, in the order in which to try them: the next one when [`DiscoveryError::may_be_elsewhere`] says
/// so of the answer to the one before. There are none for a provider whose endpoints are configured, and for an issuer that cannot be
/// one.
///
/// An OpenID provider has one place for it. Another one has the place of
/// [RFC 8414 §3.1](https://www.rfc-editor.org/rfc/rfc8414#section-3.1), where the well-known path is inserted between host and path of the
/// issuer; that in which it is appended, where many have it by mistake; and OpenID's, which
/// [RFC 8414 §5](https://www.rfc-editor.org/rfc/rfc8414#section-5) allows.
pub fn metadata_requests(provider: &Provider) -> Vec<OutboundRequest> {
    let (issuer, is_openid) = match &provider.kind {
        ProviderKind::OpenId { issuer } => (issuer, true),
        ProviderKind::OAuthDiscovered { issuer, .. } => (issuer, false),
        ProviderKind::OAuth { .. } => return Vec::new(),
    };
    let Ok(issuer) = issuer_url(issuer) else { return Vec::new() };
    let mut places = if is_openid {
        vec![appended(&issuer, OPENID_CONFIGURATION)]
    } else {
        vec![inserted(&issuer, AUTHORIZATION_SERVER), appended(&issuer, AUTHORIZATION_SERVER), appended(&issuer, OPENID_CONFIGURATION)]
    };
    // An issuer without a path has the first two in one place.
    places.dedup();
    places.into_iter().map(|url| OutboundRequest::get(url).with_header("accept", "application/json")).collect()
}

fn appended(issuer: &Url, well_known: &str) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!("{}{well_known}", issuer.path().trim_end_matches('/')));
    url
}

fn inserted(issuer: &Url, well_known: &str) -> Url {
    let mut url = issuer.clone();
    url.set_path(&format!("{well_known}{}", issuer.path().trim_end_matches('/')));
    url
}

/// Judges the metadata. In this order:
///
/// 1. The status is 200, the body has at most 64 KiB, the content type is JSON.
/// 2. The body is a JSON object without repeated members.
/// 3. `issuer` is the configured one, character by character. Where [`IssuerRule::TenantTemplate`] allows it, one segment of its path may
///    be `{tenantid}`, in whose place the configuration has another.
/// 4. `authorization_endpoint`, `token_endpoint` and, for OpenID Connect, `jwks_uri` are there.
/// 5. Every endpoint is `https`, or `http` on loopback, without credentials or fragment; and on this machine or on the inner network only
///    when the issuer is there too, or [`Provider::dangerous_allow_internal_endpoints`] is set.
/// 6. Lists are arrays of strings, and switches are booleans.
///
/// `code_challenge_methods_supported` is read and decides nothing: without S256 in it, S256 is sent all the same, and never `plain`
/// ([RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)).
///
/// # Errors
/// The first check that fails; [`DiscoveryError::InvalidIssuer`] also for a provider whose endpoints are configured.
pub fn process_metadata(provider: &Provider, response: &OutboundResponse) -> Result<ProviderMetadata, DiscoveryError> {
    let (issuer, is_openid, configured_userinfo) = match &provider.kind {
        ProviderKind::OpenId { issuer } => (issuer, true, None),
        ProviderKind::OAuthDiscovered { issuer, userinfo } => (issuer, false, userinfo.clone()),
        ProviderKind::OAuth { .. } => return Err(DiscoveryError::InvalidIssuer),
    };
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
    let document = Document {
        members: json::parse_object(&response.body).map_err(DiscoveryError::Malformed)?,
        issuer: issuer_url,
        allow_internal: provider.dangerous_allow_internal_endpoints,
    };
    let declared = document.members.get("issuer").ok_or(DiscoveryError::MissingMember("issuer"))?;
    let declared = declared.as_str().ok_or(DiscoveryError::WrongType("issuer"))?;
    let is_template = provider.issuer_rule == IssuerRule::TenantTemplate && issuer::is_template_of(declared, issuer);
    if declared != issuer && !is_template {
        return Err(DiscoveryError::IssuerMismatch);
    }
    let jwks_uri = if is_openid { Some(document.required_endpoint("jwks_uri")?) } else { document.endpoint("jwks_uri")? };
    Ok(ProviderMetadata {
        issuer: Some(issuer.clone()),
        issuer_template: is_template.then(|| declared.to_owned()),
        authorization_endpoint: document.required_endpoint("authorization_endpoint")?,
        token_endpoint: document.required_endpoint("token_endpoint")?,
        jwks_uri,
        userinfo_endpoint: configured_userinfo.or(document.endpoint("userinfo_endpoint")?),
        revocation_endpoint: document.endpoint("revocation_endpoint")?,
        end_session_endpoint: document.endpoint("end_session_endpoint")?,
        id_token_algorithms: document.strings("id_token_signing_alg_values_supported")?,
        token_endpoint_auth_methods: document.strings("token_endpoint_auth_methods_supported")?,
        code_challenge_methods: document.strings("code_challenge_methods_supported")?,
        iss_parameter_supported: document.boolean("authorization_response_iss_parameter_supported")?,
        backchannel_logout_supported: document.boolean("backchannel_logout_supported")?,
        backchannel_logout_session_supported: document.boolean("backchannel_logout_session_supported")?,
        pushed_authorization_request_endpoint: document.endpoint("pushed_authorization_request_endpoint")?,
        require_pushed_authorization_requests: document.boolean("require_pushed_authorization_requests")?,
        response_modes: document.strings("response_modes_supported")?,
        authorization_signing_algorithms: document.strings("authorization_signing_alg_values_supported")?,
        request_object_algorithms: document.strings("request_object_signing_alg_values_supported")?,
        token_endpoint_auth_signing_algorithms: document.strings("token_endpoint_auth_signing_alg_values_supported")?,
        dpop_algorithms: document.strings("dpop_signing_alg_values_supported")?,
        userinfo_algorithms: document.strings("userinfo_signing_alg_values_supported")?,
        acr_values_supported: document.strings("acr_values_supported")?,
        prompt_values_supported: document.strings("prompt_values_supported")?,
        scopes_supported: document.strings("scopes_supported")?,
        mtls_endpoint_aliases: document.mtls_endpoint_aliases()?,
        tls_client_certificate_bound_access_tokens: document.boolean("tls_client_certificate_bound_access_tokens")?,
    })
}

fn issuer_url(issuer: &str) -> Result<Url, DiscoveryError> {
    let url = Url::parse(issuer).map_err(|_| DiscoveryError::InvalidIssuer)?;
    if endpoint::is_secure(&url) && url.query().is_none() { Ok(url) } else { Err(DiscoveryError::InvalidIssuer) }
}

struct Document {
    members: Map<String, Value>,
    issuer: Url,
    allow_internal: bool,
}

impl Document {
    fn endpoint(&self, name: &'static str) -> Result<Option<Url>, DiscoveryError> {
        let text = json::string(&self.members, name).map_err(|_| DiscoveryError::WrongType(name))?;
        text.map(|text| endpoint::read(text, &self.issuer, self.allow_internal)).transpose().map_err(|fault| match fault {
            EndpointFault::Insecure => DiscoveryError::InsecureEndpoint(name),
            EndpointFault::Internal => DiscoveryError::InternalEndpoint(name),
        })
    }

    fn mtls_endpoint_aliases(&self) -> Result<MtlsEndpointAliases, DiscoveryError> {
        const NAME: &str = "mtls_endpoint_aliases";
        let members = match json::present(&self.members, NAME) {
            None => return Ok(MtlsEndpointAliases::default()),
            Some(Value::Object(members)) => members.clone(),
            Some(_) => return Err(DiscoveryError::WrongType(NAME)),
        };
        let aliases = Self { members, issuer: self.issuer.clone(), allow_internal: self.allow_internal };
        Ok(MtlsEndpointAliases {
            token_endpoint: aliases.endpoint("token_endpoint")?,
            revocation_endpoint: aliases.endpoint("revocation_endpoint")?,
            pushed_authorization_request_endpoint: aliases.endpoint("pushed_authorization_request_endpoint")?,
            userinfo_endpoint: aliases.endpoint("userinfo_endpoint")?,
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
