/** The file of `lanthorn route apply`: routes as in lanthorn.yaml, and the gate they must pass. Runs in the command's process. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { z } from "zod";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { wrongUse } from "./tasks.ts";

const shape = z.strictObject({
  routes: z.record(z.string(), z.unknown()),
  gate: z
    .strictObject({
      tasks: z.string().min(1),
      minPassRate: z.number().min(0).max(1).optional(),
      timeLimitSeconds: z.number().positive().max(86_400).optional(),
      /** Which of the changed aliases are asked; absent: all. */
      aliases: z.array(z.string()).min(1).optional(),
    })
    .optional(),
});

export interface ChangeFile {
  readonly routes: Readonly<Record<string, unknown>>;
  /** Null: the file names none. Its tasks lie where the file says, seen from the file. */
  readonly gate: {
    readonly tasks: string;
    readonly minPassRate: number | undefined;
    readonly timeLimitSeconds: number | undefined;
    readonly aliases: readonly string[] | undefined;
  } | null;
}

/** Throws exit 2 for a file that is none of these, exit 5 for one that cannot be read. */
export async function readChangeFile(file: string, { workingFolder }: CommandContext): Promise<ChangeFile> {
  const path = resolve(workingFolder, file);
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new CommandFailure(exitCodes.noSuchThing, "no_such_file", `${file} cannot be read`, { why, next: [] });
  }
  const { parseDocument } = await import("yaml");
  const document = parseDocument(text);
  const error = document.errors[0];
  if (error !== undefined) throw wrongUse(`${file} cannot be understood: ${error.message.split("\n")[0] ?? ""}`);
  const parsed = shape.safeParse(document.toJS({ maxAliasCount: 100 }));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw wrongUse(
      `${file}: ${[issue?.path.join("."), issue?.message].filter(Boolean).join(": ")}. It has "routes:" as in lanthorn.yaml, and may have "gate:".`,
    );
  }
  const { routes, gate } = parsed.data;
  if (Object.keys(routes).length === 0) throw wrongUse(`${file} has no routes.`);
  if (gate === undefined) return { routes, gate: null };
  const { tasks, minPassRate, timeLimitSeconds, aliases } = gate;
  return { routes, gate: { tasks: resolve(dirname(path), tasks), minPassRate, timeLimitSeconds, aliases } };
}
