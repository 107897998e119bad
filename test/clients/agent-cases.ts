/**
 * S-15, as far as the chat wire goes: a coding agent, unmodified, writes a file through a scripted model; warm, cold, told to come back
 * later, and told that its conversation is too long. The ledger has to have a row for each request it made.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../server/domain/failure.ts";
import type { RequestStatus } from "../../server/ledger/rows.ts";
import { type ClientBox, playedContext, playedModel } from "./box.ts";
import type { AgentClient } from "./client.ts";
import { type AgentRun, newFolders, runAgent } from "./run-agent.ts";
import {
  afterSilence,
  agentPrompt,
  fileContent,
  oneAfterAnother,
  refuses,
  type Script,
  writesTheFile,
} from "./scripts.ts";

export interface AgentContext {
  readonly box: ClientBox;
  readonly client: AgentClient;
  /** The `node_modules` the clients are installed in. */
  readonly installed: string;
}

export interface AgentCase {
  readonly name: string;
  run(context: AgentContext): Promise<void>;
}

/** S-15 asks for 60 s; five times that is a fault on any machine. */
const limitMs = 300_000;
const silentMs = 7_000;
const retryAfterSeconds = 2;

/** So that the first request is the conversation's. */
const quiet = { resume: false, sideRequests: false };

export const agentCases: readonly AgentCase[] = [
  { name: "writes a file", run: writes((path) => writesTheFile(path), []) },
  {
    name: "cold model",
    run: writes((path) => oneAfterAnother(afterSilence(silentMs, writesTheFile(path)), writesTheFile(path)), []),
  },
  {
    name: "one 429",
    async run(context) {
      const full = new Failure("queue_full", "64 requests are waiting for this model already.", { retryAfterSeconds });
      await writes((path) => oneAfterAnother(refuses(full), writesTheFile(path)), ["failed"])(context);
      const [first, second] = context.box.asked().map((one) => one.atMs);
      const gapMs = (second ?? 0) - (first ?? 0);
      assert.ok(gapMs >= retryAfterSeconds * 1000 - 50, `asked again after ${Math.round(gapMs)} ms`);
    },
  },
  {
    name: "context full",
    async run({ box, client, installed }) {
      const failure = new Failure(
        "context_length_exceeded",
        'maximum context length is 8192 tokens for "played"; this prompt has 12345. Shorten it, or serve the model with a longer context.',
        { param: "messages" },
      );
      const { run } = await start({ box, client, installed }, () => refuses(failure));
      assert.equal(run.timedOut, false, "it ends by itself");
      assert.notEqual(run.code, 0, "it does not call that a success");
      assert.match(run.output, client.overflowWords);
      const asked = box.asked().map((one) => one.request);
      if (client.shortens)
        assert.ok(
          asked.slice(1).some((request) => request.tools.length === 0),
          "asked for less",
        );
      assert.ok(asked.length <= 6, `${asked.length} requests for one that can never fit`);
      await rowsMatch(box, Array<RequestStatus>(asked.length).fill("failed"));
    },
  },
];

/** The agent ends well, the file is there byte for byte, and each request has its row: first these, then `done`. */
function writes(script: (path: string) => Script, first: readonly RequestStatus[]): AgentCase["run"] {
  return async (context) => {
    const { run, written } = await start(context, script);
    assert.equal(run.timedOut, false, `still running after ${limitMs / 1000} s: ${run.output.slice(-300)}`);
    assert.equal(run.code, 0, `ended with ${run.code}: ${run.output.slice(-500)}`);
    assert.equal(written, fileContent, "hello.txt, byte for byte");
    const answered = context.box.asked().length - first.length;
    assert.ok(answered >= 2, `${answered} requests answered`);
    await rowsMatch(context.box, [...first, ...Array<RequestStatus>(answered).fill("done")]);
  };
}

async function start(
  { box, client, installed }: AgentContext,
  script: (path: string) => Script,
): Promise<{ readonly run: AgentRun; readonly written: string | null }> {
  const { remove, ...folders } = await newFolders();
  try {
    const path = join(folders.folder, "hello.txt");
    await box.play(script(path));
    const place = {
      ...folders,
      address: { baseUrl: box.baseUrl, apiKey: box.key },
      model: playedModel,
      contextLength: playedContext,
    };
    const run = await runAgent(client.start(installed, place, agentPrompt, quiet), place, limitMs);
    return { run, written: await readFile(path, "utf8").catch(() => null) };
  } finally {
    await remove();
  }
}

async function rowsMatch(box: ClientBox, statuses: readonly RequestStatus[]): Promise<void> {
  const rows = await box.rows();
  const asked = box.asked().map((one) => one.context.requestId);
  assert.deepEqual(rows.map((row) => row.id).toSorted(), asked.toSorted(), "one row for each request");
  const byId = new Map(rows.map((row) => [row.id, row.status]));
  assert.deepEqual(
    asked.map((id) => byId.get(id)),
    statuses,
  );
}
