/**
 * Many clients with several keys against one budget: a real server process, a stand-in vendor with a price, and, if wished, kills in the
 * middle. What was spent and held is read from the record that the server wrote at each change.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { seeded } from "../random.ts";
import { temporaryFolder, until } from "../real-engine.ts";
import { type RunningServer, startServer } from "../running-server.ts";
import { type SeenRequest, startVendor } from "../vendors/vendor.ts";
import { problemsOf, rowsOf, type Standing, type Summary } from "./accounts.ts";
import { judgeRecord } from "./record.ts";
import { type Ask, nextAsk, vendorStep } from "./story.ts";

export interface RaceWishes {
  readonly keys: number;
  readonly parallel: number;
  /** US dollars in decimals. */
  readonly limit: string;
  readonly requests: number;
  /** The server is killed so often while they run. */
  readonly kills: number;
  readonly seed: number;
  /** Vendors that take more than they were allowed. */
  readonly overruns: boolean;
}

export interface RaceResult {
  /**
   * US dollars, of the budget for everybody, at the highest instant: all that this box let in. What vendors took beyond what was held
   * for it is apart, in the next one.
   */
  readonly maxSpentPlusHeld: number;
  readonly maxWithOverruns: number;
  readonly limit: number;
  /** Answers that the vendor was asked for. */
  readonly upstreamHits: number;
  /** Attempts that money was held for and that have an end. */
  readonly settledRows: number;
  /** Attempts that were refused before anything was sent. */
  readonly refusals: number;
  /** Attempts that cost more than was held, and by how much in US dollars. */
  readonly overruns: { readonly rows: number; readonly usd: number };
  /** Past the limit at the worst instant, in US dollars; at most the overruns until then. */
  readonly exceeded: number;
  readonly interruptedRows: number;
  readonly statuses: Readonly<Record<string, number>>;
  readonly kills: number;
  readonly workersKilled: number;
  readonly seed: number;
  readonly recordLines: number;
  /** Sentences about what does not hold; empty: all of it does. */
  readonly problems: readonly string[];
}

const models = ["one", "two", "three", "four"];
const aliases = ["paid", "acme/one", "mixed"];
const nanosPerUsd = 1e9;
/** Between two kills; a liveness limit. */
const longestMs = 600_000;

/** `paid` retries and falls back among vendors; `mixed` ends on this box, so that a budget refuses it nothing. */
function settings({ limit, keys }: RaceWishes, baseUrl: string) {
  const share = (part: number) => (Number(limit) * part).toFixed(6);
  const groups = (names: readonly string[]) => [{ targets: names.map((target) => ({ target })) }];
  return {
    providers: {
      acme: { type: "custom", baseUrl, models, timeouts: { firstByteMs: 1_500, idleMs: 700, wholeMs: 2_500 } },
    },
    routes: {
      paid: { groups: [{ targets: [{ target: "acme/one" }, { target: "acme/two" }] }, ...groups(["acme/three"])] },
      mixed: { groups: [...groups(["acme/four"]), ...groups(["engine/lanthorn-demo"])], maxOutputTokens: 4 },
    },
    // Dear enough that a dollar is soon gone: an answer is half a cent.
    prices: models.map((model) => ({ provider: "acme", model, prompt: "20", completion: "300" })),
    zone: "UTC",
    budgets: {
      outputTokens: 48,
      record: "budgets.jsonl",
      caps: {
        team: { usd: limit },
        each: { usd: share(1.6 / keys), of: "key:*", every: "day" },
        paid: { usd: share(0.8), of: "alias:paid", every: "week" },
        vendor: { usd: share(0.99), of: "provider:acme" },
        watch: { usd: share(0.5), hard: false },
      },
    },
  };
}

export async function race(wishes: RaceWishes, say: (line: string) => void = () => {}): Promise<RaceResult> {
  const random = seeded(wishes.seed);
  const script = ({ body }: SeenRequest) => vendorStep(random, Number(body.max_tokens ?? 100), wishes.overruns);
  const vendor = await startVendor({ wire: "openai", models, script });
  const folder = await temporaryFolder();
  const config = join(folder.path, "lanthorn.yaml");
  writeFileSync(config, JSON.stringify(settings(wishes, vendor.baseUrl)), { mode: 0o600 });
  const start = () =>
    startServer({
      home: folder.path,
      environment: { LANTHORN_PROVIDER_ACME_KEY: "sk-race", LANTHORN_LOG_LEVEL: "error" },
    });

  let server: RunningServer = await start();
  let generation = 0;
  /** Resolves while a server is there to be asked. */
  let there: Promise<void> = Promise.resolve();
  const secrets: string[] = [];
  for (let key = 1; key <= wishes.keys; key += 1) {
    const created = await atAdmin(server, "/admin/keys", { name: `racer-${key}` });
    secrets.push((JSON.parse(created) as { secret: string }).secret);
  }

  /** Requests whose answer a client has read to its end. */
  const seenWhole: string[] = [];
  const statuses: Record<string, number> = {};
  const count = (what: string) => {
    statuses[what] = (statuses[what] ?? 0) + 1;
  };
  let sent = 0;
  let ended = 0;
  const client = async () => {
    while (sent < wishes.requests) {
      sent += 1;
      await there;
      const ask = nextAsk(random, aliases);
      count(await once(server.url, random.pick(secrets), ask, (id) => seenWhole.push(id)).catch(() => "cut off"));
      ended += 1;
    }
  };

  const killer = async () => {
    for (let kill = 1; kill <= wishes.kills; kill += 1) {
      const at = Math.floor((wishes.requests * kill) / (wishes.kills + 1));
      await until("the moment to kill", () => ended >= at, longestMs);
      let back = () => {};
      there = new Promise((resolve) => {
        back = resolve;
      });
      await server.stop("SIGKILL");
      generation += 1;
      say(`killed after ${ended} requests; starting again`);
      server = await start();
      back();
    }
  };
  /** Answers of this box die with its worker; what they fell back from was settled before. */
  const workerKiller = async () => {
    let pid: number | null = null;
    const look = async () => {
      if (ended < wishes.requests / 2) return false;
      await there;
      const state = await atAdmin(server, "/admin/state").catch(() => "{}");
      pid = (JSON.parse(state) as { models?: { workerPid: number | null }[] }).models?.[0]?.workerPid ?? null;
      return pid !== null || ended >= wishes.requests;
    };
    await until("a worker in the second half of the race", look, longestMs);
    if (pid === null) return 0;
    process.kill(pid, "SIGKILL");
    return 1;
  };
  const [workersKilled] = await Promise.all([
    workerKiller(),
    killer(),
    ...Array.from({ length: wishes.parallel }, client),
  ]);

  const standing = JSON.parse(await atAdmin(server, "/admin/budgets")) as Standing;
  const summary = JSON.parse(await atAdmin(server, "/admin/usage/summary")) as Summary;
  const csv = await atAdmin(server, "/admin/usage/export");
  await server.stop();
  await vendor.settled();
  const upstreamHits = vendor.log.asked.length;
  const judged = judgeRecord(join(folder.path, "budgets.jsonl"), "team");
  const rows = rowsOf(join(folder.path, "ledger.db"), seenWhole);
  const after = await start();
  const again = JSON.parse(await atAdmin(after, "/admin/budgets")) as Standing;
  await after.stop();
  await vendor.stop();
  await folder.remove();

  const problems = problemsOf({ wishes, judged, rows, standing, again, summary, csv, upstreamHits, statuses });
  return {
    maxSpentPlusHeld: judged.maxSpentPlusHeldNanos / nanosPerUsd,
    maxWithOverruns: judged.maxWithOverrunsNanos / nanosPerUsd,
    limit: Number(wishes.limit),
    upstreamHits,
    settledRows: rows.settled,
    refusals: rows.refused,
    overruns: { rows: rows.overruns, usd: rows.overrunNanos / nanosPerUsd },
    exceeded: judged.exceededNanos / nanosPerUsd,
    interruptedRows: rows.interrupted,
    statuses,
    kills: generation,
    workersKilled,
    seed: wishes.seed,
    recordLines: judged.lines,
    problems,
  };
}

/** Text of an answer of the admin API. */
async function atAdmin({ url, home }: RunningServer, path: string, body?: object): Promise<string> {
  const key = readFileSync(join(home, "admin.key"), "utf8").trim();
  const answer = await fetch(url + path, {
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
  });
  return answer.text();
}

async function once(url: string, secret: string, ask: Ask, whole: (requestId: string) => void): Promise<string> {
  const { alias, stream, maxTokens, leavesAfterMs } = ask;
  const signal = leavesAfterMs === null ? AbortSignal.timeout(60_000) : AbortSignal.timeout(leavesAfterMs);
  try {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: "POST",
      headers: { authorization: `Bearer ${secret}`, "content-type": "application/json" },
      body: JSON.stringify({
        ...{ model: alias, stream, messages: [{ role: "user", content: "count to ten" }] },
        ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
      }),
      signal,
    });
    const text = await response.text();
    if (response.status === 200 && (!stream || text.includes("[DONE]")))
      whole(response.headers.get("x-request-id") ?? "");
    const retry = response.headers.get("x-should-retry");
    if (response.status === 402 && retry !== "false") return "402 without x-should-retry";
    return response.status === 402 && alias === "mixed" ? "402 with a local target" : String(response.status);
  } catch (thrown) {
    if (signal.aborted) return "left";
    throw thrown;
  }
}
