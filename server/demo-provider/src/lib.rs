//! The demo provider: a real OAuth 2.0 and OpenID Connect authorization server, with a small notes API, for local use.
//!
//! It is what the one-command run signs in with, and what the client is tested against. It therefore shares no code with
//! the client: its requests are parsed, its tokens made and its pages drawn here alone. It speaks RFC 6749, 6750, 7009, 7523,
//! 7636, 8414, 9101, 9126, 9207, 9449, 9470, OpenID Connect Core, Discovery, RP-Initiated Logout, Back-Channel Logout, form post
//! and JARM.
//!
//! Told to, it does one thing wrong: see [`Defect`], and [`HostileProviders`] for all of them beside each other.
//!
//! Its accounts and their password are known to everybody, so it refuses to run anywhere but on a loopback address.

mod accounts;
mod acr;
mod authorization_request;
mod authorization_response;
mod backchannel_logout;
mod bearer;
mod client_assertion;
mod client_authentication;
mod clock;
mod config;
mod csrf;
mod defect;
mod digest;
mod dpop;
mod entropy;
mod error;
mod failure;
mod form;
mod hostile;
mod interaction;
mod json_web_key;
mod jwt;
mod pages;
mod parameters;
mod provider;
mod request_object;
mod router;
mod routes;
mod scope;
mod security_headers;
mod signing_algorithm;
mod signing_key;
mod state;
mod store;
mod visitor;

pub use clock::Clock;
pub use config::{DemoProviderConfig, Offer, StepUp};
pub use defect::{Defect, Expected, Feature};
pub use entropy::{Entropy, EntropyError};
pub use error::DemoProviderError;
pub use hostile::HostileProviders;
pub use provider::DemoProvider;
pub use signing_algorithm::SigningAlgorithm;
