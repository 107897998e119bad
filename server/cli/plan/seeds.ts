import type { CommandContext } from "../command.ts";
import type { PlanFlags } from "./flags.ts";
export async function showSeeds(_flags: PlanFlags, _context: CommandContext): Promise<void> {}
