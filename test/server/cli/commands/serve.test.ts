/** `lanthorn serve`: flags as settings, and what is printed when it is ready. */
import { resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { settingsOf } from "../../../../server/cli/commands/serve.ts";
import { orphanLine } from "../../../../server/cli/rental/burn-line.ts";
import { readyText } from "../../../../server/cli/ready-text.ts";
import { loadConfig } from "../../../../server/config/load.ts";
import type { ServeReady } from "../../../../server/main.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { lanthorn } from "../run-command.ts";

describe("flags", () => {
  test("become settings that win over environment and file, and say that they are flags", async () => {
    const flags = await settingsOf({
      model: ["a,b.gguf,alias=coder,context=8192,slots=2", "other.gguf"],
      port: 0,
      auth: "always",
      headless: true,
      logLevel: "warn",
    });
    const { values, origins } = loadConfig({
      file: resolve(temporaryFolder(), "lanthorn.yaml"),
      environment: { LANTHORN_PORT: "5000" },
      flags,
      workingFolder: "/models",
    });
    expect(values).toMatchObject({ port: 0, auth: "always", headless: true, log: { level: "warn" } });
    expect(values.models).toEqual([
      { path: resolve("/models", "a,b.gguf"), alias: "coder", context: 8192, slots: 2 },
      { path: resolve("/models", "other.gguf") },
    ]);
    expect(origins).toMatchObject({ port: "flag --port", "models[0]": "flag --model", host: "default" });
  });

  test("--lan listens on every address", async () => {
    expect(await settingsOf({ model: [], lan: true })).toEqual([{ path: "host", flag: "--lan", value: "0.0.0.0" }]);
  });

  test("nothing given sets nothing", async () => expect(await settingsOf({ model: [] })).toEqual([]));

  test.each([
    ["a wrong option of a model", ["--model", "a.gguf,alisa=x"], /Did you mean "alias"\?/u],
    ["a model without a file", ["--model", ",slots=2"], /file name/iu],
    ["a context that is none", ["--model", "a.gguf,context=lots"], /context/u],
    ["--lan with --host", ["--lan", "--host", "10.0.0.1"], /cannot be used with/u],
    ["an unknown log level", ["--log-level", "chatty"], /Allowed choices/u],
    ["a port beyond the last", ["--port", "65536"], /0 to 65535/u],
  ])("%s is wrong usage: exit 2", async (_, args, words) => {
    const outcome = await lanthorn(["serve", ...args], { environment: { LANTHORN_HOME: temporaryFolder() } });
    expect(outcome).toMatchObject({ code: 2, stdout: "" });
    expect(outcome.stderr).toMatch(words);
  });
});

describe("when it is ready", () => {
  const demo = {
    alias: "lanthorn-demo",
    capabilities: ["chat" as const],
    embeddingLength: null,
    fileName: "lanthorn-demo.gguf",
    sizeBytes: 2_000_000,
    createdAtMs: 1,
    contextLength: 2048,
    slots: 4,
    demo: true,
  };
  const ready: ServeReady = {
    url: "http://127.0.0.1:4747",
    lanUrls: [],
    fingerprint: null,
    pid: 4711,
    homeFolder: "/home/mira/.local/share/lanthorn",
    version: "0.1.0",
    models: [{ ...demo, alias: "coder", fileName: "coder.gguf", contextLength: 65_536, slots: 1, demo: false }, demo],
    refusedModels: [{ fileName: "broken.gguf", reason: "it ends in the middle of its header" }],
    adminKeyOnce: null,
    adminKeyFile: "/home/mira/.local/share/lanthorn/admin.key",
    publicUrls: [],
    rental: null,
    keylessAllowed: true,
    warnings: [],
    rentals: null,
  };

  test("on this computer only", () => {
    expect(readyText(ready, "ssh -L 4747:127.0.0.1:4747 mira@10.0.0.5")).toBe(
      [
        "Models     coder   64 K context, 1 slot",
        "           lanthorn-demo   2 K context, 4 slots   demo: tiny and often wrong",
        "Left out   broken.gguf: it ends in the middle of its header",
        "Ready      http://127.0.0.1:4747   for OpenAI, Anthropic and Ollama clients; the page is http://127.0.0.1:4747/",
        "           OpenAI clients want http://127.0.0.1:4747/v1 as their base URL, the other two http://127.0.0.1:4747",
        "           this computer only; for the network: lanthorn serve --lan",
        "Tunnel     ssh -L 4747:127.0.0.1:4747 mira@10.0.0.5",
        "Keys       none needed from this computer",
        "Admin      the key lies in /home/mira/.local/share/lanthorn/admin.key",
        "Data       /home/mira/.local/share/lanthorn",
        "next       lanthorn bench coder",
      ].join("\n"),
    );
  });

  test("what is rented and costs money has its line; nothing rented has none", () => {
    const lines = (costing: number) => readyText({ ...ready, rentals: { costing, perHourNanos: 520_000_000 } }, null);
    expect(lines(2)).toContain("\nRentals    2 rentals cost $0.52 an hour: lanthorn rental list\nData ");
    expect(lines(0)).not.toContain("Rentals");
    expect(orphanLine({ orphans: [{}], unread: [] })).toBe(
      "1 instance at markets has no lease and costs money: lanthorn rental orphans",
    );
    expect(orphanLine({ orphans: [], unread: [] })).toBeNull();
  });

  test("on the network, with a key made for this terminal", () => {
    const text = readyText(
      {
        ...ready,
        lanUrls: ["http://192.168.1.20:4747"],
        keylessAllowed: false,
        adminKeyOnce: "lth_shown",
        models: [],
        refusedModels: [],
        warnings: ["LANTHORN_PROT is not a setting."],
      },
      null,
    );
    expect(text.split("\n")).toEqual([
      "Models   none yet; put GGUF files into the data folder's models/",
      "Ready    http://127.0.0.1:4747   for OpenAI, Anthropic and Ollama clients; the page is http://127.0.0.1:4747/",
      "         OpenAI clients want http://127.0.0.1:4747/v1 as their base URL, the other two http://127.0.0.1:4747",
      "LAN      http://192.168.1.20:4747",
      "Keys     everybody needs one",
      "Admin    lth_shown   shown once; lost? lanthorn keys reset-admin",
      "Data     /home/mira/.local/share/lanthorn",
      "Note     LANTHORN_PROT is not a setting.",
      "next     lanthorn keys create <name>",
    ]);
  });
});
