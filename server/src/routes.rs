//! The handlers, one file a route.

pub mod auth;
pub mod backchannel_logout;
pub mod code;
pub mod events;
pub mod flow;
pub mod health;
pub mod jwks;
pub mod lab;
pub mod language;
pub mod login;
pub mod logout;
mod onward;
pub mod providers;
pub mod proxy;
pub mod session;
pub mod sessions;
pub mod texts;
