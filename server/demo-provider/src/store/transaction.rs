//! Authorization requests that wait for a person.

use sqlx::Row;

use super::Store;
use crate::{authorization_request::AuthorizationRequest, digest::sha256, failure::Failure};

/// More requests than this are not waited for: the oldest is forgotten, so a flood fills no disk.
const MAX_TRANSACTIONS: i64 = 1000;

/// A request that waits, and what has happened for it.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) id: String,
    pub(crate) request: AuthorizationRequest,
    /// The session in which somebody signed in for this request.
    pub(crate) authenticated_sid: Option<String>,
}

impl Store {
    pub(crate) async fn add_transaction(
        &self,
        id: &str,
        browser: &str,
        request: &AuthorizationRequest,
        now: i64,
        expires_at: i64,
    ) -> Result<(), Failure> {
        let mut transaction = self.pool.begin().await?;
        sqlx::query("DELETE FROM transactions WHERE expires_at <= ?").bind(now).execute(&mut *transaction).await?;
        sqlx::query("DELETE FROM transactions WHERE rowid IN (SELECT rowid FROM transactions ORDER BY rowid DESC LIMIT -1 OFFSET ?)")
            .bind(MAX_TRANSACTIONS - 1)
            .execute(&mut *transaction)
            .await?;
        sqlx::query("INSERT INTO transactions (id_hash, browser_hash, request, expires_at) VALUES (?, ?, ?, ?)")
            .bind(sha256(id))
            .bind(sha256(browser))
            .bind(serde_json::to_string(request)?)
            .bind(expires_at)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    /// The request that waits under this id in this browser.
    pub(crate) async fn transaction(&self, id: &str, browser: &str, now: i64) -> Result<Option<Transaction>, Failure> {
        let row =
            sqlx::query("SELECT request, authenticated_sid FROM transactions WHERE id_hash = ? AND browser_hash = ? AND expires_at > ?")
                .bind(sha256(id))
                .bind(sha256(browser))
                .bind(now)
                .fetch_optional(&self.pool)
                .await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(Transaction { id: id.to_owned(), request: serde_json::from_str(row.get::<&str, _>(0))?, authenticated_sid: row.get(1) }))
    }

    pub(crate) async fn authenticated(&self, id: &str, sid: &str) -> Result<(), Failure> {
        sqlx::query("UPDATE transactions SET authenticated_sid = ? WHERE id_hash = ?")
            .bind(sid)
            .bind(sha256(id))
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Ends the wait; false when somebody else has ended it already.
    pub(crate) async fn finish_transaction(&self, id: &str) -> Result<bool, Failure> {
        let finished = sqlx::query("DELETE FROM transactions WHERE id_hash = ?").bind(sha256(id)).execute(&self.pool).await?;
        Ok(finished.rows_affected() > 0)
    }
}
