//! Everything that outlives a request, in one SQLite database.
//!
//! Secrets are kept as their SHA-256 only; the signing key is the exception, and the reason why the file is readable for
//! its owner alone. There is one connection: a demo has few users, and whatever is one statement or one transaction here
//! is therefore one step for everybody.

pub(crate) mod grant;
pub(crate) mod note;
pub(crate) mod provider_session;
pub(crate) mod pushed_request;
pub(crate) mod seen_token;
pub(crate) mod transaction;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{
    Executor, Row, Sqlite, SqliteConnection, SqlitePool,
    sqlite::{SqliteConnectOptions, SqlitePoolOptions},
};
use tokio::time::{Instant, sleep};

use crate::{DemoProviderConfig, DemoProviderError, SigningAlgorithm, accounts::ACCOUNTS, signing_key::SigningKey};

/// Marks a file as ours: "demo" in ASCII.
const APPLICATION_ID: i64 = 0x6465_6d6f;
/// The version that the steps of [`SCHEMA`] lead to.
const SCHEMA_VERSION: i64 = 2;
/// What makes each version out of the one before.
const SCHEMA: [&str; 2] = [include_str!("store/schema.sql"), include_str!("store/schema_2.sql")];
/// How long others may take that make the same file at the same moment. Turning on the WAL waits for nobody by itself.
const OPEN_PATIENCE: Duration = Duration::from_secs(4);
const OPEN_AGAIN_AFTER: Duration = Duration::from_millis(20);
/// How many keys are published: the one that signs, and the one before it, whose tokens are still about.
pub(crate) const PUBLISHED_KEYS: i64 = 2;
/// How long a code is remembered after it expired, so that its reuse is still noticed.
const SPENT_CODE_SECONDS: i64 = 86_400;

/// The database.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    pool: SqlitePool,
    path: PathBuf,
}

impl Store {
    /// Opens or creates the database. A file that is not ours is left alone.
    pub(crate) async fn open(config: &DemoProviderConfig) -> Result<Self, DemoProviderError> {
        let (path, options) = match &config.database {
            Some(path) => {
                create_private_file(path).map_err(|source| database_error(path, source.into()))?;
                (path.clone(), SqliteConnectOptions::new().filename(path))
            }
            None => (PathBuf::from(":memory:"), SqliteConnectOptions::new().in_memory(true)),
        };
        let pool = SqlitePoolOptions::new()
            .min_connections(1)
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(options)
            .await
            .map_err(|source| database_error(&path, source))?;
        let store = Self { pool, path };
        if !store.prepare().await.map_err(|source| store.error(source))? {
            return Err(DemoProviderError::ForeignDatabase { path: store.path });
        }
        store.add_accounts(config).await?;
        store.sweep(config.clock.now()).await.map_err(|source| store.error(source))?;
        Ok(store)
    }

    /// Creates the tables of a new file; false when the file is somebody else's. Others may do the same at the same moment.
    async fn prepare(&self) -> Result<bool, sqlx::Error> {
        let begun = Instant::now();
        loop {
            match self.try_to_prepare().await {
                Err(error) if is_locked(&error) && begun.elapsed() < OPEN_PATIENCE => sleep(OPEN_AGAIN_AFTER).await,
                prepared => return prepared,
            }
        }
    }

    async fn try_to_prepare(&self) -> Result<bool, sqlx::Error> {
        // First without a lock, and without writing: the file may be anything.
        let mut looking = self.pool.begin().await?;
        let found = Found::look(&mut looking).await?;
        looking.rollback().await?;
        if !matches!(found, Found::Older(_)) {
            return Ok(found == Found::Ours);
        }
        sqlx::query("PRAGMA journal_mode = WAL").fetch_all(&self.pool).await?;
        let mut transaction = self.begin().await?;
        let found = Found::look(&mut transaction).await?;
        if let Found::Older(version) = found {
            for step in SCHEMA.iter().skip(version) {
                transaction.execute(*step).await?;
            }
        }
        transaction.commit().await?;
        Ok(found != Found::Foreign)
    }

    async fn add_accounts(&self, config: &DemoProviderConfig) -> Result<(), DemoProviderError> {
        for account in &ACCOUNTS {
            let ids = [config.entropy.identifier()?, config.entropy.identifier()?];
            let notes = ids.into_iter().zip(account.first_notes);
            self.add_account(account.sub, notes, config.clock.now()).await.map_err(|source| self.error(source))?;
        }
        Ok(())
    }

    async fn add_account(&self, sub: &str, first_notes: impl Iterator<Item = (String, &'static str)>, now: i64) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        let added =
            sqlx::query("INSERT INTO accounts (sub) VALUES (?) ON CONFLICT DO NOTHING").bind(sub).execute(&mut *transaction).await?;
        if added.rows_affected() > 0 {
            for (id, text) in first_notes {
                sqlx::query("INSERT INTO notes (id, sub, text, created_at) VALUES (?, ?, ?, ?)")
                    .bind(id)
                    .bind(sub)
                    .bind(text)
                    .bind(now)
                    .execute(&mut *transaction)
                    .await?;
            }
        }
        transaction.commit().await
    }

    /// The signing keys, the one that signs first: the stored ones, or a new one that is stored.
    pub(crate) async fn signing_keys(&self, algorithm: SigningAlgorithm, now: i64) -> Result<Vec<SigningKey>, DemoProviderError> {
        let stored = sqlx::query("SELECT pkcs8, algorithm FROM signing_keys ORDER BY created_at DESC, rowid DESC LIMIT ?")
            .bind(PUBLISHED_KEYS)
            .fetch_all(&self.pool)
            .await
            .map_err(|source| self.error(source))?;
        let mut keys = Vec::new();
        for row in stored {
            let algorithm = SigningAlgorithm::named(row.get(1)).ok_or(DemoProviderError::SigningKey)?;
            keys.push(SigningKey::from_pkcs8(algorithm, row.get::<&[u8], _>(0))?);
        }
        if keys.first().is_none_or(|key| key.algorithm() != algorithm) {
            keys.insert(0, self.new_signing_key(algorithm, now).await?);
        }
        Ok(keys)
    }

    /// Makes a signing key, and stores it.
    pub(crate) async fn new_signing_key(&self, algorithm: SigningAlgorithm, now: i64) -> Result<SigningKey, DemoProviderError> {
        let generated = tokio::task::spawn_blocking(move || SigningKey::generate(algorithm)).await;
        let key = generated.map_err(|_| DemoProviderError::SigningKey).flatten()?;
        sqlx::query("INSERT INTO signing_keys (kid, pkcs8, algorithm, created_at) VALUES (?, ?, ?, ?)")
            .bind(key.kid())
            .bind(key.to_pkcs8()?)
            .bind(algorithm.name())
            .bind(now)
            .execute(&self.pool)
            .await
            .map_err(|source| self.error(source))?;
        Ok(key)
    }

    /// Begins what reads first and writes by that: nobody else may write in between, and whoever is writing is waited for.
    pub(crate) async fn begin(&self) -> Result<sqlx::Transaction<'static, Sqlite>, sqlx::Error> {
        self.pool.begin_with("BEGIN IMMEDIATE").await
    }

    /// Deletes what has expired.
    pub(crate) async fn sweep(&self, now: i64) -> Result<(), sqlx::Error> {
        let mut transaction = self.pool.begin().await?;
        for (sql, before) in [
            ("DELETE FROM transactions WHERE expires_at <= ?", now),
            ("DELETE FROM provider_sessions WHERE expires_at <= ?", now),
            ("DELETE FROM codes WHERE expires_at <= ?", now - SPENT_CODE_SECONDS),
            ("DELETE FROM access_tokens WHERE expires_at <= ?", now),
            ("DELETE FROM refresh_tokens WHERE expires_at <= ?", now),
            ("DELETE FROM pushed_requests WHERE expires_at <= ?", now),
            ("DELETE FROM seen_tokens WHERE expires_at <= ?", now),
        ] {
            sqlx::query(sql).bind(before).execute(&mut *transaction).await?;
        }
        transaction
            .execute(
                "DELETE FROM grants WHERE id NOT IN (SELECT grant_id FROM access_tokens) \
                 AND id NOT IN (SELECT grant_id FROM refresh_tokens)",
            )
            .await?;
        transaction.commit().await
    }

    /// Finishes writing and closes the file.
    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }

    fn error(&self, source: sqlx::Error) -> DemoProviderError {
        database_error(&self.path, source)
    }
}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// Ours, and up to date.
    Ours,
    /// Ours, of the version before this many steps of [`SCHEMA`]; 0 is a new file.
    Older(usize),
    /// Somebody else's, or of a newer version.
    Foreign,
}

impl Found {
    async fn look(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let mut integers = [0; 3];
        for (integer, sql) in
            integers.iter_mut().zip(["PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master"])
        {
            *integer = sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *connection).await?;
        }
        Ok(match integers {
            [APPLICATION_ID, SCHEMA_VERSION, _] => Self::Ours,
            [APPLICATION_ID, version @ 1..SCHEMA_VERSION, _] => Self::Older(usize::try_from(version).unwrap_or_default()),
            [0, 0, 0] => Self::Older(0),
            _ => Self::Foreign,
        })
    }
}

/// Whether another process holds the file.
fn is_locked(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    // The low byte is the primary result code, the rest says more about it.
    code.and_then(|code| code.parse::<i32>().ok()).is_some_and(|code| matches!(code & 0xff, 5 | 6))
}

fn database_error(path: &Path, source: sqlx::Error) -> DemoProviderError {
    DemoProviderError::Database { path: path.to_owned(), source }
}

/// Creates the file, when there is none, so that only its owner can read it: SQLite would let everybody.
fn create_private_file(path: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        created => created.map(drop),
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Connection;

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn several_may_make_the_same_file_at_the_same_moment() {
        for _ in 0..10 {
            let directory = tempfile::tempdir().unwrap();
            let database = Some(directory.path().join("demo.sqlite"));
            let config = DemoProviderConfig { database, ..DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret") };
            let opening: Vec<_> = (0..4)
                .map(|_| {
                    let config = config.clone();
                    tokio::spawn(async move { Store::open(&config).await })
                })
                .collect();
            for opening in opening {
                let store = opening.await.unwrap().unwrap();
                let notes: i64 = sqlx::query_scalar("SELECT count(*) FROM notes").fetch_one(&store.pool).await.unwrap();
                let expected: usize = ACCOUNTS.iter().map(|account| account.first_notes.into_iter().count()).sum();
                assert_eq!(usize::try_from(notes).unwrap(), expected);
                store.close().await;
            }
        }
    }

    #[tokio::test]
    async fn a_file_of_the_first_version_is_brought_up_to_date_and_keeps_what_it_has() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("demo.sqlite");
        let mut connection = SqliteConnection::connect(&format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
        connection.execute(SCHEMA[0]).await.unwrap();
        let key = SigningKey::generate(SigningAlgorithm::Rs256).unwrap();
        sqlx::query("INSERT INTO signing_keys (kid, pkcs8, created_at) VALUES (?, ?, 1)")
            .bind(key.kid())
            .bind(key.to_pkcs8().unwrap())
            .execute(&mut connection)
            .await
            .unwrap();
        connection.close().await.unwrap();
        let config = DemoProviderConfig { database: Some(path), ..DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret") };
        for _ in 0..2 {
            let store = Store::open(&config).await.unwrap();
            assert_eq!(sqlx::query_scalar::<_, i64>("PRAGMA user_version").fetch_one(&store.pool).await.unwrap(), SCHEMA_VERSION);
            assert_eq!(store.signing_keys(SigningAlgorithm::Rs256, 2).await.unwrap()[0].kid(), key.kid());
            store.close().await;
        }
    }

    #[tokio::test]
    async fn another_algorithm_gets_a_key_of_its_own_and_the_old_one_stays_published() {
        let store = Store::open(&DemoProviderConfig::new("http://127.0.0.1:4000", "app", "secret")).await.unwrap();
        let first = store.signing_keys(SigningAlgorithm::Es256, 1).await.unwrap();
        let keys = store.signing_keys(SigningAlgorithm::EdDsa, 2).await.unwrap();
        assert_eq!(keys[0].algorithm(), SigningAlgorithm::EdDsa);
        assert_eq!(keys[1].kid(), first[0].kid());
    }
}
