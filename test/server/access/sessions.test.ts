import { expect, test } from "vitest";
import { createWrongKeyLimit } from "../../../server/access/failures.ts";
import { createSessions } from "../../../server/access/sessions.ts";
import { manualClock } from "../../support/manual-clock.ts";

const caller = { kind: "key", keyId: 1, name: "jonas" } as const;

test("a sign-in lasts twelve hours, or until it is ended", () => {
  const clock = manualClock();
  const sessions = createSessions(clock);
  const token = sessions.create(caller);
  const ended = sessions.create(caller);
  sessions.end(ended);
  expect(sessions.find(token)).toEqual(caller);
  expect(sessions.find(ended)).toBeNull();
  expect(sessions.find("made up")).toBeNull();
  clock.advance(12 * 3_600_000 - 1);
  expect(sessions.find(token)).toEqual(caller);
  clock.advance(1);
  expect(sessions.find(token)).toBeNull();
});

test("there are at most a thousand; the oldest makes room", () => {
  const sessions = createSessions(manualClock());
  const tokens = Array.from({ length: 1001 }, () => sessions.create(caller));
  expect(tokens.filter((token) => sessions.find(token) === null)).toEqual([tokens[0]]);
});

test("S-36 failure rate-limit: ten wrong keys a minute from one address, then a wait", () => {
  const clock = manualClock();
  const limit = createWrongKeyLimit(clock);
  for (let tries = 0; tries < 10; tries += 1) expect(limit.note("10.0.0.1")).toBeNull();
  expect(limit.note("10.0.0.1")).toBe(6);
  expect(limit.waitSeconds("10.0.0.1")).toBe(6);
  // Its neighbours are not held up.
  expect(limit.note("10.0.0.2")).toBeNull();
  // Asking again while waiting does not make the wait longer.
  clock.advance(4000);
  expect(limit.note("10.0.0.1")).toBe(2);
  clock.advance(2000);
  expect(limit.note("10.0.0.1")).toBeNull();
  // How the wait grows from here on: failures.test.ts.
  expect(limit.note("10.0.0.1")).toBe(12);
});

test("the addresses remembered are bounded: the one that was quiet for longest is forgotten", () => {
  const limit = createWrongKeyLimit(manualClock());
  for (let tries = 0; tries < 11; tries += 1) limit.note("first");
  for (let other = 0; other < 4095; other += 1) limit.note(`address ${other}`);
  expect(limit.waitSeconds("first")).toBe(6);
  limit.note("one more");
  expect(limit.waitSeconds("first")).toBeNull();
});
