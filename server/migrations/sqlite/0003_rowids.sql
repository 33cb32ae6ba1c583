-- A session is as large as a third of a page. In the order of their keys, which are random, each new one rearranges a page of others; behind
-- each other they only fill the last one, and the tree of the keys stays small.
CREATE TABLE sessions_in_order (
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

INSERT INTO sessions_in_order
    (key, version, provider, issuer, sub, sid, profile, created_at, last_seen_at, idle_expires_at, expires_at, tokens, lease)
    SELECT key, version, provider, issuer, sub, sid, profile, created_at, last_seen_at, idle_expires_at, expires_at, tokens, lease FROM sessions;

DROP TABLE sessions;
ALTER TABLE sessions_in_order RENAME TO sessions;

CREATE INDEX sessions_by_user ON sessions (issuer, sub);
CREATE INDEX sessions_by_provider_session ON sessions (issuer, sid) WHERE sid IS NOT NULL;
CREATE INDEX sessions_by_expiry ON sessions (idle_expires_at);
