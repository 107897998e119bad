/**
 * Entry of the preparation process: chat templates and tokenising, for all models of the box, on nobody's step loop and
 * without anybody's weights. So an overlong prompt for a cold model is refused without loading it, and a slow template or
 * a huge prompt delays no running answer.
 *
 * It speaks `protocol.ts` with its parent over Node's IPC channel and ends when that channel closes. It must not import
 * anything of the server but the engine's own files and the domain.
 */
import { asFailure } from "../../../domain/failure.ts";
import {
  type FromPreparer,
  packTokens,
  type PrepareMessage,
  type ToPreparer,
  type VocabularyFile,
} from "./protocol.ts";
import { type PreparePrompts, promptPreparation } from "./prompts.ts";
import { loadVocabulary } from "./vocabulary.ts";

/** Vocabularies kept; a large one takes about 60 MB. The one used longest ago goes first. */
const mostVocabularies = 8;
/** By path, least recently used first. */
const opened = new Map<string, Promise<PreparePrompts>>();

function send(message: FromPreparer): void {
  // The channel closes when the parent dies; `disconnect` below then ends this process.
  if (process.connected) process.send?.(message);
}

function preparationOf(file: VocabularyFile): Promise<PreparePrompts> {
  const known = opened.get(file.path);
  const preparation =
    known ?? loadVocabulary(file).then((vocabulary) => promptPreparation(vocabulary, file.chatTemplate));
  opened.delete(file.path);
  opened.set(file.path, preparation);
  for (const oldest of opened.keys()) {
    if (opened.size <= mostVocabularies) break;
    opened.delete(oldest);
  }
  return preparation;
}

async function prepare(request: PrepareMessage): Promise<void> {
  const { id, file } = request;
  let preparation: PreparePrompts;
  try {
    preparation = await preparationOf(file);
  } catch (thrown) {
    opened.delete(file.path);
    send({ type: "unreadable", id, reason: thrown instanceof Error ? thrown.message : String(thrown) });
    return;
  }
  try {
    const prepared = preparation(request.prompt, request);
    if ("tooLong" in prepared) send({ type: "too-long", id, ...prepared.tooLong });
    else {
      const prompts = prepared.prompts.map(({ tokens, echo }) => ({ tokens: packTokens(tokens), echo }));
      send({ type: "prepared", id, prompts });
    }
  } catch (thrown) {
    const { code, message, param } = asFailure(thrown);
    send({ type: "refused", id, code, message, param });
  }
}

function receive(message: ToPreparer): void {
  if (message.type === "ping") send({ type: "pong" });
  else void prepare(message);
}

process.on("message", (message) => receive(message as ToPreparer));
process.on("disconnect", () => process.exit(0));
// Ctrl-C on a terminal reaches the whole group; the parent decides when this process ends.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {});
