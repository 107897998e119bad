import { homedir } from "node:os";
import { join } from "node:path";
import { writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Failure } from "../../../server/domain/failure.ts";
import { type FlagSetting, type ResolvedConfig, loadConfig } from "../../../server/config/load.ts";
import { listSettings } from "../../../server/config/show.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

interface Given {
  readonly yaml?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly flags?: readonly FlagSetting[];
}

function load(given: Given, folder = temporaryFolder()): ResolvedConfig {
  const file = join(folder, "lanthorn.yaml");
  if (given.yaml !== undefined) writeFileSync(file, given.yaml);
  return loadConfig({
    file,
    environment: given.environment ?? {},
    flags: given.flags ?? [],
    workingFolder: "/work-folder",
  });
}

function refusal(given: Given): Pick<Failure, "code" | "message" | "why" | "param"> {
  try {
    load(given);
  } catch (error) {
    const { code, message, why, param } = error as Failure;
    return { code, message, why, param };
  }
  throw new Error("the settings were accepted");
}

test("without file, environment and flags every setting has its default", () => {
  const { values, origins, warnings } = load({});
  expect(values).toMatchObject({
    host: "127.0.0.1",
    port: 4747,
    auth: "auto",
    headless: false,
    hosts: [],
    models: [],
    engine: { threads: "auto", slots: 4, context: "auto" },
    http: { bodyLimitBytes: 32 * 1024 * 1024 },
    log: { level: "info" },
    shutdown: { graceMs: "auto" },
  });
  expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
  expect(warnings).toEqual([]);
});

test("flags win over the environment, the environment over the file, the file over defaults, and each value says so", () => {
  const { values, origins } = load({
    yaml: "port: 1001\nhost: 10.0.0.1\nauth: always\nengine:\n  slots: 2\n  queue: 7\n",
    environment: { LANTHORN_PORT: "1002", LANTHORN_HOST: "10.0.0.2", LANTHORN_ENGINE_SLOTS: "3" },
    flags: [{ path: "port", flag: "--port", value: "1003" }],
  });
  expect(values).toMatchObject({
    port: 1003,
    host: "10.0.0.2",
    auth: "always",
    engine: { slots: 3, queue: 7 },
  });
  expect(origins).toMatchObject({
    port: "flag --port",
    host: "environment LANTHORN_HOST",
    auth: "file",
    "engine.slots": "environment LANTHORN_ENGINE_SLOTS",
    "engine.queue": "file",
    "engine.batchSize": "default",
  });
});

test("the variable of a setting follows from its name", () => {
  const { values } = load({
    environment: {
      LANTHORN_ENGINE_TOKEN_GAP_MS: "100",
      LANTHORN_ENGINE_THREADS: "2",
      LANTHORN_HTTP_BODY_LIMIT_BYTES: "4096",
      LANTHORN_HEADLESS: "true",
      LANTHORN_LOG_LEVEL: "debug",
      LANTHORN_HOSTS: "atlas.local, box.example",
      // Set to nothing: not set.
      LANTHORN_AUTH: "",
    },
  });
  expect(values).toMatchObject({
    engine: { tokenGapMs: 100, threads: 2 },
    http: { bodyLimitBytes: 4096 },
    headless: true,
    log: { level: "debug" },
    hosts: ["atlas.local", "box.example"],
    auth: "auto",
  });
});

test("models of file, environment and flags add up; each path starts where it was written", () => {
  const folder = temporaryFolder();
  const { values, origins } = load(
    {
      yaml: "models:\n  - path: files/a.gguf\n    alias: a\n  - path: ~/b.gguf\n",
      environment: { LANTHORN_MODELS: "c.gguf,alias=c,context=4096" },
      flags: [{ path: "models", flag: "--model", value: [{ path: "/abs/d.gguf" }] }],
    },
    folder,
  );
  expect(values.models).toEqual([
    { path: join(folder, "files/a.gguf"), alias: "a" },
    { path: join(homedir(), "b.gguf") },
    { path: "/work-folder/c.gguf", alias: "c", context: 4096 },
    { path: "/abs/d.gguf" },
  ]);
  expect(origins).toMatchObject({
    "models[0]": "file",
    "models[1]": "file",
    "models[2]": "environment LANTHORN_MODELS",
    "models[3]": "flag --model",
  });
});

test("a wrong variable is named, with what would be right", () => {
  expect(refusal({ environment: { LANTHORN_PORT: "70000" } })).toEqual({
    code: "cannot_start",
    message: "The variable LANTHORN_PORT cannot be used as given.",
    why: "port must be at most 65535.",
    param: "port",
  });
  expect(refusal({ environment: { LANTHORN_AUTH: "never" } }).why).toBe('auth must be one of "auto", "always".');
  expect(refusal({ environment: { LANTHORN_ENGINE_THREADS: "all" } }).why).toBe(
    'engine.threads must be "auto" or a whole number from 1 to 1024.',
  );
  expect(refusal({ environment: { LANTHORN_MODELS: '[{"path": "x.gguf", "slots": 0}]' } }).why).toBe(
    "models[0].slots must be at least 1.",
  );
});

test("a wrong flag is named", () => {
  const flags = [{ path: "engine.slots", flag: "--slots", value: "many" }];
  expect(refusal({ flags })).toMatchObject({
    message: "The flag --slots cannot be used as given.",
    why: "engine.slots must be a number.",
  });
});

test("keys of providers and markets have variables of their own, and are no settings that somebody misspelt", () => {
  const environment = { LANTHORN_PROVIDER_MY_OPENAI_KEY: "k", LANTHORN_MARKET_VAST_KEY: "k" };
  expect(load({ environment }).warnings).toEqual([]);
});

test("a variable that looks like a setting and is none is pointed out", () => {
  const { warnings } = load({
    environment: { LANTHORN_PROT: "1", LANTHORN_HOME: "/x", LANTHORN_API_KEY: "k", PORT: "2" },
  });
  expect(warnings).toEqual(["LANTHORN_PROT is not a setting. Did you mean LANTHORN_PORT?"]);
});

test("config show lists every setting with value, origin, meaning and variable, and no secret", () => {
  const resolved = load({
    yaml: "models:\n  - path: /m/a.gguf\n",
    environment: { LANTHORN_ADMIN_KEY: "chosen-admin-key", LANTHORN_API_KEY: "lth_x" },
  });
  const settings = listSettings(resolved);
  expect(settings.map((setting) => setting.path)).toContain("models[0]");
  expect(settings.find((setting) => setting.path === "shutdown.graceMs")).toEqual({
    path: "shutdown.graceMs",
    value: "auto",
    origin: "default",
    meaning: "How long running requests may still take when the box stops; auto: 10 s, on a rental 3 s",
    variable: "LANTHORN_SHUTDOWN_GRACE_MS",
  });
  for (const setting of settings) expect(setting.meaning, setting.path).not.toBe("");
  expect(JSON.stringify(settings)).not.toMatch(/chosen-admin-key|lth_x/);
});

test("config show names what rented machines are handed and shows no value of it", () => {
  const resolved = load({
    yaml: `rentals:\n  coder:\n    market: vast\n    models: [a]\n    mostUsdPerHour: "1"\n    environment: { HF_TOKEN: hf_hidden, EMPTY: "" }\n`,
  });
  const settings = listSettings(resolved);
  expect(settings.find(({ path }) => path === "rentals")?.value).toMatchObject({
    coder: { market: "vast", environment: { HF_TOKEN: "set", EMPTY: "not set" } },
  });
  expect(JSON.stringify(settings)).not.toContain("hf_hidden");
  // The machine still gets it.
  expect(resolved.values.rentals.coder?.environment.HF_TOKEN).toBe("hf_hidden");
});

describe("a rented machine, configured by its environment", () => {
  const load = (environment: Record<string, string>) =>
    loadConfig({ file: "/nonexistent/lanthorn.yaml", environment, flags: [], workingFolder: "/" });

  test("the variables that templates set are settings of thisRental and home", () => {
    const { values, origins, warnings } = load({
      LANTHORN_RENTAL_MARKET: "vast",
      LANTHORN_RENTAL_INSTANCE_ID: "12345678",
      LANTHORN_RENTAL_ENDS_AT: "2026-12-01T18:00:00Z",
      LANTHORN_MARKET_URL: "http://127.0.0.1:9/api/v0",
      LANTHORN_HOME_URL: "https://home.example:4747",
      LANTHORN_HOME_PUBLIC_KEY: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
      LANTHORN_HOME_SILENCE_MS: "60000",
      LANTHORN_PUBLIC_URL: "https://gpu.example:8443",
      LANTHORN_PRELOAD: "owner/name:Q4_K_M",
      LANTHORN_IDLE_WHEN_IDLE: "destroy-rental",
      LANTHORN_FIRST_KEY: "no setting, and nothing to warn of",
    });
    expect(values.thisRental).toMatchObject({ market: "vast", instanceId: "12345678", finishMs: 60_000 });
    expect(values.home).toMatchObject({
      url: "https://home.example:4747",
      silenceMs: 60_000,
      whenSilent: "stop-rental",
    });
    expect(values).toMatchObject({ preload: "owner/name:Q4_K_M", idle: { whenIdle: "destroy-rental" } });
    expect(origins["thisRental.market"]).toBe("environment LANTHORN_RENTAL_MARKET");
    expect(warnings).toEqual([]);
  });

  test.each([
    ["LANTHORN_RENTAL_MARKET", "lambda"],
    ["LANTHORN_RENTAL_ENDS_AT", "tomorrow"],
    ["LANTHORN_RENTAL_ENDS_AT", "2026-12-01T18:00"],
    ["LANTHORN_RENTAL_ENDS_AT", "2026-13-45T18:00:00Z"],
    ["LANTHORN_HOME_PUBLIC_KEY", "ssh-ed25519 AAAA"],
    ["LANTHORN_HOME_URL", "home.example"],
    ["LANTHORN_HOME_SILENCE_MS", "5"],
    ["LANTHORN_HTTP_WHOLE_LIMIT_MS", "10"],
  ])("%s=%s does not start, and says what is wrong with it", (name, value) => {
    expect(() => load({ [name]: value })).toThrow(
      expect.objectContaining({ code: "cannot_start", message: `The variable ${name} cannot be used as given.` }),
    );
  });
});
