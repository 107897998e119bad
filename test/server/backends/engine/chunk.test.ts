import { describe, expect, test } from "vitest";
import { chunkTokens, heldBack, sharePrefill } from "../../../../server/backends/engine/worker/chunk.ts";

const facts = {
  decoding: 3,
  batchSize: 512,
  tokenGapMs: 600,
  prefillTokensPerSecond: 220,
  decodeStepMs: 50,
  slotAwaited: false,
};

describe("prompt tokens in one step", () => {
  test("keep the gap of running streams: 550 ms at 220 tokens/s is 121, in blocks of 32", () => {
    expect(chunkTokens(facts)).toBe(128);
  });

  test("fill the batch on a fast machine", () => {
    expect(chunkTokens({ ...facts, prefillTokensPerSecond: 5_000 })).toBe(509);
  });

  test("never fall below one block, or a prompt would never end", () => {
    expect(chunkTokens({ ...facts, prefillTokensPerSecond: 1 })).toBe(32);
  });

  test("are about a second's worth when nobody waits, so that an abort is noticed", () => {
    expect(chunkTokens({ ...facts, decoding: 0 })).toBe(224);
  });

  test("are one block while a newcomer is on its way to a free slot", () => {
    expect(chunkTokens({ ...facts, decoding: 0, slotAwaited: true })).toBe(32);
  });

  test("are none when every place of the batch is taken by running streams", () => {
    expect(chunkTokens({ ...facts, decoding: 512 })).toBe(0);
  });
});

describe("sharing the step between prompts", () => {
  test("the shortest goes first", () => {
    const prompts = [
      { key: "long", tokensLeft: 900, passedOver: 0 },
      { key: "short", tokensLeft: 40, passedOver: 0 },
    ];
    expect(sharePrefill(prompts, 128)).toEqual([
      { key: "short", tokens: 40 },
      { key: "long", tokens: 88 },
    ]);
  });

  test("one that was passed over sixteen times goes before all", () => {
    const prompts = [
      { key: "starved", tokensLeft: 900, passedOver: 16 },
      { key: "short", tokensLeft: 40, passedOver: 0 },
    ];
    expect(sharePrefill(prompts, 128)).toEqual([{ key: "starved", tokens: 128 }]);
  });
});

describe("turns between callers", () => {
  const ahead = { caller: "ahead", served: 5_000, wanting: true, computing: true };
  const behind = { caller: "behind", served: 1_000, wanting: true, computing: true };

  test("whoever has had more waits for whoever wants more", () => {
    expect([...heldBack([ahead, behind])]).toEqual(["ahead"]);
  });

  test("a chunk's worth ahead is level", () => {
    expect([...heldBack([ahead, { ...behind, served: 4_900 }])]).toEqual([]);
  });

  test("nobody waits for a caller that gets all it can use, or that gets nothing out of this step", () => {
    expect([...heldBack([ahead, { ...behind, wanting: false }])]).toEqual([]);
    expect([...heldBack([ahead, { ...behind, computing: false }])]).toEqual([]);
  });
});
