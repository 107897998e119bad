/**
 * Asks the running server to bring a model into memory or out of it, and follows what becomes of it. Runs in the command's
 * process; for `models load`, `unload`, `pin` and `unpin`.
 */
import { setTimeout as pause } from "node:timers/promises";
import { z } from "zod";
import { modelAnswer, stateAnswer } from "../answers.ts";
import { type Client, withServer } from "../client.ts";
import type { CommandContext } from "../command.ts";
import { CommandFailure } from "../errors.ts";
import { exitCodes } from "../exit-codes.ts";
import { durationText } from "../format.ts";

export type ShownModel = z.output<typeof modelAnswer>;
export type Act = "load" | "unload" | "pin" | "unpin";

const actAnswer = z.object({ model: modelAnswer });
const rescanAnswer = z.object({ models: z.array(z.string()) });

/** Between two looks at the server. */
const lookGapMs = 200;

/** One request; the model as it is right after it. */
export async function act(client: Client, alias: string, what: Act, body?: object): Promise<ShownModel> {
  const path = `/admin/models/${encodeURIComponent(alias)}/${what}`;
  const { model } = await client.call("POST", path, actAnswer, body === undefined ? {} : { body });
  return model;
}

/** Asks, then looks until `isDone`; throws what `isDone` throws. Gives the model, and how long it took. */
export async function actAndFollow(
  alias: string,
  what: "load" | "unload",
  context: CommandContext,
  body: object | undefined,
  isDone: (model: ShownModel) => boolean,
): Promise<{ readonly model: ShownModel; readonly tookMs: number }> {
  const startMs = performance.now();
  return withServer(context.environment, async (client) => {
    let model = await act(client, alias, what, body);
    if (isDone(model)) return { model, tookMs: performance.now() - startMs };
    context.onInterrupt("The server goes on with it.");
    const progress = context.output.progress(words(alias, model));
    try {
      while (!isDone(model)) {
        await pause(lookGapMs, undefined, { signal: context.signal });
        model = await look(client, alias);
        progress.update(`${words(alias, model)}, ${durationText(performance.now() - startMs)}`);
      }
    } finally {
      progress.end(null);
    }
    return { model, tookMs: performance.now() - startMs };
  });
}

/** A file was added or taken away: the server looks again. Gives the aliases it serves now. */
export async function rescan(client: Client): Promise<readonly string[]> {
  return (await client.call("POST", "/admin/models/rescan", rescanAnswer)).models;
}

async function look(client: Client, alias: string): Promise<ShownModel> {
  const { models } = await client.call("GET", "/admin/state", stateAnswer);
  const model = models.find(({ id }) => id === alias);
  if (model !== undefined) return model;
  throw new CommandFailure(exitCodes.noSuchThing, "model_not_found", `"${alias}" is not served any more`, {
    next: ["lanthorn models list"],
  });
}

function words(alias: string, { state, reason }: ShownModel): string {
  return `${alias}: ${state}, ${reason}`;
}
