-- Keys of providers that read bills only. They are kept beside those that calls are made with, and never used for a call.

ALTER TABLE provider_keys ADD COLUMN purpose TEXT NOT NULL DEFAULT 'calls' CHECK (purpose IN ('calls', 'bills'));
