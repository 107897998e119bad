/** Figures in the sentences of a verdict. Pure. */

/** `20.4 GiB`, `312 MiB`. */
export function memoryText(bytes: number): string {
  if (bytes >= 2 ** 30) return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
  return `${Math.max(bytes > 0 ? 1 : 0, Math.round(bytes / 2 ** 20))} MiB`;
}

/** `8192` → `8,192`. */
export function tokensText(tokens: number): string {
  return tokens.toString().replace(/\B(?=(\d{3})+$)/g, ",");
}

export function slotsText(slots: number): string {
  return `${tokensText(slots)} ${slots === 1 ? "slot" : "slots"}`;
}
