/** Content of an OpenAI message, part by part: text, images, files. Pure; runs in the server process; imports the domain only. */
import type { ContentPart, ImagePart, MediaSource, TextPart } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { badField } from "../field-failure.ts";
import type { WireContent, WirePart } from "./schema.ts";
import { cacheOf } from "./wishes.ts";

/** `param` is the field as the client wrote it: `messages[2].content`. */
export function contentOf(wire: WireContent, param: string): readonly ContentPart[] {
  if (wire === null || wire === "") return [];
  if (typeof wire === "string") return [textPart(wire)];
  return wire.map((part, index) => partOf(part, `${param}[${index}]`));
}

export function textPart(text: string): TextPart {
  return { type: "text", text };
}

function partOf(part: WirePart, param: string): ContentPart {
  if ("text" in part) return { ...textPart(part.text), ...cacheOf(part.cache_control) };
  if ("refusal" in part) return textPart(part.refusal);
  if ("image_url" in part) {
    const written = typeof part.image_url === "string" ? { url: part.image_url, detail: null } : part.image_url;
    const source = sourceOf(written.url, `${param}.image_url.url`);
    return { type: "image", source, ...detailOf(written.detail), ...cacheOf(part.cache_control) };
  }
  if ("file" in part) {
    const { file_data, filename } = part.file;
    if (typeof file_data !== "string") {
      // The id of a file lies with one vendor's account, and the request may go anywhere.
      throw new Failure("unsupported", "A file can be sent by its bytes only: put them into 'file_data'.", {
        param: `${param}.file`,
      });
    }
    const source = sourceOf(file_data, `${param}.file.file_data`);
    return { type: "file", source, name: filename ?? null, ...cacheOf(part.cache_control) };
  }
  if (part.type === "input_audio") {
    throw new Failure("unsupported", "Audio cannot be read here: send text, images or files.", { param });
  }
  throw badField(param, "This content part is of a type that is not served: text, image_url and file are.");
}

const dataUrl = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,/i;

/** The bytes of a data URL, or an address that an upstream may fetch. Nothing is fetched here. */
function sourceOf(url: string, param: string): MediaSource {
  const head = dataUrl.exec(url);
  if (head !== null) {
    const mediaType = (head[1] ?? "application/octet-stream").toLowerCase();
    return { kind: "base64", mediaType, data: url.slice(head[0].length) };
  }
  if (/^https?:\/\//i.test(url)) return { kind: "url", url };
  throw badField(param, `'${param}' must be a data URL in base64 or an address that begins with https://.`);
}

function detailOf(detail: string | null | undefined): Pick<ImagePart, "detail"> {
  return detail === "low" || detail === "high" || detail === "auto" ? { detail } : {};
}
