-- Answers that clients asked to be kept (`store` of a Responses request), each with the items it answers, until its time is over.
-- Nothing refers to them from elsewhere: deleting a row takes all there is of it.

CREATE TABLE stored_responses (
  number INTEGER PRIMARY KEY,
  -- Who asked, as `callerId` names it; nobody else reads it.
  caller TEXT NOT NULL,
  id TEXT NOT NULL,
  -- The response it goes on from.
  previous_id TEXT,
  created_at_ms INTEGER NOT NULL,
  expires_at_ms INTEGER NOT NULL,
  -- JSON: the items of this turn, and the response object.
  input TEXT NOT NULL,
  response TEXT NOT NULL,
  UNIQUE (caller, id)
) STRICT;

CREATE INDEX stored_responses_by_expiry ON stored_responses (expires_at_ms);

-- Which of them holds an item: clients refer to items by their ids.
CREATE TABLE stored_items (
  caller TEXT NOT NULL,
  id TEXT NOT NULL,
  response INTEGER NOT NULL REFERENCES stored_responses (number) ON DELETE CASCADE,
  PRIMARY KEY (caller, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX stored_items_by_response ON stored_items (response);
