//! What is known about a provider before the first request: its configuration and its quirks.

use std::time::Duration;

use url::Url;

use crate::access;
use crate::authorize::{AuthorizationOptions, AuthorizationRequestError, Prompt};
use crate::client_auth::MINIMUM_HMAC_SECRET_BYTES;
use crate::discovery::{self, ProviderMetadata};
use crate::endpoint;
use crate::secret::ClientSecret;
use crate::signing_algorithm::SigningAlgorithm;
use crate::signing_key::SigningKey;

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
    /// What signs client assertions, request objects and Apple's secret.
    pub signing_key: Option<SigningKey>,
    /// The team that the key belongs to, with [`ClientAuth::AppleSecret`].
    pub apple_team_id: Option<String>,
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
    /// Whether the authorization request is pushed to the provider first.
    pub par: ParPolicy,
    /// Whether the authorization request is a signed object, [RFC 9101](https://www.rfc-editor.org/rfc/rfc9101).
    pub request_object: bool,
    /// How the authorization response comes back.
    pub response_mode: ResponseMode,
    /// Whether tokens are bound to a key of each login.
    pub dpop: DpopPolicy,
    /// What is asked for at every login, unless the login itself asks for something else.
    pub defaults: AuthorizationOptions,
    /// More parameters of the authorization request. Those that the flow itself sets are never overridden.
    pub extra_authorization_params: Vec<(String, String)>,
    /// How long an access token lives when the provider does not say.
    pub default_token_lifetime: Option<Duration>,
    /// The algorithms that ID tokens may be signed with; when empty, the provider's metadata decides alone.
    pub id_token_algorithms: Vec<SigningAlgorithm>,
    /// Which issuer the metadata and the ID tokens may name.
    pub issuer_rule: IssuerRule,
    /// Claims that an ID token must hold with these values, such as `hd`.
    pub required_claims: Vec<(String, String)>,
    /// Who of its users may sign in.
    pub access: access::Rule,
    /// Audiences that an ID token may have beside this client.
    /// [Core §3.1.3.7](https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation), step 3
    pub trusted_audiences: Vec<String>,
    /// Whether a provider on the internet may name endpoints on this machine or on the inner network, and so make whoever sends the
    /// requests ask its neighbours things.
    pub dangerous_allow_internal_endpoints: bool,
    /// Where in the user's description each thing is.
    pub user_mapping: UserMapping,
    /// Whether the user endpoint is asked, where there is one: not where the ID token says as much, and the access token may be for
    /// another API.
    pub userinfo: bool,
    /// Whether the userinfo endpoint must sign what it says.
    pub userinfo_signed: SignedUserInfo,
    /// Whether the user endpoint answers status 200 with `ok: false` when it refuses.
    pub error_in_userinfo: bool,
    /// Where a provider keeps the user's e-mail addresses, when not with the user.
    pub email_endpoint: Option<Url>,
    /// Where a provider says in which organisations the user is, when it says so only there.
    pub organizations_endpoint: Option<Url>,
    /// Where a provider says in which teams the user is, when it says so only there.
    pub teams_endpoint: Option<Url>,
    /// Where in the user's description that is which rules are decided by.
    pub facts: access::Places,
    /// What has the provider offer another account.
    pub another_account: Prompt,
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
    /// `client_secret_basic`, [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
    Basic,
    /// `client_secret_post`, [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1)
    Post,
    /// `private_key_jwt`: a token signed with [`Provider::signing_key`],
    /// [Core §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)
    PrivateKeyJwt,
    /// `client_secret_jwt`: a token signed with the client's secret (HS256),
    /// [Core §9](https://openid.net/specs/openid-connect-core-1_0.html#ClientAuthentication)
    SecretJwt,
    /// `tls_client_auth`: a certificate that an authority has issued, [RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1).
    /// It is the HTTP client that shows the certificate.
    TlsClientAuth,
    /// `self_signed_tls_client_auth`, [RFC 8705 §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2).
    /// It is the HTTP client that shows the certificate.
    SelfSignedTls,
    /// Apple's: `client_secret_post` with a secret that is a token signed with [`Provider::signing_key`].
    AppleSecret,
    /// `none`: a public client, for which PKCE is all there is.
    None,
}

/// Whether the authorization request is pushed to the provider first, [RFC 9126](https://www.rfc-editor.org/rfc/rfc9126).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ParPolicy {
    /// Where the provider offers or requires it.
    #[default]
    Auto,
    /// It must be offered.
    Always,
    /// Never, for providers whose metadata is wrong about this client.
    Never,
}

/// How the authorization response comes back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ResponseMode {
    /// In the redirect's query.
    #[default]
    Query,
    /// As a form that the browser posts, [Form Post](https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html).
    FormPost,
    /// Signed, in the redirect's query, [JARM §2.3.1](https://openid.net/specs/oauth-v2-jarm.html#section-2.3.1).
    Jwt,
}

/// Whether tokens are bound to a key of each login, [RFC 9449](https://www.rfc-editor.org/rfc/rfc9449).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DpopPolicy {
    /// Never.
    #[default]
    Off,
    /// Where the metadata declares `dpop_signing_alg_values_supported`.
    Auto,
    /// Always; a token that is not bound is refused.
    Require,
}

/// Which issuer the metadata and the ID tokens may name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum IssuerRule {
    /// The configured one, character by character.
    #[default]
    Exact,
    /// The configured one, or in ID tokens one of these.
    Alternatives(Vec<String>),
    /// The metadata's issuer holds `{tenantid}`, which in an ID token is the token's own `tid`.
    TenantTemplate,
}

/// Whether the userinfo endpoint must sign what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignedUserInfo {
    /// It may be JSON or a signed token.
    #[default]
    Allow,
    /// It must be a signed token.
    Require,
}

/// OpenID Connect or plain OAuth 2.0.
#[derive(Clone, Debug)]
pub enum ProviderKind {
    /// OpenID Connect: everything else is discovered.
    OpenId {
        /// The issuer, exactly as the provider writes it.
        issuer: String,
    },
    /// OAuth 2.0 without ID tokens: the endpoints are discovered, [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414).
    OAuthDiscovered {
        /// The issuer, exactly as the provider writes it.
        issuer: String,
        /// Where the user is described, which such metadata does not say.
        userinfo: Option<Url>,
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
    /// The secret is too short to sign with. [RFC 7518 §3.2](https://www.rfc-editor.org/rfc/rfc7518#section-3.2)
    #[error("client_secret_jwt needs a client secret of at least {MINIMUM_HMAC_SECRET_BYTES} bytes")]
    ShortClientSecret,
    /// Something must be signed, and there is no key.
    #[error("{0} needs a private key")]
    MissingSigningKey(&'static str),
    /// Apple's secret names the team that the key belongs to.
    #[error("the team id of the private key is missing")]
    MissingAppleTeam,
    /// Apple's secret is signed with ES256 and nothing else.
    #[error("the private key for Apple must be for ES256")]
    WrongAppleKey,
    /// What is asked for at every login cannot be asked for.
    #[error(transparent)]
    InvalidDefaults(AuthorizationRequestError),
    /// Only an ID token holds claims that can be demanded.
    /// [Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    #[error("{0} needs a provider with ID tokens")]
    NeedsIdTokens(&'static str),
    /// Only a provider with metadata says where the keys are that a signature is verified with.
    #[error("{0} needs a provider with metadata")]
    NeedsMetadata(&'static str),
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
        self.find_client_auth_problems(&mut problems);
        match &self.kind {
            ProviderKind::OpenId { issuer } => {
                if discovery::metadata_url(issuer).is_err() {
                    problems.push(ProviderProblem::InvalidIssuer);
                }
                if !self.scopes.iter().any(|scope| scope == "openid") {
                    problems.push(ProviderProblem::MissingOpenIdScope);
                }
            }
            ProviderKind::OAuthDiscovered { issuer, userinfo } => {
                if discovery::metadata_url(issuer).is_err() {
                    problems.push(ProviderProblem::InvalidIssuer);
                }
                if userinfo.as_ref().is_some_and(|address| !endpoint::is_secure(address)) {
                    problems.push(ProviderProblem::InsecureEndpoint("userinfo"));
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
        self.find_request_problems(&mut problems);
        problems
    }

    fn find_client_auth_problems(&self, problems: &mut Vec<ProviderProblem>) {
        let secret = self.client_secret.as_ref().filter(|secret| !secret.expose().is_empty());
        match (self.client_auth, secret) {
            (ClientAuth::Basic | ClientAuth::Post | ClientAuth::SecretJwt, None) => problems.push(ProviderProblem::MissingClientSecret),
            (ClientAuth::SecretJwt, Some(secret)) if secret.expose().len() < MINIMUM_HMAC_SECRET_BYTES => {
                problems.push(ProviderProblem::ShortClientSecret);
            }
            (ClientAuth::PrivateKeyJwt, _) if self.signing_key.is_none() => {
                problems.push(ProviderProblem::MissingSigningKey("private_key_jwt"));
            }
            (ClientAuth::AppleSecret, _) => {
                if self.apple_team_id.as_ref().is_none_or(String::is_empty) {
                    problems.push(ProviderProblem::MissingAppleTeam);
                }
                match &self.signing_key {
                    None => problems.push(ProviderProblem::MissingSigningKey("Apple's client secret")),
                    Some(key) if !key.algorithms().contains(&SigningAlgorithm::Es256) => problems.push(ProviderProblem::WrongAppleKey),
                    Some(_) => {}
                }
            }
            (ClientAuth::None, _) if !self.pkce => problems.push(ProviderProblem::PublicClientWithoutPkce),
            _ => {}
        }
    }

    fn find_request_problems(&self, problems: &mut Vec<ProviderProblem>) {
        let extras = self.extra_authorization_params.iter().map(|(name, _)| name);
        problems.extend(extras.filter(|name| is_reserved(name)).map(|name| ProviderProblem::ReservedParameter(name.clone())));
        if let Err(error) = self.defaults.check() {
            problems.push(ProviderProblem::InvalidDefaults(error));
        }
        if self.request_object && self.signing_key.is_none() {
            problems.push(ProviderProblem::MissingSigningKey("a signed authorization request"));
        }
        if self.openid_issuer().is_none() {
            let wishes = [
                ("max_age", self.defaults.max_age.is_some()),
                ("acr_values", !self.defaults.acr_values.is_empty()),
                ("required_claims", !self.required_claims.is_empty()),
            ];
            problems.extend(wishes.into_iter().filter(|(_, wished)| *wished).map(|(name, _)| ProviderProblem::NeedsIdTokens(name)));
        }
        if matches!(self.kind, ProviderKind::OAuth { .. }) {
            let wishes = [
                ("the response mode jwt", self.response_mode == ResponseMode::Jwt),
                ("signed userinfo", self.userinfo_signed == SignedUserInfo::Require),
                ("a pushed authorization request", self.par == ParPolicy::Always),
            ];
            problems.extend(wishes.into_iter().filter(|(_, wished)| *wished).map(|(name, _)| ProviderProblem::NeedsMetadata(name)));
        }
    }

    /// The metadata of a provider whose endpoints are configured; `None` when they are to be discovered.
    pub fn fixed_metadata(&self) -> Option<ProviderMetadata> {
        let ProviderKind::OAuth { endpoints } = &self.kind else { return None };
        let mut metadata = ProviderMetadata::new(endpoints.authorization.clone(), endpoints.token.clone());
        metadata.issuer.clone_from(&self.expected_iss);
        metadata.userinfo_endpoint.clone_from(&endpoints.userinfo);
        metadata.revocation_endpoint.clone_from(&endpoints.revocation);
        metadata.end_session_endpoint.clone_from(&endpoints.end_session);
        Some(metadata)
    }

    /// The issuer half of the user's key (issuer, sub): the issuer, else the expected `iss`, else the authorization
    /// endpoint's origin. It does not depend on how the provider is called in the configuration.
    pub fn user_issuer(&self) -> String {
        match (&self.kind, &self.expected_iss) {
            (ProviderKind::OpenId { issuer } | ProviderKind::OAuthDiscovered { issuer, .. }, _) => issuer.clone(),
            (ProviderKind::OAuth { .. }, Some(iss)) => iss.clone(),
            (ProviderKind::OAuth { endpoints }, None) => endpoints.authorization.origin().ascii_serialization(),
        }
    }

    /// What `iss` is in an authorization response, if that is known.
    pub(crate) fn response_issuer(&self) -> Option<&str> {
        match &self.kind {
            ProviderKind::OpenId { issuer } | ProviderKind::OAuthDiscovered { issuer, .. } => Some(issuer),
            ProviderKind::OAuth { .. } => self.expected_iss.as_deref(),
        }
    }

    /// The issuer of an OpenID provider.
    pub(crate) fn openid_issuer(&self) -> Option<&str> {
        match &self.kind {
            ProviderKind::OpenId { issuer } => Some(issuer),
            ProviderKind::OAuthDiscovered { .. } | ProviderKind::OAuth { .. } => None,
        }
    }

    /// The algorithms that ID tokens may be signed with: the configured ones that the metadata declares too. Where the
    /// metadata declares none, the configured ones, or RS256, which every provider must support
    /// ([Core §15.1](https://openid.net/specs/openid-connect-core-1_0.html#ServerMTI)).
    pub fn pinned_algorithms(&self, metadata: &ProviderMetadata) -> Vec<SigningAlgorithm> {
        SigningAlgorithm::pinned(&self.id_token_algorithms, &metadata.id_token_algorithms)
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
pub fn is_reserved(parameter: &str) -> bool {
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
            | "max_age"
            | "acr_values"
            | "dpop_jkt"
            | "client_assertion"
            | "client_assertion_type"
    )
}
