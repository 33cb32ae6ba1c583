//! Servers of the machine's packages, each with a directory of its own, ended when they are dropped.

pub(crate) mod address;
#[path = "../http/support/authority.rs"]
pub(crate) mod authority;
pub(crate) mod patience;
pub(crate) mod postgres;
pub(crate) mod redis;
