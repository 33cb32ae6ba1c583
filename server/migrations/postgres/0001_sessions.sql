-- A session, keyed by the SHA-256 of its id: who reads this table cannot take a session over. Text that a provider has chosen is kept as
-- bytes of UTF-8, whatever the encoding of the database; convert_from(sub, 'UTF8') shows it.
CREATE TABLE oauth2flow_sessions (
    key BYTEA NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    version BIGINT NOT NULL,
    provider TEXT NOT NULL,
    issuer BYTEA NOT NULL,
    sub BYTEA NOT NULL,
    sid BYTEA,
    profile BYTEA NOT NULL,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    idle_expires_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    tokens BYTEA NOT NULL,
    lease BYTEA
);

-- By their hashes: nobody knows how long they are.
CREATE INDEX oauth2flow_sessions_by_user ON oauth2flow_sessions USING hash (sub);
CREATE INDEX oauth2flow_sessions_by_provider_session ON oauth2flow_sessions USING hash (sid);
CREATE INDEX oauth2flow_sessions_by_expiry ON oauth2flow_sessions (idle_expires_at);

-- What may be used once: the state of a login, the id of a logout token. A claimed state remembers the session it led to.
CREATE TABLE oauth2flow_claims (
    key BYTEA NOT NULL PRIMARY KEY CHECK (length(key) = 32),
    session_key BYTEA,
    expires_at BIGINT NOT NULL
);

CREATE INDEX oauth2flow_claims_by_expiry ON oauth2flow_claims (expires_at);

-- What the first server sealed here, for every other to try its keys on.
CREATE TABLE oauth2flow_key_check (
    only_row BOOLEAN NOT NULL PRIMARY KEY DEFAULT TRUE CHECK (only_row),
    sealed BYTEA NOT NULL
);
