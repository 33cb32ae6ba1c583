//! The Leptos app of oauth2flow.

pub mod api;
pub mod problem;
