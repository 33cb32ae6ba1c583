//! What is fuzzed: every parser of bytes that somebody else has written.
//!
//! A target is a function from bytes to whether they were accepted. It asserts what must hold whatever the bytes are, not only
//! that nothing panics. The fuzzer calls it with all that it can think of; the ordinary tests call it with the seeds, and with
//! simple changes of them (`server/protocol/tests/seeds`).

#![forbid(unsafe_code)]

mod access;
mod callback;
mod id_token;
mod jarm;
mod jwks;
mod logout_token;
mod metadata;
mod private_key;
mod pushed_request;
mod return_to;
mod stand_in;
mod step_up;
mod token_answer;
mod transaction;
mod userinfo;

pub use access::access;
pub use callback::callback;
pub use id_token::{id_token, id_token_claims};
pub use jarm::{jarm, jarm_claims};
pub use jwks::jwks;
pub use logout_token::{logout_token, logout_token_claims};
pub use metadata::metadata;
pub use private_key::private_key;
pub use pushed_request::pushed_request;
pub use return_to::return_to;
pub use step_up::step_up;
pub use token_answer::token_answer;
pub use transaction::transaction;
pub use userinfo::{emails, userinfo, userinfo_claims};
