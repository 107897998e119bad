/** Bodies of `/api/chat` and `/api/generate` → `ChatRequest`. Pure; runs in the server process; imports the domain only. */
import type { ChatMessage, ChatRequest } from "../../domain/chat.ts";
import { badField, fieldFailure } from "../field-failure.ts";
import { imagesOf } from "./images.ts";
import { messagesOf } from "./messages.ts";
import { chatBody, generateBody, type WireGenerateBody } from "./schema.ts";
import { sharedWishes } from "./wishes.ts";

type Body = Readonly<Record<string, unknown>>;

/** Throws Failure `invalid_request` with `param`. `body` is parsed JSON. */
export function decodeChat(body: unknown): ChatRequest {
  const parsed = chatBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const messages = messagesOf(parsed.data.messages ?? []);
  return {
    ...sharedWishes(parsed.data, messages.length === 0),
    messages,
    completion: null,
    tools: (parsed.data.tools ?? []).map(({ function: { name, description, parameters } }) => ({
      name,
      description: description ?? null,
      parameters: parameters ?? null,
    })),
    toolChoice: { type: "auto" },
    wire: { dialect: "ollama", body: body as Body },
  };
}

/** Throws Failure `invalid_request` with `param`. `body` is parsed JSON. */
export function decodeGenerate(body: unknown): ChatRequest {
  const parsed = generateBody.safeParse(body);
  if (!parsed.success) throw fieldFailure(parsed.error);
  const wire = parsed.data;
  refuseWhatWeCannotGive(wire);
  const prompt = wire.prompt ?? "";
  const suffix = wire.suffix ? wire.suffix : null;
  const images = imagesOf(wire.images, "images");
  const loadOnly = prompt === "" && suffix === null && images.length === 0;
  // Text on both sides of a gap, or a prompt that the client has written to its last token.
  const isRaw = wire.raw === true || suffix !== null;
  if (isRaw && images.length > 0) throw badField("images", "'images' cannot go with 'raw' or 'suffix'.");
  const messages: ChatMessage[] = [];
  if (!isRaw && !loadOnly) {
    if (wire.system) messages.push({ role: "system", content: [{ type: "text", text: wire.system }] });
    const text = prompt === "" ? [] : [{ type: "text" as const, text: prompt }];
    messages.push({ role: "user", content: [...text, ...images] });
  }
  return {
    ...sharedWishes(wire, loadOnly),
    messages,
    completion: isRaw && !loadOnly ? { prompts: [prompt], suffix, echo: false } : null,
    tools: [],
    toolChoice: { type: "none" },
    wire: { dialect: "ollama-generate", body: body as Body },
  };
}

function refuseWhatWeCannotGive(wire: WireGenerateBody): void {
  if (wire.template) {
    throw badField(
      "template",
      "The model's own template is used: send 'raw' with a prompt you have written to its end.",
    );
  }
  if ((wire.context?.length ?? 0) > 0) {
    throw badField("context", "Conversations are not kept as 'context' here: send them to /api/chat.");
  }
  if (wire.system && (wire.raw === true || wire.suffix)) {
    throw badField("system", "'system' cannot go with 'raw' or 'suffix': no template is used there.");
  }
}
