//! What is known about a provider before the first request: its configuration and its quirks.

use std::time::Duration;

use url::Url;

use crate::discovery::{self, ProviderMetadata};
use crate::endpoint;
use crate::secret::ClientSecret;
use crate::signing_algorithm::SigningAlgorithm;

/// A provider as configured. [`crate::preset`] makes them.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a quirk of its own, and they combine freely")]
pub struct Provider {
    /// The name in URLs and in the configuration, such as `github`.
    pub id: String,
    /// The name shown to people, such as `GitHub`.
    pub name: String,
    /// The icon's name.
    pub icon: String,
    /// [RFC 6749 §2.2](https://www.rfc-editor.org/rfc/rfc6749#section-2.2)
    pub client_id: String,
    /// [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
    pub client_secret: Option<ClientSecret>,
    /// How the client proves who it is.
    pub client_auth: ClientAuth,
    /// OpenID Connect or plain OAuth 2.0.
    pub kind: ProviderKind,
    /// The scopes to ask for.
    pub scopes: Vec<String>,
    /// What separates the scopes in token responses; a space is always understood as well.
    pub scope_separator_response: char,
    /// What to do about the `iss` of the authorization response.
    pub iss_policy: IssPolicy,
    /// The `iss` of a provider without metadata. For OpenID providers the issuer is used.
    pub expected_iss: Option<String>,
    /// Whether to send a PKCE challenge; its method is always S256.
    pub pkce: bool,
    /// Whether to send a nonce and demand it back in the ID token.
    pub nonce: bool,
    /// More parameters of the authorization request. Those that the flow itself sets are never overridden.
    pub extra_authorization_params: Vec<(String, String)>,
    /// How long an access token lives when the provider does not say.
    pub default_token_lifetime: Option<Duration>,
    /// The algorithms that ID tokens may be signed with; when empty, the provider's metadata decides alone.
    pub id_token_algorithms: Vec<SigningAlgorithm>,
    /// Audiences that an ID token may have beside this client.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 3
    pub trusted_audiences: Vec<String>,
    /// Where in the user's description each thing is.
    pub user_mapping: UserMapping,
    /// Where a provider keeps the user's e-mail addresses, when not with the user.
    pub email_endpoint: Option<Url>,
    /// How a token is taken back.
    pub revocation: RevocationStyle,
    /// Whether signing out here signs out at the provider too, where it offers that.
    pub end_session: bool,
    /// Headers for every request to the provider; names are lower case.
    pub extra_request_headers: Vec<(&'static str, String)>,
    /// Whether a token response may be `application/x-www-form-urlencoded`, which no specification allows.
    pub form_encoded_token_response: bool,
}

/// How the client proves who it is at the token endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`
    Basic,
    /// `client_secret_post`
    Post,
    /// `none`: a public client, for which PKCE is all there is.
    None,
}

/// OpenID Connect or plain OAuth 2.0.
#[derive(Clone, Debug)]
pub enum ProviderKind {
    /// OpenID Connect: everything else is discovered.
    OpenId {
        /// The issuer, exactly as the provider writes it.
        issuer: String,
    },
    /// OAuth 2.0 without ID tokens: the endpoints are configured.
    OAuth {
        /// The endpoints.
        endpoints: Box<Endpoints>,
    },
}

/// The endpoints of a provider without metadata.
#[derive(Clone, Debug)]
pub struct Endpoints {
    /// [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)
    pub authorization: Url,
    /// [RFC 6749 §3.2](https://www.rfc-editor.org/rfc/rfc6749#section-3.2)
    pub token: Url,
    /// Where the user is described.
    pub userinfo: Option<Url>,
    /// Where tokens are taken back, in the way that [`RevocationStyle`] says.
    pub revocation: Option<Url>,
    /// [RP-Initiated Logout §2](https://openid.net/specs/openid-connect-rpinitiated-1_0.html#RPLogout)
    pub end_session: Option<Url>,
}

/// What to do about the `iss` of the authorization response, [RFC 9207](https://www.rfc-editor.org/rfc/rfc9207).
/// Under each of them a wrong `iss` is rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssPolicy {
    /// It must be there.
    Require,
    /// It must be there when the provider's metadata declares it.
    Allow,
    /// It may be missing although the metadata declares it: for providers whose metadata is wrong about this client.
    Ignore,
}

/// Where in the user's description each thing is: the name of a member, or a JSON pointer
/// ([RFC 6901](https://www.rfc-editor.org/rfc/rfc6901)) when it begins with `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserMapping {
    /// The stable identifier: a string or an integer.
    pub id: String,
    /// The name to greet the user by.
    pub name: Option<String>,
    /// The login name.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the address is verified.
    pub email_verified: Option<String>,
    /// The address of the user's picture.
    pub picture: Option<String>,
}

impl UserMapping {
    /// The [standard claims](https://openid.net/specs/openid-connect-core-1_0.html#StandardClaims) of OpenID Connect.
    pub fn openid() -> Self {
        Self {
            id: "sub".to_owned(),
            name: Some("name".to_owned()),
            login: Some("preferred_username".to_owned()),
            email: Some("email".to_owned()),
            email_verified: Some("email_verified".to_owned()),
            picture: Some("picture".to_owned()),
        }
    }
}

/// How a token is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RevocationStyle {
    /// [RFC 7009](https://www.rfc-editor.org/rfc/rfc7009), where the provider has an endpoint for it.
    Rfc7009,
    /// GitHub's way: `DELETE` with Basic authentication and the access token in a JSON body.
    GitHub,
    /// Not at all.
    None,
}

/// A contradiction in a provider's configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderProblem {
    /// The client authenticates with a secret and has none.
    #[error("the client secret is missing")]
    MissingClientSecret,
    /// The client id is empty.
    #[error("the client id is empty")]
    EmptyClientId,
    /// The issuer is not an absolute `https` URL (or `http` on loopback) without query and fragment.
    /// [Discovery §4.1](https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfigurationRequest)
    #[error("the issuer is not an https address without query and fragment")]
    InvalidIssuer,
    /// An endpoint is neither `https` nor `http` on loopback. [RFC 6749 §3.1](https://www.rfc-editor.org/rfc/rfc6749#section-3.1)
    #[error("the {0} endpoint is not an https address")]
    InsecureEndpoint(&'static str),
    /// An OpenID Connect login needs the scope `openid`.
    /// [Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest)
    #[error("the scope openid is missing")]
    MissingOpenIdScope,
    /// `iss` is demanded and nobody said what it should be. [RFC 9207 §2.4](https://www.rfc-editor.org/rfc/rfc9207#section-2.4)
    #[error("iss is required and the expected value is not set")]
    MissingExpectedIss,
    /// An extra parameter would override one of the flow's own.
    #[error("the extra authorization parameter {0} belongs to the flow itself")]
    ReservedParameter(String),
    /// A public client without PKCE. [RFC 9700 §2.1.1](https://www.rfc-editor.org/rfc/rfc9700#section-2.1.1)
    #[error("a client without a secret needs PKCE")]
    PublicClientWithoutPkce,
}

impl Provider {
    /// The contradictions in the configuration, all at once.
    pub fn problems(&self) -> Vec<ProviderProblem> {
        let mut problems = Vec::new();
        if self.client_id.is_empty() {
            problems.push(ProviderProblem::EmptyClientId);
        }
        let has_secret = self.client_secret.as_ref().is_some_and(|secret| !secret.expose().is_empty());
        if self.client_auth != ClientAuth::None && !has_secret {
            problems.push(ProviderProblem::MissingClientSecret);
        }
        if self.client_auth == ClientAuth::None && !self.pkce {
            problems.push(ProviderProblem::PublicClientWithoutPkce);
        }
        match &self.kind {
            ProviderKind::OpenId { issuer } => {
                if discovery::metadata_url(issuer).is_err() {
                    problems.push(ProviderProblem::InvalidIssuer);
                }
                if !self.scopes.iter().any(|scope| scope == "openid") {
                    problems.push(ProviderProblem::MissingOpenIdScope);
                }
            }
            ProviderKind::OAuth { endpoints } => {
                for (name, address) in endpoints.named() {
                    if !endpoint::is_secure(address) {
                        problems.push(ProviderProblem::InsecureEndpoint(name));
                    }
                }
                if self.iss_policy == IssPolicy::Require && self.expected_iss.is_none() {
                    problems.push(ProviderProblem::MissingExpectedIss);
                }
            }
        }
        if self.email_endpoint.as_ref().is_some_and(|address| !endpoint::is_secure(address)) {
            problems.push(ProviderProblem::InsecureEndpoint("email"));
        }
        for (name, _) in &self.extra_authorization_params {
            if is_reserved(name) {
                problems.push(ProviderProblem::ReservedParameter(name.clone()));
            }
        }
        problems
    }

    /// The metadata of a provider whose endpoints are configured; `None` when they are to be discovered.
    pub fn fixed_metadata(&self) -> Option<ProviderMetadata> {
        let ProviderKind::OAuth { endpoints } = &self.kind else { return None };
        Some(ProviderMetadata {
            issuer: self.expected_iss.clone(),
            authorization_endpoint: endpoints.authorization.clone(),
            token_endpoint: endpoints.token.clone(),
            jwks_uri: None,
            userinfo_endpoint: endpoints.userinfo.clone(),
            revocation_endpoint: endpoints.revocation.clone(),
            end_session_endpoint: endpoints.end_session.clone(),
            id_token_algorithms: Vec::new(),
            token_endpoint_auth_methods: Vec::new(),
            code_challenge_methods: Vec::new(),
            iss_parameter_supported: false,
            backchannel_logout_supported: false,
            backchannel_logout_session_supported: false,
        })
    }

    /// The issuer half of the user's key (issuer, sub): the issuer, else the expected `iss`, else the authorization
    /// endpoint's origin. It does not depend on how the provider is called in the configuration.
    pub fn user_issuer(&self) -> String {
        match (&self.kind, &self.expected_iss) {
            (ProviderKind::OpenId { issuer }, _) => issuer.clone(),
            (ProviderKind::OAuth { .. }, Some(iss)) => iss.clone(),
            (ProviderKind::OAuth { endpoints }, None) => endpoints.authorization.origin().ascii_serialization(),
        }
    }

    /// What `iss` is in an authorization response, if that is known.
    pub(crate) fn response_issuer(&self) -> Option<&str> {
        match &self.kind {
            ProviderKind::OpenId { issuer } => Some(issuer),
            ProviderKind::OAuth { .. } => self.expected_iss.as_deref(),
        }
    }

    /// The issuer of an OpenID provider.
    pub(crate) fn openid_issuer(&self) -> Option<&str> {
        match &self.kind {
            ProviderKind::OpenId { issuer } => Some(issuer),
            ProviderKind::OAuth { .. } => None,
        }
    }

    /// The algorithms that ID tokens may be signed with: the configured ones that the metadata declares too. Where the
    /// metadata declares none, the configured ones, or RS256, which every provider must support
    /// ([Core §15.1](https://openid.net/specs/openid-connect-core-1_0.html#ServerMTI)).
    pub fn pinned_algorithms(&self, metadata: &ProviderMetadata) -> Vec<SigningAlgorithm> {
        let declared = metadata.id_token_algorithms.iter().filter_map(|name| SigningAlgorithm::from_name(name));
        match (self.id_token_algorithms.is_empty(), metadata.id_token_algorithms.is_empty()) {
            (true, true) => vec![SigningAlgorithm::Rs256],
            (true, false) => declared.collect(),
            (false, true) => self.id_token_algorithms.clone(),
            (false, false) => declared.filter(|algorithm| self.id_token_algorithms.contains(algorithm)).collect(),
        }
    }
}

impl Endpoints {
    fn named(&self) -> impl Iterator<Item = (&'static str, &Url)> {
        [
            ("authorization", Some(&self.authorization)),
            ("token", Some(&self.token)),
            ("userinfo", self.userinfo.as_ref()),
            ("revocation", self.revocation.as_ref()),
            ("end_session", self.end_session.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, address)| Some((name, address?)))
    }
}

/// Whether an authorization request parameter belongs to the flow itself. `request` and `request_uri` would replace the whole
/// request ([RFC 9101](https://www.rfc-editor.org/rfc/rfc9101)), `response_mode` changes how the response comes back.
pub(crate) fn is_reserved(parameter: &str) -> bool {
    matches!(
        parameter,
        "response_type"
            | "response_mode"
            | "client_id"
            | "client_secret"
            | "redirect_uri"
            | "scope"
            | "state"
            | "nonce"
            | "code_challenge"
            | "code_challenge_method"
            | "request"
            | "request_uri"
    )
}
