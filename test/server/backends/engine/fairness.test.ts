/** Two callers that both ask for more than there is, one with prompts a hundred times as long, over a real worker process. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { chatRequest, collect } from "../../../support/chat-request.ts";
import { demoCopy } from "../../../support/demo-copy.ts";
import { full } from "../../../support/full.ts";
import { type RealEngine, realEngine, temporaryFolder, until } from "../../../support/real-engine.ts";

/** Requests each caller keeps in flight: more than there are slots, so that both always wait. */
const inFlight = 6;
/** Of a long prompt; a short one has 5. */
const longWords = full ? 1_000 : 500;
/** Of both together; a long prompt is about 5 a word, so that one more or less of them says little. */
const measuredTokens = longWords * 60;
/** A machine too busy for the short caller to keep asking is unfair by itself: the best of so many stretches counts. */
const stretches = 3;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let box: RealEngine;
beforeAll(async () => {
  folder = await temporaryFolder();
  const demo = await demoCopy(folder.path);
  box = await realEngine([{ alias: "lanthorn-demo", path: demo }], { slots: 4, context: 8_192 }, { mode: "off" });
});
afterAll(async () => {
  await box.close();
  await folder.remove();
});

interface Load {
  /** Tokens computed for this caller's answers that have ended. */
  ended(): number;
  readonly over: Promise<unknown>;
}

/** Keeps asking until `leaving` says so. Every prompt is new and nothing is cached. */
function saturate(caller: string, words: number, leaving: AbortSignal): Load {
  let asked = 0;
  let tokens = 0;
  const loop = async () => {
    while (!leaving.aborted) {
      asked += 1;
      const prompt = Array.from({ length: words }, (_, at) => `${caller}${asked} ${at}`).join(" ");
      const request = chatRequest(prompt, { maxTokens: 16, ignoreEos: true, cachePrompt: false });
      const context = { requestId: `${caller}-${asked}`, callerName: caller };
      const { end } = await collect(box.engine.chat(request, context, leaving));
      if (end.type === "finished") tokens += end.usage.promptTokens + end.usage.completionTokens;
    }
  };
  return { ended: () => tokens, over: Promise.all(Array.from({ length: inFlight }, loop)) };
}

/** Tokens computed so far: of ended answers, and what the slots hold of those that run. */
async function computed(loads: Readonly<Record<string, Load>>): Promise<Record<string, number>> {
  const [model] = await box.engine.models();
  return Object.fromEntries(
    Object.entries(loads).map(([caller, load]) => {
      const own = model?.slots.filter((slot) => slot.caller === caller) ?? [];
      return [caller, load.ended() + own.reduce((sum, slot) => sum + slot.tokens, 0)];
    }),
  );
}

/** How much more the one got than the other. */
async function ratioOverAStretch(loads: Readonly<Record<string, Load>>): Promise<number> {
  const from = await computed(loads);
  let to = from;
  const since = (caller: string) => (to[caller] ?? 0) - (from[caller] ?? 0);
  await until("enough was computed", async () => {
    to = await computed(loads);
    return since("long") + since("short") > measuredTokens;
  });
  const shares = [since("long"), since("short")];
  return Math.max(...shares) / Math.min(...shares);
}

test("tokens served are even, whatever the prompts are", async () => {
  const leaving = new AbortController();
  const loads = {
    long: saturate("long", longWords, leaving.signal),
    short: saturate("short", 5, leaving.signal),
  };
  // The first requests find free slots and take no turns.
  await until("answers of both", () => loads.long.ended() > 0 && loads.short.ended() > 1_000);
  const ratios: number[] = [];
  while (ratios.length < stretches && !ratios.some((ratio) => ratio < 1.25))
    ratios.push(await ratioOverAStretch(loads));
  leaving.abort();
  await Promise.all([loads.long.over, loads.short.over]);
  expect(Math.min(...ratios)).toBeLessThan(1.25);
});
