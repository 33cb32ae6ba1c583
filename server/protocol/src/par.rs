//! Pushed authorization requests. [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126)

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;
use url::Url;

use crate::authorize::{self, AuthorizationRequestError, Transaction};
use crate::client_auth::{self, Client, ClientAuthError};
use crate::context::Context;
use crate::discovery::ProviderMetadata;
use crate::form;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::json::{self, JsonError};
use crate::provider::{ParPolicy, Provider};
use crate::provider_text::ProviderText;
use crate::token::TokenErrorCode;

/// The largest response accepted, in bytes.
pub const MAXIMUM_PAR_RESPONSE_BYTES: usize = 64 * 1024;

/// The longest `request_uri` accepted, in bytes: the browser carries it.
pub const MAXIMUM_REQUEST_URI_BYTES: usize = 1024;

/// A push under way: judges the response that belongs to it.
#[derive(Debug)]
pub struct PendingPush {
    /// The authorization endpoint with the client's id, and without what is pushed.
    address: String,
}

/// A request that the provider holds. It can be used once, so [`authorization_url`] takes it away.
pub struct PushedRequest {
    address: String,
    expires_at: Timestamp,
}

/// Why a request could not be pushed.
#[derive(Debug, thiserror::Error)]
pub enum ParError {
    /// The configuration demands what the provider does not offer. [RFC 9126 §5](https://www.rfc-editor.org/rfc/rfc9126#section-5)
    #[error("the provider has no endpoint for pushed authorization requests")]
    NotOffered,
    /// The configuration forbids what the provider demands. [RFC 9126 §5](https://www.rfc-editor.org/rfc/rfc9126#section-5)
    #[error("the provider demands pushed authorization requests, and the configuration forbids them")]
    Required,
    /// The client cannot prove who it is. [RFC 9126 §2.1](https://www.rfc-editor.org/rfc/rfc9126#section-2.1)
    #[error(transparent)]
    ClientAuth(#[from] ClientAuthError),
    /// There is no request to push.
    #[error(transparent)]
    Request(#[from] AuthorizationRequestError),
    /// The provider is at fault or overloaded: 5xx or 429.
    #[error("the endpoint for pushed requests answered with status {status}")]
    Unavailable {
        /// The HTTP status.
        status: u16,
    },
    /// The body is larger than [`MAXIMUM_PAR_RESPONSE_BYTES`].
    #[error("the answer to the pushed request is too large")]
    TooLarge,
    /// The provider said no. [RFC 9126 §2.3](https://www.rfc-editor.org/rfc/rfc9126#section-2.3)
    #[error("the endpoint for pushed requests answered {error}")]
    Provider {
        /// What the error is.
        kind: TokenErrorCode,
        /// The error's code, as the provider wrote it.
        error: ProviderText,
        /// The provider's words about it.
        description: Option<ProviderText>,
        /// The HTTP status it came with.
        status: u16,
    },
    /// The status is neither 201 nor explained by the body. [RFC 9126 §2.2](https://www.rfc-editor.org/rfc/rfc9126#section-2.2)
    #[error("the endpoint for pushed requests answered with status {status}")]
    UnexpectedStatus {
        /// The HTTP status.
        status: u16,
    },
    /// The content type is not JSON. [RFC 9126 §2.2](https://www.rfc-editor.org/rfc/rfc9126#section-2.2)
    #[error("the answer to the pushed request is not JSON")]
    NotJson,
    /// The body is not a JSON object, or it repeats a member.
    #[error("the answer to the pushed request cannot be read")]
    Malformed(#[source] JsonError),
    /// A required member is missing. [RFC 9126 §2.2](https://www.rfc-editor.org/rfc/rfc9126#section-2.2)
    #[error("the answer to the pushed request has no {0}")]
    MissingMember(&'static str),
    /// A member has the wrong type or a value that it cannot have. [RFC 9126 §2.2](https://www.rfc-editor.org/rfc/rfc9126#section-2.2)
    #[error("the {0} of the answer to the pushed request is not what it must be")]
    InvalidMember(&'static str),
}

impl ParError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotOffered => "par_not_offered",
            Self::Required => "par_required",
            Self::ClientAuth(error) => error.code(),
            Self::Request(error) => error.code(),
            Self::Unavailable { .. } => "par_unavailable",
            Self::TooLarge => "par_response_too_large",
            Self::Provider { .. } => "par_provider_error",
            Self::UnexpectedStatus { .. } => "par_unexpected_status",
            Self::NotJson => "par_response_not_json",
            Self::Malformed(_) => "par_response_malformed",
            Self::MissingMember(_) => "par_response_member_missing",
            Self::InvalidMember(_) => "par_response_member_invalid",
        }
    }
}

/// Whether a login begins with a pushed request. [RFC 9126 §5](https://www.rfc-editor.org/rfc/rfc9126#section-5)
///
/// # Errors
/// [`ParError::NotOffered`], [`ParError::Required`]
pub fn uses(provider: &Provider, metadata: &ProviderMetadata) -> Result<bool, ParError> {
    let offered = metadata.pushed_authorization_request_endpoint.is_some();
    let required = metadata.require_pushed_authorization_requests;
    match provider.par {
        ParPolicy::Never if required => Err(ParError::Required),
        ParPolicy::Always if !offered => Err(ParError::NotOffered),
        ParPolicy::Auto if required && !offered => Err(ParError::NotOffered),
        ParPolicy::Never => Ok(false),
        ParPolicy::Always => Ok(true),
        ParPolicy::Auto => Ok(offered),
    }
}

/// The request that pushes the authorization request, and what judges its response.
/// [RFC 9126 §2.1](https://www.rfc-editor.org/rfc/rfc9126#section-2.1),
/// [§3](https://www.rfc-editor.org/rfc/rfc9126#section-3) with [`Provider::request_object`]
///
/// # Errors
/// [`ParError::NotOffered`], [`ParError::Required`], [`ParError::ClientAuth`], [`ParError::Request`]
pub fn request(
    provider: &Provider,
    metadata: &ProviderMetadata,
    transaction: &Transaction,
    context: &mut Context<'_>,
) -> Result<(OutboundRequest, PendingPush), ParError> {
    uses(provider, metadata)?;
    let endpoint = metadata.pushed_authorization_request_endpoint.as_ref().ok_or(ParError::NotOffered)?;
    let alias = metadata.mtls_endpoint_aliases.pushed_authorization_request_endpoint.as_ref();
    let client = Client::new(provider, metadata)?;
    let pairs = authorize::request_pairs(provider, metadata, transaction, context)?;
    let form = pairs.iter().map(|(name, value)| (*name, &**value)).collect::<Vec<_>>();
    let request = client.form(client_auth::reached_at(provider, endpoint, alias), &form, context);
    let address = authorize::with_query(provider, metadata, &[("client_id", provider.client_id.as_str().into())]);
    Ok((request, PendingPush { address }))
}

impl PendingPush {
    /// Judges the response. In this order:
    ///
    /// 1. The status is not 5xx or 429, and the body has at most 64 KiB.
    /// 2. The body is a JSON object, and no member is repeated.
    /// 3. There is no `error`, whatever the status.
    /// 4. The status is 201.
    /// 5. `request_uri` is an absolute address of at most 1024 printable characters.
    /// 6. `expires_in` is a positive number of seconds.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn process(self, response: &OutboundResponse, now: Timestamp) -> Result<PushedRequest, ParError> {
        if response.is_unavailable() {
            return Err(ParError::Unavailable { status: response.status });
        }
        if response.body.len() > MAXIMUM_PAR_RESPONSE_BYTES {
            return Err(ParError::TooLarge);
        }
        let otherwise =
            |error: ParError| if response.status == 201 { error } else { ParError::UnexpectedStatus { status: response.status } };
        if !response.is_json() {
            return Err(otherwise(ParError::NotJson));
        }
        let members = json::parse_object(&response.body).map_err(|error| otherwise(ParError::Malformed(error)))?;
        if let Some(error) = json::present(&members, "error") {
            let name = error.as_str().unwrap_or("error");
            return Err(ParError::Provider {
                kind: TokenErrorCode::from_name(name),
                error: ProviderText::new(name),
                description: members.get("error_description").and_then(Value::as_str).map(ProviderText::new),
                status: response.status,
            });
        }
        if response.status != 201 {
            return Err(ParError::UnexpectedStatus { status: response.status });
        }
        let request_uri = json::string(&members, "request_uri").map_err(|_| ParError::InvalidMember("request_uri"))?;
        let request_uri = request_uri.ok_or(ParError::MissingMember("request_uri"))?;
        if !is_request_uri(request_uri) {
            return Err(ParError::InvalidMember("request_uri"));
        }
        let seconds = json::seconds(&members, "expires_in").map_err(|_| ParError::InvalidMember("expires_in"))?;
        let seconds = seconds.ok_or(ParError::MissingMember("expires_in"))?;
        let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0).ok_or(ParError::InvalidMember("expires_in"))?;
        let expires_at = now.saturating_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX);
        let mut address = self.address;
        form::append_pairs(&mut address, [("request_uri", request_uri)].into_iter());
        Ok(PushedRequest { address, expires_at })
    }
}

impl PushedRequest {
    /// When the provider forgets the request.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

impl fmt::Debug for PushedRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whoever has the address could continue the login in another browser.
        formatter.debug_struct("PushedRequest").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

/// Where to send the browser: beside the endpoint's own query there are the client's id and the name of the pushed request, nothing else.
/// [RFC 9126 §4](https://www.rfc-editor.org/rfc/rfc9126#section-4)
pub fn authorization_url(pushed: PushedRequest) -> String {
    pushed.address
}

/// The provider chooses the form; a URN is usual. [RFC 9126 §2.2](https://www.rfc-editor.org/rfc/rfc9126#section-2.2)
fn is_request_uri(text: &str) -> bool {
    text.len() <= MAXIMUM_REQUEST_URI_BYTES && text.bytes().all(|byte| byte.is_ascii_graphic()) && Url::parse(text).is_ok()
}
