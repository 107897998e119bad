/** The step loop over a model of paper: what is computed, for whom, and when. Every decode call is written down. */
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { StepEvent } from "../../../../server/backends/engine/protocol.ts";
import type { Job } from "../../../../server/backends/engine/worker/job.ts";
import type { BatchPart, NativeModel, NativeSampler } from "../../../../server/backends/engine/worker/native.ts";
import { Snapshots, type SnapshotTiers } from "../../../../server/backends/engine/worker/snapshots.ts";
import { StepLoop } from "../../../../server/backends/engine/worker/step-loop.ts";
import { TextStream } from "../../../../server/backends/engine/worker/text-stream.ts";
import { Tier } from "../../../../server/backends/engine/kv-store/tier.ts";
import { until } from "../../../support/real-engine.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";

const endToken = 0;

interface PaperModel extends NativeModel {
  /** `sequence:tokens` per part, one list per decode call. */
  readonly calls: readonly (readonly string[])[];
  /** Called before each decode call returns. */
  onDecode: () => void;
}

function paperModel(slots: number, batchSize = 128): PaperModel {
  const calls: string[][] = [];
  const held = new Map<number, number>();
  const sampler = { applyConfig() {} } as unknown as NativeSampler;
  const model: PaperModel = {
    calls,
    onDecode: () => {},
    contextLength: 4_096,
    slots,
    batchSize,
    vocabularySize: 100_000,
    gpu: "paper",
    memory: null,
    detokenize: (tokens) => tokens.map((token) => `<${token}>`).join(""),
    spell: (tokens) => tokens.map((token) => `<${token}>`).join(""),
    controlToken: () => null,
    isEndOfGeneration: (token) => token === endToken,
    newSampler: () => sampler,
    newGrammarState: () => {
      throw new Error("no grammar here");
    },
    decode: async (parts: readonly BatchPart[]) => {
      calls.push(parts.map((part) => `${part.sequence}:${part.tokens.length}`));
      for (const part of parts) {
        // A position that does not follow what is held would corrupt a real KV cache.
        expect(part.position).toBe(held.get(part.sequence) ?? 0);
        held.set(part.sequence, part.position + part.tokens.length);
      }
      await new Promise((resolve) => setImmediate(resolve));
      model.onDecode();
      return parts.map((part, at) => (part.wantsLogits ? at : null));
    },
    sample: () => Promise.resolve(42),
    logprobs: () => Promise.resolve({ chosen: 0, top: [] }),
    tokenText: (token) => ({ text: `<${token}>`, bytes: [] }),
    truncate: (sequence, position) => {
      held.set(sequence, position);
      return true;
    },
    copy: async (target, source) => {
      const count = held.get(source) ?? 0;
      held.set(target, count);
      return count;
    },
    save: async () => 1,
    restore: async () => 0,
  };
  return model;
}

let jobs = 0;
function job(prompt: readonly number[], maxTokens: number, caller = "ayo"): Job {
  jobs += 1;
  return {
    id: `job-${jobs}`,
    caller,
    callerId: caller,
    group: "shared",
    session: null,
    side: false,
    logprobs: null,
    prompt,
    options: {
      sampling: {
        temperature: 0,
        topP: null,
        topK: null,
        minP: null,
        seed: 1,
        frequencyPenalty: null,
        presencePenalty: null,
        repeatPenalty: null,
        logitBias: [],
      },
      maxTokens,
      stop: [],
      ignoreEos: false,
      cachePrompt: true,
      grammar: null,
      markers: [],
      logprobs: null,
    },
    text: new TextStream((tokens) => tokens.map(() => "x").join(""), []),
    phase: "prefill",
    waitFor: null,
    cachedTokens: 0,
    prefilledTokens: 0,
    nextToken: -1,
    completionTokens: 0,
    passedOver: 0,
    cancelled: false,
    slotTakenAtMs: 0,
    firstTokenAtMs: null,
  };
}

/** `hear` is told of events as they are emitted. */
function loopOver(
  model: PaperModel,
  hear: (events: readonly StepEvent[]) => void = () => {},
  tiers: SnapshotTiers = { memory: null, disk: null },
) {
  const events: StepEvent[] = [];
  let nowMs = 0;
  const snapshots = new Snapshots(model, tiers, { monotonicMs: () => 0, say: () => {} });
  const loop = new StepLoop(model, snapshots, 600, {
    // Ten milliseconds per look at the clock: fast enough for whole batches.
    monotonicMs: () => {
      nowMs += 10;
      return nowMs;
    },
    randomSeed: () => 1,
    emit: (new_) => {
      events.push(...new_);
      hear(new_);
    },
  });
  const ended = (id: string) =>
    events.find((event) => event.id === id && event.type !== "text" && event.type !== "started");
  return { loop, events, ended, snapshots };
}

const numbers = (count: number, from = 1) => Array.from({ length: count }, (_, at) => from + at);

describe("a step", () => {
  test("holds one token of every running stream beside a chunk of prompt", async () => {
    const model = paperModel(2);
    const { loop, ended } = loopOver(model);
    const streaming = job(numbers(10), 40);
    const arriving = job(numbers(300, 1_000), 2);
    loop.submit(streaming);
    let submitted = false;
    model.onDecode = () => {
      if (submitted || model.calls.length < 3) return;
      submitted = true;
      loop.submit(arriving);
    };
    await until("both ended", () => ended(streaming.id) !== undefined && ended(arriving.id) !== undefined);
    const mixed = model.calls.filter(
      (call) => call.some((part) => part === "0:1") && call.some((part) => part.startsWith("1:")),
    );
    expect(mixed.length).toBeGreaterThan(1);
    const largest = Math.max(
      ...model.calls.map((call) => call.reduce((sum, part) => sum + Number(part.split(":")[1]), 0)),
    );
    expect(largest).toBeLessThanOrEqual(128);
  });

  test("several jobs with one new prefix compute it once", async () => {
    const model = paperModel(3);
    const { loop, ended } = loopOver(model);
    const all = [7, 8, 9].map((last) => job([...numbers(500), 9_000 + last], 1));
    for (const one of all) loop.submit(one);
    await until("all ended", () => all.every((one) => ended(one.id) !== undefined));
    const computed = model.calls.flat().reduce((sum, part) => sum + Number(part.split(":")[1]), 0);
    expect(computed).toBe(501 + 1 + 1);
  });

  test("when the one who computes a shared prefix leaves, the others do not wait for each other", async () => {
    const model = paperModel(3);
    const { loop, ended } = loopOver(model);
    const all = [7, 8, 9].map((last) => job([...numbers(1_000), 9_000 + last], 1));
    for (const one of all) loop.submit(one);
    let left = false;
    model.onDecode = () => {
      const first = all[0];
      if (left || first === undefined || model.calls.length < 2) return;
      left = true;
      loop.cancel(first.id);
    };
    await until("all ended", () => all.every((one) => ended(one.id) !== undefined));
    expect(all.map((one) => ended(one.id)?.type)).toEqual(["cancelled", "done", "done"]);
  });

  test("that fails ends everybody in it and leaves their slots usable", async () => {
    const model = paperModel(1);
    const { loop, ended } = loopOver(model);
    const unlucky = job(numbers(10), 5);
    model.onDecode = () => {
      model.onDecode = () => {};
      throw new Error("Eval has failed");
    };
    loop.submit(unlucky);
    await until("ended", () => ended(unlucky.id) !== undefined);
    expect(ended(unlucky.id)).toMatchObject({ type: "failed", code: "internal" });
    const next = job(numbers(10), 2);
    loop.submit(next);
    await until("ended", () => ended(next.id) !== undefined);
    expect(ended(next.id)).toMatchObject({ type: "done", finishReason: "length", cachedTokens: 0 });
  });
});

describe("a prefix that was saved", () => {
  test("and cannot be read is computed again from its first token", async () => {
    const model: PaperModel = {
      ...paperModel(1),
      save: async (_sequence, tokens, path) => {
        writeFileSync(path, "state");
        return tokens.length;
      },
      restore: async () => 0,
    };
    const memory = new Tier("memory", { root: temporaryFolder(), limitBytes: 10_000 }, "model", "shape");
    const { loop, ended, snapshots } = loopOver(model, () => {}, { memory, disk: null });
    const [mine, other, again] = [job(numbers(500), 1), job(numbers(500, 5_000), 1), job(numbers(500), 1)];
    for (const one of [mine, other]) {
      loop.submit(one);
      await until("ended", () => ended(one.id) !== undefined);
    }
    expect(snapshots.facts()).toHaveLength(1);
    loop.submit(again);
    await until("ended", () => ended(again.id) !== undefined);
    expect(ended(again.id)).toMatchObject({ type: "done", cachedTokens: 0, prefilledTokens: 500 });
  });
});

describe("the end", () => {
  test("ends what runs and what waits after the current step, and shows what the slots hold", async () => {
    const model = paperModel(2);
    const { loop, ended, events } = loopOver(model);
    const [running, waiting, late] = [job(numbers(200), 4_000), job(numbers(200, 5_000), 4_000), job(numbers(10), 1)];
    loop.submit(running);
    await until("it answers", () => events.some((event) => event.id === running.id && event.type === "text"));
    loop.submit(waiting);
    const slots = await loop.close();
    expect(ended(running.id)).toMatchObject({ type: "failed", code: "shutting_down" });
    expect(ended(waiting.id)).toMatchObject({ type: "failed", code: "shutting_down" });
    expect(slots[0]?.tokens.length).toBeGreaterThanOrEqual(200);
    loop.submit(late);
    await until("ended", () => ended(late.id) !== undefined);
    expect(ended(late.id)).toMatchObject({ type: "failed", code: "shutting_down" });
  });
});

describe("two callers", () => {
  /** A prompt of 40 tokens that nobody else has, and an answer of 16. */
  const small = () => job(numbers(40, 10_000 + jobs * 100), 16, "short");
  const computedBy = (model: PaperModel, sequences: readonly number[]) =>
    model.calls
      .flat()
      .map((part) => part.split(":").map(Number))
      .reduce((sum, [sequence, tokens]) => sum + (sequences.includes(sequence ?? -1) ? (tokens ?? 0) : 0), 0);

  test("get as many tokens each while both want more, a long prompt beside short ones", async () => {
    const model = paperModel(4);
    const long = job(numbers(4_000), 1, "long");
    let over = false;
    const { loop } = loopOver(model, (events) => {
      for (const { id, type } of events) {
        if (type === "text" || type === "started") continue;
        if (id === long.id) over = true;
        // The server fills the slot as soon as it hears of it.
        else if (!over) setImmediate(() => loop.submit(small()));
      }
    });
    loop.setWaiting(["short", "long"]);
    for (const one of [long, small(), small(), small()]) loop.submit(one);
    await until("the long prompt is computed", () => over);
    // What one may be ahead, and a chunk at either end.
    expect(Math.abs(4_000 - computedBy(model, [1, 2, 3]))).toBeLessThan(400);
  });

  test("a slot that somebody waits for is filled before the next step", async () => {
    const model = paperModel(2);
    const streaming = job(numbers(10, 9_000), 500, "long");
    const waiting = Array.from({ length: 5 }, small);
    const { loop, ended } = loopOver(model, (events) => {
      const next = events.some(({ type }) => type === "done") ? waiting.shift() : undefined;
      if (next === undefined) return;
      // As long as the way to the server and back takes.
      setTimeout(() => {
        if (waiting.length === 0) loop.setWaiting([]);
        loop.submit(next);
      }, 2);
    });
    loop.setWaiting(["short"]);
    loop.submit(streaming);
    loop.submit(small());
    const last = waiting.at(-1);
    await until("the last has ended", () => last !== undefined && ended(last.id) !== undefined);
    const calls = model.calls.slice(
      0,
      model.calls.findLastIndex((call) => call.some((part) => part.startsWith("1:"))),
    );
    expect(calls.filter((call) => call.length === 1)).toEqual([]);
    loop.cancel(streaming.id);
    await until("ended", () => ended(streaming.id) !== undefined);
  });

  test("an answer that has all it can use holds no long prompt back", async () => {
    const model = paperModel(2);
    const { loop, ended } = loopOver(model);
    loop.setWaiting(["long"]);
    const streaming = job(numbers(10, 9_000), 2_000, "short");
    loop.submit(streaming);
    const long = job(numbers(4_000), 1, "long");
    loop.submit(long);
    await until("the long prompt is computed", () => ended(long.id) !== undefined);
    const last = model.calls.findLastIndex((call) => call.some((part) => part.startsWith("1:")));
    // Beside one token of the stream there is room for 127 of the prompt.
    expect(last).toBeLessThan(40);
    loop.cancel(streaming.id);
    await until("ended", () => ended(streaming.id) !== undefined);
  });
});
