-- What callers say of answers: whether the request did what it was for. The last word counts.

CREATE TABLE feedback (
  request INTEGER PRIMARY KEY REFERENCES requests (number),
  ok INTEGER NOT NULL CHECK (ok IN (0, 1)),
  note TEXT,
  said_at_ms INTEGER NOT NULL
) STRICT;
