/**
 * The lamp: one glyph in five states, the same in the strip, the tab and later the tray. Pure data and text; runs in the
 * browser and at build time. The states differ in shape, so that they are told apart without colour.
 */

export type LampState =
  /** Nothing is loaded. */
  | "unlit"
  /** Loaded and idle. */
  | "ember"
  /** Answering. */
  | "lit"
  /** Takes no new requests. */
  | "shaded"
  /** Somebody has to look. */
  | "cracked";

export interface LampStroke {
  readonly path: string;
  /** `frame` is drawn as a line in the colour of text, `glow` is filled with the lamp's own colour. */
  readonly role: "frame" | "glow";
}

/** Ring, cap, glass and foot, on a field of 24 by 24. */
const body: readonly LampStroke[] = [
  { role: "frame", path: "M9.2 4.2a2.8 2.8 0 0 1 5.6 0" },
  { role: "frame", path: "M5.6 8l2.6-3.8h7.6L18.4 8z" },
  { role: "frame", path: "M7.2 8c-2.9 3.5-2.9 7.7 0 11.2h9.6c2.9-3.5 2.9-7.7 0-11.2" },
  { role: "frame", path: "M5.4 19.2h13.2v2.6H5.4z" },
];

const inside = Object.freeze({
  unlit: [{ role: "frame", path: "M12 15.2v4" }],
  ember: [
    { role: "frame", path: "M12 17v2.2" },
    { role: "glow", path: "M12 12.4a2.1 2.1 0 1 1 0 4.2a2.1 2.1 0 1 1 0-4.2z" },
  ],
  lit: [{ role: "glow", path: "M12 9.1c2.5 2.7 3.7 4.4 3.7 6.2a3.7 3.7 0 0 1-7.4 0c0-1.8 1.2-3.5 3.7-6.2z" }],
  shaded: [
    { role: "frame", path: "M5.6 11.7h12.8" },
    { role: "frame", path: "M5.4 15.4h13.2" },
  ],
  cracked: [{ role: "frame", path: "M13.8 8l-3.2 3.9l3.6 2.6l-3.2 4.7" }],
}) satisfies Readonly<Record<LampState, readonly LampStroke[]>>;

export const lampStates = Object.freeze(Object.keys(inside)) as readonly LampState[];

export function lampStrokes(state: LampState): readonly LampStroke[] {
  return [...body, ...inside[state]];
}

/** The glyph as a file. Its colours stand out on light and dark tab bars alike, because a file cannot ask the page. */
export function lampSvg(state: LampState): string {
  const strokes = lampStrokes(state).map((stroke) =>
    stroke.role === "frame"
      ? `<path d="${stroke.path}" fill="none" stroke="#8c877b" stroke-width="2" stroke-linecap="round" stroke-linejoin="round"/>`
      : `<path d="${stroke.path}" fill="#d2952a"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">${strokes.join("")}</svg>\n`;
}

/** Where the built page has the file of a state. */
export function lampFile(state: LampState): string {
  return `/lamp/${state}.svg`;
}
