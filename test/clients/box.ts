/**
 * The box the clients talk to: the whole appliance on loopback, with real HTTP, keys, router and ledger file. Only the model is
 * played: beside the engine's own models, one alias is answered by whatever script is on. Runs in the harness's process.
 */
import { rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createAppliance } from "../../server/appliance.ts";
import type { Backend, ChatContext } from "../../server/backends/backend.ts";
import type { Engine } from "../../server/backends/engine/engine.ts";
import { loadConfig } from "../../server/config/load.ts";
import type { ChatRequest } from "../../server/domain/chat.ts";
import type { RequestRecord } from "../../server/ledger/records.ts";
import { systemClock } from "../../server/platform/clock.ts";
import { newToolCallId } from "../../server/platform/ids.ts";
import { dataPaths } from "../../server/platform/paths.ts";
import { silentLog, temporaryFolder, until } from "../support/real-engine.ts";
import { type Script, says } from "./scripts.ts";

/** The alias that scripts answer. */
export const playedModel = "played";
/** The engine's own demo model. */
export const demoModel = "lanthorn-demo";
/** More than any prompt of a client here, in tokens. */
export const playedContext = 131_072;

/** A request as it came to the played model. */
export interface Asked {
  readonly request: ChatRequest;
  readonly context: ChatContext;
  /** `performance.now()` */
  readonly atMs: number;
  readonly signal: AbortSignal;
}

export interface ClientBox {
  /** With `/v1`. */
  readonly baseUrl: string;
  readonly key: string;
  /** From here on this script answers; what was asked and which rows are there is counted from here too. */
  play(script: Script): Promise<void>;
  asked(): readonly Asked[];
  /** Rows since `play`, oldest first; waits until none is open. */
  rows(): Promise<readonly RequestRecord[]>;
  stop(): Promise<void>;
}

export interface BoxWishes {
  readonly environment?: Readonly<Record<string, string>>;
  /** Instead of the played model beside the engine. */
  readonly backends?: (engine: Engine) => readonly Backend[];
}

export async function openBox(wishes: BoxWishes = {}): Promise<ClientBox> {
  const folder = await temporaryFolder();
  // For a harness that is interrupted.
  const removeNow = (): void => rmSync(folder.path, { recursive: true, force: true });
  process.once("exit", removeNow);
  const environment = {
    LANTHORN_HOME: folder.path,
    LANTHORN_PORT: "0",
    LANTHORN_AUTH: "always",
    LANTHORN_ENGINE_THREADS: "1",
    // So that a silence of seconds holds several signs of life.
    LANTHORN_HTTP_KEEP_ALIVE_MS: "500",
    ...wishes.environment,
  };
  const paths = dataPaths(environment);
  const config = loadConfig({ file: paths.config, environment, flags: [], workingFolder: folder.path });
  let script = says("nothing is played");
  let asked: Asked[] = [];
  const played = (engine: Engine): readonly Backend[] => [
    engine,
    {
      // Whatever the contract asks besides chatting, the engine has.
      ...engine,
      id: "played",
      served: () => [
        {
          alias: playedModel,
          fileName: "played.gguf",
          sizeBytes: 1,
          createdAtMs: 0,
          contextLength: playedContext,
          slots: 4,
          demo: false,
          capabilities: ["chat"],
          embeddingLength: null,
        },
      ],
      count: () => Promise.resolve(1),
      health: () => ({ able: true, reason: "played" }),
      chat: (request, context, signal) => {
        asked.push({ request, context, atMs: performance.now(), signal });
        return script(request, { number: asked.length, signal, toolCallId: newToolCallId() });
      },
      close: () => Promise.resolve(),
    },
  ];
  const appliance = await createAppliance(
    {
      config,
      paths,
      environmentAdminKey: null,
      firstKeyFile: null,
      terminal: false,
      lan: false,
      onStopAsked: () => {},
    },
    { clock: systemClock, log: silentLog, backends: wishes.backends ?? played, environment },
  );
  const { url } = appliance.started;
  const adminKey = (await readFile(paths.adminKey, "utf8")).trim();
  const admin = async (path: string, body?: object): Promise<unknown> => {
    const response = await fetch(`${url}/admin/${path}`, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${adminKey}`, "content-type": "application/json" },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`/admin/${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };
  const allRows = async (): Promise<readonly RequestRecord[]> => {
    const { requests } = (await admin("usage/requests?limit=1000")) as { requests: RequestRecord[] };
    return requests.toReversed();
  };
  const { secret } = (await admin("keys", { name: "clients" })) as { secret: string };
  let before = new Set<string>();

  return {
    baseUrl: `${url}/v1`,
    key: secret,
    play: async (next) => {
      before = new Set((await allRows()).map((row) => row.id));
      script = next;
      asked = [];
    },
    asked: () => asked,
    rows: async () => {
      let rows: readonly RequestRecord[] = [];
      await until("every row is closed", async () => {
        rows = (await allRows()).filter((row) => !before.has(row.id));
        return rows.every((row) => row.status !== "open");
      });
      return rows;
    },
    stop: async () => {
      await appliance.stop(0);
      await folder.remove();
      process.off("exit", removeNow);
    },
  };
}
