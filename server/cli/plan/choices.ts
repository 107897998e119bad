/** Which prices and machines a plan compares: what was asked for by name, else a small usual set. Runs in the command's process. */
import type { Instance } from "../../domain/planner/instances/instance.ts";
import { instanceOf, instances } from "../../domain/planner/instances/index.ts";
import type { PriceRow } from "../../domain/pricing/book.ts";
import type { PriceList } from "../../domain/pricing/price-list.ts";
import { closest } from "../../config/closest.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";

/** The guide's two ends first, then what is asked for today, dear to cheap. */
export const usualApis: readonly string[] = Object.freeze([
  "guide/gpt-4",
  "guide/gpt-3.5-turbo",
  "anthropic/claude-sonnet-5-5",
  "openai/gpt-6.1-terra",
  "anthropic/claude-haiku-5-5",
  "deepinfra/meta-llama/Llama-3.3-70B-Instruct-Turbo",
]);
/** What the guide's example hosts a 7B model on. */
export const usualInstance = "aws/g4dn.2xlarge";
/** What a box of one's own with one card of 24 GB is compared with. */
export const usualRental = "vast/rtx-4090";
/** Where simple queries go when they are routed. */
export const usualSmallApi = "anthropic/claude-haiku-5-5";

/** Throws exit 5 for a price that nobody entered: a plan does not guess. */
export function apisOf(names: readonly string[] | undefined, prices: PriceList, atMs: number): readonly PriceRow[] {
  return (names ?? usualApis).map((name) => {
    const slash = name.indexOf("/");
    const row = slash < 1 ? null : prices.rowOf(name.slice(0, slash), name.slice(slash + 1), atMs);
    if (row !== null) return row;
    throw new CommandFailure(exitCodes.noSuchThing, "no_such_price", `No price is known for ${name}`, {
      why: "It is provider/model by its exact name, from docs/prices.md, the settings' prices, or guide/gpt-4, guide/gpt-4-turbo, guide/gpt-3.5-turbo.",
      next: ["lanthorn plan --api anthropic/claude-sonnet-5-5", "lanthorn config show"],
    });
  });
}

export function chosenInstance(id: string): Instance {
  const found = instanceOf(id);
  if (found !== null && found.gpus > 0) return found;
  const known = instances.filter(({ gpus }) => gpus > 0).map((one) => one.id);
  const near = closest(id, known);
  throw new CommandFailure(exitCodes.noSuchThing, "no_such_instance", `No machine with a GPU is listed as ${id}`, {
    why: `Listed are ${known.join(", ")}.`,
    next: [`lanthorn plan --instance ${near ?? usualInstance}`],
  });
}
