/** The figures of "AI Multi-Model Orchestration Plan". Pure. */
import { monthlyRent, type Rental, rentalHours } from "../buy-or-rent.ts";
import { weightBytes } from "../capacity.ts";
import { runpodInstances, vastInstances } from "../instances/markets.ts";
import type { InstanceRow } from "../instances/instance.ts";
import { plus, ratio, times, usd } from "../ratio.ts";
import { ends, figuresOf, is, orLess, range } from "./said.ts";
import type { SeedFigure } from "./seed-figure.ts";

const tiers = figuresOf("orchestration", "API Costs");
const offers = figuresOf("orchestration", "DeepSeek VPS Options");
const demand = figuresOf("orchestration", "On-Demand Usage");
const savings = figuresOf("orchestration", "Projected Savings");

/** 24 hours on 30 days, as its line 125 counts. */
const allHours = ratio(720);

function offer(line: number, name: string, row: InstanceRow | undefined, low: number, high: number): SeedFigure {
  const month = (hourNanos: number) => times(ratio(hourNanos), allHours);
  const ours = row === undefined ? null : () => ends(month(row.hourNanosLow), month(row.hourNanosHigh));
  return offers(line, `${name}, always on`, "usd", range(low, high, 10), ours, "24 hours on 30 days");
}

function rent(hoursPerDay: number): Rental {
  return { hourNanos: 250_000_000, hoursPerDay, daysPerMonth: 30, diskNanosPerMonth: 0 };
}

const usage = (
  [
    [122, "light", 2, 60, 15],
    [123, "medium", 6, 180, 45],
    [124, "heavy", 12, 360, 90],
    [125, "always on", 24, 720, 180],
  ] as const
).flatMap(([line, name, hoursPerDay, hours, month]): SeedFigure[] => [
  demand(
    line,
    `${name}, hours a month`,
    "count",
    is(hours, 0),
    () => rentalHours(rent(hoursPerDay)),
    `${hoursPerDay} hours on 30 days`,
  ),
  demand(
    line,
    `${name}, a month`,
    "usd",
    is(month),
    () => monthlyRent(rent(hoursPerDay)),
    "at 0.25 dollars an hour, without a disk that is kept",
  ),
]);

export const orchestrationFigures: readonly SeedFigure[] = Object.freeze([
  tiers(
    107,
    "all three tiers",
    "usd",
    range(170, 300),
    () => ends(plus(usd(80), usd(60), usd(30)), plus(usd(150), usd(100), usd(50))),
    "the three lines above it",
  ),
  offer(113, "Vast.ai RTX 3090", vastInstances.rows[0], 150, 250),
  offer(114, "Vast.ai RTX 4090", vastInstances.rows[1], 250, 360),
  offer(115, "RunPod RTX 3090", runpodInstances.rows[0], 220, 220),
  offer(116, "RunPod A40", runpodInstances.rows[1], 360, 360),
  ...usage,
  savings(131, "month 1", "usd", is(200), () => plus(usd(200), usd(0)), "200 and nothing"),
  savings(
    131,
    "month 1, against the tiers",
    "usd",
    is(200),
    () => ends(usd(170), usd(300)),
    "it lies in the range of line 107",
  ),
  savings(
    132,
    "light use",
    "usd",
    range(165, 195),
    () => ends(plus(usd(150), monthlyRent(rent(2))), plus(usd(150), monthlyRent(rent(6)))),
    "150 and the light to medium use of lines 122 and 123",
  ),
  savings(
    133,
    "heavy use",
    "usd",
    is(190),
    () => plus(usd(100), monthlyRent(rent(12))),
    "100 and the heavy use of line 124",
  ),
  figuresOf("orchestration", "Hardware Requirements")(
    142,
    "DeepSeek-Coder-32B in Q4_K_M",
    "gb",
    is(20),
    () => ratio(weightBytes(32e9, 4.85), 1e9),
    "4.85 bits a parameter, which Q4_K_M takes on the average",
  ),
  figuresOf("orchestration", "Hardware Requirements")(
    139,
    "DeepSeek-Coder-32B on a card of 24 GB",
    "gb",
    orLess(24),
    () => ratio(weightBytes(32e9, 4.85), 1e9),
    "weights alone",
  ),
  figuresOf("orchestration", "Success Metrics")(
    198,
    "saved on tier 3",
    "percent",
    range(20, 30),
    null,
    "what tier 3 keeps is not given",
  ),
  figuresOf("orchestration", "Success Metrics")(
    200,
    "total below the target",
    "usd",
    orLess(180),
    () => ends(plus(usd(150), monthlyRent(rent(2))), plus(usd(150), monthlyRent(rent(6)))),
    "line 132 has 165 to 195, line 133 has 190: only the lightest use is below 180",
  ),
  figuresOf("orchestration", "Notes")(
    207,
    "break-even against buying",
    "months",
    range(16, 20),
    null,
    "no price of the hardware is given; at 180 dollars a month it would be 2,880 to 3,600 dollars, at 90 a month half of that",
  ),
]);
