/** What the readers make of what tools print: odd answers, older versions, rubbish and hostile values. */
import { describe, expect, test } from "vitest";
import { busAddressOf, numberWithin, plainText, bounds, printedNumber } from "../../../server/hardware/facts.ts";
import { pictureOf } from "../../../server/hardware/merge.ts";
import type { Recording } from "../../../server/hardware/recording.ts";
import { readEngine } from "../../../server/hardware/sources/engine.ts";
import { nvidiaFields, readNvidiaSmi, refusedField } from "../../../server/hardware/sources/nvidia-smi.ts";
import { readRocmSmi } from "../../../server/hardware/sources/rocm-smi.ts";
import { isIntegrated, readControllers, readSystem } from "../../../server/hardware/sources/system.ts";
import { engineOnCpu, machineNames, machinePicture, recordedMachine } from "../../support/machines.ts";

const mebibyte = 2 ** 20;
const hostile = [Number.NaN, Number.POSITIVE_INFINITY, -1, 1e300, "24576", "", null, undefined, {}, [1], true];

describe("figures", () => {
  test.each(hostile)("%s is no number of bytes", (value) => {
    expect(numberWithin(value, bounds.bytes)).toBeNull();
  });

  test.each([
    ["23.61", 23.61],
    [" 350.00", 350],
    ["[N/A]", null],
    ["[Not Supported]", null],
    ["1e300", null],
    ["0x10", null],
    ["-1", null],
    ["NaN", null],
    ["99999999999999999999", null],
    ["", null],
    [undefined, null],
  ])("printed %s is %s watts", (text, watts) => {
    expect(printedNumber(text, bounds.watts)).toBe(watts);
  });

  test("one place in the bus, however it is written", () => {
    expect(["00000000:01:00.0", "0000:01:00.0", "01:00.0"].map(busAddressOf)).toEqual(
      Array.from({ length: 3 }, () => "0000:01:00.0"),
    );
    expect(busAddressOf("00000000:4B:00.0")).toBe("0000:4b:00.0");
    expect(busAddressOf("7ec90000:00:02.0")).toBe("7ec90000:00:02.0");
    for (const wrong of ["", "1:0.0", "gg:00.0", "01:00.0; rm", 7, null]) expect(busAddressOf(wrong)).toBeNull();
  });

  test("a name is one line that moves nothing", () => {
    expect(plainText("RTX\u001b[2J\r\n 3090\u202e")).toBe("RTX [2J 3090");
    expect(plainText("x".repeat(5_000))).toHaveLength(120);
    for (const nothing of ["[N/A]", "N/A", " ", "[Not Supported]", 5, null]) expect(plainText(nothing)).toBeNull();
  });
});

describe("nvidia-smi", () => {
  const answer = (text: string, fields: readonly string[] = nvidiaFields) =>
    readNvidiaSmi({ fields: [...fields], answer: { outcome: "printed", text } });
  const row = (name: string, { uuid = "GPU-00000000-1111", total = "24576" } = {}) =>
    `${uuid}, 00000000:01:00.0, ${total}, 100, 580.95.05, 8.6, 23.61, 350.00, 38, 0, 4, 16, 16, ${name}\r\n`;

  test("a comma in a name takes nothing apart", () => {
    expect(answer(row("NVIDIA A100, PCIe, 40GB")).gpus[0]).toMatchObject({
      name: "NVIDIA A100, PCIe, 40GB",
      pcieWidth: 16,
    });
  });

  test("a card that is listed twice is one card", () => {
    expect(answer(row("A") + row("A")).gpus).toHaveLength(1);
  });

  test.each([
    ["nothing", ""],
    ["a message", "No devices were found\n"],
    ["half a line", "GPU-00000000-1111, 00000000:01:00.0, 24576\n"],
    ["columns that mean nothing", `${Array.from({ length: 14 }, () => "x").join(", ")}\n`],
    ["a web page", "<html><body>502, 503, 504, 505, 506, 507, 508, 509, 510, 511, 512, 513, 514, 515</body></html>"],
  ])("%s is no card", (_, text) => {
    expect(answer(text)).toEqual({ gpus: [], complaints: [] });
  });

  test("no more cards than a machine can have", () => {
    const many = Array.from({ length: 500 }, (_, at) =>
      row("A", { uuid: `GPU-00000000-${String(at).padStart(4, "0")}` }),
    );
    expect(answer(many.join("")).gpus).toHaveLength(64);
  });

  test.each(["[N/A]", "NaN", "-24576", "1e300", "99999999999", "[Not Supported]", "24576 MiB"])(
    "memory of %s is not reported",
    (total) => {
      expect(answer(row("A", { total })).gpus[0]?.memoryTotalBytes).toBeNull();
    },
  );

  test("a card that it calls lost is a complaint about that card, the others stay", () => {
    const lost = row("A", { uuid: "GPU-99999999-9999", total: "[GPU is lost]" }).replace("01:00.0", "02:00.0");
    expect(answer(lost + row("B"))).toMatchObject({
      gpus: [{ name: "B" }],
      complaints: [{ kind: "lost", busAddress: "0000:02:00.0" }],
    });
    for (const text of [
      "Unable to determine the device handle for GPU 0000:0B:00.0: Unknown Error\n",
      "Unable to determine the device handle for GPU0000:0B:00.0: GPU is lost.  Reboot the system to recover this GPU\n",
    ]) {
      expect(answer(text).complaints).toMatchObject([{ kind: "lost", busAddress: "0000:0b:00.0" }]);
    }
  });

  test("a tool that fails, hangs or prints without end says so; one that is missing says nothing", () => {
    const of = (outcome: NonNullable<Recording["nvidiaSmi"]>["answer"]) =>
      readNvidiaSmi({ fields: [...nvidiaFields], answer: outcome }).complaints;
    expect(of({ outcome: "failed", code: 9, text: "\n\u001b[31mNVIDIA-SMI has failed\nmore" })).toMatchObject([
      { kind: "failed", busAddress: null, reason: "nvidia-smi fails ([31mNVIDIA-SMI has failed)" },
    ]);
    expect(of({ outcome: "silent", afterMs: 10_000 })).toMatchObject([
      { kind: "silent", reason: "nvidia-smi gave no answer within 10 s" },
    ]);
    expect(of({ outcome: "too-much" })).toMatchObject([{ kind: "failed" }]);
    expect(of({ outcome: "missing" })).toEqual([]);
  });

  test("the field that an older driver refuses is found by its name", () => {
    const text = 'Field "compute_cap" is not a valid field to query.\n\n';
    expect(refusedField({ outcome: "failed", code: 2, text })).toBe("compute_cap");
    expect(refusedField({ outcome: "printed", text: row("A") })).toBeNull();
  });
});

describe("rocm-smi", () => {
  const answer = (cards: object) => readRocmSmi({ outcome: "printed", text: JSON.stringify(cards) });

  test("newer versions: numbers instead of texts, another sensor, the model's number for a name", () => {
    expect(
      answer({
        card1: { "Card series": "0x74a1", "Card model": "AMD Instinct MI300X", "GPU use (%)": 88 },
        card0: {
          "Card Series": "N/A",
          "Device Name": "Navi 31 [Radeon RX 7900 XTX]",
          "VRAM Total Memory (B)": 25_753_026_560,
          "VRAM Total Used Memory (B)": "99999999999999",
          "Temperature (Sensor junction) (C)": 44,
          "Current Socket Graphics Package Power (W)": 17.5,
          "PCI Bus": "0000:03:00.0",
        },
      }).gpus,
    ).toMatchObject([
      {
        name: "Navi 31 [Radeon RX 7900 XTX]",
        memoryTotalBytes: 25_753_026_560,
        memoryFreeBytes: 0,
        temperatureCelsius: 44,
        powerDrawWatts: 17.5,
        busAddress: "0000:03:00.0",
        driver: null,
      },
      { name: "AMD Instinct MI300X", utilisationPercent: 88, memoryTotalBytes: null },
    ]);
  });

  test.each(["", "{", "[]", '{"card0": 5}', '{"card0": {"VRAM Total Memory (B)": {"x": 1}}, "card": {}}'])(
    "%s gives no figure",
    (text) => {
      const { gpus } = readRocmSmi({ outcome: "printed", text });
      expect(gpus.every((gpu) => gpu.memoryTotalBytes === null)).toBe(true);
    },
  );

  test("one that fails says so", () => {
    expect(readRocmSmi({ outcome: "failed", code: 1, text: "ERROR: GPU[0]" }).complaints).toMatchObject([
      { vendor: "amd", kind: "failed" },
    ]);
  });
});

describe("the engine", () => {
  const two = (devices: readonly unknown[], totalBytes: unknown) =>
    readEngine({
      ...engineOnCpu,
      gpu: "vulkan",
      devices: [...devices],
      memory: { totalBytes, freeBytes: 5, unifiedBytes: 0 },
    });

  test("of equal devices each has its part, of different ones nobody knows", () => {
    expect(two(["RTX 3090", "RTX 3090"], 48 * 1024 * mebibyte)).toMatchObject([
      { memoryTotalBytes: 24 * 1024 * mebibyte, memoryFreeBytes: null },
      { memoryTotalBytes: 24 * 1024 * mebibyte, memoryFreeBytes: null },
    ]);
    expect(two(["RTX 3090", "RTX 4060"], 48 * 1024 * mebibyte).map((gpu) => gpu.memoryTotalBytes)).toEqual([
      null,
      null,
    ]);
  });

  test.each([...hostile, 0])("a total of %s is none", (total) => {
    expect(two(["A"], total)).toMatchObject([{ memoryTotalBytes: null, memoryFreeBytes: null }]);
  });

  test("names that are none, and one that did not answer", () => {
    expect(two([5, null, "", "A"], 5)).toHaveLength(1);
    for (const answer of [null, { ended: "SIGSEGV" }, { problem: "no binary" }, engineOnCpu]) {
      expect(readEngine(answer)).toEqual([]);
    }
  });
});

describe("systeminformation", () => {
  const answer = (controllers: Readonly<Record<string, unknown>>[]) => ({
    controllers,
    cpu: null,
    mem: null,
    fileSystems: null,
  });

  test("on Linux the window into a card's memory is not its memory", () => {
    const card = { vendor: "NVIDIA Corporation", model: "GA102 [GeForce RTX 3090]", busAddress: "01:00.0", vram: 256 };
    expect(readControllers(answer([card]), "linux")[0]?.memoryTotalBytes).toBeNull();
    expect(readControllers(answer([{ ...card, memoryTotal: 24_576 }]), "linux")[0]?.memoryTotalBytes).toBe(
      24_576 * mebibyte,
    );
    expect(readControllers(answer([{ ...card, vram: 8_176 }]), "win32")[0]?.memoryTotalBytes).toBe(8_176 * mebibyte);
    expect(readControllers(answer([{ ...card, vram: 4_095 }]), "win32")[0]?.memoryTotalBytes).toBeNull();
  });

  test("screens of servers and virtual machines are no GPUs", () => {
    const screens = ["ASPEED Technology, Inc.", "Red Hat, Inc.", "VMware", "Cirrus Logic", "Microsoft"];
    expect(readControllers(answer(screens.map((vendor) => ({ vendor, model: "Display", vram: 32 }))), "linux")).toEqual(
      [],
    );
  });

  test.each(hostile)("a card whose figures are %s has none", (value) => {
    const card = {
      vendor: "NVIDIA",
      model: "RTX",
      vram: value,
      memoryTotal: value,
      powerDraw: value,
      temperatureGpu: value,
    };
    expect(readControllers(answer([card]), "win32")[0]).toMatchObject({
      memoryTotalBytes: null,
      powerDrawWatts: null,
      temperatureCelsius: null,
    });
  });

  test("graphics in the processor are told by their names", () => {
    expect(isIntegrated("intel", "Intel(R) UHD Graphics 770")).toBe(true);
    expect(isIntegrated("intel", "DG2 [Arc A770]")).toBe(false);
    expect(isIntegrated("amd", "AMD Radeon(TM) Graphics")).toBe(true);
    expect(isIntegrated("amd", "Radeon RX 7900 XTX")).toBe(false);
  });

  test("the disk is the one with the longest mount point that holds the folder", () => {
    const fileSystems = [
      { mount: "/", size: 100, available: 50 },
      { mount: "/srv", size: 200, available: 150 },
      { mount: "/srv/mod", size: 300, available: 250 },
    ];
    expect(readSystem({ ...answer([]), fileSystems }, "/srv/models")).toMatchObject({
      diskTotalBytes: 200,
      diskFreeBytes: 150,
    });
  });
});

describe("the merge", () => {
  test("a slice of a card is as large as the engine says", async () => {
    const { engine } = await recordedMachine("h100-80gb");
    if (engine === null || !("gpu" in engine)) throw new Error("it answered");
    const memory = { totalBytes: 42 * 2 ** 30, freeBytes: 41 * 2 ** 30, unifiedBytes: 0 };
    const devices = ["NVIDIA H100 80GB HBM3 MIG 3g.40gb"];
    const { view } = await machinePicture("h100-80gb", { engine: { ...engine, devices, memory } });
    expect(view.gpus).toMatchObject([
      {
        memoryTotalBytes: { value: 42 * 2 ** 30, source: "engine" },
        memoryFreeBytes: { value: 41 * 2 ** 30, source: "engine" },
      },
    ]);
  });

  test("a card that is hidden from the engine is there, and nothing is promised on it", async () => {
    const { engine } = await recordedMachine("2x-rtx-3090");
    if (engine === null || !("gpu" in engine)) throw new Error("it answered");
    const { view } = await machinePicture("2x-rtx-3090", {
      engine: { ...engine, devices: engine.devices.slice(0, 1), memory: null },
    });
    expect(view.gpus.map(({ state }) => state)).toEqual(["present", "unused"]);
  });

  test("without the vendor's tool the card is found once, from two other sources", async () => {
    const missing = { fields: [], answer: { outcome: "missing" as const } };
    const { gpus } = await machinePicture("rtx-3090", { nvidiaSmi: missing });
    expect(gpus).toMatchObject([
      {
        id: "0000:01:00.0",
        name: "NVIDIA GeForce RTX 3090",
        memoryTotalBytes: { source: "engine" },
        listedBy: ["systeminformation", "engine"],
      },
    ]);
    const { gpus: amd } = await machinePicture("rx-7900-xtx", { rocmSmi: { outcome: "missing" } });
    expect(amd).toMatchObject([{ vendor: "amd", memoryTotalBytes: { value: 25_753_026_560, source: "engine" } }]);
  });

  test("more free than there is cannot be", async () => {
    const machine = await recordedMachine("rtx-3090");
    const text = "GPU-00000000-1111, 00000000:01:00.0, 24576, 99999, 580.1, 8.6, 1, 1, 1, 1, 4, 16, 16, A\n";
    const { view } = pictureOf({
      ...machine,
      nvidiaSmi: { fields: [...nvidiaFields], answer: { outcome: "printed", text } },
      engine: null,
      systeminformation: null,
    });
    expect(view.gpus).toMatchObject([{ memoryTotalBytes: { value: 24_576 * mebibyte }, memoryFreeBytes: null }]);
  });

  test.each(machineNames)("%s with every number spoilt still has no wrong figure", async (name) => {
    const machine = await recordedMachine(name);
    for (const wrong of [-5, 1e300, "7", null]) {
      const spoilt: unknown = JSON.parse(JSON.stringify(machine), (key, value: unknown) =>
        typeof value === "number" && !["recordedAtMs", "lanthornMachine", "code"].includes(key) ? wrong : value,
      );
      const { view } = pictureOf({ ...(spoilt as Recording), nvidiaSmi: null, rocmSmi: null });
      const figures = [view.memory, view.disk, ...view.gpus].flatMap((part) => Object.values(part));
      expect(
        figures.filter(
          (value) => typeof value === "object" && value !== null && "value" in value && typeof value.value !== "string",
        ),
      ).toEqual([]);
    }
  });
});
