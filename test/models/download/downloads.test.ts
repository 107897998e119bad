/** The queue: pausing, going on, giving up, restarts, space, split models, what may not be overwritten. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { provenanceOf } from "../../../models/download/provenance.ts";
import { listModels } from "../../../models/store.ts";
import { hubWith, mebibyte, plainWish, stage } from "../../support/download-stage.ts";
import { startHub } from "../../support/hub/hub.ts";
import { writeFilledGguf } from "../../support/filled-gguf.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";
import { encodeGguf, smallModel, value, withKey } from "../../support/gguf-bytes.ts";

const slow = { bytesPerSecond: 12 * mebibyte };
const wish = plainWish;

describe("pause, resume, cancel", () => {
  test("what was fetched before a pause is not fetched again", async () => {
    const { hub, file } = await hubWith(10 * mebibyte);
    const here = await stage(hub, { script: slow });
    const { id } = here.downloads.start(wish);
    await here.untilBytes(id, 3 * mebibyte);
    const paused = await here.downloads.pause(id);
    expect(paused).toMatchObject({ state: "paused", bytesPerSecond: null, leftMs: null });
    const servedBefore = hub.meter.bytes();
    hub.play({});
    here.downloads.resume(id);
    expect(await here.until(id, "done", "failed")).toMatchObject({ state: "done" });
    expect(hub.meter.bytes()).toBe(file.bytes - paused.doneBytes);
    expect(servedBefore - paused.doneBytes).toBeLessThan(4 * mebibyte);
  });

  test("cancelled, nothing of it stays", async () => {
    const { hub } = await hubWith(10 * mebibyte);
    const here = await stage(hub, { script: slow });
    const { id } = here.downloads.start(wish);
    await here.untilBytes(id, mebibyte);
    expect(await here.downloads.cancel(id)).toMatchObject({ state: "cancelled", doneBytes: 0 });
    expect(readdirSync(join(here.home, "downloads"))).toEqual([]);
    expect(() => here.downloads.resume(id)).toThrow("cancelled");
    await expect(here.downloads.pause("dl_000000000000")).rejects.toMatchObject({ code: "not_found" });
  });

  test("asked for twice it is one download, and asked for again it goes on", async () => {
    const { hub } = await hubWith(10 * mebibyte);
    const here = await stage(hub, { script: slow });
    const first = here.downloads.start(wish);
    expect(here.downloads.start(wish).id).toBe(first.id);
    await here.downloads.pause(first.id);
    expect(here.downloads.start(wish).id).toBe(first.id);
    expect(await here.until(first.id, "done", "failed")).toMatchObject({ state: "done" });
    expect(here.downloads.list()).toHaveLength(1);
  });
});

describe("restarts", () => {
  test("a download goes on where the process before it stopped, and a paused one stays paused", async () => {
    const { hub, file } = await hubWith(10 * mebibyte, (folder) =>
      writeFilledGguf(join(folder, "acme/other-GGUF/other-Q4_K_M.gguf"), mebibyte, 2),
    );
    const first = await stage(hub, { script: slow });
    const paused = first.downloads.start({ ...wish, model: "acme/other-GGUF" });
    await first.downloads.pause(paused.id);
    const { id } = first.downloads.start(wish);
    await first.untilBytes(id, 3 * mebibyte);
    const next = await first.reopen();
    const [other, went] = next.downloads.list();
    expect(other).toMatchObject({ id: paused.id, state: "paused" });
    expect(went?.doneBytes).toBeGreaterThanOrEqual(3 * mebibyte);
    expect(await next.until(id, "done", "failed")).toMatchObject({ state: "done", doneBytes: file.bytes });
  });

  test("a command carries out only what it is asked for", async () => {
    const { hub } = await hubWith(10 * mebibyte);
    const first = await stage(hub, { script: slow });
    const { id } = first.downloads.start(wish);
    await first.until(id, "downloading");
    const command = await first.reopen({ goOn: false });
    expect(command.downloads.list()).toMatchObject([{ id, state: "queued" }]);
    expect(command.downloads.isBusy()).toBe(false);
    expect(command.downloads.start(wish).id).toBe(id);
    expect(await command.until(id, "done", "failed")).toMatchObject({ state: "done" });
  });

  test("a damaged or foreign record is left alone and harms nobody", async () => {
    const { hub } = await hubWith(mebibyte);
    const first = await stage(hub);
    await first.pull();
    const folder = join(first.home, "downloads");
    writeFileSync(join(folder, "dl_0123456789ab.json"), "{ not json");
    const [good = ""] = readdirSync(folder).filter((name) => name.endsWith(".json") && name !== "dl_0123456789ab.json");
    const record = JSON.parse(readFileSync(join(folder, good), "utf8"));
    const evil = { ...record, state: "queued", files: [{ ...record.files[0], fileName: "../../evil.gguf" }] };
    writeFileSync(join(folder, "dl_aaaaaaaaaaaa.json"), JSON.stringify(evil));
    const next = await first.reopen();
    expect(next.downloads.list().map(({ state }) => state)).toEqual(["done"]);
  });

  test("records are for their owner only", async () => {
    const { hub } = await hubWith(mebibyte);
    const here = await stage(hub);
    await here.pull();
    const folder = join(here.home, "downloads");
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).mode & 0o777)).toEqual([0o600]);
  });
});

describe("the queue", () => {
  test("one after the other; the Hub is asked at once", async () => {
    const { hub } = await hubWith(4 * mebibyte, (folder) =>
      writeFilledGguf(join(folder, "acme/other-GGUF/other-Q4_K_M.gguf"), mebibyte, 2),
    );
    const here = await stage(hub, { script: slow });
    const first = here.downloads.start(wish);
    await here.until(first.id, "downloading");
    const second = here.downloads.start({ ...wish, model: "acme/other-GGUF" });
    await here.until(second.id, "done", "failed");
    const order = here.published.filter(({ state }) => state === "done" || state === "resolving");
    expect(order.map(({ id, state }) => `${id === first.id ? "first" : "second"} ${state}`)).toEqual([
      "first resolving",
      "second resolving",
      "first done",
      "second done",
    ]);
    expect(
      here.published.some(({ id, reason }) => id === second.id && reason === "waits for the downloads before it"),
    ).toBe(true);
  });

  test("events tell a growing number and come in bounded number", async () => {
    const { hub, file } = await hubWith(16 * mebibyte);
    const here = await stage(hub, { script: slow });
    const view = await here.pull();
    const amounts = here.published.filter(({ id }) => id === view.id).map(({ doneBytes }) => doneBytes);
    expect(amounts).toEqual([...amounts].sort((left, right) => left - right));
    expect(amounts.at(-1)).toBe(file.bytes);
    expect(amounts.length).toBeLessThan(200);
  });

  test("a rate cap holds", async () => {
    const { hub, file } = await hubWith(4 * mebibyte);
    const here = await stage(hub);
    const began = performance.now();
    expect(await here.pull({ rateBytesPerSecond: 4 * mebibyte })).toMatchObject({ state: "done" });
    const atLeastMs = ((file.bytes - 2 * mebibyte) * 1000) / (4 * mebibyte);
    expect(performance.now() - began).toBeGreaterThan(atLeastMs * 0.9);
  });
});

describe("a network that goes away", () => {
  test("stalled with the time of the next try, and it goes on unaided when the Hub is back", async () => {
    const { hub, folder, file } = await hubWith(10 * mebibyte);
    const here = await stage(hub, { script: slow, settings: { patienceMs: 60_000 } });
    const { id } = here.downloads.start(wish);
    await here.untilBytes(id, 3 * mebibyte);
    await hub.close();
    const stalled = await here.until(id, "stalled");
    expect(stalled).toMatchObject({ bytesPerSecond: null, leftMs: null });
    await expect
      .poll(() => here.published.some(({ state, until }) => state === "stalled" && until !== null), { timeout: 30_000 })
      .toBe(true);
    const back = await startHub({ folder, port: Number(new URL(hub.url).port) });
    onTestFinished(() => back.close());
    expect(await here.until(id, "done", "failed")).toMatchObject({ state: "done", trouble: null });
    expect(back.meter.bytes()).toBeLessThan(file.bytes - 2 * mebibyte);
  });

  test("patience ends with a reason, what was fetched stays, and resume goes on", async () => {
    const { hub } = await hubWith(10 * mebibyte);
    const here = await stage(hub, { script: slow, settings: { patienceMs: 300 } });
    const { id } = here.downloads.start(wish);
    await here.untilBytes(id, 3 * mebibyte);
    await hub.close();
    const failed = await here.until(id, "failed", "done");
    expect(failed.trouble).toMatchObject({ code: "unreachable" });
    expect(failed.doneBytes).toBeGreaterThanOrEqual(3 * mebibyte);
    expect(here.downloads.isBusy()).toBe(false);
  });
});

test("parts that no record knows are swept away at the start, those of a damaged record are not", async () => {
  const { hub } = await hubWith(mebibyte);
  const here = await stage(hub);
  const folder = join(here.home, "downloads");
  for (const name of [
    "dl_aaaaaaaaaaaa-1.part",
    "dl_aaaaaaaaaaaa-1.part.journal",
    "dl_bbbbbbbbbbbb-1.part",
    "notes.txt",
  ]) {
    writeFileSync(join(folder, name), "x");
  }
  writeFileSync(join(folder, "dl_bbbbbbbbbbbb.json"), "{ not json");
  await here.reopen();
  expect(readdirSync(folder).sort()).toEqual(["dl_bbbbbbbbbbbb-1.part", "dl_bbbbbbbbbbbb.json", "notes.txt"]);
});

describe("space", () => {
  test("what does not fit is refused before a byte is fetched", async () => {
    const { hub } = await hubWith(4 * mebibyte);
    const here = await stage(hub, { options: { freeBytes: async () => 3 * mebibyte } });
    expect((await here.pull()).trouble).toMatchObject({ code: "no_space" });
    expect(hub.meter.bytes()).toBe(0);
  });

  test("the others of the queue count", async () => {
    const { hub } = await hubWith(10 * mebibyte, (folder) =>
      writeFilledGguf(join(folder, "acme/other-GGUF/other-Q4_K_M.gguf"), 10 * mebibyte, 2),
    );
    const here = await stage(hub, { script: slow, options: { freeBytes: async () => 15 * mebibyte } });
    const first = here.downloads.start(wish);
    await here.until(first.id, "downloading");
    const second = here.downloads.start({ ...wish, model: "acme/other-GGUF" });
    expect((await here.until(second.id, "failed", "done")).trouble).toMatchObject({ code: "no_space" });
  });

  test("a disk that fills up ends it cleanly, what was fetched stays, and it goes on later", async () => {
    const { hub, file } = await hubWith(72 * mebibyte);
    let free = 300 * mebibyte;
    const here = await stage(hub, { options: { freeBytes: async () => free } });
    const { id } = here.downloads.start(wish);
    await here.until(id, "downloading");
    free = 10 * mebibyte;
    const failed = await here.until(id, "failed", "done");
    expect(failed.trouble).toMatchObject({ code: "no_space", why: "What was fetched is kept." });
    expect(failed.doneBytes).toBeGreaterThan(32 * mebibyte);
    expect(here.models()).toEqual([]);
    free = 300 * mebibyte;
    hub.play({});
    here.downloads.resume(id);
    expect(await here.until(id, "done", "failed")).toMatchObject({ state: "done" });
    expect(hub.meter.bytes()).toBe(file.bytes - failed.doneBytes);
  });
});

describe("what becomes a model", () => {
  test("nothing half-done is ever listed", async () => {
    const { hub } = await hubWith(10 * mebibyte);
    const here = await stage(hub, { script: slow });
    const { id } = here.downloads.start(wish);
    await here.untilBytes(id, 3 * mebibyte);
    const folder = join(here.home, "models");
    expect(await listModels({ folder, entries: [] })).toEqual({ files: [], refusals: [] });
    await here.until(id, "done");
    expect((await listModels({ folder, entries: [] })).files.map(({ alias }) => alias)).toEqual(["coder-q4_k_m"]);
  });

  test("a split model comes as one, under one alias", async () => {
    const part = (number: number) => `coder-Q8_0-0000${number}-of-00002.gguf`;
    const { hub } = await hubWith(mebibyte, (folder) => {
      const inRepository = join(folder, "acme/coder-GGUF/q8");
      mkdirSync(inRepository);
      const first = withKey(smallModel, "split.count", value.uint32(2));
      writeFileSync(join(inRepository, part(1)), encodeGguf(first));
      writeFileSync(
        join(inRepository, part(2)),
        encodeGguf({ ...smallModel, metadata: [["split.no", value.uint32(1)]] }),
      );
    });
    const here = await stage(hub);
    const view = await here.pull({ model: "acme/coder-GGUF:Q8_0", alias: "big" });
    expect(view).toMatchObject({ state: "done", alias: "big", files: [{}, {}] });
    expect(here.models()).toEqual(["big-00001-of-00002.gguf", "big-00002-of-00002.gguf"]);
    const { files, refusals } = await listModels({ folder: join(here.home, "models"), entries: [] });
    expect([files.map(({ alias }) => alias), refusals]).toEqual([["big"], []]);
  });

  test("whole and hash right, but no GGUF that may be served: refused, and not named", async () => {
    const { hub } = await hubWith(mebibyte, (folder) => {
      const broken = encodeGguf({ ...smallModel, tensorCount: 2n ** 40n });
      writeFileSync(join(folder, "acme/coder-GGUF/broken-Q2_K.gguf"), broken);
    });
    const here = await stage(hub);
    const view = await here.pull({ model: "acme/coder-GGUF:Q2_K" });
    expect(view.trouble).toMatchObject({ code: "bad_model" });
    expect(here.models()).toEqual([]);
  });

  test("a file that is there is recognised, by its bytes if need be, and nothing is fetched", async () => {
    const { hub, file } = await hubWith(2 * mebibyte);
    const here = await stage(hub);
    const target = join(here.home, "models", "coder-Q4_K_M.gguf");
    mkdirSync(join(here.home, "models"));
    writeFileSync(target, readFileSync(file.path));
    expect(await here.pull()).toMatchObject({ state: "done" });
    expect(hub.meter.bytes()).toBe(0);
    expect(provenanceOf(target)).toMatchObject({ sha256: file.sha256, path: "coder-Q4_K_M.gguf" });
    expect(await here.pull()).toMatchObject({ state: "done" });
    expect(hub.meter.bytes()).toBe(0);
  });

  test("models/ on another disk: the file is copied there once and named", async ({ skip }) => {
    const shm = "/dev/shm";
    const home = temporaryFolder();
    if (!existsSync(shm) || statSync(shm).dev === statSync(home).dev) skip("there is no second file system here");
    const other = mkdtempSync(join(shm, "lanthorn-test-"));
    onTestFinished(() => rmSync(other, { recursive: true, force: true }));
    symlinkSync(other, join(home, "models"));
    const { hub } = await hubWith(mebibyte);
    const here = await stage(hub, {}, home);
    expect(await here.pull()).toMatchObject({ state: "done" });
    expect([readdirSync(other), here.leftovers()]).toEqual([["coder-Q4_K_M.gguf"], []]);
    expect(provenanceOf(join(home, "models", "coder-Q4_K_M.gguf"))).not.toBeNull();
  });

  test("a different file is never overwritten", async () => {
    const { hub } = await hubWith(2 * mebibyte);
    const here = await stage(hub);
    const target = join(here.home, "models", "coder-Q4_K_M.gguf");
    mkdirSync(join(here.home, "models"));
    writeFileSync(target, "mine");
    expect((await here.pull()).trouble).toMatchObject({ code: "file_exists" });
    expect(readFileSync(target, "utf8")).toBe("mine");
    expect(hub.meter.bytes()).toBe(0);
    expect(await here.pull({ alias: "another" })).toMatchObject({ state: "done", alias: "another" });
    expect(here.models()).toEqual(["another.gguf", "coder-Q4_K_M.gguf"]);
  });

  test("provenance is forgotten when the file is changed", async () => {
    const { hub } = await hubWith(mebibyte);
    const here = await stage(hub);
    await here.pull();
    const target = join(here.home, "models", "coder-Q4_K_M.gguf");
    expect(provenanceOf(target)).not.toBeNull();
    writeFileSync(target, "changed");
    expect(provenanceOf(target)).toBeNull();
    expect(provenanceOf(join(here.home, "models", "none.gguf"))).toBeNull();
  });
});

describe("the catalog", () => {
  test("a restricted licence is accepted first, and once", async () => {
    const { hub } = await hubWith(mebibyte);
    const here = await stage(hub);
    const restricted = { ...wish, model: "qwen2.5-coder-3b-instruct" };
    expect(() => here.downloads.start(restricted)).toThrow(/must be accepted first/);
    expect(here.downloads.list()).toEqual([]);
    const begun = here.downloads.start({ ...restricted, acceptLicense: true });
    expect(begun).toMatchObject({
      repository: "Qwen/Qwen2.5-Coder-3B-Instruct-GGUF",
      alias: "qwen2.5-coder-3b-instruct",
    });
    expect(existsSync(join(here.home, "licences.json"))).toBe(true);
    await here.downloads.cancel(begun.id);
    expect(here.downloads.start(restricted)).toMatchObject({ state: expect.any(String) });
  });

  test("a Hub that has another file under a name of the catalog is not believed", async () => {
    const repository = "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF";
    const { hub } = await hubWith(mebibyte, (folder) =>
      writeFilledGguf(join(folder, repository, "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf"), mebibyte, 3),
    );
    const here = await stage(hub);
    const view = await here.pull({ model: "qwen2.5-coder-1.5b-instruct" });
    expect(view.state).toBe("failed");
    // The pinned commit is not even there.
    expect(["changed", "not_found"]).toContain(view.trouble?.code);
    expect(hub.meter.bytes()).toBe(0);
  });
});
