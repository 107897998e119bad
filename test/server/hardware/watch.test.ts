/** Cards that go and come back: what is believed, after how much, and what may be served meanwhile. */
import { describe, expect, test } from "vitest";
import { pictureOf } from "../../../server/hardware/merge.ts";
import type { Recording } from "../../../server/hardware/recording.ts";
import { lostFor, nothingSeen, retryAfterMs, shownView, type Watch, watched } from "../../../server/hardware/watch.ts";
import { engineOnCpu, recordedMachine, withoutCard } from "../../support/machines.ts";

const one = await recordedMachine("rtx-3090");
const two = await recordedMachine("2x-rtx-3090");
const gibibyte = 2 ** 30;

/** Looks one after the other, a second apart; `asked`: the engine too. */
function seenAfter(...looks: readonly (readonly [Recording, "asked" | "live"])[]): Watch {
  return looks.reduce(
    (watch, [machine, how], at) =>
      watched(watch, { picture: pictureOf(machine), engineAsked: how === "asked" }, at * 1_000),
    nothingSeen,
  );
}

function saying(machine: Recording, answer: NonNullable<Recording["nvidiaSmi"]>["answer"]): Recording {
  return { ...machine, nvidiaSmi: { fields: machine.nvidiaSmi?.fields ?? [], answer } };
}

const silent = saying(one, { outcome: "silent", afterMs: 10_000 });
const failing = saying(one, { outcome: "failed", code: 9, text: "NVIDIA-SMI has failed\n" });
const states = (watch: Watch) => watch.gpus.map(({ state }) => state);

test("what works is promised; what never worked is not", () => {
  expect(seenAfter([one, "asked"])).toMatchObject({ promised: "cuda-13", losses: [], looks: 0 });
  expect(seenAfter([{ ...one, engine: engineOnCpu }, "asked"])).toMatchObject({ promised: "cpu", losses: [] });
  expect(seenAfter([{ ...one, engine: { ended: "SIGSEGV" } }, "asked"]).promised).toBe("cpu");
  expect(lostFor(seenAfter([{ ...one, engine: engineOnCpu }, "asked"], [failing, "live"]), gibibyte)).toBeNull();
});

describe("a card is lost", () => {
  test("when the tool says so, at once, and is still shown with what stays true", () => {
    const watch = seenAfter([one, "asked"], [withoutCard(one), "live"]);
    expect(watch.gpus).toMatchObject([
      {
        state: "lost",
        name: "NVIDIA GeForce RTX 3090",
        memoryTotalBytes: { value: 24 * gibibyte },
        memoryFreeBytes: null,
        powerDrawWatts: null,
        temperatureCelsius: null,
        utilisationPercent: null,
      },
    ]);
    expect(lostFor(watch, 1)).toBe(
      "its GPU is lost: NVIDIA GeForce RTX 3090 does not answer any more (nvidia-smi says that it is lost)",
    );
  });

  test("when the tool fails, and when it lists the card no longer", () => {
    expect(seenAfter([one, "asked"], [failing, "live"]).losses).toMatchObject([
      { reason: "nvidia-smi fails (NVIDIA-SMI has failed)", sinceMs: 1_000 },
    ]);
    const none = saying(one, { outcome: "printed", text: "No devices were found\n" });
    expect(seenAfter([one, "asked"], [none, "live"]).losses).toMatchObject([
      { reason: "nvidia-smi no longer lists it" },
    ]);
  });

  test("when the tool is silent three times in a row, not before: it may be slow under load", () => {
    const quiet = [silent, "live"] as const;
    expect(states(seenAfter([one, "asked"], quiet, quiet))).toEqual(["present"]);
    expect(states(seenAfter([one, "asked"], quiet, quiet, [one, "live"], quiet, quiet))).toEqual(["present"]);
    expect(states(seenAfter([one, "asked"], quiet, quiet, quiet))).toEqual(["lost"]);
  });

  test("but not when the tool cannot see any card: what computes on it already goes on", () => {
    for (const text of ["Driver/library version mismatch", "Unknown Error"]) {
      const blind = saying(
        { ...one, engine: engineOnCpu },
        { outcome: "failed", code: 18, text: `Failed to initialize NVML: ${text}\n` },
      );
      const watch = seenAfter([one, "asked"], [blind, "live"], [blind, "asked"]);
      expect(watch).toMatchObject({ losses: [], gpus: [{ state: "present", powerDrawWatts: null }] });
      expect(lostFor(watch, gibibyte)).toBeNull();
      // One that was lost is not back by that.
      expect(states(seenAfter([one, "asked"], [withoutCard(one), "live"], [blind, "asked"]))).toEqual(["lost"]);
    }
  });

  test("when the engine can no longer compute on it although it is listed, as after a suspend", () => {
    const watch = seenAfter([one, "asked"], [{ ...one, engine: engineOnCpu }, "asked"]);
    expect(watch.losses).toMatchObject([{ reason: "it is listed, but the engine can no longer compute on it" }]);
    expect(watch.promised).toBe("cuda-13");
  });

  test("but not by an engine that crashed, or that found the card's memory full", () => {
    expect(seenAfter([one, "asked"], [{ ...one, engine: { ended: "SIGABRT" } }, "asked"]).losses).toEqual([]);
    const text = one.nvidiaSmi?.answer.outcome === "printed" ? one.nvidiaSmi.answer.text : "";
    const full = saying({ ...one, engine: engineOnCpu }, { outcome: "printed", text: text.replace("24156", "300") });
    expect(seenAfter([one, "asked"], [full, "asked"]).losses).toEqual([]);
  });
});

describe("it is back", () => {
  test("not when it is listed again, but when the engine has computed on it again", () => {
    const listed = seenAfter([one, "asked"], [withoutCard(one), "live"], [one, "live"]);
    expect([states(listed), listed.returning]).toEqual([["lost"], true]);
    const computing = seenAfter([one, "asked"], [withoutCard(one), "live"], [one, "live"], [one, "asked"]);
    expect(computing).toMatchObject({ losses: [], looks: 0, returning: false });
    expect(states(computing)).toEqual(["present"]);
    expect(lostFor(computing, 20 * gibibyte)).toBeNull();
  });

  test("with the time of its loss kept meanwhile, and the first reason until there is another", () => {
    const watch = seenAfter([one, "asked"], [withoutCard(one), "live"], [failing, "live"], [one, "live"]);
    expect(watch.losses).toMatchObject([{ sinceMs: 1_000, reason: "nvidia-smi fails (NVIDIA-SMI has failed)" }]);
  });

  test("it is asked after in growing steps", () => {
    const looks = (count: number) =>
      seenAfter([one, "asked"], ...Array.from({ length: count }, () => [withoutCard(one), "live"] as const));
    expect([1, 2, 3, 4, 5, 6, 40].map((count) => retryAfterMs(looks(count)))).toEqual([
      2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000,
    ]);
    expect(retryAfterMs(looks(0))).toBeNull();
  });
});

describe("one of two", () => {
  const text = two.nvidiaSmi?.answer.outcome === "printed" ? two.nvidiaSmi.answer.text : "";
  const first = saying(two, { outcome: "printed", text: `${text.split("\n")[0]}\n` });
  const watch = seenAfter([two, "asked"], [first, "live"]);

  test("the other goes on, for what fits on it", () => {
    expect(states(watch)).toEqual(["present", "lost"]);
    expect(lostFor(watch, 20 * gibibyte)).toBeNull();
    expect(lostFor(watch, 40 * gibibyte)).toMatch(/^its GPU is lost: NVIDIA GeForce RTX 3090 does not answer/);
  });

  test("the view keeps what was promised, and says what is wrong", () => {
    const view = shownView(pictureOf(first), watch);
    expect(view.gpus).toHaveLength(2);
    expect(view.engine).toEqual({
      gpu: "cuda-13",
      reason:
        "NVIDIA GeForce RTX 3090 does not answer any more (nvidia-smi no longer lists it); what needs it is refused until it is back.",
    });
  });
});

test("graphics in the processor are no stand-in for a card that is lost", async () => {
  const office = await recordedMachine("intel-uhd-630");
  const controllers = [...(one.systeminformation?.controllers ?? []), ...(office.systeminformation?.controllers ?? [])];
  const both: Recording = { ...one, systeminformation: { controllers, cpu: null, mem: null, fileSystems: null } };
  // CUDA does not come up after a sleep, and the engine's Vulkan build finds the other one.
  const watch = seenAfter([both, "asked"], [{ ...both, engine: office.engine }, "asked"]);
  expect(watch.gpus.map(({ name, state }) => [name, state])).toEqual([
    ["NVIDIA GeForce RTX 3090", "lost"],
    ["Intel(R) UHD Graphics 630 (CFL GT2)", "present"],
  ]);
  expect(lostFor(watch, 2 ** 20)).toMatch(/^its GPU is lost: NVIDIA GeForce RTX 3090/);
});

test("a card of another vendor that goes is a loss, and takes nothing from anybody", async () => {
  const arc = await recordedMachine("intel-arc-a770");
  const both: Recording = {
    ...one,
    systeminformation: {
      ...arc.systeminformation,
      controllers: [
        ...(one.systeminformation?.controllers ?? []),
        ...(arc.systeminformation?.controllers?.slice(0, 1) ?? []),
      ],
      cpu: null,
      mem: null,
      fileSystems: null,
    },
  };
  const watch = seenAfter([both, "asked"], [one, "asked"]);
  expect(states(watch)).toEqual(["present", "lost"]);
  expect(lostFor(watch, gibibyte)).toBeNull();
  expect(states(seenAfter([both, "asked"], [one, "asked"], [both, "asked"]))).toEqual(["present", "present"]);
});

test("a card that is put in later joins", () => {
  const none: Recording = {
    ...one,
    nvidiaSmi: { fields: [], answer: { outcome: "missing" } },
    engine: engineOnCpu,
    systeminformation: null,
  };
  expect(states(seenAfter([none, "asked"], [one, "asked"]))).toEqual(["present"]);
});
