-- How often what happened in a stream was rewritten, as somebody was forgotten: what was loaded before is not appended to.
ALTER TABLE streams ADD COLUMN era bigint NOT NULL DEFAULT 0;

-- Erasures: when something was found last, and whether tables were cleaned since.
CREATE TABLE erasures (
    erasure uuid    PRIMARY KEY,
    found   bigint  NOT NULL,
    clean   boolean NOT NULL
);

-- Whom to recognise in what comes late, by digests; kept for a month.
CREATE TABLE forgotten (
    erasure uuid NOT NULL,
    digest  uuid NOT NULL,
    instead text NOT NULL,
    PRIMARY KEY (erasure, digest)
);
