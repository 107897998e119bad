/** Text for a terminal: what may be shown, and how wide it is. Pure. */

// Controls, separators of lines, half characters, and format characters, which reverse or hide text. A name is other people's
// input: shown as it came, it could clear the screen or pretend to be another line.
const unsafe = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** The text with everything that could steer a terminal written out as `\u001b`. Stays one line. */
export function printable(text: string): string {
  return text.replace(unsafe, (character) => {
    const code = (character.codePointAt(0) ?? 0).toString(16);
    return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
  });
}

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
// East Asian wide blocks and pictographs take two columns; marks that combine take none and are part of their grapheme.
const wide =
  /^[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|^\p{Emoji_Presentation}/u;

/** Columns the text takes in a terminal. */
export function columnsOf(text: string): number {
  let columns = 0;
  for (const { segment } of segmenter.segment(text)) columns += wide.test(segment) ? 2 : 1;
  return columns;
}

/** Fills up with spaces to `columns`; longer text is left as it is. */
export function pad(text: string, columns: number, side: "left" | "right" = "right"): string {
  const missing = " ".repeat(Math.max(0, columns - columnsOf(text)));
  return side === "right" ? text + missing : missing + text;
}
