/** Calls that a grammar has forced → events. Pure. The form is certain, so the text around the objects says nothing. */
import type { ReplyOutput } from "./calls.ts";
import type { ReplyFamily } from "./family.ts";
import type { ReplyInput, Reading } from "./input.ts";
import { envelope } from "./json-call.ts";

export function* forcedCalls(input: ReplyInput, output: ReplyOutput, family: ReplyFamily): Reading {
  // A form that names the function outside of the object is the family's own, and only its reader knows it.
  if (!family.forced.beforeName.includes("{")) {
    yield* family.read(input, output);
    return;
  }
  for (;;) {
    const object = input.text.indexOf("{", input.at);
    if (object === -1 && !input.ended) {
      input.at = input.text.length;
      yield;
      continue;
    }
    if (object !== -1) {
      input.at = object;
      if (yield* envelope(input, output, output.tools)) continue;
    }
    break;
  }
  // Cut short before a name was complete: the client sees what there is. Behind a call it is the rest of the form.
  output.endedInCall = input.text.includes("{");
  if (output.calls === 0 || output.endedInCall) output.text(input.take(input.text.length));
}
