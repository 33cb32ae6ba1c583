//! The rules of the flow, one file a topic. A test's name begins with the requirement that it holds up: `a` numbers what a
//! sign-in must do, `b` names a case of the OpenID Foundation's conformance plans for relying parties, `c` an attack.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod address;
mod authorize;
mod callback;
mod client_auth;
mod discovery;
mod id_token;
mod jwks;
mod logout;
mod logout_token;
mod preset;
mod provider;
mod refresh;
mod return_to;
mod secret;
mod signing_key;
mod support;
mod token;
mod userinfo;
