//! Strings that must not be printed, serialized or left in memory.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

macro_rules! secret {
    ($(#[$documentation:meta])* $name:ident) => {
        $(#[$documentation])*
        #[derive(Clone)]
        pub struct $name(SecretString);

        impl $name {
            /// Takes the secret over; its memory is overwritten when the value is dropped.
            pub fn new(secret: String) -> Self {
                Self(SecretString::from(secret))
            }

            /// The secret itself, for the one place that needs it.
            pub fn expose(&self) -> &str {
                self.0.expose_secret()
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

secret! {
    /// An access token, [RFC 6749 §1.4](https://www.rfc-editor.org/rfc/rfc6749#section-1.4).
    AccessToken
}
secret! {
    /// A refresh token, [RFC 6749 §1.5](https://www.rfc-editor.org/rfc/rfc6749#section-1.5).
    RefreshToken
}
secret! {
    /// The client's password at the provider, [RFC 6749 §2.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1).
    ClientSecret
}
secret! {
    /// A one-time code, [RFC 6749 §1.3.1](https://www.rfc-editor.org/rfc/rfc6749#section-1.3.1).
    AuthorizationCode
}
secret! {
    /// The verifier of [RFC 7636 §4.1](https://www.rfc-editor.org/rfc/rfc7636#section-4.1).
    PkceVerifier
}
secret! {
    /// The nonce of [OpenID Connect Core §3.1.2.1](https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest): whoever
    /// knows it could have an ID token made for this login.
    Nonce
}
secret! {
    /// An ID token as the provider sent it: not validated.
    /// [OpenID Connect Core §2](https://openid.net/specs/openid-connect-core-1_0.html#IDToken)
    IdToken
}
