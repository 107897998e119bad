import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, onTestFinished, test } from "vitest";
import { dataFolderInUse, takeDataLock } from "../../../server/platform/data-lock.ts";
import { type DataPaths, createDataFolder, dataPaths } from "../../../server/platform/paths.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

function freshPaths(): DataPaths {
  const paths = dataPaths({ LANTHORN_HOME: temporaryFolder() });
  createDataFolder(paths);
  return paths;
}

async function holder(paths: DataPaths): Promise<{ readonly child: ChildProcess; readonly said: string }> {
  const script = fileURLToPath(new URL("lock-holder.ts", import.meta.url));
  const child = spawn(process.execPath, [script, paths.home], { stdio: ["pipe", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const [said] = (await once(child.stdout, "data")) as [Buffer];
  return { child, said: said.toString() };
}

test("a second writer is told who holds the data folder", async () => {
  const paths = freshPaths();
  const { child, said } = await holder(paths);
  expect(said).toBe("taken\n");
  const outcome = takeDataLock(paths);
  expect(outcome).toMatchObject({ taken: false, holder: { pid: child.pid, url: "http://127.0.0.1:4747" } });
  const failure = dataFolderInUse(outcome.taken ? null : outcome.holder);
  expect(failure.code).toBe("cannot_start");
  expect(failure.message).toContain(`pid ${child.pid}`);
  expect(failure.message).toContain("http://127.0.0.1:4747");
});

test("S-23 the lock survives no kill -9 of its holder: nothing has to be removed by hand", async () => {
  const paths = freshPaths();
  const { child } = await holder(paths);
  child.kill("SIGKILL");
  await once(child, "exit");
  const outcome = takeDataLock(paths);
  expect(outcome.taken).toBe(true);
  if (outcome.taken) outcome.lock.release();
});

test("a released lock can be taken again, also by the same process", () => {
  const paths = freshPaths();
  const first = takeDataLock(paths);
  expect(first.taken).toBe(true);
  expect(takeDataLock(paths)).toEqual({ taken: false, holder: null });
  if (first.taken) first.lock.release();
  const second = takeDataLock(paths);
  expect(second.taken).toBe(true);
  expect(statSync(paths.lock).mode & 0o777).toBe(0o600);
  if (second.taken) second.lock.release();
});
