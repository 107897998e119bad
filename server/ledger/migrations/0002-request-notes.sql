-- What was done to a request before it ran, or could not be kept of it: a JSON list of {code, detail}; NULL: nothing.

ALTER TABLE requests ADD COLUMN notes TEXT CHECK (notes IS NULL OR json_valid(notes));
