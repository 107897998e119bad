/** The spine and money: attempts on others' machines, over a real ledger file. */
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Backend } from "../../server/backends/backend.ts";
import { costText } from "../../server/dialects/closing-comment.ts";
import { keylessCaller } from "../../server/domain/caller.ts";
import type { EndEvent } from "../../server/domain/chat.ts";
import { Failure, type FailureCode } from "../../server/domain/failure.ts";
import type { AttemptObservation, RequestObservation } from "../../server/domain/observation.ts";
import { noTimings, noUsage } from "../../server/domain/usage.ts";
import { createInference, type InferencePorts } from "../../server/inference.ts";
import { openDatabase } from "../../server/ledger/open.ts";
import { prepareStatements } from "../../server/ledger/statements.ts";
import { createWriter } from "../../server/ledger/writer.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { newRequestId } from "../../server/platform/ids.ts";
import { createRouter, type Router } from "../../server/router/router.ts";
import { chatRequest, collect } from "../support/chat-request.ts";
import { flatPricing, upstreamUsage } from "../support/flat-pricing.ts";
import { manualClock } from "../support/manual-clock.ts";
import { seeded } from "../support/random.ts";
import { silentLog } from "../support/real-engine.ts";
import { recordedLog } from "../support/recorded-log.ts";
import { type ScriptedBackend, scriptedBackend } from "../support/scripted-backend.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { freshLedger } from "./ledger/open-ledger.ts";
import { opening } from "./ledger/rows.ts";

const text = { type: "text", text: "hello you" } as const;
const said = upstreamUsage({ promptTokens: 30, completionTokens: 12 });
const finished: EndEvent = {
  type: "finished",
  finishReason: "stop",
  usage: said.usage,
  timings: noTimings,
  upstream: said,
  upstreamRequestId: "up-1",
};

/** Every backend but the engine is a provider. */
const upstreamOf: NonNullable<InferencePorts["upstreamOf"]> = ({ backendId, model }) =>
  backendId === "engine" ? null : { provider: backendId, model: `${model}-large` };

function spine(router: Router, ports: Partial<InferencePorts> = {}) {
  const { ledger, path } = freshLedger();
  const inference = createInference({
    ...{ router, ledger: ledger.writer, clock: systemClock, log: silentLog, publish: () => {}, upstreamOf },
    pricing: flatPricing(),
    ...ports,
  });
  const ask = (signal = new AbortController().signal) => {
    const facts = { requestId: newRequestId(), caller: keylessCaller, dialect: "openai-chat", startedAtMs: Date.now() };
    return {
      id: facts.requestId,
      events: inference.chat({ ...facts, request: chatRequest("x", { model: "m" }) }, signal),
    };
  };
  return { ledger, path, inference, ask };
}

/** Tries the backends in turn, as a fallback does. */
function inTurn(backends: readonly Backend[]): Router {
  const targets = backends.map(({ id }) => ({ target: `${id}/m` }));
  return createRouter(backends, { routes: { m: { groups: [{ targets }], retries: 0 } } });
}

describe("an attempt at a provider", () => {
  test("is priced, kept with its words, and told at the end of the stream", async () => {
    const { ledger, inference, ask } = spine(createRouter([scriptedBackend("openai", ["m"], [[text, finished]])]));
    const { id, events } = ask();
    await collect(events);
    const row = await ledger.reports.show(id);
    expect(row?.cost).toEqual({ known: true, nanos: 42, basis: "estimated" });
    expect(row?.attempts[0]).toMatchObject({ target: "openai/m", status: "done", cost: { nanos: 42 } });
    expect(row?.attempts[0]?.pricing).toMatchObject({
      ...{ provider: "openai", model: "m-large", requestId: "up-1", priceId: "flat/m-large", rawUsage: said.raw },
    });
    expect(inference.closing(id)).toEqual({ target: "openai/m", cost: row?.cost, knownNanos: 42 });
  });

  test("S-27 that its reader left costs what was seen of it", async () => {
    const backend = scriptedBackend("openai", ["m"], [[text, text, finished]]);
    const { ledger, ask } = spine(createRouter([backend]));
    const { id, events } = ask();
    for await (const event of events) if (event.type === "text") break;
    const row = await ledger.reports.show(id);
    // "x" is a token, "hello you" is three.
    expect(row).toMatchObject({ status: "aborted", cost: { known: true, nanos: 4, basis: "estimated" } });
    expect(row?.attempts[0]?.pricing?.flags).toContain("usage_absent");
  });

  test("S-25 that failed before it was computed costs nothing; the one that answered is the request's cost and target", async () => {
    const backends = [
      scriptedBackend("first", ["m"], [new Failure("upstream_rate_limited", "slow down")]),
      scriptedBackend("second", ["m"], [[text, finished]]),
    ];
    const { ledger, inference, ask } = spine(inTurn(backends));
    const { id, events } = ask();
    await collect(events);
    const row = await ledger.reports.show(id);
    expect(row?.attempts.map(({ cost }) => cost)).toMatchObject([{ nanos: 0 }, { nanos: 42 }]);
    expect(row?.cost).toEqual({ known: true, nanos: 42, basis: "estimated" });
    expect(inference.closing(id).target).toBe("second/m");
  });

  test("after a local one that failed: the whole is unknown, what was paid is not lost", async () => {
    const backends = [
      scriptedBackend("engine", ["m"], [new Failure("worker_died", "gone")]),
      scriptedBackend("openai", ["m"], [[text, finished]]),
    ];
    const { ledger, inference, ask } = spine(inTurn(backends));
    const { id, events } = ask();
    await collect(events);
    expect(await ledger.reports.show(id)).toMatchObject({ knownCostNanos: 42, unknownCostAttempts: 1 });
    const { cost, knownNanos } = inference.closing(id);
    expect(costText(cost, knownNanos)).toBe("0.000000042+unknown(not_priced)");
  });

  test("whose price cannot be computed keeps its row and its usage", async () => {
    const pricing = {
      price: () => {
        throw new Error("a fault in the arithmetic");
      },
    };
    const router = createRouter([scriptedBackend("openai", ["m"], [[text, finished]])]);
    const { ledger, ask } = spine(router, { pricing });
    const { id, events } = ask();
    await collect(events);
    expect(await ledger.reports.show(id)).toMatchObject({
      cost: { known: false, reason: "unknown_price" },
      attempts: [{ usage: said.usage, pricing: { flags: ["not_computed"], rawUsage: said.raw } }],
    });
  });

  test("keeps what the router decided", async () => {
    const backend = scriptedBackend("openai", ["m"], [[text, finished]]);
    const router = createRouter([backend]);
    const foretold = router.explain("m");
    const { ledger, ask } = spine(router);
    const { id, events } = ask();
    await collect(events);
    expect((await ledger.reports.show(id))?.plan).toMatchObject({ attempts: foretold.attempts });
  });
});

describe("S-28 a ledger that cannot be written", () => {
  function onFullDisk(backends: readonly ScriptedBackend[]) {
    const database = openDatabase(join(temporaryFolder(), "ledger.db"));
    onTestFinished(() => void database.close());
    const writer = createWriter({
      ...{ statements: prepareStatements(database), clock: manualClock(), log: recordedLog(), onCommit: () => {} },
    });
    database.pragma(`max_page_count = ${database.pragma("page_count", { simple: true })}`);
    for (let index = 0; index < 300; index += 1) writer.openRequest(opening(`req_${index}`));
    writer.flush();
    expect(writer.healthy()).toBe(false);
    return spine(inTurn(backends), { ledger: writer });
  }

  test("stops a paid call before anything is sent", async () => {
    const cloud = scriptedBackend("openai", ["m"], [[text, finished]]);
    const { ask, inference } = onFullDisk([cloud]);
    const { id, events } = ask();
    await expect(collect(events)).rejects.toMatchObject({ code: "ledger_unavailable" });
    expect(cloud.asked).toEqual([]);
    expect(inference.closing(id).cost).toEqual({ known: true, nanos: 0, basis: "estimated" });
  });

  test("leaves local ones running", async () => {
    const local = scriptedBackend("engine", ["m"], [[text, finished]]);
    const { ask } = onFullDisk([local]);
    expect((await collect(ask().events)).end).toMatchObject({ type: "finished" });
  });
});

describe("a limit of the provider", () => {
  test("that is reached refuses the attempt before anything is sent, and the next target answers", async () => {
    const backends = [scriptedBackend("openai", ["m"], [[text, finished]]), scriptedBackend("other", ["m"], [])];
    const full: InferencePorts["admitAttempt"] = (provider) => {
      if (provider === "openai") throw new Failure("queue_full", "The limit set here for openai is reached.");
      return null;
    };
    const { ask, ledger } = spine(inTurn(backends), { admitAttempt: full });
    const { id, events } = ask();
    await collect(events);
    expect(backends.map(({ asked }) => asked.length)).toEqual([0, 1]);
    expect((await ledger.reports.show(id))?.attempts[0]).toMatchObject({
      failureCode: "queue_full",
      cost: { nanos: 0 },
    });
  });

  test("is given back what it holds, once, when the attempt has ended", async () => {
    const told: string[] = [];
    const admitAttempt: InferencePorts["admitAttempt"] = async (_provider, { estimateTokens }) => {
      told.push(`reserve ${estimateTokens()}`);
      return { settle: (tokens) => void told.push(`used ${tokens}`), leave: () => void told.push("left") };
    };
    const router = createRouter([scriptedBackend("openai", ["m"], [[text, finished]])]);
    const { ask } = spine(router, { admitAttempt });
    await collect(ask().events);
    expect(told).toEqual(["reserve 1", "used 42", "left"]);
  });
});

test("whoever counts hears of each attempt and each request once, without names or words of a person", async () => {
  const attempts: AttemptObservation[] = [];
  const requests: RequestObservation[] = [];
  let began = 0;
  const observer = {
    requestBegan: () => {
      began += 1;
    },
    attemptEnded: (attempt: AttemptObservation) => void attempts.push(attempt),
    requestEnded: (request: RequestObservation) => void requests.push(request),
  };
  const backends = [
    scriptedBackend("first", ["m"], [new Failure("upstream_overloaded", "busy")]),
    scriptedBackend("second", ["m"], [[text, finished]]),
  ];
  const { ask, inference } = spine(inTurn(backends), { observer });
  await collect(ask().events);
  const refused = { requestId: newRequestId(), caller: keylessCaller, dialect: "ollama", startedAtMs: 0 };
  await inference.refuse({ ...refused, alias: "anybody's words", stream: false }, new Failure("invalid_request", "no"));
  expect(began).toBe(2);
  expect(attempts).toMatchObject([
    { target: "first/m", status: "failed", failureCode: "upstream_overloaded", cost: { nanos: 0 } },
    { target: "second/m", status: "done", failureCode: null, cost: { nanos: 42 }, usage: said.usage },
  ]);
  expect(requests).toMatchObject([
    { alias: "m", target: "second/m", status: "done", dialect: "openai-chat" },
    { alias: null, target: null, status: "refused", failureCode: "invalid_request", dialect: "ollama" },
  ]);
});

test("S-27 sums: rows, header, CSV and summary agree to the nano, whatever was tried and whatever is asked for", async () => {
  const random = seeded(27);
  const codes: readonly FailureCode[] = ["upstream_failed", "upstream_timeout", "upstream_cut", "worker_died"];
  const ends = (): EndEvent => {
    const usage = { promptTokens: random.below(9_000_000), completionTokens: random.below(90_000) };
    const reported = random.chance(0.3) ? { nanos: random.below(2 ** 40), free: false } : null;
    const upstream = { ...upstreamUsage(usage), reported };
    const spent = { usage: upstream.usage, timings: noTimings, ...(random.chance(0.8) ? { upstream } : {}) };
    if (random.chance(0.6)) return { type: "finished", finishReason: "stop", ...spent };
    if (random.chance(0.3)) return { type: "aborted", ...spent };
    const unsaid = random.chance(0.5) ? { usage: noUsage, timings: noTimings } : spent;
    return { type: "failed", failure: new Failure(random.pick(codes), "no"), ...unsaid };
  };
  const run: Router["run"] = async function* (_plan, _request, _context, _signal, hooks) {
    const tries = random.below(5);
    let end: EndEvent | null = null;
    for (let number = 1; number <= tries; number += 1) {
      const backendId = random.pick(["engine", "openai", "router"]);
      await hooks.opened(number, { target: { backendId, model: random.pick(["m", "n"]) }, reason: "only_target" });
      yield text;
      end = ends();
      hooks.closed(number, end);
    }
    if (end === null) throw new Failure("no_target", "nobody");
    yield end;
  };
  const someUnknown: InferencePorts["upstreamOf"] = ({ backendId, model }) =>
    backendId === "engine"
      ? null
      : { provider: backendId, model: model === "n" && backendId === "router" ? "nobody-knows" : model };
  const { ledger, inference, ask } = spine(
    { ...createRouter([]), plan: () => ({ alias: "m", capability: "chat" }), run },
    { upstreamOf: someUnknown },
  );

  const ids: string[] = [];
  for (let count = 0; count < 200; count += 1) {
    const { id, events } = ask();
    ids.push(id);
    await collect(events).catch(() => []);
  }
  const records = await ledger.reports.recent(1_000);
  expect(records).toHaveLength(ids.length);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const knownOf = (record: (typeof records)[number]) =>
    sum(record.attempts.map(({ cost }) => (cost?.known === true ? cost.nanos : 0)));
  for (const record of records) {
    const unknown = record.attempts.filter(({ cost }) => cost?.known !== true).length;
    expect([record.knownCostNanos, record.unknownCostAttempts]).toEqual([knownOf(record), unknown]);
    if (record.cost?.known === true) expect([record.cost.nanos, unknown]).toEqual([record.knownCostNanos, 0]);
    expect(inference.closing(record.id)).toMatchObject({ cost: record.cost, knownNanos: record.knownCostNanos });
  }
  const times = records.map(({ startedAtMs }) => startedAtMs).sort((left, right) => left - right);
  const filters = [{}, ...Array.from({ length: 12 }, () => ({ fromMs: random.pick(times), toMs: random.pick(times) }))];
  for (const filter of filters) {
    const { fromMs = 0, toMs = Number.MAX_SAFE_INTEGER } = { ...filter } as { fromMs?: number; toMs?: number };
    const chosen = records.filter(({ startedAtMs }) => startedAtMs >= fromMs && startedAtMs < toMs);
    let csv = "";
    for await (const piece of ledger.reports.export("csv", filter)) csv += piece;
    const [header = "", ...lines] = csv.trimEnd().split("\r\n");
    const column = header.split(",").indexOf("knownCostNanos");
    const ofCsv = lines.map((line) => Number(line.split(",")[column]));
    const summary = await ledger.reports.summary(filter);
    const byRows = sum(chosen.map(knownOf));
    expect(Number.isSafeInteger(byRows)).toBe(true);
    expect([lines.length, summary.total.requests]).toEqual([chosen.length, chosen.length]);
    expect(sum(ofCsv)).toBe(byRows);
    expect(summary.total.knownCostNanos).toBe(byRows);
    for (const groups of [summary.byTarget, summary.byAlias, summary.byCaller]) {
      expect(sum(groups.map(({ knownCostNanos }) => knownCostNanos))).toBe(byRows);
    }
  }
});
