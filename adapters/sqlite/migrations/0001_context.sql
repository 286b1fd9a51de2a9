-- The streams of a context: one row each, however long the history. What is due stands in the same row, so that it
-- costs no write of its own; `leased` tells a call that a run is at from a deadline.
CREATE TABLE streams (
    stream    INTEGER PRIMARY KEY,
    id        BLOB    NOT NULL UNIQUE,
    aggregate TEXT    NOT NULL,
    revision  INTEGER NOT NULL,
    version   INTEGER NOT NULL,
    state     BLOB    NOT NULL,
    shop      TEXT,
    owner     TEXT,
    reference TEXT,
    status    TEXT,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    since     INTEGER NOT NULL,
    wake      INTEGER,
    leased    INTEGER NOT NULL DEFAULT 0,
    attempts  INTEGER NOT NULL DEFAULT 0,
    error     TEXT,
    origin    TEXT,
    claim     BLOB
);
CREATE INDEX streams_due ON streams (leased, wake) WHERE wake IS NOT NULL;
CREATE INDEX streams_by_shop ON streams (shop, created, id) WHERE shop IS NOT NULL;
CREATE INDEX streams_by_status ON streams (shop, status, created, id) WHERE shop IS NOT NULL;
CREATE INDEX streams_by_owner ON streams (shop, owner, created, id) WHERE owner <> '';

-- Everything that happened, for ever: the audit trail, the source of rebuilds, and (with `name` and `body`, where an
-- event is published) the outbox. One writer commits, so the order of positions is the order of commits.
CREATE TABLE events (
    position INTEGER PRIMARY KEY,
    stream   INTEGER NOT NULL REFERENCES streams,
    revision INTEGER NOT NULL,
    time     INTEGER NOT NULL,
    cause    BLOB,
    origin   TEXT    NOT NULL,
    data     BLOB    NOT NULL,
    name     TEXT,
    body     BLOB
);
-- Answers "was this cause answered" and finds a stream's history.
CREATE INDEX events_by_stream ON events (stream, cause);

CREATE TABLE claims (
    key         BLOB    NOT NULL PRIMARY KEY,
    stream      INTEGER NOT NULL REFERENCES streams,
    revision    INTEGER NOT NULL,
    fingerprint BLOB    NOT NULL
) WITHOUT ROWID;

CREATE TABLE entries (
    entry   INTEGER PRIMARY KEY,
    stream  INTEGER NOT NULL REFERENCES streams,
    key     TEXT    NOT NULL,
    data    BLOB    NOT NULL,
    updated INTEGER NOT NULL,
    UNIQUE (stream, key)
);

CREATE TABLE views (
    row       INTEGER PRIMARY KEY,
    view      TEXT    NOT NULL,
    key       TEXT    NOT NULL,
    version   INTEGER NOT NULL,
    cursor    INTEGER NOT NULL,
    state     BLOB    NOT NULL,
    shop      TEXT    NOT NULL,
    owner     TEXT    NOT NULL,
    reference TEXT    NOT NULL,
    status    TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    updated   INTEGER NOT NULL,
    UNIQUE (view, key)
);
CREATE INDEX views_by_change ON views (view, cursor);
CREATE INDEX views_by_shop ON views (view, shop, created, row);
CREATE INDEX views_by_owner ON views (view, shop, owner, created, row);

CREATE TABLE cursors (
    name     TEXT    NOT NULL PRIMARY KEY,
    position INTEGER NOT NULL
) WITHOUT ROWID;
