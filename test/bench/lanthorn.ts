/** Starts our side: the shipped command in a data folder of its own, on loopback, with one model. */
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { removeFolder, temporaryFolder } from "./folders.ts";
import { repositoryRoot } from "./models.ts";
import { type BenchChild, freePort, startChild, waitForOk } from "./processes.ts";
import type { Contestant, ServerShape } from "./scenario.ts";

const readyLimitMs = 60_000;

export async function startLanthorn(modelPath: string, shape: ServerShape): Promise<Contestant> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const home = temporaryFolder();
  const model = `${modelPath},alias=bench,context=${shape.context},slots=${shape.slots}`;
  // A bench may run in a container, where nothing is kept on disk unless somebody says so.
  const settings = { LANTHORN_ENGINE_THREADS: String(shape.threads), LANTHORN_ENGINE_KV_STORE: "disk" };
  const begin = async (): Promise<BenchChild> => {
    const child = startChild(
      "lanthorn",
      process.execPath,
      [join(repositoryRoot, "build", "lanthorn.js"), "serve", "--port", String(port), "--model", model],
      { cwd: repositoryRoot, env: { ...process.env, ...settings, LANTHORN_HOME: home } },
    );
    try {
      await waitForOk(child, `${url}/ready`, readyLimitMs);
    } catch (thrown) {
      await child.stop();
      throw thrown;
    }
    return child;
  };
  let child: BenchChild;
  const stop = async (): Promise<void> => {
    await child.stop();
    removeFolder(home);
  };
  try {
    child = await begin();
  } catch (thrown) {
    removeFolder(home);
    throw thrown;
  }
  /** Throws what the server answered when it is no 2xx. */
  const admin = async <Answer>(
    path: string,
    answer: z.ZodType<Answer>,
    body: object | null = null,
  ): Promise<Answer> => {
    const authorization = `Bearer ${readFileSync(join(home, "admin.key"), "utf8").trim()}`;
    const headers = { "content-type": "application/json", authorization };
    const init = body === null ? { headers } : { method: "POST", headers, body: JSON.stringify(body) };
    const response = await fetch(`${url}${path}`, init);
    if (!response.ok) throw new Error(`lanthorn: ${path} answered ${response.status}: ${await response.text()}`);
    return answer.parse(await response.json());
  };
  return {
    name: "lanthorn",
    url,
    model: "bench",
    get pid() {
      return child.pid;
    },
    keys: (names) => Promise.all(names.map(async (name) => (await admin("/admin/keys", newKey, { name })).secret)),
    slotTokens: async (names) => {
      const slots = (await admin("/admin/state", state)).models.flatMap((model) => model.slots);
      return names.map((name) => slots.reduce((sum, slot) => sum + (slot.caller === name ? slot.tokens : 0), 0));
    },
    restart: async ({ emptied }) => {
      await child.stop();
      if (emptied) rmSync(join(home, "kv"), { recursive: true, force: true });
      child = await begin();
      const deadline = performance.now() + readyLimitMs;
      while ((await admin("/admin/state", state)).models.find(({ id }) => id === "bench")?.state !== "ready") {
        if (performance.now() > deadline) throw new Error("lanthorn: the model was not loaded again");
        await delay(50);
      }
    },
    stop,
  };
}

const newKey = z.object({ secret: z.string() });
const state = z.object({
  models: z.array(
    z.object({
      id: z.string(),
      state: z.string(),
      slots: z.array(z.object({ caller: z.string().nullable(), tokens: z.number() })),
    }),
  ),
});
