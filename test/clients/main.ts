/**
 * `npm run test:clients`: real clients, unmodified and in exact versions, against a whole box on loopback. Prints a table of client and case,
 * or with `--json` an array. docs/clients.md shows the last one.
 *
 *   node test/clients/main.ts [--only openai7,opencode] [--case text,abort] [--json]
 *   node test/clients/main.ts --record [--slots 2] [--header] [--only opencode] [--json]
 *
 * `--record` measures instead how much of an agent's prompt is still cached from turn to turn. Ends with 0 when nothing failed, 1 when
 * something did, 2 for a wrong option.
 */
import { parseArgs } from "node:util";
import { type AgentCase, agentCases } from "./agent-cases.ts";
import { type ClientBox, openBox } from "./box.ts";
import { cloudCases, runCloudCase } from "./cloud-cases.ts";
import type { AgentClient, Client, Outcome, SdkClient } from "./client.ts";
import { clients } from "./clients/index.ts";
import { type Installed, installClients } from "./install.ts";
import { recordAgents } from "./record.ts";
import { table } from "./report.ts";
import { killAllAgents } from "./run-agent.ts";
import { sdkCases } from "./sdk-cases.ts";
import type { SdkCase } from "./sdk-checks.ts";
import { isSealed, runSealed } from "./sealed.ts";

const say = (line: string): void => void process.stderr.write(`${line}\n`);

process.exitCode = await main();

async function main(): Promise<number> {
  const asked = readOptions();
  if (typeof asked === "string") {
    say(asked);
    return 2;
  }
  const installed = await installClients(say);
  if (!isSealed()) {
    const code = await runSealed(process.argv.slice(1));
    if (code !== null) return code;
    say("This system gives no network of one's own, so the clients could reach the outside; they are told not to.");
  }
  process.once("exit", killAllAgents);
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));
  if (asked.record) return recordAgents(asked.clients, installed, asked, say);

  const outcomes: Outcome[] = [];
  const box = await openBox();
  try {
    for (const client of asked.clients) {
      const cases = client.kind === "sdk" ? sdkRuns(box, client, installed) : agentRuns(box, client, installed);
      const version = await installed.versionOf(client.package);
      for (const { name, run } of cases.filter((one) => asked.wants(one.name))) {
        const outcome = { client: client.id, version, case: name, ...(await judged(run)) };
        say(`${outcome.client} ${name}: ${outcome.result} (${outcome.seconds.toFixed(1)} s) ${outcome.reason}`);
        outcomes.push(outcome);
      }
    }
  } finally {
    await box.stop();
  }
  if (outcomes.length === 0) {
    say("No case of that name.");
    return 2;
  }
  process.stdout.write(`${asked.json ? JSON.stringify(outcomes, null, 2) : table(outcomes)}\n`);
  return outcomes.some((one) => one.result === "failed") ? 1 : 0;
}

interface Run {
  readonly name: string;
  /** A reason when it does not apply. */
  run(): Promise<string | undefined>;
}

function sdkRuns(box: ClientBox, client: SdkClient, { load }: Installed): readonly Run[] {
  return sdkCases.map(({ name, run }: SdkCase) => ({
    name,
    run: () =>
      run({
        box,
        client,
        connect: ({ apiKey = box.key, retries = 0 } = {}) =>
          client.connect(load, { baseUrl: box.baseUrl, apiKey, retries }),
      }),
  }));
}

function agentRuns(box: ClientBox, client: AgentClient, { folder }: Installed): readonly Run[] {
  const played = agentCases.map(({ name, run }: AgentCase) => ({
    name,
    run: async () => {
      await run({ box, client, installed: folder });
      return undefined;
    },
  }));
  const cloud = cloudCases.map((one) => ({
    name: one.name,
    run: async () => {
      await runCloudCase(client, folder, one);
      return undefined;
    },
  }));
  return [...played, ...cloud];
}

async function judged(run: Run["run"]): Promise<Pick<Outcome, "result" | "reason" | "seconds">> {
  const startedMs = performance.now();
  const seconds = () => (performance.now() - startedMs) / 1000;
  try {
    const reason = await run();
    return { result: reason === undefined ? "ok" : "not applicable", reason: reason ?? "", seconds: seconds() };
  } catch (thrown) {
    return { result: "failed", reason: thrown instanceof Error ? thrown.message : String(thrown), seconds: seconds() };
  }
}

interface Asked {
  readonly clients: readonly Client[];
  readonly record: boolean;
  /** Of the model that computes prompts while recording. */
  readonly slots: number;
  readonly header: boolean;
  readonly json: boolean;
  wants(caseName: string): boolean;
}

/** The options, or the sentence that says what is wrong with them. */
function readOptions(): Asked | string {
  try {
    const { values } = parseArgs({
      options: {
        only: { type: "string" },
        case: { type: "string" },
        record: { type: "boolean", default: false },
        header: { type: "boolean", default: false },
        slots: { type: "string", default: "2" },
        json: { type: "boolean", default: false },
      },
    });
    const only = values.only?.split(",") ?? null;
    const known = clients.map((client) => client.id);
    const unknown = only?.find((id) => !known.includes(id));
    if (unknown !== undefined) return `--only knows ${known.join(", ")}; not ${unknown}.`;
    const slots = Number(values.slots);
    if (!(Number.isInteger(slots) && slots >= 1 && slots <= 8)) return "--slots wants 1 to 8.";
    const words = values.case?.split(",") ?? null;
    return {
      clients: clients.filter((client) => only === null || only.includes(client.id)),
      record: values.record,
      slots,
      header: values.header,
      json: values.json,
      wants: (name) => words === null || words.some((word) => name.includes(word)),
    };
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown);
  }
}
