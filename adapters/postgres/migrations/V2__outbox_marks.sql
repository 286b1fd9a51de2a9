-- How often an event was marked to be published again while it was still here. Whoever published it deletes it as it was
-- given, and not as it is marked meanwhile.
ALTER TABLE outbox ADD COLUMN mark integer NOT NULL DEFAULT 0;
