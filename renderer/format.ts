/**
 * Figures as people read them, one rule for the whole page. Pure; runs in the browser. A figure that is not known is `–`,
 * never 0; the reason for it stands beside it.
 */

export const unknownFigure = "–";

const grouped = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1,204`, and from ten thousand on `41.2 K`, `61.2 M`. */
export function tokens(count: number): string {
  if (count >= 1_000_000) return `${(count / 1_000_000).toFixed(1)} M`;
  if (count >= 10_000) return `${(count / 1_000).toFixed(1)} K`;
  return grouped.format(count);
}

/** All digits: for explanations, titles and copying. */
export function exact(count: number): string {
  return grouped.format(count);
}

/** Context sizes are powers of two by custom: `64 K` is 65,536. What is not a whole number of them is written out. */
export function contextTokens(count: number): string {
  return count >= 1024 && count % 1024 === 0 ? `${grouped.format(count / 1024)} K` : grouped.format(count);
}

/** `44 tok/s`; one decimal below ten. */
export function rate(tokensPerSecond: number | null): string {
  if (tokensPerSecond === null || !Number.isFinite(tokensPerSecond)) return `${unknownFigure} tok/s`;
  return `${tokensPerSecond < 10 ? tokensPerSecond.toFixed(1) : tokens(Math.round(tokensPerSecond))} tok/s`;
}

/** Milliseconds as `840 ms`, `3.2 s`, `1 m 04 s`, `2 h 10 m`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${String(seconds % 60).padStart(2, "0")} s`;
  const minutes = Math.floor(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, "0")} m`;
}

/** Whole seconds while something is counted: `14 s`, `1 m 04 s`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  return seconds < 60 ? `${seconds} s` : duration(seconds * 1000);
}

/** `412 MiB`, `17.3 GiB`. */
export function memory(bytes: number): string {
  const mebibytes = bytes / 2 ** 20;
  return mebibytes < 1024 ? `${Math.round(mebibytes)} MiB` : `${(mebibytes / 1024).toFixed(1)} GiB`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
