//! The whole server over real HTTP: the app, the demo provider, stand-ins for other providers and an API, each on a
//! socket of its own, with a clock that the test sets. A test's name begins with the requirement that it holds up.

#![expect(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod access;
mod attack;
mod callback;
mod dpop;
mod events;
mod flow;
mod form_post;
mod forward_auth;
mod github;
mod headers;
mod hostile;
mod id_token;
mod input;
mod jarm;
mod lab;
mod languages;
mod logout;
mod oauth;
mod openapi;
mod outbound;
mod own_pages;
mod own_routes;
mod par;
mod preset;
mod proxy;
mod session;
mod sessions;
mod silent;
mod start;
mod step_up;
mod support;
mod trouble;
mod xray;
