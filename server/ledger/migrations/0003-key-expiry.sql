-- Keys that end by themselves: epoch milliseconds from which on a key is refused. NULL: it never ends.

ALTER TABLE keys ADD COLUMN expires_at_ms INTEGER;
