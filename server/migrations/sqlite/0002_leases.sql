-- Who is renewing a session's tokens.
ALTER TABLE sessions ADD COLUMN lease BLOB;

-- What the first server sealed here, for every other to try its keys on.
CREATE TABLE key_check (
    only INTEGER NOT NULL PRIMARY KEY CHECK (only = 1),
    sealed BLOB NOT NULL
) STRICT;
