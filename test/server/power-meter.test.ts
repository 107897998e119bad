/** The meter in its room: between a backend, the hardware and a real ledger file; also over a kill. */
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { metered } from "../../server/backends/metered.ts";
import { keylessCaller } from "../../server/domain/caller.ts";
import type { HardwareView } from "../../server/domain/hardware.ts";
import { openPowerMeter } from "../../server/hardware/power-meter.ts";
import { readHardwareFile } from "../../server/hardware/file.ts";
import { createInference } from "../../server/inference.ts";
import { openLedger } from "../../server/ledger/ledger.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { createRouter } from "../../server/router/router.ts";
import { chatRequest } from "../support/chat-request.ts";
import { manualClock } from "../support/manual-clock.ts";
import { silentLog } from "../support/real-engine.ts";
import { finished, scriptedBackend } from "../support/scripted-backend.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { freshLedger, rowsOf } from "./ledger/open-ledger.ts";
import { attempt, attemptEnding, opening } from "./ledger/rows.ts";

const power = {
  ...{
    pricePerKwh: "0.36",
    currency: "USD",
    usdPerUnit: "1",
    watts: 0,
    baseWatts: 10,
    wearPerHour: "",
    rentPerHour: "",
  },
};
const machine = await readHardwareFile("test/fixtures/machines/2x-rtx-3090.json");

function drawing(view: HardwareView, watts: number, sampledAtMs: number): HardwareView {
  const gpus = view.gpus.map((gpu) => ({
    ...{ ...gpu, powerDrawWatts: { value: watts / view.gpus.length, source: "nvidia-smi" as const } },
  }));
  return { ...view, gpus, sampledAtMs };
}

/** 360 W in all at $0.36 for a kilowatt-hour: 36,000 nano-USD a second. */
function meteredLedger(setting: Partial<typeof power> = {}) {
  const { ledger, path } = freshLedger();
  const clock = manualClock();
  let watts = 360;
  const hardware = { view: () => drawing(machine, watts, clock.now()) };
  const meter = openPowerMeter(
    { power: { ...power, ...setting }, hardware: { sampleMs: 10_000 } },
    ledger.power,
    hardware,
    clock,
  );
  if (meter === null) throw new Error("there is a price");
  onTestFinished(() => meter.stop());
  return { ledger, path, clock, meter, draw: (now: number) => (watts = now) };
}

const costs =
  "SELECT cost_nanos AS nanos, cost_basis AS basis, held_nanos AS held FROM attempts ORDER BY request, number";
const sums = `SELECT sum(used_nanos) AS used, sum(load_nanos) AS loads, sum(energy_nanos) AS energy, sum(base_nanos) AS base,
  sum(energy_nanos + base_nanos - used_nanos - load_nanos) AS idle FROM power`;

test("a request through the spine costs what its steps drew, and the task it was for stays with it", async () => {
  const { ledger, path, clock, meter } = meteredLedger();
  const script = [
    { type: "accepted", promptTokens: 1, queuePosition: 0 },
    { type: "started", promptTokens: 1, cachedTokens: 0 },
    { type: "text", text: "x" },
  ] as const;
  const backend = scriptedBackend("engine", ["m"], [[...script, finished]]);
  const slow = { ...backend, chat: (...asked: Parameters<typeof backend.chat>) => steps(backend.chat(...asked)) };
  /** Two seconds before it begins, five for the answer. */
  async function* steps(events: ReturnType<typeof backend.chat>) {
    for await (const event of events) {
      if (event.type === "started") clock.advance(2_000);
      if (event.type === "finished") clock.advance(5_000);
      yield event;
    }
  }
  const inference = createInference({
    ...{
      router: createRouter([metered(slow, meter)]),
      ledger: ledger.writer,
      clock,
      log: silentLog,
      publish: () => {},
    },
    ...{ localCost: meter, tasks: [{ task: "notes", alias: "m" }] },
  });
  const facts = { requestId: "req_a", caller: keylessCaller, dialect: "openai-chat", startedAtMs: clock.now() };
  const signal = new AbortController().signal;
  for await (const _ of inference.chat({ ...facts, request: chatRequest("x", { model: "m" }) }, signal));
  meter.stop();
  ledger.writer.flush();
  expect(rowsOf(path, costs)).toEqual([{ nanos: 180_000, basis: "measured", held: 180_000 }]);
  expect(rowsOf(path, "SELECT task, cost_nanos AS nanos FROM requests")).toEqual([{ task: "notes", nanos: 180_000 }]);
  expect(rowsOf(path, sums)).toEqual([{ used: 180_000, loads: 0, energy: 252_000, base: 7_000, idle: 79_000 }]);
  expect(inference.closing("req_a").cost).toEqual({ known: true, nanos: 180_000, basis: "measured" });
});

test("a box that idles writes one row for each quarter of an hour, and what it cost is nobody's", () => {
  const { ledger, path, clock, meter } = meteredLedger();
  for (let minute = 0; minute < 60; minute += 1) {
    clock.advance(60_000);
    ledger.writer.flush();
  }
  meter.stop();
  ledger.writer.flush();
  const [row] = rowsOf(path, `SELECT count(*) AS rows, sum(metered_ms) AS ms FROM power`) as [
    { rows: number; ms: number },
  ];
  expect(row).toEqual({ rows: 5, ms: 3_600_000 });
  expect(rowsOf(path, sums)).toEqual([{ used: 0, loads: 0, energy: 129_600_000, base: 3_600_000, idle: 133_200_000 }]);
  const starts = rowsOf(path, "SELECT from_ms % 900000 AS late FROM power ORDER BY number") as { late: number }[];
  expect(starts.slice(1).every(({ late }) => late < 10_000)).toBe(true);
});

test("S-30 after a kill what was used is still the sum of what attempts are booked at", () => {
  const { ledger, path, clock, meter } = meteredLedger();
  const { writer } = ledger;
  for (const id of ["req_done", "req_runs", "req_waits"]) {
    writer.openRequest(opening(id));
    writer.openAttempt(attempt(id, { target: "engine/m" }));
    meter.opened(id, "m");
  }
  meter.began("req_done", "m");
  clock.advance(4_001);
  meter.began("req_runs", "m");
  clock.advance(3_000);
  const cost = meter.take("req_done", { backendId: "engine", model: "m" });
  writer.flush();
  // Killed between the meter's row and the attempt's, and again some seconds later.
  const early = join(temporaryFolder(), "early.db");
  copyKilled(path, early);
  if (cost !== null) writer.closeAttempt(attemptEnding("req_done", { cost }));
  clock.advance(13_337);
  writer.flush();
  const late = join(temporaryFolder(), "late.db");
  copyKilled(path, late);
  for (const killed of [early, late]) {
    const again = openLedger(killed, { clock: systemClock, log: silentLog });
    onTestFinished(() => again.close());
    expect(again.recovered).toBe(3);
    const [{ used }] = rowsOf(killed, sums) as [{ used: number }];
    const booked = rowsOf(killed, costs) as { nanos: number }[];
    expect(booked.reduce((sum, { nanos }) => sum + nanos, 0)).toBe(used);
    expect(used).toBeGreaterThan(252_000);
  }
});

/** The file and what is not yet in it, as a killed process leaves them. */
function copyKilled(from: string, to: string): void {
  copyFileSync(from, to);
  copyFileSync(`${from}-wal`, `${to}-wal`);
}

test("an attempt at another target is not metered, and one that never came to the engine used nothing", () => {
  const { meter } = meteredLedger();
  expect(meter.take("req_a", { backendId: "office", model: "m" })).toBeNull();
  expect(meter.take("req_a", { backendId: "engine", model: "m" })).toEqual({
    known: true,
    nanos: 0,
    basis: "measured",
  });
});

test("without a price nothing is metered: costs stay unknown", () => {
  const { ledger } = freshLedger();
  const hardware = { view: () => machine };
  const settings = { power: { ...power, pricePerKwh: "", watts: 300 }, hardware: { sampleMs: 0 } };
  expect(openPowerMeter(settings, ledger.power, hardware, manualClock())).toBeNull();
  const backend = scriptedBackend("engine", ["m"], []);
  expect(metered(backend, null)).toBe(backend);
});
