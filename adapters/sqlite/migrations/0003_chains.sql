-- A stream's history is a chain from its last event back: it stands in rows that an append writes anyway, where an index
-- has it touch one more page, and another one for every stream.
ALTER TABLE streams ADD COLUMN last INTEGER REFERENCES events;
ALTER TABLE events ADD COLUMN previous INTEGER REFERENCES events;
CREATE INDEX events_of_stream ON events (stream);
UPDATE events SET previous = (SELECT max(before.position) FROM events before
                              WHERE before.stream = events.stream AND before.position < events.position);
UPDATE streams SET last = (SELECT max(position) FROM events WHERE events.stream = streams.stream);
DROP INDEX events_of_stream;

-- Answers "was this cause answered". Only those are kept that may come again.
DROP INDEX events_by_stream;
CREATE INDEX events_by_cause ON events (stream, cause) WHERE cause IS NOT NULL;
