-- Keys that keep apart: what is computed for them is reused for nobody else, and they reuse nobody's.

ALTER TABLE keys ADD COLUMN isolate INTEGER NOT NULL DEFAULT 0 CHECK (isolate IN (0, 1));
