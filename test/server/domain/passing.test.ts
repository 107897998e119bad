import { describe, expect, it } from "vitest";
import { later, watched } from "../../../server/domain/passing.ts";

async function* three(log: string[] = []) {
  try {
    yield 1;
    yield 2;
    yield 3;
  } finally {
    log.push("source left");
  }
}

async function read<T>(events: AsyncIterable<T>, most = 100): Promise<T[]> {
  const all: T[] = [];
  for await (const event of events) if (all.push(event) === most) break;
  return all;
}

describe("events that are watched", () => {
  const recorded = (log: string[]) => () => ({
    event: (event: number) => void log.push(`event ${event}`),
    over: (how: { readonly thrown?: unknown }) => void log.push("thrown" in how ? `over: ${how.thrown}` : "over"),
  });

  it("are the same events, and begin with the first that is asked for", async () => {
    const log: string[] = [];
    const events = watched(three(log), () => {
      log.push("begun");
      return recorded(log)();
    });
    expect(log).toEqual([]);
    expect(await read(events)).toEqual([1, 2, 3]);
    expect(log).toEqual(["begun", "event 1", "event 2", "event 3", "source left", "over"]);
  });

  it("are over once when their reader leaves, after the source has heard of it", async () => {
    const log: string[] = [];
    expect(await read(watched(three(log), recorded(log)), 2)).toEqual([1, 2]);
    expect(log).toEqual(["event 1", "event 2", "source left", "over"]);
  });

  it("say with what they failed", async () => {
    const log: string[] = [];
    const failing = (async function* () {
      yield 1;
      throw "broken";
    })();
    await expect(read(watched(failing, recorded(log)))).rejects.toBe("broken");
    expect(log).toEqual(["event 1", "over: broken"]);
  });
});

describe("events that come later", () => {
  it("are opened by the first question", async () => {
    let opened = 0;
    const events = later(async () => {
      opened += 1;
      return three();
    });
    expect(opened).toBe(0);
    expect(await read(events)).toEqual([1, 2, 3]);
    expect(opened).toBe(1);
  });

  it("fail with what the opening failed with", async () => {
    await expect(read(later<number>(() => Promise.reject(new Error("closed"))))).rejects.toThrow("closed");
  });

  it("tell the source when their reader leaves, also before it was open", async () => {
    const log: string[] = [];
    await read(
      later(() => Promise.resolve(three(log))),
      1,
    );
    expect(log).toEqual(["source left"]);

    const door = Promise.withResolvers<AsyncIterable<number>>();
    const iterator = later(() => door.promise)[Symbol.asyncIterator]();
    const first = iterator.next();
    await iterator.return?.();
    door.resolve(three(log));
    await first;
    expect(log).toEqual(["source left", "source left"]);
  });
});
