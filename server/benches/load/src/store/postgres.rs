//! Sessions into PostgreSQL.

use super::SEEN_AHEAD_SECONDS;
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
    let statement = statement(&columns);
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

/// Every column is copied but for those that cannot be the same.
fn statement(columns: &[String]) -> String {
    let sources = columns.iter().map(|column| match column.as_str() {
        "key" => "list.key".to_owned(),
        "sub" => "convert_to('user-' || encode(list.key, 'hex'), 'UTF8')".to_owned(),
        "sid" => "convert_to('sid-' || encode(list.key, 'hex'), 'UTF8')".to_owned(),
        "last_seen_at" => format!("extract(epoch FROM now())::bigint + {SEEN_AHEAD_SECONDS}"),
        other => format!("template.{other}"),
    });
    let (columns, sources) = (columns.join(", "), sources.collect::<Vec<_>>().join(", "));
    format!(
        "INSERT INTO oauth2flow_sessions ({columns}) SELECT {sources} FROM unnest($1::bytea[]) AS list (key), \
         (SELECT * FROM oauth2flow_sessions WHERE key = $2) AS template"
    )
}

#[cfg(test)]
mod tests {
    use super::statement;

    #[test]
    fn columns_that_nobody_here_knows_are_copied() {
        let columns = ["key", "sub", "novelty"].map(str::to_owned);
        let statement = statement(&columns);
        assert!(statement.starts_with("INSERT INTO oauth2flow_sessions (key, sub, novelty) SELECT list.key, "), "{statement}");
        assert!(statement.contains("template.novelty FROM"), "{statement}");
    }
}
