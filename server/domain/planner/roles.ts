/**
 * Where the work of an agent's role belongs, by volume, complexity, latency, tolerance of errors and privacy, after the lecture on
 * infrastructure for agents (part 5). Pure. Privacy decides alone; after it, what cannot be done elsewhere.
 */

export type Place = "local" | "cloud-budget" | "cloud-mid" | "cloud-premium";

export interface Role {
  readonly name: string;
  readonly callsPerDay: number;
  readonly complexity: "simple" | "medium" | "complex";
  /** `interactive` under 100 ms, `responsive` under a second, else `batch`. */
  readonly latency: "interactive" | "responsive" | "batch";
  readonly errors: "none" | "few" | "some";
  readonly privacy: "public" | "internal" | "personal";
}

export interface RolePlan {
  readonly role: Role;
  readonly place: Place;
  /** The place cannot be another. */
  readonly required: boolean;
  /** Why, likeliest first; what speaks against it stands in `against`. */
  readonly reasons: readonly string[];
  readonly against: readonly string[];
}

/** Calls a day up to which any place will do, and above which each must cost next to nothing. */
export const callBounds = Object.freeze({ low: 100, high: 1000 });

export function placeOf(role: Role): RolePlan {
  const reasons: string[] = [];
  const against: string[] = [];
  const isMany = role.callsPerDay > callBounds.high;
  const isHard = role.complexity === "complex" || role.errors === "none";
  const must: string[] = [];
  if (role.privacy === "personal") must.push("personal data stays on machines of one's own");
  if (role.latency === "interactive") must.push("under 100 ms leaves no time for a network");
  if (isMany) must.push(`${role.callsPerDay} calls a day must each cost next to nothing`);
  if (must.length > 0) {
    if (isHard)
      against.push("the task is hard: measure a local model first (lanthorn route eval), or ask on where unsure");
    return { role, place: "local", required: true, reasons: must, against };
  }
  if (isHard) {
    reasons.push(role.complexity === "complex" ? "complex reasoning" : "no error is acceptable");
    if (role.privacy === "internal") against.push("internal data leaves the house");
    if (role.latency === "responsive") against.push("an answer within a second is likelier here");
    return { role, place: "cloud-premium", required: false, reasons, against };
  }
  if (role.privacy === "internal") reasons.push("internal data is better kept here");
  if (role.latency === "responsive") reasons.push("an answer within a second is likelier here");
  if (role.complexity === "simple" && role.callsPerDay > callBounds.low) reasons.push("simple, and often");
  if (reasons.length > 0) return { role, place: "local", required: false, reasons, against };
  if (role.complexity === "medium") {
    return { role, place: "cloud-mid", required: false, reasons: ["medium complexity, time to wait"], against };
  }
  return {
    role,
    place: "cloud-budget",
    required: false,
    reasons: ["simple and seldom: the cheapest will do"],
    against,
  };
}

/** The lecture's crew: one of each kind, as a beginning. */
export const usualRoles: readonly Role[] = Object.freeze([
  {
    name: "coordinator",
    callsPerDay: 2000,
    complexity: "medium",
    latency: "interactive",
    errors: "few",
    privacy: "internal",
  },
  { name: "scraper", callsPerDay: 2000, complexity: "simple", latency: "batch", errors: "some", privacy: "public" },
  { name: "parser", callsPerDay: 2000, complexity: "simple", latency: "batch", errors: "some", privacy: "public" },
  { name: "analyst", callsPerDay: 200, complexity: "complex", latency: "batch", errors: "few", privacy: "public" },
  { name: "writer", callsPerDay: 200, complexity: "complex", latency: "batch", errors: "none", privacy: "public" },
  { name: "judge", callsPerDay: 2000, complexity: "medium", latency: "batch", errors: "few", privacy: "public" },
]);
