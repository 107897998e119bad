/** Starts our side: the shipped command in a data folder of its own, on loopback, with one model. */
import { join } from "node:path";
import { removeFolder, temporaryFolder } from "./folders.ts";
import { repositoryRoot } from "./models.ts";
import { freePort, startChild, waitForOk } from "./processes.ts";
import type { Contestant, ServerShape } from "./scenario.ts";

const readyLimitMs = 60_000;

export async function startLanthorn(modelPath: string, shape: ServerShape): Promise<Contestant> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const home = temporaryFolder();
  const model = `${modelPath},alias=bench,context=${shape.context},slots=${shape.slots}`;
  const child = startChild(
    "lanthorn",
    process.execPath,
    [join(repositoryRoot, "build", "lanthorn.js"), "serve", "--port", String(port), "--model", model],
    {
      cwd: repositoryRoot,
      env: { ...process.env, LANTHORN_HOME: home, LANTHORN_ENGINE_THREADS: String(shape.threads) },
    },
  );
  const stop = async (): Promise<void> => {
    await child.stop();
    removeFolder(home);
  };
  try {
    await waitForOk(child, `${url}/ready`, readyLimitMs);
  } catch (thrown) {
    await stop();
    throw thrown;
  }
  return { name: "lanthorn", url, model: "bench", pid: child.pid, stop };
}
