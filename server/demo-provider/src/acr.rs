//! How strongly somebody authenticated ([OpenID Connect Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)).

use serde_json::{Value, json};

/// The code that the second factor asks for. Like the password it is shown on the form.
pub(crate) const ONE_TIME_CODE: &str = "246810";

/// An authentication context class: the stronger comes later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Acr {
    /// A password.
    Password,
    /// A password, and a code.
    TwoFactor,
}

impl Acr {
    pub(crate) const ALL: [Self; 2] = [Self::Password, Self::TwoFactor];

    /// The name on the wire.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Password => "urn:example:acr:password",
            Self::TwoFactor => "urn:example:acr:two-factor",
        }
    }

    /// The class of this name.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|acr| acr.name() == name)
    }

    /// The methods behind it ([RFC 8176](https://www.rfc-editor.org/rfc/rfc8176)).
    pub(crate) fn methods(self) -> Value {
        match self {
            Self::Password => json!(["pwd"]),
            Self::TwoFactor => json!(["pwd", "otp", "mfa"]),
        }
    }
}
