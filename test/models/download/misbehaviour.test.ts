/**
 * One contract over every script of the stand-in Hub: what each misbehaviour must come to. Whatever happens, nothing but a
 * verified model is ever in `models/`, and the token is seen by the Hub alone.
 */
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { provenanceOf } from "../../../models/download/provenance.ts";
import type { DownloadState, DownloadView, TroubleCode } from "../../../server/domain/download.ts";
import { createLog } from "../../../server/platform/log.ts";
import { mebibyte, type Stage, stage } from "../../support/download-stage.ts";
import { type FilledFile, writeFilledGguf } from "../../support/filled-gguf.ts";
import { startHub, type StandInHub } from "../../support/hub/hub.ts";
import { scripts, type Script, type ScriptName } from "../../support/hub/script.ts";

let hub: StandInHub;
let file: FilledFile;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), "lanthorn-hub-"));
  // Five parts and a bit: enough for several connections and links.
  file = writeFilledGguf(join(folder, "acme/coder-GGUF/coder-Q4_K_M.gguf"), 5 * mebibyte);
  hub = await startHub({ folder });
  return async () => {
    await hub.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

interface Outcome {
  readonly script: Script;
  readonly view: DownloadView;
  readonly here: Stage;
}

async function pulled(script: Script, token = "hf_let_me_in"): Promise<Outcome> {
  const here = await stage(hub, { script, token });
  return { script, view: await here.pull(), here };
}

function sawToken(): string[] {
  return [...hub.meter.hosts].filter(([, seen]) => seen.withToken > 0).map(([host]) => host);
}

/** True of every outcome. */
function checkAlways({ view, here }: Outcome): void {
  expect(sawToken()).toEqual([new URL(hub.url).host]);
  if (view.state === "done") {
    expect(here.models()).toEqual(["coder-Q4_K_M.gguf"]);
    const path = join(here.home, "models", "coder-Q4_K_M.gguf");
    expect(createHash("sha256").update(readFileSync(path)).digest("hex")).toBe(file.sha256);
    expect(here.finished).toEqual([path]);
    expect(here.leftovers()).toEqual([]);
    expect(provenanceOf(path)).toMatchObject({
      sha256: file.sha256,
      repository: "acme/coder-GGUF",
      commit: view.commit,
    });
  } else {
    expect(here.models()).toEqual([]);
    expect(here.finished).toEqual([]);
  }
}

/** Names of scripts that end well, with the most bytes that may have been fetched twice. */
const well: readonly (readonly [ScriptName, number])[] = [
  ["good", 0],
  // What was in the connection's buffers when it was cut.
  ["cuts", 2 * mebibyte],
  ["stalls", 2 * mebibyte],
  ["no-ranges", 20 * mebibyte],
  ["other-etag", 2 * mebibyte],
  ["overrun", 2 * mebibyte],
  ["expiring-links", 0],
  ["web-page-once", 0],
  ["errors-500", 0],
  ["rate-limit-hub", 0],
  ["rate-limit-storage", 0],
  ["redirect-elsewhere", 0],
  ["mirror", 0],
  ["gated", 0],
  ["private", 0],
];

describe("ends well", () => {
  test.each(well)("%s", async (name, twiceBytes) => {
    const outcome = await pulled(scripts[name]);
    expect(outcome.view).toMatchObject({ state: "done", trouble: null, doneBytes: file.bytes, alias: "coder-q4_k_m" });
    checkAlways(outcome);
    const served = hub.meter.bytes("coder-Q4_K_M.gguf");
    expect(served).toBeGreaterThanOrEqual(file.bytes);
    expect(served - file.bytes).toBeLessThanOrEqual(twiceBytes);
  });
});

const badly: readonly (readonly [ScriptName, TroubleCode])[] = [
  ["wrong-hash", "wrong_hash"],
  ["other-hash", "changed"],
  ["longer", "wrong_length"],
  ["shorter", "wrong_length"],
  ["web-page", "not_the_file"],
  ["refused-links", "link_refused"],
  ["wrong-range", "wrong_range"],
  ["redirect-loop", "redirect_refused"],
  ["redirect-metadata", "redirect_refused"],
  ["redirect-file", "redirect_refused"],
  ["no-hash", "no_hash"],
];

describe("ends with a reason", () => {
  test.each(badly)("%s: %s", async (name, code) => {
    const outcome = await pulled(scripts[name]);
    expect(outcome.view).toMatchObject({ state: "failed", trouble: { code } });
    expect(outcome.view.reason).toBe(outcome.view.trouble?.message);
    checkAlways(outcome);
  });

  test("a wrong hash leaves nothing of its bytes, and the next try begins from nothing", async () => {
    const { here, view } = await pulled(scripts["wrong-hash"]);
    expect(here.leftovers()).toEqual([]);
    hub.play({});
    here.downloads.resume(view.id);
    expect(await here.until(view.id, "done", "failed")).toMatchObject({ state: "done" });
    expect(hub.meter.bytes()).toBe(file.bytes);
  });

  test("without a token a gated repository says what to do, and nothing is fetched", async () => {
    const here = await stage(hub, { script: scripts.gated });
    const view = await here.pull();
    expect(view.trouble).toMatchObject({ code: "gated", next: ["export HF_TOKEN=<token>"] });
    expect([hub.meter.bytes(), sawToken()]).toEqual([0, []]);
  });

  test("a wrong token is said to be wrong", async () => {
    const { view } = await pulled(scripts.gated, "hf_another");
    expect(view.trouble).toMatchObject({ code: "gated", next: [] });
  });

  test.each([
    ["acme/other-GGUF", "not_found"],
    ["acme/coder-GGUF@v2", "not_found"],
    ["acme/coder-GGUF:Q8_0", "not_found"],
    ["acme/coder-GGUF/other.gguf", "not_found"],
  ])("%s: there is no such thing", async (model, code) => {
    const here = await stage(hub, { script: {} });
    expect((await here.pull({ model })).trouble).toMatchObject({ code });
  });
});

describe("how it gets there", () => {
  test("a wait that was asked for is waited, to the second, and said", async () => {
    const began = performance.now();
    const { here, view } = await pulled({ rateLimits: { where: "storage", count: 1, seconds: 1, as: "ratelimit" } });
    const passedMs = performance.now() - began;
    expect(view.state).toBe("done");
    expect(passedMs).toBeGreaterThan(990);
    const waits = here.published.filter(({ state, until }) => state === "stalled" && until !== null);
    expect(waits[0]).toMatchObject({ reason: "The Hub's rate limit is reached." });
  });

  test("an expired link is asked for again, and the old one is not tried a second time", async () => {
    const { view } = await pulled(scripts["expiring-links"]);
    expect(view.state).toBe("done");
    const refused = hub.meter.requests.filter((line) => line.startsWith("HEAD"));
    expect(refused.length).toBeGreaterThan(1);
  });

  test("silence is called stalled, and it goes on unaided", async () => {
    const { here, view } = await pulled({ stallsAfterBytes: [1000, 1000, 1000, 1000] });
    const states = here.states(view.id);
    expect(states.slice(0, 2)).toEqual(["queued", "resolving"]);
    expect(states).toContain("stalled");
    expect(states.slice(-2)).toEqual(["verifying", "done"] satisfies DownloadState[]);
    // Nothing is said to come while nothing comes.
    expect(here.published.filter(({ state, leftMs }) => state === "stalled" && leftMs !== null)).toEqual([]);
  });

  test("a server without ranges is read by one connection", async () => {
    const { view } = await pulled(scripts["no-ranges"]);
    expect(view.state).toBe("done");
    expect(new Set(hub.meter.ranges.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test("a server without ranges that cuts is begun again from the start, and in the end it is whole", async () => {
    const { view, here } = await pulled({
      ignoresRanges: true,
      cutsAfterBytes: [9, 9, 9, 9, 2 * mebibyte, 4 * mebibyte],
    });
    expect(view.state).toBe("done");
    checkAlways({ script: {}, view, here });
  });

  test("a renamed repository is followed within the Hub, with the token", async () => {
    const here = await stage(hub, { script: { renamed: { "acme/old-GGUF": "acme/coder-GGUF" } }, token: "hf_x" });
    const view = await here.pull({ model: "acme/old-GGUF" });
    expect(view.state).toBe("done");
    expect([hub.meter.requests.some((line) => line.includes("old-GGUF")), here.models().length]).toEqual([true, 1]);
    expect(sawToken()).toEqual([new URL(hub.url).host]);
  });

  test("S-33 names in the list of files that lead elsewhere are not taken, not even as the only ones of their kind", async () => {
    const listsAlso = [
      "../../up-Q8_0.gguf",
      "/etc/abs-Q8_0.gguf",
      "a\\b-Q8_0.gguf",
      "nul\u0000-Q8_0.gguf",
      "c:x-Q8_0.gguf",
    ];
    const here = await stage(hub, { script: { listsAlso } });
    expect((await here.pull({ model: "acme/coder-GGUF:Q8_0" })).trouble).toMatchObject({ code: "not_found" });
    expect(await here.pull()).toMatchObject({ state: "done" });
    expect(here.models()).toEqual(["coder-Q4_K_M.gguf"]);
  });

  test("neither token nor signed link is in a log line, an event or a file", async () => {
    const lines: string[] = [];
    const log = createLog({ level: "debug", write: (line) => void lines.push(line) });
    const script: Script = { ...scripts.cuts, answersPerLink: 3, serverErrors: 2, refusedLinks: 2 };
    const here = await stage(hub, { script, token: "hf_secret_1234", options: { log } });
    expect(await here.pull()).toMatchObject({ state: "done" });
    hub.play(scripts["refused-links"]);
    expect(await here.pull({ alias: "again" })).toMatchObject({ state: "failed" });
    const kept = readdirSync(join(here.home, "downloads")).map((name) =>
      readFileSync(join(here.home, "downloads", name), "utf8"),
    );
    const said = [...lines, JSON.stringify(here.published), ...kept].join("\n");
    expect(said).toContain("a download failed");
    expect(said).not.toMatch(/hf_secret|Signature=|\/blob\//);
  });

  test("a name that leads to a private address is refused, whatever it is called", async () => {
    const script: Script = { redirect: { to: "http://cdn.example/x" } };
    const lookup = async (name: string) => (name === "cdn.example" ? ["203.0.113.1", "169.254.169.254"] : []);
    const here = await stage(hub, { script, options: { lookup } });
    expect((await here.pull()).trouble).toMatchObject({
      code: "redirect_refused",
      why: expect.stringContaining("cdn.example"),
    });
  });
});
