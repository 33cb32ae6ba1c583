//! The handlers, one file a route.

pub mod backchannel_logout;
pub mod code;
pub mod health;
pub mod login;
pub mod logout;
pub mod providers;
pub mod proxy;
pub mod session;
