-- Some indexes have a condition that always holds. A statement that is meant to use one says so by saying the same, and
-- no other statement takes it by mistake: while tables are empty, all indexes look alike to the planner, and what it
-- plans then is kept.

-- The streams of a context: one row each, however long the history. What is due stands in the same row, so that it
-- costs no write of its own; `leased` tells a call that a run is at from a deadline. Times are microseconds since the
-- epoch, states are JSON.
CREATE TABLE streams (
    stream    bigint  GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id        uuid    NOT NULL UNIQUE,
    aggregate text    NOT NULL,
    revision  bigint  NOT NULL,
    version   integer NOT NULL,
    state     text    NOT NULL,
    shop      text,
    owner     text,
    reference text,
    status    text,
    created   bigint  NOT NULL,
    updated   bigint  NOT NULL,
    since     bigint  NOT NULL,
    wake      bigint,
    leased    boolean NOT NULL,
    attempts  integer NOT NULL DEFAULT 0,
    error     text,
    origin    text    NOT NULL,
    claim     uuid
);
CREATE INDEX streams_due ON streams (wake) WHERE wake IS NOT NULL;
CREATE INDEX streams_by_shop ON streams (shop, created, id) WHERE shop IS NOT NULL;
CREATE INDEX streams_by_status ON streams (shop, status, created, id) WHERE shop IS NOT NULL;
CREATE INDEX streams_by_owner ON streams (shop, owner, created, id) WHERE owner <> '';

-- Everything that happened, for ever: the audit trail, the source of rebuilds and of republishing. Positions are drawn
-- while the stream's row is locked, so they keep the order of each stream; they are not in the order of commits.
CREATE TABLE events (
    position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream   bigint NOT NULL,
    revision bigint NOT NULL,
    time     bigint NOT NULL,
    cause    uuid,
    origin   text   NOT NULL,
    data     text   NOT NULL,
    name     text,
    body     bytea
);
-- Answers "was this cause answered" and finds a stream's history.
CREATE INDEX events_by_stream ON events (stream, cause);

-- What is committed and not yet published. Small, and written and deleted all the time: cleaned early.
CREATE TABLE outbox (
    position bigint PRIMARY KEY
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 10000, autovacuum_vacuum_cost_delay = 0);

CREATE TABLE claims (
    key         uuid   PRIMARY KEY,
    stream      bigint NOT NULL,
    revision    bigint NOT NULL,
    fingerprint uuid   NOT NULL
);

CREATE TABLE entries (
    entry   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stream  bigint NOT NULL,
    key     text   NOT NULL,
    data    text   NOT NULL,
    updated bigint NOT NULL,
    UNIQUE (stream, key)
);
-- The newest of a stream's entries, without looking through those of others.
CREATE INDEX entries_by_stream ON entries (stream, entry) WHERE entry > 0;

CREATE TABLE views (
    place     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    view      text   NOT NULL,
    key       text   NOT NULL,
    version   bigint NOT NULL,
    cursor    bigint NOT NULL,
    state     text   NOT NULL,
    shop      text   NOT NULL,
    owner     text   NOT NULL,
    reference text   NOT NULL,
    status    text   NOT NULL,
    created   bigint NOT NULL,
    updated   bigint NOT NULL,
    UNIQUE (view, key)
);
CREATE INDEX views_by_change ON views (view, cursor) WHERE cursor > 0;
CREATE INDEX views_by_shop ON views (view, shop, created, place) WHERE place > 0;
CREATE INDEX views_by_owner ON views (view, shop, owner, created, place) WHERE place > 0 AND owner <> '';
-- The order of a view's changes: drawn under the view's lock, so that it is the order of commits.
CREATE SEQUENCE view_changes;
