//! One handler a file.

pub(crate) mod authorize;
pub(crate) mod consent;
pub(crate) mod end_session;
pub(crate) mod home;
pub(crate) mod login;
pub(crate) mod metadata;
pub(crate) mod notes;
pub(crate) mod par;
pub(crate) mod revoke;
pub(crate) mod token;
pub(crate) mod userinfo;
