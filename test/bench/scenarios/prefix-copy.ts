/** A prompt of 1,000 tokens is in use in one slot; a request that begins with it arrives and gets another slot. Its time to first token. */
import { streamChat, ttftMs } from "../client.ts";
import type { Prompts } from "../prompts.ts";
import type { Contestant, Scenario } from "../scenario.ts";

const prefixTokens = 1000;

export const prefixCopy: Scenario = {
  id: "prefix-copy",
  groups: ["step"],
  server: { model: "large", context: 2048, slots: 4, threads: 2 },
  rows: [{ name: "TTFT, 1,000-token prefix in a busy slot + 20 tokens", unit: "ms", better: "lower", target: 0.4 }],
  runs: 3,
  plan: "together",
  warmUp: async (contestant, prompts) => {
    await besideBusySlot(contestant, prompts, 1);
  },
  sample: besideBusySlot,
};

async function besideBusySlot(contestant: Contestant, prompts: Prompts, seed: number): Promise<readonly number[]> {
  const { url, model } = contestant;
  const system = { role: "system", content: prompts.text(prefixTokens, seed) } as const;
  const user = (own: number) => ({ role: "user", content: prompts.text(20, seed * 100 + own) }) as const;
  const cut = new AbortController();
  let begun = (): void => {};
  const busy = new Promise<void>((resolve) => {
    begun = resolve;
  });
  const holder = streamChat({
    url,
    model,
    messages: [system, user(0)],
    maxTokens: 800,
    signal: cut.signal,
    onToken: () => begun(),
  });
  try {
    await Promise.race([busy, holder]);
    const newcomer = await streamChat({ url, model, messages: [system, user(1)], maxTokens: 8 });
    return [ttftMs(newcomer)];
  } finally {
    cut.abort();
    await holder.catch(() => {});
  }
}
