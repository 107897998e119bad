/**
 * Text with calls in it → events. Pure. Text leaves at once; only what may be the beginning of a call waits, and what turns
 * out to be none leaves as it was written.
 */
import type { CallSink, ReplyOutput } from "./calls.ts";
import { possibleMark, type ReplyInput, type Reading } from "./input.ts";
import type { Tools } from "./json-call.ts";

/** How calls are written behind a marker that may stand anywhere in a text. */
export interface MarkedShape {
  /** The longer ones first where one ends with another. A line break before a marker belongs to it: templates write it. */
  readonly marks: readonly string[];
  /**
   * Reads one or more calls behind `mark`. False: there is none, and nothing has been said. True: `input.at` stands behind
   * the last of them.
   */
  readonly read: (input: ReplyInput, sink: CallSink, tools: Tools, mark: string) => Reading<boolean>;
}

/** How calls are written when they are the whole answer. Reads to the end of it; false: the answer is text. */
export type WholeShape = (input: ReplyInput, output: ReplyOutput) => Reading<boolean>;

export interface ContentShapes {
  readonly marked: readonly MarkedShape[];
  readonly whole: readonly WholeShape[];
}

export function* content(input: ReplyInput, output: ReplyOutput, shapes: ContentShapes): Reading {
  if (output.tools.size === 0) {
    for (;;) {
      output.text(input.take(input.text.length));
      if (input.ended) return;
      yield;
    }
  }
  for (const whole of shapes.whole) {
    input.at = 0;
    yield* input.skipSpace();
    if (yield* whole(input, output)) return;
  }
  yield* marked(input, output, shapes.marked);
}

interface Found {
  readonly at: number;
  readonly mark: string;
  readonly shape: MarkedShape;
}

function* marked(input: ReplyInput, output: ReplyOutput, shapes: readonly MarkedShape[]): Reading {
  const marks = shapes.flatMap((shape) => shape.marks);
  /** Since the last call there was nothing but white space, which belongs to it if another one or the end follows. */
  let afterCall = false;
  for (;;) {
    const found = firstMark(input.text, shapes);
    const possible = found !== null || input.ended ? 0 : possibleMark(input.text, marks);
    const sure = found === null ? input.text.length - possible : found.at;
    const silent = afterCall && input.text.slice(0, sure).trim() === "";
    if (!silent) {
      afterCall = false;
      input.at = sure;
      input.bringBack();
      output.text(input.take(input.at));
    }
    if (found === null) {
      if (input.ended) {
        input.at = input.text.length;
        input.drop();
        return;
      }
      input.at = silent ? sure : 0;
      input.putAside();
      yield;
      continue;
    }
    input.at = (silent ? found.at : 0) + found.mark.length;
    input.bringBack();
    const markEnd = input.at;
    afterCall = yield* found.shape.read(input, output, output.tools, found.mark);
    if (afterCall) {
      input.drop();
    } else {
      // It began like a call and the text ended there: an answer that was cut short was cut short in it.
      output.endedInCall ||= input.ended;
      output.text(input.take(markEnd));
    }
  }
}

/** The first marker that is whole; at the same place the first one listed. */
function firstMark(text: string, shapes: readonly MarkedShape[]): Found | null {
  let first: Found | null = null;
  for (const shape of shapes) {
    for (const mark of shape.marks) {
      const at = text.indexOf(mark);
      if (at !== -1 && (first === null || at < first.at)) first = { at, mark, shape };
    }
  }
  return first;
}
