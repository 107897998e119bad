-- A request that was refused reached nobody: it has no part whose price could be unknown, and is no longer counted among those
-- that have one. What was summed until now had counted each.
UPDATE request_sums SET unknown_requests = max(0, unknown_requests - refused) WHERE refused > 0;
