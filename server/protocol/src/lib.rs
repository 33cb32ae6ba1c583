//! The client side of the OAuth 2.0 authorization code flow and of OpenID Connect, without input or output.
//!
//! Nothing here opens a socket, reads a clock or draws a secret by itself: time and randomness are handed in ([`Context`]),
//! a request is a value to send, and its response is a value to judge. So every rule of the flow is tested
//! without a network. The types keep the order of the steps, and what has been judged can be made in no other way:
//!
//! 1. [`Transaction::begin`](authorize::Transaction::begin) starts a login; [`authorization_url`] sends the browser off, or
//!    [`par::request`] does so through the provider.
//! 2. [`AuthorizationResponse::from_pairs`](callback::AuthorizationResponse::from_pairs) and
//!    [`callback::validate`] judge what comes back; only the [`ValidatedCallback`] that
//!    they yield can be exchanged.
//! 3. [`token::exchange_request`] makes the token request, [`PendingExchange::process`](token::PendingExchange::process)
//!    judges its response.
//! 4. [`id_token::validate`] yields a [`ValidatedIdToken`], and only that, or
//!    [`userinfo::process`], yields a [`User`].
//! 5. [`refresh`], [`token_exchange`], [`logout`] and [`logout_token`] cover the rest of the session's life.
//!
//! Each operation has one error enum; each variant has a stable `code()` and names its section of a specification,
//! where there is one. Text that a provider wrote is bounded and stripped of control characters ([`ProviderText`]) before it
//! reaches any of them.

pub mod access;
pub mod address;
pub mod authorize;
pub mod callback;
pub mod client_auth;
pub mod context;
pub mod discovery;
pub mod dpop;
pub mod error_catalogue;
pub mod http;
pub mod id_token;
pub mod jarm;
pub mod jwks;
pub mod jws;
pub mod logout;
pub mod logout_token;
pub mod membership;
pub mod par;
pub mod preset;
pub mod provider;
pub mod refresh;
pub mod request_object;
pub mod return_to;
pub mod secret;
pub mod signing_algorithm;
pub mod signing_key;
pub mod step_up;
pub mod token;
pub mod token_exchange;
pub mod userinfo;

mod endpoint;
mod form;
mod issuer;
mod json;
mod pkce;
mod provider_text;

pub use authorize::{AuthorizationOptions, Prompt, Transaction, authorization_url};
pub use callback::{AuthorizationResponse, ValidatedCallback};
pub use context::Context;
pub use discovery::ProviderMetadata;
pub use dpop::DpopKey;
pub use http::{Method, OutboundRequest, OutboundResponse};
pub use id_token::ValidatedIdToken;
pub use json::JsonError;
pub use jwks::JwkSet;
pub use provider::Provider;
pub use provider_text::ProviderText;
pub use return_to::ReturnTo;
pub use secret::{AccessToken, AuthorizationCode, ClientSecret, IdToken, Nonce, PkceVerifier, RefreshToken};
pub use signing_algorithm::SigningAlgorithm;
pub use signing_key::SigningKey;
pub use token::{TokenResponse, TokenType};
pub use userinfo::User;

/// Makes AWS-LC the process-wide cryptography of `jsonwebtoken`; calling it again does nothing.
///
/// This crate names AWS-LC in each call and works without it. Call it first in `main` all the same: other code of the
/// process that signs or verifies through `jsonwebtoken` would otherwise panic as soon as some dependency turns on a
/// second implementation.
pub fn install_crypto_provider() {
    // `Err` means that a provider is installed already, which is what was asked for.
    let _already_installed = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
}
