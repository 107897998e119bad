/** Content parts of a Responses body → the domain's. Pure. What cannot be read is refused by name, never left out. */
import type { ContentPart, ImagePart, MediaSource } from "../../domain/chat.ts";
import { Failure } from "../../domain/failure.ts";
import { badField } from "../field-failure.ts";
import type { WireContent, WirePart } from "./item-schema.ts";

/** `param` is where the content stands, as the client wrote it. */
export function contentOf(wire: WireContent | null | undefined, param: string): readonly ContentPart[] {
  if (wire === null || wire === undefined || wire === "") return [];
  if (typeof wire === "string") return [{ type: "text", text: wire }];
  return wire.map((part, index) => partOf(part, `${param}[${index}]`));
}

function partOf(part: WirePart, param: string): ContentPart {
  switch (part.type) {
    case "input_image": {
      const url = typeof part.image_url === "string" ? part.image_url : part.image_url?.url;
      if (url === undefined) throw noFileIds(`${param}.image_url`, "'image_url'");
      return { type: "image", source: sourceOf(url, `${param}.image_url`), ...detailOf(part.detail) };
    }
    case "input_file": {
      const name = part.filename ?? null;
      if (part.file_data) return { type: "file", source: fileData(part.file_data, `${param}.file_data`), name };
      if (part.file_url) return { type: "file", source: sourceOf(part.file_url, `${param}.file_url`), name };
      throw noFileIds(`${param}.file_data`, "'file_data' or 'file_url'");
    }
    case "refusal":
      return { type: "text", text: part.refusal };
    case "unknown":
      throw new Failure("unsupported", `A content part of the type "${part.name.slice(0, 50)}" cannot be read here.`, {
        param,
      });
    default:
      return { type: "text", text: part.text };
  }
}

function detailOf(detail: string | null | undefined): Pick<ImagePart, "detail"> {
  return detail === "low" || detail === "high" || detail === "auto" ? { detail } : {};
}

function noFileIds(param: string, instead: string): Failure {
  return new Failure("unsupported", `No uploaded files are kept here: send ${instead}.`, { param });
}

const dataUrl = /^data:([^;,]*)((?:;[^;,]*)*),/;

/** A `data:` URL holds the bytes; any other is where an upstream may fetch them. */
function sourceOf(url: string, param: string): MediaSource {
  const found = dataUrl.exec(url);
  if (found === null) {
    if (!/^https?:\/\//i.test(url)) throw badField(param, `'${param}' must be a data: or https: URL.`);
    return { kind: "url", url };
  }
  const [head, mediaType = "", parameters = ""] = found;
  if (!/;base64$/i.test(parameters)) throw badField(param, `'${param}' must be encoded as base64.`);
  return { kind: "base64", mediaType: mediaType || "application/octet-stream", data: url.slice(head.length) };
}

/** OpenAI documents a data URL; some clients send the bare base64. */
function fileData(data: string, param: string): MediaSource {
  if (data.startsWith("data:")) return sourceOf(data, param);
  return { kind: "base64", mediaType: "application/pdf", data };
}
