//! Authorization requests that a client has pushed.

use sqlx::Row;

use super::Store;
use crate::{authorization_request::AuthorizationRequest, digest::sha256, failure::Failure};

impl Store {
    pub(crate) async fn add_pushed_request(&self, uri: &str, request: &AuthorizationRequest, expires_at: i64) -> Result<(), Failure> {
        sqlx::query("INSERT INTO pushed_requests (uri_hash, client_id, request, expires_at) VALUES (?, ?, ?, ?)")
            .bind(sha256(uri))
            .bind(&request.client_id)
            .bind(serde_json::to_string(request)?)
            .bind(expires_at)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes a request of this client; there is none when somebody has taken it already.
    pub(crate) async fn take_pushed_request(&self, uri: &str, client_id: &str, now: i64) -> Result<Option<AuthorizationRequest>, Failure> {
        let row = sqlx::query("DELETE FROM pushed_requests WHERE uri_hash = ? AND client_id = ? AND expires_at > ? RETURNING request")
            .bind(sha256(uri))
            .bind(client_id)
            .bind(now)
            .fetch_optional(&self.pool)
            .await?;
        row.map(|row| serde_json::from_str(row.get::<&str, _>(0)).map_err(Failure::from)).transpose()
    }
}
