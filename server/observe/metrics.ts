/**
 * What a Prometheus server reads: times, tokens, money, failures and the state of the process, counted since the start. Runs
 * in the server process. Each appliance has its own registry. Labels are few and never a person's name, a key or a text:
 * targets and aliases are capped, the rest are words of our own.
 */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { AttemptObservation, Observer, RequestObservation } from "../domain/observation.ts";
import { createLabelCap } from "./label-cap.ts";

/** What is read at the moment of a look, from the rooms that know it. All are quick and look at nothing outside. */
export interface MetricsSources {
  /** Requests that wait for a model, by alias. */
  queue(): readonly { readonly model: string }[];
  /** What the router knows of its targets; absent: nothing. */
  targets?(): readonly TargetState[];
  /** Budgets as they stand; absent: there are none. */
  budgets?(): readonly BudgetFigures[];
  readonly ledgerHealthy: () => boolean;
}

export interface TargetState {
  /** `openai/gpt-5`. */
  readonly target: string;
  /** `able`, `cooling`, `probing` …: words of the router's own. */
  readonly state: string;
  /** Until it is asked again; null: it is not left alone. */
  readonly coolingMs: number | null;
}

/** Labels are a budget's own name, never a person's or a key's; those of `*` have no line. */
export interface BudgetFigures {
  readonly name: string;
  readonly of: string;
  readonly limitNanos: number;
  readonly spentNanos: number;
  readonly heldNanos: number;
  readonly overrunNanos: number;
}

export interface Metrics {
  readonly observer: Observer;
  /** The text format, and its content type. */
  scrape(): Promise<{ readonly contentType: string; readonly text: string }>;
  stop(): void;
}

/** Different names of targets, and of aliases, that get a label of their own. */
const mostNames = 100;
/** States a target can be in: words of our own, capped all the same. */
const mostStates = 10;
const loopResolutionMs = 20;

const waitBuckets = [0.005, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];
const tokenBuckets = [0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1, 2];
const requestBuckets = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];

export function createMetrics(sources: MetricsSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const targetLabel = createLabelCap(mostNames);
  const aliasLabel = createLabelCap(mostNames);
  const stateLabel = createLabelCap(mostStates);

  const histogram = <Label extends string>(name: string, help: string, labelNames: Label[], buckets: number[]) =>
    new Histogram({ name: `lanthorn_${name}`, help, labelNames, buckets, registers });
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[]) =>
    new Counter({ name: `lanthorn_${name}`, help, labelNames, registers });
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[], collect?: () => void) =>
    new Gauge({ name: `lanthorn_${name}`, help, labelNames, registers, ...(collect === undefined ? {} : { collect }) });

  const requests = counter("requests_total", "Requests that ended", ["alias", "dialect", "status"]);
  const requestTime = histogram("request_seconds", "From acceptance to the end", ["alias"], requestBuckets);
  const ttft = histogram("ttft_seconds", "From acceptance to the first content", ["target"], waitBuckets);
  const tpot = histogram("tpot_seconds", "Per token after the first", ["target"], tokenBuckets);
  const queueTime = histogram("queue_seconds", "Waiting for a slot", ["target"], waitBuckets);
  const loadTime = histogram("load_seconds", "Waiting for a model to load, where one did", ["target"], waitBuckets);
  const attempts = counter("attempts_total", "Tries that ended", ["target", "status"]);
  const failures = counter("attempt_failures_total", "Tries that failed, by failure code", ["target", "code"]);
  const refusals = counter("request_failures_total", "Requests that failed or were refused, by failure code", ["code"]);
  const tokens = counter("tokens_total", "Tokens; prompt includes cached and written, completion reasoning", [
    "target",
    "kind",
  ]);
  const cost = counter("cost_nanos_total", "Known costs in nano-USD", ["target", "basis"]);
  const unpriced = counter("unpriced_attempts_total", "Tries whose cost is not known", ["target", "reason"]);
  const drift = gauge("cost_drift_nanos", "Costs as providers said them minus the price book's", ["target"]);
  const cached = counter(
    "prompt_cache_total",
    "Tries that found a part of their prompt in a cache, and those that did not",
    ["target", "result"],
  );
  const inFlight = gauge("in_flight_requests", "Requests that run or wait", []);
  /** Set before anything has happened, so that a rate over it is right from the first one. */
  inFlight.set(0);

  const queue = gauge("queue_length", "Requests that wait for a model", ["alias"], () => {
    queue.reset();
    for (const { model } of sources.queue()) queue.inc({ alias: aliasLabel(model) });
  });
  const cooling = gauge("target_cooling_seconds", "Until a target is asked again; 0: now", ["target"], () => {
    cooling.reset();
    for (const { target, coolingMs } of sources.targets?.() ?? []) {
      cooling.set({ target: targetLabel(target) }, (coolingMs ?? 0) / 1000);
    }
  });
  const states = gauge("target_state", "1 for the state a target is in", ["target", "state"], () => {
    states.reset();
    for (const { target, state } of sources.targets?.() ?? []) {
      states.set({ target: targetLabel(target), state: stateLabel(state) }, 1);
    }
  });
  const ledger = gauge("ledger_writable", "1: rows reach the disk; 0: paid calls are refused", [], () => {
    ledger.set(sources.ledgerHealthy() ? 1 : 0);
  });
  const budgetLabel = createLabelCap(mostNames);
  const budget = gauge("budget_nanos", "Budgets in nano-USD: limit, spent, held, overrun", ["budget", "kind"], () => {
    budget.reset();
    for (const { name, of, limitNanos, spentNanos, heldNanos, overrunNanos } of sources.budgets?.() ?? []) {
      if (of.endsWith("*")) continue;
      const figures = { limit: limitNanos, spent: spentNanos, held: heldNanos, overrun: overrunNanos };
      for (const [kind, nanos] of Object.entries(figures)) budget.set({ budget: budgetLabel(name), kind }, nanos);
    }
  });
  const loop = addProcessFigures(gauge);

  function attemptEnded({
    target: name,
    status,
    failureCode,
    usage,
    timings,
    cost: spent,
    ...rest
  }: AttemptObservation): void {
    const target = targetLabel(name);
    attempts.inc({ target, status });
    if (failureCode !== null) failures.inc({ target, code: failureCode });
    queueTime.observe({ target }, timings.queueMs / 1000);
    if (timings.loadMs > 0) loadTime.observe({ target }, timings.loadMs / 1000);
    const count = (kind: string, amount: number) => {
      if (amount > 0) tokens.inc({ target, kind }, amount);
    };
    count("prompt", usage.promptTokens);
    count("cached", usage.cachedTokens);
    count("cache_write", (usage.cacheWrite5mTokens ?? 0) + (usage.cacheWrite1hTokens ?? 0));
    count("completion", usage.completionTokens);
    count("reasoning", usage.reasoningTokens);
    if (usage.promptTokens > 0) cached.inc({ target, result: usage.cachedTokens > 0 ? "hit" : "miss" });
    if (!spent.known) unpriced.inc({ target, reason: spent.reason });
    else if (spent.nanos > 0) cost.inc({ target, basis: spent.basis }, spent.nanos);
    if (rest.driftNanos !== null) drift.inc({ target }, rest.driftNanos);
  }

  function requestEnded({ target, usage, ttftMs, durationMs, ...request }: RequestObservation): void {
    inFlight.dec();
    const alias = aliasLabel(request.alias);
    requests.inc({ alias, dialect: request.dialect, status: request.status });
    requestTime.observe({ alias }, durationMs / 1000);
    if (request.failureCode !== null) refusals.inc({ code: request.failureCode });
    if (ttftMs === null) return;
    ttft.observe({ target: targetLabel(target) }, ttftMs / 1000);
    const further = usage.completionTokens - 1;
    if (further > 0) tpot.observe({ target: targetLabel(target) }, Math.max(0, durationMs - ttftMs) / further / 1000);
  }

  /** Counted once the turn that answers is over: nobody waits for a figure, and a client waits for its answer. */
  let waiting: (() => void)[] = [];
  const countWaiting = () => {
    const now = waiting;
    waiting = [];
    for (const count of now) count();
  };
  const soon = (count: () => void) => {
    if (waiting.push(count) === 1) setImmediate(countWaiting);
  };

  return {
    observer: {
      requestBegan: () => inFlight.inc(),
      attemptEnded: (observation) => soon(() => attemptEnded(observation)),
      requestEnded: (observation) => soon(() => requestEnded(observation)),
    },
    scrape: async () => {
      countWaiting();
      return { contentType: registry.contentType, text: await registry.metrics() };
    },
    stop: () => {
      countWaiting();
      loop.stop();
      registry.clear();
    },
  };
}

type MakeGauge = <Label extends string>(
  name: string,
  help: string,
  labelNames: Label[],
  collect?: () => void,
) => Gauge<Label>;

/** CPU, memory, uptime and how late the event loop is. */
function addProcessFigures(gauge: MakeGauge): { stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: loopResolutionMs });
  delay.enable();
  const lag = gauge("event_loop_lag_seconds", "How late timers were since the last look", ["quantile"], () => {
    const late = (nanos: number) => Math.max(0, nanos / 1e9 - loopResolutionMs / 1000);
    const isEmpty = delay.count === 0;
    lag.set({ quantile: "0.5" }, isEmpty ? 0 : late(delay.percentile(50)));
    lag.set({ quantile: "0.99" }, isEmpty ? 0 : late(delay.percentile(99)));
    lag.set({ quantile: "1" }, isEmpty ? 0 : late(delay.max));
    delay.reset();
  });
  const cpu = gauge("process_cpu_seconds", "CPU time of the server process since its start", [], () => {
    const { user, system } = process.cpuUsage();
    cpu.set((user + system) / 1e6);
  });
  const memory = gauge("process_memory_bytes", "Memory of the server process; models are in others", ["kind"], () => {
    const { rss, heapUsed, external } = process.memoryUsage();
    memory.set({ kind: "rss" }, rss);
    memory.set({ kind: "heap" }, heapUsed);
    memory.set({ kind: "external" }, external);
  });
  const uptime = gauge("process_uptime_seconds", "Since the server process began", [], () => {
    uptime.set(process.uptime());
  });
  return { stop: () => delay.disable() };
}
