import { describe, expect, test } from "vitest";
import type { ChatEvent, EndEvent } from "../../../server/domain/chat.ts";
import { Failure } from "../../../server/domain/failure.ts";
import { noTimings, noUsage } from "../../../server/domain/usage.ts";
import { createRouter } from "../../../server/router/router.ts";
import { chatRequest, collect } from "../../support/chat-request.ts";
import { finished, type ScriptedBackend, scriptedBackend } from "../../support/scripted-backend.ts";

const context = { requestId: "r1", callerName: "ayo" };
const text: ChatEvent = { type: "text", text: "hi" };
const failed = (failure: Failure): ChatEvent => ({ type: "failed", failure, usage: noUsage, timings: noTimings });
const full = new Failure("queue_full", "full");

function run(backends: readonly ScriptedBackend[], signal = new AbortController().signal) {
  const log: string[] = [];
  const targets = backends.map(({ id }) => ({ target: `${id}/m` }));
  const router = createRouter(backends, { routes: { any: { groups: [{ targets }], retries: 0 } } });
  const hooks = {
    opened: (number: number) => void log.push(`open ${number}`),
    closed: (number: number, end: EndEvent) => log.push(`close ${number} ${end.type}`),
  };
  return { log, answer: router.run(router.plan("any"), chatRequest("x"), context, signal, hooks) };
}

describe("a plan is carried out", () => {
  test("a failure before any content goes to the next target, when another one may help", async () => {
    const { log, answer } = run([
      scriptedBackend("a", ["m"], [full]),
      scriptedBackend("b", ["m"], [[failed(full)]]),
      scriptedBackend("c", ["m"], [[text, finished]]),
    ]);
    expect((await collect(answer)).text).toBe("hi");
    expect(log).toEqual(["open 1", "close 1 failed", "open 2", "close 2 failed", "open 3", "close 3 finished"]);
  });

  test("a backend that goes after the plan was made is passed by, without an attempt; one that comes is asked", async () => {
    const one = (id: string) => scriptedBackend(id, ["m"], [full, [text, finished]]);
    const [a, b, c] = [one("a"), one("b"), scriptedBackend("c", ["m"], [])];
    let backends: readonly ScriptedBackend[] = [a, b, c];
    const routes = { any: { groups: [{ targets: ["a/m", "b/m", "c/m"].map((target) => ({ target })) }], retries: 0 } };
    const router = createRouter(() => backends, { routes });
    const asked: string[] = [];
    const ask = () =>
      collect(
        router.run(router.plan("any"), chatRequest("x"), context, new AbortController().signal, {
          opened: (number, { target }) => {
            asked.push(`${number} ${target.backendId}`);
            backends = backends.filter((backend) => backend !== b);
          },
          closed: () => {},
        }),
      );
    expect((await ask()).end.type).toBe("finished");
    expect(asked).toEqual(["1 a", "2 c"]);
    expect(b.asked).toHaveLength(0);
    expect(router.explain("any").excluded).toMatchObject([{ target: "b/m" }]);

    const late = scriptedBackend("late", ["other"], [[text, finished]]);
    backends = [...backends, late];
    expect(router.models().map(({ alias }) => alias)).toContain("other");
    expect(router.plan("late/other")).toMatchObject({ capability: "chat" });
  });

  test("nothing is tried again after content has left", async () => {
    const second = scriptedBackend("b", ["m"], [[text, finished]]);
    const { answer } = run([scriptedBackend("a", ["m"], [[text, failed(full)]]), second]);
    expect((await collect(answer)).end).toMatchObject({ type: "failed", failure: { code: "queue_full" } });
    expect(second.asked).toHaveLength(0);
  });

  test("a failure that is the client's own is not passed on to others", async () => {
    const second = scriptedBackend("b", ["m"], []);
    const wrong = new Failure("invalid_request", "no", { param: "messages" });
    const { log, answer } = run([scriptedBackend("a", ["m"], [wrong]), second]);
    await expect(collect(answer)).rejects.toBe(wrong);
    expect(log).toEqual(["open 1", "close 1 failed"]);
    expect(second.asked).toHaveLength(0);
  });

  test("every attempt is closed when the reader leaves in the middle", async () => {
    const { log, answer } = run([scriptedBackend("a", ["m"], [[text, text, finished]])]);
    for await (const event of answer) if (event.type === "text") break;
    expect(log).toEqual(["open 1", "close 1 aborted"]);
  });

  test("an answer without an end is our own failure, never a silent success", async () => {
    const { answer } = run([scriptedBackend("a", ["m"], [[text]])]);
    expect((await collect(answer)).end).toMatchObject({ type: "failed", failure: { code: "internal" } });
  });
});

test("S-11 an unknown model is never another one: the failure names what may have been meant", () => {
  const router = createRouter([scriptedBackend("a", ["coder", "fim"], [])]);
  expect(() => router.plan("codr")).toThrow('No model "codr" here. Did you mean "coder"? Here: coder, fim.');
  expect(() => router.plan("gpt-4o")).toThrow(/^No model "gpt-4o" here\. Here: coder, fim\.$/);
});

test("a model is not asked for what it was not made for: the failure names models that can", () => {
  const maker = scriptedBackend("b", ["bge", "nomic"], []);
  const makers = {
    ...maker,
    served: () => maker.served().map((model) => ({ ...model, capabilities: ["embeddings" as const] })),
  };
  const router = createRouter([scriptedBackend("a", ["coder"], []), makers]);
  expect(router.plan("bge", "embeddings")).toEqual({ alias: "bge", capability: "embeddings" });
  expect(() => router.plan("coder", "embeddings")).toThrow('"coder" cannot make embeddings. "bge", "nomic" can.');
  expect(() => router.plan("bge")).toThrow('"bge" cannot chat. "coder" can.');
  expect(() => router.plan("coder", "rerank")).toThrow('"coder" cannot rerank documents. No model here can.');
  expect(() => router.plan("nobody", "embeddings")).toThrow(/^No model "nobody" here/);
});
