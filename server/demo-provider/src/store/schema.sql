-- Times are seconds since the Unix epoch. Columns named …_hash hold the SHA-256 of a secret.
PRAGMA application_id = 0x64656d6f;
PRAGMA user_version = 1;

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    pkcs8 BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

-- An account is here once it has been given its first notes.
CREATE TABLE accounts (
    sub TEXT PRIMARY KEY
) STRICT;

-- An authorization request that waits for a person.
CREATE TABLE transactions (
    id_hash BLOB PRIMARY KEY,
    browser_hash BLOB NOT NULL,
    request TEXT NOT NULL,
    authenticated_sid TEXT,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE provider_sessions (
    sid TEXT PRIMARY KEY,
    secret_hash BLOB NOT NULL UNIQUE,
    sub TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE consents (
    sid TEXT NOT NULL REFERENCES provider_sessions (sid) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    scope TEXT NOT NULL,
    PRIMARY KEY (sid, client_id, scope)
) STRICT;

-- The clients that were signed in to during a session, and hear of its end.
CREATE TABLE client_sessions (
    sid TEXT NOT NULL REFERENCES provider_sessions (sid) ON DELETE CASCADE,
    client_id TEXT NOT NULL,
    PRIMARY KEY (sid, client_id)
) STRICT;

-- `uses` counts: the second one tells that the code has leaked.
CREATE TABLE codes (
    hash BLOB PRIMARY KEY,
    grant_id TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce TEXT,
    sub TEXT NOT NULL,
    sid TEXT NOT NULL,
    scope TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    uses INTEGER NOT NULL DEFAULT 0
) STRICT;

-- What one exchanged code gave: all tokens of a grant end together.
CREATE TABLE grants (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    sub TEXT NOT NULL,
    sid TEXT NOT NULL,
    scope TEXT NOT NULL,
    auth_time INTEGER NOT NULL
) STRICT;

CREATE TABLE access_tokens (
    hash BLOB PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    scope TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX access_tokens_grant ON access_tokens (grant_id);

-- A spent token stays until it expires: its second use tells that it has leaked.
CREATE TABLE refresh_tokens (
    hash BLOB PRIMARY KEY,
    grant_id TEXT NOT NULL REFERENCES grants (id) ON DELETE CASCADE,
    expires_at INTEGER NOT NULL,
    spent INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE INDEX refresh_tokens_grant ON refresh_tokens (grant_id);

CREATE TABLE notes (
    position INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    sub TEXT NOT NULL,
    text TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE INDEX notes_sub ON notes (sub);
