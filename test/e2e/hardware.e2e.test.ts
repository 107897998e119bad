/** The product as a process, on a machine whose nvidia-smi is a script: it prints a card, and later hangs. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { recordedMachine } from "../support/machines.ts";
import { isAlive, until } from "../support/real-engine.ts";
import { startServer } from "../support/running-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { printing } from "../support/tools-on-path.ts";

test("a driver that hangs stops neither answers nor the end of the box, and leaves nothing behind", async () => {
  const { nvidiaSmi } = await recordedMachine("rtx-3090");
  const text = nvidiaSmi?.answer.outcome === "printed" ? nvidiaSmi.answer.text.trimEnd() : "";
  const folder = temporaryFolder();
  const [hang, pidFile] = [join(folder, "hang"), join(folder, "pid")];
  writeFileSync(
    join(folder, "nvidia-smi"),
    `#!/bin/sh\nif [ -e "${hang}" ]; then echo $$ > "${pidFile}"; exec sleep 600; fi\n${printing(text)}\n`,
  );
  chmodSync(join(folder, "nvidia-smi"), 0o755);
  const server = await startServer({
    environment: { LANTHORN_HARDWARE_SAMPLE_MS: "250", PATH: `${folder}${delimiter}${process.env.PATH ?? ""}` },
  });
  onTestFinished(() => server.remove());
  const authorization = `Bearer ${readFileSync(join(server.home, "admin.key"), "utf8").trim()}`;
  const hardware = async () => {
    const answer = await fetch(`${server.url}/admin/hardware`, { headers: { authorization } });
    return (await answer.json()) as { gpus: { name: string }[]; engine: object };
  };

  await until("the card is seen", async () => (await hardware()).gpus.length > 0);
  expect(await hardware()).toMatchObject({
    gpus: [{ name: "NVIDIA GeForce RTX 3090", powerDrawWatts: { value: 23.61, source: "nvidia-smi" } }],
    // The engine itself finds none in this machine, and nothing was promised: the reason says so.
    engine: { gpu: "cpu", reason: expect.stringContaining("the engine cannot use it through CUDA 13") },
  });

  writeFileSync(hang, "");
  await until("it hangs", () => existsSync(pidFile) && readFileSync(pidFile, "utf8").endsWith("\n"));
  // It is ended after its time and started again: the last one counts.
  const pid = () => Number(readFileSync(pidFile, "utf8"));
  onTestFinished(() => void (isAlive(pid()) && process.kill(pid(), "SIGKILL")));
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ model: "lanthorn-demo", max_tokens: 4, messages: [{ role: "user", content: "hello" }] }),
  });
  expect(answer.status).toBe(200);
  expect((await hardware()).gpus).toHaveLength(1);
  expect(await server.stop()).toBe(0);
  await until("the tool is gone", () => !isAlive(pid()));
});
