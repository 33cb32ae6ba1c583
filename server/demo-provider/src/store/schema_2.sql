-- Algorithms by choice, the strength of a login, tokens bound to a key, pushed requests, and tokens that work once.
PRAGMA user_version = 2;

ALTER TABLE signing_keys ADD COLUMN algorithm TEXT NOT NULL DEFAULT 'RS256';
ALTER TABLE provider_sessions ADD COLUMN acr TEXT NOT NULL DEFAULT 'urn:example:acr:password';
ALTER TABLE codes ADD COLUMN acr TEXT NOT NULL DEFAULT 'urn:example:acr:password';
ALTER TABLE codes ADD COLUMN dpop_jkt TEXT;
ALTER TABLE grants ADD COLUMN acr TEXT NOT NULL DEFAULT 'urn:example:acr:password';
ALTER TABLE access_tokens ADD COLUMN dpop_jkt TEXT;

CREATE TABLE pushed_requests (
    uri_hash BLOB PRIMARY KEY,
    client_id TEXT NOT NULL,
    request TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

-- Client assertions and DPoP proofs that have come already; they are kept until nobody could use them any more.
CREATE TABLE seen_tokens (
    hash BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT;
