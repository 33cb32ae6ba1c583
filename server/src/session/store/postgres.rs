//! Sessions in PostgreSQL, for several servers.
//!
//! Every call is one statement, and so one way there and back: a write finds, changes and announces in itself (`pg_notify` in the
//! statement that writes). A connection of its own listens to what is announced. A statement that writes is always read to its end
//! (`fetch_all`, `execute`): it is committed after its last row, and what goes wrong then must not go unheard.

mod address;
mod listener;

pub use address::{PostgresAddress, PostgresAddressError};

use super::{CHANGES_KEPT, Change, NamedSessions, OpenError, Store, StoreError, UserKey};
use crate::session::record::{Key, Lease, SessionRecord};
use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use jiff::Timestamp;
use listener::Ear;
use sqlx::{
    ConnectOptions as _, Connection as _, Executor as _, PgConnection, PgPool, Postgres, Row as _,
    error::DatabaseError,
    migrate::{MigrateError, Migrator},
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
};
use std::{
    array::TryFromSliceError,
    borrow::Cow,
    fmt, io,
    string::FromUtf8Error,
    sync::{Arc, LazyLock},
    time::Duration,
};
use thiserror::Error;
use tokio::{
    sync::broadcast,
    task::JoinHandle,
    time::{error::Elapsed, timeout},
};

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrations = sqlx::migrate!("migrations/postgres");
    // The database may be that of an application, which has migrations of its own.
    migrations.dangerous_set_table_name("oauth2flow_migrations");
    migrations
});

/// How many statements run at a time.
const CONNECTIONS: u32 = 10;

/// How long a connection may take to come about, and how long a call waits for a free one.
const CONNECT_PATIENCE: Duration = Duration::from_secs(2);

/// How long a whole call may take: also where packets vanish, and nobody ever says that the database is gone.
const PATIENCE: Duration = Duration::from_secs(4);

/// What PostgreSQL itself gives up after a while: nobody waits for it any more then.
const LIMITS: &str = "SET statement_timeout = '3s'; SET lock_timeout = '2s'; SET idle_in_transaction_session_timeout = '10s'";

/// The same while tables are brought up to date, which another server may be doing at this moment.
const LIMITS_OF_MIGRATIONS: &str = "SET statement_timeout = '60s'; SET lock_timeout = '60s'";
const PATIENCE_WITH_MIGRATIONS: Duration = Duration::from_mins(2);

/// How many records are swept before others may write.
const SWEPT_AT_ONCE: i64 = 1000;

/// Every column by its name: a server that is newer may have added some.
macro_rules! columns {
    () => {
        "key, version, provider, issuer, sub, sid, profile, created_at, last_seen_at, idle_expires_at, expires_at, tokens, lease"
    };
}

/// What follows a change: the channel is that of the whole database.
macro_rules! announced {
    ($kind:literal) => {
        concat!("pg_notify('oauth2flow_sessions', '", $kind, "' || encode(key, 'hex'))")
    };
}

/// Ends the sessions that the condition finds. They are locked in the order of their keys, so that two who end the same never wait for
/// each other in a circle.
macro_rules! ending {
    ($condition:literal) => {
        concat!(
            "WITH found AS MATERIALIZED (SELECT key AS found_key FROM oauth2flow_sessions WHERE ",
            $condition,
            " ORDER BY key FOR UPDATE), ended AS (DELETE FROM oauth2flow_sessions USING found WHERE key = found_key RETURNING ",
            columns!(),
            ") "
        )
    };
}

const CHANNEL: &str = "oauth2flow_sessions";

/// On a standby it is so as well.
const IS_READ_ONLY: &str = "SELECT current_setting('transaction_read_only')::boolean";
const INSERT: &str =
    concat!("INSERT INTO oauth2flow_sessions (", columns!(), ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)");
const GET: &str = concat!("SELECT ", columns!(), " FROM oauth2flow_sessions WHERE key = $1");
const SESSIONS_OF: &str =
    concat!("SELECT ", columns!(), " FROM oauth2flow_sessions WHERE issuer = $1 AND sub = $2 ORDER BY created_at DESC, key");
const SWAP_LEASE: &str = "UPDATE oauth2flow_sessions SET lease = $1 WHERE key = $2 AND version = $3 AND lease IS NOT DISTINCT FROM $4";
const REPLACE_TOKENS: &str = concat!(
    "WITH renewed AS (UPDATE oauth2flow_sessions SET profile = $1, tokens = $2, version = version + 1, lease = NULL \
     WHERE key = $3 AND version = $4 RETURNING key) SELECT ",
    announced!("r"),
    " FROM renewed"
);
const TOUCH: &str = concat!(
    "WITH renewed AS (UPDATE oauth2flow_sessions SET last_seen_at = $1, idle_expires_at = $2 \
     WHERE key = $3 AND last_seen_at < $1 RETURNING key) SELECT ",
    announced!("r"),
    " FROM renewed"
);
const REMOVE: &str = concat!(
    "WITH ended AS (DELETE FROM oauth2flow_sessions WHERE key = $1 RETURNING ",
    columns!(),
    ") SELECT ",
    columns!(),
    ", ",
    announced!("e"),
    " FROM ended"
);
const REMOVE_USER: &str = concat!(
    ending!("issuer = $1 AND sub = $2 AND ($3::bytea IS NULL OR key <> $3)"),
    "SELECT ",
    columns!(),
    ", ",
    announced!("e"),
    " FROM ended"
);
/// Claims the token, and ends the sessions if that worked: a row for each, and one without a session when there is none.
const REMOVE_NAMED: &str = concat!(
    "WITH token AS (INSERT INTO oauth2flow_claims (key, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING TRUE), \
     found AS MATERIALIZED (SELECT key AS found_key FROM oauth2flow_sessions WHERE EXISTS (SELECT FROM token) AND issuer = $3 \
     AND ($4::bytea IS NOT NULL OR $5::bytea IS NOT NULL) AND ($4::bytea IS NULL OR sub = $4) AND ($5::bytea IS NULL OR sid = $5) \
     ORDER BY key FOR UPDATE), \
     ended AS (DELETE FROM oauth2flow_sessions USING found WHERE key = found_key RETURNING key), \
     told AS MATERIALIZED (SELECT key, ",
    announced!("e"),
    " FROM ended) SELECT (SELECT count(*) FROM token) AS claimed, key FROM (SELECT) AS once LEFT JOIN told ON TRUE"
);
const CLAIM: &str = "INSERT INTO oauth2flow_claims (key, expires_at, session_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
const CLAIM_LED_TO: &str = "SELECT 1 FROM oauth2flow_claims WHERE key = $1 AND session_key = $2";
const PROPOSE_KEY_CHECK: &str = "INSERT INTO oauth2flow_key_check (sealed) VALUES ($1) ON CONFLICT DO NOTHING";
const KEY_CHECK: &str = "SELECT sealed FROM oauth2flow_key_check";
const REPLACE_KEY_CHECK: &str = "UPDATE oauth2flow_key_check SET sealed = $2 WHERE sealed = $1";
/// The time that a sweep goes by: the database's own, where the caller's clock is ahead of it.
macro_rules! time_of_sweep {
    () => {
        "LEAST($1, floor(extract(epoch FROM now()))::bigint)"
    };
}
/// What is due may be so only because its use could not be written; where nothing can be changed, nothing is swept.
const PROVE_WRITABLE: &str = concat!(
    "UPDATE oauth2flow_sessions SET idle_expires_at = idle_expires_at WHERE key = (SELECT key FROM oauth2flow_sessions \
     WHERE idle_expires_at <= ",
    time_of_sweep!(),
    " LIMIT 1 FOR UPDATE SKIP LOCKED)"
);
const SWEEP_SESSIONS: &str = concat!(
    "DELETE FROM oauth2flow_sessions WHERE key IN (SELECT key FROM oauth2flow_sessions WHERE idle_expires_at <= ",
    time_of_sweep!(),
    " LIMIT $2 FOR UPDATE SKIP LOCKED)"
);
const SWEEP_CLAIMS: &str = concat!(
    "DELETE FROM oauth2flow_claims WHERE key IN (SELECT key FROM oauth2flow_claims WHERE expires_at <= ",
    time_of_sweep!(),
    " LIMIT $2 FOR UPDATE SKIP LOCKED)"
);

/// The sessions of a PostgreSQL database.
pub struct PostgresStore {
    pool: PgPool,
    ear: Arc<Ear>,
    listening: JoinHandle<()>,
}

impl fmt::Debug for PostgresStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PostgresStore").finish_non_exhaustive()
    }
}

impl PostgresStore {
    /// Connects, brings the tables up to date, and begins to listen. Others may do the same at the same moment. `roots` are the
    /// authorities to trust in place of the system's, in PEM.
    ///
    /// # Errors
    /// When the database cannot be used; see [`OpenError`].
    pub async fn open(address: &PostgresAddress, roots: Option<&[u8]>) -> Result<Self, OpenError> {
        let failed = |trouble| classify(address, trouble);
        let options = options(address, roots).map_err(|error| failed(error.into()))?;
        let migrated = async { timeout(PATIENCE_WITH_MIGRATIONS, migrate(&options)).await? };
        migrated.await.map_err(failed)?;
        let ear = Arc::new(Ear::new(CHANGES_KEPT));
        let listener = listener::begin(&options).await.map_err(|error| failed(error.into()))?;
        ear.turns.begin();
        let listening = tokio::spawn(listener::listen(options.clone(), listener, Arc::clone(&ear)));
        let lost = Arc::clone(&ear);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(CONNECT_PATIENCE)
            .max_lifetime(Duration::from_mins(30))
            // Before anything on the way has forgotten it, without a word to either side.
            .idle_timeout(Duration::from_mins(1))
            // That would be one more way there and back for each call. What one has lost, the others have lost too.
            .test_before_acquire(false)
            .before_acquire(move |_, connection| {
                let usable = !lost.has_lost_since(connection.age);
                Box::pin(async move { Ok(usable) })
            })
            .after_connect(|connection, _| Box::pin(async move { connection.execute(LIMITS).await.map(drop) }))
            .connect_lazy_with(options);
        Ok(Self { pool, ear, listening })
    }

    /// Makes a call that answers the same when it is made twice.
    async fn repeatable<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError> + Clone) -> Result<T, StoreError> {
        self.call(|_| true, work).await
    }

    /// Makes a call that nobody may make twice.
    async fn once<T>(&self, work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError> + Clone) -> Result<T, StoreError> {
        self.call(|loss| loss != Loss::Unknown, work).await
    }

    /// Makes a call, and gives up in time. An idle connection may have been cut by whatever is on the way, or belong to a server that
    /// is the primary no longer, and that shows only when it is used: where it `may_repeat`, the call is made once more on a new one.
    async fn call<T>(
        &self,
        may_repeat: impl Fn(Loss) -> bool,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, StoreError> + Clone,
    ) -> Result<T, StoreError> {
        let call = async {
            let mut is_repeated = false;
            loop {
                let mut leased = Leased { connection: self.pool.acquire().await?, is_usable: false };
                let result = work.clone()(&mut leased.connection).await;
                let Some(loss) = result.as_ref().err().and_then(Loss::of) else {
                    leased.is_usable = true;
                    return result;
                };
                if loss == Loss::ReadOnly && (is_repeated || self.ear.is_read_only()) {
                    // So does a new connection say; it can still read.
                    if is_repeated {
                        self.ear.note_read_only();
                    }
                    leased.is_usable = true;
                    return result;
                }
                // What has become of one may have become of all.
                self.ear.distrust();
                if is_repeated || !may_repeat(loss) {
                    return result;
                }
                is_repeated = true;
            }
        };
        timeout(PATIENCE, call).await.map_err(StoreError::new)?
    }

    /// The sessions that a statement has ended, announced. One that cannot be read keeps nobody from ending it, or others.
    fn ended(&self, rows: &[PgRow]) -> Result<Vec<SessionRecord>, StoreError> {
        for row in rows {
            self.ear.announce(Change::Ended(Key(array("key", row.try_get("key")?)?)));
        }
        let records: Vec<_> = rows.iter().filter_map(|row| decode(row).ok()).collect();
        super::warn_of_damaged(rows.len() - records.len());
        Ok(records)
    }
}

/// A connection that goes back to the others only when the call has come to its end and can be followed by another. One that nobody
/// waits for any more may be waiting for a database that is gone.
struct Leased {
    connection: PoolConnection<Postgres>,
    is_usable: bool,
}

impl Drop for Leased {
    fn drop(&mut self) {
        if !self.is_usable {
            self.connection.close_on_drop();
        }
    }
}

/// What is known of a call whose connection is of no use any more, or not for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// Nothing was done: it never came there, or was refused as a whole.
    Undone,
    /// Nothing was done: the database takes no writes, or this one is the primary no longer.
    ReadOnly,
    /// All of it was done, or nothing.
    Unknown,
}

impl Loss {
    /// Whether the connection is lost, by what it has said. See
    /// [PostgreSQL's error codes](https://www.postgresql.org/docs/current/errcodes-appendix.html).
    fn of(error: &StoreError) -> Option<Self> {
        if error.0.is::<ReadOnly>() {
            return Some(Self::ReadOnly);
        }
        match error.0.downcast_ref()? {
            sqlx::Error::Database(error) => match error.code().as_deref()? {
                "25006" => Some(Self::ReadOnly),
                // An administrator, a shutdown or a limit has ended the connection, before the statement was committed.
                "57P01" | "57P03" | "57P05" => Some(Self::Undone),
                // Another process of the database has crashed.
                "57P02" => Some(Self::Unknown),
                _ => None,
            },
            // A statement is carried out when its last byte is there, and this one could not be written.
            sqlx::Error::Io(error) if error.kind() == io::ErrorKind::BrokenPipe => Some(Self::Undone),
            sqlx::Error::Io(_) => Some(Self::Unknown),
            _ => None,
        }
    }
}

/// A standby, or a database that nobody may write to.
#[derive(Debug, Error)]
#[error("the session database can only be read")]
struct ReadOnly;

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

#[async_trait]
impl Store for PostgresStore {
    async fn ping(&self) -> Result<(), StoreError> {
        self.repeatable(async |connection| {
            let is_read_only = sqlx::query_scalar(IS_READ_ONLY).fetch_one(connection).await?;
            if is_read_only { Err(StoreError::new(ReadOnly)) } else { Ok(()) }
        })
        .await
    }

    async fn insert(&self, record: &SessionRecord) -> Result<(), StoreError> {
        self.once(async |connection| {
            sqlx::query(INSERT)
                .bind(record.key.0.as_slice())
                .bind(record.version)
                .bind(&record.provider)
                .bind(record.issuer.as_bytes())
                .bind(record.sub.as_bytes())
                .bind(record.sid.as_deref().map(str::as_bytes))
                .bind(super::encode(&record.profile).into_bytes())
                .bind(record.created_at.as_second())
                .bind(record.last_seen_at.as_second())
                .bind(record.idle_expires_at.as_second())
                .bind(record.expires_at.as_second())
                .bind(&record.tokens)
                .bind(lease_bytes(record.lease.as_ref()))
                .execute(connection)
                .await?;
            Ok(())
        })
        .await
    }

    async fn get(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.repeatable(async |connection| {
            let row = sqlx::query(GET).bind(key.0.as_slice()).fetch_optional(connection).await?;
            row.as_ref().map(decode).transpose()
        })
        .await
    }

    async fn sessions_of(&self, user: UserKey<'_>) -> Result<Vec<SessionRecord>, StoreError> {
        self.repeatable(async |connection| {
            let query = sqlx::query(SESSIONS_OF).bind(user.issuer.as_bytes()).bind(user.sub.as_bytes());
            query.fetch_all(connection).await?.iter().map(decode).collect()
        })
        .await
    }

    async fn swap_lease(&self, key: Key, version: i64, held: Option<Lease>, new: Option<Lease>) -> Result<bool, StoreError> {
        self.once(async |connection| {
            let query = sqlx::query(SWAP_LEASE)
                .bind(lease_bytes(new.as_ref()))
                .bind(key.0.as_slice())
                .bind(version)
                .bind(lease_bytes(held.as_ref()));
            Ok(query.execute(connection).await?.rows_affected() == 1)
        })
        .await
    }

    async fn replace_tokens(&self, record: &SessionRecord) -> Result<bool, StoreError> {
        self.once(async |connection| {
            let query = sqlx::query(REPLACE_TOKENS)
                .bind(super::encode(&record.profile).into_bytes())
                .bind(&record.tokens)
                .bind(record.key.0.as_slice())
                .bind(record.version);
            let replaced = !query.fetch_all(connection).await?.is_empty();
            if replaced {
                self.ear.announce(Change::Renewed(record.key));
            }
            Ok(replaced)
        })
        .await
    }

    async fn touch(&self, key: Key, last_seen_at: Timestamp, idle_expires_at: Timestamp) -> Result<(), StoreError> {
        self.repeatable(async |connection| {
            let query = sqlx::query(TOUCH).bind(last_seen_at.as_second()).bind(idle_expires_at.as_second()).bind(key.0.as_slice());
            if !query.fetch_all(connection).await?.is_empty() {
                self.ear.announce(Change::Renewed(key));
            }
            Ok(())
        })
        .await
    }

    async fn remove(&self, key: Key) -> Result<Option<SessionRecord>, StoreError> {
        self.once(async |connection| {
            let rows = sqlx::query(REMOVE).bind(key.0.as_slice()).fetch_all(connection).await?;
            Ok(self.ended(&rows)?.pop())
        })
        .await
    }

    async fn remove_user(&self, user: UserKey<'_>, except: Option<Key>) -> Result<Vec<SessionRecord>, StoreError> {
        self.once(async |connection| {
            let query = sqlx::query(REMOVE_USER)
                .bind(user.issuer.as_bytes())
                .bind(user.sub.as_bytes())
                .bind(except.as_ref().map(|key| key.0.as_slice()));
            self.ended(&query.fetch_all(connection).await?)
        })
        .await
    }

    async fn remove_named(&self, named: NamedSessions<'_>, token: Key, expires_at: Timestamp) -> Result<Option<usize>, StoreError> {
        self.once(async |connection| {
            let query = sqlx::query(REMOVE_NAMED)
                .bind(token.0.as_slice())
                .bind(expires_at.as_second())
                .bind(named.issuer.as_bytes())
                .bind(named.sub.map(str::as_bytes))
                .bind(named.sid.map(str::as_bytes));
            let mut ended = 0;
            for row in query.fetch_all(connection).await? {
                if row.try_get::<i64, _>("claimed")? == 0 {
                    return Ok(None);
                }
                if let Some(key) = row.try_get::<Option<&[u8]>, _>("key")? {
                    self.ear.announce(Change::Ended(Key(array("key", key)?)));
                    ended += 1;
                }
            }
            Ok(Some(ended))
        })
        .await
    }

    async fn claim(&self, key: Key, session: Option<Key>, expires_at: Timestamp) -> Result<bool, StoreError> {
        self.once(async |connection| {
            let session = session.as_ref().map(|session| session.0.as_slice());
            let query = sqlx::query(CLAIM).bind(key.0.as_slice()).bind(expires_at.as_second()).bind(session);
            Ok(query.execute(connection).await?.rows_affected() == 1)
        })
        .await
    }

    async fn claim_led_to(&self, key: Key, session: Key) -> Result<bool, StoreError> {
        self.repeatable(async |connection| {
            let query = sqlx::query(CLAIM_LED_TO).bind(key.0.as_slice()).bind(session.0.as_slice());
            Ok(query.fetch_optional(connection).await?.is_some())
        })
        .await
    }

    async fn key_check(&self, proposed: &[u8]) -> Result<Vec<u8>, StoreError> {
        self.repeatable(async |connection| {
            sqlx::query(PROPOSE_KEY_CHECK).bind(proposed).execute(&mut *connection).await?;
            Ok(sqlx::query_scalar(KEY_CHECK).fetch_one(connection).await?)
        })
        .await
    }

    async fn replace_key_check(&self, current: &[u8], new: &[u8]) -> Result<bool, StoreError> {
        self.once(async |connection| {
            Ok(sqlx::query(REPLACE_KEY_CHECK).bind(current).bind(new).execute(connection).await?.rows_affected() == 1)
        })
        .await
    }

    async fn sweep(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.repeatable(async |connection| Ok(sqlx::query(PROVE_WRITABLE).bind(now.as_second()).execute(connection).await?)).await?;
        let mut swept = 0;
        for statement in [SWEEP_SESSIONS, SWEEP_CLAIMS] {
            loop {
                let sweep = async |connection: &mut PgConnection| {
                    let query = sqlx::query(statement).bind(now.as_second()).bind(SWEPT_AT_ONCE);
                    Ok(query.execute(connection).await?.rows_affected())
                };
                let done = self.repeatable(sweep).await?;
                swept += done;
                if done == 0 {
                    break;
                }
            }
        }
        Ok(swept)
    }

    fn turn(&self) -> Option<u64> {
        self.ear.turns.current()
    }

    fn changes(&self) -> broadcast::Receiver<Change> {
        self.ear.changes()
    }

    async fn close(&self) {
        self.listening.abort();
        // Where the database is gone, nobody answers the good-bye.
        let _ = timeout(PATIENCE, self.pool.close()).await;
    }
}

/// What went wrong while the database was being opened.
#[derive(Debug)]
enum Trouble {
    Database(sqlx::Error),
    Migration(MigrateError),
    Silence,
}

impl From<sqlx::Error> for Trouble {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<MigrateError> for Trouble {
    fn from(error: MigrateError) -> Self {
        match error {
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => Self::Database(error),
            other => Self::Migration(other),
        }
    }
}

impl From<Elapsed> for Trouble {
    fn from(_: Elapsed) -> Self {
        Self::Silence
    }
}

fn options(address: &PostgresAddress, roots: Option<&[u8]>) -> Result<PgConnectOptions, sqlx::Error> {
    let mut options = address.options()?.disable_statement_logging();
    if options.get_application_name().is_none() {
        options = options.application_name("oauth2flow");
    }
    Ok(match roots {
        Some(roots) => options.ssl_root_cert_from_pem(roots.to_vec()),
        None if address.verifies() => options.ssl_root_cert_from_pem(roots_of_system()),
        None => options,
    })
}

/// The authorities that this machine trusts, in PEM.
fn roots_of_system() -> Vec<u8> {
    let mut pem = String::new();
    for certificate in rustls_native_certs::load_native_certs().certs {
        pem.push_str("-----BEGIN CERTIFICATE-----\n");
        let text = STANDARD.encode(&certificate);
        for line in text.as_bytes().chunks(64) {
            pem.push_str(&String::from_utf8_lossy(line));
            pem.push('\n');
        }
        pem.push_str("-----END CERTIFICATE-----\n");
    }
    pem.into_bytes()
}

/// Brings the tables up to date. A lock in the database lets one server at a time do that.
async fn migrate(options: &PgConnectOptions) -> Result<(), Trouble> {
    let mut connection = timeout(CONNECT_PATIENCE, options.connect()).await??;
    connection.execute(LIMITS_OF_MIGRATIONS).await?;
    MIGRATIONS.run_direct(None, &mut connection, false).await?;
    let _ = connection.close().await;
    Ok(())
}

/// Tells whoever runs the server what to do; a database that does not answer now may do so later.
fn classify(address: &PostgresAddress, trouble: Trouble) -> OpenError {
    let place = address.to_string();
    let unusable = |reason: &str, fix: String, source: Option<sqlx::Error>| OpenError::Unusable {
        place: place.clone(),
        reason: reason.to_owned(),
        fix,
        source: source.map(StoreError::new),
    };
    let error = match trouble {
        Trouble::Database(error) => error,
        Trouble::Silence => {
            let source = StoreError::new(io::Error::from(io::ErrorKind::TimedOut));
            return OpenError::Unreachable { place, source };
        }
        Trouble::Migration(MigrateError::VersionMissing(_)) => {
            return unusable("a newer version of oauth2flow has changed its tables", "Start that version.".to_owned(), None);
        }
        Trouble::Migration(other) => {
            let fix = "Name another database in session.store_url, or drop the tables whose names begin with oauth2flow_, which signs \
                       everybody out."
                .to_owned();
            return unusable(&format!("its tables are not those of oauth2flow ({other})"), fix, None);
        }
    };
    let code = error.as_database_error().and_then(DatabaseError::code).map(Cow::into_owned);
    let check_url = || "Check user and password in session.store_url.".to_owned();
    match (&error, code.as_deref()) {
        (_, Some("28P01")) => unusable("it refuses the password", check_url(), Some(error)),
        (_, Some("28000")) => {
            let fix = "Check user and sslmode in session.store_url, and pg_hba.conf on the database server.".to_owned();
            unusable("it does not let this user in from here", fix, Some(error))
        }
        (_, Some("3D000")) => {
            let fix = format!("Make it with: createdb {}", address.database());
            unusable("there is no such database", fix, Some(error))
        }
        (_, Some("42501")) => {
            let fix = format!(
                "Make this user the owner of the database (ALTER DATABASE \"{}\" OWNER TO …), or allow it to make tables (GRANT CREATE ON \
                 SCHEMA public TO …).",
                address.database()
            );
            unusable("this user may not make tables there", fix, Some(error))
        }
        (_, Some("25006")) => {
            let fix = "Name the primary in session.store_url, not a standby.".to_owned();
            unusable("it can only be read", fix, Some(error))
        }
        (sqlx::Error::Tls(_), _) => {
            let fix = "Check sslmode in session.store_url, session.store_roots, and the certificate of the database server.".to_owned();
            unusable("no safe connection to it can be made", fix, Some(error))
        }
        (sqlx::Error::Io(source), _) if source.kind() == io::ErrorKind::InvalidData => {
            let fix = "Check session.store_roots, the host in session.store_url, and the certificate of the database server.".to_owned();
            unusable("its certificate is not to be trusted", fix, Some(error))
        }
        (sqlx::Error::Configuration(_), _) => {
            unusable("session.store_url or the files it names cannot be used", "Check sslcert and sslkey.".to_owned(), Some(error))
        }
        _ => OpenError::Unreachable { place, source: StoreError::new(error) },
    }
}

fn lease_bytes(lease: Option<&Lease>) -> Option<&[u8]> {
    lease.map(|lease| lease.0.as_slice())
}

fn array<const N: usize>(column: &str, bytes: &[u8]) -> Result<[u8; N], sqlx::Error> {
    bytes.try_into().map_err(|error: TryFromSliceError| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
}

fn decode(row: &PgRow) -> Result<SessionRecord, StoreError> {
    let time = |column: &str| {
        Timestamp::from_second(row.try_get(column)?)
            .map_err(|error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
    };
    let text = |column: &str, bytes: Vec<u8>| {
        String::from_utf8(bytes)
            .map_err(|error: FromUtf8Error| sqlx::Error::ColumnDecode { index: column.to_owned(), source: error.into() })
    };
    let sid: Option<Vec<u8>> = row.try_get("sid")?;
    let lease: Option<&[u8]> = row.try_get("lease")?;
    Ok(SessionRecord {
        key: Key(array("key", row.try_get("key")?)?),
        version: row.try_get("version")?,
        provider: row.try_get("provider")?,
        issuer: text("issuer", row.try_get("issuer")?)?,
        sub: text("sub", row.try_get("sub")?)?,
        sid: sid.map(|sid| text("sid", sid)).transpose()?,
        profile: serde_json::from_slice(row.try_get("profile")?)
            .map_err(|error| sqlx::Error::ColumnDecode { index: "profile".to_owned(), source: error.into() })?,
        created_at: time("created_at")?,
        last_seen_at: time("last_seen_at")?,
        idle_expires_at: time("idle_expires_at")?,
        expires_at: time("expires_at")?,
        tokens: row.try_get("tokens")?,
        lease: lease.map(|lease| array("lease", lease)).transpose()?.map(Lease),
    })
}
