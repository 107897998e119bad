/** Control tokens that an answer's reader asked to see → how they show in its text. Pure. Runs in a worker process. */
import { controlTokenClose, controlTokenOpen } from "../reply/input.ts";
import type { NativeModel } from "./native.ts";

/** Markers that are no control token of this model are left out: they show as text by themselves, or not at all. */
export function markerTokens(
  model: Pick<NativeModel, "controlToken">,
  markers: readonly string[],
): ReadonlyMap<number, string> {
  const shown = new Map<number, string>();
  for (const marker of markers) {
    const token = model.controlToken(marker);
    if (token !== null) shown.set(token, `${controlTokenOpen}${marker}${controlTokenClose}`);
  }
  return shown;
}
