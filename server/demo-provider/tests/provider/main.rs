//! The demo provider over real HTTP: one file a topic, and a browser with a hand-kept cookie jar.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected should stop there")]

mod authentication_strength;
mod authorization_request;
mod authorization_response;
mod backchannel_logout;
mod client_assertion;
mod client_key;
mod code_exchange;
mod consent;
mod database;
mod dpop;
mod end_session;
mod hostile;
mod keys;
mod login;
mod malformed_input;
mod metadata;
mod notes;
mod pages;
mod prompt;
mod pushed_request;
mod refresh;
mod request_object;
mod response_mode;
mod revocation;
mod support;
mod token_exchange;
mod userinfo;
