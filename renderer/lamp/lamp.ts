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
  { role: "frame", path: "M9.6 4.6a2.4 2.4 0 0 1 4.8 0" },
  { role: "frame", path: "M7 8l2.2-3.2h5.6L17 8z" },
  { role: "frame", path: "M8 8c-2 3.2-2 7.6 0 10.8h8c2-3.2 2-7.6 0-10.8" },
  { role: "frame", path: "M6.8 18.8h10.4v2.4H6.8z" },
];

const inside = Object.freeze({
  unlit: [{ role: "frame", path: "M12 15.4v3.2" }],
  ember: [
    { role: "frame", path: "M12 17v1.6" },
    { role: "glow", path: "M12 12.9a1.8 1.8 0 1 1 0 3.6a1.8 1.8 0 1 1 0-3.6z" },
  ],
  lit: [{ role: "glow", path: "M12 8.9c2.3 2.6 3.4 4.3 3.4 6.1a3.4 3.4 0 0 1-6.8 0c0-1.8 1.1-3.5 3.4-6.1z" }],
  shaded: [
    { role: "frame", path: "M7.3 10.8h9.4" },
    { role: "frame", path: "M6.7 13.4h10.6" },
    { role: "frame", path: "M7.1 16h9.8" },
  ],
  cracked: [{ role: "frame", path: "M13.6 8l-3 3.7l3.4 2.4l-3 4.7" }],
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
