//! Sessions into an SQLite file.

use super::{SEEN_AHEAD_SECONDS, copies, hexadecimal};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _,
    sqlite::{SqliteConnectOptions, SqliteSynchronous},
};
use std::{path::Path, time::Duration};

/// How many go in by one statement.
const BATCH: usize = 10_000;

/// Copies the session under `template` to each of these keys. The server may go on reading meanwhile.
pub(super) async fn fill(path: &Path, template: [u8; 32], keys: &[[u8; 32]]) -> Result<()> {
    let mut connection = SqliteConnectOptions::new()
        .filename(path)
        .synchronous(SqliteSynchronous::Off)
        .busy_timeout(Duration::from_secs(30))
        .pragma("cache_size", "-262144")
        .disable_statement_logging()
        .connect()
        .await
        .with_context(|| format!("cannot open {}", path.display()))?;
    let columns: Vec<String> = sqlx::query_scalar("SELECT name FROM pragma_table_info('sessions')").fetch_all(&mut connection).await?;
    let last_seen_at = format!("unixepoch() + {SEEN_AHEAD_SECONDS}");
    let own = [
        ("key", "unhex(list.value)"),
        ("sub", "'user-' || list.value"),
        ("sid", "'sid-' || list.value"),
        ("last_seen_at", last_seen_at.as_str()),
    ];
    let statement = copies("sessions", &columns, &own, "json_each(?1) AS list", "?2");
    for batch in keys.chunks(BATCH) {
        let list = Value::from(batch.iter().map(|key| hexadecimal(key)).collect::<Vec<_>>()).to_string();
        let done = sqlx::query(AssertSqlSafe(statement.as_str())).bind(list).bind(template.as_slice()).execute(&mut connection).await?;
        ensure!(done.rows_affected() == batch.len() as u64, "the session to copy is not in the database");
    }
    connection.close().await?;
    Ok(())
}
