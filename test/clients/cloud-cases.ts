/**
 * S-15 over the cloud: a coding agent, unmodified, finishes its task through a route whose two groups are stand-in vendors, one of which plays
 * the model. As it should be; while the first vendor says 429 once; while nobody listens where the first should be. What the agent
 * asked, what the vendors answered and what the ledger holds have to agree.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import type { ToolDefinition } from "../../server/domain/chat.ts";
import { faults, type SeenRequest, type Step, startVendor, type Vendor } from "../support/vendors/vendor.ts";
import { type ClientBox, openBox } from "./box.ts";
import type { AgentClient } from "./client.ts";
import { newFolders, runAgent } from "./run-agent.ts";
import { agentPrompt, fileContent, writingCall } from "./scripts.ts";

export interface CloudCase {
  readonly name: string;
  /** The alias whose route is used. */
  readonly model: string;
  /** How the first vendor answers its first request; null: as the model does. */
  readonly firstStep: Step | null;
  /** Whose answer it has to be, for the first request and for the others. */
  readonly answeredBy: readonly [first: string, others: string];
}

/** Longer than any agent takes to its end, so that it is told who answers what comes after. */
const rateLimited: Step = { fault: faults.rateLimited({ "retry-after": "300" }) };

export const cloudCases: readonly CloudCase[] = [
  { name: "cloud", model: "cloud-coder", firstStep: null, answeredBy: ["first/stand-in", "first/stand-in"] },
  {
    name: "cloud, one 429",
    model: "cloud-coder",
    firstStep: rateLimited,
    // Nobody waits where somebody else can answer.
    answeredBy: ["second/stand-in", "second/stand-in"],
  },
  {
    name: "cloud, first down",
    model: "down-coder",
    firstStep: null,
    answeredBy: ["second/stand-in", "second/stand-in"],
  },
];

const limitMs = 300_000;
const contextLength = 131_072;

export interface CloudPlace {
  readonly box: ClientBox;
  readonly first: Vendor;
  readonly second: Vendor;
  stop(): Promise<void>;
}

/** A box of its own for each case: a vendor that failed rests, and the next case must not find it so. */
export async function openCloud(): Promise<CloudPlace> {
  const [first, second] = await Promise.all([startVendor({ wire: "openai" }), startVendor({ wire: "openai" })]);
  const known = { type: "custom", models: [{ id: "stand-in", contextLength }] };
  const providers = {
    first: { ...known, baseUrl: first.baseUrl },
    second: { ...known, baseUrl: second.baseUrl },
    down: { ...known, baseUrl: await deadAddress() },
  };
  const routes = {
    "cloud-coder": { groups: ["first/stand-in", "second/stand-in"] },
    "down-coder": { groups: ["down/stand-in", "second/stand-in"] },
  };
  const prices = ["first", "second"].map((provider) => ({ provider, model: "stand-in", prompt: "1", completion: "2" }));
  const box = await openBox({
    environment: {
      LANTHORN_PROVIDERS: JSON.stringify(providers),
      LANTHORN_ROUTES: JSON.stringify(routes),
      LANTHORN_PRICES: JSON.stringify(prices),
    },
  });
  return {
    box,
    first,
    second,
    stop: async () => {
      await box.stop();
      await first.stop();
      await second.stop();
    },
  };
}

export async function runCloudCase(client: AgentClient, installed: string, wanted: CloudCase): Promise<void> {
  const cloud = await openCloud();
  const { remove, ...folders } = await newFolders();
  try {
    const { box, first, second } = cloud;
    const path = join(folders.folder, "hello.txt");
    let steps = wanted.firstStep === null ? [] : [wanted.firstStep];
    const model = ({ body }: SeenRequest) => modelStep(body, path);
    first.script((request) => {
      const [step, ...rest] = steps;
      steps = rest;
      return step ?? model(request);
    });
    second.script(model);
    const address = { baseUrl: box.baseUrl, apiKey: box.key };
    const place = { ...folders, address, model: wanted.model, contextLength };
    const start = client.start(installed, place, agentPrompt, { resume: false, sideRequests: false });
    const run = await runAgent(start, place, limitMs);
    assert.equal(run.timedOut, false, `still running after ${limitMs / 1000} s: ${run.output.slice(-300)}`);
    assert.equal(run.code, 0, `ended with ${run.code}: ${run.output.slice(-500)}`);
    assert.equal(await readFile(path, "utf8").catch(() => null), fileContent, "hello.txt, byte for byte");
    await rowsAgree(cloud, wanted);
  } finally {
    await remove();
    await cloud.stop();
  }
}

/** One row for each request; each answer of a vendor is one attempt with a cost; nothing is charged for what failed. */
async function rowsAgree(
  { box, first, second }: CloudPlace,
  { answeredBy, firstStep, model }: CloudCase,
): Promise<void> {
  const rows = await box.rows();
  assert.ok(rows.length >= 2, `${rows.length} requests`);
  const statuses = rows.map((row) => row.status);
  assert.deepEqual(statuses, Array<string>(rows.length).fill("done"), "the agent saw no failure");
  const answers = [...first.log.asked, ...second.log.asked].filter((one) => one.fate === "whole");
  assert.equal(answers.length, rows.length, "one answer of a vendor for each row");
  const attempts = rows.map((row) => row.attempts);
  assert.deepEqual(
    attempts.map((of) => of.at(-1)?.target),
    rows.map((_, index) => answeredBy[index === 0 ? 0 : 1]),
  );
  const failed = attempts.flat().filter((attempt) => attempt.status !== "done");
  assert.equal(failed.length > 0, firstStep !== null || model === "down-coder", "attempts that failed are rows too");
  for (const attempt of failed) assert.equal(attempt.usage.completionTokens, 0);
  for (const row of rows) assert.ok(row.knownCostNanos > 0, "the answer was priced");
}

/** As `writesTheFile` does behind a backend, here over the chat wire. */
function modelStep(body: Readonly<Record<string, unknown>>, path: string): Step {
  const messages = (body.messages ?? []) as readonly { readonly role: string; readonly content: unknown }[];
  const lastUser = messages.findLastIndex((message) => message.role === "user");
  const wanted = JSON.stringify(messages[lastUser]?.content ?? "").includes("hello.txt");
  const written = messages.slice(lastUser + 1).some((message) => message.role === "tool");
  const tools = ((body.tools ?? []) as readonly { readonly function: ToolDefinition }[]).map((tool) => tool.function);
  const tool = wanted && !written ? writingCall(tools, path) : null;
  if (tool === null) return { text: tools.length === 0 ? "A short note" : "done" };
  return { text: "", toolCalls: [{ name: tool.name, arguments: JSON.stringify(tool.value) }] };
}

/** Of a port where nobody listens any more. */
async function deadAddress(): Promise<string> {
  const server = createServer();
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return `http://127.0.0.1:${port}/v1`;
}
