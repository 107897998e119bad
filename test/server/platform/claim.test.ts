/** Getting hold of a data folder: ours, somebody's who serves it, or somebody's who does not. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { claimDataFolder } from "../../../server/platform/claim.ts";
import { takeDataLock } from "../../../server/platform/data-lock.ts";
import { createDataFolder, type DataPaths, dataPaths } from "../../../server/platform/paths.ts";
import { writeServerFile } from "../../../server/platform/server-file.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function freshPaths(): DataPaths {
  const paths = dataPaths({ LANTHORN_HOME: temporaryFolder() });
  createDataFolder(paths);
  return paths;
}

/** A process that holds the folder and answers every request with 401, as no server that is ready does. */
async function unreadyServer(paths: DataPaths): Promise<void> {
  const script = fileURLToPath(new URL("../cli/pretend-server.ts", import.meta.url));
  const child = fork(script, ["polite"], { env: { ...process.env, LANTHORN_HOME: paths.home }, execArgv: [] });
  onTestFinished(() => void child.kill("SIGKILL"));
  await once(child, "message");
}

test("a free folder is ours, and stays ours", async () => {
  const paths = freshPaths();
  const claim = await claimDataFolder(paths, { limitMs: 0 });
  expect(claim.kind).toBe("ours");
  expect(takeDataLock(paths).taken).toBe(false);
  if (claim.kind === "ours") claim.lock.release();
});

test("whoever lets go while we wait makes it ours", async () => {
  const paths = freshPaths();
  const held = takeDataLock(paths);
  setTimeout(() => held.taken && held.lock.release(), 150);
  const claim = await claimDataFolder(paths);
  expect(claim.kind).toBe("ours");
  if (claim.kind === "ours") claim.lock.release();
});

test("a holder that is not ready is no server to attach to, nor is a file that a killed one left", async () => {
  const paths = freshPaths();
  await unreadyServer(paths);
  expect(await claimDataFolder(paths, { limitMs: 200 })).toMatchObject({
    kind: "in-use",
    holder: { pid: expect.any(Number) },
  });

  const left = freshPaths();
  const held = takeDataLock(left);
  // No process has this id: Linux ends at 2^22.
  writeServerFile(left.serverFile, { pid: 2 ** 30, url: "http://127.0.0.1:9", startedAtMs: 0 });
  expect((await claimDataFolder(left, { limitMs: 200 })).kind).toBe("in-use");
  if (held.taken) held.lock.release();
});
