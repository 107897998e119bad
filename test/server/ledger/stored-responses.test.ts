/** Answers that are kept: by whom, for how long, and nothing of them afterwards. */
import { expect, test } from "vitest";
import type { StoredResponse } from "../../../server/domain/stored-response.ts";
import { freshLedger, rowsOf } from "./open-ledger.ts";

const kept = (id: string, change: Partial<StoredResponse> = {}): StoredResponse => ({
  id,
  previousId: null,
  createdAtMs: 1_000,
  expiresAtMs: 2_000,
  input: [{ type: "message", id: `msg_${id}`, role: "user", content: "hi 🏮" }],
  response: { id, output: [{ type: "message", id: `out_${id}`, content: [] }] },
  ...change,
});

test("what was kept is found by its caller, as it was, and by nobody else", () => {
  const { responses } = freshLedger().ledger;
  responses.keep("key:1", kept("a", { previousId: "z" }));
  responses.keep("key:2", kept("a", { response: { id: "a", output: [] } }));
  expect(responses.find("key:1", "a", 1_500)).toMatchObject(kept("a", { previousId: "z" }));
  expect(responses.find("key:2", "a", 1_500)?.response).toEqual({ id: "a", output: [] });
  expect(responses.find("key:3", "a", 1_500)).toBeNull();
});

test("items are found in input and output, by their own caller", () => {
  const { responses } = freshLedger().ledger;
  responses.keep("key:1", kept("a"));
  expect(responses.holderOf("key:1", "msg_a", 1_500)?.id).toBe("a");
  expect(responses.holderOf("key:1", "out_a", 1_500)?.id).toBe("a");
  expect(responses.holderOf("key:2", "out_a", 1_500)).toBeNull();
  // An item that is sent again is found where it is newest.
  responses.keep("key:1", kept("b", { input: kept("a").input }));
  expect(responses.holderOf("key:1", "msg_a", 1_500)?.id).toBe("b");
});

test("after its time it is not found, and its rows go as others come", () => {
  const { ledger, path } = freshLedger();
  const { responses } = ledger;
  responses.keep("key:1", kept("a"));
  expect(responses.find("key:1", "a", 2_000)).toBeNull();
  expect(responses.holderOf("key:1", "out_a", 2_000)).toBeNull();
  expect(responses.remove("key:1", "a", 2_000)).toBe(false);
  responses.keep("key:1", kept("b", { createdAtMs: 2_000, expiresAtMs: 3_000 }));
  expect(rowsOf(path, "SELECT id FROM stored_responses")).toEqual([{ id: "b" }]);
  expect(rowsOf(path, "SELECT id FROM stored_items ORDER BY id")).toEqual([{ id: "msg_b" }, { id: "out_b" }]);
});

test("what a later answer goes on from stays as long, never shorter", () => {
  const { responses } = freshLedger().ledger;
  responses.keep("key:1", kept("a"));
  responses.prolong("key:1", ["a", "nobody"], 5_000);
  responses.prolong("key:2", ["a"], 9_000);
  responses.prolong("key:1", ["a"], 1_500);
  expect(responses.find("key:1", "a", 1_500)?.expiresAtMs).toBe(5_000);
});

test("a key that has ended takes its own with it", () => {
  const { responses } = freshLedger().ledger;
  responses.keep("key:1", kept("a"));
  responses.keep("key:2", kept("b"));
  responses.forget("key:1");
  expect(responses.find("key:1", "a", 1_500)).toBeNull();
  expect(responses.find("key:2", "b", 1_500)?.id).toBe("b");
});

test("deleted, nothing of it is left in the file's tables", () => {
  const { ledger, path } = freshLedger();
  ledger.responses.keep("key:1", kept("a"));
  expect(ledger.responses.remove("key:2", "a", 1_500)).toBe(false);
  expect(ledger.responses.remove("key:1", "a", 1_500)).toBe(true);
  expect(ledger.responses.remove("key:1", "a", 1_500)).toBe(false);
  expect(rowsOf(path, "SELECT count(*) AS left FROM stored_items")).toEqual([{ left: 0 }]);
});
