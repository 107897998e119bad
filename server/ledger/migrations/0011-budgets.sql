-- What budgets count an attempt at whose cost is not known: what it used, at the worst price. NULL: its cost, or what was held.

ALTER TABLE attempts ADD COLUMN counted_nanos INTEGER CHECK (counted_nanos >= 0);
