//! oauth2flow: sign-in by the OAuth 2.0 authorization code flow, done completely and safely.
//!
//! [`Program`] is the way to serve an app of your own with it; docs/kit.md in the repository tells the whole of it.
//!
//! Handlers move bytes, `oauth2flow_protocol` decides, stores remember. [`router`] has every route on one page.

#![recursion_limit = "256"]

pub mod access;
pub mod application;
pub mod assets;
pub mod body;
pub mod clock;
pub mod config;
mod current_user;
pub mod dpop;
pub mod entropy;
pub mod error;
pub mod extract;
pub mod flow;
pub mod identity;
pub mod idle;
pub mod key_command;
pub mod lab;
pub mod login;
pub mod logout;
pub mod middleware;
pub mod ongoing;
pub mod openapi;
pub mod outbound;
pub mod pages;
mod program;
pub mod provider;
pub mod proxy;
pub mod registration;
pub mod router;
pub mod routes;
pub mod serve;
pub mod session;
pub mod state;
pub mod streams;
pub mod telemetry;
pub mod token_endpoint;

pub use application::{Application, Served, Surroundings};
pub use body::BodyLimit;
pub use current_user::CurrentUser;
pub use error::Failure;
pub use extract::{Json, Path, Query};
pub use oauth2flow_app::{problem::ProblemCode, site::Site};
pub use program::Program;
