/** The figures of `/metrics`, as a Prometheus server reads them. */
import { expect, onTestFinished, test } from "vitest";
import type { AttemptObservation, RequestObservation } from "../../../server/domain/observation.ts";
import { createMetrics, type MetricsSources } from "../../../server/observe/metrics.ts";

const attempt: AttemptObservation = {
  target: "openai/m",
  status: "done",
  failureCode: null,
  usage: { promptTokens: 100, cachedTokens: 60, completionTokens: 11, reasoningTokens: 4, cacheWrite5mTokens: 7 },
  timings: { queueMs: 30, loadMs: 0, prefillMs: 100, decodeMs: 400 },
  cost: { known: true, nanos: 42, basis: "billed" },
  driftNanos: 2,
};
const request: RequestObservation = {
  ...{ dialect: "openai-chat", alias: "coder", target: "openai/m", status: "done", failureCode: null },
  ...{ durationMs: 600, ttftMs: 100, usage: attempt.usage },
};

function open(sources: Partial<MetricsSources> = {}) {
  const metrics = createMetrics({ queue: () => [], ledgerHealthy: () => true, ...sources });
  onTestFinished(() => metrics.stop());
  const read = async () => (await metrics.scrape()).text.split("\n");
  return { ...metrics.observer, read, scrape: metrics.scrape };
}

test("an attempt and its request are counted: tokens by kind, money, times", async () => {
  const { read, scrape, requestBegan, attemptEnded, requestEnded } = open();
  requestBegan();
  expect(await read()).toContain("lanthorn_in_flight_requests 1");
  attemptEnded(attempt);
  requestEnded(request);
  const lines = await read();
  for (const line of [
    'lanthorn_tokens_total{target="openai/m",kind="prompt"} 100',
    'lanthorn_tokens_total{target="openai/m",kind="cached"} 60',
    'lanthorn_tokens_total{target="openai/m",kind="cache_write"} 7',
    'lanthorn_tokens_total{target="openai/m",kind="completion"} 11',
    'lanthorn_tokens_total{target="openai/m",kind="reasoning"} 4',
    'lanthorn_cost_nanos_total{target="openai/m",basis="billed"} 42',
    'lanthorn_cost_drift_nanos{target="openai/m"} 2',
    'lanthorn_prompt_cache_total{target="openai/m",result="hit"} 1',
    'lanthorn_ttft_seconds_sum{target="openai/m"} 0.1',
    // Ten tokens after the first, in half a second.
    'lanthorn_tpot_seconds_sum{target="openai/m"} 0.05',
    'lanthorn_queue_seconds_sum{target="openai/m"} 0.03',
    'lanthorn_requests_total{alias="coder",dialect="openai-chat",status="done"} 1',
    "lanthorn_in_flight_requests 0",
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.some((line) => line.startsWith("lanthorn_load_seconds_sum"))).toBe(false);
  expect((await scrape()).contentType).toMatch(/^text\/plain; version=0\.0\.4/);
});

test("a cost that is not known is counted as such and adds nothing; failures have their code and target", async () => {
  const { read, attemptEnded, requestEnded } = open();
  const cost = { known: false, reason: "unknown_price" } as const;
  attemptEnded({ ...attempt, status: "failed", failureCode: "upstream_timeout", cost, driftNanos: null });
  requestEnded({ ...request, status: "failed", failureCode: "upstream_timeout", ttftMs: null });
  const lines = await read();
  expect(lines).toContain('lanthorn_unpriced_attempts_total{target="openai/m",reason="unknown_price"} 1');
  expect(lines).toContain('lanthorn_attempt_failures_total{target="openai/m",code="upstream_timeout"} 1');
  expect(lines).toContain('lanthorn_request_failures_total{code="upstream_timeout"} 1');
  expect(lines.filter((line) => line.startsWith("lanthorn_cost_nanos_total{"))).toEqual([]);
});

test("what is so now is read at the moment of the look", async () => {
  let queue = [{ model: "coder" }, { model: "coder" }];
  let cooling: number | null = 1_500;
  const { read } = open({
    queue: () => queue,
    ledgerHealthy: () => false,
    targets: () => [{ target: "openai/m", state: cooling === null ? "closed" : "open", coolingMs: cooling }],
  });
  const before = await read();
  expect(before).toContain('lanthorn_queue_length{alias="coder"} 2');
  expect(before).toContain('lanthorn_target_cooling_seconds{target="openai/m"} 1.5');
  expect(before).toContain('lanthorn_target_state{target="openai/m",state="open"} 1');
  expect(before).toContain("lanthorn_ledger_writable 0");
  queue = [];
  cooling = null;
  const after = await read();
  expect(after.filter((line) => line.startsWith("lanthorn_queue_length{"))).toEqual([]);
  expect(after).toContain('lanthorn_target_cooling_seconds{target="openai/m"} 0');
  expect(after.filter((line) => line.startsWith("lanthorn_target_state{"))).toEqual([
    'lanthorn_target_state{target="openai/m",state="closed"} 1',
  ]);
});

test("labels are bounded, and words of clients are none", async () => {
  const { read, attemptEnded, requestEnded } = open();
  for (let index = 0; index < 1_000; index += 1) {
    attemptEnded({ ...attempt, target: `openrouter/model-${index}` });
    requestEnded({ ...request, alias: `alias-${index}`, target: `openrouter/model-${index}` });
    requestEnded({ ...request, alias: null, target: null, status: "refused", ttftMs: null });
  }
  const lines = await read();
  const targets = new Set(lines.flatMap((line) => /target="([^"]*)"/.exec(line)?.[1] ?? []));
  const aliases = new Set(lines.flatMap((line) => /alias="([^"]*)"/.exec(line)?.[1] ?? []));
  expect([targets.size, aliases.size]).toEqual([101, 101]);
  expect(lines).toContain('lanthorn_requests_total{alias="other",dialect="openai-chat",status="refused"} 1000');
});

test("two boxes in one process count for themselves", async () => {
  const [first, second] = [open(), open()];
  first.attemptEnded(attempt);
  expect((await first.read()).filter((line) => line.startsWith("lanthorn_attempts_total{"))).toHaveLength(1);
  expect((await second.read()).filter((line) => line.startsWith("lanthorn_attempts_total{"))).toEqual([]);
  const figures = (await second.read()).join("\n");
  for (const name of ["process_cpu_seconds", "process_uptime_seconds"]) {
    expect(figures).toMatch(new RegExp(`^lanthorn_${name} [0-9.e-]+$`, "m"));
  }
  expect(figures).toMatch(/^lanthorn_process_memory_bytes\{kind="rss"\} \d{7,}$/m);
  expect(figures).toMatch(/^lanthorn_event_loop_lag_seconds\{quantile="0.99"\} [0-9.e-]+$/m);
});
