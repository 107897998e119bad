/** A download in words and as a bar. Pure. */
import type { DownloadView } from "../domain/download.ts";
import { bytesText, durationText, unknownMark } from "./format.ts";
import { printable } from "./text.ts";

const widestBar = 30;

/** `████████──────────`; nothing where there is no room. */
export function bar(part: number, columns: number): string {
  const width = Math.min(widestBar, columns);
  if (width < 4) return "";
  const full = Math.floor(Math.min(1, Math.max(0, part)) * width);
  return "█".repeat(full) + "─".repeat(width - full);
}

/** 0 to 100, whole; 100 only when nothing is missing. */
export function percentOf({ doneBytes, bytes }: Pick<DownloadView, "doneBytes" | "bytes">): number {
  return bytes === null || bytes === 0 ? 0 : Math.floor((doneBytes * 100) / bytes);
}

function safeText(view: DownloadView): string {
  return view.doneBytes === 0 ? "" : ` (${bytesText(view.doneBytes)} safe)`;
}

/** `6.1 GiB of 17.3 GiB   35 %   46 MiB/s   4 m 09 s left`, or what it waits for. */
export function stateText(view: DownloadView, nowMs: number): string {
  const reason = printable(view.reason);
  switch (view.state) {
    case "downloading": {
      const amount = `${bytesText(view.doneBytes)} of ${view.bytes === null ? unknownMark : bytesText(view.bytes)}`;
      const rate = view.bytesPerSecond === null ? [] : [`${bytesText(view.bytesPerSecond)}/s`];
      const left = view.leftMs === null ? [] : [`${durationText(view.leftMs)} left`];
      return [amount, `${percentOf(view)} %`, ...rate, ...left].join("   ");
    }
    case "stalled": {
      const waits =
        view.until !== null && view.until > nowMs ? `, next try in ${durationText(view.until - nowMs)}` : "";
      return `stalled: ${reason}${waits}${safeText(view)}`;
    }
    case "verifying":
      return `${bytesText(view.doneBytes)} fetched, comparing the SHA-256`;
    case "resolving":
      return "asking the Hub";
    case "done":
      return "verified";
    default:
      return `${view.state}: ${reason}${safeText(view)}`;
  }
}

/** One line of a terminal of so many columns. */
export function barLine(view: DownloadView, nowMs: number, columns: number): string {
  const text = stateText(view, nowMs);
  if (view.bytes === null || (view.state !== "downloading" && view.state !== "stalled")) return text;
  const drawn = bar(view.doneBytes / view.bytes, columns - text.length - 3);
  return drawn === "" ? text : `${drawn}  ${text}`;
}
