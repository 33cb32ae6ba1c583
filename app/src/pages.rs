//! One file a page.

pub mod account;
pub mod callback;
pub mod flow;
pub mod home;
pub mod lab;
pub mod learn;
pub mod not_found;
pub mod problem;
pub mod signed_in;
