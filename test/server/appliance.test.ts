/** What the composition root itself decides: order, files, and what is left behind. */
import { existsSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { realBox } from "../support/real-box.ts";

describe("a box", () => {
  test("S-36 the admin key lies in the data folder for its owner only, and a new one replaces it there", async () => {
    const box = await realBox();
    try {
      const file = join(box.home, "admin.key");
      expect(statSync(file).mode & 0o777).toBe(0o600);
      const first = readFileSync(file, "utf8").trim();
      const ask = (key: string, path: string, method = "GET") =>
        fetch(`${box.started.url}${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
          ...(method === "POST" ? { body: "{}" } : {}),
        });
      expect((await ask(first, "/admin/keys/reset-admin", "POST")).status).toBe(200);
      const second = readFileSync(file, "utf8").trim();
      expect(second).not.toBe(first);
      expect((await ask(first, "/admin/state")).status).toBe(401);
      const state = (await (await ask(second, "/admin/state")).json()) as object;
      expect(Object.keys(state)).toEqual([
        "box",
        "models",
        "queue",
        "targets",
        "rateLimited",
        "held",
        "budgets",
        "idle",
        "rss",
        "rented",
      ]);
    } finally {
      await box.stop();
    }
  });

  test("leaves no server.json, no lock and no listener behind when it stops", async () => {
    const box = await realBox();
    expect(existsSync(join(box.home, "server.json"))).toBe(true);
    expect((await fetch(`${box.started.url}/ready`)).status).toBe(200);
    await box.stop();
    await expect(fetch(`${box.started.url}/ready`)).rejects.toThrow();
  });

  test("cannot start twice in one data folder, and the second leaves the first alone", async () => {
    const box = await realBox();
    try {
      await expect(realBox({ LANTHORN_HOME: box.home })).rejects.toMatchObject({ code: "cannot_start" });
      expect((await fetch(`${box.started.url}/ready`)).status).toBe(200);
    } finally {
      await box.stop();
    }
  });
});
