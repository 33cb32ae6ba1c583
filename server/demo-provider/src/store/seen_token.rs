//! Tokens that work once.

use super::Store;
use crate::{digest::sha256, failure::Failure};

impl Store {
    /// Notes that a token has come; false when it had come before. `kind` and `signer` keep the names of different worlds apart.
    pub(crate) async fn first_sight(&self, kind: &str, signer: &str, jti: &str, expires_at: i64) -> Result<bool, Failure> {
        let noted = sqlx::query("INSERT INTO seen_tokens (hash, expires_at) VALUES (?, ?) ON CONFLICT DO NOTHING")
            .bind(sha256(&format!("{kind}\n{signer}\n{jti}")))
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(noted.rows_affected() > 0)
    }
}
