/** The turns of requests for vectors, over a model of paper: every computed input is written down. */
import { expect, test } from "vitest";
import type { PooledEvent } from "../../../../server/backends/engine/protocol.ts";
import { EmbedLoop } from "../../../../server/backends/engine/worker/embed-loop.ts";
import { until } from "../../../support/real-engine.ts";

interface Desk {
  readonly loop: EmbedLoop;
  /** First token of each input that was computed, in order. */
  readonly computed: number[];
  readonly events: { id: string; event: PooledEvent }[];
  /** Called while an input is being computed. */
  onCompute: (token: number) => void;
  readonly ended: () => readonly string[];
}

function desk(fails: readonly number[] = []): Desk {
  const computed: number[] = [];
  const events: Desk["events"] = [];
  const loop = new EmbedLoop(
    {
      compute: async (tokens, stopped) => {
        const first = tokens[0] ?? -1;
        await Promise.resolve();
        computed.push(first);
        made.onCompute(first);
        if (fails.includes(first)) throw new Error("no");
        return stopped() ? null : Float32Array.of(first);
      },
    },
    2,
    { monotonicMs: () => computed.length, emit: (id, event) => void events.push({ id, event }) },
  );
  const made: Desk = {
    loop,
    computed,
    events,
    onCompute: () => {},
    ended: () => events.filter(({ event }) => event.type !== "vector").map(({ id, event }) => `${id} ${event.type}`),
  };
  return made;
}

const inputs = (...firsts: readonly number[]) => firsts.map((first) => Uint32Array.of(first, 0));
const job = (id: string, ...firsts: readonly number[]) => ({ id, caller: "ayo", inputs: inputs(...firsts) });

test("one input of each request in turn: a single text passes a long batch", async () => {
  const { loop, computed, ended } = desk();
  loop.submit(job("batch", 10, 11, 12, 13));
  loop.submit(job("single", 20));
  await until("both ended", () => ended().length === 2);
  expect(computed).toEqual([10, 20, 11, 12, 13]);
  expect(ended()).toEqual(["single done", "batch done"]);
});

test("vectors come in the order of their inputs, as little-endian numbers, with the tokens that were used", async () => {
  const { loop, events, ended } = desk();
  loop.submit(job("a", 7, 8));
  await until("ended", () => ended().length === 1);
  const bytes = events.map(({ event }) => (event.type === "vector" ? Buffer.from(event.vector, "base64") : null));
  expect(bytes.map((one) => one?.readFloatLE(0))).toEqual([7, 8, undefined]);
  expect(events.at(-1)?.event).toEqual({ type: "done", promptTokens: 4, computeMs: 2 });
});

test("S-10 a request that is taken back ends within the input that is being computed", async () => {
  const made = desk();
  made.onCompute = (token) => {
    if (token === 11) made.loop.cancel("batch");
  };
  made.loop.submit(job("batch", 10, 11, 12, 13));
  await until("ended", () => made.ended().length === 1);
  expect(made.computed).toEqual([10, 11]);
  expect(made.events.at(-1)?.event).toMatchObject({ type: "cancelled", promptTokens: 2 });
  made.loop.submit(job("next", 20));
  await until("the next one", () => made.ended().length === 2);
  expect(made.ended()).toEqual(["batch cancelled", "next done"]);
});

test("one that waits for its turn ends at once, and the others do not notice", async () => {
  const made = desk();
  made.onCompute = (token) => {
    if (token !== 10) return;
    made.loop.cancel("waiting");
    expect(made.ended()).toEqual(["waiting cancelled"]);
  };
  made.loop.submit(job("first", 10, 11));
  made.loop.submit(job("waiting", 20));
  await until("both ended", () => made.ended().length === 2);
  expect(made.computed).toEqual([10, 11]);
});

test("an input that fails ends its own request only", async () => {
  const { loop, computed, ended } = desk([10]);
  loop.submit(job("bad", 10, 11));
  loop.submit(job("good", 20, 21));
  await until("both ended", () => ended().length === 2);
  expect(ended()).toEqual(["bad failed", "good done"]);
  expect(computed).toEqual([10, 20, 21]);
});

test("what it shows of itself: the one being computed, those in turn, free places", async () => {
  const made = desk();
  made.onCompute = (token) => {
    if (token !== 10) return;
    expect(made.loop.view()).toEqual([
      { state: "prefill", tokens: 0, caller: "ayo" },
      { state: "waiting", tokens: 0, caller: "ayo" },
    ]);
  };
  made.loop.submit(job("a", 10));
  made.loop.submit(job("b", 20, 21));
  await until("both ended", () => made.ended().length === 2);
  expect(made.computed).toEqual([10, 20, 21]);
  expect(made.loop.view().map((slot) => slot.state)).toEqual(["idle", "idle"]);
});
