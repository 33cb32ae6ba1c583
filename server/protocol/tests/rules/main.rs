//! The rules of the flow, one file a topic. A test's name begins with the requirement that it holds up: `a` numbers what a
//! sign-in must do, `b` names a case of the OpenID Foundation's conformance plans for relying parties, `c` an attack.

#![expect(clippy::panic, clippy::unwrap_used, reason = "a test that cannot go on should end there")]

mod access;
mod address;
mod authorize;
mod browser;
mod callback;
mod client_auth;
mod client_key;
mod discovery;
mod dpop;
mod id_token;
mod jarm;
mod jwks;
mod logout;
mod logout_token;
mod membership;
mod par;
mod preset;
mod provider;
mod refresh;
mod request_object;
mod return_to;
mod secret;
mod signing_key;
mod step_up;
mod support;
mod token;
mod token_exchange;
mod userinfo;
