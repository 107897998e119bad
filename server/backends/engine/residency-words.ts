/** What people are told of models that wait, leave or find no room. Pure; runs in the server process. */
import { Failure } from "../../domain/failure.ts";
import { type Capacity, totalOf } from "../../domain/residency/memory.ts";
import type { RefusalReason, UnloadReason } from "../../domain/residency/state.ts";

type NoRoom = Extract<RefusalReason, { type: "too-large" | "pinned" }>;

/** Neither a pin nor a setting changes within a minute, which is the most that can be said. */
const comeBackSeconds = 60;

export function noRoom(alias: string, reason: NoRoom, capacity: Capacity, aliasOf: (key: string) => string): Failure {
  const needs = sizeText(totalOf(reason.wish));
  const why =
    reason.type === "too-large"
      ? `it needs ${needs}, and models may take ${sizeText(mostFor(reason, capacity))} here (engine.memoryLimit)`
      : `it needs ${needs}, and ${listText(reason.by.map(aliasOf))} ${reason.by.length === 1 ? "is" : "are"} pinned`;
  return new Failure("no_room", `There is no room for "${alias}": ${why}.`, { retryAfterSeconds: comeBackSeconds });
}

/** The bound that the wish breaks. */
function mostFor({ wish }: NoRoom, { ramBytes, vramBytes, totalBytes }: Capacity): number {
  if (totalOf(wish) > totalBytes) return totalBytes;
  return wish.vramBytes > vramBytes ? vramBytes : ramBytes;
}

export function unloadText(reason: UnloadReason, aliasOf: (key: string) => string): string {
  switch (reason.type) {
    case "unused":
      return "nobody used it";
    case "room":
      return `made room for ${aliasOf(reason.for)}`;
    case "asked":
      return "unloaded by the admin";
    case "removed":
      return "its file is not served any more";
  }
}

/** `2 requests wait for room; coder is answering`. */
export function waitText(waiting: number, busy: readonly string[]): string {
  const wait = waiting === 1 ? "1 request waits for room" : `${waiting} requests wait for room`;
  return busy.length === 0 ? wait : `${wait}; ${listText(busy)} ${busy.length === 1 ? "is" : "are"} answering`;
}

function listText(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** `12.3 GiB`, `812 MiB`. */
export function sizeText(bytes: number): string {
  if (bytes < 2 ** 30) return `${Math.ceil(bytes / 2 ** 20)} MiB`;
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}
