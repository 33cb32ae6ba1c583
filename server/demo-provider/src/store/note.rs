//! The notes of the accounts.

use sqlx::{Row, sqlite::SqliteRow};

use super::Store;
use crate::failure::Failure;

/// More notes than this are not kept for one account.
const MAX_NOTES: i64 = 100;

/// A note.
#[derive(Debug)]
pub(crate) struct Note {
    pub(crate) id: String,
    pub(crate) text: String,
    pub(crate) created_at: i64,
}

fn note(row: &SqliteRow) -> Note {
    Note { id: row.get(0), text: row.get(1), created_at: row.get(2) }
}

impl Store {
    /// The notes of an account, the oldest first.
    pub(crate) async fn notes(&self, sub: &str) -> Result<Vec<Note>, Failure> {
        let rows =
            sqlx::query("SELECT id, text, created_at FROM notes WHERE sub = ? ORDER BY position").bind(sub).fetch_all(&self.pool).await?;
        Ok(rows.iter().map(note).collect())
    }

    /// Adds a note; false when the account has too many already.
    pub(crate) async fn add_note(&self, sub: &str, note: &Note) -> Result<bool, Failure> {
        let added = sqlx::query(
            "INSERT INTO notes (id, sub, text, created_at) SELECT ?1, ?2, ?3, ?4 WHERE (SELECT count(*) FROM notes WHERE sub = ?2) < ?5",
        )
        .bind(&note.id)
        .bind(sub)
        .bind(&note.text)
        .bind(note.created_at)
        .bind(MAX_NOTES)
        .execute(&self.pool)
        .await?;
        Ok(added.rows_affected() > 0)
    }

    /// Deletes a note of an account; false when it has no such note.
    pub(crate) async fn delete_note(&self, sub: &str, id: &str) -> Result<bool, Failure> {
        let deleted = sqlx::query("DELETE FROM notes WHERE sub = ? AND id = ?").bind(sub).bind(id).execute(&self.pool).await?;
        Ok(deleted.rows_affected() > 0)
    }
}
