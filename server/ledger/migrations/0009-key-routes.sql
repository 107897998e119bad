-- What a key may ask for: a JSON list of aliases and models; NULL: everything.

ALTER TABLE keys ADD COLUMN routes TEXT CHECK (routes IS NULL OR json_valid(routes));
