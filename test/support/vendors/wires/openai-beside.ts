/**
 * What vendors of the OpenAI wire have beside the chat, told apart by their bodies: `/completions`, `/embeddings`, `/rerank`
 * (Jina's, which vLLM and llama-server took over). Written from the documented formats.
 */
import { type Body, type Frame, frame, type Reply } from "../wire.ts";

export const isPrompt = (body: Body) => body.prompt !== undefined;
export const isVectors = (body: Body) => body.input !== undefined;
export const isScores = (body: Body) => body.documents !== undefined;

function promptUsage({ usage, costUsd }: Reply, withCompletion: boolean): object | null {
  if (usage === null) return null;
  return {
    prompt_tokens: usage.prompt,
    ...(withCompletion ? { completion_tokens: usage.completion } : {}),
    total_tokens: usage.prompt + (withCompletion ? usage.completion : 0),
    ...(costUsd === null ? {} : { cost: costUsd, estimated_cost: costUsd }),
  };
}

const choice = (text: string, finish: string | null) => ({ text, index: 0, logprobs: null, finish_reason: finish });
const finishWord = ({ finish }: Reply) => (finish === "length" ? "length" : "stop");

export function promptWhole(reply: Reply): object {
  return {
    ...{ id: reply.id, object: "text_completion", created: 1_700_000_000, model: reply.model },
    choices: [choice(reply.textPieces.join(""), finishWord(reply))],
    usage: promptUsage(reply, true) ?? undefined,
  };
}

export function promptFrames(reply: Reply, body: Body): readonly Frame[] {
  const usage = promptUsage(reply, true);
  const wantsUsage = (body.stream_options as Body | undefined)?.include_usage === true && usage !== null;
  const head = { id: reply.id, object: "text_completion", created: 1_700_000_000, model: reply.model };
  return [
    ...reply.textPieces.map((piece) => frame({ ...head, choices: [choice(piece, null)] })),
    frame({ ...head, choices: [choice("", finishWord(reply))] }),
    ...(wantsUsage ? [frame({ ...head, choices: [], usage })] : []),
  ];
}

/** Numbers that tell inputs apart by their length; not of length 1, as some vendors' are not. */
function vectorOf(input: unknown, length: number): readonly number[] {
  const size = JSON.stringify(input).length;
  return Array.from({ length }, (_, place) => (place === 0 ? size : 1 / (place + 1)));
}

export function vectors(reply: Reply, body: Body): object {
  const { input, dimensions, encoding_format: format } = body;
  const isList = Array.isArray(input) && typeof input[0] !== "number";
  const inputs: readonly unknown[] = isList ? input : [input];
  const data = inputs.map((one, index) => {
    const numbers = vectorOf(one, typeof dimensions === "number" ? dimensions : 8);
    const coded = () => Buffer.from(Float32Array.from(numbers).buffer).toString("base64");
    return { object: "embedding", index, embedding: format === "base64" ? coded() : numbers };
  });
  return { object: "list", model: reply.model, data, usage: promptUsage(reply, false) ?? undefined };
}

/** The later a document stands, the better it is; the best one is said first. */
export function scores(reply: Reply, body: Body): object {
  const documents = body.documents as readonly unknown[];
  const results = documents.map((_, index) => ({ index, relevance_score: (index + 1) / (documents.length + 1) }));
  return {
    id: reply.id,
    model: reply.model,
    results: results.reverse(),
    usage: promptUsage(reply, false) ?? undefined,
  };
}
