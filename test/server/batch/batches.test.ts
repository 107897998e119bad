/** The room of batches with a real ledger and real files; the spine is scripted and the clock stands still. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { onTestFinished, expect, test } from "vitest";
import { createRateLimits } from "../../../server/access/rate-limits.ts";
import { type Batches, type BatchOptions, openBatches } from "../../../server/batch/batches.ts";
import type { Batch } from "../../../server/domain/batch.ts";
import { type Caller, keylessCaller } from "../../../server/domain/caller.ts";
import type { ChatEvent } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { noWishes } from "../../../server/domain/routing/request-facts.ts";
import { noTimings } from "../../../server/domain/usage.ts";
import { manualClock } from "../../support/manual-clock.ts";
import { finished, someUsage } from "../../support/scripted-backend.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { freshLedger } from "../ledger/open-ledger.ts";

const quota = { keepDays: 2, fileLimitBytes: 10_000, storeBytes: 100_000, keepFreeBytes: 0, atOnce: 2 };

/** What each request met, in turn; the rest are answered. `hold` waits until it is left. */
type Script = Failure | "hold";

function room(scripts: readonly Script[] = [], more: Partial<BatchOptions> = {}) {
  const clock = manualClock();
  const { ledger, log } = freshLedger();
  const folder = join(temporaryFolder(), "batch");
  const asked: string[] = [];
  let under = 0;
  let most = 0;
  let begun = 0;
  let mostBegun = 0;
  let changed = () => {};
  const inference: BatchOptions["inference"] = {
    async *chat({ request, notes }, signal): AsyncIterable<ChatEvent> {
      const script = scripts[asked.length];
      asked.push(notes?.[0]?.detail.replace(/.* /, "") ?? "");
      under += 1;
      most = Math.max(most, under);
      changed();
      try {
        if (script instanceof Failure) throw script;
        await new Promise((later) => setImmediate(later));
        if (script === "hold" && !signal.aborted) {
          await new Promise((left) => signal.addEventListener("abort", left, { once: true }));
        }
        if (signal.aborted) yield { type: "aborted", usage: someUsage, timings: noTimings };
        else {
          yield { type: "text", text: request.model };
          yield finished;
        }
      } finally {
        under -= 1;
      }
    },
    embed: () => {
      throw new Error("nobody embeds here");
    },
    refuse: async () => {},
  };
  const open = (): Batches => {
    const batches = openBatches({
      ...{
        settings: quota,
        folder,
        mostLineBytes: 5_000,
        records: ledger.batches,
        inference,
        engineBuild: "e",
        clock,
        log,
      },
      rateLimits: createRateLimits({ requestsPerMinute: 0, tokensPerMinute: 0, concurrent: 0 }, clock),
      waiting: () => 0,
      callerOf: () => null,
      keyless: true,
      begin: () => {
        begun += 1;
        mostBegun = Math.max(mostBegun, begun);
        return () => {
          begun -= 1;
        };
      },
      ...more,
    });
    onTestFinished(() => batches.stop());
    batches.start();
    return batches;
  };
  const batches = open();
  const read = (id: string, caller: Caller = keylessCaller) => batches.batch(caller, id);
  return {
    ...{ batches, clock, asked, ledger, open, log, read },
    most: () => most,
    awake: () => begun > 0,
    wasAwake: () => mostBegun > 0,
    path: (id: string | null) => join(folder, id ?? ""),
    async begin(names: readonly string[], caller: Caller = keylessCaller): Promise<Batch> {
      const lines = names.map((custom_id) =>
        JSON.stringify({
          custom_id,
          method: "POST",
          url: "/v1/chat/completions",
          body: { model: "m", messages: [{ role: "user", content: "x" }] },
        }),
      );
      const draft = await batches.receive(pieces(lines.join("\n")));
      const { id } = await batches.keep(caller, draft, "in.jsonl", null);
      const wish = { inputFile: id, endpoint: "/v1/chat/completions" as const, metadata: null, outputKeepMs: null };
      return batches.create(caller, wish, noWishes);
    },
    /** Resolves when so many were asked. */
    waitAsked: (count: number) =>
      new Promise<void>((resolve) => {
        changed = () => {
          if (asked.length >= count) resolve();
        };
        changed();
      }),
  };
}

async function* pieces(text: string): AsyncIterable<Uint8Array> {
  yield Buffer.from(text.slice(0, 10));
  yield Buffer.from(text.slice(10));
}

/** Lets files be read and written until `isSo`; the clock is moved in steps, so that whatever waits for it goes on. */
async function until(isSo: () => boolean, step: () => void = () => {}): Promise<void> {
  const endMs = performance.now() + 20_000;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`never: ${isSo}`);
    step();
    await new Promise((resolve) => setImmediate(resolve));
  }
}

test("lines are answered, no more of them at once than the settings say, and the box stays awake meanwhile", async () => {
  const here = room();
  const { id } = await here.begin(["a", "b", "c", "d", "e"]);
  await until(() => here.read(id).status === "completed");
  expect(here.wasAwake()).toBe(true);
  expect(here.read(id)).toMatchObject({
    total: 5,
    completed: 5,
    failed: 0,
    usage: { promptTokens: 60, completionTokens: 15 },
  });
  expect(here.most()).toBe(2);
  await until(() => !here.awake());
});

test("what passes is tried again after a while, five times at most; what does not pass is not", async () => {
  const full = new Failure("queue_full", "full", { retryAfterSeconds: 3 });
  const here = room([full, full], { settings: { ...quota, atOnce: 1 } });
  const { id } = await here.begin(["a"]);
  await here.waitAsked(1);
  await until(
    () => here.asked.length === 2,
    () => here.clock.advance(1_000),
  );
  await until(
    () => here.read(id).status === "completed",
    () => here.clock.advance(1_000),
  );
  expect(here.read(id)).toMatchObject({ completed: 1, failed: 0 });
  expect(here.asked).toHaveLength(3);

  const hopeless = room([full, full, full, full, full]);
  const never = await hopeless.begin(["a"]);
  await until(
    () => hopeless.read(never.id).status === "completed",
    () => hopeless.clock.advance(10_000),
  );
  expect(hopeless.asked).toHaveLength(5);
  const error = JSON.parse(readFileSync(hopeless.path(hopeless.read(never.id).errorFile), "utf8"));
  expect(error).toMatchObject({ response: { status_code: 429, body: { error: { code: "queue_full" } } } });

  const wrong = room([new Failure("invalid_request", "no")]);
  const once = await wrong.begin(["a"]);
  await until(() => wrong.read(once.id).status === "completed");
  expect(wrong.asked).toHaveLength(1);
});

test("after 24 hours it is expired, and what did not run says so", async () => {
  const here = room(["hold", "hold"]);
  const { id } = await here.begin(["a", "b", "c"]);
  await here.waitAsked(2);
  here.clock.advance(86_399_000);
  expect(here.read(id).status).toBe("in_progress");
  here.clock.advance(31_000);
  await until(() => here.read(id).status === "expired");
  const { errorFile, completed, failed } = here.read(id);
  expect([completed, failed]).toEqual([0, 3]);
  const left = readFileSync(here.path(errorFile), "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect(left.map(({ error }) => error.code)).toEqual(["batch_expired", "batch_expired", "batch_expired"]);
});

test("a server that stops leaves its lines, and the next one goes on with those that are not answered", async () => {
  const here = room([new Failure("invalid_request", "no"), "hold", "hold"]);
  const { id } = await here.begin(["a", "b", "c", "d"]);
  await here.waitAsked(3);
  await here.batches.stop();
  expect(here.read(id)).toMatchObject({ status: "in_progress", failed: 1, completed: 0 });
  const again = here.open();
  await until(() => again.batch(keylessCaller, id).status === "completed");
  expect(again.batch(keylessCaller, id)).toMatchObject({ total: 4, completed: 3, failed: 1 });
  expect(here.asked.toSorted()).toEqual(["1", "2", "2", "3", "3", "4"]);
});

test("a key's own limits hold for its lines, and a wait for them is neither a try nor a refusal", async () => {
  const limits = { requestsPerMinute: 2, tokensPerMinute: null, concurrent: null, priority: 0 };
  const caller: Caller = { kind: "key", keyId: 1, name: "ann", limits };
  const ledgerKey = {
    kind: "inference" as const,
    name: "ann",
    label: null,
    hash: new Uint8Array(32),
    tail: "abcd",
    createdAtMs: 0,
  };
  const clock = manualClock();
  const rateLimits = createRateLimits({ requestsPerMinute: 0, tokensPerMinute: 0, concurrent: 0 }, clock);
  const here = room([], { rateLimits, clock, callerOf: () => caller });
  here.ledger.keys.create({ ...ledgerKey, expiresAtMs: null, isolate: false, limits });
  const { id } = await here.begin(["a", "b", "c", "d"], caller);
  await here.waitAsked(2);
  await until(() => here.read(id, caller).completed === 2);
  expect(here.asked).toHaveLength(2);
  await until(
    () => here.read(id, caller).status === "completed",
    () => clock.advance(5_000),
  );
  expect(here.read(id, caller)).toMatchObject({ completed: 4, failed: 0 });
  expect(rateLimits.refusals()).toEqual([]);
});

test("a key that is no good any more ends its batch, with the reason", async () => {
  let holder: Caller | null = { kind: "key", keyId: 1, name: "ann" };
  const owner = holder;
  const here = room(["hold"], { callerOf: () => holder });
  const limits = { requestsPerMinute: null, tokensPerMinute: null, concurrent: null, priority: 0 };
  here.ledger.keys.create({
    kind: "inference",
    name: "ann",
    label: null,
    hash: new Uint8Array(32),
    tail: "abcd",
    createdAtMs: 0,
    expiresAtMs: null,
    isolate: false,
    limits,
  });
  const { id } = await here.begin(["a"], owner);
  await here.waitAsked(1);
  holder = null;
  here.clock.advance(30_000);
  await until(() => here.read(id, owner).status === "failed");
  expect(here.read(id, owner).errors).toMatchObject([
    { code: "key_ended", message: expect.stringContaining("revoked or has expired") },
  ]);
});

test("lines make room: beside a request of somebody's one goes on, and none while anybody waits for a slot", async () => {
  let waiting = 0;
  const here = room(["hold", "hold", "hold"], { waiting: () => waiting });
  const end = here.batches.besides(() => () => {})();
  await here.begin(["a", "b", "c"]);
  await here.waitAsked(1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(here.asked).toEqual(["1"]);
  waiting = 1;
  end();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(here.asked).toEqual(["1"]);
  waiting = 0;
  here.batches.besides(() => () => {})()();
  await here.waitAsked(2);
});

test("files end when their time is over, but not while a batch reads them", async () => {
  const here = room(["hold"]);
  const { inputFile, id } = await here.begin(["a"]);
  await here.waitAsked(1);
  here.clock.advance(quota.keepDays * 86_400_000 + 31_000);
  await until(() => here.read(id).status === "expired");
  const { errorFile } = here.read(id);
  expect(readFileSync(here.path(inputFile), "utf8")).toContain('"a"');
  here.clock.advance(31_000);
  expect(() => readFileSync(here.path(inputFile))).toThrow("ENOENT");
  expect(here.batches.files(keylessCaller).map((file) => file.id)).toEqual([errorFile]);
});

test("a disk without room takes nothing, and a server that keeps no files says so", async () => {
  const here = room([], { settings: { ...quota, keepFreeBytes: 2 ** 50 } });
  await expect(here.batches.receive(pieces("some text that is long enough"))).rejects.toMatchObject({
    code: "storage_full",
  });
  const off = room([], { settings: { ...quota, keepDays: 0 } });
  await expect(off.batches.receive(pieces("x"))).rejects.toMatchObject({ code: "forbidden" });
});
