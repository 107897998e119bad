/** Which lines of different sources are one card: never one card twice, never two cards as one. */
import { expect, test } from "vitest";
import { matchCards } from "../../../server/hardware/cards.ts";
import { bareGpu, type GpuFacts } from "../../../server/hardware/facts.ts";

type Place = Partial<Pick<GpuFacts, "uuid" | "busAddress">>;
const tool = (name: string, place: Place = {}) => ({ ...bareGpu("nvidia-smi", "nvidia", name), ...place });
const system = (name: string, place: Place = {}) => ({ ...bareGpu("systeminformation", "nvidia", name), ...place });
const engine = (name: string) => bareGpu("engine", "nvidia", name);

/** Each card as the names its sources have for it. */
const names = (...sources: readonly (readonly GpuFacts[])[]) =>
  matchCards(sources).map((card) => card.map(({ source, name }) => `${source}: ${name}`));

test("by the bus address, however differently it is called", () => {
  expect(
    names(
      [tool("RTX 3090", { busAddress: "0000:01:00.0" }), tool("RTX 4060", { busAddress: "0000:05:00.0" })],
      [system("AD107", { busAddress: "0000:05:00.0" }), system("GA102", { busAddress: "0000:01:00.0" })],
    ),
  ).toEqual([
    ["nvidia-smi: RTX 3090", "systeminformation: GA102"],
    ["nvidia-smi: RTX 4060", "systeminformation: AD107"],
  ]);
});

test("by the model's number where no place is told, in whatever order", () => {
  expect(
    names([tool("NVIDIA GeForce RTX 3090"), tool("NVIDIA GeForce RTX 4060")], [engine("RTX 4060"), engine("RTX 3090")]),
  ).toEqual([
    ["nvidia-smi: NVIDIA GeForce RTX 3090", "engine: RTX 3090"],
    ["nvidia-smi: NVIDIA GeForce RTX 4060", "engine: RTX 4060"],
  ]);
});

test("a card at another place is another card, also when it has the same name", () => {
  expect(
    names(
      [tool("RTX 3090", { busAddress: "0000:01:00.0" })],
      [system("RTX 3090", { busAddress: "0000:01:00.0" }), system("RTX 3090", { busAddress: "0000:05:00.0" })],
    ),
  ).toEqual([["nvidia-smi: RTX 3090", "systeminformation: RTX 3090"], ["systeminformation: RTX 3090"]]);
  const [here, there] = ["0000:01:00.0", "0000:05:00.0"];
  expect(names([tool("RTX 3090", { busAddress: here })], [system("RTX 3090", { busAddress: there })])).toHaveLength(2);
});

test("a card that a source lists twice, as two Vulkan drivers do, is one card", () => {
  expect(names([tool("RTX 3090")], [engine("RTX 3090 (one driver)"), engine("RTX 3090 (another driver)")])).toEqual([
    ["nvidia-smi: RTX 3090", "engine: RTX 3090 (one driver)"],
  ]);
});

test("two equal cards that only the engine knows are two", () => {
  expect(names([], [], [engine("RTX 3090"), engine("RTX 3090")])).toHaveLength(2);
});

test("another vendor's card is never the same", () => {
  expect(names([tool("RTX 7900")], [bareGpu("engine", "amd", "RX 7900")])).toHaveLength(2);
});
