/** What this box sends to a provider is bounded here, per attempt. */
import { expect, test } from "vitest";
import { type AttemptWish, createProviderLimits } from "../../../server/access/provider-limits.ts";
import type { AttemptPass } from "../../../server/domain/rate.ts";
import { manualClock } from "../../support/manual-clock.ts";

const wish = (change: Partial<AttemptWish> = {}): AttemptWish => ({
  ...{ priority: 0, estimateTokens: () => 10, signal: null },
  ...change,
});

/** Let in at once. */
function admitted(pass: AttemptPass | Promise<AttemptPass> | null): AttemptPass {
  if (pass === null || pass instanceof Promise) throw new Error("not let in");
  return pass;
}

test("a provider without limits is not asked for anything", () => {
  const admit = createProviderLimits({}, manualClock());
  const estimateTokens = () => expect.unreachable("nobody counts");
  expect(admit("openai", wish({ estimateTokens }))).toBeNull();
});

test("past the limit an attempt is refused in a way that lets another target try", () => {
  const admit = createProviderLimits({ providers: { openai: { concurrent: 1 } } }, manualClock());
  const first = admitted(admit("openai", wish()));
  expect(() => admit("openai", wish())).toThrow(
    expect.objectContaining({ code: "queue_full", kind: expect.objectContaining({ mayFallBack: true }) }),
  );
  expect(admit("anthropic", wish())).toBeNull();
  first.leave();
  first.leave();
  admitted(admit("openai", wish()));
  expect(() => admit("openai", wish())).toThrow(expect.objectContaining({ code: "queue_full" }));
});

test("tokens are reserved by estimate and corrected by what was used; `*` is for those not named", () => {
  const admit = createProviderLimits({ providers: { "*": { tokensPerMinute: 60 } } }, manualClock());
  const first = admitted(admit("openai", wish({ estimateTokens: () => 50 })));
  expect(() => admit("openai", wish({ estimateTokens: () => 20 }))).toThrow(
    expect.objectContaining({ retryAfterSeconds: 10 }),
  );
  admitted(admit("groq", wish({ estimateTokens: () => 50 })));
  first.settle(5);
  admitted(admit("openai", wish({ estimateTokens: () => 55 })));
});

test("with time to wait an attempt waits for room, and a client that leaves ends its wait", async () => {
  const admit = createProviderLimits({ waitMs: 60_000, providers: { openai: { concurrent: 1 } } }, manualClock());
  const running = admitted(admit("openai", wish()));
  const leaving = new AbortController();
  const left = admit("openai", wish({ priority: 9, signal: leaving.signal }));
  const next = admit("openai", wish());
  leaving.abort();
  await expect(left).rejects.toMatchObject({ code: "queue_full" });
  running.leave();
  expect(await next).not.toBeNull();
});
