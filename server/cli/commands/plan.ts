/**
 * `lanthorn plan …`: what a demand costs and needs, before anything is bought, rented or promised. Needs no server: this box's figures are
 * used where it has some. Its sub-commands are one file each in `server/cli/plan/`.
 */
import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";
import { defineBuyOrRent } from "../plan/buy-or-rent.ts";
import { defineChoose } from "../plan/choose.ts";
import { defineEffects } from "../plan/effects.ts";
import { defineGpus } from "../plan/gpus.ts";
import { defineRoles } from "../plan/roles.ts";
import { type PlanFlags, withSettings } from "../plan/flags.ts";

export function define(command: Command, context: CommandContext): void {
  examples(command, [
    ["lanthorn plan --users 37", "a month's cost by API, on rented GPUs, on both, on a box of one's own"],
    ["lanthorn plan --users 37 --queries-per-user 20 --tokens-in 500 --tokens-out 300", "of a demand that is known"],
    ["lanthorn plan --api anthropic/claude-sonnet-5-5 --instance runpod/a40", "of these prices"],
    ["lanthorn plan gpus --users 500 --params 32 --bits 4.85", "GPUs of each kind for a model and its users"],
    ["lanthorn plan buy-or-rent --box-price 2200 --kwh 0.31", "when a machine of one's own pays for itself"],
    [
      "lanthorn plan choose --months 18 --weight privacy=40 --weight quality=60",
      "a decision tree and a scoring matrix",
    ],
    ["lanthorn plan roles", "where each role of an agents' crew belongs"],
    ["lanthorn plan effects --api anthropic/claude-sonnet-5-5", "what caches, batches, routing and promises take off"],
    ["lanthorn plan --seeds", "every figure of the papers behind it, computed again"],
  ]);
  withSettings(command)
    .option("--api <provider/model>", "an API to compare, repeatable; the first is compared in the picture", collected)
    .option("--instance <provider/name>", "the machine whose hours are counted (else aws/g4dn.2xlarge)")
    .option("--local-model <name>", "whose quality GPUs of one's own are given", "mistral-7b")
    .option("--assumed", "leave out what this box knows of itself")
    .option("--seeds", "list every figure of the papers, as they have it and as it is")
    .option("--disagreements", "with --seeds: only those that differ")
    .action(async (flags: PlanFlags) => {
      if (flags.seeds === true || flags.disagreements === true) {
        return (await import("../plan/seeds.ts")).showSeeds(flags, context);
      }
      return (await import("../plan/cost.ts")).showCost(flags, context);
    });
  for (const one of [defineGpus, defineBuyOrRent, defineChoose, defineRoles, defineEffects]) one(command, context);
}

function collected(one: string, before: readonly string[] = []): readonly string[] {
  return [...before, one];
}
