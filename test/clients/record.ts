/**
 * `npm run test:clients -- --record`: how much of a real agent's prompt is cached from turn to turn. The agent holds one conversation of several
 * turns, each a process of its own that goes on with the last; the prompts are computed by the real engine over random weights, the answers are
 * played. With prompt hygiene on and, where the box has that switch, off.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeRandomModel } from "../../models/random/model.ts";
import { shapes } from "../../models/random/shapes.ts";
import { chatPrompt } from "../../server/backends/engine/prompt-input.ts";
import { loadConfig } from "../../server/config/load.ts";
import type { ChatRequest } from "../../server/domain/chat.ts";
import { type BareModel, loadBare } from "../support/bare-library.ts";
import { openBox } from "./box.ts";
import type { AgentClient, Client } from "./client.ts";
import type { Installed } from "./install.ts";
import { type Prefilled, type PrefilledBackend, prefilledBackend } from "./prefilled.ts";
import { newFolders, runAgent } from "./run-agent.ts";
import { agentPrompt, says, writesTheFile } from "./scripts.ts";
import { commonPrefix, unchangedLines } from "./unchanged.ts";

export interface RecordedRequest {
  readonly client: string;
  readonly hygiene: string;
  readonly turn: number;
  /** Side requests (titles, memory) bring other tools or none. */
  readonly tools: number;
  readonly promptTokens: number;
  /** Of these, how many some earlier prompt of the conversation had at the same place. */
  readonly prefixTokens: number;
  /** Of these, how many stand in lines that the turn before had too, wherever a changed line stands. */
  readonly unchangedTokens: number;
  readonly cachedTokens: number;
  readonly prefillMs: number;
}

export interface RecordWishes {
  readonly slots: number;
  /** Each prompt begins with a line that no other has, as Claude Code's do. */
  readonly header: boolean;
}

/** Enough for Qwen Code's system prompt and tools in the tokens of random weights. */
const contextLength = 32_768;
const turns = [
  { prompt: agentPrompt, resume: false },
  { prompt: "Write the file hello.txt once more, with the same content.", resume: true },
  { prompt: "And a last time: write hello.txt again, then say done.", resume: true },
  // Another conversation of the same person about the same folder.
  { prompt: agentPrompt, resume: false },
];
/** Prefill of a long prompt on a busy machine. */
const turnLimitMs = 600_000;
const alias = "recorded";

export async function recordAgents(
  clients: readonly Client[],
  installed: Installed,
  wishes: RecordWishes & { readonly json: boolean },
  say: (line: string) => void,
): Promise<number> {
  const path = join(dirname(installed.folder), "tiny-random.gguf");
  if (!existsSync(path)) {
    await mkdir(dirname(path), { recursive: true });
    await writeRandomModel(`${path}.partial`, shapes.tiny, 42);
    await rename(`${path}.partial`, path);
  }
  const tokenizer = await loadBare(path, 512);
  const recorded: RecordedRequest[] = [];
  let failed = false;
  for (const client of clients.filter((one) => one.kind === "agent")) {
    for (const hygiene of hygieneSettings()) {
      try {
        const rows = await recordOne(client, hygiene, { path, ...wishes }, installed, tokenizer);
        for (const row of rows) say(lineOf(row));
        recorded.push(...rows);
      } catch (thrown) {
        failed = true;
        say(`${client.id}, hygiene ${hygiene}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
      }
    }
  }
  await tokenizer.close();
  process.stdout.write(`${wishes.json ? JSON.stringify(recorded, null, 2) : summary(recorded)}\n`);
  return failed ? 1 : 0;
}

/** What Claude Code writes before its system prompt: the rest of the line is different in each request. */
function withHeader(request: ChatRequest, number: number): ChatRequest {
  const [first, ...rest] = request.messages;
  if (first?.role !== "system") return request;
  const line = `x-anthropic-billing-header: cc_version=1.0.0; cch=${(number * 40_503).toString(16)};\n`;
  return { ...request, messages: [{ ...first, content: [{ type: "text", text: line }, ...first.content] }, ...rest] };
}

/** A box without the switch prepares prompts in one way only. */
function hygieneSettings(): readonly string[] {
  const config = loadConfig({ file: "/nonexistent/lanthorn.yaml", environment: {}, flags: [], workingFolder: "/" });
  return "hygiene" in config.values.engine ? ["on", "off"] : ["on"];
}

async function recordOne(
  client: AgentClient,
  hygiene: string,
  wishes: RecordWishes & { readonly path: string },
  installed: Installed,
  tokenizer: BareModel,
): Promise<RecordedRequest[]> {
  let backend: PrefilledBackend | null = null;
  const box = await openBox({
    environment: {
      LANTHORN_ENGINE_HYGIENE: hygiene,
      LANTHORN_MODELS: `${wishes.path},alias=${alias},context=${contextLength},slots=${wishes.slots}`,
    },
    backends: (engine) => {
      backend = prefilledBackend(engine, says("nothing is played"), wishes.header ? withHeader : (request) => request);
      return [backend];
    },
  });
  const { remove, ...folders } = await newFolders();
  try {
    const made = backend as PrefilledBackend | null;
    if (made === null) throw new Error("the box asked for no backend");
    made.play(writesTheFile(join(folders.folder, "hello.txt")));
    const place = { ...folders, address: { baseUrl: box.baseUrl, apiKey: box.key }, model: alias, contextLength };
    const rows: RecordedRequest[] = [];
    const earlier: Rendered[] = [];
    makeRepository(folders.folder);
    for (const [index, { prompt, resume }] of turns.entries()) {
      const run = await runAgent(
        client.start(installed.folder, place, prompt, { resume, sideRequests: true }),
        place,
        turnLimitMs,
      );
      if (run.code !== 0) throw new Error(`turn ${index + 1} ended with ${run.code}: ${run.output.slice(-500)}`);
      for (const one of made.takeComputed()) {
        const rendered = renderedBy(tokenizer, one);
        const prefixTokens = Math.max(0, ...earlier.map((before) => commonPrefix(before.tokens, rendered.tokens)));
        rows.push({
          client: client.id,
          hygiene,
          turn: index + 1,
          tools: one.request.tools.length,
          promptTokens: one.usage.promptTokens,
          prefixTokens,
          unchangedTokens: Math.max(prefixTokens, unchangedTokens(tokenizer, earlier, rendered)),
          cachedTokens: one.usage.cachedTokens,
          prefillMs: one.prefillMs,
        });
        earlier.push(rendered);
      }
      // What a person does between two turns: the folder looks different at the next.
      await writeFile(join(folders.folder, `note-${index + 1}.txt`), "a note\n");
    }
    return rows;
  } finally {
    await box.stop();
    await remove();
  }
}

/** Agents tell the model what git says of the folder. Where there is no git, they have nothing to tell. */
function makeRepository(folder: string): void {
  const git = (...args: readonly string[]) => spawnSync("git", ["-C", folder, ...args]).status === 0;
  const person = ["-c", "user.name=test", "-c", "user.email=test@localhost"];
  if (git("init", "-q")) git(...person, "commit", "-q", "--allow-empty", "-m", "begin");
}

interface Rendered {
  readonly tools: number;
  readonly lines: readonly string[];
  readonly tokens: readonly number[];
}

/** The prompt as the request asks for it, before anything is normalised. */
function renderedBy(tokenizer: BareModel, { request }: Prefilled): Rendered {
  const { messages, tools } = chatPrompt(request);
  const text = tokenizer.render(messages as Parameters<BareModel["render"]>[0], tools);
  return { tools: tools.length, lines: text.split("\n"), tokens: tokenizer.tokenize(text) };
}

/** Against the last prompt of the same kind. */
function unchangedTokens(tokenizer: BareModel, earlier: readonly Rendered[], now: Rendered): number {
  const before = earlier.findLast((one) => one.tools === now.tools);
  if (before === undefined) return 0;
  const same = unchangedLines(before.lines, now.lines).map((index) => now.lines[index]);
  return tokenizer.tokenize(same.join("\n")).length;
}

/** Per agent and setting: of what was unchanged from the second request on, how much was cached. */
function summary(rows: readonly RecordedRequest[]): string {
  const groups = Map.groupBy(rows, (row) => `${row.client}, hygiene ${row.hygiene}`);
  return [...groups]
    .map(([name, all]) => {
      const later = all.filter((row) => row.prefixTokens > 0);
      const share = (of: "prefixTokens" | "unchangedTokens") => {
        const sum = (tokensOf: (row: RecordedRequest) => number) =>
          later.reduce((total, row) => total + tokensOf(row), 0);
        // A line that hygiene takes out ends the common prefix, and more than that is cached.
        return `${((100 * sum((row) => Math.min(row.cachedTokens, row[of]))) / sum((row) => row[of])).toFixed(1)} %`;
      };
      return `${name}: ${later.length} requests, cached ${share("prefixTokens")} of the common prefix, ${share("unchangedTokens")} of what is unchanged`;
    })
    .join("\n");
}

function lineOf(row: RecordedRequest): string {
  const share = (of: number) => (of === 0 ? "–" : `${((100 * Math.min(row.cachedTokens, of)) / of).toFixed(1)} %`);
  return [
    `${row.client}, hygiene ${row.hygiene}, turn ${row.turn}, ${row.tools} tools: prompt ${row.promptTokens}`,
    `cached ${row.cachedTokens}`,
    `common prefix ${row.prefixTokens} (cached: ${share(row.prefixTokens)})`,
    `unchanged lines ${row.unchangedTokens} (cached: ${share(row.unchangedTokens)})`,
    `prefill ${row.prefillMs} ms`,
  ].join(", ");
}
