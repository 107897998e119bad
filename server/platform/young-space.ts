/**
 * Room for new objects in the server process. V8 begins with 1 MiB, doubles it under load up to 32 and keeps what it took: the bin
 * therefore forbids it to grow. But a busy gateway fills 1 MiB every few milliseconds, and a fifth of its time went into emptying it
 * (measured 2026-11-26). So it may grow here to a few MiB and no further. Runs in the server.
 */
import v8 from "node:v8";
import type { Clock } from "../domain/ports.ts";

/** What is enough: a doubling more is what a burst between two looks can add. */
const enoughBytes = 4 * 1024 ** 2;
const everyMs = 250;

/** Looks now and then until the returned function is called. */
export function keepYoungSpace(clock: Clock): () => void {
  let factor = 1;
  const look = () => {
    const space = v8.getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space");
    const wished = (space?.space_size ?? enoughBytes) < enoughBytes ? 2 : 1;
    if (wished !== factor) v8.setFlagsFromString(`--semi-space-growth-factor=${wished}`);
    factor = wished;
    cancel = clock.after(everyMs, look);
  };
  let cancel = clock.after(0, look);
  return () => cancel();
}
