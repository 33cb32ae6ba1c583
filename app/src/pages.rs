//! One file a page.

pub mod account;
pub mod callback;
pub mod home;
pub mod not_found;
pub mod problem;
