/**
 * Bytes → JSON, bounded before the parser sees them: what a body may cost is decided by its shape, not by its size alone.
 * Pure; runs in the server; knows no request. Every refusal is a Failure.
 */
import { isUtf8 } from "node:buffer";
import { Failure } from "../domain/failure.ts";

/** Deeper than any schema an agent sends; a parser's recursion ends long after. */
const deepestNesting = 256;
/**
 * Values and keys in one body. Three bytes can be an object of sixty, so 32 MiB of `{},{},…` would be most of a gigabyte;
 * the longest list of token ids and the longest transcripts stay far below.
 */
const mostValues = 500_000;

/** Throws Failure `invalid_request` for anything but well-formed JSON in UTF-8 within the bounds above. */
export function parseJson(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new Failure("invalid_request", "The body is not valid UTF-8.");
  refuseCostlyShape(bytes);
  try {
    return JSON.parse(bytes.toString("utf8"));
  } catch {
    // The parser's own message quotes the body.
    throw new Failure("invalid_request", "The body is not valid JSON.");
  }
}

const quote = 0x22;
const backslash = 0x5c;
const comma = 0x2c;

/** Looks at the bytes, because the parser itself would spend memory on every open bracket. About 1 ms per MB. */
function refuseCostlyShape(bytes: Buffer): void {
  let depth = 0;
  let values = 1;
  let inString = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index];
    if (inString) {
      if (byte === backslash) index += 1;
      else if (byte === quote) inString = false;
    } else if (byte === quote) {
      inString = true;
    } else if (byte === comma) {
      values += 1;
    } else if (byte === 0x5b || byte === 0x7b) {
      depth += 1;
      values += 1;
      if (depth > deepestNesting) {
        throw new Failure("invalid_request", `The body nests deeper than ${deepestNesting} levels.`);
      }
    } else if (byte === 0x5d || byte === 0x7d) {
      depth -= 1;
    }
  }
  if (values > mostValues) {
    throw new Failure("invalid_request", `The body holds more than ${mostValues} values, the most that is read.`);
  }
}
