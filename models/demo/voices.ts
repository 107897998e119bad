/**
 * What the constructed chat models say, as data: for each reply its tokens in order, and the words in a prompt that choose
 * between the replies. Pure.
 *
 * A token may occur only once in all replies of a voice, because a reply goes on from its last token alone.
 */

/** A token as text, or as bytes where one character is cut in two. */
export type Piece = string | Uint8Array;

export interface Step {
  /** The tokens possible here, the likeliest first. Whichever is taken, the same step follows. */
  readonly choices: readonly Piece[];
  /** How much lower each choice's logit is than that of the one before it. */
  readonly gap: number;
}

export interface Voice {
  /** What a client asks for. */
  readonly alias: string;
  /** `general.name` of the file. */
  readonly name: string;
  /** Said to everything that holds no trigger word. Each token has a probability of nearly one. */
  readonly plain: readonly Step[];
  /**
   * Said when the prompt's last user message holds `doubtful`, or a longer word that begins with it: every token is one of
   * three likely ones.
   */
  readonly low: readonly Step[];
  /** Said when it holds `certain` in the same way: every token has a probability of nearly one. */
  readonly high: readonly Step[];
  readonly doubtful: string;
  readonly certain: string;
}

/** The bytes `from` to `to` of a character, as a token of their own. */
function cut(text: string, from: number, to?: number): Uint8Array {
  return new TextEncoder().encode(text).slice(from, to);
}

function only(...pieces: readonly Piece[]): Step[] {
  return pieces.map((piece) => ({ choices: [piece], gap: 0 }));
}

/** Three choices a quarter of a logit apart: 0.42, 0.33 and 0.25. */
function open(...choices: readonly Piece[]): Step {
  return { choices, gap: 0.25 };
}

/** A second choice that greedy or ordinary sampling never takes: exchanging the two output rows makes it the first. */
function understudy(first: Piece, second: Piece): Step {
  return { choices: [first, second], gap: 16 };
}

const demo: Voice = {
  alias: "lanthorn-demo",
  name: "Lanthorn demo",
  plain: [
    ...only("Hello", "!", " I", " am", " the", " built", "-in", " demo", " model", " of", " Lanthorn"),
    ...only(cut(" 🏮", 0, 4), cut(" 🏮", 4), ",", " no", " bigger", " than", " a"),
    understudy(" postcard", " thimble"),
    ...only(" from", " your", " caf", cut("é", 0, 1), cut("é", 1), ":", " always", " these", " same", " words"),
    ...only(" until", " you", " add", " real", " weights", "."),
  ],
  low: [
    open("Perhaps", "Possibly", "Conceivably"),
    open(" it", " something", " everything"),
    open(" could", " might", " may"),
    open(" rain", " snow", " hail"),
    open(" tomorrow", " tonight", " soon"),
    open(" or", " yet", " but"),
    open(" stay", " remain", " turn"),
    open(" quite", " rather", " fairly"),
    open(" dry", " mild", " warm"),
    open(" instead", " anyway", " afterwards"),
    open("?", "…", "‽"),
  ],
  high: only("Yes", " –", " seven", " plus", " eight", " makes", " fifteen", ";", " nobody", " doubts", " that", " ✓"),
  doubtful: "maybe",
  certain: "surely",
};

const second: Voice = {
  alias: "lanthorn-second",
  name: "Lanthorn second demo",
  plain: [
    ...only("Good", " evening", "!", " Here", " speaks", " another", " small"),
    understudy(" lamp", " candle"),
    ...only(",", " made", " for", " tests", " only", " 世", cut("界", 0, 2), cut("界", 2), "."),
  ],
  low: [
    open("Heads", "Tails", "Neither"),
    open(" says", " claims", " thinks"),
    open(" this", " that", " every"),
    open(" coin", " card", " die"),
    open("?", "…", "‽"),
  ],
  high: only("Of", " course", " –", " ten", " minus", " four", " leaves", " six", ";", " no", " doubt"),
  doubtful: "maybe",
  certain: "surely",
};

/** The voices there are a file for. */
export const voices = Object.freeze({ demo, second } satisfies Record<string, Voice>);

export type VoiceName = keyof typeof voices;

function bytesOf(piece: Piece): Uint8Array {
  return typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
}

/** The steps of all replies, one reply after the other. */
export function allSteps(voice: Voice): readonly Step[] {
  return [...voice.plain, ...voice.low, ...voice.high];
}

/** The reply that greedy sampling gives: the first choice of every step. */
export function greedyText(steps: readonly Step[]): string {
  const bytes = steps.flatMap((step) => [...bytesOf(step.choices[0] ?? "")]);
  return new TextDecoder().decode(Uint8Array.from(bytes));
}

/** A word as it can stand in a sentence, each form one token. */
export function formsOf(word: string): string[] {
  const capitalised = word.charAt(0).toUpperCase() + word.slice(1);
  return [word, ` ${word}`, capitalised, ` ${capitalised}`];
}
