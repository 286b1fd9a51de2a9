-- What was published, in the order it came.
CREATE TABLE messages (
    position INTEGER PRIMARY KEY,
    source   TEXT    NOT NULL,
    id       BLOB    NOT NULL,
    name     TEXT    NOT NULL,
    subject  BLOB    NOT NULL,
    time     INTEGER NOT NULL,
    origin   TEXT    NOT NULL,
    body     BLOB    NOT NULL
);
CREATE INDEX messages_by_source ON messages (source, position);

-- How far each consumer has come: all up to `position` is settled, but for what is parked.
CREATE TABLE consumers (
    consumer TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    PRIMARY KEY (consumer, source)
) WITHOUT ROWID;

-- Messages whose handling failed by their own fault: tried again later, aside, so that the next ones go on.
CREATE TABLE parked (
    consumer   TEXT    NOT NULL,
    source     TEXT    NOT NULL,
    position   INTEGER NOT NULL,
    failures   INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    error      TEXT    NOT NULL,
    PRIMARY KEY (consumer, source, position)
) WITHOUT ROWID;

CREATE TABLE dead_letters (
    consumer TEXT    NOT NULL,
    source   TEXT    NOT NULL,
    position INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    error    TEXT    NOT NULL,
    time     INTEGER NOT NULL,
    PRIMARY KEY (consumer, source, position)
) WITHOUT ROWID;
