/**
 * Kept answers, in the ledger's file. Runs on the server's thread. Short transactions: one response is written or read at a time,
 * and what has expired goes as new ones come.
 */
import { askedFor } from "./asked.ts";
import type Database from "better-sqlite3";
import type { FoundResponse, StoredResponse, StoredResponses } from "../domain/stored-response.ts";

/** How many expired rows go with each that comes: deleting many at once would hold up running streams. */
const expiredPerKeep = 20;

interface Columns {
  readonly id: string;
  readonly previous_id: string | null;
  readonly created_at_ms: number;
  readonly expires_at_ms: number;
  readonly input: string;
  readonly response: string;
}

function foundResponse(row: Columns | undefined): FoundResponse | null {
  if (row === undefined) return null;
  return {
    id: row.id,
    previousId: row.previous_id,
    createdAtMs: row.created_at_ms,
    expiresAtMs: row.expires_at_ms,
    input: JSON.parse(row.input) as StoredResponse["input"],
    response: JSON.parse(row.response) as StoredResponse["response"],
    characters: row.input.length + row.response.length,
  };
}

/** Runs `work`; whatever the database throws becomes one failure. */
const asked = askedFor("Kept responses");

/** Ids of the items a client may refer to. */
function itemIds({ input, response }: StoredResponse): ReadonlySet<string> {
  const output = Array.isArray(response.output) ? response.output : [];
  const ids = [...input, ...output].map((item: unknown) =>
    typeof item === "object" && item !== null && "id" in item ? item.id : null,
  );
  return new Set(ids.filter((id): id is string => typeof id === "string" && id !== ""));
}

export function createStoredResponses(database: Database.Database): StoredResponses {
  const insert = database.prepare<
    [string, string, string | null, number, number, string, string],
    { readonly number: number }
  >(
    `INSERT OR REPLACE INTO stored_responses (caller, id, previous_id, created_at_ms, expires_at_ms, input, response)
     VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING number`,
  );
  const insertItem = database.prepare<[string, string, number]>(
    "INSERT OR REPLACE INTO stored_items (caller, id, response) VALUES (?, ?, ?)",
  );
  const byId = database.prepare<[string, string, number], Columns>(
    "SELECT * FROM stored_responses WHERE caller = ? AND id = ? AND expires_at_ms > ?",
  );
  const byItem = database.prepare<[string, string, number], Columns>(
    `SELECT stored_responses.* FROM stored_items JOIN stored_responses ON stored_responses.number = stored_items.response
     WHERE stored_items.caller = ? AND stored_items.id = ? AND expires_at_ms > ?`,
  );
  const prolong = database.prepare<[number, string, string]>(
    "UPDATE stored_responses SET expires_at_ms = max(expires_at_ms, ?) WHERE caller = ? AND id = ?",
  );
  const remove = database.prepare<[string, string, number]>(
    "DELETE FROM stored_responses WHERE caller = ? AND id = ? AND expires_at_ms > ?",
  );
  const removeAll = database.prepare<[string]>("DELETE FROM stored_responses WHERE caller = ?");
  const removeExpired = database.prepare<[number, number]>(
    `DELETE FROM stored_responses WHERE number IN
     (SELECT number FROM stored_responses WHERE expires_at_ms <= ? ORDER BY expires_at_ms LIMIT ?)`,
  );

  const keep = database.transaction((caller: string, kept: StoredResponse) => {
    const { id, previousId, createdAtMs, expiresAtMs, input, response } = kept;
    removeExpired.run(createdAtMs, expiredPerKeep);
    const texts = [JSON.stringify(input), JSON.stringify(response)] as const;
    const row = insert.get(caller, id, previousId, createdAtMs, expiresAtMs, ...texts);
    if (row === undefined) throw new Error("the response's row did not come back");
    for (const itemId of itemIds(kept)) insertItem.run(caller, itemId, row.number);
  });
  const prolongAll = database.transaction((caller: string, ids: readonly string[], expiresAtMs: number) => {
    for (const id of ids) prolong.run(expiresAtMs, caller, id);
  });

  return {
    keep: (caller, response) => asked(() => keep.immediate(caller, response)),
    find: (caller, id, nowMs) => asked(() => foundResponse(byId.get(caller, id, nowMs))),
    holderOf: (caller, itemId, nowMs) => asked(() => foundResponse(byItem.get(caller, itemId, nowMs))),
    prolong: (caller, ids, expiresAtMs) => asked(() => prolongAll.immediate(caller, ids, expiresAtMs)),
    remove: (caller, id, nowMs) => asked(() => remove.run(caller, id, nowMs).changes > 0),
    forget: (caller) => asked(() => void removeAll.run(caller)),
  };
}
