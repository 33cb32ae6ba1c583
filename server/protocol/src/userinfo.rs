//! Who the user is: from the userinfo endpoint, a provider's own user endpoint, or the ID token.

use crate::discovery::ProviderMetadata;
use crate::http::{OutboundRequest, OutboundResponse};
use crate::id_token::ValidatedIdToken;
use crate::provider::Provider;
use crate::secret::AccessToken;

/// A user. The key is (`issuer`, `sub`), never the e-mail address.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct User {
    /// Who describes the user: [`Provider::user_issuer`].
    pub issuer: String,
    /// The provider's stable identifier of the user.
    pub sub: String,
    /// The name to greet the user by.
    pub name: Option<String>,
    /// The login name.
    pub login: Option<String>,
    /// The e-mail address.
    pub email: Option<String>,
    /// Whether the provider has verified the address.
    pub email_verified: Option<bool>,
    /// The address of the user's picture: `https`, or `http` on loopback.
    pub picture: Option<String>,
}

/// Why a description of the user is rejected.
#[derive(Debug, thiserror::Error)]
pub enum UserInfoError {
    /// The description is of somebody else. [Core §5.3.2](https://openid.net/specs/openid-connect-core-1_0.html#UserInfoResponse)
    #[error("the user info is about another user than the ID token")]
    SubjectMismatch,
}

impl UserInfoError {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        todo!()
    }
}

impl User {
    /// The user that an ID token describes.
    ///
    /// # Errors
    /// When the mapped identifier is missing.
    pub fn from_id_token(_token: &ValidatedIdToken, _provider: &Provider) -> Result<Self, UserInfoError> {
        todo!()
    }

    /// This description with its gaps filled from another of the same user. An e-mail address and whether it is
    /// verified stay together.
    #[must_use]
    pub fn completed_with(self, _other: &Self) -> Self {
        todo!()
    }
}

/// The request for the user's description; `None` when the provider has no endpoint for it.
pub fn request(_provider: &Provider, _metadata: &ProviderMetadata, _access_token: &AccessToken) -> Option<OutboundRequest> {
    todo!()
}

/// Judges the user's description. `expected_sub` is the validated ID token's subject, where there is one.
///
/// # Errors
/// The first check that fails.
pub fn process(_response: &OutboundResponse, _provider: &Provider, _expected_sub: Option<&str>) -> Result<User, UserInfoError> {
    todo!()
}

/// The request for the user's e-mail addresses; `None` when the provider keeps them with the user.
pub fn emails_request(_provider: &Provider, _access_token: &AccessToken) -> Option<OutboundRequest> {
    todo!()
}

/// The address that is primary and verified, if any.
///
/// # Errors
/// The first check that fails.
pub fn process_emails(_response: &OutboundResponse) -> Result<Option<String>, UserInfoError> {
    todo!()
}
