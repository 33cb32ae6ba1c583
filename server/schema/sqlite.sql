-- The tables of a new file, at once: what migrations/sqlite comes to, step by step. A test compares the two.

-- A session, keyed by the SHA-256 of its id: who reads this file cannot take a session over. They lie behind each other, as
-- migrations/sqlite/0003_rowids.sql explains.
CREATE TABLE sessions (
    key BLOB NOT NULL UNIQUE CHECK (length(key) = 32),
    version INTEGER NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    sub TEXT NOT NULL,
    sid TEXT,
    profile TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    tokens BLOB NOT NULL,
    lease BLOB
) STRICT;

CREATE INDEX sessions_by_user ON sessions (issuer, sub);
CREATE INDEX sessions_by_provider_session ON sessions (issuer, sid) WHERE sid IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (idle_expires_at);

-- What may be used once: the state of a login, the id of a logout token. A claimed state remembers the session it led to.
CREATE TABLE claims (
    key BLOB NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    session_key BLOB,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX claims_by_expiry ON claims (expires_at);

-- What the first server sealed here, for every other to try its keys on.
CREATE TABLE key_check (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    sealed BLOB NOT NULL
) STRICT;
