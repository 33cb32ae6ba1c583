//! The demo provider over real HTTP: one file a topic, and a browser with a hand-kept cookie jar.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that meets the unexpected should stop there")]

mod authorization_request;
mod authorization_response;
mod backchannel_logout;
mod code_exchange;
mod consent;
mod database;
mod end_session;
mod login;
mod malformed_input;
mod metadata;
mod notes;
mod pages;
mod prompt;
mod refresh;
mod revocation;
mod support;
mod userinfo;
