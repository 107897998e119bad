import { describe, expect, it } from "vitest";
import { figures, priceText, ranOnThisBox, speed } from "../../renderer/chat/figures.ts";
import { type ChatUpdate, closingOf, readChat, updatesOf } from "../../renderer/chat/stream.ts";
import { type Answer, applyOrder, type ChatOrder, history, isRunning } from "../../renderer/chat/turns.ts";

const recorded = [
  ": keep-alive\n\n",
  'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}\n\n',
  'data: {"choices":[{"index":0,"delta":{"content":"Grüße "},"finish_reason":null}],"usage":null}\n\n',
  'data: {"choices":[{"index":0,"delta":{"content":"👋"},"finish_reason":null}],"usage":null}\n\n',
  'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}\n\n',
  'data: {"choices":[],"usage":{"prompt_tokens":12,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":8}}}\n\n',
  ": x-lanthorn-target=engine/lanthorn-demo cost=unknown(not_priced)\n\n",
  "data: [DONE]\n\n",
].join("");

const understood: readonly ChatUpdate[] = [
  { type: "text", text: "Grüße " },
  { type: "text", text: "👋" },
  { type: "finish", reason: "stop" },
  { type: "usage", promptTokens: 12, cachedTokens: 8, outputTokens: 3 },
  { type: "closing", target: "engine/lanthorn-demo", cost: "unknown(not_priced)" },
  { type: "done" },
];

async function read(bytes: Uint8Array, size: number): Promise<ChatUpdate[]> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.slice(index * size, (index + 1) * size),
  );
  const updates: ChatUpdate[] = [];
  for await (const update of readChat(ReadableStream.from(pieces) as ReadableStream<Uint8Array>)) updates.push(update);
  return updates;
}

describe("reading a streamed answer", () => {
  it.each([1, 3, 17, 100_000])("gives the same whether it arrives in pieces of %i bytes", async (size) => {
    expect(await read(new TextEncoder().encode(recorded), size)).toEqual(understood);
  });

  it("lets go of the stream when the reader leaves early", async () => {
    let cancelled = false;
    const stream = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(new TextEncoder().encode(recorded)),
      cancel: () => {
        cancelled = true;
      },
    });
    for await (const _ of readChat(stream)) break;
    expect(cancelled).toBe(true);
  });

  it("takes an error frame as the server's own words, and skips what it does not know", () => {
    expect(updatesOf('{"error":{"message":"The worker ended.","code":"worker_died"}}')).toEqual([
      { type: "failed", message: "The worker ended." },
    ]);
    expect(["", "{", "42", '{"type":"ping"}'].flatMap(updatesOf)).toEqual([]);
  });

  it("reads where it ran from the closing comment, and only from that", () => {
    expect(closingOf(" x-lanthorn-target=engine/gr%C3%BCn cost=0.000012345(measured)")).toEqual([
      { type: "closing", target: "engine/grün", cost: "0.000012345(measured)" },
    ]);
    expect(closingOf(" x-lanthorn-target=none")).toEqual([{ type: "closing", target: null, cost: null }]);
    expect(closingOf(" keep-alive")).toEqual([]);
  });
});

function play(...orders: ChatOrder[]) {
  return orders.reduce(applyOrder, [] as readonly (Answer | { role: "user"; id: number; text: string })[]);
}
const ask: ChatOrder = { type: "ask", text: "Hello", model: "lanthorn-demo", atMs: 1_000 };
const accepted: ChatOrder = { type: "accepted", requestId: "req_1" };
function arrived(atMs: number, ...updates: ChatUpdate[]): ChatOrder {
  return { type: "updates", updates, atMs };
}
const whole: readonly ChatOrder[] = [
  ask,
  accepted,
  arrived(1_900, { type: "text", text: "Hi " }),
  arrived(2_900, { type: "text", text: "there" }),
  arrived(2_900, { type: "usage", promptTokens: 12, cachedTokens: 0, outputTokens: 45 }),
  arrived(2_901, { type: "finish", reason: "stop" }, { type: "done" }),
];

describe("a conversation", () => {
  it("takes an answer from its question to its end", () => {
    const running = play(ask, accepted);
    expect(isRunning(running)).toBe(true);
    const conversation = play(...whole, { type: "end", cutMessage: "cut" });
    expect(isRunning(conversation)).toBe(false);
    expect(conversation).toMatchObject([
      { role: "user", text: "Hello" },
      { role: "assistant", text: "Hi there", state: { type: "done" }, requestId: "req_1" },
    ]);
  });

  it("says that an answer was cut when its stream ends without [DONE]", () => {
    const cut = play(ask, accepted, arrived(2_000, { type: "text", text: "Hi" }), { type: "end", cutMessage: "cut" });
    expect(cut.at(-1)).toMatchObject({ text: "Hi", state: { type: "failed", message: "cut", requestId: "req_1" } });
  });

  it("keeps the server's reason when the stream ends after an error frame", () => {
    const failed = play(ask, accepted, arrived(2_000, { type: "failed", message: "died" }), {
      type: "end",
      cutMessage: "cut",
    });
    expect(failed.at(-1)).toMatchObject({ state: { type: "failed", message: "died", requestId: "req_1" } });
  });

  it("takes nothing more after it was stopped", () => {
    const stopped = play(ask, arrived(2_000, { type: "text", text: "Hi" }), { type: "stop" });
    expect(applyOrder(stopped, arrived(2_100, { type: "text", text: " more" }))).toBe(stopped);
    expect(stopped.at(-1)).toMatchObject({ text: "Hi", state: { type: "stopped" } });
  });

  it("sends answered questions with their answers, and leaves out the ones nobody answered", () => {
    const failed = play(ask, { type: "fail", message: "full", requestId: null });
    const conversation = [...whole, { ...ask, text: "Again" } as ChatOrder].reduce(applyOrder, failed);
    expect(history(conversation)).toEqual([
      { role: "user", content: "Hello" },
      { role: "assistant", content: "Hi there" },
      { role: "user", content: "Again" },
    ]);
    expect(applyOrder(conversation, { type: "clear" })).toEqual([]);
  });
});

describe("the line under an answer", () => {
  function answerOf(...orders: ChatOrder[]): Answer {
    const last = play(...orders).at(-1);
    if (last?.role !== "assistant") throw new Error("the last turn is not an answer");
    return last;
  }

  it("counts up while there is no token", () => {
    expect(figures(answerOf(ask), 4_200)).toEqual(["lanthorn-demo", "waiting for the first token, 3.2 s"]);
  });

  it("says about while it runs, because only the server counts tokens", () => {
    const running = answerOf(ask, ...[2_000, 2_500, 3_000].map((atMs) => arrived(atMs, { type: "text", text: "a" })));
    expect(figures(running, 3_000)).toEqual(["lanthorn-demo", "first token 1.0 s", "about 2.0 tok/s", "about 3 out"]);
  });

  it("uses the server's count at the end: tokens after the first over the time they took", () => {
    const done = answerOf(...whole);
    expect(speed(done)).toEqual({ tokensPerSecond: 44, over: false });
    expect(figures(done, 0)).toEqual([
      "lanthorn-demo",
      "first token 900 ms",
      "44 tok/s",
      "12 in / 45 out",
      "not yet priced",
    ]);
  });

  it("claims no more than a browser can measure: what was all there within 100 ms was faster than that", () => {
    const usage: ChatUpdate = { type: "usage", promptTokens: 14, cachedTokens: 0, outputTokens: 36 };
    const pieces = [2_000, 2_000.9].map((atMs) => arrived(atMs, { type: "text", text: "a" }));
    const done = answerOf(ask, ...pieces, arrived(2_001, usage, { type: "done" }));
    expect(figures(done, 0)[2]).toBe("over 350 tok/s");
    expect(figures(answerOf(ask, ...pieces), 0)).toEqual(["lanthorn-demo", "first token 1.0 s", "about 2 out"]);
  });

  it("names cached tokens, and says nothing of an answer that never began", () => {
    const usage: ChatUpdate = { type: "usage", promptTokens: 1_204, cachedTokens: 1_020, outputTokens: 312 };
    const done = answerOf(ask, arrived(2_000, { type: "text", text: "a" }, usage, { type: "done" }));
    expect(figures(done, 0)).toContain("1,204 in (1,020 cached) / 312 out");
    expect(figures(done, 0)).toContain("– tok/s");
    expect(figures(answerOf(ask, { type: "fail", message: "full", requestId: null }), 9_000)).toEqual([]);
  });

  it("never prints $0 for a price that is not known", () => {
    const prices = [
      null,
      "unknown(not_priced)",
      "0.000000000(billed)",
      "0.000012345(measured)",
      "0.031(billed)",
      "1.5(billed)",
    ];
    expect(prices.map(priceText)).toEqual(["not yet priced", "not yet priced", "$0", "<$0.0001", "$0.0310", "$1.50"]);
  });

  it("says this box only when the server said so", () => {
    const closing = (target: string | null): ChatOrder => arrived(2_000, { type: "closing", target, cost: null });
    expect(ranOnThisBox(answerOf(ask, closing("engine/lanthorn-demo")))).toBe(true);
    expect(ranOnThisBox(answerOf(ask, closing("cloud/coder")))).toBe(false);
    expect(ranOnThisBox(answerOf(ask))).toBe(false);
  });
});
