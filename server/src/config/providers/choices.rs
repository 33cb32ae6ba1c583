//! The words that a provider's settings choose from.

use crate::config::value::{Choice, choice};
use oauth2flow_protocol::{
    SigningAlgorithm,
    authorize::Prompt,
    preset::{self, Location},
    provider::{DpopPolicy, ParPolicy, ResponseMode, SignedUserInfo},
};

choice! {
    /// What kind of provider it is.
    Preset {
        /// Any OpenID provider, by its issuer.
        OpenId = "openid",
        /// Any OAuth 2.0 provider, by its endpoints or its metadata, and a user mapping.
        OAuth = "oauth",
        /// GitHub, or a GitHub Enterprise Server.
        GitHub = "github",
        /// Google.
        Google = "google",
        /// Microsoft Entra ID.
        Entra = "entra",
        /// GitLab.com, or a GitLab of one's own.
        GitLab = "gitlab",
        /// Apple.
        Apple = "apple",
        /// Discord.
        Discord = "discord",
        /// Facebook.
        Facebook = "facebook",
        /// X, formerly Twitter.
        X = "x",
        /// LinkedIn.
        LinkedIn = "linkedin",
        /// Slack.
        Slack = "slack",
        /// A Keycloak realm.
        Keycloak = "keycloak",
        /// An Auth0 tenant.
        Auth0 = "auth0",
        /// An Okta organization.
        Okta = "okta",
    }
}

impl Preset {
    /// What is known about it.
    pub fn data(self) -> &'static preset::Preset {
        match self {
            Self::OpenId => &preset::OPENID,
            Self::OAuth => &preset::OAUTH,
            Self::GitHub => &preset::GITHUB,
            Self::Google => &preset::GOOGLE,
            Self::Entra => &preset::ENTRA,
            Self::GitLab => &preset::GITLAB,
            Self::Apple => &preset::APPLE,
            Self::Discord => &preset::DISCORD,
            Self::Facebook => &preset::FACEBOOK,
            Self::X => &preset::X,
            Self::LinkedIn => &preset::LINKEDIN,
            Self::Slack => &preset::SLACK,
            Self::Keycloak => &preset::KEYCLOAK,
            Self::Auth0 => &preset::AUTH0,
            Self::Okta => &preset::OKTA,
        }
    }

    /// Whether it issues ID tokens: everything but the endpoints of plain OAuth 2.0.
    pub fn is_openid(self) -> bool {
        matches!(self.data().location, Location::Issuer { .. })
    }

    /// Whether its endpoints are known in advance, at hosts that `web_url` and `api_url` may replace.
    pub(super) fn has_hosts(self) -> bool {
        matches!(self.data().location, Location::Hosts(_))
    }
}

choice! {
    /// An icon of the app.
    Icon {
        /// GitHub's.
        GitHub = "github",
        /// The sign of OpenID.
        OpenId = "openid",
        /// A key.
        OAuth = "oauth",
        /// Google's.
        Google = "google",
        /// Microsoft's.
        Microsoft = "microsoft",
        /// GitLab's.
        GitLab = "gitlab",
        /// Apple's.
        Apple = "apple",
        /// Discord's.
        Discord = "discord",
        /// Facebook's.
        Facebook = "facebook",
        /// X's.
        X = "x",
        /// LinkedIn's.
        LinkedIn = "linkedin",
        /// Slack's.
        Slack = "slack",
        /// Keycloak's.
        Keycloak = "keycloak",
        /// Auth0's.
        Auth0 = "auth0",
        /// Okta's.
        Okta = "okta",
    }
}

choice! {
    /// How the client authenticates at the token endpoint ([RFC 6749 §2.3](https://www.rfc-editor.org/rfc/rfc6749#section-2.3)).
    ClientAuth {
        /// `client_secret_basic`.
        Basic = "basic",
        /// `client_secret_post`.
        Post = "post",
        /// `private_key_jwt`, [RFC 7523](https://www.rfc-editor.org/rfc/rfc7523).
        PrivateKeyJwt = "private_key_jwt",
        /// `client_secret_jwt`, [RFC 7523](https://www.rfc-editor.org/rfc/rfc7523).
        SecretJwt = "client_secret_jwt",
        /// `tls_client_auth`, [RFC 8705 §2.1](https://www.rfc-editor.org/rfc/rfc8705#section-2.1).
        TlsClientAuth = "tls_client_auth",
        /// `self_signed_tls_client_auth`, [RFC 8705 §2.2](https://www.rfc-editor.org/rfc/rfc8705#section-2.2).
        SelfSignedTls = "self_signed_tls_client_auth",
        /// A public client.
        None = "none",
    }
}

impl ClientAuth {
    /// Whether the client's secret takes part in it.
    pub(super) fn uses_secret(self) -> bool {
        matches!(self, Self::Basic | Self::Post | Self::SecretJwt)
    }

    /// Whether the client's certificate is all that it consists of.
    pub(super) fn uses_certificate(self) -> bool {
        matches!(self, Self::TlsClientAuth | Self::SelfSignedTls)
    }
}

choice! {
    /// What to do about a missing `iss` in an authorization response; a wrong one is always refused ([RFC 9207](https://www.rfc-editor.org/rfc/rfc9207)).
    IssPolicy {
        /// Refuse an answer without it.
        Require = "require",
        /// Refuse an answer without it when the provider's metadata promises it.
        Allow = "allow",
        /// Accept an answer without it even then, for metadata that is wrong about this client.
        Ignore = "ignore",
    }
}

choice! {
    /// What stands between granted scopes.
    ScopeSeparator {
        /// A space, as RFC 6749 §3.3 says.
        Space = "space",
        /// A comma.
        Comma = "comma",
    }
}

impl ScopeSeparator {
    /// The character.
    pub fn as_char(self) -> char {
        match self {
            Self::Space => ' ',
            Self::Comma => ',',
        }
    }
}

choice! {
    /// What the metadata of an issuer is.
    Metadata {
        /// OpenID Connect Discovery.
        OpenId = "openid",
        /// [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414), without ID tokens.
        OAuth = "oauth",
    }
}

impl Choice for ParPolicy {
    const ALL: &'static [(&'static str, Self)] = &[("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

impl Choice for ResponseMode {
    const ALL: &'static [(&'static str, Self)] = &[("query", Self::Query), ("form_post", Self::FormPost), ("jwt", Self::Jwt)];
}

impl Choice for DpopPolicy {
    const ALL: &'static [(&'static str, Self)] = &[("off", Self::Off), ("auto", Self::Auto), ("require", Self::Require)];
}

impl Choice for SignedUserInfo {
    const ALL: &'static [(&'static str, Self)] = &[("allow", Self::Allow), ("require", Self::Require)];
}

/// Without `none`: a configuration in which every sign-in is a silent one would let in nobody who is not signed in already.
impl Choice for Prompt {
    const ALL: &'static [(&'static str, Self)] =
        &[("login", Self::Login), ("consent", Self::Consent), ("select_account", Self::SelectAccount), ("create", Self::Create)];
}

impl Choice for SigningAlgorithm {
    const ALL: &'static [(&'static str, Self)] = &[
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("PS384", Self::Ps384),
        ("PS512", Self::Ps512),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
        ("EdDSA", Self::EdDsa),
    ];
}
