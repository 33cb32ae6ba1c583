//! The store: what is remembered between requests.

mod sqlite;

pub use sqlite::{NamedSessions, OpenError, SqliteStore};

use thiserror::Error;

/// The store did not do what it was asked; nobody is signed out for that.
#[derive(Debug, Error)]
#[error("the session store does not answer")]
pub struct StoreError(#[from] sqlx::Error);
