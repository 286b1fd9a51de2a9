-- How often what happened in a stream was rewritten, as somebody was forgotten: what was loaded before is not appended to.
ALTER TABLE streams ADD COLUMN era INTEGER NOT NULL DEFAULT 0;

-- Erasures: when something was found last, and whether the file was rewritten since.
CREATE TABLE erasures (
    erasure BLOB    NOT NULL PRIMARY KEY,
    found   INTEGER NOT NULL,
    clean   INTEGER NOT NULL
) WITHOUT ROWID;

-- Whom to recognise in what comes late, by digests; kept for a month.
CREATE TABLE forgotten (
    erasure BLOB NOT NULL,
    digest  BLOB NOT NULL,
    instead TEXT NOT NULL,
    PRIMARY KEY (erasure, digest)
) WITHOUT ROWID;
