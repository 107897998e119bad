/** The model to preload: by alias, by path, or downloaded first, and what the box says of it meanwhile. */
import { describe, expect, test } from "vitest";
import { openPreload, preloadEntry, type PreloadPorts } from "../../models/preload.ts";
import type { DownloadState, DownloadView } from "../../server/domain/download.ts";
import { Failure } from "../../server/domain/failure.ts";
import type { ModelState, ModelView } from "../../server/domain/model.ts";
import { manualClock } from "../support/manual-clock.ts";
import { recordedLog } from "../support/recorded-log.ts";

const hubModel = "owner/name:Q4_K_M";

function download(state: DownloadState, doneBytes = 0): DownloadView {
  return {
    ...{
      id: "dl_1",
      model: hubModel,
      alias: null,
      repository: "owner/name",
      commit: null,
      state,
      since: 0,
      reason: "",
    },
    ...{ until: null, bytes: 1_000, doneBytes, bytesPerSecond: 100, leftMs: 10, trouble: null, createdAtMs: 0 },
    files: [{ path: "a/Name-Q4.gguf", fileName: "Name-Q4.gguf", bytes: 1_000, doneBytes }],
  };
}

function world(text: string, place: ModelState = "loading") {
  const clock = manualClock();
  const log = recordedLog();
  const served: { alias: string; fileName: string }[] = [];
  const downloads: DownloadView[] = [];
  const loaded: string[] = [];
  const ports: PreloadPorts = {
    served: () => served,
    downloads: {
      list: () => downloads,
      start: (wish) => {
        if (wish.model !== hubModel)
          throw new Failure("not_found", "There is no model.", { why: "Not in the catalog." });
        downloads.push(download("queued"));
        return download("queued");
      },
    },
    load: async (alias) => {
      loaded.push(alias);
      return { state: place };
    },
    ...{ clock, log },
  };
  const preload = openPreload(text, ports);
  const saw = (id: string, state: ModelState, reason: string) =>
    preload.saw({ type: "model", model: { id, state, reason } as ModelView });
  return { preload, clock, log, served, downloads, loaded, saw };
}

test("nothing was asked for", () => {
  const { preload, loaded } = world("");
  preload.look();
  expect(preload.view()).toBeNull();
  expect(preload.readiness()).toEqual({ ready: true, reason: "serving" });
  expect(loaded).toEqual([]);
});

test("an alias that is served is brought into memory, and that is told", () => {
  const { preload, served, loaded, saw } = world("coder");
  served.push({ alias: "coder", fileName: "coder.gguf" });
  preload.look();
  expect(loaded).toEqual(["coder"]);
  expect(preload.view()).toMatchObject({ state: "loading" });
  expect(preload.readiness()).toEqual({ ready: false, reason: "coder: it is brought into memory" });
  saw("another", "ready", "loaded");
  expect(preload.view()).toMatchObject({ state: "loading" });
  saw("coder", "ready", "loaded");
  expect(preload.readiness().ready).toBe(true);
  // Later it may leave memory again: the box was ready, and loads it when it is asked.
  saw("coder", "unloaded", "nobody used it");
  expect(preload.view()).toMatchObject({ state: "ready" });
});

test("no room, or a model that does not load, is said", async () => {
  const { preload, served, saw } = world("coder", "unloaded");
  served.push({ alias: "coder", fileName: "coder.gguf" });
  preload.look();
  await Promise.resolve();
  expect(preload.view()).toMatchObject({ state: "failed", reason: expect.stringContaining("no room") });
  saw("coder", "failed", "it crashed five times");
  expect(preload.view()).toMatchObject({ state: "failed", reason: "it crashed five times" });
  saw("coder", "ready", "loaded");
  expect(preload.view()).toMatchObject({ state: "ready" });
});

describe("a file", () => {
  test("becomes an entry of models, and is found by its name", () => {
    expect(preloadEntry("/models/Coder.gguf")).toEqual({ path: "/models/Coder.gguf", preload: false });
    expect(preloadEntry("coder")).toBeNull();
    expect(preloadEntry(hubModel)).toBeNull();
    const { preload, served, loaded } = world("/models/Coder.gguf");
    served.push({ alias: "coder", fileName: "Coder.gguf" });
    preload.look();
    expect(loaded).toEqual(["coder"]);
  });

  test("that is not there does not start", () => {
    expect(() => world("/models/none.gguf").preload.look()).toThrow(
      expect.objectContaining({ code: "cannot_start", why: expect.stringContaining("no such file") }),
    );
  });
});

describe("a model of the Hub", () => {
  test("is downloaded with its progress in the log, and then brought into memory", () => {
    const { preload, clock, log, served, downloads, loaded } = world(hubModel);
    preload.look();
    for (let percent = 0; percent <= 100; percent += 1) {
      clock.advance(200);
      preload.saw({ type: "download", download: download("downloading", percent * 10) });
    }
    expect(preload.view()).toMatchObject({ state: "downloading", reason: "100 % downloaded" });
    const told = log.lines.filter((line) => line === "info: downloading the model to preload").length;
    expect(told).toBeGreaterThanOrEqual(2);
    expect(told).toBeLessThanOrEqual(4);
    preload.saw({ type: "download", download: download("done", 1_000) });
    downloads[0] = download("done", 1_000);
    served.push({ alias: "name-q4", fileName: "Name-Q4.gguf" });
    preload.look();
    expect(loaded).toEqual(["name-q4"]);
    expect(downloads).toHaveLength(1);
  });

  test("that was fetched before is not fetched again", () => {
    const { preload, served, downloads, loaded } = world(hubModel);
    downloads.push(download("done", 1_000));
    served.push({ alias: "name-q4", fileName: "Name-Q4.gguf" });
    preload.look();
    expect(downloads).toHaveLength(1);
    expect(loaded).toEqual(["name-q4"]);
  });

  test("whose download fails, or that is none, is said", () => {
    const { preload, downloads } = world(hubModel);
    preload.look();
    preload.saw({ type: "download", download: { ...download("failed"), reason: "no answer" } });
    expect(preload.view()).toMatchObject({ state: "failed", reason: "its download is failed: no answer" });
    const other = world(hubModel);
    other.preload.look();
    other.downloads[0] = download("done", 1_000);
    other.preload.look();
    expect(other.preload.view()).toMatchObject({ state: "failed", reason: expect.stringContaining("no model") });
    expect(downloads).toHaveLength(1);
  });

  test("that nobody has does not start", () => {
    expect(() => world("qwen-of-tomorrow").preload.look()).toThrow(
      expect.objectContaining({ code: "cannot_start", why: "There is no model. Not in the catalog." }),
    );
  });
});
