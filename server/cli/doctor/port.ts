/** Does our server answer, or is its port free? */
import { createServer } from "node:net";
import { z } from "zod";
import { loadConfig } from "../../config/load.ts";
import { portHolder, programText } from "../../platform/port-holder.ts";
import { withClient } from "../client.ts";
import { asCommandFailure } from "../errors.ts";
import { type Check, type CheckContext, type Finding, fail, note, ok } from "./check.ts";

const readyAnswer = z.object({ status: z.string(), reason: z.string().optional() });

export const portCheck: Check = {
  title: "Server",
  look: (context) => (context.server === null ? lookAtPort(context) : lookAtServer(context.server)),
};

async function lookAtServer(server: NonNullable<CheckContext["server"]>): Promise<Finding> {
  try {
    await withClient(server, (client) => client.call("GET", "/ready", readyAnswer));
    return ok(`answers at ${server.url}${server.pid === null ? "" : ` (pid ${server.pid})`}`);
  } catch (thrown) {
    const { message, why } = asCommandFailure(thrown);
    return fail(
      `${message}. ${why}`.trim(),
      server.source === "LANTHORN_URL" ? "unset LANTHORN_URL" : "lanthorn stop --now",
    );
  }
}

async function lookAtPort({ paths, environment, workingFolder }: CheckContext): Promise<Finding> {
  const settings = readBind({ file: paths.config, environment, flags: [], workingFolder });
  if (settings === null) return note("not looked at: the settings cannot be read");
  const { host, port } = settings;
  const where = port === 0 ? `a port on ${host}` : `${host} port ${port}`;
  const code = await new Promise<string | null>((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    probe.listen({ host, port }, () => probe.close(() => resolve(null)));
  });
  if (code === null) return ok(`not running; ${where} is free`);
  if (code === "EADDRINUSE") {
    const holder = await portHolder(host.replace(/^\[|\]$/g, ""), port);
    const who = holder.box === null ? programText(holder) : "a Lanthorn of another data folder";
    return fail(`port ${port} on ${host} is taken by ${who}`, "lanthorn serve --port 0");
  }
  if (code === "EACCES") return fail(`port ${port} needs more rights`, "lanthorn serve --port 4747");
  return fail(`cannot listen on ${host} port ${port} (${code})`, "lanthorn serve --host 127.0.0.1");
}

function readBind(sources: Parameters<typeof loadConfig>[0]): { readonly host: string; readonly port: number } | null {
  try {
    return loadConfig(sources).values;
  } catch {
    return null;
  }
}
