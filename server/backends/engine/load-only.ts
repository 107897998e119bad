/** A request without a prompt: the model is brought into memory, and that is the answer. Runs in the server process. */
import type { ChatEvent } from "../../domain/chat.ts";
import type { Clock } from "../../domain/ports.ts";
import { noUsage } from "../../domain/usage.ts";
import type { ModelHost } from "./model-host.ts";
import type { Residency } from "./residency.ts";
import { Times } from "./times.ts";

/** Waits for room as any request does; from then on the model leaves again when nobody uses it. */
export async function* loaded(
  host: ModelHost,
  signal: AbortSignal,
  { clock, residency }: { readonly clock: Clock; readonly residency: Pick<Residency, "stay"> },
): AsyncIterable<ChatEvent> {
  const times = new Times(clock);
  try {
    const stay = await residency.stay(host, signal);
    stay.end();
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    yield { type: "aborted", usage: noUsage, timings: times.known() };
    return;
  }
  times.mark("loadMs");
  yield { type: "finished", finishReason: "stop", usage: noUsage, timings: times.known() };
}
