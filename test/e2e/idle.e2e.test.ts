/** A box that nobody needs: it ends with 0, or runs its command, and only what counts as use puts that off. */
import { existsSync, readFileSync } from "node:fs";
import { once } from "node:events";
import { join } from "node:path";
import { expect, test } from "vitest";
import { adminOf, chatOver } from "../support/box-client.ts";
import { until } from "../support/real-engine.ts";
import { startServer } from "../support/running-server.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";

const afterMs = 1_500;

test("S-21 S-22 idle exit: looks do not put it off, a request and a wish to stay awake do; it ends with 0", async () => {
  const environment = { LANTHORN_IDLE_WHEN_IDLE: "exit", LANTHORN_IDLE_AFTER_MS: String(afterMs) };
  const server = await startServer({ environment });
  const ended = once(server.process, "exit");
  const admin = adminOf({ home: server.home, started: server });
  const looking = new AbortController();
  try {
    expect((await chatOver(server.url)).status).toBe(200);
    const first = (await admin.state()).idle;
    expect(first).toMatchObject({ next: "exit" });
    expect(first.at).toBeGreaterThan(Date.now() - 5 * afterMs);
    await chatOver(server.url);
    expect((await admin.state()).idle.at ?? 0).toBeGreaterThan(first.at ?? 0);

    const awake = await admin.post("/admin/stay-awake", { untilMs: Date.now() + 60_000 });
    expect(await awake.json()).toMatchObject({ idle: { next: "exit", steps: [{ step: "exit" }, { step: "unload" }] } });
    await admin.post("/admin/stay-awake", { untilMs: null });

    const looks = setInterval(() => {
      for (const path of ["/health", "/metrics", "/v1/models", "/admin/state"]) {
        void fetch(server.url + path, { headers: admin.headers, signal: looking.signal }).catch(() => {});
      }
    }, 200);
    looking.signal.addEventListener("abort", () => clearInterval(looks));
    expect(await ended).toEqual([0, null]);
    expect(server.stderr()).toContain("Stopping: nobody asked for");
    expect(existsSync(join(server.home, "server.json"))).toBe(false);
  } finally {
    looking.abort();
    await server.remove();
  }
});

test("idle command: once per quiet time, and again after the next request", async () => {
  const file = join(temporaryFolder(), "ran");
  const command = [process.execPath, "-e", `require("fs").appendFileSync(${JSON.stringify(file)}, "ran\\n")`];
  const environment = {
    LANTHORN_IDLE_WHEN_IDLE: "command",
    LANTHORN_IDLE_AFTER_MS: "1000",
    LANTHORN_IDLE_COMMAND: JSON.stringify(command),
  };
  const server = await startServer({ environment });
  const runs = () => (existsSync(file) ? readFileSync(file, "utf8").length / 4 : 0);
  try {
    await until("it ran", () => runs() === 1);
    const admin = adminOf({ home: server.home, started: server });
    expect((await admin.state()).idle).toMatchObject({ next: null });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(runs()).toBe(1);
    expect((await chatOver(server.url)).status).toBe(200);
    await until("it ran again", () => runs() === 2);
    expect(await server.stop()).toBe(0);
  } finally {
    await server.remove();
  }
});
