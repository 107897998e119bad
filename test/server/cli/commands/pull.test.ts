/** `lanthorn models pull` as people and scripts call it, without a server and beside one. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import { bar, barLine, stateText } from "../../../../server/cli/download-text.ts";
import { readRate } from "../../../../server/cli/models/pull.ts";
import type { DownloadView } from "../../../../server/domain/download.ts";
import { hubWith, mebibyte } from "../../../support/download-stage.ts";
import { scripts } from "../../../support/hub/script.ts";
import { pullTorture } from "../../../support/pull-torture.ts";
import { startServer } from "../../../support/running-server.ts";
import { temporaryFolder } from "../../../support/temporary-folder.ts";
import { lanthorn, startLanthorn } from "../run-command.ts";

function environmentFor(hub: { readonly url: string }, more: Record<string, string> = {}): Record<string, string> {
  return {
    LANTHORN_HOME: temporaryFolder(),
    HF_ENDPOINT: hub.url,
    HF_HOME: "/nonexistent",
    LANTHORN_DOWNLOADS_KEEP_FREE_BYTES: "0",
    ...more,
  };
}

const slow = { bytesPerSecond: 8 * mebibyte };

test("ten cuts and two kills: whole and verified, next to nothing fetched twice, the token seen by the Hub alone", async () => {
  const result = await pullTorture({
    folder: temporaryFolder(),
    bytes: 48 * mebibyte,
    cuts: 10,
    kills: 2,
    bytesPerSecond: 24 * mebibyte,
  });
  expect(result).toMatchObject({ exitCode: 0, killed: 2, isVerified: true, modelsAtKills: [], lastWords: "" });
  expect(result.cut).toBeGreaterThan(5);
  expect([result.tokenHosts, result.askedHosts.length > 1]).toEqual([[result.hubHost], true]);
  expect(result.twiceBytes).toBeLessThanOrEqual(result.allowedBytes);
});

describe("without a server", () => {
  test("lines on stderr, the file's name on stdout; a second time it is there already", async () => {
    const { hub } = await hubWith(16 * mebibyte, undefined, { bytesPerSecond: 40 * mebibyte });
    const environment = environmentFor(hub);
    const first = await lanthorn(["models", "pull", "acme/coder-GGUF", "--alias", "coder"], { environment });
    expect(first).toMatchObject({ code: 0, stdout: "coder.gguf\n" });
    expect(first.stderr).toContain("acme/coder-GGUF from acme/coder-GGUF\n");
    expect(first.stderr).toMatch(/of 16\.0 MiB {3}\d+ %/);
    expect(first.stderr).toContain("coder is ready: every byte fetched, SHA-256 verified.");
    // biome-ignore lint/suspicious/noControlCharactersInRegex: none of them may be there
    expect(first.stderr).not.toMatch(/[\r\u001b]/);
    hub.play({});
    const second = await lanthorn(["models", "pull", "acme/coder-GGUF", "--alias", "coder"], { environment });
    expect([second.code, hub.meter.bytes()]).toEqual([0, 0]);
    const listed = await lanthorn(["models", "list", "--json"], { environment });
    expect(JSON.parse(listed.stdout)).toMatchObject([{ alias: "coder" }]);
  });

  test("--json is one JSON value per line, the last one done", async () => {
    const { hub } = await hubWith(4 * mebibyte);
    const { code, stdout, stderr } = await lanthorn(["models", "pull", "acme/coder-GGUF", "--json"], {
      environment: environmentFor(hub),
    });
    const views: DownloadView[] = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect([code, stderr]).toEqual([0, ""]);
    expect(views.at(-1)).toMatchObject({ state: "done", alias: "coder-q4_k_m", trouble: null });
  });

  test("Ctrl-C pauses with the way to go on, exit 130, and the same command goes on", async () => {
    const { hub, file } = await hubWith(24 * mebibyte, undefined, slow);
    const environment = environmentFor(hub);
    const child = startLanthorn(["models", "pull", "acme/coder-GGUF"], { environment });
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text;
    });
    await expect.poll(() => hub.meter.bytes(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(6 * mebibyte);
    child.kill("SIGINT");
    expect(await once(child, "close")).toEqual([130, null]);
    expect(stderr).toMatch(
      /error {2}Paused at \d+ %\nwhy {4}[\d.]+ MiB are safe\. .*\nnext {3}lanthorn models pull acme\/coder-GGUF\n$/,
    );
    expect(readdirSync(join(environment.LANTHORN_HOME ?? "", "models"))).toEqual([]);
    const listed = await lanthorn(["models", "downloads", "--json"], { environment });
    const [paused] = JSON.parse(listed.stdout);
    expect(paused).toMatchObject({ state: "paused" });
    hub.play({});
    expect(await lanthorn(["models", "pull", "acme/coder-GGUF"], { environment })).toMatchObject({ code: 0 });
    expect(hub.meter.bytes()).toBe(file.bytes - paused.doneBytes);
  });

  test.each([
    ["upstream: 8", "wrong-hash", 8, "is not the file that was promised"],
    ["key: 4", "gated", 4, "only for people its owner has let in"],
  ] as const)("exit code %s", async (_name, script, code, words) => {
    const { hub } = await hubWith(mebibyte, undefined, scripts[script]);
    const outcome = await lanthorn(["models", "pull", "acme/coder-GGUF"], { environment: environmentFor(hub) });
    expect([outcome.code, outcome.stdout]).toEqual([code, ""]);
    expect(outcome.stderr).toContain(words);
  });

  test("no room is 6, no such model 5, a wrong name 2; each says what to do", async () => {
    const { hub } = await hubWith(mebibyte);
    const full = environmentFor(hub, { LANTHORN_DOWNLOADS_KEEP_FREE_BYTES: String(2 ** 49) });
    expect(await lanthorn(["models", "pull", "acme/coder-GGUF"], { environment: full })).toMatchObject({
      code: 6,
      stderr: expect.stringContaining("There is no room on the disk"),
    });
    const environment = environmentFor(hub);
    const ask = async (...words: string[]) => (await lanthorn(["models", "pull", ...words], { environment })).code;
    expect(await ask("acme/nothing-GGUF")).toBe(5);
    expect(await ask("../../etc/passwd")).toBe(2);
    expect(await ask("acme/coder-GGUF", "--rate", "fast")).toBe(2);
    expect(await ask("qwen2.5-coder-3b-instruct")).toBe(2);
  });
});

test("beside a server it is carried out there, shown by both, and what Ctrl-C pauses is paused there", async () => {
  const { hub, file } = await hubWith(24 * mebibyte, undefined, slow);
  const environment = { HF_ENDPOINT: hub.url, HF_HOME: "/nonexistent", LANTHORN_DOWNLOADS_KEEP_FREE_BYTES: "0" };
  const server = await startServer({ environment });
  try {
    const child = startLanthorn(["models", "pull", "acme/coder-GGUF", "--json"], {
      environment: { LANTHORN_HOME: server.home },
    });
    child.stdout.resume();
    await expect.poll(() => hub.meter.bytes(), { timeout: 30_000, interval: 20 }).toBeGreaterThan(4 * mebibyte);
    child.kill("SIGINT");
    expect(await once(child, "exit")).toEqual([130, null]);
    const views = async () => JSON.parse((await server.command("models", "downloads", "--json")).stdout);
    const [paused] = await views();
    expect(paused).toMatchObject({ state: "paused", model: "acme/coder-GGUF" });
    expect(await server.command("models", "downloads", "cancel", "nobody")).toMatchObject({ code: 5 });
    hub.play({});
    expect(await server.command("models", "downloads", "resume", paused.id.slice(-4))).toMatchObject({ code: 0 });
    const done = await server.command("models", "pull", "acme/coder-GGUF");
    expect(done).toMatchObject({ code: 0, stdout: "coder-Q4_K_M.gguf\n" });
    // Ready is said; whether a client can ask for it at once is said as it is.
    const listed = JSON.parse((await server.command("models", "list", "--json")).stdout);
    const isServed = listed.some(({ alias }: { alias: string }) => alias === "coder-q4_k_m");
    expect(done.stderr.includes("after a restart")).toBe(!isServed);
    expect(hub.meter.bytes()).toBe(file.bytes - paused.doneBytes);
    expect(existsSync(join(server.home, "models", "coder-Q4_K_M.gguf"))).toBe(true);
  } finally {
    await server.remove();
  }
});

describe("words", () => {
  const view: DownloadView = {
    id: "dl_000000000000",
    model: "coder",
    alias: "coder",
    repository: "acme/coder",
    commit: null,
    state: "downloading",
    since: 0,
    reason: "fetches",
    until: null,
    bytes: 17.3 * 2 ** 30,
    doneBytes: 6.1 * 2 ** 30,
    bytesPerSecond: 46 * 2 ** 20,
    leftMs: 249_000,
    files: [],
    trouble: null,
    createdAtMs: 0,
  };

  test("a running one has amount, share, speed and time left; a stalled one has neither speed nor time", () => {
    expect(stateText(view, 0)).toBe("6.1 GiB of 17.3 GiB   35 %   46.0 MiB/s   4 m 09 s left");
    const stalled = { ...view, state: "stalled", reason: "the connection was cut", until: 8_000 } as const;
    expect(stateText(stalled, 0)).toBe("stalled: the connection was cut, next try in 8.0 s (6.1 GiB safe)");
  });

  test("the bar fits its terminal, and what steers one is written out", () => {
    expect(bar(0.5, 10)).toBe("█████─────");
    expect(bar(0.5, 3)).toBe("");
    expect(barLine(view, 0, 100).length).toBeLessThanOrEqual(100);
    expect(barLine(view, 0, 60)).toBe(stateText(view, 0));
    expect(stateText({ ...view, state: "failed", reason: "\u001b[2J" }, 0)).toContain("\\u001b[2J");
  });

  test.each([
    ["5MB", 5_000_000],
    ["500 kb", 500_000],
    ["1.5GB", 1_500_000_000],
    ["8MiB", 8 * mebibyte],
    ["10000", 10_000],
    ["5MB/s", 5_000_000],
  ])("%s is %i bytes per second", (text, bytes) => {
    expect(readRate(text)).toBe(bytes);
  });
});
