/**
 * How long a prompt is, as its provider counts it. Runs in the server process; only for a client that asks for nothing else: plans
 * are made without asking anybody.
 */
import type { CalledDialect, CallFacts } from "../../dialects/called.ts";
import type { ChatRequest } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { callControl, type CallPorts, plainHeaders, readText, sendCall } from "./call.ts";
import type { CloudSettings } from "./settings.ts";

/** `{"input_tokens":12}`, or an error of a sentence or two. */
const mostBytes = 64 * 1024;

export interface Counting extends CallPorts {
  readonly settings: CloudSettings;
  readonly dialect: CalledDialect;
  readonly secret: string | null;
}

/** Null: it does not count, or not now. Throws a Failure for a prompt that it finds wrong or too long. */
export async function countPrompt(request: ChatRequest, facts: CallFacts, counting: Counting): Promise<number | null> {
  const { settings, dialect, secret, clock } = counting;
  if (dialect.count === undefined) return null;
  const call = dialect.count.encode(request, facts);
  const control = callControl(new AbortController().signal);
  let cancel = () => {};
  try {
    const limitMs = settings.timeouts.firstByteMs;
    const answer = await sendCall(settings, { ...call, method: "POST", secret, limitMs }, control, counting);
    const { statusCode: status } = answer;
    cancel = clock.after(settings.timeouts.idleMs, () => answer.body.destroy());
    const { text } = await readText(answer, mostBytes);
    if (status === 200) return dialect.count.tokens(JSON.parse(text));
    throw dialect.decodeFailure({ status, headers: plainHeaders(answer), body: text, nowMs: clock.now() });
  } catch (thrown) {
    if (thrown instanceof Failure && isAboutThePrompt(thrown)) throw thrown;
    return null;
  } finally {
    cancel();
    control.leave();
  }
}

function isAboutThePrompt({ code }: Failure): boolean {
  return code === "upstream_invalid_request" || code === "context_length_exceeded" || code === "unsupported";
}
