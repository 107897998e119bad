/**
 * Whether this very machine is a rented one, and what its market says of it in the variables it sets. Pure: variables in, facts
 * out; it names the variable of a key and never holds the key.
 */

/** Markets that give a machine a key for itself. */
export const rentalMarkets = Object.freeze(["vast", "runpod"] as const);
export type RentalMarket = (typeof rentalMarkets)[number];

/** How a rented machine ends itself: stopped keeps its disk, and goes on costing that. */
export type RentalDeed = "stop" | "destroy";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface ThisRental {
  readonly market: RentalMarket;
  /** Null: nobody said. */
  readonly instanceId: string | null;
  /** The variable with the market's key for this one machine; null: there is none. */
  readonly keyVariable: string | null;
}

/** What the settings say; empty: as the market's variables say. */
export interface ThisRentalWords {
  readonly market: RentalMarket | "";
  readonly instanceId: string;
}

/**
 * Vast.ai sets CONTAINER_ID, CONTAINER_API_KEY and VAST_CONTAINERLABEL (`C.<id>`), RunPod RUNPOD_POD_ID and RUNPOD_API_KEY
 * (vast-cli 5567983, runpod/docs, August 2026).
 */
const idVariables: Readonly<Record<RentalMarket, readonly string[]>> = Object.freeze({
  vast: ["CONTAINER_ID", "VAST_CONTAINERLABEL"],
  runpod: ["RUNPOD_POD_ID"],
});
const keyVariables: Readonly<Record<RentalMarket, string>> = Object.freeze({
  vast: "CONTAINER_API_KEY",
  runpod: "RUNPOD_API_KEY",
});

/** Keys of a whole account, which have no business on a rented machine. RunPod's scoped key cannot be told from one. */
const accountKeys = /^(VAST_API_KEY|VASTAI_API_KEY|LANTHORN_MARKET_[A-Z0-9_]+_KEY)$/;

/** Null: this is no rented machine, as far as anybody said. */
export function readThisRental(words: ThisRentalWords, environment: Environment): ThisRental | null {
  const market = words.market === "" ? seenMarket(environment) : words.market;
  if (market === null) return null;
  const keyVariable = keyVariables[market];
  return {
    market,
    instanceId: words.instanceId || seenId(market, environment),
    keyVariable: textOf(environment, keyVariable) === "" ? null : keyVariable,
  };
}

/** Names of variables that hold a key of the whole account. */
export function accountKeyVariables(environment: Environment): readonly string[] {
  return Object.keys(environment).filter((name) => accountKeys.test(name) && textOf(environment, name) !== "");
}

function seenMarket(environment: Environment): RentalMarket | null {
  if (textOf(environment, "RUNPOD_POD_ID") !== "") return "runpod";
  if (textOf(environment, "VAST_CONTAINERLABEL") !== "") return "vast";
  // A container's number alone may be anybody's.
  const hasBoth = textOf(environment, "CONTAINER_ID") !== "" && textOf(environment, "CONTAINER_API_KEY") !== "";
  return hasBoth ? "vast" : null;
}

function seenId(market: RentalMarket, environment: Environment): string | null {
  for (const name of idVariables[market]) {
    const id = textOf(environment, name).replace(/^C\./, "");
    if (/^[A-Za-z0-9_-]{1,100}$/.test(id)) return id;
  }
  return null;
}

function textOf(environment: Environment, name: string): string {
  return environment[name]?.trim() ?? "";
}
