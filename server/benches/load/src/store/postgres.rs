//! Sessions into PostgreSQL.

use super::{SEEN_AHEAD_SECONDS, copies};
use anyhow::{Context as _, Result, ensure};
use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// How many go in by one statement.
const BATCH: usize = 10_000;

/// Copies the session under `template` to each of these keys.
pub(super) async fn fill(url: &str, template: [u8; 32], keys: &[[u8; 32]]) -> Result<()> {
    let mut connection = PgConnection::connect(url).await.context("cannot connect to PostgreSQL")?;
    sqlx::query("SET synchronous_commit = off").execute(&mut connection).await?;
    let columns =
        "SELECT column_name::text FROM information_schema.columns WHERE table_name = 'oauth2flow_sessions' ORDER BY ordinal_position";
    let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut connection).await?;
    let last_seen_at = format!("extract(epoch FROM now())::bigint + {SEEN_AHEAD_SECONDS}");
    let own = [
        ("key", "list.key"),
        ("sub", "convert_to('user-' || encode(list.key, 'hex'), 'UTF8')"),
        ("sid", "convert_to('sid-' || encode(list.key, 'hex'), 'UTF8')"),
        ("last_seen_at", last_seen_at.as_str()),
    ];
    let statement = copies("oauth2flow_sessions", &columns, &own, "unnest($1::bytea[]) AS list (key)", "$2");
    for batch in keys.chunks(BATCH) {
        let list = batch.iter().map(|key| key.to_vec()).collect::<Vec<_>>();
        let done = sqlx::query(AssertSqlSafe(statement.as_str())).bind(list).bind(template.as_slice()).execute(&mut connection).await?;
        ensure!(done.rows_affected() == batch.len() as u64, "the session to copy is not in the database");
    }
    // Nothing else happens to the table: what autovacuum would do now would be counted with what is measured later.
    sqlx::query("VACUUM (ANALYZE) oauth2flow_sessions").execute(&mut connection).await?;
    sqlx::query("CHECKPOINT").execute(&mut connection).await?;
    connection.close().await?;
    Ok(())
}
